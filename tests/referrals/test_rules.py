"""Validity in working days, the paper's number, what must be complete before signing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from his.referrals import rules

TET = frozenset(date(2027, 2, day) for day in range(5, 12))  # Tết 2027: 5-11 February

FULL = rules.ReferralFacts(
    destination_code="79900", own_code="79999", reason="2", clinical_signs="Da xanh.", course="", results_summary="Không",
    procedures="Không", treatment_done="Không", condition="Tỉnh.", plan="Nhập viện.", transport="Tự túc",
    has_main_diagnosis=True, main_allowed=True, open_orders=0, has_result=True, is_commitment_signed=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("signed", "days_off", "last"),
    [
        (date(2026, 11, 23), frozenset(), date(2026, 12, 7)),  # Monday: two weeks of working days
        (date(2026, 11, 20), frozenset(), date(2026, 12, 4)),  # Friday: day 1 is the next Monday
        (date(2026, 11, 21), frozenset(), date(2026, 12, 4)),  # Saturday counts as little as Friday evening
        (date(2026, 11, 23), frozenset({date(2026, 11, 24)}), date(2026, 12, 8)),  # Ngày Văn hóa Việt Nam in the table
        (date(2027, 2, 4), TET, date(2027, 2, 25)),  # signed the day before Tết
        (date(2027, 1, 29), TET, date(2027, 2, 19)),  # Tết in the middle
    ],
)
def test_validity_is_ten_working_days_by_the_holiday_table(signed: date, days_off: frozenset[date], last: date) -> None:
    assert rules.valid_until(signed, days_off, one_year=False) == last


@pytest.mark.parametrize(
    ("signed", "last"), [(date(2026, 11, 23), date(2027, 11, 23)), (date(2028, 2, 29), date(2029, 2, 28))]
)
def test_a_one_year_paper_is_valid_through_the_same_date_next_year(signed: date, last: date) -> None:
    assert rules.valid_until(signed, TET, one_year=True) == last


@pytest.mark.parametrize(
    ("arrived", "one_year", "used", "usable"),
    [
        (date(2026, 11, 23), False, False, True),
        (date(2026, 12, 7), False, False, True),
        (date(2026, 12, 8), False, False, False),
        (date(2026, 11, 22), False, False, False),
        (date(2026, 12, 1), False, True, False),
        (date(2027, 11, 23), True, True, True),
        (date(2027, 11, 24), True, False, False),
    ],
)
def test_an_incoming_paper_is_judged_on_the_day_of_arrival(arrived: date, one_year: bool, used: bool, usable: bool) -> None:
    assert rules.is_usable(arrived, date(2026, 11, 23), frozenset(), one_year=one_year, already_used=used) is usable


def test_the_number_has_six_digits_the_year_and_the_series() -> None:
    assert rules.number_text(123, 2026) == "000123/2026/PCCSKBCB"
    assert rules.number_text(1_234_567, 2026, "PCCSKCB-DV") == "1234567/2026/PCCSKCB-DV"


def test_a_complete_referral_has_no_findings() -> None:
    assert rules.check_referral(FULL) == ()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"destination_code": ""}, "destination_code"),
        ({"destination_code": "79999"}, "destination_code"),
        ({"clinical_signs": " "}, "clinical_signs"),
        ({"results_summary": ""}, "results_summary"),
        ({"treatment_done": ""}, "treatment_done"),
        ({"condition": ""}, "condition"),
        ({"plan": ""}, "plan"),
        ({"transport": ""}, "transport"),
        ({"has_main_diagnosis": False}, "main_icd"),
        ({"main_allowed": False}, "main_icd"),
        ({"open_orders": 2}, "orders"),
        ({"has_result": False}, "result_code"),
        ({"reason": "3"}, "is_commitment_signed"),
        ({"course": "BN ho 3 ngày."}, "course"),
        ({"plan": "Chụp CLVT ngực."}, "plan"),
    ],
)
def test_each_gap_is_named_at_its_field(change: dict[str, object], field: str) -> None:
    found = rules.check_referral(replace(FULL, **change))  # type: ignore[arg-type]
    assert [f.field for f in found] == [field]
    assert found[0].source
    assert found[0].message.endswith(".")


def test_a_transfer_on_request_with_its_commitment_is_complete() -> None:
    assert rules.check_referral(replace(FULL, reason="3", is_commitment_signed=True)) == ()


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("BN sốt, XN máu: BC tăng.", ("BC", "BN", "XN")),
        ("Tăng huyết áp (THA), ĐTĐ/THA.", ("THA", "ĐTĐ")),
        ("Bạch cầu tăng, X-quang phổi bình thường, SpO2 98%.", ()),
        ("Thời gian prothrombin (PT) 12,4 giây", ()),
    ],
)
def test_hospital_shorthand_is_found_as_whole_words(text: str, short: tuple[str, ...]) -> None:
    assert rules.abbreviations_in(text) == short
