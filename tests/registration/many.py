"""Committed rows for tests that need several real connections, and their removal."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import delete, select

from his.audit.models import AuditEvent
from his.billing.models import Charge
from his.catalogues.models import Room, Service
from his.core.actor import SYSTEM
from his.core.db import session, transaction
from his.core.search import SearchDocument, SearchPosting, SearchVariant
from his.core.sequences import Sequence
from his.records import service as records
from his.records.enums import Sex
from his.records.models import Patient, Visit
from his.registration.models import QueueState, QueueTicket

SINCE = date(2024, 1, 1)


def prepare(count: int) -> list[int]:
    """Commit a clinic 991 and so many patients; returns their ids."""
    with transaction() as here:
        here.add(
            Service(code="MANY", name="Khám", cost_group="13", kind="exam", hospital_price=Decimal(1000),
                    insurance_price=Decimal(1000), valid_from=SINCE)
        )  # fmt: skip
        here.add(Room(code="991", name="Đông", place="", kind="clinic", department_code="K01", exam_service_code="MANY", valid_from=SINCE))
        made = [
            records.create_patient(records.PatientData(f"Đông Người {'ABCDEFGHIKLM'[i]}", date(1980, 1, 1 + i), Sex.MALE), actor=SYSTEM)
            for i in range(count)
        ]
        return [patient.patient_id for patient in made]


def clean() -> None:
    """Take everything back that `prepare` and the test committed."""
    with transaction() as here:
        visits = select(Visit.visit_id).where(Visit.room_code == "991")
        here.execute(delete(Charge).where(Charge.visit_id.in_(visits)))
        here.execute(delete(QueueTicket).where(QueueTicket.room_code == "991"))
        here.execute(delete(QueueState).where(QueueState.room_code == "991"))
        here.execute(delete(Visit).where(Visit.room_code == "991"))
        here.execute(delete(Patient).where(Patient.full_name.like("Đông Người %")))
        for model in (SearchDocument, SearchPosting, SearchVariant):
            here.execute(delete(model).where(model.kind == "patient"))
        here.execute(delete(Room).where(Room.code == "991"))
        here.execute(delete(Service).where(Service.code == "MANY"))
        here.execute(delete(Sequence))
    _events()


def _events() -> None:
    """Audit events refuse to be deleted; those of the test stay and disturb nobody."""
    assert session().execute(select(AuditEvent.event_id).limit(1)).first() is not None
