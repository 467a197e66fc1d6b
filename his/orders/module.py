"""What this module contributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from his.core.actor import Actor
from his.core.errors import Finding
from his.core.i18n import age_parts
from his.core.i18n import gettext as _
from his.core.i18n import lazy_gettext as _l
from his.core.module import Module, RecordSection, TimelineEntry, VisitPanel
from his.orders import printing, queries, rules, service
from his.orders.enums import OrderState
from his.orders.permissions import Permission
from his.orders.views import bp
from his.records import queries as records_queries
from his.records.enums import VisitState

STATE_TEXT = {
    OrderState.ORDERED: _l("chờ thực hiện"), OrderState.STARTED: _l("đang làm"), OrderState.RESULTED: _l("có kết quả"),
    OrderState.CANCELLED: _l("đã hủy"),
}  # fmt: skip


def panel(visit_id: int, actor: Actor) -> Mapping[str, Any]:
    """Return what the orders part of the doctor's page shows (2 statements)."""
    visit = records_queries.get_visit(visit_id)
    is_open = visit.state in (VisitState.OPEN, VisitState.IN_EXAM)
    months = age_parts(visit.patient.birth_on, visit.service_on)[1]
    return {
        "visit_id": visit_id, "rows": queries.panel_rows(visit_id), "state_text": STATE_TEXT,
        "sets": service.order_sets(months)[:4], "can_place": is_open and actor.may(Permission.ORDER_PLACE),
        "can_cancel": is_open and actor.may(Permission.ORDER_CANCEL),
    }  # fmt: skip


def entries(_patient_id: int, visit_ids: Sequence[int], actor: Actor) -> list[TimelineEntry]:
    """Return one row per visit with what was ordered, for the assembled record (1 statement)."""
    if not actor.may(Permission.ORDER_READ):
        return []
    return [
        TimelineEntry(
            at=lines[0].order.ordered_at, title=_("Chỉ định (%(n)d)", n=len(lines)),
            lines=tuple(f"{line.service_name} · {STATE_TEXT[line.state]}" for line in lines), kind="order",
        )
        for lines in queries.lines_of_visits(visit_ids).values()
    ]  # fmt: skip


def check(visit_id: int) -> Sequence[Finding]:
    """Say that results are awaited before a visit ends."""
    return rules.check_open(queries.open_count(visit_id))


module = Module(
    name="orders",
    blueprints=(bp,),
    permissions=tuple(Permission),
    forms=printing.FORMS,
    record_sections=(RecordSection("orders", _l("Chỉ định"), entries, order=20),),
    visit_panels=(VisitPanel("orders", "middle", "orders/_panel.html", panel, Permission.ORDER_READ, order=10),),
    visit_checks=(check,),
)
