"""Helping with the dose: units a product is dosed in, whole packs, the dose for a weight, measurable steps, fixes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from his.prescriptions.rules import reference as ref
from his.prescriptions.rules.checks import limit_for
from his.prescriptions.rules.values import (
    NUMBER,
    Alert,
    PatientFacts,
    RxLine,
    decimal,
    dose_mg,
    mg_per_unit,
    strength_per_ml,
)
from his.prescriptions.rules.writing import number_text

HALF, ONE = Decimal("0.5"), Decimal(1)
# Packs of which one is given when nobody can tell how much they hold.
PACKS = ("chai", "lọ", "bình", "tuýp", "hộp", "bút")
# Containers of one dose: what is left in an opened one is thrown away when it is injected.
SINGLE = ("ống", "gói", "bơm")
# Forms that must be swallowed whole.
UNDIVIDED = ("nang", "bao tan trong ruột", "kéo dài", "biến đổi", "pellet")
DROPS, PUFFS = ("nhỏ mắt", "nhỏ mũi", "nhỏ tai", "nhỏ mắt, mũi"), ("xịt", "hít", "phun mù")


def pack_ml(strength: str, unit: str) -> Decimal | None:
    """Return the millilitres in one pack (``100mg/5ml; 10ml`` -> 10, ``2% x 10ml`` -> 10, an ampoule ``10mg/2ml`` -> 2).

    None when the data do not say, as for ``200mg/5ml`` in a bottle.
    """
    low = f"{strength} ; {unit}".lower()
    named = re.search(rf"(?:[;x×]|chai|lọ|gói|ống)\s*{NUMBER}\s*ml\b", low)
    if named:
        return decimal(named.group(1))
    inside = re.search(rf"/\s*{NUMBER}?\s*ml\b", low)
    if inside and unit.lower().startswith(SINGLE):
        return decimal(inside.group(1)) if inside.group(1) else ONE
    return None


def is_liquid(strength: str, form: str) -> bool:
    """Tell whether a product is measured in millilitres."""
    low = form.lower()
    if low.startswith("viên") or low.startswith(PUFFS):
        return False
    return bool(re.search(r"\bml\b", strength.lower())) or any(
        word in low for word in ("siro", "hỗn dịch uống", "dung dịch uống")
    )


def dose_units(unit: str, form: str, strength: str) -> tuple[str, ...]:
    """Return the units a product may be dosed in, the usual one first."""
    low, own = form.lower(), unit.lower()
    if any(word in low for word in PUFFS):
        return ("nhát",)
    if any(word in low for word in DROPS):
        return ("giọt",)
    if own in ("tuýp", "miếng", "bút", "bơm"):
        return {"tuýp": ("lần bôi",), "miếng": ("miếng",), "bút": ("đơn vị",), "bơm": ("bơm",)}[own]
    powder = "pha hỗn dịch" in low or "bột" in low or "cốm" in low
    liquid = is_liquid(strength, form) and not (powder and own in SINGLE)
    mass = mg_per_unit(strength) is not None or strength_per_ml(strength) is not None
    units = ["ml"] if liquid else []
    if not liquid or own in SINGLE:
        units.append(own)
    if mass and ("tiêm" in low or not liquid):
        units.append("mg")
    return tuple(units)


def units_in_dose(amount: Decimal, dose_unit: str, unit: str, strength: str) -> Decimal | None:
    """Return how many packs or tablets one dose takes, None when it cannot be known (drops, puffs, ointment)."""
    dose, own = dose_unit.lower(), unit.lower()
    if dose == own and own != "tuýp":
        return amount
    volume = pack_ml(strength, unit)
    if dose == "ml":
        return amount / volume if volume else None
    if dose in ("mg", "g", "mcg"):
        mg = amount * {"mg": ONE, "g": Decimal(1000), "mcg": Decimal("0.001")}[dose]
        per_ml = strength_per_ml(strength)
        if per_ml:
            return mg / per_ml / volume if volume else None
        per_unit = mg_per_unit(strength)
        return mg / per_unit if per_unit else None
    return None


def quantity_of(
    amount: Decimal, unit: str, dose_unit: str, times: int, days: int, frequency: str = "daily", *, strength: str = "",
    route: str = "1.01",
) -> Decimal:  # fmt: skip
    """Return how many units to give, whole ones: dose × times × days.

    Tablets and sachets are summed and rounded up; a liquid of known volume gives whole bottles; what is injected opens
    a fresh ampoule each time; a bottle, tube or inhaler of unknown content counts as one pack.
    """
    doses = (days + 6) // 7 if frequency == "weekly" else times * days
    each = units_in_dose(amount, dose_unit, unit, strength)
    if each is None or (unit.lower().startswith(PACKS) and dose_unit.lower() not in ("ml", "mg", unit.lower())):
        return ONE
    if ref.route_groups().get(route, "oral").startswith("inj"):
        each = each.to_integral_value(ROUND_CEILING)
    return max((each * doses).to_integral_value(ROUND_CEILING), ONE)


def step_of(dose_unit: str, form: str) -> Decimal:
    """Return the smallest measurable part: 0,5 ml, half a scored tablet, a whole sachet, capsule, puff or drop."""
    unit = dose_unit.lower()
    if unit == "ml":
        return HALF
    if unit == "viên":
        return ONE if any(word in form.lower() for word in UNDIVIDED) else HALF
    return HALF if unit == "gói" else ONE


def is_systemic(route: str) -> bool:
    """Tell whether what is given by a route acts in the whole body, so that its dose goes by weight."""
    return ref.route_groups().get(route, "oral").startswith(("oral", "inj", "rectal"))


def mass_of(line: RxLine, amount: Decimal, dose_unit: str) -> Decimal | None:
    """Return the mg in an amount of a line's product."""
    probe = RxLine(line.ingredient, line.strength, line.route, f"{number_text(amount)} {dose_unit}")
    return dose_mg(probe)


