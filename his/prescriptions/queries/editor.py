"""Everything the prescription editor shows, read in at most eight statements whatever the patient's history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import joinedload

from his.billing import queries as billing_queries
from his.billing import service as billing
from his.billing.models import Charge
from his.catalogues.models import Drug
from his.core import clock
from his.core.db import session
from his.examination import queries as exam_queries
from his.examination.models import Diagnosis, VitalSigns
from his.prescriptions import queries, rules
from his.prescriptions.enums import PrescriptionState
from his.prescriptions.models import Prescription, PrescriptionLine
from his.records import queries as records_queries
from his.records.errors import VisitNotFound
from his.records.models import Patient, Visit
from his.stock import queries as stock

DOSE_RULES = ("dose_max_kg", "dose_max_dose", "dose_max_day")


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert at a line with the ways out of it. ``key`` names it in the form."""

    open: queries.OpenAlert
    fixes: tuple[rules.Fix, ...]

    @property
    def key(self) -> str:
        return f"{self.open.alert.rule}|{self.open.alert.key}"


@dataclass(frozen=True, slots=True)
class Swap:
    """Another product of the same ingredient that fits the weight better."""

    drug_code: str
    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class EditorLine:
    """One line ready to draw; amounts in đồng, quantities in the product's unit."""

    line: PrescriptionLine
    drug: Drug | None
    name: str
    sub: str
    help: rules.DoseHelp
    units: tuple[str, ...]
    computed: Decimal
    quantity_text: str
    available: Decimal
    amount: Decimal
    alerts: tuple[AlertView, ...]
    swaps: tuple[Swap, ...]

    @property
    def is_short(self) -> bool:
        return self.available < self.line.quantity

    @property
    def tier(self) -> int:
        """Return the highest tier still open at the line (9 = none)."""
        return min((a.open.alert.tier for a in self.alerts if a.open.is_open), default=9)


