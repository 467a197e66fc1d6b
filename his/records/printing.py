"""The lines about the patient that every paper carries, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from his.core import papers
from his.core.i18n import date_text, decimal_text
from his.records.enums import Sex
from his.records.models import Visit
from his.records.queries import SEX_TEXT, personal_number_of


@dataclass(frozen=True, slots=True)
class PatientLines:
    """Who the paper is about. Empty text means "not known"; dates are dd/mm/yyyy."""

    full_name: str  # capitals
    sex: str  # Nam, Nữ
    sex_mark: str  # M, F, U: which box is crossed
    birth: str
    birth_year: str
    age: str
    address: str
    phone: str
    patient_code: str
    visit_code: str
    national_id: str
    guardian: str
    weight: str  # 14,2 kg
    is_insured: bool
    card_number: str
    card_from: str
    card_until: str
    registered_facility: str  # MA_DKBD
    living_area: str
    benefit_rate: str  # 80, "" = none
    is_under_72_months: bool


def patient_lines(visit: Visit) -> PatientLines:
    """Return the patient of a visit as papers show it (identifiers are one more read when not loaded).

    A visit counts as insured unless its subject code is 9 (thu phí).
    """
    patient = visit.patient
    coverage = visit.coverage if visit.subject_code != "9" else None
    months = (visit.service_on.year - patient.birth_on.year) * 12 + visit.service_on.month - patient.birth_on.month
    months -= visit.service_on.day < patient.birth_on.day
    return PatientLines(
        full_name=patient.full_name.upper(), sex=SEX_TEXT[patient.sex], sex_mark=patient.sex.value,
        birth=date_text(patient.birth_on, patient.birth_precision.value), birth_year=f"{patient.birth_on.year:04d}",
        age=papers.age(patient.birth_on, visit.service_on, patient.birth_precision.value), address=patient.address_text,
        phone=patient.phone, patient_code=patient.code, visit_code=visit.code, national_id=personal_number_of(patient),
        guardian=visit.guardian_name, weight=f"{decimal_text(visit.weight_kg)} kg" if visit.weight_kg is not None else "",
        is_insured=coverage is not None, card_number=coverage.card_number if coverage else "",
        card_from=date_text(coverage.valid_from) if coverage else "",
        card_until=date_text(coverage.valid_to) if coverage else "",
        registered_facility=coverage.registered_facility_code if coverage else "",
        living_area=coverage.living_area if coverage else "", benefit_rate=visit.benefit_rate if coverage else "",
        is_under_72_months=months < 72,
    )  # fmt: skip


def sample_patient() -> PatientLines:
    """Return an invented insured child for previews and tests."""
    return PatientLines(
        full_name="NGUYỄN ĐỖ ƯU ẮNG", sex="Nữ", sex_mark=Sex.FEMALE.value, birth="08/05/2023", birth_year="2023",
        age="42 tháng", address="112 Đường Hoa Sứ, Phường Hiệp Bình, Thành phố Hồ Chí Minh", phone="0900233871",
        patient_code="26000123", visit_code="79999-261123-0042", national_id="079323004452",
        guardian="Đỗ Thị Ưng", weight="14,2 kg", is_insured=True, card_number="TE1797922104452",
        card_from="01/01/2026", card_until="30/09/2027", registered_facility="79999", living_area="", benefit_rate="100",
        is_under_72_months=True,
    )  # fmt: skip
