"""Reads of patients and visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased, joinedload, selectinload

from his.audit import queries as audit_queries
from his.catalogues.models import Room
from his.core import clock, search
from his.core.actor import Actor
from his.core.db import session
from his.core.i18n import age_text, date_text, decimal_text
from his.identity.models import User
from his.records import rules
from his.records.enums import AllergyStatus, IdentifierType, Sex, VisitState
from his.records.errors import PatientNotFound, VisitNotFound
from his.records.models import Allergy, Guardian, Patient, PatientIdentifier, Visit

KIND = "patient"
SEX_TEXT = {Sex.MALE: "Nam", Sex.FEMALE: "Nữ", Sex.UNKNOWN: "Chưa xác định"}
ACTIVE = (VisitState.OPEN, VisitState.IN_EXAM)


@dataclass(frozen=True, slots=True)
class PatientHit:
    """A search result that needs no further request."""

    patient_id: int
    code: str
    full_name: str
    birth_text: str
    age: str
    sex: str
    address: str
    phone: str
    last_visit_on: date | None
    open_visit_id: int | None
    open_visit_room: str
    is_dead: bool
    is_corrected: bool


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A likely duplicate with the reasons."""

    patient_id: int
    code: str
    full_name: str
    sex: str
    birth_text: str
    score: int
    same: tuple[str, ...]
    different: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AllergyText:
    """One allergy as the banner shows it."""

    substance: str
    reaction: str
    noted: str


@dataclass(frozen=True, slots=True)
class Banner:
    """The patient banner as plain values."""

    patient_id: int
    name: str
    sex: str
    birth: str
    age: str
    is_child: bool
    allergies: tuple[AllergyText, ...]
    allergy_status: str
    weight: str
    weight_at: str
    height: str
    coverage_until: str
    coverage_group: str
    rate: str
    code: str
    national_id: str
    guardian_name: str
    guardian_phone: str
    guardian_label: str
    visit_code: str = ""


def get_patient(patient_id: int) -> Patient:
    """Return a patient with identifiers, guardians, allergies and cards (5 statements at most)."""
    found = session().execute(
        select(Patient)
        .where(Patient.patient_id == patient_id)
        .options(
            selectinload(Patient.identifiers),
            selectinload(Patient.guardians),
            selectinload(Patient.allergies),
            selectinload(Patient.coverages),
        )
    ).scalar_one_or_none()
    if found is None:
        raise PatientNotFound("Không tìm thấy người bệnh này.")
    return found


def loaded(patient_id: int) -> Patient:
    """Return a patient with identifiers, guardians, allergies and cards in one statement, for pages that show them all.

    A person has a handful of each, so the joined rows stay few.
    """
    found = session().execute(
        select(Patient)
        .where(Patient.patient_id == patient_id)
        .options(
            joinedload(Patient.identifiers),
            joinedload(Patient.guardians),
            joinedload(Patient.allergies),
            joinedload(Patient.coverages),
        )
    ).unique().scalar_one_or_none()
    if found is None:
        raise PatientNotFound("Không tìm thấy người bệnh này.")
    return found


def last_weight(patient_id: int) -> tuple[Decimal, datetime] | None:
    """Return the last weight taken at a visit (kg) and when."""
    row = session().execute(
        select(Visit.weight_kg, Visit.registered_at)
        .where(Visit.patient_id == patient_id, Visit.weight_kg.is_not(None), Visit.state != VisitState.CANCELLED)
        .order_by(Visit.registered_at.desc())
        .limit(1)
    ).first()
    return (row.weight_kg, row.registered_at) if row is not None and row.weight_kg is not None else None


def banner(patient_id: int, visit: Visit | None = None) -> Banner:
    """Return the patient banner of a page: 1 statement with a weighed visit, else 2."""
    patient = loaded(patient_id)
    if visit is not None and visit.weight_kg is not None:
        return banner_of(patient, visit, visit.weight_kg, visit.registered_at)
    weight = last_weight(patient_id)
    return banner_of(patient, visit, *(weight or (None, None)))


def lock_patient(patient_id: int) -> None:
    """Make whoever works on the same patient wait until the end of the transaction (1 statement)."""
    found = session().execute(select(Patient.patient_id).where(Patient.patient_id == patient_id).with_for_update()).first()
    if found is None:
        raise PatientNotFound("Không tìm thấy người bệnh này.")


