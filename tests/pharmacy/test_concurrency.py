"""Two dispensers at one prescription, and at the last stock (REL-23)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from his.core.actor import Actor
from his.core.db import session, transaction
from his.core.errors import InvalidState
from his.core.once import new_key
from his.pharmacy import service
from his.prescriptions import service as prescriptions
from his.stock import queries as stock
from his.stock import service as ledger
from his.stock.errors import StockShort
from tests.factories.pharmacy import make_ready
from tests.factories.prescriptions import line, make_draft, make_drug, make_rx_visit


def hand_out(prescription_id: int, who: Actor, key: str = "") -> str:
    with transaction():
        return service.dispense(prescription_id, receiver_name="Mẹ", key=key or new_key(), actor=who).number


def test_two_counters_at_one_prescription(committed: Any, actor: Callable[..., Actor]) -> None:
    rx = make_ready(line(), actor=actor("doctor"))
    people = [actor("pharmacist") for _ in range(4)]
    before = stock.rows(["PRED"])[0].on_hand
    results = committed.parallel(lambda n: hand_out(rx.prescription_id, people[n]), 4)
    assert sum(isinstance(r, str) for r in results) == 1
    assert sum(isinstance(r, InvalidState) for r in results) == 3, results
    session().rollback()
    assert stock.rows(["PRED"])[0].on_hand == before - 9


def test_one_form_sent_five_times_at_once(committed: Any, actor: Callable[..., Actor]) -> None:
    rx = make_ready(line(), actor=actor("doctor"))
    who, key = actor("pharmacist"), new_key()
    results = committed.parallel(lambda _n: hand_out(rx.prescription_id, who, key), 5)
    assert len(set(results)) == 1, results
    assert isinstance(results[0], str)


def test_many_prescriptions_and_a_shelf_that_shrank(committed: Any, actor: Callable[..., Actor]) -> None:
    doctor, pharmacist = actor("doctor"), actor("pharmacist")
    rows = [make_ready(line(), actor=doctor) for _ in range(6)]
    for lot in stock.lots_of("PRED"):
        with transaction():
            ledger.correct(
                lot.lot_id,
                Decimal(20 if lot is stock.lots_of("PRED")[0] else 0),
                reason="kiểm kê lệch",
                actor=pharmacist,
            )
    results = committed.parallel(lambda n: hand_out(rows[n].prescription_id, pharmacist), 6)
    assert sum(isinstance(r, str) for r in results) == 2, results
    assert sum(isinstance(r, StockShort) for r in results) == 4
    session().rollback()
    assert stock.rows(["PRED"])[0].on_hand == 2


def test_signing_races_for_the_last_stock(committed: Any, actor: Callable[..., Actor]) -> None:
    doctor = actor("doctor")
    make_drug("PRED", stock=20)
    drafts = [make_draft(make_rx_visit(), line(), actor=doctor) for _ in range(5)]

    def sign(number: int) -> str:
        with transaction():
            return prescriptions.sign(drafts[number].prescription_id, actor=doctor, key=new_key()).code or ""

    results = committed.parallel(sign, 5)
    assert sum(isinstance(r, str) for r in results) == 2, results
    assert sum(isinstance(r, StockShort) for r in results) == 3
    session().rollback()
    assert stock.rows(["PRED"])[0].held == 18
