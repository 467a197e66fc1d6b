"""Rows that must reach another system (REL-04 … REL-12).

A fact and its message are written in one transaction. A worker marks the row ``sending`` and commits **before** the
call, calls, and stores request, answer and time. What certainly did not arrive is retried with growing pauses; what
may have arrived is ``unknown`` and never resent by a machine.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, String, Text, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from his.core import clock
from his.core.db import Base, Id, after_commit, enum_column, session, transaction
from his.core.errors import InvalidState, NotFound
from his.core.module import registry

DELIVER_TASK = "core.outbox_deliver"
SWEEP_TASK = "core.outbox_sweep"
LEASE = timedelta(minutes=5)
FIRST_PAUSES = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
LATER_PAUSE = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(hours=24)


class OutboxState(StrEnum):
    """Where a message stands."""

    READY = "ready"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    DEAD = "dead"


class OutboxMessage(Base):
    """One message to one outside system. ``payload`` holds ids and codes only, never names or diagnoses."""

    __tablename__ = "outbox_messages"
    __table_args__ = (Index("ix_outbox_messages_due", "state", "next_at"),)

    message_id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(80), index=True)
    dedup_key: Mapped[str] = mapped_column(String(120), unique=True)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[OutboxState] = mapped_column(enum_column(OutboxState), default=OutboxState.READY)
    attempt_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    next_at: Mapped[datetime] = mapped_column(default=clock.now)
    lease_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    answer_code: Mapped[str] = mapped_column(String(40), default="")
    answer: Mapped[str] = mapped_column(Text, default="")
    user_id: Mapped[int | None]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a deliverer gets: plain values."""

    message_id: int
    kind: str
    payload: dict[str, Any]
    attempt: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a deliverer says: ``state`` is SENT, REFUSED, UNKNOWN or READY (= certainly not received, try again)."""

    state: OutboxState
    code: str = ""
    answer: str = ""


def put(kind: str, *, dedup_key: str, user_id: int | None = None, **payload: Any) -> OutboxMessage:
    """Queue a message in the caller's transaction; a worker is told after commit. Same key twice = one message."""
    here = session()
    message = OutboxMessage(kind=kind, dedup_key=dedup_key, payload=payload, user_id=user_id)
    try:
        with here.begin_nested():
            here.add(message)
            here.flush()  # the unique key decides whether it was queued before
    except IntegrityError:
        return here.execute(select(OutboxMessage).filter_by(dedup_key=dedup_key)).scalar_one()
    message_id = message.message_id
    after_commit(lambda: _tell_worker(message_id))
    return message


def _tell_worker(message_id: int) -> None:
    from his.core import jobs  # noqa: PLC0415 - jobs runs the sweeper, the sweeper lives here

    jobs.enqueue_quietly(DELIVER_TASK, message_id=message_id)


def deliver(message_id: int) -> OutboxState:
    """Send one message, if it is due and nobody else is sending it. Safe to run twice."""
    now = clock.now()
    with transaction() as here:
        claimed = here.execute(
            update(OutboxMessage)
            .where(
                OutboxMessage.message_id == message_id,
                OutboxMessage.state == OutboxState.READY,
                OutboxMessage.next_at <= now,
            )
            .values(state=OutboxState.SENDING, lease_until=now + LEASE, attempt_count=OutboxMessage.attempt_count + 1)
            .execution_options(synchronize_session=False)
        )
        message = here.get(OutboxMessage, message_id, populate_existing=True)
        if message is None:
            raise NotFound(f"Không có thông điệp số {message_id}.")
        if claimed.rowcount == 0:  # type: ignore[attr-defined]
            return message.state
    envelope = Envelope(message.message_id, message.kind, dict(message.payload), message.attempt_count)
    delivery = registry().outbox_handler(message.kind)(envelope)
    with transaction() as here:
        message = here.get_one(OutboxMessage, message_id, populate_existing=True)
        _store(message, delivery)
    return message.state


def _store(message: OutboxMessage, delivery: Delivery) -> None:
    now = clock.now()
    message.answer_code = delivery.code
    message.answer = delivery.answer[:4000]
    message.lease_until = None
    message.state = delivery.state
    if delivery.state is not OutboxState.READY:
        message.finished_at = now
    elif now - message.created_at > GIVE_UP_AFTER:
        message.state = OutboxState.DEAD
        message.finished_at = now
    else:
        index = message.attempt_count - 1
        pause = FIRST_PAUSES[index] if index < len(FIRST_PAUSES) else LATER_PAUSE
        message.next_at = now + pause * random.uniform(1, 1.2)  # noqa: S311 - spreads load, guards nothing


def sweep(limit: int = 200) -> Sequence[int]:
    """Return the ids of messages due now, after marking senders that died as ``unknown`` (they may have sent)."""
    now = clock.now()
    with transaction() as here:
        here.execute(
            update(OutboxMessage)
            .where(OutboxMessage.state == OutboxState.SENDING, OutboxMessage.lease_until < now)
            .values(state=OutboxState.UNKNOWN, finished_at=now, answer="Tiến trình gửi dừng giữa chừng.")
            .execution_options(synchronize_session=False)
        )
        return (
            here.execute(
                select(OutboxMessage.message_id)
                .where(OutboxMessage.state == OutboxState.READY, OutboxMessage.next_at <= now)
                .order_by(OutboxMessage.message_id)
                .limit(limit)
            )
            .scalars()
            .all()
        )


def resend(message_id: int) -> OutboxMessage:
    """A person decided that an unknown, refused or dead message must go again."""
    message = session().get(OutboxMessage, message_id, with_for_update=True, populate_existing=True)
    if message is None:
        raise NotFound("Không tìm thấy thông điệp.")
    if message.state not in (OutboxState.UNKNOWN, OutboxState.REFUSED, OutboxState.DEAD):
        raise InvalidState("Chỉ gửi lại thông điệp bị từ chối, chưa rõ kết quả hoặc đã dừng.")
    message.state = OutboxState.READY
    message.next_at = clock.now()
    message.finished_at = None
    return message


def waiting_count() -> int:
    """Return how many messages wait to be sent (for the top bar)."""
    return int(
        session()
        .execute(select(func.count()).select_from(OutboxMessage).where(OutboxMessage.state == OutboxState.READY))
        .scalar_one()
    )
