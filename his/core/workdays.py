"""Counting days as the law counts them: working days with a table of days off, and "one year later"."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta


def is_working_day(day: date, holidays: Collection[date]) -> bool:
    """Tell whether a day counts: no Saturday, Sunday, public holiday or swapped day off."""
    return day.weekday() < 5 and day not in holidays


def working_day_after(day: date, count: int, holidays: Collection[date]) -> date:
    """Return the ``count``-th working day after a day; the day itself is not counted (BLDS 2015 Đ147)."""
    counted = 0
    while counted < count:
        day += timedelta(days=1)
        counted += is_working_day(day, holidays)
    return day


def one_year_after(day: date) -> date:
    """Return the same date next year; 29 February becomes 28."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return date(day.year + 1, 2, 28)
