"""Reads of orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from his.core import clock
from his.core.db import session
from his.core.errors import NotFound
from his.orders.enums import OrderKind, OrderState
from his.orders.models import OrderLine, ServiceOrder
from his.records.models import Patient, Visit


@dataclass(frozen=True, slots=True)
class WorkRow:
    """One ordered service on a technician's list."""

    line_id: int
    visit_id: int
    full_name: str
    sex: str
    birth_on: date
    birth_precision: str
    patient_code: str
    service_code: str
    service_name: str
    state: str
    is_urgent: bool
    ordered_at: datetime
    ordered_by: str
    indication: str


def lines_of(visit_id: int) -> Sequence[OrderLine]:
    """Return the ordered services of a visit, oldest first, with their orders (1 statement)."""
    return session().execute(
        select(OrderLine)
        .join(ServiceOrder, ServiceOrder.order_id == OrderLine.order_id)
        .where(ServiceOrder.visit_id == visit_id)
        .options(joinedload(OrderLine.order))
        .order_by(OrderLine.line_id)
    ).scalars().all()


def lines_of_visits(visit_ids: Sequence[int]) -> dict[int, list[OrderLine]]:
    """Return the ordered services of many visits, for claims (1 statement)."""
    found: dict[int, list[OrderLine]] = {}
    for line in session().execute(
        select(OrderLine)
        .join(ServiceOrder, ServiceOrder.order_id == OrderLine.order_id)
        .where(ServiceOrder.visit_id.in_(visit_ids), OrderLine.state != OrderState.CANCELLED)
        .options(joinedload(OrderLine.order))
        .order_by(OrderLine.line_id)
    ).scalars():
        found.setdefault(line.order.visit_id, []).append(line)
    return found


def get_line(line_id: int) -> OrderLine:
    """Return an ordered service with its order."""
    line = session().execute(
        select(OrderLine).where(OrderLine.line_id == line_id).options(joinedload(OrderLine.order))
    ).scalar_one_or_none()
    if line is None:
        raise NotFound("Không tìm thấy chỉ định này.")
    return line


def line_for_update(line_id: int) -> OrderLine:
    """Return an ordered service locked until the end of the transaction."""
    line = session().execute(
        select(OrderLine)
        .where(OrderLine.line_id == line_id)
        .options(joinedload(OrderLine.order, innerjoin=True))
        .with_for_update(of=OrderLine)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if line is None:
        raise NotFound("Không tìm thấy chỉ định này.")
    return line


def worklist(kinds: Sequence[OrderKind], day: date, limit: int = 300) -> list[WorkRow]:
    """Return the work of a counter: open services of the last days, urgent first, then results of the day."""
    first, _after = clock.day_bounds(day)
    rows = session().execute(
        select(OrderLine, ServiceOrder, Patient)
        .join(ServiceOrder, ServiceOrder.order_id == OrderLine.order_id)
        .join(Patient, Patient.patient_id == ServiceOrder.patient_id)
        .where(OrderLine.kind.in_(kinds), OrderLine.state != OrderState.CANCELLED, ServiceOrder.ordered_at >= first)
        .order_by(OrderLine.state == OrderState.RESULTED, ServiceOrder.is_urgent.desc(), OrderLine.line_id)
        .limit(limit)
    ).all()
    return [
        WorkRow(
            line.line_id, order.visit_id, p.full_name, p.sex.value, p.birth_on, p.birth_precision.value, p.code,
            line.service_code, line.service_name, line.state.value, order.is_urgent, order.ordered_at,
            order.ordered_by_name, order.indication,
        )
        for line, order, p in rows
    ]  # fmt: skip


def open_count(visit_id: int) -> int:
    """Return how many ordered services have no result yet."""
    return int(
        session().execute(
            select(func.count())
            .select_from(OrderLine)
            .join(ServiceOrder, ServiceOrder.order_id == OrderLine.order_id)
            .where(ServiceOrder.visit_id == visit_id, OrderLine.state.in_((OrderState.ORDERED, OrderState.STARTED)))
        ).scalar_one()
    )


def visit_of(line: OrderLine) -> Visit:
    """Return the visit of an ordered service with its patient."""
    return session().execute(
        select(Visit).where(Visit.visit_id == line.order.visit_id).options(joinedload(Visit.patient), joinedload(Visit.coverage))
    ).scalar_one()
