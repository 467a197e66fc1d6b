"""What this module contributes."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for

from his.core.actor import Actor
from his.core.i18n import date_text
from his.core.i18n import gettext as _
from his.core.i18n import lazy_gettext as _l
from his.core.module import MenuItem, Module, RecordSection, TimelineEntry
from his.examination import printing, queries
from his.examination.permissions import Permission
from his.examination.views import bp


def _entry(row: queries.RecordRow) -> TimelineEntry:
    lines = [" · ".join(f"{d.icd_code} {d.name}" for d in row.diagnoses[:1])] if row.diagnoses else []
    if row.diagnoses[1:]:
        lines.append(_("Kèm theo: %(codes)s", codes=", ".join(d.icd_code for d in row.diagnoses[1:])))
    if not row.diagnoses and row.visit.reason:
        lines.append(row.visit.reason)
    if row.note is not None:
        if row.note.conclusion:
            lines.append(row.note.conclusion[:160])
        if row.note.follow_up_on is not None:
            lines.append(_("Hẹn khám lại %(day)s", day=date_text(row.note.follow_up_on)))
        if row.note.change_reason:
            lines.append(_("Bản sửa sau khi khóa: %(reason)s", reason=row.note.change_reason))
    return TimelineEntry(
        at=row.visit.seen_at or row.visit.registered_at, title=_("Khám · %(room)s", room=row.room_name),
        lines=tuple(lines), url=url_for("examination.visit", visit_id=row.visit.visit_id), kind="visit",
    )  # fmt: skip


def entries(_patient_id: int, visit_ids: Sequence[int], actor: Actor) -> list[TimelineEntry]:
    """Return one row per examined visit, for the assembled record."""
    if not actor.may(Permission.NOTE_READ):
        return []
    return [_entry(row) for row in queries.record_rows(visit_ids)]


module = Module(
    name="examination",
    blueprints=(bp,),
    permissions=tuple(Permission),
    forms=printing.FORMS,
    menu=(MenuItem(_l("Khám bệnh"), "examination.worklist", "stethoscope", Permission.WORKLIST_READ, order=20),),
    record_sections=(RecordSection("examination", _l("Khám bệnh"), entries, order=10),),
)
