"""A form posted twice acts once (REL-02)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from his.core.actor import SYSTEM, Actor
from his.core.db import session, transaction
from his.core.errors import Conflict
from his.core.once import RequestKey, new_key, once
from his.core.sequences import next_number

PERSON = Actor(user_id=7, name="Người Thử")


def pay(key: str, *, amount: int = 100, actor: Actor = PERSON, action: str = "pay") -> dict[str, Any]:
    with transaction():
        return once(
            key, action=action, actor=actor, body={"amount": amount}, effect=lambda: {"number": next_number("receipt")}
        )


def test_the_second_arrival_gets_the_first_result(db_session: Any) -> None:
    key = new_key()
    assert pay(key) == pay(key) == {"number": 1}


def test_another_form_acts_again(db_session: Any) -> None:
    assert (pay(new_key())["number"], pay(new_key())["number"]) == (1, 2)


@pytest.mark.parametrize(
    "other", [{"amount": 200}, {"actor": Actor(user_id=8, name="Người khác")}, {"actor": SYSTEM}, {"action": "refund"}]
)
def test_the_same_key_with_other_content_is_refused(db_session: Any, other: dict[str, Any]) -> None:
    key = new_key()
    pay(key)
    with pytest.raises(Conflict, match="nội dung khác"):
        pay(key, **other)


@pytest.mark.parametrize("key", ["", "x" * 65])
def test_a_form_without_a_usable_key_is_refused(db_session: Any, key: str) -> None:
    with pytest.raises(Conflict, match="Tải lại trang"):
        pay(key)


def test_a_failed_effect_leaves_the_key_unused(committed: Any) -> None:
    key = new_key()

    def fail() -> dict[str, Any]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), transaction():
        once(key, action="pay", actor=PERSON, body={"amount": 100}, effect=fail)
    assert pay(key) == {"number": 1}


def test_twenty_arrivals_at_once_act_once(committed: Any) -> None:
    key = new_key()
    results = committed.parallel(lambda _: pay(key), 20)
    assert results == [{"number": 1}] * 20
    assert session().execute(select(func.count()).select_from(RequestKey)).scalar_one() == 1


def test_keys_are_long_and_all_different() -> None:
    keys = {new_key() for _ in range(1000)}
    assert len(keys) == 1000
    assert all(30 <= len(key) <= 64 for key in keys)
