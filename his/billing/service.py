"""Use cases of money: posting charges, settling a visit, taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from his.audit import service as audit
from his.billing import printing, queries, rules
from his.billing.enums import ACTION_DETAILS, Action, ItemKind, PaymentMethod, SettlementState
from his.billing.errors import AlreadySettled, BillChanged, NothingToSettle, TenderedTooLittle
from his.billing.models import Charge, Payment, Settlement, SettlementLine
from his.billing.rules import cases
from his.catalogues import queries as catalogues
from his.core import clock
from his.core.actor import Actor
from his.core.db import session
from his.core.errors import InvalidState, NotAllowed, NotFound
from his.core.i18n import money_text
from his.core.money import in_words, whole
from his.core.once import once
from his.core.sequences import next_number
from his.documents import service as documents
from his.documents.models import Paper
from his.records import queries as records_queries
from his.records import service as records
from his.records.enums import VisitState
from his.records.models import Visit

audit.register_actions(Action, ACTION_DETAILS)

# Pure rules other modules need.
decide_subject = rules.decide_subject
SubjectFacts = rules.SubjectFacts
SubjectDecision = rules.SubjectDecision
split_benefit = rules.split_benefit
BillLine = rules.BillLine
BenefitContext = rules.BenefitContext
card_benefit = rules.benefit
is_card_number = rules.is_card_number
exam_rate = rules.exam_rate
rate_text = rules.rate_text
amount_in_words = in_words
# Trying the rules on files of cases (`his insurance try`).
read_cases = cases.read_cases
run_case = cases.run_case
write_case_results = cases.write_results
BadCase = cases.BadCase
CaseOutcome = cases.CaseOutcome


@dataclass(frozen=True, slots=True)
class ChargeData:
    """What is charged, with the components the claim needs."""

    visit_id: int
    source_kind: str
    source_id: int
    kind: ItemKind
    item_code: str
    item_name: str
    cost_group: str
    unit: str
    quantity: Decimal
    hospital_price: Decimal
    insurance_price: Decimal
    ordered_at: datetime
    department_code: str
    service_rate: int = 100
    insurance_rate: int = 100
    ordered_by_id: int | None = None
    ordered_by_licence: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


def post_charge(data: ChargeData, *, actor: Actor) -> Charge:
    """Put an item on the bill of a visit; the same source twice is one charge.

    Raises `AlreadySettled` when the visit is paid: it must be reopened first.
    """
    here = session()
    _lock_bill(data.visit_id)
    existing = here.execute(
        select(Charge).where(Charge.source_kind == data.source_kind, Charge.source_id == data.source_id)
    ).scalar_one_or_none()
    if existing is not None and existing.voided_at is None:
        return existing
    if queries.is_settled(data.visit_id):
        raise AlreadySettled("Lượt khám đã thu tiền. Hủy phiếu thu trước khi thêm chi phí.")
    values: dict[str, Any] = {
        name: getattr(data, name)
        for name in (
            "visit_id", "source_kind", "source_id", "kind", "item_code", "item_name", "cost_group", "unit", "quantity",
            "hospital_price", "insurance_price", "service_rate", "insurance_rate", "ordered_at", "ordered_by_id",
            "ordered_by_licence", "department_code",
        )
    }  # fmt: skip
    charge = Charge(**values, details=dict(data.details))
    here.add(charge)
    here.flush()  # the audit entry names the row
    audit.record(
        actor, Action.CHARGE, subject_type="charge", subject_id=charge.charge_id, visit_id=data.visit_id,
        details={"item": data.item_code, "quantity": str(data.quantity), "price": str(data.hospital_price)},
    )  # fmt: skip
    return charge


def _lock_bill(visit_id: int) -> None:
    """A charge and a payment of the same visit wait for each other: nothing is added behind the cashier's back."""
    session().execute(select(Visit.visit_id).where(Visit.visit_id == visit_id).with_for_update())


def void_charge(source_kind: str, source_id: int, reason: str, *, actor: Actor) -> None:
    """Take an item off the bill; it stays readable with the reason. Raises `AlreadySettled`."""
    charge = (
        session()
        .execute(
            select(Charge)
            .where(Charge.source_kind == source_kind, Charge.source_id == source_id, Charge.voided_at.is_(None))
            .with_for_update()
        )
        .scalar_one_or_none()
    )
    if charge is None:
        return
    _lock_bill(charge.visit_id)
    if queries.is_settled(charge.visit_id):
        raise AlreadySettled("Chi phí này đã thu tiền. Hủy phiếu thu trước.")
    charge.voided_at, charge.voided_by_id, charge.void_reason = clock.now(), actor.user_id, reason or "hủy"
    # The source may be charged anew; the voided row keeps its history under another key.
    charge.source_kind = f"{source_kind}_void"[:24]
    charge.source_id = charge.charge_id
    audit.record(actor, Action.CHARGE_VOID, subject_type="charge", subject_id=charge.charge_id, visit_id=charge.visit_id,
                 details={"item": charge.item_code}, reason=reason)  # fmt: skip
    session().flush()  # the examinations left are counted
    if charge.kind is ItemKind.EXAM:
        _rate_examinations(charge.visit_id, actor)


