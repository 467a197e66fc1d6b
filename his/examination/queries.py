"""Reads of notes, vital signs and diagnoses; the doctor's work list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from his.core.db import session
from his.examination.enums import NoteState
from his.examination.models import Diagnosis, ExamNote, NoteDraft, VitalSigns
from his.records.enums import VisitState
from his.records.models import Patient, Visit
from his.registration.models import QueueTicket


@dataclass(frozen=True, slots=True)
class WorkRow:
    """One patient of a room's day, as the work list shows it."""

    visit_id: int
    patient_id: int
    ticket_id: int
    ticket: str
    ticket_state: str
    priority: int
    priority_reason: str
    full_name: str
    sex: str
    birth_on: date
    birth_precision: str
    reason: str
    state: str
    subject_code: str
    registered_at: datetime
    called_at: datetime | None
    tests_done_at: datetime | None
    main_icd: str


def worklist(room_code: str, day: date, limit: int = 300) -> list[WorkRow]:
    """Return the day of a room in one statement: waiting first, by priority then number."""
    rows = session().execute(
        select(QueueTicket, Visit, Patient)
        .join(Visit, Visit.visit_id == QueueTicket.visit_id)
        .join(Patient, Patient.patient_id == Visit.patient_id)
        .where(QueueTicket.room_code == room_code, QueueTicket.day == day, Visit.state != VisitState.CANCELLED)
        .order_by(QueueTicket.priority.desc(), QueueTicket.number)
        .limit(limit)
    ).all()
    return [
        WorkRow(
            v.visit_id, p.patient_id, t.ticket_id, t.text, t.state.value, t.priority, t.priority_reason, p.full_name,
            p.sex.value, p.birth_on, p.birth_precision.value, v.reason, v.state.value, v.subject_code,
            v.registered_at, v.called_at, v.tests_done_at, v.main_icd,
        )
        for t, v, p in rows
    ]  # fmt: skip


def note_of(visit_id: int) -> ExamNote | None:
    """Return the note in force of a visit."""
    return session().execute(
        select(ExamNote).where(ExamNote.visit_id == visit_id, ExamNote.state != NoteState.SUPERSEDED)
    ).scalar_one_or_none()


def draft_of(visit_id: int, author_id: int) -> NoteDraft | None:
    """Return what this author was typing."""
    return session().execute(
        select(NoteDraft).where(NoteDraft.visit_id == visit_id, NoteDraft.author_id == author_id)
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


def used_codes(patient_id: int, limit: int = 20) -> list[str]:
    """Return codes used for this patient before, latest first."""
    rows = session().execute(
        select(Diagnosis.icd_code)
        .join(Visit, Visit.visit_id == Diagnosis.visit_id)
        .where(Visit.patient_id == patient_id)
        .order_by(Diagnosis.diagnosis_id.desc())
        .limit(limit * 3)
    ).scalars()
    return list(dict.fromkeys(rows))[:limit]


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
