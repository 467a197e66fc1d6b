"""Reads of queues and card checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from his.catalogues import queries as catalogues
from his.catalogues.models import Room
from his.core import clock
from his.core.config import current
from his.core.db import session
from his.identity.models import User
from his.records.models import Patient, Visit
from his.registration.enums import TicketState
from his.registration.models import CardCheck, QueueState, QueueTicket

FULL_ROOM = 24


@dataclass(frozen=True, slots=True)
class ClinicLoad:
    """One clinic with its live queue."""

    room_code: str
    name: str
    place: str
    doctor: str
    department_code: str
    exam_service_code: str
    waiting: int
    is_open: bool
    expected_at: datetime
    is_busy: bool


@dataclass(frozen=True, slots=True)
class RecentRow:
    """One line of "just registered"."""

    visit_id: int
    ticket: str
    full_name: str
    birth_on: date
    birth_precision: str
    at: datetime


def clinic_board(day: date) -> list[ClinicLoad]:
    """Return the clinics with their queues in their order (3 statements)."""
    rooms = catalogues.rooms("clinic", day)
    counts = {
        row.room_code: row.n
        for row in session().execute(
            select(QueueTicket.room_code, func.count().label("n"))
            .where(QueueTicket.day == day, QueueTicket.state.in_((TicketState.WAITING, TicketState.CALLED)))
            .group_by(QueueTicket.room_code)
        )
    }
    doctors = {
        row.default_room: f"{row.title} {row.display_name}".strip()
        for row in session().execute(
            select(User.default_room, User.title, User.display_name)
            .where(User.default_room.in_([room.code for room in rooms]), User.title == "BS.")
            .order_by(User.user_id.desc())
        )
    }
    now = clock.now()
    return [_load(room, counts.get(room.code, 0), doctors.get(room.code, ""), now) for room in rooms]


def _load(room: Room, waiting: int, doctor: str, now: datetime) -> ClinicLoad:
    minutes = waiting * current().expected_minutes_per_patient
    return ClinicLoad(
        room.code, room.name, room.place, doctor, room.department_code, room.exam_service_code, waiting, room.is_open,
        now + timedelta(minutes=minutes), waiting >= FULL_ROOM * 2 // 3,
    )  # fmt: skip


def next_number_text(room_code: str, day: date) -> str:
    """Return the number the next patient of a room will get, as it stands now."""
    highest = session().execute(
        select(func.max(QueueTicket.number)).where(QueueTicket.room_code == room_code, QueueTicket.day == day)
    ).scalar_one()
    return f"{room_code}-{(highest or 0) + 1:03d}"


def recent(day: date, limit: int = 8) -> list[RecentRow]:
    """Return the latest registrations of the day (1 statement)."""
    rows = session().execute(
        select(QueueTicket, Patient)
        .join(Visit, Visit.visit_id == QueueTicket.visit_id)
        .join(Patient, Patient.patient_id == Visit.patient_id)
        .where(QueueTicket.day == day, QueueTicket.state != TicketState.VOID)
        .order_by(QueueTicket.ticket_id.desc())
        .limit(limit)
    ).all()
    return [RecentRow(t.visit_id, t.text, p.full_name, p.birth_on, p.birth_precision.value, t.created_at) for t, p in rows]


def queue_version(room_code: str, day: date) -> int:
    """Return the change counter of a room's queue (one keyed read)."""
    return session().execute(
        select(QueueState.version).where(QueueState.room_code == room_code, QueueState.day == day)
    ).scalar_one_or_none() or 0


def ticket_of_visit(visit_id: int) -> QueueTicket | None:
    """Return the ticket of a visit in force."""
    return session().execute(
        select(QueueTicket)
        .where(QueueTicket.visit_id == visit_id, QueueTicket.state != TicketState.VOID)
        .order_by(QueueTicket.ticket_id.desc())
        .limit(1)
    ).scalar_one_or_none()


def last_check(patient_id: int, since: datetime) -> CardCheck | None:
    """Return the newest card check of a patient since a moment."""
    return session().execute(
        select(CardCheck)
        .where(CardCheck.patient_id == patient_id, CardCheck.at >= since)
        .order_by(CardCheck.check_id.desc())
        .limit(1)
    ).scalar_one_or_none()


def waiting_tickets(room_code: str, day: date) -> Sequence[QueueTicket]:
    """Return who waits in a room, in calling order."""
    return session().execute(
        select(QueueTicket)
        .where(QueueTicket.room_code == room_code, QueueTicket.day == day, QueueTicket.state == TicketState.WAITING)
        .order_by(QueueTicket.priority.desc(), QueueTicket.number)
    ).scalars().all()


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One ticket on the queue screen."""

    ticket: QueueTicket
    full_name: str
    room_name: str


def queue_screen(day: date, room_code: str = "", limit: int = 200) -> list[QueueRow]:
    """Return the tickets of the day, called ones first (1 statement)."""
    statement = (
        select(QueueTicket, Patient.full_name, Room.name)
        .join(Visit, Visit.visit_id == QueueTicket.visit_id)
        .join(Patient, Patient.patient_id == Visit.patient_id)
        .outerjoin(Room, (Room.code == QueueTicket.room_code) & Room.valid_to.is_(None))
        .where(QueueTicket.day == day, QueueTicket.state.in_((TicketState.WAITING, TicketState.CALLED, TicketState.SKIPPED)))
        .order_by(QueueTicket.state, QueueTicket.room_code, QueueTicket.priority.desc(), QueueTicket.number)
        .limit(limit)
    )
    if room_code:
        statement = statement.where(QueueTicket.room_code == room_code)
    return [QueueRow(t, name, room or t.room_code) for t, name, room in session().execute(statement)]
