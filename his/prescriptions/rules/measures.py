"""Reading strengths and doses as they are written on products and prescriptions (``200mg/5ml``, ``0,5 viên``, ``10%``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from his.prescriptions.rules.values import RxLine

NUMBER = r"(\d+(?:[.,]\d+)?)"
TO_MG = {"kg": Decimal(1000000), "g": Decimal(1000), "mg": Decimal(1), "mcg": Decimal("0.001")}
MASS = rf"{NUMBER}\s*(mg|g|mcg)(?![a-zà-ỹ])"
THOUSANDS = re.compile(r"(?<![\d.,])([1-9]\d{0,2})[.,](\d00)(?=\s*mc?g\b)")  # 1.000 mg; 3.125 mg stays a decimal
SPOON_ML = Decimal(5)
DROPS_PER_ML = Decimal(20)
AMPOULES = ("ống", "ong", "gói", "goi", "túi", "tui", "sachet", "ampoule")
BOTTLES = ("chai", "lọ", "lo", "bình", "binh", "tuýp", "tuyp", "hộp", "hop", "bút", "but", "bottle", "tube", "vial")
SPRAYS = ("nhát", "nhat", "xịt", "xit", "hít", "hit", "puff", "liều", "lieu")


@dataclass(frozen=True, slots=True)
class Dose:
    """What is taken at one time: an amount and a unit (``mg``, ``ml`` or the word used, such as ``viên``)."""

    amount: Decimal
    unit: str

    @property
    def is_counted(self) -> bool:
        """Whole things such as tablets, sachets, vials; neither mass, volume, drops, sprays nor units of activity."""
        return self.unit not in ("mg", "ml", "iu", "giọt") and not self.unit.startswith(SPRAYS)


@dataclass(frozen=True, slots=True)
class Content:
    """How much of one ingredient: ``mg`` in the printed figure; ``per_ml`` mg per ml of a liquid; ``volume_ml`` of one unit."""

    mg: Decimal
    per_ml: Decimal | None = None
    volume_ml: Decimal | None = None


def decimal(text: str) -> Decimal:
    """Read a number with comma or point."""
    return Decimal(text.replace(",", "."))


def tidy(text: str) -> str:
    """Return a text in lower case with one spelling of micrograms and no thousands separators."""
    low = re.sub(r"[µμ]g|micrograms?\b|microgam\b", "mcg", text.strip().lower())
    return THOUSANDS.sub(r"\1\2", low)


def mg_of(text: str) -> Decimal | None:
    """Read the first mass such as ``500 mg``, ``1 g``, ``50 mcg`` in mg; None when there is none."""
    match = re.search(MASS, tidy(text))
    return decimal(match.group(1)) * TO_MG[match.group(2)] if match else None


def _volume_tail(text: str) -> tuple[str, Decimal | None]:
    """Split ``100mg/5ml; 10ml`` into the strength and the volume of one unit."""
    match = re.search(rf"[;,x]\s*{NUMBER}\s*ml\s*$", text)
    return (text[: match.start()], decimal(match.group(1))) if match else (text, None)


def contents(strength: str, count: int = 1) -> tuple[Content | None, ...]:
    """Return the content of each of ``count`` ingredients, None where the text does not tell.

    ``500mg + 30mg`` and ``500/125 mg`` are read in order; a single figure for a combination belongs to nobody.
    """
    text, volume = _volume_tail(re.sub(r"[()]", " ", tidy(strength)))
    percent = re.search(rf"{NUMBER}\s*%", text)
    if percent and count == 1:
        per_ml = decimal(percent.group(1)) * 10
        return (Content(per_ml * volume if volume else per_ml, per_ml, volume),)
    per = re.search(rf"/\s*(?:{NUMBER}\s*)?ml", text)
    divisor = (decimal(per.group(1)) if per.group(1) else Decimal(1)) if per else None
    body = text[: per.start()] if per else text
    pieces = [piece for piece in re.split(r"\+|;|,(?=\s+\d)", body) if piece.strip()]
    if count > 1 and len(pieces) == 1:
        pieces = body.split("/")
    if count == 1:
        pieces = pieces[:1]
    if len(pieces) != count:
        return (None,) * count
    last = re.search(r"(mg|g|mcg)(?![a-zà-ỹ])", pieces[-1])
    found: list[Content | None] = []
    for piece in pieces:
        mass = mg_of(piece)
        if mass is None and last and (bare := re.fullmatch(rf"\s*{NUMBER}\s*", piece)):
            mass = decimal(bare.group(1)) * TO_MG[last.group(1)]  # 500/125 mg
        if mass is None:
            found.append(None)
        else:
            found.append(Content(mass, mass / divisor if divisor else None, volume or divisor))
    return tuple(found)


def single_figure(strength: str) -> Decimal | None:
    """Return the only mass of a strength in mg (the total of a combination), None when there are several."""
    masses = re.findall(MASS, tidy(strength))
    return decimal(masses[0][0]) * TO_MG[masses[0][1]] if len(masses) == 1 else None


def strength_per_ml(strength: str) -> Decimal | None:
    """Return mg per ml of a liquid (``200 mg/5 ml``, ``10%``); None when it is no liquid."""
    content = contents(strength)[0]
    return content.per_ml if content else None


def mg_per_unit(strength: str) -> Decimal | None:
    """Return mg in one tablet, sachet, suppository; the first figure of a combination counts."""
    return mg_of(re.split(r"\+|;", strength)[0])


def read_dose(text: str) -> Dose | None:
    """Read a dose: ``2 viên``, ``1/2 viên``, ``nửa gói``, ``1-2 viên`` (the higher), ``3,5 ml``, ``160 mg``, ``10 giọt``."""
    low = tidy(text).replace("½", "1/2").replace("¼", "1/4")
    low = re.sub(r"^(nửa|một nửa)\b", "1/2", low)
    match = re.match(rf"(?:{NUMBER}\s*(?:-|–|đến)\s*)?(?:(\d+)\s*/\s*(\d+)|{NUMBER})\s*(.*)", low)
    if not match:
        return None
    if match.group(2):
        if match.group(3) == "0":
            return None
        amount = Decimal(match.group(2)) / Decimal(match.group(3))
    else:
        amount = decimal(match.group(4))
    unit = match.group(5).strip()
    if mass := re.match(r"(mg|g|mcg)\b", unit):
        return Dose(amount * TO_MG[mass.group(1)], "mg")
    if re.match(r"ml\b", unit):
        return Dose(amount, "ml")
    if unit.startswith(("thìa", "muỗng", "muổng")):
        size = re.search(rf"{NUMBER}\s*ml", unit)
        return Dose(amount * (decimal(size.group(1)) if size else SPOON_ML), "ml")
    if re.match(r"(iu|ui|đơn vị|đv|units?)\b", unit):
        return Dose(amount, "iu")
    if unit.startswith(("giọt", "giot", "drop")):
        return Dose(amount, "giọt")
    return Dose(amount, unit)


def mg_in(dose: Dose, content: Content | None, *, injected: bool = False) -> Decimal | None:
    """Return the mass of one ingredient in one dose, in mg; None when it cannot be known."""
    if dose.unit == "mg":
        return dose.amount
    if dose.unit == "iu" or content is None:
        return None
    if dose.unit in ("ml", "giọt"):
        volume = dose.amount if dose.unit == "ml" else dose.amount / DROPS_PER_ML
        return volume * content.per_ml if content.per_ml is not None else None
    if content.per_ml is None:
        return dose.amount * content.mg
    if dose.unit.startswith(SPRAYS) or dose.unit.startswith(AMPOULES) or injected:
        return dose.amount * content.per_ml * (content.volume_ml or 1)
    # A bottle of syrup is no dose: its volume is not in the strength.
    return None if dose.unit.startswith(BOTTLES) else dose.amount * content.mg


def dose_mg(line: RxLine, index: int = 0, count: int = 1) -> Decimal | None:
    """Return the mass of ingredient ``index`` of ``count`` in one dose, in mg; None when it cannot be known."""
    dose = read_dose(line.dose)
    if dose is None:
        return None
    content = contents(line.strength, count)[index] if count > 1 else contents(line.strength)[0]
    if dose.unit == "mg" and count > 1:
        return dose.amount if index == 0 else None
    return mg_in(dose, content, injected=line.route.startswith("2."))


def dose_amount(line: RxLine) -> Decimal | None:
    """Return how many units one dose takes (``2 viên`` -> 2), None for doses in mg, ml, drops or sprays."""
    dose = read_dose(line.dose)
    return dose.amount if dose is not None and dose.is_counted else None


def times_a_day(line: RxLine) -> Decimal | None:
    """Return doses on a day of use; None when it is not said."""
    every = re.search(rf"(?:every|q|mỗi)\s*{NUMBER}\s*(?:h|giờ)", line.frequency.lower())
    if line.times_per_day:
        return Decimal(line.times_per_day)
    if every and decimal(every.group(1)) > 0:
        return Decimal(24) / decimal(every.group(1))
    return Decimal(1) if line.frequency in ("daily", "once", "weekly", "every_other_day", "single") else None


def doses_in_all(line: RxLine) -> Decimal | None:
    """Return how many doses the course has; None when it cannot be told (as needed, days missing)."""
    times = times_a_day(line)
    if times is None or not line.days:
        return None
    if line.frequency == "weekly":
        return Decimal((line.days + 6) // 7) * times
    if line.frequency == "every_other_day":
        return Decimal((line.days + 1) // 2) * times
    if line.frequency in ("once", "single"):
        return times
    if line.frequency == "daily" or re.match(r"every|q|mỗi", line.frequency.lower()):
        return times * line.days if line.times_per_day or line.frequency != "daily" else None
    return None
