"""Money: charges, payment once, what is refused, taking a payment back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from his.audit.models import AuditEvent
from his.billing import queries, service
from his.billing.enums import ItemKind, PaymentMethod, PayState, SettlementState
from his.billing.errors import AlreadySettled, BillChanged, NothingToSettle, TenderedTooLittle
from his.billing.models import Charge, Payment, Settlement
from his.core import clock
from his.core.db import session, transaction
from his.core.errors import Conflict, InvalidState, NotAllowed, NotFound
from his.core.once import new_key
from his.records import queries as records_queries
from his.records.enums import VisitState
from tests.factories import billing as make
from tests.factories.examination import examined
from tests.factories.records import make_patient, make_visit
from tests.factories.registration import register


def events(action: str) -> list[AuditEvent]:
    return list(session().execute(select(AuditEvent).where(AuditEvent.action == action)).scalars())


def count(model: type) -> int:
    return session().execute(select(func.count()).select_from(model)).scalar_one()


# --- charges ------------------------------------------------------------------------------------------------------


def test_the_same_source_is_charged_once(actor) -> None:
    visit = register().visit
    first = make.charge(visit, source_id=7)
    assert make.charge(visit, source_id=7).charge_id == first.charge_id
    assert len(queries.charges_of(visit.visit_id)) == 2  # examination fee and the item


def test_a_voided_source_may_be_charged_anew(actor) -> None:
    visit = register().visit
    first = make.charge(visit, source_id=7)
    with transaction():
        service.void_charge("order_line", 7, "bác sĩ hủy", actor=actor("doctor"))
    again = make.charge(visit, source_id=7)
    assert again.charge_id != first.charge_id
    session().refresh(first)
    assert (first.void_reason, first.voided_at is not None) == ("bác sĩ hủy", True)


def test_voiding_an_unknown_source_does_nothing(actor) -> None:
    with transaction():
        service.void_charge("order_line", 424242, "hủy", actor=actor("doctor"))
    assert count(Charge) == 0


def test_a_paid_visit_takes_no_further_charge_and_loses_none(actor) -> None:
    visit = make.to_pay(actor("doctor"))
    make.settle(visit, actor("cashier"))
    with pytest.raises(AlreadySettled):
        make.charge(visit)
    source = queries.charges_of(visit.visit_id)[0]
    with pytest.raises(AlreadySettled), transaction():
        service.void_charge(source.source_kind, source.source_id, "hủy", actor=actor("doctor"))


def test_examinations_of_a_day_follow_the_series_and_move_up_when_one_falls_away(actor) -> None:
    patient = make_patient()
    day = clock.today()
    visits = [make_visit(patient, room_code=str(200 + n)) for n in range(4)]
    for place, visit in enumerate(visits, start=1):
        make.charge(visit, 50_600, kind=ItemKind.EXAM, source_kind="visit_exam", source_id=visit.visit_id, cost_group="13",
                    service_rate=service.exam_rate(place))  # fmt: skip
    assert queries.exam_count(patient.patient_id, day) == 4
    with transaction():
        service.void_charge("visit_exam", visits[0].visit_id, "người bệnh về", actor=actor("clerk"))
    rates = [charge.service_rate for charge, _paid in queries.exam_charges(patient.patient_id, day)]
    assert rates == [100, 30, 30]
    [event] = events("billing.charge.rate")
    assert event.details["changes"] == {"service_rate": ["30", "100"]}


# --- settling -----------------------------------------------------------------------------------------------------


def test_payment_freezes_the_split_to_the_dong(actor) -> None:
    visit = make.to_pay(actor("doctor"))
    settlement = make.settle(visit, actor("cashier"), tendered=Decimal(200_000))
    assert (settlement.total_amount, settlement.fund_amount, settlement.copay_amount, settlement.payable_amount) == (
        Decimal(550_600), Decimal(440_480), Decimal(110_120), Decimal(110_120),
    )  # fmt: skip
    assert [line.benefit_rate for line in settlement.lines] == ["80", "80"]
    assert sum(line.fund_amount for line in settlement.lines) == settlement.fund_amount
    [payment] = settlement.payments
    assert (payment.amount, payment.tendered_amount) == (Decimal(110_120), Decimal(200_000))
    assert settlement.steps
    paid = records_queries.get_visit(visit.visit_id)
    assert (paid.state, paid.paid_at is not None, paid.benefit_rate) == (VisitState.CLOSED, True, "80")
    [event] = events("billing.settle")
    assert event.details["payable"] == "110120"


def test_a_bill_the_fund_pays_whole_is_settled_without_a_receipt(actor) -> None:
    visit = make.to_pay(actor("doctor"), extra=0)
    settlement = make.settle(visit, actor("cashier"))
    assert (settlement.payable_amount, settlement.benefit_rate, settlement.payments) == (Decimal(0), "100", [])


def test_a_patient_without_insurance_pays_everything(actor) -> None:
    visit = make.to_pay(actor("doctor"), card="")
    settlement = make.settle(visit, actor("cashier"), method=PaymentMethod.TRANSFER)
    assert (settlement.subject_code, settlement.benefit_rate, settlement.fund_amount) == ("9", "", Decimal(0))
    assert settlement.payments[0].amount == settlement.outside_amount == Decimal(550_600)


def test_tendered_is_kept_for_cash_only(actor) -> None:
    visit = make.to_pay(actor("doctor"))
    settlement = make.settle(visit, actor("cashier"), method=PaymentMethod.CARD, tendered=Decimal(1))
    assert settlement.payments[0].tendered_amount is None


def test_the_same_key_pays_once(actor) -> None:
    visit, cashier, key = make.to_pay(actor("doctor")), actor("cashier"), new_key()
    first = make.settle(visit, cashier, key=key)
    assert make.settle(visit, cashier, key=key, expected=first.payable_amount).settlement_id == first.settlement_id
    assert count(Payment) == 1


def test_a_key_used_for_another_amount_is_refused(actor) -> None:
    visit, cashier, key = make.to_pay(actor("doctor")), actor("cashier"), new_key()
    make.settle(visit, cashier, key=key)
    with pytest.raises(Conflict):
        make.settle(visit, cashier, key=key, expected=Decimal(1))


def test_a_second_payment_is_refused(actor) -> None:
    visit, cashier = make.to_pay(actor("doctor")), actor("cashier")
    make.settle(visit, cashier)
    with pytest.raises(AlreadySettled):
        make.settle(visit, cashier)
    assert count(Settlement) == 1


def test_a_visit_still_with_the_doctor_is_not_paid(actor) -> None:
    visit = examined(actor("doctor"))
    with pytest.raises(InvalidState, match="Bác sĩ chưa kết thúc"):
        make.settle(visit, actor("cashier"))


def test_a_cancelled_visit_is_not_paid(actor) -> None:
    visit = register().visit
    from his.records import service as records

    with transaction():
        records.cancel_visit(visit.visit_id, "người bệnh về", actor=actor("clerk"))
    with pytest.raises(InvalidState, match="đã hủy"):
        make.settle(visit, actor("cashier"))


def test_a_bill_that_changed_since_it_was_shown_is_not_paid(actor) -> None:
    visit = make.to_pay(actor("doctor"))
    with pytest.raises(BillChanged):
        make.settle(visit, actor("cashier"), expected=Decimal(100))
    assert count(Settlement) == 0


def test_too_little_cash_is_refused_and_says_how_much_is_missing(actor) -> None:
    visit = make.to_pay(actor("doctor"))
    with pytest.raises(TenderedTooLittle, match=r"10\.120 đ"):
        make.settle(visit, actor("cashier"), tendered=Decimal(100_000))


def test_a_visit_without_charges_is_not_paid(actor) -> None:
    visit = make.to_pay(actor("doctor"), extra=0)
    fee = queries.charges_of(visit.visit_id)[0]
    with transaction():
        service.void_charge(fee.source_kind, fee.source_id, "miễn phí", actor=actor("doctor"))
    with pytest.raises(NothingToSettle):
        make.settle(visit, actor("cashier"))


# --- taking back --------------------------------------------------------------------------------------------------


def test_a_settlement_is_taken_back_by_another_cashier_and_nothing_is_erased(actor) -> None:
    visit = make.to_pay(actor("doctor"))
    settlement = make.settle(visit, actor("cashier"))
    other = actor("cashier")
    with transaction():
        service.void_settlement(visit.visit_id, "thu nhầm người", actor=other)
    amounts = [payment.amount for payment, _s in queries.payments_of(visit.visit_id)]
    assert amounts == [Decimal(110_120), Decimal(-110_120)]
    session().refresh(settlement)
    assert (settlement.state, settlement.voided_by_id, settlement.void_reason) == (
        SettlementState.VOIDED, other.user_id, "thu nhầm người",
    )  # fmt: skip
    again = records_queries.get_visit(visit.visit_id)
    assert (again.state, again.paid_at) == (VisitState.CONCLUDED, None)
    assert events("billing.settle.void")[0].reason == "thu nhầm người"
    assert make.settle(visit, other).settlement_id != settlement.settlement_id


def test_the_cashier_who_took_the_money_does_not_give_it_back(actor) -> None:
    visit, cashier = make.to_pay(actor("doctor")), actor("cashier")
    make.settle(visit, cashier)
    with pytest.raises(NotAllowed), transaction():
        service.void_settlement(visit.visit_id, "thu nhầm người", actor=cashier)


@pytest.mark.parametrize("reason", ["", "  hủy "])
def test_taking_back_needs_a_reason(actor, reason: str) -> None:
    visit = make.to_pay(actor("doctor"))
    make.settle(visit, actor("cashier"))
    with pytest.raises(InvalidState, match="lý do"), transaction():
        service.void_settlement(visit.visit_id, reason, actor=actor("cashier"))


def test_an_unpaid_visit_has_nothing_to_take_back(actor) -> None:
    visit = make.to_pay(actor("doctor"))
    with pytest.raises(InvalidState, match="chưa thu"), transaction():
        service.void_settlement(visit.visit_id, "thu nhầm người", actor=actor("cashier"))


# --- papers -------------------------------------------------------------------------------------------------------


def test_receipt_and_bill_are_stored_once(actor) -> None:
    visit, cashier = make.to_pay(actor("doctor")), actor("cashier")
    payment = make.settle(visit, cashier).payments[0]
    with transaction():
        receipt, bill = (
            service.issue_receipt(payment.payment_id, actor=cashier),
            service.issue_bill(visit.visit_id, actor=cashier),
        )
    with transaction():
        assert service.issue_receipt(payment.payment_id, actor=cashier).digest == receipt.digest
        assert service.issue_bill(visit.visit_id, actor=cashier).paper_id == bill.paper_id
    assert (receipt.number, receipt.form_code, bill.form_code) == (payment.receipt_number, "receipt", "bill_01")


def test_a_bill_is_printed_after_payment_only(actor) -> None:
    visit = make.to_pay(actor("doctor"))
    with pytest.raises(InvalidState), transaction():
        service.issue_bill(visit.visit_id, actor=actor("cashier"))
    with pytest.raises(NotFound), transaction():
        service.issue_receipt(424242, actor=actor("cashier"))


# --- the list -----------------------------------------------------------------------------------------------------


def test_the_list_tells_what_each_family_pays(actor) -> None:
    doctor, cashier, day = actor("doctor"), actor("cashier"), clock.today()
    waiting, paid, with_doctor = make.to_pay(doctor), make.to_pay(doctor), examined(doctor)
    make.settle(paid, cashier)
    rows = queries.worklist(day)
    assert [(row.visit_id, row.state) for row in rows] == [
        (waiting.visit_id, PayState.TO_PAY), (with_doctor.visit_id, PayState.IN_EXAM), (paid.visit_id, PayState.PAID),
    ]  # fmt: skip
    assert rows[0].payable == rows[2].payable == Decimal(110_120)
    assert queries.counts(day) == {PayState.TO_PAY: 1, PayState.IN_EXAM: 1, PayState.PAID: 1}
    assert [row.visit_id for row in queries.worklist(day, PayState.PAID)] == [paid.visit_id]


def test_the_mark_of_the_list_changes_with_a_payment(actor) -> None:
    visit = make.to_pay(actor("doctor"))
    before = queries.worklist_version(clock.today())
    assert queries.worklist_version(clock.today()) == before
    make.settle(visit, actor("cashier"))
    assert queries.worklist_version(clock.today()) != before


def test_a_visit_is_found_by_code_patient_code_card_and_name(actor) -> None:
    visit = make.to_pay(actor("doctor"))
    make.to_pay(actor("doctor"), card="")
    patient, day = visit.patient, clock.today()
    for text in (visit.code, patient.code, visit.coverage.card_number, f"{patient.code}|gì nữa"):
        assert queries.find_on_list(day, text) == [visit.visit_id], text
    assert visit.visit_id in queries.find_on_list(day, "thu tran")
    assert queries.find_on_list(day, "khong co ai") == []
    assert queries.find_on_list(day, "  ") == []


def test_what_was_taken_in_a_day_counts_what_was_given_back(actor) -> None:
    visit = make.to_pay(actor("doctor"))
    make.settle(visit, actor("cashier"))
    assert queries.takings(clock.today()) == Decimal(110_120)
    with transaction():
        service.void_settlement(visit.visit_id, "thu nhầm người", actor=actor("cashier"))
    assert queries.takings(clock.today()) == Decimal(0)