@dataclass(frozen=True, slots=True)
class DoseOption:
    """A measurable dose: how much, its mass, and per kilogram of body weight."""

    amount: Decimal
    unit: str
    mg: Decimal
    per_kg: Decimal | None
    tone: str  # ok, warn, bad


@dataclass(frozen=True, slots=True)
class DoseHelp:
    """What is known about the dose of one line for this patient; masses in mg a dose.

    ``figure`` is the text beside the line (``9,9 mg/kg/lần``) and ``tone`` its colour ("" = not by weight).
    """

    figure: str
    tone: str
    mg: Decimal | None = None
    low_mg: Decimal | None = None
    high_mg: Decimal | None = None
    low_per_kg: Decimal | None = None
    high_per_kg: Decimal | None = None
    max_mg: Decimal | None = None
    max_mg_day: Decimal | None = None
    max_doses: int | None = None
    options: tuple[DoseOption, ...] = ()
    step: Decimal = ONE
    note: str = ""
    source: str = ""

    @property
    def scale_mg(self) -> Decimal | None:
        """Return where the bar of the dose ends."""
        marks = [
            m
            for m in (self.max_mg, self.high_mg and self.high_mg * Decimal("1.5"), self.mg and self.mg * Decimal("1.1"))
            if m
        ]
        return max(marks) if marks else None


def _limit(line: RxLine, patient: PatientFacts) -> ref.DoseLimit | None:
    whole = ref.normal(line.ingredient)
    parts = ref.components(line.ingredient)
    name = whole if whole in ref.dose_limits() else parts[0] if parts else whole
    return limit_for(line, name, patient)


def _per_kg(mg: Decimal, weight: Decimal | None) -> Decimal | None:
    if not weight:
        return None
    value = mg / weight
    places = Decimal("0.1") if value >= 1 else Decimal("0.01") if value >= Decimal("0.1") else Decimal("0.001")
    return value.quantize(places)


def dose_help(line: RxLine, patient: PatientFacts, *, dose_unit: str, form: str = "") -> DoseHelp:
    """Return the figure beside a line and the helper of the side panel."""
    mg, weight, limit = dose_mg(line), patient.weight_kg, _limit(line, patient)
    if mg is None:
        return DoseHelp("", "")
    by_weight = (
        bool(weight)
        and limit is not None
        and limit.population == "child"
        and bool(limit.max_mg_per_kg_dose or limit.max_mg_per_kg_day)
    )
    high = _ceiling(limit, weight, line.times_per_day or 1) if limit else None
    low = limit.min_mg_per_kg_dose * weight if limit and weight and limit.min_mg_per_kg_dose and by_weight else None
    tone = _tone(mg, low, high)
    if not is_systemic(line.route) and not by_weight:
        return DoseHelp("", "")
    each = _per_kg(mg, weight) if by_weight or (limit is None and weight and patient.age_months < 144) else None
    rhythm = "ngày" if line.times_per_day == 1 else "lần"
    figure = (
        f"{number_text(each)} mg/kg/{rhythm}"
        if each is not None
        else f"{number_text(mg.quantize(Decimal('0.001')))} mg/{rhythm}"
    )
    if limit is None:
        return DoseHelp(figure, "", mg)
    step = step_of(dose_unit, form)
    return DoseHelp(
        figure, tone if high is not None else "", mg, low, high, limit.min_mg_per_kg_dose if by_weight else None,
        limit.max_mg_per_kg_dose if by_weight else None, limit.max_mg_dose, _day_cap(limit, weight), limit.max_doses_day,
        _options(line, dose_unit, step, low, high, weight), step, limit.note, limit.source,
    )  # fmt: skip


def _day_cap(limit: ref.DoseLimit, weight: Decimal | None) -> Decimal | None:
    caps = [limit.max_mg_day] if limit.max_mg_day is not None else []
    if limit.max_mg_per_kg_day is not None and weight and limit.population == "child":
        caps.append(limit.max_mg_per_kg_day * weight)
    return min(caps) if caps else None


def _ceiling(limit: ref.DoseLimit, weight: Decimal | None, times: int) -> Decimal | None:
    """Return the highest mg a dose that breaks no limit at this rhythm."""
    caps = [limit.max_mg_dose] if limit.max_mg_dose is not None else []
    if limit.max_mg_per_kg_dose is not None and weight and (limit.population == "child" or weight < 50):
        caps.append(limit.max_mg_per_kg_dose * weight)
    day = _day_cap(limit, weight)
    if day is not None:
        caps.append(day / max(times, 1))
    return min(caps) if caps else None


