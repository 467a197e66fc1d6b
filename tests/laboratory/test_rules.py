"""Reading values, ranges by age and sex, flags, critical values."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from his.laboratory import rules
from his.laboratory.enums import Flag

D = Decimal
HGB = rules.IndexFacts("HGB", "Huyết sắc tố", "g/L", "num", 0, 0, None, D(130), D(160), D(120), D(142), D(70), D(200))
CRP = rules.IndexFacts("CRP", "CRP", "mg/L", "num", 1, 0, None, D(0), D(5), D(0), D(5), None, None)
HDL = rules.IndexFacts("HDL", "HDL", "mmol/L", "num", 2, 0, None, D("0.9"), None, D("0.9"), None, None, None)
BASE = rules.IndexFacts("BE", "Kiềm dư", "mmol/L", "num", 1, 0, None, D(-2), D(2), D(-2), D(2), None, None)
NS1 = rules.IndexFacts("NS1", "Dengue NS1", "", "choice", 0, 0, None, None, None, None, None, None, None)


@pytest.mark.parametrize(
    ("index", "value", "sex", "flag"),
    [
        (HGB, "145", "M", Flag.NORMAL), (HGB, "130", "M", Flag.NORMAL), (HGB, "129", "M", Flag.LOW), (HGB, "129", "F", Flag.NORMAL),
        (HGB, "143", "F", Flag.HIGH), (HGB, "143", "M", Flag.NORMAL), (HGB, "70", "M", Flag.CRITICAL_LOW),
        (HGB, "71", "M", Flag.LOW), (HGB, "200", "F", Flag.CRITICAL_HIGH), (HGB, "199", "F", Flag.HIGH),
        (HGB, "125", "U", Flag.NORMAL), (HGB, "119", "U", Flag.LOW),
        (CRP, "5", "M", Flag.NORMAL), (CRP, "5.1", "M", Flag.HIGH), (CRP, "<0.5", "M", Flag.NORMAL), (CRP, ">5", "M", Flag.HIGH),
        (HDL, "0.8", "M", Flag.LOW), (HDL, "9", "M", Flag.NORMAL), (HDL, "<0.9", "M", Flag.LOW),
        (BASE, "-3", "M", Flag.LOW), (BASE, "-2", "M", Flag.NORMAL),
        (NS1, "Dương tính", "M", Flag.ABNORMAL), (NS1, "âm tính", "M", Flag.NORMAL), (NS1, "2+", "M", Flag.ABNORMAL),
        (NS1, "+", "M", Flag.ABNORMAL), (NS1, "Không thấy", "M", Flag.NORMAL), (NS1, "vàng", "M", Flag.NORMAL), (NS1, "", "M", Flag.NORMAL),
    ],
)  # fmt: skip
def test_a_value_is_judged_against_its_range(index: rules.IndexFacts, value: str, sex: str, flag: Flag) -> None:
    assert rules.flag_of(index, value, sex) is flag


@pytest.mark.parametrize(
    ("index", "typed", "kept"),
    [(HGB, " 118 ", "118"), (CRP, "14,8", "14.8"), (CRP, "14.8", "14.8"), (CRP, "< 0,5", "<0.5"), (BASE, "-3,5", "-3.5"),
     (NS1, "  Dương   tính ", "Dương tính")],
)  # fmt: skip
def test_a_value_is_kept_with_a_point(index: rules.IndexFacts, typed: str, kept: str) -> None:
    assert rules.clean_value(index, typed) == kept


@pytest.mark.parametrize("typed", ["mười", "1.234.5", "1e5", "12a", "١٢", "NaN", "Infinity", "1" * 12, "14,"])
def test_a_value_that_is_no_number_says_what_to_type(typed: str) -> None:
    with pytest.raises(ValueError, match=r"Huyết sắc tố: .* không phải số\. Gõ ví dụ 14,8\."):
        rules.clean_value(HGB, typed)


def test_a_negative_value_is_refused_where_none_can_be() -> None:
    with pytest.raises(ValueError, match="không thể âm"):
        rules.clean_value(HGB, "-5")


def test_a_long_text_is_refused() -> None:
    with pytest.raises(ValueError, match="255"):
        rules.clean_value(NS1, "x" * 256)


def test_the_band_of_the_age_is_used() -> None:
    newborn, child, adult = (
        replace(HGB, age_min_days=0, age_max_days=27), replace(HGB, age_min_days=28, age_max_days=6574),
        replace(HGB, age_min_days=6575),
    )  # fmt: skip
    bands = [newborn, child, adult]
    assert [rules.fitting(bands, days) for days in (0, 27, 28, 6574, 6575, 30000)] == [
        newborn,
        newborn,
        child,
        child,
        adult,
        adult,
    ]
    assert rules.fitting([], 5) is None


def test_an_age_without_a_band_has_no_range_and_no_flag() -> None:
    found = rules.fitting([replace(HGB, age_min_days=6575)], 100)
    assert found is not None
    assert rules.range_text(found, "M") == ""
    assert rules.flag_of(found, "5", "M") is Flag.NORMAL


@pytest.mark.parametrize(
    ("index", "sex", "words"),
    [(HGB, "M", "130–160"), (HGB, "F", "120–142"), (HGB, "U", "120–160"), (HDL, "M", "≥ 0,9"),
     (replace(CRP, male_low=None), "M", "≤ 5"), (NS1, "M", "")],
)  # fmt: skip
def test_a_range_in_words(index: rules.IndexFacts, sex: str, words: str) -> None:
    assert rules.range_text(index, sex) == words


@pytest.mark.parametrize("note", ["", "   ", "gọi"])
def test_a_critical_value_needs_a_report(note: str) -> None:
    [finding] = rules.check_critical([("Huyết sắc tố", Flag.CRITICAL_LOW), ("CRP", Flag.HIGH)], note)
    assert (finding.code, finding.field) == ("critical_unconfirmed", "critical_note")
    assert "Huyết sắc tố" in finding.message
    assert "CRP" not in finding.message


def test_a_reported_critical_value_and_a_merely_high_one_pass() -> None:
    assert rules.check_critical([("K", Flag.CRITICAL_HIGH)], "Đã báo BS. Khôi 08:50") == []
    assert rules.check_critical([("CRP", Flag.HIGH)], "") == []
