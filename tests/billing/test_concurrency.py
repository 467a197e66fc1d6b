"""Two presses, two tabs, two people at the same moment: real threads, real commits."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import func, select

from his.billing import service
from his.billing.enums import PaymentMethod
from his.billing.errors import AlreadySettled
from his.billing.models import Charge, Payment, Settlement, SettlementLine
from his.core.db import session, transaction
from his.core.once import new_key
from tests.factories import billing as make
from tests.factories.identity import login, make_user


def count(model: type) -> int:
    return session().execute(select(func.count()).select_from(model)).scalar_one()


def test_a_double_click_pays_once(committed, actor) -> None:
    visit, cashier, key = make.to_pay(actor("doctor")), actor("cashier"), new_key()
    session().commit()

    def press(_number: int) -> int:
        with transaction():
            return service.settle(
                visit.visit_id,
                method=PaymentMethod.CASH,
                tendered=None,
                key=key,
                expected=Decimal(110_120),
                actor=cashier,
            ).settlement_id

    assert len(set(committed.parallel(press, 6))) == 1
    assert (count(Settlement), count(Payment), count(SettlementLine)) == (1, 1, 2)


def test_two_requests_of_one_form_pay_once(committed, app) -> None:
    visit = make.to_pay(make_user("doctor").as_actor())
    person = make_user("cashier")
    session().commit()
    form = {"idempotency_key": new_key(), "expected": "110120", "method": "cash", "tendered": "200.000"}

    def post(_number: int) -> int:
        browser = app.test_client()
        login(browser, person)
        return browser.post(f"/billing/visits/{visit.visit_id}/pay", data=form).status_code

    assert committed.parallel(post, 2) == [303, 303]
    assert (count(Settlement), count(Payment)) == (1, 1)


def test_two_cashiers_take_the_money_of_a_visit_once(committed, actor) -> None:
    visit = make.to_pay(actor("doctor"))
    people = [actor("cashier") for _ in range(4)]
    session().commit()

    def take(number: int) -> int:
        with transaction():
            return service.settle(
                visit.visit_id, method=PaymentMethod.CASH, tendered=None, key=new_key(), expected=Decimal(110_120),
                actor=people[number],
            ).settlement_id  # fmt: skip

    results = committed.parallel(take, 4)
    assert sum(isinstance(r, int) for r in results) == 1
    assert sum(isinstance(r, AlreadySettled) for r in results) == 3
    assert count(Payment) == 1


def test_a_charge_arriving_during_payment_is_on_the_bill_or_refused(committed, actor) -> None:
    visit, cashier = make.to_pay(actor("doctor")), actor("cashier")
    session().commit()

    def work(number: int) -> object:
        if number:
            return make.charge(visit, 70_000, source_id=9)
        with transaction():
            return service.settle(
                visit.visit_id, method=PaymentMethod.CASH, tendered=None, key=new_key(), expected=None, actor=cashier
            )

    committed.parallel(work, 2)
    session().expire_all()
    settlement = session().execute(select(Settlement)).scalar_one()
    in_force = (
        session().execute(select(func.count()).select_from(Charge).where(Charge.voided_at.is_(None))).scalar_one()
    )
    assert in_force == len(settlement.lines)