def _tone(mg: Decimal, low: Decimal | None, high: Decimal | None) -> str:
    if high is not None and mg > high * Decimal("1.05"):
        return "bad" if mg > 3 * high else "warn"
    if low is not None and mg < low * Decimal("0.9"):
        return "warn"
    return "ok"


def _options(
    line: RxLine, dose_unit: str, step: Decimal, low: Decimal | None, high: Decimal | None, weight: Decimal | None
) -> tuple[DoseOption, ...]:
    """Return three measurable doses around the middle of the recommended range."""
    one = mass_of(line, ONE, dose_unit)
    if one is None or one <= 0 or high is None:
        return ()
    if dose_unit == "mg":
        step = Decimal(5) if high >= 20 else ONE
    aim = (low + high) / 2 if low is not None else high
    middle = max((aim / one / step).to_integral_value(ROUND_FLOOR) * step, step)
    amounts = sorted({max(middle - step, step), middle, middle + step})
    return tuple(
        DoseOption(amount, dose_unit, amount * one, _per_kg(amount * one, weight), _tone(amount * one, low, high))
        for amount in amounts
    )


def suggested_dose(line: RxLine, patient: PatientFacts, *, dose_unit: str, form: str = "") -> Decimal:
    """Return the dose a new line starts with: the best measurable one for the weight, else one unit."""
    shown = dose_help(
        RxLine(line.ingredient, line.strength, line.route, f"1 {dose_unit}", line.times_per_day or 1, line.days),
        patient, dose_unit=dose_unit, form=form,
    )  # fmt: skip
    if shown.low_mg is None:
        return Decimal(5) if dose_unit == "ml" else ONE
    good = [o for o in shown.options if o.tone == "ok"]
    aim = (shown.low_mg + (shown.high_mg or shown.low_mg)) / 2
    return min(good, key=lambda o: abs(o.mg - aim)).amount if good else ONE


@dataclass(frozen=True, slots=True)
class Fix:
    """A way out offered at an alert: what the button does (``do``) and which words it needs."""

    do: str
    kind: str  # remove, dose, days, times, quantity, weight, weekly
    value: str = ""
    position: int = 0
    detail: str = ""


def largest_safe_dose(line: RxLine, patient: PatientFacts, *, dose_unit: str, form: str = "") -> DoseOption | None:
    """Return the largest measurable dose within the limits, None when even the smallest is too much."""
    limit, one = _limit(line, patient), mass_of(line, ONE, dose_unit)
    high = _ceiling(limit, patient.weight_kg, line.times_per_day or 1) if limit else None
    if one is None or one <= 0 or high is None:
        return None
    step = ONE if dose_unit == "mg" else step_of(dose_unit, form)
    amount = (high / one / step).to_integral_value(ROUND_FLOOR) * step
    if amount <= 0:
        return None
    return DoseOption(amount, dose_unit, amount * one, _per_kg(amount * one, patient.weight_kg), "ok")


def fixes_for(
    alert: Alert, lines: Sequence[RxLine], patient: PatientFacts, *, dose_units_of: Sequence[str], forms: Sequence[str]
) -> tuple[Fix, ...]:
    """Return the ways out of an alert, the safest first. ``dose_units_of`` and ``forms`` are per line."""
    found: list[Fix] = []
    last = alert.lines[-1] if alert.lines else None
    if last is None:
        return ()
    if alert.rule in ("dose_max_kg", "dose_max_dose", "dose_max_day"):
        for position in alert.lines:
            best = largest_safe_dose(lines[position], patient, dose_unit=dose_units_of[position], form=forms[position])
            if best is not None:
                text = f"{number_text(best.amount)} {best.unit}"
                detail = (
                    f"{number_text(best.per_kg)} mg/kg" if best.per_kg is not None else f"{number_text(best.mg)} mg"
                )
                found.append(Fix(f"dose:{position}:{number_text(best.amount)}", "dose", text, position, detail))
    if alert.rule == "max_days" and alert.limit:
        found.append(Fix(f"days:{last}:{alert.limit}", "days", str(alert.limit), last))
    if alert.rule == "frequency" and "methotrexate" in alert.about:
        found.append(Fix(f"weekly:{last}", "weekly", "", last))
    elif alert.rule == "frequency":
        limit = _limit(lines[last], patient)
        if limit is not None and limit.max_doses_day:
            found.append(Fix(f"times:{last}:{limit.max_doses_day}", "times", str(limit.max_doses_day), last))
    if alert.rule == "quantity_mismatch":
        found.append(Fix(f"quantity:{last}", "quantity", "", last))
    if alert.rule == "split_by_control_class":
        found.append(Fix("split", "split"))
    else:
        found.extend(
            Fix(f"remove:{position}", "remove", lines[position].ingredient, position)
            for position in reversed(alert.lines)
        )
    return tuple(found)
