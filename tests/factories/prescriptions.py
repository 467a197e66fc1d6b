"""Products with stock, visits ready for prescribing, drafts and signed prescriptions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from his.catalogues.models import Drug
from his.core import clock
from his.core.actor import Actor
from his.core.db import session, transaction
from his.examination.enums import DiagnosisKind
from his.examination.models import Diagnosis
from his.prescriptions import service
from his.prescriptions.models import Prescription
from his.prescriptions.service import LineData
from his.records.enums import AllergyStatus, VisitState
from his.records.models import Coverage, Patient, Visit
from tests.factories.records import make_child, make_visit
from tests.factories.stock import make_lot

SINCE = date(2024, 1, 1)
# code -> (inn, Vietnamese, brand, strength, form, unit, route, class)
PRODUCTS: dict[str, tuple[str, str, str, str, str, str, str, str]] = {
    "PARA250": ("paracetamol", "Paracetamol", "Hapacol 250", "250mg", "Thuốc bột sủi bọt", "Gói", "1.01", "normal"),
    "PARA150": ("paracetamol", "Paracetamol", "Hapacol 150", "150mg", "Thuốc bột sủi bọt", "Gói", "1.01", "normal"),
    "AZI": ("azithromycin", "Azithromycin", "Zaromax 200", "200mg/5ml; 15ml", "Hỗn dịch uống", "Chai", "1.01", "normal"),
    "PRED": ("prednisolone", "Prednisolon", "", "5mg", "Viên nén", "Viên", "1.01", "normal"),
    "DOM": ("domperidone", "Domperidon", "", "1mg/ml; 30ml", "Hỗn dịch uống", "Chai", "1.01", "normal"),
    "AMOX": ("amoxicillin", "Amoxicilin", "", "250mg", "Thuốc bột pha hỗn dịch uống", "Gói", "1.01", "normal"),
    "AMLO": ("amlodipine", "Amlodipin", "", "5mg", "Viên nén", "Viên", "1.01", "normal"),
    "MORPH": ("morphine", "Morphin", "", "10mg", "Viên nén", "Viên", "1.01", "N"),
    "SALB": ("salbutamol", "Salbutamol", "Ventolin", "100mcg/liều", "Thuốc xịt định liều", "Bình", "5.05", "normal"),
}  # fmt: skip


def make_drug(code: str = "PRED", *, price: int = 1000, stock: int | None = 200, **changes: Any) -> Drug:
    """Put a product of the list above on the hospital's list, with stock unless ``stock`` is None."""
    inn, name, brand, strength, form, unit, route, control = PRODUCTS.get(code, PRODUCTS["PRED"])
    values: dict[str, Any] = {
        "code": code, "ingredient_code": "40.1", "inn": inn, "ingredient_vi": name, "brand": brand, "strength": strength,
        "form": form, "route_code": route, "unit": unit, "registration_no": "893110000025", "control_class": control,
        "price": Decimal(price), "insurance_price": Decimal(price), "cost_group": "4", "valid_from": SINCE, **changes,
    }  # fmt: skip
    with transaction() as here:
        found = here.execute(select(Drug).where(Drug.code == code)).scalar_one_or_none()
        if found is None:
            found = Drug(**values)
            here.add(found)
    if stock is not None:
        make_lot(code, stock)
    return found


def make_rx_visit(
    patient: Patient | None = None, *, icd: str = "J20.9", weight: str | None = "14.2", coverage: Coverage | None = None,
    allergies_asked: bool = True, **data: Any,
) -> Visit:  # fmt: skip
    """Open a visit with weight and a main diagnosis, being examined; a child of 44 months unless told otherwise."""
    patient = patient or make_child()
    visit = make_visit(
        patient,
        coverage=coverage,
        weight_kg=Decimal(weight) if weight else None,
        guardian_name="Lê Thị Minh Châu",
        **data,
    )
    with transaction() as here:
        if allergies_asked and patient.allergy_status is AllergyStatus.UNKNOWN:
            here.get_one(Patient, patient.patient_id).allergy_status = AllergyStatus.NONE_KNOWN
        here.get_one(Visit, visit.visit_id).state = VisitState.IN_EXAM
        here.add(Diagnosis(visit_id=visit.visit_id, kind=DiagnosisKind.MAIN, icd_code=icd, name="Viêm phế quản cấp"))
    return visit


def line(
    code: str = "PRED", dose: str = "3", unit: str = "viên", times: int = 1, days: int = 3, **changes: Any
) -> LineData:
    """Give one medicine."""
    return LineData(code, Decimal(dose), unit, times, days, **changes)


def make_draft(visit: Visit, *lines: LineData, actor: Actor) -> Prescription:
    """Draft a prescription with these lines."""
    with transaction():
        rx = service.draft_for(visit.visit_id, actor=actor)
        return service.set_lines(
            rx.prescription_id, lines, advice="Uống đủ nước.", follow_up_on=None, version=None, actor=actor
        )


def make_signed(visit: Visit, *lines: LineData, actor: Actor) -> Prescription:
    """Draft and sign."""
    rx = make_draft(visit, *(lines or (line(),)), actor=actor)
    with transaction():
        return service.sign(rx.prescription_id, actor=actor)


def pay(visit: Visit) -> None:
    """Mark a visit as paid, as the cashier does."""
    with transaction():
        session().get_one(Visit, visit.visit_id).paid_at = clock.now()
