"""Charges, settlements, and the bill as it stands now or as it was paid."""

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
from his.core.errors import NotFound
from his.core.i18n import age_parts
from his.core.money import whole
from his.records.models import Visit

# MA_NHOM -> section of Mẫu 01/KBCB (QĐ 697/QĐ-BYT 2026; insurance standard cost_groups.csv, forms standard bill-01).
SECTIONS: dict[str, tuple[int, str]] = {
    "13": (1, "Khám bệnh"), "14": (2, "Ngày giường"), "15": (2, "Ngày giường"), "16": (2, "Ngày giường"),
    "1": (3, "Xét nghiệm"), "2": (4, "Chẩn đoán hình ảnh"), "3": (5, "Thăm dò chức năng"),
    "8": (6, "Thủ thuật, phẫu thuật"), "18": (6, "Thủ thuật, phẫu thuật"), "7": (7, "Máu, chế phẩm máu, vận chuyển máu"),
    "17": (7, "Máu, chế phẩm máu, vận chuyển máu"), "4": (8, "Thuốc, dịch truyền"), "5": (8, "Thuốc, dịch truyền"),
    "6": (8, "Thuốc, dịch truyền"), "10": (9, "Vật tư y tế"), "11": (9, "Vật tư y tế"), "9": (10, "Gói vật tư y tế"),
    "12": (11, "Vận chuyển người bệnh"), "19": (12, "Dịch vụ khác"),
}  # fmt: skip
OTHER_SECTION = SECTIONS["19"]


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
            found.setdefault(_section(line.charge), []).append(line)
        return [
            (f"{number}. {name}", rows, sum((r.share.total for r in rows), Decimal(0)))
            for (number, name), rows in sorted(found.items())
        ]


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One line of the itemised bill on screen (the columns of Mẫu 01/KBCB)."""

    name: str
    unit: str
    quantity: Decimal
    hospital_price: Decimal
    insurance_price: Decimal
    service_rate: int
    insurance_rate: int
    scope_code: str
    total: Decimal
    insured: Decimal
    fund: Decimal
    copay: Decimal
    outside: Decimal
    other: Decimal


@dataclass(frozen=True, slots=True)
class SheetSection:
    """One numbered section of Mẫu 01/KBCB with its sum."""

    title: str
    rows: tuple[SheetRow, ...]

    @property
    def total(self) -> Decimal:
        """What the hospital charges for the section."""
        return sum((row.total for row in self.rows), Decimal(0))


@dataclass(frozen=True, slots=True)
class Sheet:
    """The itemised bill as it stands (`settlement` None) or as it was paid."""

    visit: Visit
    settlement: Settlement | None
    sections: tuple[SheetSection, ...]
    subject_code: str
    rate: str
    total: Decimal
    insured: Decimal
    fund: Decimal
    copay: Decimal
    outside: Decimal
    other: Decimal
    payable: Decimal
    steps: tuple[str, ...]

    @property
    def line_count(self) -> int:
        return sum(len(section.rows) for section in self.sections)


def charges_of(visit_id: int) -> Sequence[Charge]:
    """Return the charges of a visit in force, in the order they came."""
    return (
        session()
        .execute(
            select(Charge).where(Charge.visit_id == visit_id, Charge.voided_at.is_(None)).order_by(Charge.charge_id)
        )
        .scalars()
        .all()
    )


def subject_of(visit: Visit) -> rules.SubjectDecision:
    """Decide the subject code of a visit again from its facts, at the day it ends (QĐ 3276: decided at the end)."""
    settings = current()
    facts = rules.SubjectFacts(
        on=clock.local(visit.ended_at).date() if visit.ended_at else visit.service_on,
        level=settings.facility_level, points=settings.facility_points, old_tier=settings.facility_old_tier,
        visit_type=visit.visit_type_code, route=visit.route,
        living_area=visit.coverage.living_area if visit.coverage else "", main_icd=visit.main_icd,
        age_years=age_parts(visit.patient.birth_on, visit.service_on)[0],
        # Annex I rows with a condition the code does not tell need a doctor's tick, which a visit does not carry.
        condition_confirmed=False,
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
        visit,
        tuple(BilledCharge(c, s) for c, s in zip(charges, result.lines, strict=True)),
        result,
        whole(result.payable),
    )


def is_settled(visit_id: int) -> bool:
    """Tell whether a settlement is in force (1 statement)."""
    return (
        session()
        .execute(
            select(Settlement.settlement_id).where(
                Settlement.visit_id == visit_id, Settlement.state == SettlementState.PAID
            )
        )
        .first()
        is not None
    )


def settlement_by_id(settlement_id: int) -> Settlement:
    """Return a settlement, also a voided one, with lines and charges. Raises `NotFound`."""
    found = (
        session()
        .execute(
            select(Settlement)
            .where(Settlement.settlement_id == settlement_id)
            .options(selectinload(Settlement.lines).joinedload(SettlementLine.charge))
        )
        .scalar_one_or_none()
    )
    if found is None:
        raise NotFound("Không tìm thấy phiếu thu này.")
    return found


def payments_of(visit_id: int) -> Sequence[tuple[Payment, Settlement]]:
    """Return all money taken and given back for a visit, oldest first (1 statement)."""
    return [
        (payment, settlement)
        for payment, settlement in session().execute(
            select(Payment, Settlement)
            .join(Settlement, Settlement.settlement_id == Payment.settlement_id)
            .where(Settlement.visit_id == visit_id)
            .order_by(Payment.payment_id)
        )
    ]


def sheet_of(visit: Visit) -> Sheet:
    """Return the itemised bill: the frozen split of a paid visit, else the split of the charges as they stand now.

    At most 4 statements.
    """
    settlement = settlement_of(visit.visit_id)
    found: dict[tuple[int, str], list[SheetRow]] = {}
    if settlement is not None:
        for line in settlement.lines:
            c = line.charge
            found.setdefault(_section(c), []).append(
                SheetRow(
                    c.item_name,
                    c.unit,
                    c.quantity,
                    line.hospital_price,
                    line.insurance_price,
                    c.service_rate,
                    line.insurance_rate,
                    line.scope_code,
                    line.total_amount,
                    line.insured_amount,
                    line.fund_amount,
                    line.copay_amount,
                    line.outside_amount,
                    line.other_amount,
                )
            )
        return Sheet(
            visit, settlement, _sections(found), settlement.subject_code, settlement.benefit_rate, settlement.total_amount,
            settlement.insured_amount, settlement.fund_amount, settlement.copay_amount, settlement.outside_amount,
            settlement.other_amount, settlement.payable_amount, tuple(settlement.steps),
        )  # fmt: skip
    bill = bill_of(visit)
    for billed in bill.lines:
        c, share = billed.charge, billed.share
        found.setdefault(_section(c), []).append(
            SheetRow(
                c.item_name,
                c.unit,
                c.quantity,
                c.hospital_price,
                share.insurance_price,
                c.service_rate,
                share.insurance_rate,
                share.scope_code,
                share.total,
                share.insured,
                share.fund,
                share.copay,
                share.outside,
                share.other,
            )
        )
    r = bill.result
    return Sheet(
        visit, None, _sections(found), subject_of(visit).code if visit.coverage and visit.subject_code != "9" else "9",
        r.rate, r.total, r.insured, r.fund, r.copay, r.outside, r.other, bill.payable, r.steps,
    )  # fmt: skip


def _section(charge: Charge) -> tuple[int, str]:
    return SECTIONS.get(charge.cost_group, OTHER_SECTION)


def _sections(found: dict[tuple[int, str], list[SheetRow]]) -> tuple[SheetSection, ...]:
    return tuple(SheetSection(f"{number}. {name}", tuple(rows)) for (number, name), rows in sorted(found.items()))


def settlement_of(visit_id: int) -> Settlement | None:
    """Return the settlement in force with lines, charges and payments (at most 4 statements)."""
    return (
        session()
        .execute(
            select(Settlement)
            .where(Settlement.visit_id == visit_id, Settlement.state == SettlementState.PAID)
            .options(
                selectinload(Settlement.lines).joinedload(SettlementLine.charge), selectinload(Settlement.payments)
            )
        )
        .scalar_one_or_none()
    )


def settlements_of(visit_ids: Sequence[int]) -> dict[int, Settlement]:
    """Return the settlements in force of many visits, for claims."""
    rows = (
        session()
        .execute(
            select(Settlement)
            .where(Settlement.visit_id.in_(visit_ids), Settlement.state == SettlementState.PAID)
            .options(selectinload(Settlement.lines).joinedload(SettlementLine.charge))
        )
        .scalars()
    )
    return {row.visit_id: row for row in rows}


def exam_charges(patient_id: int, day: date) -> Sequence[tuple[Charge, bool]]:
    """Return the examinations of a patient on a day in the order they were charged, and whether each is paid."""
    rows = session().execute(
        select(Charge, Visit.paid_at)
        .join(Visit, Visit.visit_id == Charge.visit_id)
        .where(
            Visit.patient_id == patient_id, Visit.service_on == day, Charge.kind == ItemKind.EXAM, Charge.voided_at.is_(None),
        )
        .order_by(Charge.posted_at, Charge.charge_id)
    )  # fmt: skip
    return [(charge, paid_at is not None) for charge, paid_at in rows]


def exam_count(patient_id: int, day: date) -> int:
    """Return how many examinations of a patient were charged on a day."""
    return int(
        session()
        .execute(
            select(func.count())
            .select_from(Charge)
            .join(Visit, Visit.visit_id == Charge.visit_id)
            .where(
                Visit.patient_id == patient_id,
                Visit.service_on == day,
                Charge.kind == ItemKind.EXAM,
                Charge.voided_at.is_(None),
            )
        )
        .scalar_one()
    )


def takings(day: date) -> Decimal:
    """Return what was taken on a day."""
    first, after = clock.day_bounds(day)
    total = (
        session().execute(select(func.sum(Payment.amount)).where(Payment.at >= first, Payment.at < after)).scalar_one()
    )
    return total or Decimal(0)
