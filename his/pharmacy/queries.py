"""Reads of the counter: the work list, one prescription with the lots it would take, what was handed out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import selectinload

from his.core import clock, search
from his.core.actor import Actor
from his.core.db import session
from his.core.errors import Finding
from his.pharmacy import rules
from his.pharmacy.models import Dispense
from his.prescriptions import queries as rx_queries
from his.prescriptions import service as prescriptions
from his.prescriptions.enums import PrescriptionKind, PrescriptionState
from his.prescriptions.models import Prescription, PrescriptionLine
from his.prescriptions.queries import editor
from his.records import queries as records_queries
from his.records.models import Patient, Visit
from his.stock import queries as stock
from his.stock.service import Allocation, LotFacts, allocate


@dataclass(frozen=True, slots=True)
class CounterRow:
    """One signed prescription on the counter's list."""

    prescription_id: int
    code: str
    signed_at: datetime
    full_name: str
    patient_code: str
    birth_on: date
    birth_precision: str
    doctor_name: str
    kind: str
    line_count: int
    visit_code: str
    is_paid: bool
    is_given: bool
    given_at: datetime | None
    last_day: date

    @property
    def view(self) -> str:
        """Return the part of the list it belongs to."""
        return "given" if self.is_given else "ready" if self.is_paid else "unpaid"

    def matches(self, folded: str) -> bool:
        """Tell whether typed text (folded) is part of what the row shows."""
        return folded in search.fold(f"{self.full_name} {self.patient_code} {self.visit_code} {self.code}")


def worklist(day: date, limit: int = 300) -> list[CounterRow]:
    """Return what may still be collected, paid ones first, and what was handed out on the day (1 statement)."""
    first, after = clock.day_bounds(day)
    lines = (
        select(PrescriptionLine.prescription_id, func.count().label("n"))
        .group_by(PrescriptionLine.prescription_id)
        .subquery()
    )
    rows = (
        session()
        .execute(
            select(Prescription, Patient, Visit, lines.c.n, Dispense.at)
            .join(Patient, Patient.patient_id == Prescription.patient_id)
            .join(Visit, Visit.visit_id == Prescription.visit_id)
            .join(lines, lines.c.prescription_id == Prescription.prescription_id)
            .outerjoin(
                Dispense, and_(Dispense.prescription_id == Prescription.prescription_id, Dispense.voided_at.is_(None))
            )
            .where(
                or_(
                    and_(
                        Prescription.state == PrescriptionState.SIGNED,
                        Prescription.signed_at >= first - timedelta(days=rules.VALID_DAYS),
                        Prescription.signed_at < after,
                    ),
                    and_(Prescription.state == PrescriptionState.DISPENSED, Dispense.at >= first, Dispense.at < after),
                )
            )
            .order_by(
                Prescription.state == PrescriptionState.DISPENSED,
                Visit.paid_at.is_(None),
                Visit.paid_at,
                Prescription.signed_at,
            )
            .limit(limit)
        )
        .all()
    )
    return [
        CounterRow(
            rx.prescription_id, rx.code or "", rx.signed_at, patient.full_name, patient.code, patient.birth_on,
            patient.birth_precision.value, rx.doctor_name, rx.kind.value, n, visit.code, visit.paid_at is not None,
            rx.state is PrescriptionState.DISPENSED, at, rules.last_day(clock.local(rx.signed_at).date()),
        )
        for rx, patient, visit, n, at in rows if rx.signed_at is not None
    ]  # fmt: skip


def dispense_of(prescription_id: int) -> Dispense | None:
    """Return the hand-over in force of a prescription."""
    return (
        session()
        .execute(
            select(Dispense)
            .where(Dispense.prescription_id == prescription_id, Dispense.voided_at.is_(None))
            .options(selectinload(Dispense.lines))
        )
        .scalar_one_or_none()
    )


