"""What this module itself tells in the assembled record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from his.core.actor import Actor
from his.core.i18n import date_text
from his.core.i18n import gettext as _
from his.core.module import TimelineEntry
from his.records import queries
from his.records.enums import VisitState
from his.records.models import Visit

VISITS = "visits"


def of_visits(visits: Iterable[Visit]) -> list[TimelineEntry]:
    """Return what the desk knows of visits: papers that came along, visits taken back.

    Examinations themselves are told by the module that owns them.
    """
    return [entry for visit in visits for entry in (_incoming(visit), _cancelled(visit)) if entry is not None]


def _incoming(visit: Visit) -> TimelineEntry | None:
    if visit.incoming_paper_kind != "transfer" or visit.state is VisitState.CANCELLED:
        return None
    line = _("Phiếu %(number)s, ký ngày %(day)s", number=visit.incoming_paper_number, day=date_text(visit.incoming_signed_on))
    return TimelineEntry(
        at=visit.registered_at, title=_("Nhận chuyển từ cơ sở %(code)s", code=visit.incoming_facility_code), lines=(line,),
        kind="arrival",
    )  # fmt: skip


def _cancelled(visit: Visit) -> TimelineEntry | None:
    if visit.state is not VisitState.CANCELLED:
        return None
    return TimelineEntry(
        at=visit.registered_at, title=_("Lượt khám đã hủy · %(code)s", code=visit.code), lines=(visit.cancelled_reason,),
        kind="cancelled", state=_("Đã hủy"), tone="",
    )  # fmt: skip


def entries(_patient_id: int, visit_ids: Sequence[int], _actor: Actor) -> list[TimelineEntry]:
    """Return the rows of some visits (1 statement)."""
    return of_visits(queries.visits_by_id(visit_ids))
