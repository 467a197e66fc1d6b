"""Many desks at once, on real connections with real commits."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from his.catalogues.models import Room, Service
from his.core.actor import SYSTEM
from his.core.db import transaction
from his.records import service as records
from his.records.enums import Sex
from his.registration import service

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


def test_numbers_stay_unique_when_many_desks_register_at_once(committed: Any) -> None:
    """No number twice, none left out; every patient stands at two desks."""
    ids = prepare(8)

    def register(desk: int) -> int:
        with transaction():
            done = service.register_visit(service.RegisterCommand(ids[desk % 8], "991", "ho"), actor=SYSTEM)
            return done.ticket.number

    numbers = committed.parallel(register, 16)
    assert sorted(set(numbers)) == list(range(1, 9))
    assert numbers[:8] == numbers[8:], "the second desk gets the visit of the first"
