"""What must reach another system: sent once, retried when surely not received, never resent when it may have been."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from his.core import clock, outbox
from his.core.db import session, transaction
from his.core.errors import InvalidState, NotFound
from his.core.module import Module, Registry
from his.core.outbox import Delivery, OutboxMessage, OutboxState

Answer = Callable[[outbox.Envelope], Delivery]


class Other:
    """An outside system that answers as told and remembers what it got."""

    def __init__(self) -> None:
        self.got: list[outbox.Envelope] = []
        self.answer: Answer = lambda _: Delivery(OutboxState.SENT, "200", "nhận rồi")
        self._lock = threading.Lock()

    def __call__(self, envelope: outbox.Envelope) -> Delivery:
        with self._lock:
            self.got.append(envelope)
        return self.answer(envelope)


@pytest.fixture
def other(app: Flask) -> Iterator[Other]:
    registry: Registry = app.extensions["his"]
    system = Other()
    registry.add(Module(name="planted", outbox={"planted.send": system}))
    yield system
    registry.modules.pop()


def put(key: str = "k1", **payload: Any) -> int:
    with transaction():
        return outbox.put("planted.send", dedup_key=key, user_id=7, **payload).message_id


def stored(message_id: int) -> OutboxMessage:
    return session().get_one(OutboxMessage, message_id, populate_existing=True)


def test_a_message_is_delivered_with_its_payload(db_session: Any, other: Other) -> None:
    number = put(claim_id=5)
    assert outbox.deliver(number) is OutboxState.SENT
    row = stored(number)
    assert (row.answer_code, row.answer, row.attempt_count, row.user_id) == ("200", "nhận rồi", 1, 7)
    assert row.finished_at is not None
    assert other.got == [outbox.Envelope(number, "planted.send", {"claim_id": 5}, 1)]


def test_the_same_key_is_one_message(db_session: Any, other: Other) -> None:
    assert put("same") == put("same")


def test_a_delivered_message_is_not_sent_again(db_session: Any, other: Other) -> None:
    number = put()
    outbox.deliver(number)
    assert outbox.deliver(number) is OutboxState.SENT
    assert len(other.got) == 1


def test_a_message_of_a_rolled_back_fact_is_not_there(db_session: Any, other: Other) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        outbox.put("planted.send", dedup_key="gone")
        raise ZeroDivisionError
    assert outbox.sweep() == []


def test_an_unknown_message_is_named(db_session: Any) -> None:
    with pytest.raises(NotFound):
        outbox.deliver(999_999)


def test_what_was_not_received_is_tried_again_with_growing_pauses(db_session: Any, other: Other) -> None:
    other.answer = lambda _: Delivery(OutboxState.READY, "503", "bận")
    with time_machine.travel("2026-11-23T01:00:00Z", tick=False) as at:
        number = put()
        pauses = []
        for _ in range(5):
            assert outbox.deliver(number) is OutboxState.READY
            assert outbox.deliver(number) is OutboxState.READY, "not due: not sent"
            pause = stored(number).next_at - clock.now()
            pauses.append(pause)
            assert outbox.sweep() == []
            at.shift(pause + timedelta(seconds=1))
            assert outbox.sweep() == [number]
    assert len(other.got) == 5
    least = [timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=1)]
    assert all(low <= pause <= low * 1.2 for low, pause in zip(least, pauses, strict=True))


def test_after_a_day_of_trying_the_message_is_dead(db_session: Any, other: Other) -> None:
    other.answer = lambda _: Delivery(OutboxState.READY, "", "không kết nối")
    with time_machine.travel("2026-11-23T01:00:00Z", tick=False) as at:
        number = put()
        at.shift(timedelta(hours=25))
        assert outbox.deliver(number) is OutboxState.DEAD
        assert outbox.sweep() == []


@pytest.mark.parametrize("state", [OutboxState.UNKNOWN, OutboxState.REFUSED])
def test_unknown_and_refused_are_never_resent_by_a_machine(db_session: Any, other: Other, state: OutboxState) -> None:
    other.answer = lambda _: Delivery(state, "x", "y")
    with time_machine.travel("2026-11-23T01:00:00Z", tick=False) as at:
        number = put()
        assert outbox.deliver(number) is state
        at.shift(timedelta(days=2))
        assert outbox.sweep() == []
        assert outbox.deliver(number) is state
    assert len(other.got) == 1


@pytest.mark.parametrize("state", [OutboxState.UNKNOWN, OutboxState.REFUSED, OutboxState.DEAD])
def test_a_person_may_send_it_again(db_session: Any, other: Other, state: OutboxState) -> None:
    number = put()
    with transaction() as here:
        here.get_one(OutboxMessage, number).state = state
    with transaction():
        outbox.resend(number)
    assert outbox.sweep() == [number]
    assert outbox.deliver(number) is OutboxState.SENT


@pytest.mark.parametrize("state", [OutboxState.READY, OutboxState.SENDING, OutboxState.SENT])
def test_what_is_on_its_way_or_sent_is_not_sent_again(db_session: Any, other: Other, state: OutboxState) -> None:
    number = put()
    with transaction() as here:
        here.get_one(OutboxMessage, number).state = state
    with pytest.raises(InvalidState), transaction():
        outbox.resend(number)


def test_resending_what_is_not_there_is_named(db_session: Any) -> None:
    with pytest.raises(NotFound), transaction():
        outbox.resend(999_999)


def test_a_sender_that_died_leaves_an_unknown_message(committed: Any, other: Other) -> None:
    def die(_: outbox.Envelope) -> Delivery:
        raise KeyboardInterrupt  # what a killed worker looks like from inside

    other.answer = die
    number = put()
    with pytest.raises(KeyboardInterrupt):
        outbox.deliver(number)
    assert stored(number).state is OutboxState.SENDING, "the mark was committed before the call"
    assert outbox.sweep() == []
    with time_machine.travel(clock.now() + outbox.LEASE + timedelta(seconds=1)):
        assert outbox.sweep() == []
    assert stored(number).state is OutboxState.UNKNOWN


def test_eight_workers_send_each_message_once(committed: Any, other: Other) -> None:
    numbers = [put(f"k{i}") for i in range(25)]

    def work(_: int) -> None:
        for number in numbers:
            outbox.deliver(number)

    assert committed.parallel(work, 8) == [None] * 8
    assert sorted(envelope.message_id for envelope in other.got) == numbers
    assert outbox.waiting_count() == 0


def test_waiting_messages_are_counted(db_session: Any, other: Other) -> None:
    put("a"), put("b")
    assert outbox.waiting_count() == 2
