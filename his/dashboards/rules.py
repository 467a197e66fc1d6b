"""Pure arithmetic of the management page: medians, comparisons, hours, and the geometry of its bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

FIRST_HOUR, LAST_HOUR = 6, 17
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 860, 210, 34, 24, 14


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure stands to the same weekday before. ``percent`` None = nothing to compare with."""

    percent: float | None

    @property
    def sign(self) -> str:
        """▲ more, ▼ less, = the same."""
        if self.percent is None or abs(self.percent) < 0.05:
            return "="
        return "▲" if self.percent > 0 else "▼"

    @property
    def text(self) -> str:
        """The size of the change, ``4,2%`` without a sign."""
        return "" if self.percent is None else f"{abs(self.percent):.1f}%".replace(".", ",")


def change(now: float, before: float) -> Change:
    """Return the change in percent."""
    return Change((now - before) * 100 / before if before else None)


def median(values: Sequence[float]) -> float | None:
    """Return the middle value (the mean of the two middle ones), None for nothing."""
    if not values:
        return None
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def minutes(start: datetime, end: datetime) -> float:
    """Return the minutes between two moments, never negative."""
    return max((end - start).total_seconds() / 60, 0.0)


def by_hour(hours: Sequence[int]) -> dict[int, int]:
    """Count events per hour of the wall clock; the usual opening hours are always there, others when something happened."""
    first, last = min([FIRST_HOUR, *hours]), max([LAST_HOUR, *hours])
    found = dict.fromkeys(range(first, last + 1), 0)
    for hour in hours:
        found[hour] += 1
    return found


def nice_top(highest: int) -> int:
    """Return a round upper end of an axis with four steps: 4, 8, 12, 20, 40, 60, 80, 120, 200 and so on."""
    size = 1
    while True:
        for step in (1, 2, 3, 5):
            if highest <= step * size * 4:
                return step * size * 4
        size *= 10


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar with the point of the comparison line above its hour."""

    label: str
    value: int
    before: int
    x: float
    y: float
    width: float
    height: float
    middle: float
    before_y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars for one day, a line for the day compared with, and the axis."""

    bars: tuple[Bar, ...]
    line: str
    ticks: tuple[tuple[int, float], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM


def chart(today: Mapping[int, int], before: Mapping[int, int]) -> Chart:
    """Return the geometry of arrivals by hour; ``before`` may have other hours, which are added."""
    hours = sorted({*today, *before})
    top = nice_top(max([*today.values(), *before.values(), 1]))
    base, usable = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    slot = (WIDTH - LEFT) / len(hours)
    bars = []
    for place, hour in enumerate(hours):
        value, old = today.get(hour, 0), before.get(hour, 0)
        height = round(value * usable / top, 1)
        bars.append(
            Bar(
                f"{hour:02d}", value, old, round(LEFT + place * slot + slot * 0.2, 1), round(base - height, 1),
                round(slot * 0.6, 1), height, round(LEFT + place * slot + slot / 2, 1), round(base - old * usable / top, 1),
            )
        )  # fmt: skip
    line = " ".join(f"{bar.middle},{bar.before_y}" for bar in bars)
    ticks = tuple((top * n // 4, round(base - usable * n / 4, 1)) for n in range(5))
    return Chart(tuple(bars), line, ticks)
