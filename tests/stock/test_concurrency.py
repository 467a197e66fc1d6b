"""Many counters at once on real connections: never negative, never twice (REL-23)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from his.core.actor import SYSTEM
from his.core.db import session, transaction
from his.stock import queries, service
from his.stock.errors import StockShort
from his.stock.models import StockLot, StockMovement
from tests.factories.stock import make_lot


def outcomes(results: list[Any]) -> tuple[int, int]:
    """Return how many got it and how many were told that stock is short; anything else is a failure."""
    strange = [r for r in results if isinstance(r, Exception) and not isinstance(r, StockShort)]
    assert not strange, strange
    short = sum(isinstance(r, StockShort) for r in results)
    return len(results) - short, short


def test_twenty_takers_of_the_last_seven(committed: Any) -> None:
    make_lot("A", 4)
    make_lot("A", 3)

    def take(number: int) -> bool:
        with transaction():
            service.issue("A", Decimal(1), source_kind="taker", source_id=number, actor=SYSTEM)
        return True

    assert outcomes(committed.parallel(take, 20)) == (7, 13)
    session().rollback()
    assert queries.rows(["A"])[0].on_hand == 0
    moved = session().execute(select(func.sum(StockMovement.quantity))).scalar_one()
    assert moved == 0


def test_promises_never_exceed_the_shelf(committed: Any) -> None:
    make_lot("A", 10)

    def promise(number: int) -> bool:
        with transaction():
            service.reserve("A", Decimal(3), source_kind="line", source_id=number, actor=SYSTEM)
        return True

    assert outcomes(committed.parallel(promise, 8)) == (3, 5)
    session().rollback()
    row = queries.rows(["A"])[0]
    assert (row.held, row.available) == (9, 1)


def test_holding_and_handing_out_of_two_products_in_either_order_never_dead_lock(committed: Any) -> None:
    for code in ("A", "B"):
        make_lot(code, 100)
        make_lot(code, 100)

    def both(number: int) -> bool:
        with transaction():
            # The callers' rule: products in the order of their codes.
            for code in sorted(("A", "B") if number % 2 else ("B", "A")):
                service.reserve(code, Decimal(1), source_kind="line", source_id=number * 10 + ord(code), actor=SYSTEM)
        with transaction():
            for code in ("A", "B"):
                service.issue(code, Decimal(1), source_kind="line", source_id=number * 10 + ord(code), actor=SYSTEM)
        return True

    assert outcomes(committed.parallel(both, 12)) == (12, 0)
    session().rollback()
    assert [(r.on_hand, r.held) for r in queries.rows()] == [(188, 0), (188, 0)]


def test_two_desks_receive_the_same_new_lot(committed: Any) -> None:
    from datetime import timedelta

    from his.core import clock

    def bring(_number: int) -> bool:
        with transaction():
            service.receive(
                drug_code="A",
                lot_number="NEW",
                expires_on=clock.today() + timedelta(days=300),
                quantity=Decimal(5),
                actor=SYSTEM,
            )
        return True

    assert outcomes(committed.parallel(bring, 4)) == (4, 0)
    session().rollback()
    assert session().execute(select(StockLot.quantity)).scalars().all() == [20]
