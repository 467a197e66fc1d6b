"""Invented patients, cards, allergies and visits."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

from his.core import clock
from his.core.actor import SYSTEM, Actor
from his.core.db import session, transaction
from his.records import queries, service
from his.records.enums import CoverageSource, GuardianKind, Sex
from his.records.models import Allergy, Coverage, Patient, Visit

_counter = itertools.count(1)


def make_patient(full_name: str = "", *, guardian: str = "", actor: Actor = SYSTEM, **data: Any) -> Patient:
    """Make an adult (born 1985) unless told otherwise; ``guardian`` names the mother of a child."""
    number = next(_counter)
    values: dict[str, Any] = {
        "full_name": full_name or f"Trần Văn Thử {'ABCDEFGHIK'[number % 10]}",
        "birth_on": date(1985, 3, 15),
        "sex": Sex.MALE,
        "phone": f"09{number:08d}",
        "address_text": "12 Đường Hoa Sen, Phường Sài Gòn, Thành phố Hồ Chí Minh",
        **data,
    }
    with transaction():
        patient = service.create_patient(service.PatientData(**values), actor=actor)
        if guardian:
            service.save_guardian(
                patient.patient_id, kind=GuardianKind.MOTHER, full_name=guardian, phone="0900000111", actor=actor
            )
    return patient


def make_child(full_name: str = "Nguyễn Ngọc Bảo An", *, months: int = 44, guardian: str = "Lê Thị Minh Châu", **data: Any) -> Patient:
    """Make a child of so many months with its mother."""
    return make_patient(
        full_name, guardian=guardian, birth_on=clock.today() - timedelta(days=months * 30 + months // 2), sex=Sex.FEMALE, **data
    )


def make_coverage(patient: Patient, card_number: str = "", **data: Any) -> Coverage:
    """Give a patient an insurance card registered at this hospital, valid all year."""
    number = next(_counter)
    today = clock.today()
    values: dict[str, Any] = {
        "card_number": card_number or f"GD479{number:010d}",
        "registered_facility_code": "79999",
        "valid_from": today.replace(month=1, day=1),
        "valid_to": today.replace(month=12, day=31),
        **data,
    }
    source = values.pop("source", CoverageSource.PORTAL)
    with transaction():
        return service.save_coverage(patient.patient_id, service.CardData(**values), source, actor=SYSTEM)


def make_allergy(patient: Patient, substance: str = "Amoxicilin", reaction: str = "mày đay", *, actor: Actor = SYSTEM) -> Allergy:
    """Record an allergy."""
    with transaction():
        return service.add_allergy(patient.patient_id, substance=substance, reaction=reaction, actor=actor)


def make_visit(patient: Patient | None = None, *, coverage: Coverage | None = None, actor: Actor = SYSTEM, **data: Any) -> Visit:
    """Open a visit without the desk: no ticket, no fee (see `tests.factories.registration.register` for those)."""
    patient = patient or make_patient()
    values: dict[str, Any] = {
        "patient_id": patient.patient_id, "room_code": "214", "department_code": "K01", "reason": "Khám bệnh", **data,
    }  # fmt: skip
    if coverage is not None:
        values.update(coverage_id=coverage.coverage_id, subject_code="1.1", benefit_rate="80", route="DKBD")
    with transaction():
        return service.open_visit(service.VisitData(**values), actor=actor)


def make_old_visits(patient: Patient, count: int, *, first: date = date(2020, 1, 6)) -> None:
    """Give a patient a long history: concluded visits one week apart."""
    facility = "79999"
    rows = []
    for i in range(count):
        day = first + timedelta(days=7 * i)
        at = clock.from_local(day)
        rows.append(
            Visit(
                facility_code=facility, code=f"{facility}-{patient.patient_id}-{day:%y%m%d}", patient_id=patient.patient_id,
                service_on=day, state="closed", room_code="214", department_code="K01", reason="Ho", arrived_at=at,
                registered_at=at, ended_at=at + timedelta(hours=1), main_icd="J20.9", main_icd_name="Viêm phế quản cấp",
                discharge_code="1", result_code="2",
            )
        )
    with transaction():
        session().add_all(rows)


def reload(patient: Patient) -> Patient:
    """Read a patient again as the database has it."""
    session().expire_all()
    return queries.get_patient(patient.patient_id)
