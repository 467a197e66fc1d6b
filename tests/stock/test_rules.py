"""First expiry first out, on plain values."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest

from his.stock.rules import LotFacts, allocate, usable

TODAY = date(2026, 11, 23)


def lot(number: int, quantity: int | str, days: int = 365) -> LotFacts:
    return LotFacts(number, f"L{number}", TODAY + timedelta(days=days), Decimal(quantity))


def test_the_lot_that_expires_first_goes_first_whatever_its_place() -> None:
    found = allocate([lot(1, 10, 300), lot(2, 10, 30), lot(3, 10, 90)], Decimal(15), TODAY)
    assert [(a.lot_id, a.quantity) for a in found] == [(2, Decimal(10)), (3, Decimal(5))]


@pytest.mark.parametrize(("days", "given"), [(-1, False), (0, True), (1, True)])
def test_a_lot_is_given_on_its_last_day_and_not_after(days: int, given: bool) -> None:
    assert bool(allocate([lot(1, 5, days)], Decimal(5), TODAY)) is given


def test_lots_that_end_within_the_course_are_skipped() -> None:
    last = TODAY + timedelta(days=9)
    found = allocate([lot(1, 50, 5), lot(2, 50, 200)], Decimal(20), last)
    assert [a.lot_id for a in found] == [2]
    assert usable([lot(1, 50, 5), lot(2, 50, 200)], last) == 50


def test_too_little_takes_nothing() -> None:
    assert allocate([lot(1, 3), lot(2, 4)], Decimal(8), TODAY) == ()
    assert allocate([], Decimal(1), TODAY) == ()


def test_what_is_taken_adds_up_and_never_exceeds_a_lot() -> None:
    chance = random.Random(7)
    for _ in range(300):
        lots = [lot(i, chance.randint(0, 9), chance.randint(-20, 400)) for i in range(8)]
        wanted = Decimal(chance.randint(1, 40))
        found = allocate(lots, wanted, TODAY)
        by_id = {item.lot_id: item for item in lots}
        if not found:
            assert usable(lots, TODAY) < wanted
            continue
        assert sum(a.quantity for a in found) == wanted
        assert all(0 < a.quantity <= by_id[a.lot_id].quantity for a in found)
        assert [a.expires_on for a in found] == sorted(a.expires_on for a in found)
