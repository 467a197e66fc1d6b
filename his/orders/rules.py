"""Pure decisions of orders: ready-made sets, and what still stops a visit from ending."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from his.core.errors import Finding


@dataclass(frozen=True, slots=True)
class OrderSet:
    """Services usually ordered together, for an age in completed months (both ends included)."""

    name: str
    age_min_months: int
    age_max_months: int | None
    codes: tuple[str, ...]

    def fits(self, age_months: int) -> bool:
        """Tell whether the set is meant for this age."""
        return self.age_min_months <= age_months and (self.age_max_months is None or age_months <= self.age_max_months)


@lru_cache(maxsize=1)
def all_sets() -> tuple[OrderSet, ...]:
    """Return the packaged sets in their order."""
    with files("his.orders").joinpath("data/order_sets.csv").open(encoding="utf-8") as file:
        return tuple(
            OrderSet(
                row["name"], int(row["age_min_months"]), int(row["age_max_months"]) if row["age_max_months"] else None,
                tuple(row["codes"].split()),
            )
            for row in csv.DictReader(file)
        )  # fmt: skip


def order_sets(age_months: int) -> tuple[OrderSet, ...]:
    """Return the sets meant for an age, those for older patients only before those for everyone."""
    return tuple(sorted((one for one in all_sets() if one.fits(age_months)), key=lambda one: -(one.age_min_months >= 192)))


def check_open(open_count: int) -> tuple[Finding, ...]:
    """Say that results are still awaited; ``orders`` is the part of the doctor's page that mends it."""
    if not open_count:
        return ()
    message = f"Còn {open_count} chỉ định chưa có kết quả. Chờ kết quả hoặc hủy chỉ định."
    return (Finding("orders_open", "orders", message),)
