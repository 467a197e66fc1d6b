"""From what was scanned or typed to the person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from his.catalogues import queries as catalogues
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


@dataclass(frozen=True, slots=True)
class Prefill:
    """What a new record gets from a document: form field -> text, and the communes an old address may have become."""

    values: dict[str, str]
    communes: tuple[tuple[str, str], ...] = ()


def prefill(scan: rules.Scan) -> Prefill:
    """Return what a scan fills into the form of a new patient (at most 3 statements)."""
    fields = scan.parsed.fields if scan.parsed is not None else {}
    values: dict[str, str] = {}
    if scan.kind in ("cccd", "bhyt"):
        values = _person(fields)
    elif scan.kind == "passport_mrz":
        values = {**_person(fields), "full_name": " ".join(
            part for part in (fields.get("surname"), fields.get("given_names")) if part
        ).title(), "nationality_code": _nationality(fields.get("nationality") or "")}  # fmt: skip
    elif scan.kind == "name":
        values = {"full_name": scan.value.title() if scan.value.islower() or scan.value.isupper() else scan.value}
    elif scan.kind == "phone":
        values = {"phone": scan.value}
    elif scan.kind == "national_id":
        values = {"personal_number": scan.value}
    if scan.kind in ("bhyt", "bhyt_card"):
        values["card_number"] = scan.value if len(scan.value) == 15 else ""
        values["card_facility"] = fields.get("facility_code5") or ""
        values["card_from"], values["card_to"] = (_slashed(fields.get(name)) for name in ("valid_from", "valid_to"))
    if scan.kind == "cccd":
        values["personal_number"] = scan.value
    address = fields.get("address_text") or ""
    if not address:
        return Prefill(values)
    return _placed(values, address, scan)


def _person(fields: Mapping[str, str | None]) -> dict[str, str]:
    return {
        "full_name": fields.get("full_name") or "",
        "birth_on": _slashed(fields.get("birth_date")),
        "sex": fields.get("gender") or "",
    }


def _slashed(iso: str | None) -> str:
    """Turn ``2025-09-20`` (``2025-09``, ``2025``) into the form people type."""
    return "/".join(reversed(iso.split("-"))) if iso else ""


def _nationality(alpha3: str) -> str:
    rows = catalogues.codes("nationality", clock.today())
    return next((row.code for row in rows if row.extra.get("iso3") == alpha3), "")


def _placed(values: dict[str, str], address: str, scan: rules.Scan) -> Prefill:
    """Find the commune an address names; an address of before July 2025 offers what its commune has become."""
    parts = [part.strip() for part in address.split(",") if part.strip()]
    values = {**values, "address_text": address}
    old = scan.parsed is not None and "ADDRESS_PRE_2025" in scan.parsed.warnings
    if not old:
        commune = catalogues.commune_in_text(address)
        if commune is not None:
            place = f"{commune.name}, {parts[-1]}"
            values.update(address_line=", ".join(parts[:-2]), commune_code=commune.code, commune_name=place)
            return Prefill(values)
    options = catalogues.new_communes_for(address) if old else []
    values["address_line"] = ", ".join(parts[:-3] if options else parts)
    choices = []
    for commune, likeliest in options:
        place = f"{commune.name}, {parts[-1]}"
        choices.append((commune.code, place))
        if likeliest and len(options) == 1:
            values.update(commune_code=commune.code, commune_name=place)
    return Prefill(values, tuple(choices))
