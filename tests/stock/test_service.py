"""The ledger: every change has a movement, the sum of movements is the lot, nothing goes below zero."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from his.audit.models import AuditEvent
from his.core import clock
from his.core.actor import SYSTEM
from his.core.db import session, transaction
from his.core.once import new_key
from his.stock import queries, service
from his.stock.errors import BadQuantity, LotNotFound, StockShort
from his.stock.models import StockLot, StockMovement
from tests.factories.stock import make_lot

pytestmark = pytest.mark.usefixtures("db_session")
SOURCE = "test"


def issue(code: str, quantity: int, source: int = 1) -> None:
    with transaction():
        service.issue(code, Decimal(quantity), source_kind=SOURCE, source_id=source, actor=SYSTEM)


def reserve(code: str, quantity: int, source: int = 1) -> None:
    with transaction():
        service.reserve(code, Decimal(quantity), source_kind=SOURCE, source_id=source, actor=SYSTEM)


def sums_agree() -> bool:
    rows = session().execute(
        select(StockLot.quantity, func.sum(StockMovement.quantity)).join(StockMovement, StockMovement.lot_id == StockLot.lot_id)
        .group_by(StockLot.lot_id, StockLot.quantity)
    ).all()  # fmt: skip
    return all(quantity == moved for quantity, moved in rows)


def test_receiving_the_same_lot_twice_adds_up_and_one_key_counts_once() -> None:
    make_lot("A", 10, lot_number="X1")
    lot = make_lot("A", 5, lot_number="X1")
    assert lot.quantity == 15
    key = new_key()
    for _ in range(2):
        with transaction():
            service.receive(
                drug_code="A", lot_number="X1", expires_on=lot.expires_on, quantity=Decimal(1), key=key, actor=SYSTEM
            )
    assert queries.rows(["A"])[0].on_hand == 16
    assert sums_agree()


@pytest.mark.parametrize(("quantity", "days", "number"), [(0, 100, "L"), (-1, 100, "L"), (5, -1, "L"), (5, 100, " ")])
def test_impossible_receipts_are_refused(quantity: int, days: int, number: str) -> None:
    with pytest.raises(BadQuantity), transaction():
        service.receive(drug_code="A", lot_number=number, expires_on=clock.today() + timedelta(days=days),
                        quantity=Decimal(quantity), actor=SYSTEM)  # fmt: skip
    assert queries.lots_of("A") == []


def test_reserving_counts_what_others_hold() -> None:
    make_lot("A", 10)
    reserve("A", 7)
    with pytest.raises(StockShort) as caught, transaction():
        service.reserve("A", Decimal(4), source_kind=SOURCE, source_id=2, name="Thuốc A", actor=SYSTEM)
    assert "Thuốc A: kho còn 3" in caught.value.message
    reserve("A", 3, 3)
    with transaction():
        service.release(SOURCE, 1, actor=SYSTEM)
        service.release(SOURCE, 1, actor=SYSTEM)
    assert queries.available(["A"])["A"] == 7


def test_issuing_takes_first_expiry_and_closes_the_hold() -> None:
    make_lot("A", 5, lot_number="LATE", expires_on=clock.today() + timedelta(days=400))
    make_lot("A", 5, lot_number="SOON", expires_on=clock.today() + timedelta(days=40))
    reserve("A", 7)
    with transaction():
        parts = service.issue("A", Decimal(7), source_kind=SOURCE, source_id=1, actor=SYSTEM)
    assert [(p.lot_number, p.quantity) for p in parts] == [("SOON", Decimal(5)), ("LATE", Decimal(2))]
    row = queries.rows(["A"])[0]
    assert (row.on_hand, row.held, row.lot_count) == (3, 0, 1)
    assert sums_agree()


def test_what_is_held_for_others_is_not_issued_without_a_hold() -> None:
    make_lot("A", 10)
    reserve("A", 8)
    with pytest.raises(StockShort):
        issue("A", 3, 2)
    issue("A", 2, 3)
    issue("A", 8)
    assert queries.rows(["A"])[0].on_hand == 0


def test_taking_back_returns_to_the_very_lots_and_holds_again() -> None:
    soon = make_lot("A", 5, lot_number="SOON", expires_on=clock.today() + timedelta(days=40))
    late = make_lot("A", 5, lot_number="LATE")
    reserve("A", 7)
    issue("A", 7)
    with transaction():
        service.take_back(SOURCE, 1, reason="trả lại", actor=SYSTEM)
        service.take_back(SOURCE, 1, reason="trả lại", actor=SYSTEM)
    assert (soon.quantity, late.quantity) == (5, 5)
    assert queries.rows(["A"])[0].held == 7
    assert sums_agree()


def test_a_count_is_corrected_by_a_movement_with_a_reason() -> None:
    lot = make_lot("A", 10)
    for counted, reason in ((Decimal(-1), "kiểm kê lệch"), (Decimal(9), "x")):
        with pytest.raises(BadQuantity), transaction():
            service.correct(lot.lot_id, counted, reason=reason, actor=SYSTEM)
    with transaction():
        service.correct(lot.lot_id, Decimal(8), reason="vỡ hai viên", actor=SYSTEM)
        service.correct(lot.lot_id, Decimal(8), reason="vỡ hai viên", actor=SYSTEM)
    moves = queries.movements_of("A")
    assert (moves[0].kind.value, moves[0].quantity, moves[0].reason) == ("correction", Decimal(-2), "vỡ hai viên")
    assert len(moves) == 2
    assert sums_agree()
    told = session().execute(select(AuditEvent.action).where(AuditEvent.subject_type == "stock_lot")).scalars().all()
    assert sorted(told) == ["stock.correct", "stock.receive"]
    with pytest.raises(LotNotFound), transaction():
        service.correct(999_999, Decimal(1), reason="không có lô", actor=SYSTEM)


def test_expired_lots_are_neither_counted_nor_given(monkeypatch: pytest.MonkeyPatch) -> None:
    lot = make_lot("A", 10, expires_on=clock.today() + timedelta(days=3))
    later = clock.now() + timedelta(days=5)
    monkeypatch.setattr(clock, "now", lambda: later)
    row = queries.rows(["A"])[0]
    assert (row.on_hand, row.expired, row.first_expiry) == (0, 10, None)
    with pytest.raises(StockShort):
        issue("A", 1)
    assert lot.quantity == 10
