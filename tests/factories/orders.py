"""Ordered services."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from his.catalogues.models import Service
from his.core.actor import Actor
from his.core.db import session, transaction
from his.orders import service
from his.orders.models import ServiceOrder
from his.records.models import Visit
from tests.factories.catalogues import make_service

BLOOD, CHEST, INHALATION = "22.0121.1369", "18.0119.0028", "02.0032.0898"


def make_services() -> None:
    """A blood count, a chest X-ray, a procedure, and a service this hospital does not offer (made once per test)."""
    if session().query(Service).filter_by(code=BLOOD).first() is None:
        make_service(BLOOD, "Tổng phân tích tế bào máu", hospital_price=Decimal(49700), insurance_price=Decimal(49700))
        make_service(CHEST, "Chụp X-quang ngực thẳng", kind="imaging", cost_group="2", hospital_price=Decimal(73300))
        make_service(INHALATION, "Khí dung", kind="procedure", cost_group="18", hospital_price=Decimal(23000))
        make_service("99.9999.9999", "Chụp PET/CT", kind="imaging", cost_group="2", is_offered=False)


def place(visit: Visit, actor: Actor, *codes: str, **more: Any) -> ServiceOrder:
    """Order services for a visit; a blood count unless told otherwise."""
    make_services()
    with transaction():
        return service.place(visit.visit_id, codes or [BLOOD], actor=actor, **more)


def release(order: ServiceOrder, actor: Actor) -> None:
    """Give every service of an order its result."""
    with transaction():
        for line in order.lines:
            service.complete_line(line.line_id, actor=actor)
