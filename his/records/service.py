"""Use cases that change patients and visits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from his.audit import service as audit
from his.catalogues import queries as catalogues
from his.core import clock, search
from his.core.actor import Actor
from his.core.config import current
from his.core.db import session
from his.core.errors import Finding, InvalidState, stop_on_errors
from his.core.i18n import date_text
from his.core.sequences import next_number
from his.records import queries, rules
from his.records.enums import (
    ACTION_DETAILS,
    Action,
    AllergyStatus,
    BirthPrecision,
    CoverageSource,
    GuardianKind,
    IdentifierType,
    PatientStatus,
    Sex,
    VisitState,
)
from his.records.errors import ChangedByAnother, PatientNotFound, PersonalNumberTaken, VisitAlreadyClosed
from his.records.models import Allergy, Coverage, Guardian, Patient, PatientIdentifier, Visit

audit.register_actions(Action, ACTION_DETAILS)

masked_name = rules.masked_name
check_patient = rules.check_patient
phone_digits = rules.phone_digits

PATIENT_FIELDS = (
    "full_name", "birth_on", "birth_precision", "birth_time", "sex", "phone", "address_line", "commune_code",
    "province_code", "address_text", "ethnicity_code", "nationality_code", "occupation_code", "workplace",
    "blood_group", "status",
)  # fmt: skip
VISIT_FIELDS = (
    "coverage_id", "visit_type_code", "subject_code", "subject_reason", "benefit_rate", "route", "room_code",
    "department_code", "reason", "guardian_name", "guardian_phone", "weight_kg", "priority", "is_emergency",
    "incoming_paper_kind", "incoming_paper_number", "incoming_facility_code", "incoming_signed_on",
    "incoming_is_one_year",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PatientData:
    """What the desk knows of a person. ``birth_on`` has 1 for an unknown day or month (see ``birth_precision``)."""

    full_name: str
    birth_on: date
    sex: Sex
    birth_precision: BirthPrecision = BirthPrecision.DAY
    birth_time: str = ""
    phone: str = ""
    address_line: str = ""
    commune_code: str = ""
    province_code: str = ""
    address_text: str = ""
    ethnicity_code: str = "01"
    nationality_code: str = "VN"
    occupation_code: str = "00000"
    workplace: str = ""
    blood_group: str = ""
    status: PatientStatus = PatientStatus.KNOWN
    personal_number: str = ""
    other_identifiers: tuple[tuple[IdentifierType, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CardData:
    """A health insurance card as read or answered by the insurer."""

    card_number: str
    registered_facility_code: str
    valid_from: date
    valid_to: date | None
    living_area: str = ""
    five_years_on: date | None = None


@dataclass(frozen=True, slots=True)
class VisitData:
    """What opens a visit."""

    patient_id: int
    room_code: str
    department_code: str
    coverage_id: int | None = None
    visit_type_code: str = "01"
    subject_code: str = "9"
    subject_reason: str = ""
    benefit_rate: str = ""
    route: str = "KHONG_BHYT"
    reason: str = ""
    guardian_name: str = ""
    guardian_phone: str = ""
    weight_kg: Decimal | None = None
    priority: str = "normal"
    is_emergency: bool = False
    incoming_paper_kind: str = ""
    incoming_paper_number: str = ""
    incoming_facility_code: str = ""
    incoming_signed_on: date | None = None
    incoming_is_one_year: bool = False
    arrived_at: datetime | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def create_patient(data: PatientData, *, actor: Actor) -> Patient:
    """Register a person and make them findable.

    Raises `RuleBroken` (findings per field), `PersonalNumberTaken`.
    """
    stop_on_errors(
        (
            *rules.check_patient(full_name=data.full_name, birth_on=data.birth_on, today=clock.today(), sex=data.sex),
            *rules.check_phone(data.phone, "phone"),
            *rules.check_birth_time(data.birth_time),
        )
    )
    year = f"{clock.today():%y}"
    patient = Patient(
        facility_code=current().facility_code,
        code=f"{year}-{next_number('patient', year):06d}",
        created_by_id=actor.user_id,
        **{name: getattr(data, name) for name in PATIENT_FIELDS},
    )
    patient.full_name = " ".join(data.full_name.split())
    session().add(patient)
    session().flush()  # identifiers need the id
    if data.personal_number:
        add_identifier(patient, IdentifierType.PERSONAL_NUMBER, data.personal_number, "desk", actor=actor)
    for kind, value in data.other_identifiers:
        add_identifier(patient, kind, value, "desk", actor=actor)
    index_patient(patient)
    audit.record(actor, Action.PATIENT_CREATE, subject_type="patient", subject_id=patient.patient_id,
                 patient_id=patient.patient_id, details={"code": patient.code})  # fmt: skip
    return patient


def update_patient(patient_id: int, changes: Mapping[str, Any], version: int, *, actor: Actor) -> Patient:
    """Correct administrative data. ``version`` is the one the form was opened with.

    Raises `ChangedByAnother`, `RuleBroken`, `PatientNotFound`.
    """
    patient = _locked_patient(patient_id)
    if patient.version != version:
        raise ChangedByAnother("Người khác vừa sửa hồ sơ này. Tải lại để xem bản mới rồi sửa tiếp.")
    # Looked up before anything is set: a read would send a code that is too long to the database first.
    unknown = _unknown_codes(
        {name: changes[name] for name in CODE_LISTS if name in changes and changes[name] != getattr(patient, name)}
    )
    changed = _apply(patient, changes, PATIENT_FIELDS)
    stop_on_errors(
        (
            *rules.check_patient(
                full_name=patient.full_name, birth_on=patient.birth_on, today=clock.today(), sex=patient.sex
            ),
            *rules.check_phone(patient.phone if "phone" in changed else "", "phone"),
            *rules.check_birth_time(patient.birth_time if "birth_time" in changed else ""),
            *unknown,
        )
    )
    if changed:
        session().flush()  # the version counter moves
        index_patient(patient)
        audit.record(actor, Action.PATIENT_UPDATE, subject_type="patient", subject_id=patient_id,
                     patient_id=patient_id, details={"changes": changed})  # fmt: skip
    return patient


# Fields that hold a code, with the list it comes from and what people call it.
CODE_LISTS = {
    "ethnicity_code": ("ethnicity", "Dân tộc"), "nationality_code": ("nationality", "Quốc tịch"),
    "occupation_code": ("occupation", "Nghề nghiệp"),
}  # fmt: skip


def _unknown_codes(codes: Mapping[str, str]) -> list[Finding]:
    """Return which codes are in no list of today."""
    known = catalogues.names([(CODE_LISTS[name][0], code) for name, code in codes.items()], clock.today()) if codes else {}
    return [
        Finding("code_unknown", name, f"{CODE_LISTS[name][1]}: không có mã «{code[:20]}» trong danh mục. Chọn một dòng trong danh sách.")
        for name, code in codes.items()
        if (CODE_LISTS[name][0], code) not in known
    ]


def _locked_patient(patient_id: int) -> Patient:
    found = session().execute(
        select(Patient)
        .where(Patient.patient_id == patient_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if found is None:
        raise PatientNotFound("Không tìm thấy người bệnh này.")
    return found


def _apply(row: Any, changes: Mapping[str, Any], allowed: tuple[str, ...]) -> dict[str, list[str]]:
    changed: dict[str, list[str]] = {}
    for name, value in changes.items():
        if name not in allowed:
            raise TypeError(f"{name} cannot be changed this way")
        before = getattr(row, name)
        if before != value:
            changed[name] = [str(before), str(value)]
            setattr(row, name, value)
    return changed


def add_identifier(patient: Patient, kind: IdentifierType, value: str, source: str, *, actor: Actor) -> None:
    """Give a patient an identifier; the same one twice is kept once.

    Raises `PersonalNumberTaken` when another current patient bears the personal number.
    """
    here = session()
    if any(i.type is kind and i.value == value and i.valid_to is None for i in patient.identifiers):
        return
    row = PatientIdentifier(
        patient_id=patient.patient_id, type=kind, value=value, valid_from=clock.today(), source=source
    )
    try:
        with here.begin_nested():
            here.add(row)
            here.flush()  # the partial unique index decides
    except IntegrityError as error:
        holder = queries.by_identifier(value, [IdentifierType.PERSONAL_NUMBER])
        name = f" ({holder.full_name}, {holder.code})" if holder else ""
        raise PersonalNumberTaken(
            f"Số định danh này đã có ở một hồ sơ khác{name}. Mở hồ sơ đó thay vì tạo mới."
        ) from error
    here.refresh(patient, ["identifiers"])
    audit.record(actor, Action.IDENTIFIER_ADD, subject_type="patient", subject_id=patient.patient_id,
                 patient_id=patient.patient_id, details={"type": kind.value})  # fmt: skip


def set_personal_number(patient_id: int, number: str, *, actor: Actor) -> None:
    """Give a patient the personal number in force; a former one ends today (NĐ 70/2024 Đ11 k7: numbers are re-issued).

    Raises `PersonalNumberTaken`, `RuleBroken` (not 12 digits).
    """
    patient = _locked_patient(patient_id)
    if number == queries.personal_number_of(patient):
        return
    stop_on_errors(rules.check_personal_number(number))
    for row in patient.identifiers:
        if row.type is IdentifierType.PERSONAL_NUMBER and row.valid_to is None:
            row.valid_to = clock.today()
    session().flush()  # the former number must have ended before the index judges the new one
    if number:
        add_identifier(patient, IdentifierType.PERSONAL_NUMBER, number, "desk", actor=actor)
    index_patient(patient)


def save_guardian(
    patient_id: int, *, kind: GuardianKind, full_name: str, phone: str = "", personal_number: str = "", actor: Actor
) -> Guardian:
    """Record who brings or represents a patient; one row per kind. Raises `RuleBroken` (name, telephone)."""
    stop_on_errors(rules.check_guardian(full_name, phone))
    here = session()
    guardian = here.execute(
        select(Guardian).where(Guardian.patient_id == patient_id, Guardian.kind == kind)
    ).scalar_one_or_none()
    if guardian is None:
        guardian = Guardian(patient_id=patient_id, kind=kind, full_name=full_name)
        here.add(guardian)
    if (guardian.full_name, guardian.phone, guardian.personal_number) != (full_name, phone, personal_number):
        guardian.full_name, guardian.phone, guardian.personal_number = full_name, phone, personal_number
        here.flush()  # the index row below reads guardians
        patient = here.get_one(Patient, patient_id)
        here.refresh(patient, ["guardians"])
        index_patient(patient)
        audit.record(actor, Action.GUARDIAN_SAVE, subject_type="patient", subject_id=patient_id,
                     patient_id=patient_id, details={"kind": kind.value})  # fmt: skip
    return guardian


def add_allergy(
    patient_id: int, *, substance: str, reaction: str = "", severity: str = "", noted_on: date | None = None, actor: Actor
) -> Allergy:
    """Record an allergy; it is checked against every prescription from now on."""
    patient = _locked_patient(patient_id)
    allergy = Allergy(
        patient_id=patient_id, substance=substance, reaction=reaction, severity=severity,
        noted_on=noted_on or clock.today(), recorded_by_id=actor.user_id,
    )  # fmt: skip
    session().add(allergy)
    patient.allergy_status = AllergyStatus.RECORDED
    session().flush()  # the audit entry names the row
    audit.record(actor, Action.ALLERGY_ADD, subject_type="allergy", subject_id=allergy.allergy_id,
                 patient_id=patient_id, details={"substance": substance})  # fmt: skip
    return allergy


def void_allergy(patient_id: int, allergy_id: int, reason: str, *, actor: Actor) -> Allergy:
    """Take back a wrong entry; it stays readable."""
    patient = _locked_patient(patient_id)
    allergy = next((a for a in queries.current_allergies(patient_id) if a.allergy_id == allergy_id), None)
    if allergy is None:
        raise InvalidState("Dị ứng này không còn hiệu lực.")
    allergy.voided_at, allergy.voided_by_id, allergy.void_reason = clock.now(), actor.user_id, reason or "nhập nhầm"
    session().flush()  # the remaining ones decide the status
    if not queries.current_allergies(patient_id):
        patient.allergy_status = AllergyStatus.UNKNOWN
    audit.record(actor, Action.ALLERGY_VOID, subject_type="allergy", subject_id=allergy_id,
                 patient_id=patient_id, details={"substance": allergy.substance}, reason=reason)  # fmt: skip
    return allergy


def state_no_known_allergies(patient_id: int, *, actor: Actor) -> Patient:
    """Record that the family was asked and knows of no allergy."""
    patient = _locked_patient(patient_id)
    if queries.current_allergies(patient_id):
        raise InvalidState("Hồ sơ đang ghi dị ứng. Bỏ các dị ứng nhập nhầm trước.")
    patient.allergy_status = AllergyStatus.NONE_KNOWN
    audit.record(actor, Action.ALLERGY_STATUS, subject_type="patient", subject_id=patient_id,
                 patient_id=patient_id, details={"status": AllergyStatus.NONE_KNOWN.value})  # fmt: skip
    return patient


def save_coverage(patient_id: int, card: CardData, source: CoverageSource, *, actor: Actor) -> Coverage:
    """Keep a card as known now; the same card with the same days is one row, what is known better is updated.

    A row that a concluded visit used stays as it was: another one is opened.
    """
    here = session()
    same = here.execute(
        select(Coverage)
        .where(
            Coverage.patient_id == patient_id,
            Coverage.card_number == card.card_number,
            Coverage.valid_from == card.valid_from,
            Coverage.valid_to.is_(None) if card.valid_to is None else Coverage.valid_to == card.valid_to,
            Coverage.registered_facility_code == card.registered_facility_code,
        )
        .order_by(Coverage.coverage_id.desc())
        .limit(1)
    ).scalar_one_or_none()
    if same is not None:
        if (card.five_years_on and same.five_years_on is None) or (card.living_area and not same.living_area):
            same.five_years_on = same.five_years_on or card.five_years_on
            same.living_area = same.living_area or card.living_area
        return same
    coverage = Coverage(
        patient_id=patient_id, card_number=card.card_number, registered_facility_code=card.registered_facility_code,
        valid_from=card.valid_from, valid_to=card.valid_to, living_area=card.living_area,
        five_years_on=card.five_years_on, source=source,
    )  # fmt: skip
    here.add(coverage)
    here.flush()  # the visit points to it
    patient = here.get_one(Patient, patient_id)
    here.refresh(patient, ["coverages", "identifiers"])
    if card.card_number:
        add_identifier(patient, IdentifierType.CARD_NUMBER, card.card_number, source.value, actor=actor)
        if len(card.card_number) == 15:
            add_identifier(patient, IdentifierType.INSURANCE_NUMBER, card.card_number[5:], source.value, actor=actor)
    index_patient(patient)
    audit.record(actor, Action.COVERAGE_SAVE, subject_type="coverage", subject_id=coverage.coverage_id,
                 patient_id=patient_id, details={"source": source.value})  # fmt: skip
    return coverage


def type_card(patient_id: int, card: CardData, *, actor: Actor) -> Coverage:
    """Keep a card typed by hand. Raises `RuleBroken` with findings per field."""
    stop_on_errors(rules.check_card(card.card_number, card.registered_facility_code, card.valid_from, card.valid_to))
    return save_coverage(patient_id, card, CoverageSource.TYPED, actor=actor)


def open_visit(data: VisitData, *, actor: Actor) -> Visit:
    """Open a visit; its code (MA_LK) starts with the facility code and is never reused."""
    now = clock.now()
    day = clock.today()
    facility = current().facility_code
    stamp = f"{day:%y%m%d}"
    visit = Visit(
        facility_code=facility,
        code=f"{facility}-{stamp}-{next_number('visit', stamp):04d}",
        patient_id=data.patient_id,
        service_on=day,
        arrived_at=data.arrived_at or now,
        registered_at=now,
        created_by_id=actor.user_id,
        **{name: getattr(data, name) for name in VISIT_FIELDS},
    )
    session().add(visit)
    session().flush()  # tickets and charges need the id
    audit.record(
        actor, Action.VISIT_OPEN, subject_type="visit", subject_id=visit.visit_id, patient_id=data.patient_id,
        visit_id=visit.visit_id,
        details={"code": visit.code, "room": visit.room_code, "subject_code": visit.subject_code},
    )  # fmt: skip
    return visit


def change_visit(visit_id: int, changes: Mapping[str, Any], version: int | None, *, actor: Actor) -> Visit:
    """Correct the administrative data of a visit that is not settled yet.

    Raises `VisitAlreadyClosed`, `ChangedByAnother`.
    """
    visit = queries.visit_for_update(visit_id)
    if visit.state in (VisitState.CLOSED, VisitState.CANCELLED):
        raise VisitAlreadyClosed("Lượt khám đã kết thúc thanh toán. Mở lại lượt khám trước khi sửa.")
    if version is not None and visit.version != version:
        raise ChangedByAnother("Người khác vừa sửa lượt khám này. Tải lại để xem bản mới rồi sửa tiếp.")
    changed = _apply(visit, changes, VISIT_FIELDS)
    if changed:
        audit.record(actor, Action.VISIT_CHANGE, subject_type="visit", subject_id=visit_id,
                     patient_id=visit.patient_id, visit_id=visit_id, details={"changes": changed})  # fmt: skip
    return visit


def cancel_visit(visit_id: int, reason: str, *, actor: Actor) -> Visit:
    """Take back a visit nobody has begun to examine."""
    visit = queries.visit_for_update(visit_id)
    if visit.state is not VisitState.OPEN:
        raise InvalidState("Lượt khám đã bắt đầu, không hủy được. Bác sĩ kết thúc lượt khám thay vì hủy.")
    visit.state = VisitState.CANCELLED
    visit.cancelled_reason = reason
    audit.record(actor, Action.VISIT_CANCEL, subject_type="visit", subject_id=visit_id, patient_id=visit.patient_id,
                 visit_id=visit_id, details={"code": visit.code}, reason=reason)  # fmt: skip
    return visit


def _mark(visit_id: int, moment: str, at: datetime | None, actor: Actor, *, only_first: bool = True) -> Visit:
    visit = queries.visit_for_update(visit_id)
    if getattr(visit, moment) is None or not only_first:
        setattr(visit, moment, at or clock.now())
        audit.record(actor, Action.VISIT_TIME, subject_type="visit", subject_id=visit_id,
                     patient_id=visit.patient_id, visit_id=visit_id, details={"moment": moment})  # fmt: skip
    return visit


def mark_called(visit_id: int, *, actor: Actor, at: datetime | None = None) -> Visit:
    """The patient was called into the room."""
    return _mark(visit_id, "called_at", at, actor)


def mark_seen(visit_id: int, *, actor: Actor, at: datetime | None = None) -> Visit:
    """The doctor began; the visit belongs to this doctor from now on."""
    visit = _mark(visit_id, "seen_at", at, actor)
    if visit.state is VisitState.OPEN:
        visit.state = VisitState.IN_EXAM
        visit.doctor_id = actor.user_id
        visit.doctor_licence = actor.licence_number
    return visit


def mark_tests_ordered(visit_id: int, *, actor: Actor, at: datetime | None = None) -> Visit:
    """Tests were ordered: until `mark_tests_done` the patient waits for results."""
    return _mark(visit_id, "tests_ordered_at", at, actor, only_first=False)


def withdraw_tests(visit_id: int, *, actor: Actor) -> Visit:
    """All ordered tests were taken back before one was done: no result is awaited."""
    visit = queries.visit_for_update(visit_id)
    if visit.tests_ordered_at is not None:
        visit.tests_ordered_at = None
        audit.record(actor, Action.VISIT_TIME, subject_type="visit", subject_id=visit_id,
                     patient_id=visit.patient_id, visit_id=visit_id, details={"moment": "tests_ordered_at"})  # fmt: skip
    return visit


def mark_tests_done(visit_id: int, *, actor: Actor, at: datetime | None = None) -> Visit:
    """All ordered tests have results."""
    return _mark(visit_id, "tests_done_at", at, actor, only_first=False)


def mark_paid(visit_id: int, *, actor: Actor, at: datetime | None = None) -> Visit:
    """The bill was settled."""
    return _mark(visit_id, "paid_at", at, actor, only_first=False)


def withdraw_payment(visit_id: int, *, actor: Actor) -> Visit:
    """The settlement was taken back: the visit waits to be paid again."""
    visit = queries.visit_for_update(visit_id)
    visit.paid_at = None
    if visit.state is VisitState.CLOSED:
        visit.state = VisitState.CONCLUDED
    audit.record(actor, Action.VISIT_TIME, subject_type="visit", subject_id=visit_id, patient_id=visit.patient_id,
                 visit_id=visit_id, details={"moment": "paid_at"})  # fmt: skip
    return visit


def mark_dispensed(visit_id: int, *, actor: Actor, at: datetime | None = None) -> Visit:
    """The medicines were handed out."""
    return _mark(visit_id, "dispensed_at", at, actor)


def conclude_visit(
    visit_id: int,
    *,
    actor: Actor,
    discharge_code: str,
    result_code: str,
    main_icd: str,
    main_icd_name: str,
    ended_at: datetime | None = None,
    destination_facility_code: str = "",
) -> Visit:
    """End the medical part of a visit (NGAY_RA, MA_LOAI_RV, KET_QUA_DTRI of XML1, QĐ 4750/3176).

    A referral issued after the doctor concluded changes the way of leaving (R6): allowed until the visit is settled.
    Raises `VisitAlreadyClosed`.
    """
    visit = queries.visit_for_update(visit_id)
    if visit.state in (VisitState.CLOSED, VisitState.CANCELLED):
        raise VisitAlreadyClosed("Lượt khám đã kết thúc.")
    visit.state = VisitState.CONCLUDED
    visit.ended_at = ended_at or clock.now()
    visit.discharge_code, visit.result_code = discharge_code, result_code
    visit.main_icd, visit.main_icd_name = main_icd, main_icd_name
    visit.destination_facility_code = destination_facility_code
    if visit.doctor_id is None:
        visit.doctor_id = actor.user_id
    visit.doctor_licence = visit.doctor_licence or actor.licence_number
    audit.record(
        actor, Action.VISIT_CONCLUDE, subject_type="visit", subject_id=visit_id, patient_id=visit.patient_id,
        visit_id=visit_id,
        details={"discharge_code": discharge_code, "result_code": result_code, "main_icd": main_icd},
    )  # fmt: skip
    return visit


def close_visit(visit_id: int, *, actor: Actor) -> Visit:
    """The bill of a concluded visit is settled: nothing of it changes any more without reopening."""
    visit = queries.visit_for_update(visit_id)
    if visit.state is VisitState.CONCLUDED:
        visit.state = VisitState.CLOSED
        audit.record(actor, Action.VISIT_CLOSE, subject_type="visit", subject_id=visit_id,
                     patient_id=visit.patient_id, visit_id=visit_id, details={"code": visit.code})  # fmt: skip
    return visit


def reopen_visit(visit_id: int, reason: str, *, actor: Actor) -> Visit:
    """Take a concluded or settled visit back into treatment, with a reason of 5 characters or more."""
    if len(reason.strip()) < 5:
        raise InvalidState("Ghi lý do mở lại, ít nhất 5 ký tự.")
    visit = queries.visit_for_update(visit_id)
    if visit.state not in (VisitState.CONCLUDED, VisitState.CLOSED):
        raise InvalidState("Lượt khám chưa kết thúc.")
    visit.state = VisitState.IN_EXAM
    visit.ended_at = None
    audit.record(actor, Action.VISIT_REOPEN, subject_type="visit", subject_id=visit_id, patient_id=visit.patient_id,
                 visit_id=visit_id, details={"code": visit.code}, reason=reason)  # fmt: skip
    return visit


def search_entry(patient: Patient) -> search.Entry:
    """Return how a patient is found: name, birth, phones, codes and current numbers."""
    phones = sorted(rules.phone_digits([patient.phone, *(g.phone for g in patient.guardians)]))
    return search.Entry(
        entity_id=patient.patient_id,
        name=patient.full_name,
        label=patient.full_name,
        words=(f"{patient.birth_on.year}", date_text(patient.birth_on).replace("/", "")),
        codes=(patient.code, *phones, *(i.value for i in patient.identifiers)),
        extra={},
    )


def index_patient(patient: Patient) -> None:
    """Make a patient findable under what is known now."""
    search.put(queries.KIND, [search_entry(patient)])
