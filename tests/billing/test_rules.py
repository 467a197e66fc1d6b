"""What the fund pays: the worked cases of the standard, to the đồng, and properties that always hold."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from his.billing.rules import BenefitContext, BillLine, SubjectFacts, cards, cases, decide_subject, split_benefit, stays
from his.billing.rules.reference import copay_year_limit, level_on

CASES = cases.read_cases(Path(__file__).parent / "data" / "benefit-cases.csv")
# Derived rows where our reading differs from the sheet; shown, not hidden.
KNOWN_DERIVED_DIFFERENCES: frozenset[str] = frozenset()


@pytest.mark.parametrize("row", [r for r in CASES if r["confidence"] == "sure"], ids=lambda r: r["id"])
def test_sure_case_comes_out_to_the_dong(row: dict[str, str]) -> None:
    outcome = cases.run_case(row)
    assert outcome.differences == ()


def test_derived_cases_differ_only_where_listed() -> None:
    outcomes = [cases.run_case(row) for row in CASES if row["confidence"] == "derived"]
    assert len(outcomes) > 10
    assert {o.case_id for o in outcomes if o.differences} == KNOWN_DERIVED_DIFFERENCES


def test_a_wrong_expectation_is_reported() -> None:
    row = {**CASES[0], "insurer": "1"}
    assert cases.run_case(row).differences == ("insurer: chờ 1, ra 560000",)


@pytest.mark.parametrize(
    ("column", "value", "word"),
    [("visit_end", "31/02/2026", "visit_end"), ("route", "X", "route"), ("level", "Z", "level"),
     ("card_prefix", "GD9", "card_prefix"), ("priced_lines", "Kham|13|1", "priced_lines"),
     ("priced_lines", "Kham|13|-1|1|1|100|100", "không âm")],
)  # fmt: skip
def test_a_malformed_case_says_which_column(column: str, value: str, word: str) -> None:
    with pytest.raises(cases.BadCase, match=word):
        cases.run_case({**CASES[0], column: value})


def facts(**changes: object) -> SubjectFacts:
    base: dict[str, object] = {"on": date(2026, 9, 10), "level": "CB", "points": 45, "old_tier": "none", "visit_type": "01",
                               "route": "TU_DEN"}  # fmt: skip
    return SubjectFacts(**{**base, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "code", "percent"),
    [
        ({"route": "KHONG_BHYT"}, "9", 0),
        ({"level": "BD_TYT", "route": "CHUYEN"}, "1.2", 100),
        ({"route": "DKBD"}, "1.1", 100),
        ({"route": "CAP_CUU", "points": 60}, "2", 100),
        ({"points": 49}, "1.12", 100),
        ({"points": 50}, "1.13", 50),
        ({"points": 50, "on": date(2026, 6, 30)}, "1.13", 0),
        ({"points": None}, "1.12", 100),
        ({"old_tier": "TW", "points": 30}, "1.14", 50),
        ({"visit_type": "04", "points": 60}, "1.15", 100),
        ({"annex_two_disease": True, "points": 60}, "1.16", 100),
        ({"points": 60, "old_tier": "H"}, "3.3", 100),
        ({"level": "CS", "old_tier": "T"}, "1.18", 50),
        ({"level": "CS", "old_tier": "T", "visit_type": "03"}, "3.2", 100),
        ({"level": "CS", "old_tier": "TW", "visit_type": "03", "living_area": "K1"}, "3.6", 100),
        ({"level": "CS", "old_tier": "TW", "living_area": "K1"}, "3.1", 0),
        ({"level": "CS", "old_tier": "TW", "main_icd": "A17.0"}, "1.17", 100),
        ({"level": "CS", "old_tier": "H"}, "3.3", 100),
        ({"level": "BD"}, "1.11", 100),
    ],
)
def test_subject_code_follows_the_order_of_the_decision(changes: dict[str, object], code: str, percent: int) -> None:
    decision = decide_subject(facts(**changes))
    assert (decision.code, decision.route_percent) == (code, percent)
    assert decision.reason
    assert decision.source


def test_small_bill_limit_is_strict() -> None:
    limit = level_on(date(2026, 8, 1)).small_bill_limit
    assert limit == Decimal(379500)
    assert level_on(date(2026, 6, 30)).small_bill_limit == Decimal(351000)


def test_year_limit_with_a_salary_change() -> None:
    assert copay_year_limit(date(2026, 8, 20), Decimal(1396758)) == Decimal("15066588.03")
    assert copay_year_limit(date(2026, 10, 5)) == Decimal(15180000)


def test_second_clinic_priced_above_the_fund() -> None:
    context = BenefitContext(date(2026, 9, 11), "GD4", decide_subject(facts(route="DKBD")))
    result = split_benefit([BillLine("k", "13", Decimal(1), Decimal(100000), Decimal(40000), 30)], context)
    assert (result.total, result.insured) == (Decimal(72000), Decimal(12000))


def test_near_poor_card_counts_100_since_2026_whatever_is_printed() -> None:
    assert cards.benefit("CN3790000000001", date(2025, 12, 31)).rate == 95
    assert cards.benefit("CN3790000000001", date(2026, 1, 1)).rate == 100


def test_exam_rates_sum_to_two_fees() -> None:
    assert [stays.exam_rate(n) for n in range(1, 8)] == [100, 30, 30, 30, 10, 0, 0]


def test_bed_days() -> None:
    start = datetime(2026, 9, 10, 8)
    assert stays.bed_days(start, datetime(2026, 9, 14, 10)) == 4
    assert stays.bed_days(start, datetime(2026, 9, 14, 10), counts_both_ends=True) == 5
    assert stays.bed_days(start, datetime(2026, 9, 10, 17)) == 1
    assert stays.bed_days(start, datetime(2026, 9, 10, 11)) == 0


money = st.decimals(min_value=0, max_value=5_000_000, places=2)
lines = st.lists(
    st.builds(
        lambda group, quantity, price, fund_part, service, insured: BillLine(
            "x", group, quantity, price, (price * fund_part / 100).quantize(Decimal("0.01")), service, insured
        ),
        st.sampled_from(["1", "2", "4", "13", "15"]),
        st.decimals(min_value=Decimal("0.5"), max_value=30, places=1),
        money,
        st.integers(0, 100),
        st.sampled_from([100, 50, 33, 30, 10, 0]),
        st.sampled_from([100, 50, 80, 0]),
    ),
    min_size=1,
    max_size=6,
)


@given(lines, st.sampled_from(["GD4", "HT3", "TE1", "HN2", "QN5"]), st.sampled_from(["DKBD", "TU_DEN", "CAP_CUU", "KHONG_BHYT"]),
       st.sampled_from(["CB", "CS", "BD_TYT"]), st.sampled_from(["none", "T", "TW"]), money)  # fmt: skip
def test_shares_always_add_up(bill: list[BillLine], card: str, route: str, level: str, tier: str, aid: Decimal) -> None:
    subject = decide_subject(facts(route=route, level=level, old_tier=tier, points=60))
    result = split_benefit(bill, BenefitContext(date(2026, 9, 10), card, subject, patient_aid=aid))
    for share in result.lines:
        assert share.fund + share.copay + share.outside + share.other == share.total
        assert min(share.fund, share.copay, share.outside, share.other) >= 0
        assert share.fund <= share.insured <= share.total
    assert result.payable + result.fund + result.other == result.total
