"""Clinics with their fee, and visits opened at the desk."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from his.catalogues.models import Room, Service
from his.core.actor import SYSTEM, Actor
from his.core.db import session, transaction
from his.records.models import Coverage, Patient
from his.registration import service
from tests.factories.records import make_patient

SINCE = date(2024, 1, 1)


def make_clinic(
    code: str = "214", name: str = "Hô hấp 2", *, exam_service: str = "KB03", price: int = 50_600, kind: str = "clinic",
    is_open: bool = True, sort: int = 0,
) -> Room:  # fmt: skip
    """Make a clinic (and its examination fee) unless it is there already."""
    with transaction() as here:
        if here.execute(select(Service.service_id).where(Service.code == exam_service)).first() is None:
            here.add(
                Service(
                    code=exam_service, name=f"Khám {name}", cost_group="13", kind="exam", unit="lần",
                    hospital_price=Decimal(price), insurance_price=Decimal(price), is_offered=True, valid_from=SINCE,
                )
            )
        room = here.execute(select(Room).where(Room.code == code)).scalar_one_or_none()
        if room is None:
            room = Room(
                code=code, name=name, place=f"tầng {code[:1]}, phòng {code}", kind=kind, department_code="K01",
                exam_service_code=exam_service, is_open=is_open, sort=sort, valid_from=SINCE,
            )  # fmt: skip
            here.add(room)
    return room


def register(
    patient: Patient | None = None, *, room_code: str = "214", coverage: Coverage | None = None, route: str | None = None,
    actor: Actor = SYSTEM, reason: str = "Ho, sốt", **command: Any,
) -> service.Registered:  # fmt: skip
    """Register a patient at the desk: visit, fee, number."""
    make_clinic(room_code)
    patient = patient or make_patient()
    with transaction():
        return service.register_visit(
            service.RegisterCommand(
                patient_id=patient.patient_id, room_code=room_code, reason=reason,
                coverage_id=coverage.coverage_id if coverage else None, route=route or service.route_of(coverage), **command,
            ),
            actor=actor,
        )  # fmt: skip


def tickets() -> list[Any]:
    """Return all tickets, oldest first."""
    from his.registration.models import QueueTicket

    return list(session().execute(select(QueueTicket).order_by(QueueTicket.ticket_id)).scalars())
