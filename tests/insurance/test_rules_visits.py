"""Which tables a visit sends and how many days it counts (annex of QĐ 4750/QĐ-BYT)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from his.insurance.rules import VisitFacts, sends_table, tables_for_visit, treatment_days

EVERYTHING = VisitFacts(
    "01",
    discharge_type="2",
    has_drugs=True,
    has_services=True,
    has_results=True,
    has_progress_notes=True,
    has_hiv_care=True,
    has_discharge_paper=True,
    has_record_summary=True,
    has_births=True,
    has_pregnancy_leave=True,
    has_sick_leave=True,
    has_appointment=True,
    has_tb_care=True,
)
EVENTS_OUT = (6, 9, 10, 11, 13, 14, 15)
EVENTS_IN = (6, 9, 10, 13, 14, 15)
BY_TYPE = {
    "01": (1, 2, 3, 4, *EVENTS_OUT),
    "02": (1, 2, 3, 4, 5, *EVENTS_OUT),
    "03": (1, 2, 3, 4, 5, 7, 8, *EVENTS_IN),
    "04": (1, 2, 3, 4, 5, 7, 8, *EVENTS_IN),
    "05": (1, 2, 3, 5, *EVENTS_OUT),
    "06": (1, 2, 3, 4, 5, 8, *EVENTS_OUT),
    "07": (1, 2, *EVENTS_OUT),
    "08": (1, 2, 3, 4, 5, *EVENTS_OUT),
    "09": (1, 2, 3, 4, 5, 7, *EVENTS_IN),
    **{str(n): (1, 2, 3, 4, *EVENTS_OUT) for n in range(10, 17)},
}


@pytest.mark.parametrize(("kind", "numbers"), BY_TYPE.items())
def test_tables_follow_the_visit_type(kind: str, numbers: tuple[int, ...]) -> None:
    found = tables_for_visit(replace(EVERYTHING, visit_type=kind))
    assert found == tuple(f"XML{n}" for n in sorted(numbers))


@pytest.mark.parametrize("kind", BY_TYPE)
def test_a_visit_with_no_data_sends_the_summary_only(kind: str) -> None:
    assert tables_for_visit(VisitFacts(kind)) == ("XML1",)


def test_a_referral_paper_goes_with_an_insured_referral_only() -> None:
    assert "XML13" not in tables_for_visit(replace(EVERYTHING, insured=False))
    assert "XML13" not in tables_for_visit(replace(EVERYTHING, discharge_type="4"))
    assert "XML13" in tables_for_visit(replace(EVERYTHING, discharge_type="5"))


def test_who_absconds_gets_no_discharge_paper() -> None:
    assert not sends_table("XML7", "03", discharge_type="3")
    assert sends_table("XML7", "03", discharge_type="1")


@pytest.mark.parametrize(
    ("kind", "arrived", "ended", "days"),
    [
        ("01", (2026, 11, 20), (2026, 11, 20), 0),
        ("07", (2026, 11, 1), (2026, 11, 30), 0),
        ("09", (2026, 11, 20), (2026, 11, 21), 0),
        ("02", (2026, 11, 20), (2026, 11, 20), 1),
        ("03", (2026, 11, 17), (2026, 11, 19), 3),
        ("03", (2026, 12, 31), (2027, 1, 1), 2),
        ("04", (2026, 11, 20), (2026, 11, 20), 1),
        ("06", (2028, 2, 28), (2028, 3, 1), 3),
        ("05", (2026, 11, 20), (2026, 12, 19), 28),
        ("08", (2026, 11, 20), (2026, 12, 19), 9),
        ("12", (2026, 11, 20), (2026, 11, 22), 0),
    ],
)
def test_treatment_days_follow_the_visit_type(
    kind: str, arrived: tuple[int, int, int], ended: tuple[int, int, int], days: int
) -> None:
    found = treatment_days(kind, date(*arrived), date(*ended), medicine_days=28, service_days=9)
    assert found == days


def test_types_without_a_rule_follow_the_setting() -> None:
    day = date(2026, 11, 20)
    assert treatment_days("16", day, day, other_days=1) == 1
