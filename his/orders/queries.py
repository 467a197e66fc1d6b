"""Reads of orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from his.billing.models import Charge
from his.core.db import session
from his.core.errors import NotFound
from his.orders.enums import OrderState
from his.orders.models import OrderLine, ServiceOrder
from his.records.models import Visit


def lines_of(visit_id: int) -> Sequence[OrderLine]:
    """Return the ordered services of a visit, oldest first, with their orders (1 statement)."""
    return session().execute(
        select(OrderLine)
        .join(ServiceOrder, ServiceOrder.order_id == OrderLine.order_id)
        .where(ServiceOrder.visit_id == visit_id)
        .options(joinedload(OrderLine.order))
        .order_by(OrderLine.line_id)
    ).scalars().all()


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One ordered service on the doctor's page. ``price`` is what the hospital charges (đồng)."""

    line: OrderLine
    order: ServiceOrder
    price: Decimal | None


def panel_rows(visit_id: int) -> list[PanelRow]:
    """Return the ordered services of a visit that were not taken back, with prices (1 statement)."""
    rows = session().execute(
        select(OrderLine, ServiceOrder, Charge.hospital_price)
        .join(ServiceOrder, ServiceOrder.order_id == OrderLine.order_id)
        .outerjoin(Charge, (Charge.source_kind == "order_line") & (Charge.source_id == OrderLine.line_id))
        .where(ServiceOrder.visit_id == visit_id, OrderLine.state != OrderState.CANCELLED)
        .order_by(OrderLine.line_id)
    ).all()
    return [PanelRow(line, order, price) for line, order, price in rows]


def get_order(order_id: int) -> ServiceOrder:
    """Return an order with its lines (2 statements)."""
    order = session().execute(
        select(ServiceOrder).where(ServiceOrder.order_id == order_id).options(selectinload(ServiceOrder.lines))
    ).scalar_one_or_none()
    if order is None:
        raise NotFound("Không tìm thấy phiếu chỉ định này.")
    return order


def has_result(visit_id: int) -> bool:
    """Tell whether at least one ordered service of a visit has its result."""
    return session().execute(
        select(OrderLine.line_id)
        .join(ServiceOrder, ServiceOrder.order_id == OrderLine.order_id)
        .where(ServiceOrder.visit_id == visit_id, OrderLine.state == OrderState.RESULTED)
        .limit(1)
    ).first() is not None


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
