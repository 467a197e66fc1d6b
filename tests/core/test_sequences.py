"""Running numbers: never shared, never lost, given back when rolled back (REL-20, REL-21)."""

from __future__ import annotations

from typing import Any

import pytest

from his.core.db import transaction
from his.core.sequences import next_number


def test_numbers_count_from_one_per_series_and_period(db_session: Any) -> None:
    with transaction():
        assert [next_number("visit", "2026") for _ in range(3)] == [1, 2, 3]
        assert next_number("visit", "2027") == 1
        assert next_number("receipt", "2026") == 1


def test_a_number_is_taken_inside_a_unit_of_work(db_session: Any) -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        next_number("visit")


def test_a_rolled_back_number_is_given_back(committed: Any) -> None:
    with transaction():
        next_number("receipt")
    with pytest.raises(ZeroDivisionError), transaction():
        assert next_number("receipt") == 2
        raise ZeroDivisionError
    with transaction():
        assert next_number("receipt") == 2


def test_fifty_takers_share_no_number_and_lose_none(committed: Any) -> None:
    def take(_: int) -> list[int]:
        found = []
        for _again in range(4):
            with transaction():
                found.append(next_number("queue:214", "2026-11-23"))
        return found

    taken = committed.parallel(take, 50)
    assert sorted(number for numbers in taken for number in numbers) == list(range(1, 201))
    assert all(numbers == sorted(numbers) for numbers in taken)


def test_failing_takers_leave_no_gap(committed: Any) -> None:
    def take(number: int) -> int:
        with transaction():
            mine = next_number("receipt", "2026")
            if number % 3 == 0:
                raise ZeroDivisionError
            return mine

    kept = [n for n in committed.parallel(take, 30) if isinstance(n, int)]
    assert sorted(kept) == list(range(1, 21))
