"""Arithmetic of the management page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from his.dashboards import rules


@pytest.mark.parametrize(("values", "middle"), [([], None), ([5], 5), ([9, 1, 5], 5), ([1, 2, 3, 10], 2.5)])
def test_median(values: list[float], middle: float | None) -> None:
    assert rules.median(values) == middle


@pytest.mark.parametrize(
    ("now", "before", "sign", "text"),
    [
        (110, 100, "▲", "10,0%"),
        (90, 100, "▼", "10,0%"),
        (100, 100, "=", "0,0%"),
        (5, 0, "=", ""),
        (1042, 1000, "▲", "4,2%"),
    ],
)
def test_change_against_the_week_before(now: float, before: float, sign: str, text: str) -> None:
    found = rules.change(now, before)
    assert (found.sign, found.text) == (sign, text)


def test_a_clock_set_back_gives_no_negative_wait() -> None:
    assert rules.minutes(datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 23, 8, tzinfo=UTC)) == 0


def test_usual_hours_are_always_there_and_a_night_arrival_too() -> None:
    assert list(rules.by_hour([])) == list(range(6, 18))
    found = rules.by_hour([3, 8, 8])
    assert (next(iter(found)), found[3], found[8], sum(found.values())) == (3, 1, 2, 3)


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 4), (1, 4), (4, 4), (5, 8), (12, 12), (13, 20), (21, 40), (77, 80), (81, 120), (201, 400)]
)
def test_the_axis_ends_at_a_round_number(highest: int, top: int) -> None:
    assert rules.nice_top(highest) == top


def test_bars_stand_on_the_axis_and_inside_the_picture() -> None:
    chart = rules.chart({7: 10, 8: 40}, {8: 20, 9: 5})
    assert [(bar.label, bar.value, bar.before) for bar in chart.bars] == [("07", 10, 0), ("08", 40, 20), ("09", 0, 5)]
    for bar in chart.bars:
        assert round(bar.y + bar.height, 1) == chart.base
        assert chart.left <= bar.x < bar.x + bar.width <= chart.width
        assert 0 < bar.y <= chart.base
    assert chart.bars[1].height == 2 * (chart.base - chart.bars[1].before_y)
    assert [value for value, _y in chart.ticks] == [0, 10, 20, 30, 40]
    assert len(chart.line.split()) == 3
