"""Handing out: what stops it, what it writes, what taking back gives back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from his.core import clock
from his.core.actor import Actor
from his.core.db import session, transaction
from his.core.errors import InvalidState, NotAllowed
from his.core.once import new_key
from his.pharmacy import queries, rules, service
from his.prescriptions import queries as rx_queries
from his.prescriptions import service as prescriptions
from his.prescriptions.enums import PrescriptionState
from his.prescriptions.models import Prescription
from his.records.models import Visit
from his.stock import queries as stock
from his.stock import service as ledger
from his.stock.errors import StockShort
from tests.factories.pharmacy import make_dispense, make_ready
from tests.factories.prescriptions import line, make_draft, make_drug, make_rx_visit, make_signed, pay
from tests.factories.records import make_patient
from tests.factories.stock import make_lot

pytestmark = pytest.mark.usefixtures("db_session")
Make = Callable[..., Actor]


@pytest.fixture
def people(actor: Make) -> tuple[Actor, Actor]:
    return actor("doctor"), actor("pharmacist")


def test_handing_out_moves_stock_marks_prescription_and_visit(people: Any) -> None:
    doctor, pharmacist = people
    rx = make_ready(line(), actor=doctor)
    before = stock.rows(["PRED"])[0].on_hand
    given = make_dispense(rx, actor=pharmacist)
    assert sum(part.quantity for part in given.lines) == 9
    row = stock.rows(["PRED"])[0]
    assert (row.on_hand, row.held) == (before - 9, 0)
    assert rx_queries.get(rx.prescription_id).state is PrescriptionState.DISPENSED
    assert session().get_one(Visit, rx.visit_id).dispensed_at is not None
    assert given.number.startswith("CP-")


def test_a_double_click_hands_out_once(people: Any) -> None:
    doctor, pharmacist = people
    rx = make_ready(line(), actor=doctor)
    key = new_key()
    first, second = make_dispense(rx, actor=pharmacist, key=key), make_dispense(rx, actor=pharmacist, key=key)
    assert first.dispense_id == second.dispense_id
    with pytest.raises(InvalidState) as caught:
        make_dispense(rx, actor=pharmacist)
    assert caught.value.code == "already_dispensed"


def test_unpaid_is_not_handed_out(people: Any) -> None:
    doctor, pharmacist = people
    rx = make_ready(line(), actor=doctor, paid=False)
    with pytest.raises(InvalidState) as caught:
        make_dispense(rx, actor=pharmacist)
    assert caught.value.code == "unpaid"
    assert stock.rows(["PRED"])[0].held == 9


def test_a_draft_and_a_cancelled_one_are_not_handed_out(people: Any) -> None:
    doctor, pharmacist = people
    make_drug("PRED")
    visit = make_rx_visit()
    rx = make_draft(visit, line(), actor=doctor)
    pay(visit)
    with pytest.raises(InvalidState) as caught:
        make_dispense(rx, actor=pharmacist)
    assert caught.value.code == "not_signed"
    other = make_ready(line(), actor=doctor)
    with transaction():
        prescriptions.cancel(other.prescription_id, "kê nhầm người bệnh", actor=doctor)
    with pytest.raises(InvalidState):
        make_dispense(other, actor=pharmacist)


@pytest.mark.parametrize(("days", "allowed"), [(0, True), (5, True), (6, False)])
def test_five_days_after_signing_and_not_six(people: Any, days: int, allowed: bool) -> None:
    doctor, pharmacist = people
    rx = make_ready(line(), actor=doctor)
    with transaction():
        session().get_one(Prescription, rx.prescription_id).signed_at = clock.now() - timedelta(days=days)
    if allowed:
        assert make_dispense(rx, actor=pharmacist).lines
    else:
        with pytest.raises(InvalidState) as caught:
            make_dispense(rx, actor=pharmacist)
        assert caught.value.code == "validity_expired"


def test_the_prescriber_does_not_hand_out_the_own_prescription(actor: Make) -> None:
    both = actor(("doctor", "pharmacist"))
    rx = make_ready(line(), actor=both)
    with pytest.raises(NotAllowed):
        make_dispense(rx, actor=both)


def test_a_narcotic_asks_for_the_number_of_the_receiver(people: Any) -> None:
    doctor, pharmacist = people
    make_drug("MORPH")
    visit = make_rx_visit(make_patient(), icd="C34.9", weight="60")
    rx = make_signed(visit, line("MORPH", "1", times=2, days=5), actor=doctor)
    pay(visit)
    with pytest.raises(InvalidState) as caught:
        make_dispense(rx, actor=pharmacist)
    assert caught.value.code == "receiver_id_missing"
    assert make_dispense(rx, actor=pharmacist, receiver_id_number="079185000123").receiver_id_number == "079185000123"


def test_short_stock_takes_nothing_of_any_line(people: Any) -> None:
    doctor, pharmacist = people
    make_drug("AMLO")
    rx = make_ready(line("AMLO", "1", days=3), line(), actor=doctor)
    for lot in stock.lots_of("PRED"):
        with transaction():
            ledger.correct(lot.lot_id, Decimal(2), reason="kiểm kê lệch", actor=pharmacist)
    with pytest.raises(StockShort):
        make_dispense(rx, actor=pharmacist)
    session().expire_all()
    assert stock.rows(["AMLO"])[0].held == 3
    assert queries.dispense_of(rx.prescription_id) is None


def test_the_plan_on_the_page_is_what_is_given(people: Any) -> None:
    doctor, pharmacist = people
    make_drug("PRED", stock=None)
    make_lot("PRED", 4, lot_number="SOON", expires_on=clock.today() + timedelta(days=30))
    make_lot("PRED", 50, lot_number="TOO", expires_on=clock.today() + timedelta(days=1))
    make_lot("PRED", 50, lot_number="LATE", expires_on=clock.today() + timedelta(days=300))
    visit = make_rx_visit()
    rx = make_signed(visit, line(), actor=doctor)
    pay(visit)
    page = queries.counter(rx.prescription_id, pharmacist)
    planned = [(a.lot_number, a.quantity) for a in page.lines[0].lots]
    assert planned == [("SOON", Decimal(4)), ("LATE", Decimal(5))]
    assert page.lines[0].skipped == 1
    assert page.stops == ()
    given = make_dispense(rx, actor=pharmacist)
    assert [(p.lot_number, p.quantity) for p in given.lines] == planned
    assert [
        (a.lot_number, a.quantity) for a in queries.counter(rx.prescription_id, pharmacist).lines[0].lots
    ] == planned


def test_taking_back_gives_everything_back_and_it_can_be_handed_out_again(people: Any) -> None:
    doctor, pharmacist = people
    rx = make_ready(line(), actor=doctor)
    before = [(lot.lot_id, lot.quantity) for lot in stock.lots_of("PRED")]
    make_dispense(rx, actor=pharmacist)
    with pytest.raises(InvalidState), transaction():
        service.take_back(rx.prescription_id, "x", actor=pharmacist)
    with transaction():
        service.take_back(rx.prescription_id, "gia đình xin trả", actor=pharmacist)
    session().expire_all()
    assert [(lot.lot_id, lot.quantity) for lot in stock.lots_of("PRED")] == before
    assert rx_queries.get(rx.prescription_id).state is PrescriptionState.SIGNED
    assert make_dispense(rx, actor=pharmacist).voided_at is None
    other = make_ready(line(), actor=doctor)
    with pytest.raises(InvalidState), transaction():
        service.take_back(other.prescription_id, "chưa cấp mà trả", actor=pharmacist)


def test_a_scanned_code_is_read_whatever_its_case() -> None:
    assert service.code_of(" 79999A1B2C3D-c ") == "79999a1b2c3d-C"
    assert service.code_of("79B99a1b2c3d-N") == "79B99a1b2c3d-N"
    assert service.code_of("trần") == "trần"


def test_reasons_come_in_the_order_of_weight() -> None:
    facts = rules.DispenseFacts("signed", "N", clock.today() - timedelta(days=9), clock.today(), False, True)
    assert [f.code for f in rules.check_dispense(facts)] == [
        "own_prescription",
        "validity_expired",
        "unpaid",
        "receiver_id_missing",
    ]
