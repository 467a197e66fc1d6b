"""Reads of prescriptions, and the facts the checks need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from his.core import clock
from his.core.db import session
from his.examination import queries as exam_queries
from his.examination.models import Diagnosis
from his.prescriptions import rules
from his.prescriptions.enums import PrescriptionState
from his.prescriptions.errors import PrescriptionNotFound
from his.prescriptions.models import AlertOverride, Prescription, PrescriptionLine
from his.records import queries as records_queries
from his.records.enums import Sex
from his.records.models import Patient, Visit

IN_FORCE = (PrescriptionState.DRAFT, PrescriptionState.SIGNED, PrescriptionState.DISPENSED)


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert with the override given to it, if any."""

    alert: rules.Alert
    override: AlertOverride | None

    @property
    def is_open(self) -> bool:
        return self.override is None and self.alert.tier in (1, 2)

    def as_json(self) -> dict[str, object]:
        """Return what is kept with the prescription."""
        return {
            "rule": self.alert.rule, "tier": self.alert.tier, "about": self.alert.key, "message": self.alert.message,
            "source": self.alert.source, "lines": list(self.alert.lines), "open": self.is_open,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class SafetyRun:
    """The alerts of a prescription as it stands."""

    alerts: tuple[OpenAlert, ...]

    @property
    def stops(self) -> tuple[OpenAlert, ...]:
        return tuple(a for a in self.alerts if a.alert.tier == 1 and a.is_open)

    @property
    def cautions(self) -> tuple[OpenAlert, ...]:
        return tuple(a for a in self.alerts if a.alert.tier == 2 and a.is_open)

    @property
    def can_sign(self) -> bool:
        return not self.stops and not self.cautions

    def shown_at(self, position: int) -> list[OpenAlert]:
        """Return the alerts drawn under a line: the open ones of its highest tier, else the answered ones and the notes.

        An alert about several lines stands under the last of them, so that each is asked once.
        """
        own = [a for a in self.alerts if a.alert.lines and max(a.alert.lines) == position]
        waiting = [a for a in own if a.is_open]
        if waiting:
            best = min(a.alert.tier for a in waiting)
            return [a for a in waiting if a.alert.tier == best]
        return [a for a in own if a.override is not None or a.alert.tier == 3]

    def of_patient(self) -> list[OpenAlert]:
        """Return the alerts that belong to no line."""
        return [a for a in self.alerts if not a.alert.lines]


def _load() -> tuple[object, ...]:
    return (selectinload(Prescription.lines), selectinload(Prescription.overrides))


def get(prescription_id: int) -> Prescription:
    """Return a prescription with lines and overrides (3 statements)."""
    found = (
        session()
        .execute(
            select(Prescription).where(Prescription.prescription_id == prescription_id).options(*_load())  # type: ignore[arg-type]
        )
        .scalar_one_or_none()
    )
    if found is None:
        raise PrescriptionNotFound("Không tìm thấy đơn thuốc này.")
    return found


def get_for_update(prescription_id: int) -> Prescription:
    """Return a prescription locked until the end of the transaction."""
    found = (
        session()
        .execute(
            select(Prescription)
            .where(Prescription.prescription_id == prescription_id)
            .options(*_load())  # type: ignore[arg-type]
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        .scalar_one_or_none()
    )
    if found is None:
        raise PrescriptionNotFound("Không tìm thấy đơn thuốc này.")
    return found


def current_of(visit_id: int) -> Prescription | None:
    """Return the prescription in force of a visit."""
    return (
        session()
        .execute(
            select(Prescription)
            .where(Prescription.visit_id == visit_id, Prescription.state.in_(IN_FORCE))
            .options(*_load())  # type: ignore[arg-type]
            .order_by(Prescription.prescription_id.desc())
            .limit(1)
        )
        .scalar_one_or_none()
    )


def of_visit(visit_id: int) -> Sequence[Prescription]:
    """Return all prescriptions of a visit with lines and overrides, newest first (1 statement)."""
    return (
        session()
        .execute(
            select(Prescription)
            .where(Prescription.visit_id == visit_id)
            .options(joinedload(Prescription.lines), joinedload(Prescription.overrides))
            .order_by(Prescription.prescription_id.desc())
        )
        .unique()
        .scalars()
        .all()
    )


def by_code(code: str) -> Prescription | None:
    """Return a prescription by its 14-character code."""
    return session().execute(select(Prescription).where(Prescription.code == code)).scalar_one_or_none()


def of_patient(patient_id: int, limit: int = 5) -> Sequence[Prescription]:
    """Return the latest signed prescriptions of a patient."""
    return (
        session()
        .execute(
            select(Prescription)
            .where(Prescription.patient_id == patient_id, Prescription.signed_at.is_not(None))
            .options(selectinload(Prescription.lines), joinedload(Prescription.overrides))
            .order_by(Prescription.signed_at.desc())
            .limit(limit)
        )
        .unique()
        .scalars()
        .all()
    )


def rx_line(line: PrescriptionLine) -> rules.RxLine:
    """Return a stored line as the checks want it."""
    return rules.RxLine(
        ingredient=line.inn, strength=line.strength, route=line.route_code,
        dose=f"{rules.number_text(line.dose_amount)} {line.dose_unit}", times_per_day=line.times_per_day, days=line.days,
        quantity=None if line.dose_unit.lower() != line.unit.lower() else line.quantity, frequency=line.frequency,
        unit=line.unit, control_class=line.control_class, diagnosis=line.diagnosis_code,
    )  # fmt: skip


def facts_for_checks(visit: Visit, prescription_id: int | None = None) -> rules.PatientFacts:
    """Return the patient as the checks of a prescription want it (at most 8 statements)."""
    patient = records_queries.get_patient(visit.patient_id)
    siblings = [p for p in of_visit(visit.visit_id) if p.state in IN_FORCE]
    running = running_medicines(recent_lines(visit.patient_id), siblings, visit, prescription_id)
    return facts_of(visit, patient, exam_queries.diagnoses_of(visit.visit_id), running)


PREGNANCY_CODES = ("Z32.1", "Z33", "Z34", "Z35", *(f"O{n:02d}" for n in range(10, 49)))


def facts_of(
    visit: Visit, patient: Patient, diagnoses: Sequence[Diagnosis], running: Sequence[str]
) -> rules.PatientFacts:
    """Return the facts from loaded rows (no statement). A diagnosis of pregnancy counts, the week being unknown."""
    months = (visit.service_on.year - patient.birth_on.year) * 12 + visit.service_on.month - patient.birth_on.month
    months -= visit.service_on.day < patient.birth_on.day
    guardian = visit.guardian_name or next((g.full_name for g in patient.guardians), "")
    status = records_queries.allergy_status_of(patient).value
    codes = tuple(d.icd_code for d in diagnoses)
    pregnant = patient.sex is not Sex.MALE and any(code.startswith(PREGNANCY_CODES) for code in codes)
    return rules.PatientFacts(
        age_months=max(months, 0), age_days=(visit.service_on - patient.birth_on).days, weight_kg=visit.weight_kg,
        sex=patient.sex.value, pregnant_weeks=UNKNOWN_WEEK if pregnant else None,
        allergy_status="unknown" if status == "unknown" else "known",
        allergies=tuple(
            rules.AllergyFacts(a.substance, a.reaction, a.severity) for a in patient.allergies if a.voided_at is None
        ),
        diagnoses=codes, current_medicines=tuple(running), guardian_name=guardian, context={"facility_has_beds": True},
    )  # fmt: skip


# Late enough for every caution that starts within a pregnancy.
UNKNOWN_WEEK = 28
RECENT_DAYS = 180
# The last days of an old course are no reason to speak of a duplicate.
FADING_DAYS = 2


def recent_lines(patient_id: int) -> Sequence[PrescriptionLine]:
    """Return the lines of the patient's signed prescriptions of half a year, newest first (1 statement)."""
    return (
        session()
        .execute(
            select(PrescriptionLine)
            .join(PrescriptionLine.prescription)
            .options(contains_eager(PrescriptionLine.prescription))
            .where(
                Prescription.patient_id == patient_id,
                Prescription.state.in_((PrescriptionState.SIGNED, PrescriptionState.DISPENSED)),
                Prescription.signed_at >= clock.now() - timedelta(days=RECENT_DAYS),
            )
            .order_by(Prescription.signed_at.desc(), PrescriptionLine.prescription_id.desc(), PrescriptionLine.position)
            .limit(100)
        )
        .scalars()
        .all()
    )


def running_medicines(
    lines: Sequence[PrescriptionLine], siblings: Sequence[Prescription], visit: Visit, prescription_id: int | None
) -> list[str]:
    """Return what the patient takes besides this prescription: courses still running, and other forms of this visit."""
    found = [
        line.inn for line in lines
        if line.prescription.visit_id != visit.visit_id and line.prescription.signed_at is not None
        and clock.local(line.prescription.signed_at).date() + timedelta(days=line.days - FADING_DAYS) > visit.service_on
    ]  # fmt: skip
    found += [line.inn for other in siblings if other.prescription_id != prescription_id for line in other.lines]
    return list(dict.fromkeys(found))


def safety_run(prescription: Prescription, facts: rules.PatientFacts) -> SafetyRun:
    """Run every check on a prescription as it stands; answered alerts carry their override."""
    alerts = rules.check_prescription(facts, [rx_line(line) for line in prescription.lines])
    given = {(o.rule, o.about): o for o in prescription.overrides}
    return SafetyRun(tuple(OpenAlert(a, given.get((a.rule, a.key))) for a in alerts))


def controlled_positions(lines: Sequence[PrescriptionLine]) -> tuple[int, ...]:
    """Return the lines that need a form of their own, () when all lines belong on one form (TT 26/2025 Đ7, Đ9)."""
    letters = [rules.control_letter(rx_line(line)) for line in lines]
    if len(set(letters)) < 2:
        return ()
    first = "C" if "C" in letters else letters[0]
    return tuple(i for i, letter in enumerate(letters) if letter != first)