def _rate_examinations(visit_id: int, actor: Actor) -> None:
    """An examination fell away: those left and unpaid move up in the series 100, 30, 30, 30, 10, 0 (TT 39/2024)."""
    visit = records_queries.get_visit(visit_id)
    for place, (charge, is_paid) in enumerate(queries.exam_charges(visit.patient_id, visit.service_on), start=1):
        rate = rules.exam_rate(place)
        if is_paid or charge.service_rate == rate:
            continue
        changes = {"service_rate": [str(charge.service_rate), str(rate)]}
        charge.service_rate = rate
        audit.record(
            actor, Action.CHARGE_RATE, subject_type="charge", subject_id=charge.charge_id, patient_id=visit.patient_id,
            visit_id=charge.visit_id, details={"item": charge.item_code, "changes": changes},
        )  # fmt: skip


def settle(
    visit_id: int, *, method: PaymentMethod, tendered: Decimal | None, key: str, expected: Decimal | None, actor: Actor
) -> Settlement:
    """Take the money of a visit: the split is frozen, a receipt is given. A double click pays once.

    ``expected`` is what the screen showed (đồng); a bill that changed meanwhile is not paid. ``tendered`` is the cash
    handed over, None = exactly. A bill the fund pays whole is settled without a receipt. Raises `AlreadySettled`,
    `BillChanged`, `NothingToSettle`, `TenderedTooLittle`, `InvalidState`; `Conflict` for a key used for another bill.
    """
    result = once(
        key, action="billing.settle", actor=actor,
        body={"visit": visit_id, "method": method.value, "expected": "" if expected is None else str(whole(expected))},
        effect=lambda: _settle(visit_id, method, tendered, expected, actor),
    )  # fmt: skip
    settlement = session().get(Settlement, result["settlement_id"])
    if settlement is None:
        raise NotFound("Không tìm thấy phiếu thu.")
    return settlement


def _settle(
    visit_id: int, method: PaymentMethod, tendered: Decimal | None, expected: Decimal | None, actor: Actor
) -> dict[str, Any]:
    here = session()
    locked = records_queries.visit_for_update(visit_id)
    if locked.state is VisitState.CANCELLED:
        raise InvalidState("Lượt khám đã hủy.")
    if locked.state in (VisitState.OPEN, VisitState.IN_EXAM):
        raise InvalidState("Bác sĩ chưa kết thúc lượt khám. Chờ bác sĩ kết thúc rồi thu tiền.")
    if queries.is_settled(visit_id):
        raise AlreadySettled("Lượt khám này đã thu tiền.")
    visit = records_queries.get_visit(visit_id)
    bill = queries.bill_of(visit)
    if not bill.lines:
        raise NothingToSettle("Lượt khám chưa có chi phí nào.")
    if expected is not None and whole(expected) != bill.payable:
        raise BillChanged("Chi phí vừa thay đổi. Xem lại số tiền rồi thu.")
    if method is PaymentMethod.CASH and tendered is not None and tendered < bill.payable:
        raise TenderedTooLittle(f"Tiền đưa còn thiếu {money_text(bill.payable - tendered)}. Nhận thêm rồi thu.")
    day = f"{clock.today():%y%m%d}"
    result = bill.result
    decision = queries.subject_of(visit)
    settlement = Settlement(
        visit_id=visit_id, number=f"TT-{day}-{next_number('settlement', day):04d}", subject_code=decision.code,
        benefit_rate=result.rate, total_amount=result.total, insured_amount=result.insured, fund_amount=result.fund,
        copay_amount=result.copay, outside_amount=result.outside, other_amount=result.other,
        payable_amount=bill.payable, steps=list(result.steps), by_id=actor.user_id, by_name=actor.name,
    )  # fmt: skip
    here.add(settlement)
    here.flush()  # lines and payment point to it
    for line in bill.lines:
        share = line.share
        here.add(
            SettlementLine(
                settlement_id=settlement.settlement_id, charge_id=line.charge.charge_id, scope_code=share.scope_code,
                insurance_rate=share.insurance_rate, benefit_rate=share.benefit_rate or "0",
                hospital_price=line.charge.hospital_price, insurance_price=share.insurance_price,
                total_amount=share.total, insured_amount=share.insured, fund_amount=share.fund,
                copay_amount=share.copay, outside_amount=share.outside, other_amount=share.other,
            )
        )  # fmt: skip
    if bill.payable > 0:
        here.add(
            Payment(
                settlement_id=settlement.settlement_id, receipt_number=_receipt_number(), amount=bill.payable,
                method=method, tendered_amount=tendered if method is PaymentMethod.CASH else None,
                by_id=actor.user_id, by_name=actor.name,
            )
        )  # fmt: skip
    decided = {"subject_code": decision.code, "subject_reason": decision.reason, "benefit_rate": result.rate}
    records.change_visit(visit_id, decided, None, actor=actor)
    records.mark_paid(visit_id, actor=actor)
    records.close_visit(visit_id, actor=actor)
    audit.record(
        actor, Action.SETTLE, subject_type="settlement", subject_id=settlement.settlement_id,
        patient_id=visit.patient_id, visit_id=visit_id,
        details={"number": settlement.number, "total": str(result.total), "fund": str(result.fund),
                 "payable": str(bill.payable), "method": method.value},
    )  # fmt: skip
    here.flush()  # the caller reads it back
    return {"settlement_id": settlement.settlement_id, "number": settlement.number}


