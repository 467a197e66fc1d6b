"""Reads of charges and settlements, and the bill as it stands now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from his.billing import rules
from his.billing.enums import ItemKind, SettlementState
from his.billing.models import Charge, Payment, Settlement, SettlementLine
from his.core import clock
from his.core.config import current
from his.core.db import session
from his.core.money import whole
from his.records.enums import VisitState
from his.records.models import Patient, Visit

# MA_NHOM -> section of Mẫu 01/KBCB (QĐ 697/QĐ-BYT 2026; forms standard bill-01).
SECTIONS: dict[str, tuple[int, str]] = {
    "13": (1, "Khám bệnh"), "14": (2, "Ngày giường"), "15": (2, "Ngày giường"), "16": (2, "Ngày giường"),
    "1": (3, "Xét nghiệm"), "2": (4, "Chẩn đoán hình ảnh"), "3": (5, "Thăm dò chức năng"),
    "8": (6, "Thủ thuật, phẫu thuật"), "18": (6, "Thủ thuật, phẫu thuật"), "7": (7, "Máu và chế phẩm máu"),
    "4": (8, "Thuốc, dịch truyền"), "5": (8, "Thuốc, dịch truyền"), "6": (8, "Thuốc, dịch truyền"),
    "17": (8, "Thuốc, dịch truyền"), "10": (9, "Vật tư y tế"), "11": (9, "Vật tư y tế"), "9": (10, "Gói vật tư y tế"),
    "12": (11, "Vận chuyển người bệnh"), "19": (12, "Khác"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BilledCharge:
    """A charge with its split."""

    charge: Charge
    share: rules.LineShare


@dataclass(frozen=True, slots=True)
class Bill:
    """The bill of a visit: lines with their split, totals, why. ``payable`` is whole đồng."""

    visit: Visit
    lines: tuple[BilledCharge, ...]
    result: rules.BenefitResult
    payable: Decimal

    def sections(self) -> list[tuple[str, list[BilledCharge], Decimal]]:
        """Return the lines by section of Mẫu 01/KBCB, with the section's total; only sections with cost."""
        found: dict[tuple[int, str], list[BilledCharge]] = {}
        for line in self.lines:
            found.setdefault(SECTIONS.get(line.charge.cost_group, (12, "Khác")), []).append(line)
        return [
            (f"{number}. {name}", rows, sum((r.share.total for r in rows), Decimal(0)))
            for (number, name), rows in sorted(found.items())
        ]


@dataclass(frozen=True, slots=True)
class CashierRow:
    """One visit on the cashier's list."""

    visit_id: int
    code: str
    full_name: str
    patient_code: str
    state: str
    room_code: str
    subject_code: str
    charge_count: int
    settled_at: object


def charges_of(visit_id: int) -> Sequence[Charge]:
    """Return the charges of a visit in force, in the order they came."""
    return session().execute(
        select(Charge).where(Charge.visit_id == visit_id, Charge.voided_at.is_(None)).order_by(Charge.charge_id)
    ).scalars().all()


def subject_of(visit: Visit) -> rules.SubjectDecision:
    """Decide the subject code of a visit again from its facts, at the day it ends (QĐ 3276: decided at the end)."""
    settings = current()
    facts = rules.SubjectFacts(
        on=clock.local(visit.ended_at).date() if visit.ended_at else visit.service_on,
        level=settings.facility_level, points=settings.facility_points, old_tier=settings.facility_old_tier,
        visit_type=visit.visit_type_code, route=visit.route,
        living_area=visit.coverage.living_area if visit.coverage else "", main_icd=visit.main_icd,
        age_years=(visit.service_on - visit.patient.birth_on).days // 365,
    )  # fmt: skip
    return rules.decide_subject(facts)


def split(visit: Visit, charges: Sequence[Charge]) -> rules.BenefitResult:
    """Split charges by the benefit rules: the same call for desk, cashier and claim."""
    coverage = visit.coverage if visit.subject_code != "9" else None
    on = clock.local(visit.ended_at).date() if visit.ended_at else visit.service_on
    context = rules.BenefitContext(
        on=on, card=coverage.card_number if coverage else "", subject=subject_of(visit),
        is_exempt=bool(coverage and coverage.is_copay_exempt),
    )  # fmt: skip
    lines = [
        rules.BillLine(
            ref=str(c.charge_id), cost_group=c.cost_group, quantity=c.quantity, hospital_price=c.hospital_price,
            insurance_price=c.insurance_price, service_rate=c.service_rate, insurance_rate=c.insurance_rate,
        )
        for c in charges
    ]  # fmt: skip
    return rules.split_benefit(lines, context)


def bill_of(visit: Visit) -> Bill:
    """Return the bill as it stands now (1 statement)."""
    charges = charges_of(visit.visit_id)
    result = split(visit, charges)
    return Bill(
        visit, tuple(BilledCharge(c, s) for c, s in zip(charges, result.lines, strict=True)), result, whole(result.payable)
    )


def settlement_of(visit_id: int) -> Settlement | None:
    """Return the settlement in force with lines, charges and payments (at most 4 statements)."""
    return session().execute(
        select(Settlement)
        .where(Settlement.visit_id == visit_id, Settlement.state == SettlementState.PAID)
        .options(
            selectinload(Settlement.lines).joinedload(SettlementLine.charge), selectinload(Settlement.payments)
        )
    ).scalar_one_or_none()


def settlements_of(visit_ids: Sequence[int]) -> dict[int, Settlement]:
    """Return the settlements in force of many visits, for claims."""
    rows = session().execute(
        select(Settlement)
        .where(Settlement.visit_id.in_(visit_ids), Settlement.state == SettlementState.PAID)
        .options(selectinload(Settlement.lines).joinedload(SettlementLine.charge))
    ).scalars()
    return {row.visit_id: row for row in rows}


def worklist(day: date, limit: int = 300) -> list[CashierRow]:
    """Return the visits of a day with something to pay, unpaid first (1 statement)."""
    counts = (
        select(Charge.visit_id, func.count().label("n"))
        .where(Charge.voided_at.is_(None))
        .group_by(Charge.visit_id)
        .subquery()
    )
    rows = session().execute(
        select(Visit, Patient.full_name, Patient.code.label("patient_code"), counts.c.n)
        .join(Patient, Patient.patient_id == Visit.patient_id)
        .join(counts, counts.c.visit_id == Visit.visit_id)
        .where(Visit.service_on == day, Visit.state != VisitState.CANCELLED)
        .order_by(Visit.paid_at.is_not(None), Visit.ended_at.is_(None), Visit.visit_id)
        .limit(limit)
    ).all()
    return [
        CashierRow(v.visit_id, v.code, name, code, v.state.value, v.room_code, v.subject_code, n, v.paid_at)
        for v, name, code, n in rows
    ]


def exam_count(patient_id: int, day: date) -> int:
    """Return how many examinations of a patient were charged on a day."""
    return int(
        session().execute(
            select(func.count())
            .select_from(Charge)
            .join(Visit, Visit.visit_id == Charge.visit_id)
            .where(
                Visit.patient_id == patient_id, Visit.service_on == day, Charge.kind == ItemKind.EXAM,
                Charge.voided_at.is_(None),
            )  # fmt: skip
        ).scalar_one()
    )


def takings(day: date) -> Decimal:
    """Return what was taken on a day."""
    first, after = clock.day_bounds(day)
    total = session().execute(select(func.sum(Payment.amount)).where(Payment.at >= first, Payment.at < after)).scalar_one()
    return total or Decimal(0)
