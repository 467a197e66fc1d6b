"""What the doctor hands out: the re-examination slip (TT 01/2025/TT-BYT Phụ lục V) and the outpatient record (15/BV1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from his.core import clock, papers
from his.core.i18n import date_text, decimal_text
from his.core.module import FormSpec
from his.examination.enums import DiagnosisKind
from his.examination.models import Diagnosis, ExamNote, VitalSigns
from his.records.models import Visit
from his.records.printing import PatientLines, patient_lines, sample_patient

APPOINTMENT = "appointment"
OUTPATIENT_RECORD = "outpatient_record"


@dataclass(frozen=True, slots=True)
class Appointment:
    """The re-examination slip; ``on`` is the appointed day as (day, month, year)."""

    patient: PatientLines
    number: str
    seen_on: str
    diagnosis: str
    other_diagnoses: str
    on: tuple[str, str, str]
    day: str
    doctor: str
    signed_at: str


def _names(diagnoses: Sequence[Diagnosis], kind: DiagnosisKind) -> str:
    return "; ".join(f"{d.name} ({d.icd_code})" for d in diagnoses if d.kind is kind)


def appointment(visit: Visit, note: ExamNote, diagnoses: Sequence[Diagnosis]) -> Appointment:
    """Return the slip of a closed note with a follow-up day. Raises ValueError when no day is set."""
    if note.follow_up_on is None:
        raise ValueError("no follow-up day")
    closed = note.closed_at or note.saved_at
    return Appointment(
        patient=patient_lines(visit), number=note.follow_up_number or f"{visit.code}-HK", seen_on=date_text(visit.service_on),
        diagnosis=_names(diagnoses, DiagnosisKind.MAIN) or visit.main_icd_name,
        other_diagnoses=_names(diagnoses, DiagnosisKind.OTHER), on=papers.parts(note.follow_up_on),
        day=papers.day_line(clock.local(closed).date()), doctor=note.author_name,
        signed_at=papers.stamp(note.closed_at),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class CourseLine:
    """One row of the course table."""

    at: str
    course: str
    orders: str


@dataclass(frozen=True, slots=True)
class OutpatientRecord:
    """The outpatient record of one visit (15/BV1)."""

    patient: PatientLines
    department: str
    ethnicity: str
    nationality: str
    occupation: str
    workplace: str
    arrived: str
    referrer_diagnosis: str
    is_referred: bool
    reason: str
    history: str
    past_history: str
    vitals: tuple[tuple[str, str], ...]
    findings: str
    results: str
    first_diagnosis: str
    done: str
    final_diagnosis: str
    final_codes: str
    treated_from: str
    treated_to: str
    course: tuple[CourseLine, ...]
    main_diagnosis: str
    other_diagnoses: str
    treatment: str
    condition: str
    plan: str
    day: str
    doctor: str
    signed_at: str


def vital_rows(signs: VitalSigns | None) -> tuple[tuple[str, str], ...]:
    """Return label and value with unit of a set of measurements; only what was measured."""
    if signs is None:
        return ()
    pairs = (
        ("Mạch", f"{signs.pulse} lần/phút" if signs.pulse else ""),
        ("Nhiệt độ", f"{decimal_text(signs.temperature)} °C" if signs.temperature else ""),
        ("Huyết áp", f"{signs.systolic}/{signs.diastolic} mmHg" if signs.systolic else ""),
        ("Nhịp thở", f"{signs.respiration} lần/phút" if signs.respiration else ""),
        ("SpO2", f"{signs.spo2}%" if signs.spo2 else ""),
        ("Cân nặng", f"{decimal_text(signs.weight_kg)} kg" if signs.weight_kg else ""),
        ("Chiều cao", f"{decimal_text(signs.height_cm)} cm" if signs.height_cm else ""),
    )
    return tuple(pair for pair in pairs if pair[1])


def outpatient_record(
    visit: Visit,
    note: ExamNote,
    diagnoses: Sequence[Diagnosis],
    signs: VitalSigns | None,
    *,
    department: str = "",
    ethnicity: str = "",
    nationality: str = "",
    occupation: str = "",
    results: str = "",
    treatment: str = "",
    condition: str = "",
) -> OutpatientRecord:
    """Return the record of a closed visit. What higher modules know (results, treatment in words) is given by the caller."""
    main = _names(diagnoses, DiagnosisKind.MAIN) or visit.main_icd_name
    others = _names(diagnoses, DiagnosisKind.OTHER)
    return OutpatientRecord(
        patient=patient_lines(visit), department=department, ethnicity=ethnicity, nationality=nationality, occupation=occupation,
        workplace=visit.patient.workplace, arrived=papers.moment_line(visit.arrived_at), referrer_diagnosis="",
        is_referred=visit.incoming_paper_kind == "transfer", reason=visit.reason, history=note.history,
        past_history=note.past_history, vitals=vital_rows(signs), findings=note.findings, results=results, first_diagnosis=main,
        done=treatment, final_diagnosis="; ".join(part for part in (main, others) if part),
        final_codes="; ".join(d.icd_code for d in diagnoses), treated_from=date_text(visit.seen_at or visit.arrived_at),
        treated_to=date_text(visit.ended_at), course=(CourseLine(papers.stamp(note.saved_at), note.findings, note.conclusion),),
        main_diagnosis=main, other_diagnoses=others, treatment=treatment, condition=condition,
        plan="\n".join(part for part in (note.conclusion, note.advice) if part),
        day=papers.day_line(clock.local(note.closed_at or note.saved_at).date()), doctor=note.author_name,
        signed_at=papers.stamp(note.closed_at),
    )  # fmt: skip


def sample_appointment() -> Appointment:
    """Return an invented slip."""
    return Appointment(
        patient=sample_patient(), number="79999-261123-0042-HK", seen_on="23/11/2026",
        diagnosis="Viêm phổi, không xác định tác nhân (J18.9)", other_diagnoses="Thiếu máu thiếu sắt, không xác định (D50.9)",
        on=("30", "11", "2026"), day="Ngày 23 tháng 11 năm 2026", doctor="BS. Trần Minh Khôi", signed_at="10:30 23/11/2026",
    )  # fmt: skip


def sample_record() -> OutpatientRecord:
    """Return an invented record."""
    return OutpatientRecord(
        patient=sample_patient(), department="Khoa Khám bệnh", ethnicity="Kinh", nationality="Việt Nam", occupation="Trẻ em",
        workplace="", arrived="08 giờ 05 phút, ngày 23 tháng 11 năm 2026", referrer_diagnosis="", is_referred=False,
        reason="Sốt cao ngày thứ hai, ho, khò khè",
        history="Trẻ sốt cao 39 °C hai ngày, ho đờm, khò khè về đêm, bú được, không nôn.",
        past_history="Bản thân: khỏe, tiêm chủng đủ theo tuổi. Gia đình: mẹ hen phế quản.",
        vitals=(("Mạch", "118 lần/phút"), ("Nhiệt độ", "38,9 °C"), ("Nhịp thở", "42 lần/phút"), ("SpO2", "96%"), ("Cân nặng", "14,2 kg"), ("Chiều cao", "98 cm")),
        findings="Tỉnh, môi hồng. Phổi ran ẩm nhỏ hạt đáy phải. Tim đều. Bụng mềm.",
        results="Bạch cầu 14,2 G/L; CRP 38,4 mg/L. X-quang ngực: viêm phổi thùy dưới phải.",
        first_diagnosis="Viêm phổi, không xác định tác nhân (J18.9)", done="Hạ sốt paracetamol 250 mg",
        final_diagnosis="Viêm phổi, không xác định tác nhân (J18.9); Thiếu máu thiếu sắt, không xác định (D50.9)",
        final_codes="J18.9; D50.9", treated_from="23/11/2026", treated_to="23/11/2026",
        course=(CourseLine("10:12 23/11/2026", "Trẻ tỉnh, giảm sốt, thở 36 lần/phút.", "Kháng sinh uống 7 ngày, hẹn khám lại."),),
        main_diagnosis="Viêm phổi, không xác định tác nhân (J18.9)", other_diagnoses="Thiếu máu thiếu sắt, không xác định (D50.9)",
        treatment="Amoxicilin + acid clavulanic uống, hạ sốt, bù nước", condition="Ổn định, điều trị tại nhà",
        plan="Uống hết kháng sinh. Khám lại ngày 30/11/2026 hoặc khi có dấu hiệu nặng.", day="Ngày 23 tháng 11 năm 2026",
        doctor="BS. Trần Minh Khôi", signed_at="10:30 23/11/2026",
    )  # fmt: skip


FORMS = (
    FormSpec(APPOINTMENT, "PHIẾU HẸN KHÁM LẠI", "A5", "examination/print/appointment.html", "2025-1", sample_appointment,
             "TT 01/2025/TT-BYT Phụ lục V; TT 06/2026/TT-BYT Đ5"),
    FormSpec(OUTPATIENT_RECORD, "BỆNH ÁN NGOẠI TRÚ", "A4", "examination/print/outpatient_record.html", "2024-1", sample_record,
             "TT 32/2023/TT-BYT Phụ lục XXVIII, 15/BV1", "examination:note:read"),
)  # fmt: skip
