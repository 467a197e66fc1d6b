"""From what was scanned or typed to the person."""

from __future__ import annotations

from dataclasses import dataclass

from his.core import clock
from his.core.actor import Actor
from his.documents import queries as documents
from his.records import queries as records
from his.records import service as records_service
from his.records.enums import IdentifierType
from his.records.models import Patient
from his.registration import queries, rules

KIND_OF: dict[str, IdentifierType] = {
    "cccd": IdentifierType.PERSONAL_NUMBER, "national_id": IdentifierType.PERSONAL_NUMBER,
    "old_id": IdentifierType.OLD_ID, "passport": IdentifierType.PASSPORT, "passport_mrz": IdentifierType.PASSPORT,
    "bhyt": IdentifierType.CARD_NUMBER, "bhyt_card": IdentifierType.CARD_NUMBER,
    "bhxh_number": IdentifierType.INSURANCE_NUMBER,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """One person (``patient``), several to choose from (``hits``), or nobody: then ``message`` says what to do."""

    patient: Patient | None = None
    hits: tuple[records.PatientHit, ...] = ()
    message: str = ""


def find(scan: rules.Scan) -> Found:
    """Find who a scan names. A document that names nobody yet leads to a new record (empty answer, no message)."""
    if scan.kind in KIND_OF:
        patient = _by_document(scan)
        if patient is None and scan.kind == "bhxh_number":
            return _choose(scan.value)
        return Found(patient)
    if scan.kind == "patient_code":
        patient = records.by_code(scan.value)
        return Found(patient) if patient is not None else _choose(scan.value.replace("-", ""), "Không có mã người bệnh này. Xem lại mã trên phiếu.")
    if scan.kind == "visit_code":
        visit = records.visit_by_code(scan.value)
        return Found(visit.patient) if visit is not None else Found(message="Không có mã lượt khám này. Xem lại mã trên phiếu.")
    if scan.kind == "ticket":
        patient_id = queries.patient_of_ticket(scan.value, clock.today())
        return Found(records.get_patient(patient_id)) if patient_id else Found(message="Hôm nay không có số này. Xem lại số trên phiếu.")
    if scan.kind == "paper_code":
        paper = documents.by_public_code(scan.value)
        return Found(records.get_patient(paper.patient_id)) if paper is not None else Found(message="Không có giấy nào mang mã này. Giấy có thể do cơ sở khác cấp: quét căn cước hoặc thẻ BHYT.")
    if scan.kind == "phone":
        found = _choose(scan.value)
        return found if found.hits or found.patient else Found(message="Chưa có ai dùng số điện thoại này. Gõ tên, hoặc bấm F2 để thêm người mới.")
    return _choose(scan.value, "Không thấy ai tên này. Gõ không dấu, thêm năm sinh, hoặc bấm F2 để thêm người mới.", always_list=True)


def _choose(text: str, message: str = "", *, always_list: bool = False) -> Found:
    hits = records.find(text)
    if len(hits) == 1 and not always_list:
        return Found(records.get_patient(hits[0].patient_id))
    return Found(hits=tuple(hits), message="" if hits else message)


def _by_document(scan: rules.Scan) -> Patient | None:
    values: list[tuple[str, IdentifierType]] = [(scan.value, KIND_OF[scan.kind])]
    fields = scan.parsed.fields if scan.parsed is not None else {}
    if scan.kind in ("bhyt", "bhyt_card"):
        number = scan.value[-10:]
        values = [(scan.value, IdentifierType.CARD_NUMBER)] if len(scan.value) == 15 else []
        values.append((number, IdentifierType.INSURANCE_NUMBER))
    old = fields.get("old_id")
    if old:
        values.append((old, IdentifierType.OLD_ID if len(old) == 9 else IdentifierType.PERSONAL_NUMBER))
    for value, kind in values:
        patient = records.by_identifier(value, [kind])
        if patient is not None:
            return patient
    return None


def is_same_person(patient_id: int, scan: rules.Scan, *, actor: Actor) -> Patient:
    """The clerk says that a scanned document belongs to a person we know: the record gets its number.

    Raises `PersonalNumberTaken` when another person bears it.
    """
    patient = records.get_patient(patient_id)
    if scan.kind in KIND_OF and scan.value:
        kind = KIND_OF[scan.kind]
        if kind is IdentifierType.CARD_NUMBER and len(scan.value) == 10:
            kind = IdentifierType.INSURANCE_NUMBER
        records_service.add_identifier(patient, kind, scan.value, "desk", actor=actor)
        records_service.index_patient(patient)
    return patient
