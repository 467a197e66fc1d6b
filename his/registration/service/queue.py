"""Numbers and calls: who is next in which room."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from his.audit import service as audit
from his.core import clock
from his.core.actor import Actor
from his.core.config import current
from his.core.db import session
from his.core.errors import InvalidState, NotFound
from his.core.sequences import next_number
from his.records import service as records
from his.registration import queries, rules
from his.registration.enums import Action, TicketState
from his.registration.models import QueueState, QueueTicket


def queue_changed(room_code: str, day: date) -> None:
    """Move the change counter of a room's queue: screens that poll fetch it anew."""
    here = session()
    insert = sqlite_insert if here.get_bind().dialect.name == "sqlite" else postgres_insert
    here.execute(
        insert(QueueState)
        .values(room_code=room_code, day=day, version=1)
        .on_conflict_do_update(
            index_elements=[QueueState.room_code, QueueState.day], set_={"version": QueueState.version + 1}
        )
    )


def take_number(room_code: str, visit_id: int, *, priority: int, reason: str, actor: Actor) -> QueueTicket:
    """Give the next number of a room and day: unique, in order, without gaps (the counter row is locked, REL-20)."""
    del actor  # the use case that takes the number writes the audit entry
    day = clock.today()
    number = next_number(f"queue:{room_code}", day.isoformat())
    before = session().execute(
        select(func.count())
        .select_from(QueueTicket)
        .where(
            QueueTicket.room_code == room_code, QueueTicket.day == day,
            QueueTicket.state.in_((TicketState.WAITING, TicketState.CALLED)),
        )
    ).scalar_one()  # fmt: skip
    minutes = rules.expected_wait_minutes(before, current().expected_minutes_per_patient)
    ticket = QueueTicket(
        room_code=room_code, day=day, number=number, visit_id=visit_id, priority=priority, priority_reason=reason,
        expected_at=clock.now() + timedelta(minutes=minutes),
    )  # fmt: skip
    session().add(ticket)
    session().flush()  # the audit entry names the row
    queue_changed(room_code, day)
    return ticket


def call_next(room_code: str, *, actor: Actor) -> QueueTicket | None:
    """Call the next patient of a room; two callers never call the same one. None when nobody waits."""
    day = clock.today()
    ticket = session().execute(
        select(QueueTicket)
        .where(QueueTicket.room_code == room_code, QueueTicket.day == day, QueueTicket.state == TicketState.WAITING)
        .order_by(QueueTicket.priority.desc(), QueueTicket.number)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    return _call(ticket, actor) if ticket is not None else None


def locked_ticket(ticket_id: int) -> QueueTicket:
    """Return a ticket locked until the end of the transaction. Raises `NotFound`."""
    ticket = session().get(QueueTicket, ticket_id, with_for_update=True, populate_existing=True)
    if ticket is None:
        raise NotFound("Không tìm thấy số này.")
    return ticket


def call(ticket_id: int, *, actor: Actor) -> QueueTicket:
    """Call (again) a ticket out of order."""
    ticket = locked_ticket(ticket_id)
    if ticket.state in (TicketState.DONE, TicketState.VOID):
        raise InvalidState("Số này đã xong hoặc đã hủy.")
    return _call(ticket, actor)


def _call(ticket: QueueTicket, actor: Actor) -> QueueTicket:
    ticket.state = TicketState.CALLED
    ticket.called_at = clock.now()
    ticket.call_count += 1
    records.mark_called(ticket.visit_id, actor=actor)
    queue_changed(ticket.room_code, ticket.day)
    audit.record(actor, Action.TICKET_CALL, subject_type="ticket", subject_id=ticket.ticket_id, visit_id=ticket.visit_id,
                 details={"ticket": ticket.text})  # fmt: skip
    return ticket


def skip(ticket_id: int, *, actor: Actor) -> QueueTicket:
    """The called patient is absent: the number stays and may be called again."""
    ticket = locked_ticket(ticket_id)
    if ticket.state in (TicketState.DONE, TicketState.VOID):
        raise InvalidState("Số này đã xong hoặc đã hủy.")
    ticket.state = TicketState.SKIPPED
    queue_changed(ticket.room_code, ticket.day)
    audit.record(actor, Action.TICKET_SKIP, subject_type="ticket", subject_id=ticket_id, visit_id=ticket.visit_id,
                 details={"ticket": ticket.text})  # fmt: skip
    return ticket


def finish_visit_ticket(visit_id: int, *, actor: Actor) -> None:
    """The patient leaves the room for good."""
    ticket = queries.ticket_of_visit(visit_id)
    if ticket is None or ticket.state is TicketState.DONE:
        return
    ticket.state = TicketState.DONE
    ticket.done_at = clock.now()
    queue_changed(ticket.room_code, ticket.day)
    audit.record(actor, Action.TICKET_DONE, subject_type="ticket", subject_id=ticket.ticket_id, visit_id=visit_id,
                 details={"ticket": ticket.text})  # fmt: skip
