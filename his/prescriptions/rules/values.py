"""Plain values the checks work on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

NUMBER = r"(\d+(?:[.,]\d+)?)"
TO_MG = {
    "g": Decimal(1000),
    "mg": Decimal(1),
    "mcg": Decimal("0.001"),
    "µg": Decimal("0.001"),
    "μg": Decimal("0.001"),
    "microgram": Decimal("0.001"),
}


@dataclass(frozen=True, slots=True)
class AllergyFacts:
    """A recorded allergy."""

    substance: str
    reaction: str = ""
    severity: str = ""

    @property
    def is_severe(self) -> bool:
        text = f"{self.severity} {self.reaction}".lower()
        return any(
            word in text
            for word in (
                "severe",
                "nặng",
                "anaphyl",
                "phản vệ",
                "stevens",
                "dress",
                "ten",
                "lyell",
                "angioedema",
                "phù mạch",
            )
        )


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """The patient at the moment of prescribing. ``weight_kg`` in kg; ``egfr`` in ml/min/1,73 m²."""

    age_months: int
    age_days: int | None = None
    weight_kg: Decimal | None = None
    sex: str = ""
    pregnant_weeks: int | None = None
    lactating: bool = False
    egfr: Decimal | None = None
    allergy_status: str = "none_known"
    allergies: tuple[AllergyFacts, ...] = ()
    diagnoses: tuple[str, ...] = ()
    current_medicines: tuple[str, ...] = ()
    guardian_name: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RxLine:
    """One medicine as prescribed. ``dose`` is text such as ``2 viên`` or ``3,5 ml``; ``strength`` as the catalogue has it."""

    ingredient: str
    strength: str = ""
    route: str = "1.01"
    dose: str = ""
    times_per_day: int | None = None
    days: int | None = None
    quantity: Decimal | None = None
    frequency: str = "daily"
    unit: str = ""
    control_class: str = ""
    form_class: str = ""
    diagnosis: str = ""
    is_medicine: bool = True


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: one rule, one tier, the drugs it is about. ``lines`` are positions in the prescription (0-based)."""

    rule: str
    tier: int
    about: tuple[str, ...]
    message: str
    source: str = ""
    suggestion: str = ""
    limit: int | None = None
    lines: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """What an override names."""
        return ";".join(sorted(self.about))


def decimal(text: str) -> Decimal:
    """Read a number with comma or point."""
    return Decimal(text.replace(",", "."))


def mg_of(text: str) -> Decimal | None:
    """Read a mass such as ``500 mg``, ``1 g``, ``50 mcg`` in mg; None when there is none."""
    match = re.search(rf"{NUMBER}\s*(mg|g|mcg|µg|μg|microgram)\b", text.lower())
    return decimal(match.group(1)) * TO_MG[match.group(2)] if match else None


def strength_per_ml(strength: str) -> Decimal | None:
    """Return mg per ml of a liquid (``200 mg/5 ml``, ``100mg/5ml; 10ml``, ``10%``); None when it is no liquid."""
    low = strength.lower()
    match = re.search(rf"{NUMBER}\s*(mg|g|mcg)\s*/\s*{NUMBER}?\s*ml", low)
    if match:
        volume = decimal(match.group(3)) if match.group(3) else Decimal(1)
        return decimal(match.group(1)) * TO_MG[match.group(2)] / volume
    match = re.search(rf"{NUMBER}\s*%", low)
    if match:
        return decimal(match.group(1)) * 10
    return None


def mg_per_unit(strength: str) -> Decimal | None:
    """Return mg in one tablet, sachet, suppository; the first figure of a combination counts."""
    first = strength.partition("+")[0].partition(";")[0]
    return mg_of(first)


def dose_mg(line: RxLine) -> Decimal | None:
    """Return the mass of the (first) active ingredient in one dose, in mg; None when it cannot be known."""
    text = line.dose.strip().lower()
    direct = mg_of(text)
    if direct is not None:
        return direct
    match = re.match(rf"{NUMBER}\s*(.*)", text)
    if not match:
        fraction = re.match(r"(\d)/(\d)\s*(.*)", text)
        if not fraction:
            return None
        amount, unit = Decimal(fraction.group(1)) / Decimal(fraction.group(2)), fraction.group(3)
    else:
        fraction = re.match(r"(\d)/(\d)\s*(.*)", text)
        if fraction:
            amount, unit = Decimal(fraction.group(1)) / Decimal(fraction.group(2)), fraction.group(3)
        else:
            amount, unit = decimal(match.group(1)), match.group(2)
    if unit.strip().startswith("ml"):
        per_ml = strength_per_ml(line.strength)
        return amount * per_ml if per_ml is not None else None
    per_unit = mg_per_unit(line.strength)
    if per_unit is None:
        return None
    low = line.strength.lower()
    if re.search(r"/\s*\d*[.,]?\d*\s*ml", low) and not unit.strip().startswith(
        ("gói", "goi", "ống", "ong", "viên", "vien", "nhát", "liều")
    ):
        return None
    return amount * per_unit


def dose_amount(line: RxLine) -> Decimal | None:
    """Return how many units one dose takes (``2 viên`` -> 2), None for doses in mg or ml."""
    text = line.dose.strip().lower()
    fraction = re.match(r"(\d)/(\d)\s*(.*)", text)
    if fraction:
        return Decimal(fraction.group(1)) / Decimal(fraction.group(2))
    match = re.match(rf"{NUMBER}\s*(.*)", text)
    if not match or re.match(r"(mg|g|mcg|ml|µg)\b", match.group(2).strip()):
        return None
    return decimal(match.group(1))
