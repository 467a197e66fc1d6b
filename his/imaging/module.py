"""What this module contributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from his.core.actor import Actor
from his.core.i18n import gettext as _
from his.core.i18n import lazy_gettext as _l
from his.core.module import MenuItem, Module, RecordSection, TimelineEntry, VisitPanel
from his.imaging import printing, queries
from his.imaging.permissions import Permission
from his.imaging.views import bp


def panel(visit_id: int, _actor: Actor) -> Mapping[str, Any]:
    """Return the imaging part of the doctor's page (1 statement)."""
    return {"services": queries.panel_of(visit_id)}


def entries(_patient_id: int, visit_ids: Sequence[int], actor: Actor) -> list[TimelineEntry]:
    """Return one row per released report for the assembled record (1 statement)."""
    if not actor.may(Permission.REPORT_READ):
        return []
    return [
        TimelineEntry(
            at=report.released_at or report.written_at, title=name,
            lines=(report.conclusion, *((_("Bản thay thế: %(reason)s", reason=report.change_reason),) if report.change_reason else ())),
            url=url_for("imaging.report", line_id=report.order_line_id), tone="warn" if report.is_abnormal else "", kind="imaging",
        )
        for report, name in queries.released_with_names(visit_ids)
    ]  # fmt: skip


module = Module(
    name="imaging",
    blueprints=(bp,),
    permissions=tuple(Permission),
    menu=(MenuItem(_l("Hình ảnh"), "imaging.worklist", "radioactive", Permission.WORKLIST_READ, order=32),),
    forms=printing.FORMS,
    record_sections=(RecordSection("imaging", _l("Chẩn đoán hình ảnh"), entries, order=32),),
    visit_panels=(VisitPanel("imaging", "right", "imaging/_panel.html", panel, Permission.REPORT_READ, order=11),),
)
