"""Reads of queues and card checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from his.catalogues.models import Room, Service
from his.core import clock
from his.core.config import current
from his.core.db import session
from his.identity.enums import UserState
from his.identity.models import User
from his.records.enums import VisitState
from his.records.models import Patient, Visit
from his.registration import rules
from his.registration.enums import TicketState
from his.registration.models import CardCheck, QueueState, QueueTicket

DOCTOR_TITLES = ("BS.", "ThS.BS.", "TS.BS.", "BSCKI.", "BSCKII.")


@dataclass(frozen=True, slots=True)
class ClinicLoad:
    """One clinic with its live queue and the fee of an examination there.

    ``version`` is the counter of all queues at the moment of reading (`board_version`).
    """

    room_code: str
    name: str
    place: str
    doctor: str
    department_code: str
    exam_service_code: str
    waiting: int
    is_open: bool
    expected_at: datetime
    wait_minutes: int
    is_busy: bool
    next_number: str
    exam: Service | None
    version: int


@dataclass(frozen=True, slots=True)
class RecentRow:
    """One line of "just registered"."""

    visit_id: int
    ticket: str
    full_name: str
    birth_on: date
    birth_precision: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LastVisit:
    """The visit before this one, or the one still open today."""

    visit: Visit
    room_name: str
    ticket: str


def clinic_board(day: date) -> list[ClinicLoad]:
    """Return the clinics in their order with queue, doctor, next number and fee (1 statement)."""
    waiting = QueueTicket.state.in_((TicketState.WAITING, TicketState.CALLED))
    counts = (
        select(
            QueueTicket.room_code, func.count().filter(waiting).label("n"), func.max(QueueTicket.number).label("highest")
        )
        .where(QueueTicket.day == day)
        .group_by(QueueTicket.room_code)
        .subquery()
    )
    doctor = (
        select(User.title + " " + User.display_name)
        .where(User.default_room == Room.code, User.title.in_(DOCTOR_TITLES), User.state == UserState.ACTIVE)
        .order_by(User.user_id)
        .limit(1)
        .correlate(Room)
        .scalar_subquery()
    )
    version = select(func.sum(QueueState.version)).where(QueueState.day == day).scalar_subquery()
    rows = session().execute(
        select(Room, Service, counts.c.n, counts.c.highest, doctor.label("doctor"), version.label("version"))
        .outerjoin(
            Service,
            and_(
                Service.code == Room.exam_service_code,
                Service.valid_from <= day,
                or_(Service.valid_to.is_(None), Service.valid_to >= day),
            ),
        )
        .outerjoin(counts, counts.c.room_code == Room.code)
        .where(Room.kind == "clinic", Room.valid_from <= day, or_(Room.valid_to.is_(None), Room.valid_to >= day))
        .order_by(Room.sort, Room.code)
    )
    now = clock.now()
    return [_load(row.Room, row.Service, row.n or 0, row.highest or 0, row.doctor or "", int(row.version or 0), now) for row in rows]


def _load(
    room: Room, exam: Service | None, waiting: int, highest: int, doctor: str, version: int, now: datetime
) -> ClinicLoad:
    minutes = rules.expected_wait_minutes(waiting, current().expected_minutes_per_patient)
    return ClinicLoad(
        room_code=room.code, name=room.name, place=room.place, doctor=doctor, department_code=room.department_code,
        exam_service_code=room.exam_service_code, waiting=waiting, is_open=room.is_open,
        expected_at=now + timedelta(minutes=minutes), wait_minutes=minutes, is_busy=rules.is_busy(waiting),
        next_number=f"{room.code}-{highest + 1:03d}", exam=exam, version=version,
    )  # fmt: skip


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


def last_visit(patient_id: int) -> LastVisit | None:
    """Return the newest visit of a patient with its room and number (1 statement)."""
    row = session().execute(
        select(Visit, Room.name, QueueTicket)
        .outerjoin(Room, and_(Room.code == Visit.room_code, Room.valid_to.is_(None)))
        .outerjoin(
            QueueTicket, and_(QueueTicket.visit_id == Visit.visit_id, QueueTicket.state != TicketState.VOID)
        )
        .where(Visit.patient_id == patient_id, Visit.state != VisitState.CANCELLED)
        .order_by(Visit.registered_at.desc(), Visit.visit_id.desc(), QueueTicket.ticket_id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return LastVisit(row.Visit, row.name or row.Visit.room_code, row.QueueTicket.text if row.QueueTicket else "")


def board_version(day: date) -> int:
    """Return a counter that grows with every change of any queue of the day (one keyed read)."""
    return int(session().execute(select(func.sum(QueueState.version)).where(QueueState.day == day)).scalar_one() or 0)


def patient_of_ticket(text: str, day: date) -> int | None:
    """Return whose number this is today ("214-043")."""
    room_code, _, number = text.rpartition("-")
    return session().execute(
        select(Visit.patient_id)
        .join(QueueTicket, QueueTicket.visit_id == Visit.visit_id)
        .where(QueueTicket.room_code == room_code, QueueTicket.day == day, QueueTicket.number == int(number))
    ).scalar_one_or_none()


def paper_was_used(patient_id: int, number: str) -> bool:
    """Tell whether a referral paper came with an earlier visit of this patient."""
    return session().execute(
        select(Visit.visit_id)
        .where(Visit.patient_id == patient_id, Visit.incoming_paper_number == number, Visit.state != VisitState.CANCELLED)
        .limit(1)
    ).first() is not None


def get_check(check_id: int) -> CardCheck | None:
    """Return one stored card check."""
    return session().get(CardCheck, check_id)


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
    birth_on: date
    birth_precision: str
    room_name: str
    is_emergency: bool
    patient_id: int


@dataclass(frozen=True, slots=True)
class RoomQueue:
    """A room on the queue screen: how many wait, were called, are absent, are done."""

    code: str
    name: str
    waiting: int
    called: int
    skipped: int
    done: int


SHOWN = (TicketState.CALLED, TicketState.WAITING, TicketState.SKIPPED)


def queue_rooms(day: date) -> list[RoomQueue]:
    """Return the rooms with tickets or open clinics of the day and their counts (1 statement)."""
    def count(*states: TicketState) -> Any:
        return func.count().filter(QueueTicket.state.in_(states))

    rows = session().execute(
        select(
            Room.code, Room.name, count(TicketState.WAITING).label("waiting"), count(TicketState.CALLED).label("called"),
            count(TicketState.SKIPPED).label("skipped"), count(TicketState.DONE).label("done"),
        )
        .outerjoin(QueueTicket, and_(QueueTicket.room_code == Room.code, QueueTicket.day == day))
        .where(Room.kind == "clinic", Room.valid_from <= day, or_(Room.valid_to.is_(None), Room.valid_to >= day))
        .group_by(Room.code, Room.name, Room.sort)
        .order_by(Room.sort, Room.code)
    )  # fmt: skip
    return [RoomQueue(*row) for row in rows]


def queue_screen(day: date, room_code: str = "", limit: int = 200) -> list[QueueRow]:
    """Return the tickets of the day in calling order: called, waiting, absent (1 statement)."""
    rank = case({state: i for i, state in enumerate(SHOWN)}, value=QueueTicket.state, else_=9)
    statement = (
        select(QueueTicket, Patient, Room.name, Visit.is_emergency)
        .join(Visit, Visit.visit_id == QueueTicket.visit_id)
        .join(Patient, Patient.patient_id == Visit.patient_id)
        .outerjoin(Room, and_(Room.code == QueueTicket.room_code, Room.valid_to.is_(None)))
        .where(QueueTicket.day == day, QueueTicket.state.in_(SHOWN))
        .order_by(rank, QueueTicket.priority.desc(), QueueTicket.number, QueueTicket.room_code)
        .limit(limit)
    )
    if room_code:
        statement = statement.where(QueueTicket.room_code == room_code)
    return [
        QueueRow(t, p.full_name, p.birth_on, p.birth_precision.value, room or t.room_code, urgent, p.patient_id)
        for t, p, room, urgent in session().execute(statement)
    ]


def workplaces(day: date) -> list[tuple[str, str]]:
    """Return where people may work: (room code, words), clinics by number, desks and counters by name (1 statement)."""
    rows = session().execute(
        select(Room)
        .where(Room.valid_from <= day, or_(Room.valid_to.is_(None), Room.valid_to >= day))
        .order_by(Room.sort, Room.code)
    ).scalars()
    return [(room.code, f"{room.name} · {room.place}" if room.place else room.name) for room in rows]