def _receipt_number() -> str:
    day = f"{clock.today():%y%m%d}"
    return f"PT-{day}-{next_number('receipt', day):04d}"


def void_settlement(visit_id: int, reason: str, *, actor: Actor) -> Settlement:
    """Take a settlement back: the money is returned by a negative payment, nothing is erased, the visit waits to be paid.

    Raises `NotAllowed` for the cashier who took the money (SOD-2), `InvalidState` without a reason or a settlement.
    """
    if len(reason.strip()) < 5:
        raise InvalidState("Ghi lý do hủy phiếu thu, ít nhất 5 ký tự.")
    records_queries.visit_for_update(visit_id)
    settlement = queries.settlement_of(visit_id)
    if settlement is None:
        raise InvalidState("Lượt khám chưa thu tiền.")
    if settlement.by_id == actor.user_id:
        raise NotAllowed("Người thu không tự hủy phiếu thu của mình. Nhờ thu ngân khác hủy.")
    settlement.state, settlement.voided_at = SettlementState.VOIDED, clock.now()
    settlement.voided_by_id, settlement.voided_by_name = actor.user_id, actor.name
    settlement.void_reason = reason.strip()[:300]
    for payment in list(settlement.payments):
        settlement.payments.append(
            Payment(
                settlement_id=settlement.settlement_id, receipt_number=_receipt_number(), amount=-payment.amount,
                method=payment.method, by_id=actor.user_id, by_name=actor.name,
            )
        )  # fmt: skip
    visit = records.withdraw_payment(visit_id, actor=actor)
    audit.record(
        actor, Action.SETTLE_VOID, subject_type="settlement", subject_id=settlement.settlement_id,
        patient_id=visit.patient_id, visit_id=visit_id, reason=settlement.void_reason,
        details={"number": settlement.number, "amount": str(settlement.payable_amount)},
    )  # fmt: skip
    return settlement


def issue_receipt(payment_id: int, *, actor: Actor) -> Paper:
    """Return the receipt of a payment as a stored paper; a reprint is the same paper. Raises `NotFound`."""
    payment = session().get(Payment, payment_id)
    if payment is None:
        raise NotFound("Không tìm thấy phiếu thu này.")
    found = documents.paper_for(printing.RECEIPT, "payment", payment_id)
    if found is not None:
        return found
    settlement = queries.settlement_by_id(payment.settlement_id)
    visit = records_queries.get_visit(settlement.visit_id)
    return documents.issue_paper(
        printing.RECEIPT, printing.receipt(visit, settlement, payment), subject_type="payment", subject_id=payment_id,
        patient_id=visit.patient_id, visit_id=visit.visit_id, number=payment.receipt_number, actor=actor,
    )  # fmt: skip


def issue_bill(visit_id: int, *, actor: Actor) -> Paper:
    """Return the itemised bill (Mẫu 01/KBCB) of a settled visit as a stored paper. Raises `InvalidState` before payment."""
    settlement = queries.settlement_of(visit_id)
    if settlement is None:
        raise InvalidState("Thu tiền trước, rồi in bảng kê.")
    found = documents.paper_for(printing.BILL_01, "settlement", settlement.settlement_id)
    if found is not None:
        return found
    visit = records_queries.get_visit(visit_id)
    known = [visit.incoming_facility_code, visit.destination_facility_code]
    if visit.coverage is not None:
        known.append(visit.coverage.registered_facility_code)
    departments = catalogues.names([("department", visit.department_code)], visit.service_on)
    context = printing.bill_01(
        visit, settlement, facilities=catalogues.facilities(known, visit.service_on),
        department=departments.get(("department", visit.department_code), ""),
    )  # fmt: skip
    return documents.issue_paper(
        printing.BILL_01, context, subject_type="settlement", subject_id=settlement.settlement_id,
        patient_id=visit.patient_id, visit_id=visit_id, number=settlement.number, actor=actor,
    )  # fmt: skip
