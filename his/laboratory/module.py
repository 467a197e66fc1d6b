"""What this module contributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from his.core.actor import Actor
from his.core.i18n import gettext as _
from his.core.i18n import lazy_gettext as _l
from his.core.module import MenuItem, Module, RecordSection, TimelineEntry, VisitPanel
from his.laboratory import printing, queries
from his.laboratory.enums import Flag
from his.laboratory.models import LabResult, LabValue
from his.laboratory.permissions import Permission
from his.laboratory.views import bp

ARROWS = {Flag.LOW: "↓", Flag.HIGH: "↑", Flag.CRITICAL_LOW: "↓↓", Flag.CRITICAL_HIGH: "↑↑", Flag.ABNORMAL: "*"}
SHOWN_IN_RECORD = 6


def panel(visit_id: int, _actor: Actor) -> Mapping[str, Any]:
    """Return the laboratory part of the doctor's page (2 statements)."""
    services = queries.panel_of(visit_id)
    return {
        "services": services, "arrows": ARROWS,
        "new": [s for s in services if s.released_at is not None], "waiting": [s for s in services if s.released_at is None],
    }  # fmt: skip


def value_text(value: LabValue) -> str:
    """Return one value as a line of the record: ``Bạch cầu 14,8 G/L ↑``."""
    return " ".join(
        part
        for part in (value.index_name, value.value.replace(".", ","), value.unit, ARROWS.get(value.flag, ""))
        if part
    )


def _entry(result: LabResult, name: str) -> TimelineEntry:
    marked = [v for v in result.values if v.flag is not Flag.NORMAL]
    shown = (marked or list(result.values))[:SHOWN_IN_RECORD]
    lines = ["; ".join(value_text(v) for v in shown)] if shown else []
    rest = len(result.values) - len(shown)
    if rest > 0:
        lines.append(_("còn %(n)d chỉ số", n=rest) if not marked else _("%(n)d chỉ số khác trong khoảng", n=rest))
    if result.conclusion:
        lines.append(result.conclusion)
    if result.change_reason:
        lines.append(_("Bản thay thế: %(reason)s", reason=result.change_reason))
    return TimelineEntry(
        at=result.released_at or result.entered_at, title=name, lines=tuple(lines),
        url=url_for("laboratory.result", line_id=result.order_line_id),
        tone="bad" if any(v.flag.is_critical for v in result.values) else "warn" if marked else "", kind="laboratory",
    )  # fmt: skip


def entries(_patient_id: int, visit_ids: Sequence[int], actor: Actor) -> list[TimelineEntry]:
    """Return one row per released result for the assembled record (1 statement)."""
    if not actor.may(Permission.RESULT_READ):
        return []
    return [_entry(result, name) for result, name in queries.released_with_names(visit_ids)]


module = Module(
    name="laboratory",
    blueprints=(bp,),
    permissions=tuple(Permission),
    menu=(MenuItem(_l("Xét nghiệm"), "laboratory.worklist", "flask", Permission.WORKLIST_READ, order=30),),
    forms=printing.FORMS,
    record_sections=(RecordSection("laboratory", _l("Xét nghiệm"), entries, order=30),),
    visit_panels=(
        VisitPanel("laboratory", "right", "laboratory/_panel.html", panel, Permission.RESULT_READ, order=10),
    ),
)