def get_visit(visit_id: int) -> Visit:
    """Return a visit with its patient and card (1 statement)."""
    found = session().execute(
        select(Visit)
        .where(Visit.visit_id == visit_id)
        .options(joinedload(Visit.patient), joinedload(Visit.coverage))
    ).scalar_one_or_none()
    if found is None:
        raise VisitNotFound("Không tìm thấy lượt khám này.")
    return found


def get_for(actor: Actor, visit_id: int) -> Visit:
    """Return a visit this person may work on (SEC-03, SEC-04): it looks like "not found" to others.

    The care team is whoever holds a clinical permission in this hospital while the visit lasts and 30 days after;
    the records office afterwards too.
    """
    return allowed(actor, get_visit(visit_id))


def allowed(actor: Actor, visit: Visit) -> Visit:
    """Return a loaded visit if this person may work on it (the rule of `get_for`)."""
    if actor.may("records:patient:merge") or actor.kind == "system":
        return visit
    if visit.ended_at is not None and clock.now() - visit.ended_at > timedelta(days=30):
        raise VisitNotFound("Lượt khám đã kết thúc hơn 30 ngày. Nhờ phòng hồ sơ mở giúp.")
    return visit


def visit_for_update(visit_id: int) -> Visit:
    """Return a visit locked until the end of the transaction."""
    found = session().execute(
        select(Visit)
        .where(Visit.visit_id == visit_id)
        .options(joinedload(Visit.patient, innerjoin=True))
        .with_for_update(of=Visit)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if found is None:
        raise VisitNotFound("Không tìm thấy lượt khám này.")
    return found


def visit_by_code(code: str) -> Visit | None:
    """Return a visit by MA_LK."""
    return session().execute(
        select(Visit).where(Visit.code == code).options(joinedload(Visit.patient), joinedload(Visit.coverage))
    ).scalar_one_or_none()


def visits_of(patient_id: int, limit: int = 20, before: datetime | None = None) -> Sequence[Visit]:
    """Return the latest visits, newest first."""
    statement = select(Visit).where(Visit.patient_id == patient_id, Visit.state != VisitState.CANCELLED)
    if before is not None:
        statement = statement.where(Visit.registered_at < before)
    return session().execute(statement.order_by(Visit.registered_at.desc()).limit(limit)).scalars().all()


def open_visit_of(patient_id: int, day: date) -> Visit | None:
    """Return the visit of this day that is still going on."""
    return session().execute(
        select(Visit)
        .where(Visit.patient_id == patient_id, Visit.service_on == day, Visit.state.in_(ACTIVE))
        .order_by(Visit.visit_id.desc())
        .limit(1)
    ).scalar_one_or_none()


def by_identifier(value: str, types: Sequence[IdentifierType] = ()) -> Patient | None:
    """Return the patient who bears a current identifier (personal number, card, old number, passport)."""
    statement = (
        select(Patient)
        .join(PatientIdentifier, PatientIdentifier.patient_id == Patient.patient_id)
        .where(PatientIdentifier.value == value, Patient.merged_into_id.is_(None))
        .order_by(PatientIdentifier.valid_to.is_(None).desc(), Patient.patient_id.desc())
        .limit(1)
    )
    if types:
        statement = statement.where(PatientIdentifier.type.in_(types))
    return session().execute(statement).scalar_one_or_none()


def by_code(code: str) -> Patient | None:
    """Return a patient by MA_BN."""
    return session().execute(select(Patient).where(Patient.code == code)).scalar_one_or_none()


def find(text: str, limit: int = 12) -> list[PatientHit]:
    """Find patients by name (any order, no accents, one letter wrong), birth year, code, number, phone.

    At most 6 statements, whatever the number of hits.
    """
    hits = search.find(KIND, text, limit=limit)
    return _hits([(hit.entity_id, hit.corrected) for hit in hits])


def lately_seen(user_id: int, limit: int = 30) -> list[PatientHit]:
    """Return the people whose records this person opened last, newest first (2 statements)."""
    return _hits([(patient_id, False) for patient_id in audit_queries.patients_seen(user_id, limit)])


def _hits(found_ids: Sequence[tuple[int, bool]]) -> list[PatientHit]:
    """Return lines of a list of patients, in the order given: (patient_id, was the typed word corrected)."""
    if not found_ids:
        return []
    ids = [patient_id for patient_id, _corrected in found_ids]
    latest = (
        select(
            Visit.patient_id,
            func.max(Visit.service_on).label("last_on"),
            func.max(Visit.visit_id).filter(and_(Visit.state.in_(ACTIVE), Visit.service_on == clock.today())).label("open_id"),
        )
        .where(Visit.patient_id.in_(ids), Visit.state != VisitState.CANCELLED)
        .group_by(Visit.patient_id)
        .subquery()
    )
    open_visit = select(Visit.visit_id, Visit.room_code).subquery()
    rows = session().execute(
        select(Patient, latest.c.last_on, latest.c.open_id, open_visit.c.room_code)
        .outerjoin(latest, latest.c.patient_id == Patient.patient_id)
        .outerjoin(open_visit, open_visit.c.visit_id == latest.c.open_id)
        .where(Patient.patient_id.in_(ids), Patient.merged_into_id.is_(None))
    ).all()
    by_id = {row.Patient.patient_id: row for row in rows}
    found = []
    for patient_id, is_corrected in found_ids:
        row = by_id.get(patient_id)
        if row is None:
            continue
        patient: Patient = row.Patient
        found.append(
            PatientHit(
                patient_id=patient.patient_id,
                code=patient.code,
                full_name=patient.full_name,
                birth_text=date_text(patient.birth_on, patient.birth_precision),
                age=age_text(patient.birth_on, precision=patient.birth_precision),
                sex=SEX_TEXT[patient.sex],
                address=patient.address_text,
                phone=patient.phone,
                last_visit_on=row.last_on,
                open_visit_id=row.open_id,
                open_visit_room=row.room_code or "",
                is_dead=patient.died_on is not None,
                is_corrected=is_corrected,
            )
        )
    return found


def likely_duplicates(
    *,
    full_name: str,
    birth_on: date,
    birth_precision: str,
    sex: str,
    phones: Sequence[str] = (),
    commune_code: str = "",
    personal_number: str = "",
    except_id: int | None = None,
    limit: int = 5,
) -> list[Duplicate]:
    """Return people who may be this one, most alike first, with what agrees and what differs (3 statements)."""
    me = rules.PersonFacts(
        full_name, birth_on, birth_precision, sex, rules.phone_digits(phones), commune_code, personal_number
    )
    candidate_ids = {hit.entity_id for hit in search.find(KIND, full_name, limit=30)}
    statement = select(Patient).where(Patient.merged_into_id.is_(None)).options(
        selectinload(Patient.identifiers), selectinload(Patient.guardians)
    )
    same_phone = [Patient.phone.in_(sorted(me.phones))] if me.phones else []
    rows = session().execute(
        statement.where(or_(Patient.patient_id.in_(candidate_ids), *same_phone)).limit(60)
    ).scalars().all()
    found = []
    for patient in rows:
        if patient.patient_id == except_id:
            continue
        other = rules.PersonFacts(
            patient.full_name,
            patient.birth_on,
            patient.birth_precision,
            patient.sex,
            rules.phone_digits([patient.phone, *(g.phone for g in patient.guardians)]),
            patient.commune_code,
            personal_number_of(patient),
        )
        result = rules.likeness(me, other)
        if result.score >= rules.LIKELY:
            found.append(
                Duplicate(
                    patient.patient_id,
                    patient.code,
                    patient.full_name,
                    SEX_TEXT[patient.sex],
                    date_text(patient.birth_on, patient.birth_precision),
                    result.score,
                    result.same,
                    result.different,
                )
            )
    return sorted(found, key=lambda d: -d.score)[:limit]


def personal_number_of(patient: Patient) -> str:
    """Return the current personal number, or ""."""
    return next(
        (i.value for i in patient.identifiers if i.type is IdentifierType.PERSONAL_NUMBER and i.valid_to is None), ""
    )


def current_allergies(patient_id: int) -> Sequence[Allergy]:
    """Return the allergies in force."""
    return session().execute(
        select(Allergy).where(Allergy.patient_id == patient_id, Allergy.voided_at.is_(None)).order_by(Allergy.allergy_id)
    ).scalars().all()


GUARDIAN_LABEL = {"mother": "Mẹ", "father": "Cha", "guardian": "Giám hộ", "companion": "Người đi cùng"}


def banner_of(
    patient: Patient, visit: Visit | None, weight: Decimal | None, weight_at: datetime | None, height: Decimal | None = None
) -> Banner:
    """Build the banner from loaded rows (no statement when identifiers, guardians, allergies and cards are loaded)."""
    coverage = visit.coverage if visit is not None else next(iter(patient.coverages), None)
    guardian: Guardian | None = next(iter(patient.guardians), None)
    on = visit.service_on if visit is not None else clock.today()
    weight = weight if weight is not None else (visit.weight_kg if visit is not None else None)
    months = (on.year - patient.birth_on.year) * 12 + on.month - patient.birth_on.month
    return Banner(
        patient_id=patient.patient_id,
        name=patient.full_name.upper(),
        sex=SEX_TEXT[patient.sex],
        birth=date_text(patient.birth_on, patient.birth_precision),
        age=age_text(patient.birth_on, on, precision=patient.birth_precision, both=True),
        is_child=months < 16 * 12,
        allergies=tuple(
            AllergyText(a.substance, a.reaction, a.noted_on.strftime("%m/%Y") if a.noted_on else "")
            for a in patient.allergies
            if a.voided_at is None
        ),
        allergy_status=patient.allergy_status.value,
        weight=f"{decimal_text(weight)} kg" if weight is not None else "",
        weight_at=f"{date_text(weight_at)[:5]} {clock.local(weight_at):%H:%M}" if weight_at else "",
        height=f"{decimal_text(height)} cm" if height is not None else "",
        coverage_until=date_text(coverage.valid_to) if coverage and coverage.valid_to else "",
        coverage_group=coverage.card_number[:3] if coverage else "",
        rate=visit.benefit_rate if visit is not None else "",
        code=patient.code,
        national_id=personal_number_of(patient),
        guardian_name=(visit.guardian_name if visit and visit.guardian_name else guardian.full_name if guardian else ""),
        guardian_phone=(visit.guardian_phone if visit and visit.guardian_phone else guardian.phone if guardian else ""),
        guardian_label=GUARDIAN_LABEL[guardian.kind.value] if guardian else "Người đi cùng",
        visit_code=visit.code if visit is not None else "",
    )


def allergy_status_of(patient: Patient) -> AllergyStatus:
    """Return what is known about allergies; recorded rows win over the flag."""
    if any(a.voided_at is None for a in patient.allergies):
        return AllergyStatus.RECORDED
    return patient.allergy_status


access_log = audit_queries.access_log


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit in the list of the record; ``total`` counts all visits of the patient that were not taken back."""

    visit: Visit
    room_name: str
    doctor: str
    total: int


def visit_rows(patient_id: int, limit: int = 40, before: datetime | None = None) -> list[VisitRow]:
    """Return visits with room and doctor, newest first, older than a moment (1 statement)."""
    every = aliased(Visit)
    total = (
        select(func.count())
        .select_from(every)
        .where(every.patient_id == patient_id, every.state != VisitState.CANCELLED)
        .scalar_subquery()
    )
    statement = (
        select(Visit, Room.name, User.title, User.display_name, total)
        .outerjoin(Room, and_(Room.code == Visit.room_code, Room.valid_to.is_(None)))
        .outerjoin(User, User.user_id == Visit.doctor_id)
        .where(Visit.patient_id == patient_id)
        .order_by(Visit.registered_at.desc(), Visit.visit_id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(Visit.registered_at < before)
    return [
        VisitRow(visit, room or visit.room_code, f"{title or ''} {name or ''}".strip(), count)
        for visit, room, title, name, count in session().execute(statement)
    ]


def visits_by_id(visit_ids: Sequence[int]) -> Sequence[Visit]:
    """Return some visits, newest first (1 statement)."""
    if not visit_ids:
        return []
    return session().execute(
        select(Visit).where(Visit.visit_id.in_(visit_ids)).order_by(Visit.registered_at.desc())
    ).scalars().all()