def facts_of(prescription: Prescription, visit: Visit, actor: Actor, receiver_id: str = "") -> rules.DispenseFacts:
    """Return what decides whether a prescription may be handed out now."""
    signed = prescription.signed_at
    return rules.DispenseFacts(
        state=prescription.state.value, kind=prescription.kind.value,
        signed_on=clock.local(signed).date() if signed else None, today=clock.today(), is_paid=visit.paid_at is not None,
        is_own=prescription.doctor_id == actor.user_id, receiver_id=receiver_id,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class CounterLine:
    """One medicine at the counter: what to give, from which lots, what to write on the label."""

    line: PrescriptionLine
    name: str
    quantity: str
    label: str
    lots: tuple[Allocation, ...]
    on_hand: Decimal
    skipped: int  # lots left out because they expire before the course ends


@dataclass(frozen=True, slots=True)
class Counter:
    """The page of one prescription at the counter."""

    prescription: Prescription
    visit: Visit
    banner: records_queries.Banner
    lines: tuple[CounterLine, ...]
    given: Dispense | None
    stops: tuple[Finding, ...]
    last_day: date | None

    @property
    def needs_receiver_id(self) -> bool:
        return self.prescription.kind in (PrescriptionKind.NARCOTIC, PrescriptionKind.PSYCHOTROPIC)


def counter(prescription_id: int, actor: Actor) -> Counter:
    """Return a prescription at the counter with the lots it would take now (at most 7 statements)."""
    rx = rx_queries.get(prescription_id)
    visit, weight_at, height = editor.visit_with_patient(rx.visit_id)
    given = dispense_of(prescription_id)
    lines = _given_lines(rx, given) if given is not None else _planned_lines(rx)
    # The receiver's number is asked by the form itself.
    stops = [f for f in rules.check_dispense(facts_of(rx, visit, actor)) if f.code != "receiver_id_missing"]
    if given is None:
        stops += [
            Finding("stock_short", "", f"{row.name}: kho còn {row.on_hand.normalize():f} đủ hạn dùng, cần {row.quantity}. "
                    "Nhập thêm lô hoặc báo bác sĩ đổi thuốc.")
            for row in lines if not row.lots
        ]  # fmt: skip
    return Counter(
        rx, visit, records_queries.banner_of(visit.patient, visit, visit.weight_kg, weight_at, height), lines, given,
        tuple(stops), rules.last_day(clock.local(rx.signed_at).date()) if rx.signed_at else None,
    )  # fmt: skip


def _line(line: PrescriptionLine, lots: tuple[Allocation, ...], on_hand: Decimal, skipped: int) -> CounterLine:
    return CounterLine(
        line, prescriptions.drug_text(line.inn[:1].upper() + line.inn[1:], line.brand, line.strength),
        prescriptions.quantity_text(line.quantity, line.unit, narcotic=line.control_class == "N"),
        prescriptions.usage_text(line.route_name, line.dose_amount, line.dose_unit, line.times_per_day, line.times_text, line.frequency)
        + f", {line.days} ngày",
        lots, on_hand, skipped,
    )  # fmt: skip


def _planned_lines(rx: Prescription) -> tuple[CounterLine, ...]:
    """Choose lots as the hand-over will, line after line on what the former lines leave."""
    left = {
        code: [LotFacts(lot.lot_id, lot.lot_number, lot.expires_on, lot.quantity) for lot in lots]
        for code, lots in stock.lots_of_many(line.drug_code for line in rx.lines).items()
    }
    planned: dict[int, CounterLine] = {}
    today = clock.today()
    for line in sorted(rx.lines, key=lambda item: (item.drug_code, item.position)):
        last = prescriptions.course_end(line, today)
        lots = left.get(line.drug_code, [])
        chosen = allocate(lots, line.quantity, last)
        taken = {part.lot_id: part.quantity for part in chosen}
        left[line.drug_code] = [
            LotFacts(lot.lot_id, lot.lot_number, lot.expires_on, lot.quantity - taken.get(lot.lot_id, Decimal(0)))
            for lot in lots
        ]
        planned[line.position] = _line(
            line, chosen, sum((lot.quantity for lot in lots if lot.expires_on >= last), Decimal(0)),
            sum(lot.expires_on < last and lot.quantity > 0 for lot in lots),
        )  # fmt: skip
    return tuple(planned[line.position] for line in rx.lines)


def _given_lines(rx: Prescription, given: Dispense) -> tuple[CounterLine, ...]:
    parts: dict[int, list[Allocation]] = {}
    for part in given.lines:
        parts.setdefault(part.prescription_line_id, []).append(
            Allocation(part.lot_id, part.lot_number, part.expires_on, part.quantity)
        )
    return tuple(_line(line, tuple(parts.get(line.line_id, ())), line.quantity, 0) for line in rx.lines)
