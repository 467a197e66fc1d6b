"""Rules of an examination: signs by age, codes under the flags, the place in line."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from his.core.errors import Severity
from his.examination import rules
from his.examination.rules import Stage, StageFacts

MONTH = 30
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "value", "age_days", "arrow"),
    [
        ("pulse", 118, 44 * MONTH, ""),
        ("pulse", 118, 40 * 365, "↑"),
        ("pulse", 90, 10, "↓"),
        ("respiration", 34, 44 * MONTH, "↑"),
        ("respiration", 34, 20, ""),
        ("temperature", "38.4", 500, "↑"),
        ("temperature", "37.5", 500, ""),
        ("temperature", "35.9", 500, "↓"),
        ("spo2", 96, 500, ""),
        ("spo2", 93, 500, "↓"),
        ("spo2", 93, 10, ""),
        ("systolic", 95, 44 * MONTH, ""),
        ("systolic", 150, 50 * 365, "↑"),
        ("weight_kg", "14.2", 44 * MONTH, ""),
    ],
)
def test_a_sign_is_judged_by_age(column, value, age_days, arrow):
    reading = rules.read_sign(column, Decimal(value), age_days)
    assert reading.arrow == arrow
    assert reading.tone == ("warn" if arrow else "")


def test_every_age_has_a_range_for_every_ranged_sign():
    for days in (0, 28, 29, 364, 365, 1094, 1095, 2189, 2190, 4379, 4380, 5839, 5840, 36500):
        for column in ("pulse", "respiration", "temperature", "spo2", "systolic", "diastolic"):
            found = rules.range_of(column, days)
            assert found is not None, (column, days)
            assert found.low < found.high


@pytest.mark.parametrize(
    ("values", "age_days", "code", "words"),
    [
        ({"pulse": 12}, 900, "vital_implausible", "từ 20 đến 300"),
        ({"pulse": 301}, 900, "vital_implausible", "từ 20 đến 300"),
        ({"temperature": Decimal(384)}, 900, "vital_implausible", "từ 30 đến 45"),
        ({"spo2": 101}, 900, "vital_implausible", "từ 40 đến 100"),
        ({"weight_kg": Decimal(98)}, 14 * MONTH, "vital_implausible", "Ý là 9,8?"),
        ({"weight_kg": Decimal(301)}, 40 * 365, "vital_implausible", "đến 300"),
        ({"weight_kg": Decimal("0.2")}, 1, "vital_implausible", "từ 0,3"),
        ({"pulse": Decimal("98.5")}, 900, "vital_decimals", "số nguyên"),
        ({"temperature": Decimal("38.45")}, 900, "vital_decimals", "1 chữ số lẻ"),
        ({"systolic": 95}, 900, "pressure_half", "đủ hai số"),
        ({"diastolic": 58}, 900, "pressure_half", "đủ hai số"),
        ({"systolic": 58, "diastolic": 95}, 900, "pressure_order", "lớn hơn"),
    ],
)
def test_a_number_that_cannot_be_is_refused_with_its_limits(values, age_days, code, words):
    (finding,) = rules.check_vitals(values, age_days)
    assert finding.code == code
    assert words in finding.message
    assert finding.field in values or finding.field == "systolic"


def test_plausible_numbers_pass():
    assert rules.check_vitals({"pulse": 118, "temperature": Decimal("38.4"), "weight_kg": Decimal("14.2"), "systolic": 95, "diastolic": 58}, 1300) == ()
    assert rules.check_vitals({"weight_kg": Decimal("3.2")}, 2) == ()
    assert rules.check_vitals({"pulse": None}, 2) == ()


def icd(code="J20.9", **flags):
    values = {
        "name": code, "mark": "", "never_main": False, "discouraged_main": False, "never_used": False,
        "finer_doubtful": False, "death_only": False, "sex_only": "", "age_min_days": None, "age_max_days": None, **flags,
    }
    return rules.IcdFacts(code=code, **values)


@pytest.mark.parametrize(
    ("main", "others", "code", "severity", "column"),
    [
        (icd("B95.1", never_main=True), [], "never_main", Severity.ERROR, "24"),
        (icd("G53.0", mark="*"), [], "never_main", Severity.ERROR, "24"),
        (icd("B90.9", discouraged_main=True), [], "discouraged_main", Severity.WARNING, "25"),
        (icd("J20", never_used=True), [], "never_used", Severity.ERROR, "26"),
        (icd(), [icd("J20", never_used=True)], "never_used", Severity.ERROR, "26"),
        (icd("I10", finer_doubtful=True), [], "finer_exists", Severity.WARNING, "26"),
        (icd(), [icd("R99", death_only=True)], "death_only", Severity.ERROR, "27"),
        (icd("O80", sex_only="F"), [], "sex", Severity.WARNING, "28"),
        (icd(), [icd("J20.9")], "repeated", Severity.ERROR, ""),
        (None, [icd("J45.0")], "main_missing", Severity.ERROR, ""),
        (icd("P07", age_max_days=28), [], "age", Severity.WARNING, ""),
    ],
)
def test_a_code_is_held_to_its_flag(main, others, code, severity, column):
    found = [f for f in rules.check_diagnoses(main, others, sex="M", age_days=1300) if f.code == code]
    assert len(found) == 1
    assert found[0].severity is severity
    assert not column or f"cột {column}" in found[0].source


def test_thirteen_accompanying_codes_are_too_many():
    others = [icd(f"J{n}.0") for n in range(10, 23)]
    (finding,) = rules.check_diagnoses(icd(), others, sex="M", age_days=1300)
    assert finding.code == "too_many"
    assert rules.check_diagnoses(icd(), others[:12], sex="M", age_days=1300) == ()


def facts(ticket="waiting", visit="open", called=None, ordered=None, done=None):
    at = lambda minutes: None if minutes is None else NOW + timedelta(minutes=minutes)  # noqa: E731
    return StageFacts(ticket, visit, at(called), at(ordered), at(done))


@pytest.mark.parametrize(
    ("given", "stage"),
    [
        (facts(), Stage.WAITING),
        (facts("called", called=1), Stage.CALLING),
        (facts("called", "in_exam", called=1), Stage.IN_EXAM),
        (facts("called", "in_exam", called=1, ordered=5), Stage.TESTS),
        (facts("called", "in_exam", called=1, ordered=5, done=30), Stage.RESULTS),
        (facts("called", "in_exam", called=35, ordered=5, done=30), Stage.IN_EXAM),
        (facts("called", "in_exam", called=35, ordered=40, done=30), Stage.TESTS),
        (facts("skipped", called=1), Stage.ABSENT),
        (facts("done", "concluded", called=1), Stage.DONE),
        (facts("called", "closed", called=1), Stage.DONE),
    ],
)
def test_the_stage_follows_from_states_and_times(given, stage):
    assert rules.stage_of(given) is stage


def test_the_line_puts_emergencies_before_results_before_the_rest():
    rows = [
        (Stage.WAITING, 0, 1, None), (Stage.RESULTS, 0, 2, NOW), (Stage.WAITING, 100, 3, None), (Stage.WAITING, 30, 4, None),
        (Stage.IN_EXAM, 0, 5, None), (Stage.RESULTS, 0, 6, NOW - timedelta(minutes=5)),
    ]
    ordered = sorted(rows, key=lambda row: rules.place_in_line(*row))
    assert [row[2] for row in ordered] == [5, 3, 6, 2, 4, 1]


def test_a_weight_line_needs_two_days():
    day = date(2026, 1, 1)
    assert rules.weight_chart([(day, Decimal(14))], date(2023, 3, 14)) is None
    chart = rules.weight_chart([(day, Decimal("13.5")), (date(2026, 11, 1), Decimal("14.2"))], date(2023, 3, 14))
    assert (chart.first_weight, chart.last_weight, chart.first_label) == ("13,5 kg", "14,2 kg", "33 th")
    assert len(chart.points.split()) == 2


def test_ready_made_texts_fill_known_sections_only():
    known = {"history", "past_history", "findings", "conclusion", "advice"}
    assert [t.name for t in rules.note_templates(14)][:1] == ["Hô hấp"]
    assert rules.note_templates(500)[0].name == "Người lớn"
    for template in rules.all_templates():
        assert template.name
        assert set(template.texts) <= known
        assert template.texts["findings"]
