"""Timing: medians and tails of many calls, always beside a floor measured in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Figure:
    """One measured thing. Times are milliseconds; ``ratio`` is the median over the floor's median."""

    group: str
    name: str
    p50: float | None = None
    p95: float | None = None
    per_second: float | None = None
    statements: int | None = None
    floor: str = ""
    ratio: float | None = None
    note: str = ""


@dataclass
class Record:
    """All figures of one run."""

    figures: list[Figure] = field(default_factory=list)

    def add(self, figure: Figure) -> Figure:
        self.figures.append(figure)
        print(line(figure), flush=True)
        return figure

    def as_dicts(self) -> list[dict[str, Any]]:
        return [asdict(f) for f in self.figures]


def line(f: Figure) -> str:
    """One line of the table."""
    parts = [f"{f.group:<14} {f.name:<52}"]
    parts.append(f"p50 {f.p50:9.2f} ms  p95 {f.p95:9.2f} ms" if f.p50 is not None and f.p95 is not None else " " * 34)
    if f.per_second is not None:
        parts.append(f"{f.per_second:10.0f}/s")
    if f.statements is not None:
        parts.append(f"{f.statements:3d} SQL")
    if f.ratio is not None:
        parts.append(f"{f.ratio:7.2f} x {f.floor}")
    if f.note:
        parts.append(f"({f.note})")
    return "  ".join(parts)


def times(call: Callable[[], Any], count: int, warm: int = 3) -> list[float]:
    """Milliseconds of each of ``count`` calls, after some warm ones."""
    for _ in range(warm):
        call()
    found = []
    for _ in range(count):
        started = time.perf_counter()
        call()
        found.append((time.perf_counter() - started) * 1000)
    return found


def paired(calls: Sequence[Callable[[], Any]], count: int, warm: int = 2) -> list[list[float]]:
    """Milliseconds of several things measured in turn, so that a busy moment of the machine meets all of them."""
    for call in calls:
        for _ in range(warm):
            call()
    found: list[list[float]] = [[] for _ in calls]
    for _ in range(count):
        for place, call in enumerate(calls):
            started = time.perf_counter()
            call()
            found[place].append((time.perf_counter() - started) * 1000)
    return found


def p50_p95(values: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


def rate(call: Callable[[], Any], seconds: float = 2.0) -> float:
    """Calls per second over about so many seconds."""
    call()
    started = time.perf_counter()
    count = 0
    while time.perf_counter() - started < seconds:
        call()
        count += 1
    return count / (time.perf_counter() - started)
