"""Prescriptions on paper (TT 26/2025/TT-BYT Phụ lục I, II, III): labels exactly as in the annexes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from his.core import clock, papers
from his.core.i18n import date_text
from his.core.module import FormSpec
from his.examination.models import Diagnosis
from his.prescriptions import rules
from his.prescriptions.enums import PrescriptionKind
from his.prescriptions.models import Prescription
from his.records.models import Visit
from his.records.printing import PatientLines, patient_lines, sample_patient

PRESCRIPTION = "prescription"
PRESCRIPTION_N = "prescription_n"
PRESCRIPTION_H = "prescription_h"
FORM_OF_KIND = {
    PrescriptionKind.BASIC: PRESCRIPTION, PrescriptionKind.DECOCTION: PRESCRIPTION,
    PrescriptionKind.NARCOTIC: PRESCRIPTION_N, PrescriptionKind.PSYCHOTROPIC: PRESCRIPTION_H,
}  # fmt: skip
# N and H are written in three copies (TT 26/2025 Đ9).
COPIES = ("Bản lưu tại cơ sở khám bệnh, chữa bệnh", "Bản lưu trong hồ sơ bệnh án", "Bản lưu tại cơ sở cấp, bán thuốc")


@dataclass(frozen=True, slots=True)
class DrugLine:
    """One medicine: name with strength, quantity in words of the rule, how to take it."""

    name: str
    quantity: str
    usage: str


@dataclass(frozen=True, slots=True)
class PrescriptionPaper:
    """Everything the annexes show. ``letter`` is "", "N" or "H"; ``copies`` are the labels of its copies."""

    letter: str
    code: str
    department: str
    patient: PatientLines
    diagnosis: str
    drugs: tuple[DrugLine, ...]
    advice: str
    follow_up: str
    period: tuple[str, str]  # Đợt 1 of a narcotic prescription: from, to
    day: str
    doctor: str
    signed_at: str
    copies: tuple[str, ...]
    replaces: str  # code of the prescription this one replaces


def prescription_paper(
    prescription: Prescription, visit: Visit, diagnoses: list[Diagnosis] | tuple[Diagnosis, ...], *, department: str = "",
    replaces: str = "",
) -> PrescriptionPaper:  # fmt: skip
    """Return the paper of a signed prescription with its lines loaded; diagnoses come main first."""
    narcotic = prescription.kind is PrescriptionKind.NARCOTIC
    letter = prescription.kind.value if prescription.kind in (PrescriptionKind.NARCOTIC, PrescriptionKind.PSYCHOTROPIC) else ""
    signed_on = clock.local(prescription.signed_at).date() if prescription.signed_at else visit.service_on
    days = max((line.days for line in prescription.lines), default=1)
    return PrescriptionPaper(
        letter=letter, code=prescription.code or "", department=department, patient=patient_lines(visit),
        diagnosis="; ".join(f"{d.name} ({d.icd_code})" for d in diagnoses),
        drugs=tuple(
            DrugLine(
                f"{rules.drug_text(line.inn, line.brand, line.strength)}{', ' + line.form.lower() if line.form else ''}",
                rules.quantity_text(line.quantity, line.unit, narcotic=narcotic),
                rules.usage_text(line.route_name, line.dose_amount, line.dose_unit, line.times_per_day, line.times_text, line.frequency)
                + f" ({line.days} ngày)",
            )
            for line in prescription.lines
        ),
        advice=prescription.advice, follow_up=date_text(prescription.follow_up_on),
        period=(date_text(signed_on), date_text(signed_on + timedelta(days=days - 1))) if narcotic else ("", ""),
        day=papers.day_line(signed_on), doctor=prescription.doctor_name, signed_at=papers.stamp(prescription.signed_at),
        copies=COPIES if letter else ("",), replaces=replaces,
    )  # fmt: skip


def sample() -> PrescriptionPaper:
    """Return an invented prescription of a child under 72 months."""
    return PrescriptionPaper(
        letter="", code="79999a1b2c3d-C", department="Khoa Khám bệnh", patient=sample_patient(),
        diagnosis="Viêm phổi, không xác định tác nhân (J18.9); Thiếu máu thiếu sắt (D50.9)",
        drugs=(
            DrugLine("Amoxicilin + acid clavulanic (Augmentin) 250 mg + 31,25 mg, bột pha hỗn dịch uống", "14 gói", "Uống ngày 2 lần, mỗi lần 1 gói, sáng, tối sau ăn (7 ngày)"),
            DrugLine("Paracetamol (Hapacol) 250 mg, bột sủi bọt", "06 gói", "Uống ngày 3 lần, mỗi lần 1 gói, khi sốt từ 38,5 °C, cách nhau ít nhất 6 giờ (2 ngày)"),
            DrugLine("Salbutamol (Ventolin) 100 mcg/liều, thuốc hít định liều", "01 bình", "Hít ngày 3 lần, mỗi lần 2 nhát, qua buồng đệm (5 ngày)"),
        ),
        advice="Cho trẻ uống nhiều nước, ăn loãng, chia nhiều bữa. Đến khám ngay khi thở mệt, li bì, bỏ bú.",
        follow_up="30/11/2026", period=("", ""), day="Ngày 23 tháng 11 năm 2026", doctor="BS. Trần Minh Khôi",
        signed_at="10:12 23/11/2026", copies=("",), replaces="",
    )  # fmt: skip


def sample_n() -> PrescriptionPaper:
    """Return an invented narcotic prescription."""
    drug = DrugLine("Morphin sulfat (Morphin) 10 mg, viên nén", "60 (sáu mươi) viên", "Uống ngày 6 lần, mỗi lần 1 viên (10 ngày)")
    return replace(sample(), letter="N", code="79999n4k8r2w-N", drugs=(drug,), period=("23/11/2026", "02/12/2026"), copies=COPIES)


def sample_h() -> PrescriptionPaper:
    """Return an invented psychotropic prescription."""
    drug = DrugLine("Phenobarbital (Gardenal) 10 mg, viên nén", "30 viên", "Uống ngày 1 lần, mỗi lần 1 viên, tối (30 ngày)")
    return replace(sample(), letter="H", code="79999h7m3q9t-H", drugs=(drug,), copies=COPIES)


FORMS = (
    FormSpec(PRESCRIPTION, "ĐƠN THUỐC", "A5", "prescriptions/print/prescription.html", "2025-1", sample,
             "TT 26/2025/TT-BYT Phụ lục I", "prescriptions:prescription:read"),
    FormSpec(PRESCRIPTION_N, "ĐƠN THUỐC “N”", "A4", "prescriptions/print/prescription.html", "2025-1", sample_n,
             "TT 26/2025/TT-BYT Phụ lục II", "prescriptions:prescription:read"),
    FormSpec(PRESCRIPTION_H, "ĐƠN THUỐC “H”", "A4", "prescriptions/print/prescription.html", "2025-1", sample_h,
             "TT 26/2025/TT-BYT Phụ lục III", "prescriptions:prescription:read"),
)  # fmt: skip
