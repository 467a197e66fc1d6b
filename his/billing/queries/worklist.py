"""Who pays: the cashier's list and its scan field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, case, exists, func, or_, select
from sqlalchemy.orm import contains_eager

from his.billing.enums import PayState, SettlementState
from his.billing.models import Charge, Settlement
from his.billing.queries.bills import split
from his.core import search
from his.core.db import session
from his.core.money import whole
from his.records import queries as records_queries
from his.records.enums import VisitState
from his.records.models import Patient, Visit

# A concluded visit somebody forgot to pay stays on the list this long.
UNPAID_DAYS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class CashierRow:
    """One visit on the cashier's list. ``payable`` is what the family pays as the charges stand now (whole đồng)."""

    visit_id: int
    code: str
    patient_id: int
    full_name: str
    birth_on: date
    birth_precision: str
    patient_code: str
    state: PayState
    room_code: str
    subject_code: str
    benefit_rate: str
    charge_count: int
    total: Decimal
    payable: Decimal
    ended_at: datetime | None
    paid_at: datetime | None


def _on_list(day: date) -> Any:
    """The visits a cashier sees: the day's, and concluded unpaid ones of the week before; only those with charges."""
    return and_(
        Visit.service_on >= day - UNPAID_DAYS,
        Visit.service_on <= day,
        Visit.state != VisitState.CANCELLED,
        or_(Visit.service_on == day, Visit.state == VisitState.CONCLUDED),
        exists().where(Charge.visit_id == Visit.visit_id, Charge.voided_at.is_(None)),
    )


def _pay_state() -> Any:
    return case(
        (Visit.paid_at.is_not(None), PayState.PAID.value),
        (Visit.state.in_((VisitState.OPEN, VisitState.IN_EXAM)), PayState.IN_EXAM.value),
        else_=PayState.TO_PAY.value,
    )


def counts(day: date) -> dict[PayState, int]:
    """Return how many visits of the cashier's list are in each state (1 statement)."""
    state = _pay_state().label("pay_state")
    found = {
        PayState(name): n
        for name, n in session().execute(select(state, func.count()).where(_on_list(day)).group_by(state))
    }
    return {state: found.get(state, 0) for state in PayState}


def worklist(
    day: date, state: PayState | None = None, *, visit_ids: Sequence[int] | None = None, limit: int = 300
) -> list[CashierRow]:
    """Return the cashier's list in one state (or some visits of it), with what each family pays (2 statements).

    Unpaid ones longest waiting first; paid ones latest first.
    """
    here = session()
    statement = (
        select(Visit, Settlement.total_amount, Settlement.payable_amount)
        .join(Visit.patient)
        .outerjoin(Visit.coverage)
        .outerjoin(Settlement, and_(Settlement.visit_id == Visit.visit_id, Settlement.state == SettlementState.PAID))
        .where(_on_list(day))
        .options(contains_eager(Visit.patient), contains_eager(Visit.coverage))
        .order_by(
            Visit.paid_at.is_not(None), Visit.paid_at.desc(), Visit.ended_at.is_(None), Visit.ended_at, Visit.visit_id
        )
        .limit(limit)
    )
    if state is not None:
        statement = statement.where(_pay_state() == state.value)
    if visit_ids is not None:
        statement = statement.where(Visit.visit_id.in_(visit_ids))
    rows = here.execute(statement).all()
    charges: dict[int, list[Charge]] = {}
    open_ids = [visit.visit_id for visit, total, _payable in rows if total is None]
    if open_ids:
        for charge in here.execute(
            select(Charge).where(Charge.visit_id.in_(open_ids), Charge.voided_at.is_(None)).order_by(Charge.charge_id)
        ).scalars():
            charges.setdefault(charge.visit_id, []).append(charge)
    return [_cashier_row(visit, total, payable, charges.get(visit.visit_id, [])) for visit, total, payable in rows]


def _cashier_row(visit: Visit, total: Decimal | None, payable: Decimal | None, charges: Sequence[Charge]) -> CashierRow:
    state = PayState.PAID
    if total is None or payable is None:
        state = PayState.TO_PAY if visit.state in (VisitState.CONCLUDED, VisitState.CLOSED) else PayState.IN_EXAM
        result = split(visit, charges)
        total, payable = result.total, whole(result.payable)
    return CashierRow(
        visit.visit_id, visit.code, visit.patient_id, visit.patient.full_name, visit.patient.birth_on,
        visit.patient.birth_precision.value, visit.patient.code, state, visit.room_code, visit.subject_code,
        visit.benefit_rate, len(charges), total, payable, visit.ended_at, visit.paid_at,
    )  # fmt: skip


def worklist_version(day: date) -> str:
    """Return a mark that changes with every visit, charge and settlement of the day (1 statement)."""
    row = session().execute(
        select(
            func.count(Visit.visit_id), func.coalesce(func.sum(Visit.version), 0),
            select(func.max(Charge.charge_id)).scalar_subquery(),
            select(func.max(Settlement.settlement_id)).scalar_subquery(),
        ).where(Visit.service_on >= day - UNPAID_DAYS, Visit.service_on <= day)
    ).one()  # fmt: skip
    return "-".join(str(part or 0) for part in row)


def find_on_list(day: date, text: str) -> list[int]:
    """Return visits of the list by a scanned or typed text: visit code, patient code, personal or card number, or a name.

    Names are compared without accents, words in any order. At most 2 statements.
    """
    wanted = text.partition("|")[0].strip()
    if not wanted:
        return []
    rows = (
        session()
        .execute(
            select(Visit.visit_id, Visit.code, Visit.patient_id, Patient.code, Patient.full_name)
            .join(Patient, Patient.patient_id == Visit.patient_id)
            .where(_on_list(day))
            .order_by(Visit.visit_id)
        )
        .all()
    )
    plain = wanted.upper()
    exact = [visit_id for visit_id, code, _p, patient_code, _n in rows if plain in (code.upper(), patient_code.upper())]
    if exact:
        return exact
    if any(c.isdigit() for c in wanted):
        patient = records_queries.by_identifier(plain)
        return [row[0] for row in rows if patient is not None and row[2] == patient.patient_id]
    words = search.fold(wanted).split()
    return [row[0] for row in rows if words and all(word in search.fold(row[4]).split() for word in words)]