@dataclass(frozen=True, slots=True)
class Money:
    """What the drugs cost and who pays, by the benefit rules on the whole bill as it stands."""

    total: Decimal
    fund: Decimal
    payable: Decimal
    rate: str
    is_estimate: bool


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One row of the safety panel: ``code`` of the group, how many alerts of each tier are open, how many answered."""

    code: str
    stops: int = 0
    cautions: int = 0
    answered: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Editor:
    """The prescription page of a visit."""

    visit: Visit
    banner: records_queries.Banner
    prescription: Prescription | None
    siblings: tuple[Prescription, ...]
    lines: tuple[EditorLine, ...]
    run: queries.SafetyRun
    patient_alerts: tuple[AlertView, ...]
    checks: tuple[CheckRow, ...]
    money: Money
    facts: rules.PatientFacts
    diagnoses: tuple[Diagnosis, ...]
    copy_from: date | None
    mixed: tuple[int, ...] = field(default=())

    @property
    def is_draft(self) -> bool:
        return self.prescription is None or self.prescription.state is PrescriptionState.DRAFT

    @property
    def short(self) -> tuple[EditorLine, ...]:
        return tuple(line for line in self.lines if self.is_draft and line.is_short)

    @property
    def can_sign(self) -> bool:
        return bool(self.lines) and self.is_draft and self.run.can_sign and not self.short and not self.mixed


def load(visit_id: int, prescription_id: int | None = None) -> Editor:
    """Return the page of a visit: the named prescription, else the newest in force, else an empty draft.

    Raises `VisitNotFound`.
    """
    visit, weight_at, height = visit_with_patient(visit_id)
    all_of_visit = queries.of_visit(visit_id)
    siblings = tuple(p for p in all_of_visit if p.state in queries.IN_FORCE)
    chosen = next((p for p in all_of_visit if p.prescription_id == prescription_id), None) or next(iter(siblings), None)
    diagnoses = tuple(exam_queries.diagnoses_of(visit_id))
    recent = queries.recent_lines(visit.patient_id)
    running = queries.running_medicines(recent, siblings, visit, chosen.prescription_id if chosen else None)
    facts = queries.facts_of(visit, visit.patient, diagnoses, running)
    lines = tuple(chosen.lines) if chosen else ()
    is_open = chosen is None or chosen.state is PrescriptionState.DRAFT
    run = queries.safety_run(chosen, facts) if chosen is not None and is_open else queries.SafetyRun(())
    wanted = {lines[n].inn for a in run.alerts if a.is_open and a.alert.rule in DOSE_RULES for n in a.alert.lines}
    drugs = _drugs({line.drug_code for line in lines}, wanted, visit.service_on)
    on_hand = stock.available(line.drug_code for line in lines) if lines else {}
    rows = tuple(_line(line, position, lines, drugs, on_hand, run, facts) for position, line in enumerate(lines))
    mixed = queries.controlled_positions(lines) if is_open else ()
    return Editor(
        visit=visit, banner=records_queries.banner_of(visit.patient, visit, visit.weight_kg, weight_at, height),
        prescription=chosen, siblings=siblings, lines=rows, run=run,
        patient_alerts=tuple(AlertView(a, ()) for a in run.of_patient() if a.alert.tier in (1, 2)), checks=_checks(run),
        money=_money(visit, rows, is_estimate=is_open), facts=facts, diagnoses=diagnoses,
        copy_from=next(
            (clock.local(r.prescription.signed_at).date() for r in recent
             if r.prescription.visit_id != visit_id and r.prescription.signed_at), None,
        ),
        mixed=mixed,
    )  # fmt: skip


def visit_with_patient(visit_id: int) -> tuple[Visit, datetime | None, Decimal | None]:
    """Read visit, patient with allergies, guardians and identifiers, card, and the newest height: one statement."""
    good = and_(VitalSigns.visit_id == Visit.visit_id, VitalSigns.voided_at.is_(None))
    newest = (VitalSigns.measured_at.desc(), VitalSigns.vitals_id.desc())
    weighed = select(VitalSigns.measured_at).where(good, VitalSigns.weight_kg.is_not(None)).order_by(*newest).limit(1)
    height = select(VitalSigns.height_cm).where(good, VitalSigns.height_cm.is_not(None)).order_by(*newest).limit(1)
    row = (
        session()
        .execute(
            select(Visit, weighed.scalar_subquery(), height.scalar_subquery())
            .where(Visit.visit_id == visit_id)
            .options(
                joinedload(Visit.patient).options(
                    joinedload(Patient.allergies), joinedload(Patient.guardians), joinedload(Patient.identifiers)
                ),
                joinedload(Visit.coverage),
            )
        )
        .unique()
        .one_or_none()
    )
    if row is None:
        raise VisitNotFound("Không tìm thấy lượt khám này.")
    return row[0], row[1], row[2]


def _drugs(codes: Iterable[str], ingredients: Iterable[str], on: date) -> dict[str, Drug]:
    """Return the products of the lines, and the other products of ingredients whose dose is too high (1 statement)."""
    named, inns = sorted(codes), sorted(ingredients)
    if not named:
        return {}
    valid = and_(Drug.valid_from <= on, or_(Drug.valid_to.is_(None), Drug.valid_to >= on))
    wanted = or_(Drug.code.in_(named), Drug.inn.in_(inns)) if inns else Drug.code.in_(named)
    return {
        drug.code: drug for drug in session().execute(select(Drug).where(wanted, valid).order_by(Drug.code)).scalars()
    }


def _line(
    line: PrescriptionLine, position: int, lines: Sequence[PrescriptionLine], drugs: dict[str, Drug],
    on_hand: dict[str, Decimal], run: queries.SafetyRun, facts: rules.PatientFacts,
) -> EditorLine:  # fmt: skip
    drug = drugs.get(line.drug_code)
    values = [queries.rx_line(item) for item in lines]
    units_of, forms = [item.dose_unit for item in lines], [item.form for item in lines]
    alerts = tuple(
        AlertView(a, rules.fixes_for(a.alert, values, facts, dose_units_of=units_of, forms=forms))
        for a in run.shown_at(position)
    )
    units = rules.dose_units(line.unit, line.form, line.strength)
    over = any(a.open.is_open and a.open.alert.rule in DOSE_RULES for a in alerts)
    return EditorLine(
        line=line, drug=drug, name=short_name(drug.ingredient_vi) if drug else line.inn.capitalize(),
        sub=" · ".join(part for part in (line.brand, line.route_name or line.form) if part),
        help=rules.dose_help(values[position], facts, dose_unit=line.dose_unit, form=line.form),
        units=units if line.dose_unit in units else (line.dose_unit, *units),
        computed=rules.quantity_of(
            line.dose_amount, line.unit, line.dose_unit, line.times_per_day, line.days, line.frequency,
            strength=line.strength, route=line.route_code,
        ),
        quantity_text=rules.quantity_text(line.quantity, line.unit), available=on_hand.get(line.drug_code, Decimal(0)),
        amount=(drug.price if drug else Decimal(0)) * line.quantity, alerts=alerts,
        swaps=_swaps(line, drugs, facts) if over else (),
    )  # fmt: skip


def short_name(name: str) -> str:
    """Return an ingredient without the note on its salt ("Azithromycin (dưới dạng …)")."""
    return name.partition(" (dưới dạng")[0].partition(" (tương đương")[0]


def _swaps(line: PrescriptionLine, drugs: dict[str, Drug], facts: rules.PatientFacts) -> tuple[Swap, ...]:
    """Return products of the same ingredient and route of which one unit is a good dose, best first."""
    found = []
    for drug in drugs.values():
        if drug.inn != line.inn or drug.code == line.drug_code or drug.route_code != line.route_code:
            continue
        unit = next(iter(rules.dose_units(drug.unit, drug.form, drug.strength)), "")
        probe = rules.RxLine(drug.inn, drug.strength, drug.route_code, f"1 {unit}", line.times_per_day, line.days)
        shown = rules.dose_help(probe, facts, dose_unit=unit, form=drug.form)
        if unit != "ml" and shown.tone == "ok" and shown.mg is not None:
            found.append(
                (-shown.mg, Swap(drug.code, f"{drug.brand or drug.ingredient_vi} {drug.strength}", shown.figure))
            )
    return tuple(swap for _mg, swap in sorted(found, key=lambda pair: (pair[0], pair[1].drug_code))[:1])


GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("interaction", ("drug_drug",)),
    ("dose", (*DOSE_RULES, "frequency")),
    ("allergy", ("allergy", "allergy_status_unknown")),
    ("duplicate", ("duplicate_therapy",)),
    ("condition", ("age_contraindication", "pregnancy", "lactation", "renal", "disease_contraindication")),
    ("law", ("max_days", "diagnosis_missing", "child_under_72_months_fields", "not_a_medicine", "form_class",
             "split_by_control_class", "narcotic_facility", "narcotic_commitment", "narcotic_periods", "quantity_mismatch")),
)  # fmt: skip


def _checks(run: queries.SafetyRun) -> tuple[CheckRow, ...]:
    rows = []
    for code, names in GROUPS:
        own = [a for a in run.alerts if a.alert.rule in names]
        rows.append(
            CheckRow(
                code,
                sum(a.alert.tier == 1 and a.is_open for a in own),
                sum(a.alert.tier == 2 and a.is_open for a in own),
                sum(a.override is not None for a in own),
                tuple(a.alert.message for a in own if a.alert.tier in (3, 4)),
            )
        )
    return tuple(rows)


def _money(visit: Visit, rows: Sequence[EditorLine], *, is_estimate: bool) -> Money:
    """Split the drug cost by the rule the cashier uses: on the whole bill, charges already posted included."""
    sources = {row.line.line_id for row in rows}
    charges = billing_queries.charges_of(visit.visit_id)
    others = [c for c in charges if not (c.source_kind == "prescription_line" and c.source_id in sources)]
    lines = [_bill_line(c) for c in others] + [_estimate(row) for row in rows if row.drug is not None]
    coverage = visit.coverage if visit.subject_code != "9" else None
    context = billing.BenefitContext(
        on=clock.local(visit.ended_at).date() if visit.ended_at else visit.service_on,
        card=coverage.card_number if coverage else "", subject=billing_queries.subject_of(visit),
        is_exempt=bool(coverage and coverage.is_copay_exempt),
    )  # fmt: skip
    result = billing.split_benefit(lines, context)
    own = [share for share in result.lines if share.ref.startswith("rx")]
    return Money(
        sum((s.total for s in own), Decimal(0)), sum((s.fund for s in own), Decimal(0)),
        sum((s.copay + s.outside for s in own), Decimal(0)), result.rate, is_estimate,
    )  # fmt: skip


def _bill_line(charge: Charge) -> billing.BillLine:
    return billing.BillLine(
        ref=str(charge.charge_id), cost_group=charge.cost_group, quantity=charge.quantity,
        hospital_price=charge.hospital_price, insurance_price=charge.insurance_price, service_rate=charge.service_rate,
        insurance_rate=charge.insurance_rate,
    )  # fmt: skip


def _estimate(row: EditorLine) -> billing.BillLine:
    drug = row.drug
    if drug is None:
        raise ValueError("a line without its product has no price")
    return billing.BillLine(
        ref=f"rx{row.line.line_id}", cost_group=drug.cost_group, quantity=row.line.quantity, hospital_price=drug.price,
        insurance_price=drug.insurance_price, insurance_rate=drug.insurance_rate,
    )  # fmt: skip
