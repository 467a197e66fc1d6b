"""Rates that come from how a service was given: several examinations in a day, bed days, operations, ceilings.

Sources: TT 39/2024 (examinations), TT 35/2016 Đ4c (beds), QĐ 4750 (operations), TT 04/2017 (supplies).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from his.core.money import round2

EXAM_RATES = (100, 30, 30, 30, 10)
FOUR_HOURS = timedelta(hours=4)


def exam_rate(order: int) -> int:
    """Return TYLE_TT_DV of the n-th examination of a day (1 = first): 100, 30, 30, 30, 10, then 0 (together 200 %)."""
    if order < 1:
        raise ValueError("the first examination is number 1")
    return EXAM_RATES[order - 1] if order <= len(EXAM_RATES) else 0


def bed_days(entered: datetime, left: datetime, *, counts_both_ends: bool = False, four_hours: int = 0) -> int:
    """Return the bed days of a stay.

    ``counts_both_ends`` for died, taken home worse, transferred worse, or by emergency and transferred:
    out - in + 1; every other discharge out - in; over 4 and under 24 hours 1; under 4 hours 0.
    """
    length = left - entered
    if length < FOUR_HOURS:
        return 0
    if length == FOUR_HOURS:
        return four_hours
    if length < timedelta(hours=24):
        return 1
    days = (left.date() - entered.date()).days
    return days + 1 if counts_both_ends else days


def shared_bed_rate(people: int, *, stretcher: bool = False) -> int:
    """Return TYLE_TT_DV of a bed: alone 100, two 50, three or more 33, a stretcher or folding bed 50."""
    if stretcher and people == 1:
        return 50
    return 100 if people <= 1 else 50 if people == 2 else 33


def operation_rate(order: int, *, same_team: bool, is_procedure: bool = False) -> int:
    """Return TYLE_TT_DV of the n-th operation of one session: 50 same team, 80 another team or an added procedure."""
    if order <= 1 and not is_procedure:
        return 100
    return 80 if is_procedure or not same_team else 50


def device_price(price: Decimal, ceiling: Decimal | None) -> Decimal:
    """Return DON_GIA_BH of a device: its own ceiling when it costs more."""
    return price if ceiling is None else min(price, ceiling)


def package_price(cost: Decimal, forty_five_months: Decimal, *, is_capped: bool = True) -> Decimal:
    """Return what the fund counts of a supply package of one service: at most 45 base salaries."""
    return min(cost, forty_five_months) if is_capped else cost


def reused_price(price: Decimal, reprocessing: Decimal, uses: int) -> Decimal:
    """Return the price of one use of a reused device."""
    return round2((price + reprocessing) / uses)
