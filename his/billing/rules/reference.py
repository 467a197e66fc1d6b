"""Dated amounts: base salary (mức tham chiếu) and the limits that hang on it. Never hard-coded.

Source: Luật BHYT Đ22 k1 b, d; NĐ 188/2025 Đ18; amounts in ``data/reference_level.csv`` with their decrees.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files

from his.core.money import round2


def table(name: str) -> list[dict[str, str]]:
    """Return a packaged data file of this module as rows."""
    text = files("his.billing").joinpath(f"data/{name}.csv").read_text("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@dataclass(frozen=True, slots=True)
class ReferenceLevel:
    """The base salary in force from a day (đồng)."""

    valid_from: date
    valid_to: date | None
    base_salary: Decimal

    @property
    def small_bill_limit(self) -> Decimal:
        """15 % of the base salary: a bill strictly below it has no co-payment."""
        return self.base_salary * 15 / 100

    @property
    def six_months(self) -> Decimal:
        return self.base_salary * 6

    @property
    def forty_five_months(self) -> Decimal:
        return self.base_salary * 45


@lru_cache(maxsize=1)
def levels() -> tuple[ReferenceLevel, ...]:
    """Return all known levels, oldest first."""
    return tuple(
        ReferenceLevel(
            date.fromisoformat(row["valid_from"]),
            date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            Decimal(row["base_salary_vnd"]),
        )
        for row in table("reference_level")
    )


def level_on(day: date) -> ReferenceLevel:
    """Return the level in force on a day (the end of the visit, §5.1). Raises LookupError before the first one."""
    for level in reversed(levels()):
        if level.valid_from <= day:
            return level
    raise LookupError(f"no reference level on {day}")


def copay_year_limit(day: date, paid_before_change: Decimal | None = None) -> Decimal:
    """Return the co-payment after which the rest of the year is free: six base salaries.

    When the salary changed within the year and the share paid before the change is known:
    ``paid + (6 - paid / old) x new`` (NĐ 188/2025 Đ18 k2 c).
    """
    level = level_on(day)
    if paid_before_change is None or level.valid_from.year != day.year:
        return level.six_months
    older = [other for other in levels() if other.valid_from < level.valid_from]
    if not older or level.valid_from == date(day.year, 1, 1):
        return level.six_months
    old = older[-1].base_salary
    return round2(paid_before_change + (6 - paid_before_change / old) * level.base_salary)
