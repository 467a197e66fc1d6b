"""Reads of notes, vital signs and diagnoses; the doctor's work list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from his.audit.enums import Action as AuditAction
from his.audit.models import AuditEvent
from his.catalogues import queries as catalogues
from his.catalogues.models import CodeItem, Room
from his.core import clock, search
from his.core.db import session
from his.examination import rules
from his.examination.enums import NoteState
from his.examination.models import Diagnosis, ExamNote, NoteDraft, VitalSigns
from his.records.enums import AllergyStatus, VisitState
from his.records.errors import VisitNotFound
from his.records.models import Patient, Visit
from his.records.queries import SEX_TEXT
from his.registration.enums import TicketState
from his.registration.models import QueueState, QueueTicket


@dataclass(frozen=True, slots=True)
class WorkRow:
    """One patient of a room's day, as the work list shows it. ``waited_minutes`` counts for who still waits."""

    visit_id: int
    patient_id: int
    ticket_id: int
    ticket: str
    number: int
    priority: int
    priority_reason: str
    full_name: str
    sex: str
    birth_on: date
    birth_precision: str
    reason: str
    subject_code: str
    rate: str
    weight_kg: Decimal | None
    has_allergy: bool
    stage: rules.Stage
    at: datetime
    waited_minutes: int
    is_long: bool
    main_icd: str
    signs: VitalSigns | None


def worklist(room_code: str, day: date, limit: int = 300) -> list[WorkRow]:
    """Return the day of a room in calling order: two statements, whatever its length."""
    rows = session().execute(
        select(QueueTicket, Visit, Patient)
        .join(Visit, Visit.visit_id == QueueTicket.visit_id)
        .join(Patient, Patient.patient_id == Visit.patient_id)
        .where(
            QueueTicket.room_code == room_code, QueueTicket.day == day, QueueTicket.state != TicketState.VOID,
            Visit.state != VisitState.CANCELLED,
        )
        .limit(limit)
    ).all()  # fmt: skip
    signs = {
        s.visit_id: s
        for s in session().execute(
            select(VitalSigns)
            .join(QueueTicket, QueueTicket.visit_id == VitalSigns.visit_id)
            .where(QueueTicket.room_code == room_code, QueueTicket.day == day, VitalSigns.voided_at.is_(None))
            .order_by(VitalSigns.measured_at, VitalSigns.vitals_id)
        ).scalars()
    }
    now = clock.now()
    found = [(t, _work_row(t, v, p, signs.get(v.visit_id), now)) for t, v, p in rows]
    found.sort(key=lambda pair: rules.place_in_line(pair[1].stage, pair[0].priority, pair[0].number, pair[1].at))
    return [row for _ticket, row in found]


