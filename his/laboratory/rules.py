"""Pure decisions about results: reading a value, its flag by age and sex, its range in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from his.core.errors import Finding
from his.laboratory.enums import Flag

NUMBER = re.compile(r"^[<>]?\s*-?\d{1,9}([.,]\d{1,4})?$", re.ASCII)
PLUSES = re.compile(r"^\d?\+", re.ASCII)
MIN_NOTE = 5
ABNORMAL_WORDS = ("dương tính", "positive", "pos", "có", "reactive", "phản ứng")
NORMAL_WORDS = ("âm tính", "negative", "neg", "không", "-", "bình thường")


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """One index with its limits for one age band and both sexes."""

    code: str
    name: str
    unit: str
    value_type: str
    decimals: int
    age_min_days: int
    age_max_days: int | None
    male_low: Decimal | None
    male_high: Decimal | None
    female_low: Decimal | None
    female_high: Decimal | None
    critical_low: Decimal | None
    critical_high: Decimal | None

    def limits(self, sex: str) -> tuple[Decimal | None, Decimal | None]:
        """Return (low, high) for a sex; the wider of both when it is unknown."""
        if sex == "M":
            return self.male_low, self.male_high
        if sex == "F":
            return self.female_low, self.female_high
        lows = [v for v in (self.male_low, self.female_low) if v is not None]
        highs = [v for v in (self.male_high, self.female_high) if v is not None]
        return (min(lows) if lows else None), (max(highs) if highs else None)


def fitting(bands: Sequence[IndexFacts], age_days: int) -> IndexFacts | None:
    """Return the age band of an index that fits."""
    for band in bands:
        if band.age_min_days <= age_days and (band.age_max_days is None or age_days <= band.age_max_days):
            return band
    # No band for this age: the index is measured, but nothing is said about its range.
    return (
        replace(
            bands[0],
            male_low=None,
            male_high=None,
            female_low=None,
            female_high=None,
            critical_low=None,
            critical_high=None,
        )
        if bands
        else None
    )


def range_text(index: IndexFacts, sex: str) -> str:
    """Return the reference range in words: ``4,0–10,0``, ``≤ 5``, ``≥ 90``."""
    low, high = index.limits(sex)

    def text(value: Decimal) -> str:
        return format(value.normalize(), "f").replace(".", ",")

    if low is not None and high is not None:
        return f"{text(low)}–{text(high)}"
    if high is not None:
        return f"≤ {text(high)}"
    return f"≥ {text(low)}" if low is not None else ""


def clean_value(index: IndexFacts, text: str) -> str:
    """Return a value as it is kept (decimal point); raises ValueError with a Vietnamese sentence for a bad one."""
    value = " ".join(text.split())
    if index.value_type != "num":
        if len(value) > 255:
            raise ValueError(f"{index.name}: quá dài, nhiều nhất 255 ký tự.")
        return value
    if not NUMBER.match(value):
        raise ValueError(f"{index.name}: «{value}» không phải số. Gõ ví dụ 14,8.")
    number = value.replace(",", ".").replace(" ", "")
    if Decimal(number.lstrip("<>")) < 0 and (index.male_low is None or index.male_low >= 0):
        raise ValueError(f"{index.name}: không thể âm. Kiểm tra lại.")
    return number


def flag_of(index: IndexFacts, value: str, sex: str) -> Flag:
    """Return how a value stands to its range: L, H, LL, HH, A or normal."""
    if not value:
        return Flag.NORMAL
    if index.value_type != "num":
        low = value.lower()
        if low.startswith(NORMAL_WORDS):
            return Flag.NORMAL
        return Flag.ABNORMAL if low.startswith(ABNORMAL_WORDS) or PLUSES.match(low) else Flag.NORMAL
    number = Decimal(value.lstrip("<>").strip())
    if index.critical_low is not None and number <= index.critical_low:
        return Flag.CRITICAL_LOW
    if index.critical_high is not None and number >= index.critical_high:
        return Flag.CRITICAL_HIGH
    low_limit, high_limit = index.limits(sex)
    # "<5" lies below 5, ">40" above 40.
    if low_limit is not None and (number < low_limit or (value.startswith("<") and number <= low_limit)):
        return Flag.LOW
    if high_limit is not None and (number > high_limit or (value.startswith(">") and number >= high_limit)):
        return Flag.HIGH
    return Flag.NORMAL


def check_critical(flags: Sequence[tuple[str, Flag]], note: str) -> list[Finding]:
    """Return what is missing when a value is critical: who was told, and when (5 characters or more).

    Source: QĐ 2429/QĐ-BYT (quality of laboratories): critical values are reported at once and the report is recorded.
    """
    critical = [name for name, flag in flags if flag.is_critical]
    if not critical or len(note.strip()) >= MIN_NOTE:
        return []
    return [
        Finding(
            "critical_unconfirmed", "critical_note",
            f"Giá trị báo động: {', '.join(critical)}. Đo lại, gọi báo bác sĩ ngay, rồi ghi người nhận và giờ báo.",
        )
    ]  # fmt: skip