def _work_row(t: QueueTicket, v: Visit, p: Patient, signs: VitalSigns | None, now: datetime) -> WorkRow:
    stage = rules.stage_of(
        rules.StageFacts(t.state.value, v.state.value, t.called_at, v.tests_ordered_at, v.tests_done_at)
    )
    since = {
        rules.Stage.RESULTS: v.tests_done_at, rules.Stage.TESTS: v.tests_ordered_at, rules.Stage.DONE: v.ended_at,
        rules.Stage.CALLING: t.called_at, rules.Stage.IN_EXAM: t.called_at,
    }.get(stage) or v.registered_at  # fmt: skip
    until = now if stage in (rules.Stage.WAITING, rules.Stage.RESULTS, rules.Stage.TESTS, rules.Stage.ABSENT) else (
        t.called_at or since
    )
    start = since if stage in (rules.Stage.RESULTS, rules.Stage.TESTS) else v.registered_at
    waited = max(0, int((until - start).total_seconds() // 60))
    waits = stage in (rules.Stage.WAITING, rules.Stage.RESULTS)
    return WorkRow(
        v.visit_id, p.patient_id, t.ticket_id, t.text, t.number, t.priority, t.priority_reason, p.full_name, SEX_TEXT[p.sex],
        p.birth_on, p.birth_precision.value, v.reason, v.subject_code, v.benefit_rate, v.weight_kg,
        p.allergy_status is AllergyStatus.RECORDED, stage, since, waited, waits and waited > rules.LONG_WAIT_MINUTES,
        v.main_icd, signs,
    )  # fmt: skip


def room_version(room_code: str, day: date) -> str:
    """Return a mark that changes with anything the work list shows of a room's day (1 statement, by keys)."""
    visits = (
        select(func.coalesce(func.sum(Visit.version), 0))
        .join(QueueTicket, QueueTicket.visit_id == Visit.visit_id)
        .where(QueueTicket.room_code == room_code, QueueTicket.day == day)
        .scalar_subquery()
    )
    signs = (
        select(func.count())
        .select_from(VitalSigns)
        .join(QueueTicket, QueueTicket.visit_id == VitalSigns.visit_id)
        .where(QueueTicket.room_code == room_code, QueueTicket.day == day)
        .scalar_subquery()
    )
    queue = select(QueueState.version).where(QueueState.room_code == room_code, QueueState.day == day).scalar_subquery()
    row = session().execute(select(func.coalesce(queue, 0), visits, signs)).one()
    return "-".join(str(int(part)) for part in row)


def results_back(room_code: str, day: date) -> QueueTicket | None:
    """Return the ticket whose results came back first and who was not called since, locked; None if there is none."""
    return session().execute(
        select(QueueTicket)
        .join(Visit, Visit.visit_id == QueueTicket.visit_id)
        .where(
            QueueTicket.room_code == room_code,
            QueueTicket.day == day,
            QueueTicket.state.in_((TicketState.CALLED, TicketState.SERVING)),
            Visit.state == VisitState.IN_EXAM,
            Visit.tests_done_at.is_not(None),
            or_(QueueTicket.called_at.is_(None), Visit.tests_done_at > QueueTicket.called_at),
            or_(Visit.tests_ordered_at.is_(None), Visit.tests_done_at >= Visit.tests_ordered_at),
        )
        .order_by(Visit.tests_done_at, QueueTicket.number)
        .limit(1)
        .with_for_update(of=QueueTicket, skip_locked=True)
    ).scalar_one_or_none()


def clinics(day: date) -> list[tuple[str, str, str]]:
    """Return the rooms a doctor may work in: (code, name, place)."""
    return [(room.code, room.name, room.place) for room in catalogues.rooms("clinic", day)]


def visit_page(visit_id: int) -> Visit:
    """Return a visit with its patient, card, identifiers, guardians and allergies in one statement.

    A person has few of each, so one joined read is cheaper than four.
    """
    found = session().execute(
        select(Visit)
        .where(Visit.visit_id == visit_id)
        .options(
            joinedload(Visit.coverage),
            joinedload(Visit.patient, innerjoin=True).options(
                joinedload(Patient.identifiers), joinedload(Patient.guardians), joinedload(Patient.allergies)
            ),
        )
        .execution_options(populate_existing=True)
    ).unique().scalar_one_or_none()
    if found is None:
        raise VisitNotFound("Không tìm thấy lượt khám này.")
    return found


@dataclass(frozen=True, slots=True)
class NoteFacts:
    """The note of a visit, what this author was typing, the place in the queue, and the patient's change mark."""

    note: ExamNote | None
    draft: NoteDraft | None
    ticket: QueueTicket | None
    mark: int = 0


def note_facts(visit_id: int, author_id: int | None) -> NoteFacts:
    """Return note, own draft, ticket and change mark of a visit in one statement."""
    mark = _newest_change(Visit.patient_id).correlate(Visit).scalar_subquery()
    row = session().execute(
        select(ExamNote, NoteDraft, QueueTicket, mark)
        .select_from(Visit)
        .outerjoin(ExamNote, (ExamNote.visit_id == Visit.visit_id) & (ExamNote.state != NoteState.SUPERSEDED))
        .outerjoin(NoteDraft, (NoteDraft.visit_id == Visit.visit_id) & (NoteDraft.author_id == author_id))
        .outerjoin(QueueTicket, (QueueTicket.visit_id == Visit.visit_id) & (QueueTicket.state != TicketState.VOID))
        .where(Visit.visit_id == visit_id)
        .order_by(QueueTicket.ticket_id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).one_or_none()
    return NoteFacts(row[0], row[1], row[2], row[3] or 0) if row else NoteFacts(None, None, None)


def _newest_change(patient_id: Any) -> Any:
    return (
        select(AuditEvent.event_id)
        .where(AuditEvent.patient_id == patient_id, AuditEvent.action != AuditAction.VIEW.value)
        .order_by(AuditEvent.event_id.desc())
        .limit(1)
    )


def change_mark(patient_id: int) -> int:
    """Return the newest change of a patient's data (views do not count): everything written leaves an audit event."""
    return session().execute(_newest_change(patient_id)).scalar_one_or_none() or 0


def measurements(patient_id: int, limit: int = 40) -> Sequence[VitalSigns]:
    """Return the newest measurements of a patient in force, newest first, across visits."""
    return session().execute(
        select(VitalSigns)
        .where(VitalSigns.patient_id == patient_id, VitalSigns.voided_at.is_(None))
        .order_by(VitalSigns.measured_at.desc(), VitalSigns.vitals_id.desc())
        .limit(limit)
    ).scalars().all()


@dataclass(frozen=True, slots=True)
class DiagnosisFacts:
    """The diagnoses of a visit (main first) and the codes used for this patient before, latest first."""

    current: tuple[Diagnosis, ...]
    used: tuple[tuple[str, str, int], ...]  # code, name, times


def diagnosis_facts(visit_id: int, patient_id: int, limit: int = 60) -> DiagnosisFacts:
    """Return present and earlier diagnoses in one statement, whatever the history."""
    rows = session().execute(
        select(Diagnosis)
        .join(Visit, Visit.visit_id == Diagnosis.visit_id)
        .where(Visit.patient_id == patient_id, Visit.state != VisitState.CANCELLED)
        .order_by((Diagnosis.visit_id == visit_id).desc(), Diagnosis.diagnosis_id.desc())
        .limit(limit)
        .execution_options(populate_existing=True)
    ).scalars().all()
    current = sorted((d for d in rows if d.visit_id == visit_id), key=lambda d: d.position)
    used: dict[str, tuple[str, int]] = {}
    for row in rows:
        if row.visit_id != visit_id:
            name, times = used.get(row.icd_code, (row.name, 0))
            used[row.icd_code] = (name, times + 1)
    return DiagnosisFacts(tuple(current), tuple((code, name, times) for code, (name, times) in used.items()))


@dataclass(frozen=True, slots=True)
class IcdHit:
    """One suggestion of the diagnosis search; ``bar`` says why it may not be chosen ("" = it may)."""

    code: str
    name: str
    side: str
    bar: str
    times: int


def find_icd(text: str, patient_id: int, limit: int = 12) -> list[IcdHit]:
    """Search diagnoses: codes used for this patient before come first; forbidden ones say why."""
    used = {code: times for code, _name, times in diagnosis_facts(0, patient_id).used}
    hits = search.find("icd", text, limit=limit * 2)
    found = []
    for hit in hits:
        extra = hit.extra
        code = str(extra["code"])
        bar = "có mã chi tiết hơn" if extra.get("never_used") else "chỉ ghi nguyên nhân tử vong" if extra.get("death_only") else ""
        side = "chỉ kèm theo" if extra.get("never_main") else "hạn chế làm bệnh chính" if extra.get("discouraged") else ""
        found.append(IcdHit(code, hit.label, side, bar, used.get(code, 0)))
    found.sort(key=lambda h: (bool(h.bar), -min(h.times, 1)))
    return found[:limit]


def outcome_choices(day: date) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
    """Return ways of leaving (MA_LOAI_RV) and results (KET_QUA_DTRI) as (code, Vietnamese, English) in one statement."""
    rows = session().execute(
        select(CodeItem)
        .where(
            CodeItem.list_name.in_(("ma_loai_rv", "ket_qua_dtri")), CodeItem.valid_from <= day,
            or_(CodeItem.valid_to.is_(None), CodeItem.valid_to >= day),
        )
        .order_by(CodeItem.item_id)
    ).scalars().all()  # fmt: skip
    return (
        [(r.code, r.name_vi, r.name_en) for r in rows if r.list_name == "ma_loai_rv"],
        [(r.code, r.name_vi, r.name_en) for r in rows if r.list_name == "ket_qua_dtri"],
    )


def last_note(patient_id: int, before_visit_id: int) -> ExamNote | None:
    """Return the newest closed note of another visit of this patient."""
    return session().execute(
        select(ExamNote)
        .join(Visit, Visit.visit_id == ExamNote.visit_id)
        .where(Visit.patient_id == patient_id, Visit.visit_id != before_visit_id, ExamNote.state == NoteState.CLOSED)
        .order_by(ExamNote.note_id.desc())
        .limit(1)
    ).scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class PastVisit:
    """One earlier visit in a list: when, where, what."""

    visit_id: int
    on: date
    room_code: str
    icd: str
    name: str
    reason: str


def past_visits(patient_id: int, except_id: int, limit: int = 4) -> list[PastVisit]:
    """Return the latest ended visits (1 statement)."""
    rows = session().execute(
        select(Visit)
        .where(
            Visit.patient_id == patient_id, Visit.visit_id != except_id,
            Visit.state.in_((VisitState.CONCLUDED, VisitState.CLOSED)),
        )
        .order_by(Visit.registered_at.desc())
        .limit(limit)
    ).scalars()  # fmt: skip
    return [PastVisit(v.visit_id, v.service_on, v.room_code, v.main_icd, v.main_icd_name, v.reason) for v in rows]


@dataclass(frozen=True, slots=True)
class RecordRow:
    """What the assembled record shows of one examined visit."""

    visit: Visit
    note: ExamNote | None
    diagnoses: tuple[Diagnosis, ...]
    room_name: str


def record_rows(visit_ids: Sequence[int]) -> list[RecordRow]:
    """Return notes and diagnoses of visits, newest first, in one statement."""
    ids = list(visit_ids)
    if not ids:
        return []
    rows = session().execute(
        select(Visit, ExamNote, Diagnosis, Room.name)
        .outerjoin(ExamNote, (ExamNote.visit_id == Visit.visit_id) & (ExamNote.state != NoteState.SUPERSEDED))
        .outerjoin(Diagnosis, Diagnosis.visit_id == Visit.visit_id)
        .outerjoin(Room, (Room.code == Visit.room_code) & Room.valid_to.is_(None))
        .where(Visit.visit_id.in_(ids))
        .order_by(Visit.registered_at.desc(), Diagnosis.position)
    ).all()
    found: dict[int, tuple[Visit, ExamNote | None, list[Diagnosis], str]] = {}
    for visit, note, diagnosis, room_name in rows:
        entry = found.setdefault(visit.visit_id, (visit, note, [], room_name or visit.room_code))
        if diagnosis is not None:
            entry[2].append(diagnosis)
    return [RecordRow(v, n, tuple(d), r) for v, n, d, r in found.values()]


def note_of(visit_id: int) -> ExamNote | None:
    """Return the note in force of a visit."""
    return session().execute(
        select(ExamNote).where(ExamNote.visit_id == visit_id, ExamNote.state != NoteState.SUPERSEDED)
    ).scalar_one_or_none()


def vitals_of(visit_id: int) -> Sequence[VitalSigns]:
    """Return the measurements of a visit in force, newest first."""
    return session().execute(
        select(VitalSigns)
        .where(VitalSigns.visit_id == visit_id, VitalSigns.voided_at.is_(None))
        .order_by(VitalSigns.measured_at.desc(), VitalSigns.vitals_id.desc())
        .limit(20)
    ).scalars().all()


def latest_weight(patient_id: int) -> VitalSigns | None:
    """Return the newest measurement with a weight."""
    return session().execute(
        select(VitalSigns)
        .where(
            VitalSigns.patient_id == patient_id, VitalSigns.voided_at.is_(None), VitalSigns.weight_kg.is_not(None)
        )
        .order_by(VitalSigns.measured_at.desc(), VitalSigns.vitals_id.desc())
        .limit(1)
    ).scalar_one_or_none()


def diagnoses_of(visit_id: int) -> Sequence[Diagnosis]:
    """Return the diagnoses of a visit, the main one first."""
    return session().execute(
        select(Diagnosis).where(Diagnosis.visit_id == visit_id).order_by(Diagnosis.position)
    ).scalars().all()


def facts_for_claim(visit_ids: Sequence[int]) -> dict[int, tuple[ExamNote | None, list[Diagnosis], VitalSigns | None]]:
    """Return note, diagnoses and newest vital signs of many visits (3 statements), for claims."""
    ids = list(visit_ids)
    notes = {
        n.visit_id: n
        for n in session().execute(
            select(ExamNote).where(ExamNote.visit_id.in_(ids), ExamNote.state != NoteState.SUPERSEDED)
        ).scalars()
    }
    diagnoses: dict[int, list[Diagnosis]] = {}
    for row in session().execute(
        select(Diagnosis).where(Diagnosis.visit_id.in_(ids)).order_by(Diagnosis.visit_id, Diagnosis.position)
    ).scalars():
        diagnoses.setdefault(row.visit_id, []).append(row)
    vitals: dict[int, VitalSigns] = {}
    for signs in session().execute(
        select(VitalSigns)
        .where(VitalSigns.visit_id.in_(ids), VitalSigns.voided_at.is_(None))
        .order_by(VitalSigns.measured_at, VitalSigns.vitals_id)
    ).scalars():
        vitals[signs.visit_id] = signs
    return {visit_id: (notes.get(visit_id), diagnoses.get(visit_id, []), vitals.get(visit_id)) for visit_id in ids}
