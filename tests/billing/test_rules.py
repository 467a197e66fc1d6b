"""What the fund pays: the worked cases of the standard, to the đồng, and properties that always hold."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from his.billing.rules import (
    BenefitContext,
    BenefitResult,
    BillLine,
    SubjectFacts,
    cards,
    cases,
    decide_subject,
    split_benefit,
    stays,
)
from his.billing.rules.reference import copay_year_limit, level_on
from his.billing.rules.subject import is_serious, serious_diseases

CASES = cases.read_cases(Path(__file__).parent / "data" / "benefit-cases.csv")
# Derived rows where our reading differs from the sheet: case -> its differences. The run's report (conftest.py) lists
# what differs in any case; a difference that is not written down here fails.
KNOWN_DERIVED_DIFFERENCES: dict[str, tuple[str, ...]] = {}


@pytest.mark.parametrize("row", [r for r in CASES if r["confidence"] == "sure"], ids=lambda r: r["id"])
def test_sure_case_comes_out_to_the_dong(row: dict[str, str]) -> None:
    outcome = cases.run_case(row)
    assert outcome.differences == ()


@pytest.mark.parametrize("row", [r for r in CASES if r["confidence"] == "derived"], ids=lambda r: r["id"])
def test_derived_case_differs_only_where_written_down(row: dict[str, str]) -> None:
    assert cases.run_case(row).differences == KNOWN_DERIVED_DIFFERENCES.get(row["id"], ())


def test_the_sheet_is_whole() -> None:
    kinds = [row["confidence"] for row in CASES]
    assert (len(CASES), set(kinds)) == (93, {"sure", "derived"})
    assert kinds.count("derived") > 10


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


# --- beyond the samples: other days, levels, cards, prices ---------------------------------------------------------------


def split(card: str, *lines: BillLine, on: date = date(2026, 9, 10), **context: object) -> BenefitResult:
    subject = decide_subject(facts(on=on, **context.pop("facts", {"route": "DKBD"})))  # type: ignore[arg-type]
    return split_benefit(lines, BenefitContext(on, card, subject, **context))  # type: ignore[arg-type]


def item(
    price: int | str, insured: int | str | None = None, *, group: str = "2", quantity: int | str = 1, **more: object
) -> BillLine:
    price = Decimal(price)
    return BillLine("x", group, Decimal(quantity), price, price if insured is None else Decimal(insured), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("on", "limit"),
    [
        (date(2019, 7, 1), 223500), (date(2023, 6, 30), 223500), (date(2023, 7, 1), 270000), (date(2024, 6, 30), 270000),
        (date(2024, 7, 1), 351000), (date(2026, 6, 30), 351000), (date(2026, 7, 1), 379500), (date(2030, 1, 1), 379500),
    ],
)  # fmt: skip
def test_the_15_percent_limit_is_read_from_the_day(on: date, limit: int) -> None:
    below, equal = split("GD4", item(limit - 1), on=on), split("GD4", item(limit), on=on)
    assert (below.rate, below.copay) == ("100", 0)
    assert (equal.rate, equal.copay) == ("80", Decimal(limit) * 20 / 100)


def test_a_day_before_any_known_salary_is_refused() -> None:
    with pytest.raises(LookupError):
        level_on(date(2010, 1, 1))


def test_the_limit_is_measured_on_what_the_fund_counts_of_the_whole_visit() -> None:
    outside = split("GD4", item(300_000), item(5_000_000, 0))
    assert (outside.rate, outside.copay, outside.outside) == ("100", 0, Decimal(5_000_000))
    together = split("GD4", item(200_000), item(200_000))
    assert (together.rate, together.copay) == ("80", Decimal(80_000))
    at_half = split("GD4", item(500_000, insurance_rate=50))
    assert (at_half.insured, at_half.rate) == (Decimal(250_000), "100")


@pytest.mark.parametrize(
    ("card", "on", "rate"),
    [
        ("TE1", date(2026, 9, 10), 100), ("CC1", date(2026, 9, 10), 100), ("HN2", date(2026, 9, 10), 100), ("DT2", date(2026, 9, 10), 100),
        ("HT3", date(2026, 9, 10), 95), ("TC3", date(2026, 9, 10), 95), ("DN4", date(2026, 9, 10), 80), ("HS4", date(2026, 9, 10), 80),
        ("QN5", date(2026, 9, 10), 100), ("CN3", date(2025, 12, 31), 95), ("CN3", date(2026, 1, 1), 100), ("LH4", date(2025, 12, 31), 80),
        ("LH4", date(2026, 1, 1), 100), ("XX4", date(2026, 9, 10), 80), ("gd4", date(2026, 9, 10), 80),
    ],
)  # fmt: skip
def test_every_card_group_gives_its_rate(card: str, on: date, rate: int) -> None:
    assert cards.benefit(card, on).rate == rate
    assert split(card, item(1_000_000), on=on).fund == 10_000 * rate


@pytest.mark.parametrize("card", ["", "GD", "GD6", "GD0", "4GD", "ĐN4", "G44"])
def test_text_that_is_no_card_is_refused(card: str) -> None:
    with pytest.raises(ValueError, match="no card"):
        cards.benefit(card, date(2026, 9, 10))


@pytest.mark.parametrize(
    ("card", "insured"),
    [("GD4", 500_000), ("HN2", 500_000), ("TE1", 1_000_000), ("QN5", 1_000_000), ("CC1", 1_000_000)],
)
def test_the_payment_rate_of_an_item_does_not_bind_digits_1_and_5(card: str, insured: int) -> None:
    assert split(card, item(1_000_000, insurance_rate=50)).insured == insured


def test_a_recurrent_wound_lifts_the_payment_rate_for_its_groups_only() -> None:
    assert split("CK2", item(1_000_000, insurance_rate=50), recurrent_wound=True).insured == 1_000_000
    assert split("CK2", item(1_000_000, insurance_rate=50)).insured == 500_000
    assert split("GD4", item(1_000_000, insurance_rate=50), recurrent_wound=True).insured == 500_000


@pytest.mark.parametrize(
    ("changes", "card", "rate"),
    [
        ({"level": "CB", "points": 60}, "GD4", "40"), ({"level": "CB", "points": 60}, "HT3", "47.5"), ({"level": "CB", "points": 60}, "TE1", "50"),
        ({"level": "CS", "old_tier": "TW", "visit_type": "03"}, "GD4", "32"), ({"level": "CS", "old_tier": "TW", "visit_type": "03"}, "HT3", "38"),
        ({"level": "CS", "old_tier": "TW", "visit_type": "03"}, "HN2", "40"), ({"level": "CS", "old_tier": "T"}, "HT3", "47.5"),
        ({"level": "BD"}, "HT3", "95"), ({"level": "BD_TYT"}, "GD4", "100"),
    ],
)  # fmt: skip
def test_route_times_card(changes: dict[str, object], card: str, rate: str) -> None:
    assert split(card, item(1_000_000), facts=changes).rate == rate


def test_a_small_bill_of_a_self_referral_keeps_the_share_of_the_route() -> None:
    half = split("GD4", item(200_000), facts={"points": 60})
    assert (half.rate, half.fund, half.copay) == ("50", Decimal(100_000), Decimal(100_000))
    forty = split("GD4", item(200_000), facts={"level": "CS", "old_tier": "TW", "visit_type": "03"})
    assert (forty.rate, forty.fund) == ("40", Decimal(80_000))


@pytest.mark.parametrize("on", [date(2026, 6, 30), date(2025, 3, 1)])
def test_a_route_without_a_share_yet_puts_everything_outside(on: date) -> None:
    result = split("GD4", item(1_000_000), on=on, facts={"points": 60})
    assert (result.rate, result.insured, result.fund, result.outside) == ("0", 0, 0, Decimal(1_000_000))
    assert [(share.scope_code, share.insurance_rate) for share in result.lines] == [("2", 0)]


def test_a_price_of_zero_and_a_gift_cost_nobody_anything() -> None:
    free = split("GD4", item(0), item(1_000_000))
    assert (free.lines[0].total, free.lines[0].fund, free.lines[0].copay) == (0, 0, 0)
    assert split("GD4", item(0)).payable == 0
    assert split("", item(0)).payable == 0


def test_sold_above_the_funds_price() -> None:
    service = split("GD4", item(1_000_000, 600_000))
    assert (service.total, service.insured, service.fund, service.copay, service.outside) == (
        1_000_000, 600_000, 480_000, 120_000, 400_000,
    )  # fmt: skip
    drug = split("GD4", item(50_000, 30_000, group="4", quantity=20))
    assert (drug.total, drug.insured, drug.outside) == (1_000_000, 600_000, 400_000)


def test_a_fund_price_above_the_hospitals_never_pays_more_than_the_bill() -> None:
    result = split("TE1", item(400_000, 500_000))
    assert (result.total, result.insured, result.fund) == (400_000, 400_000, 400_000)


def test_the_examination_series_of_one_day() -> None:
    fees = [item(50_600, group="13", service_rate=stays.exam_rate(n)) for n in range(1, 8)]
    result = split("HN2", *fees, item(1_000_000))
    assert [share.total for share in result.lines[:7]] == [50_600, 15_180, 15_180, 15_180, 5_060, 0, 0]
    assert sum(share.total for share in result.lines[:7]) == 2 * 50_600


def test_an_examination_number_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="number 1"):
        stays.exam_rate(0)


def test_a_package_is_capped_at_45_base_salaries_of_its_day() -> None:
    for on, cap in ((date(2026, 6, 30), 105_300_000), (date(2026, 7, 1), 113_850_000)):
        forty_five = level_on(on).forty_five_months
        assert forty_five == cap
        assert stays.package_price(Decimal(150_000_000), forty_five) == cap
        assert stays.package_price(Decimal(90_000_000), forty_five) == 90_000_000
        assert stays.package_price(Decimal(150_000_000), forty_five, is_capped=False) == 150_000_000


def test_rounding_is_per_line_half_up() -> None:
    result = split("HT3", item("333333.33"), item("0.1"), item("166666.67"))
    assert [share.fund for share in result.lines] == [Decimal("316666.66"), Decimal("0.10"), Decimal("158333.34")]
    assert result.copay == Decimal("16666.67") + Decimal("0.00") + Decimal("8333.33")


def test_support_for_a_patient_counts_without_insurance_too() -> None:
    alone = split("", item(1_000_000), facts={"route": "KHONG_BHYT"}, patient_aid=Decimal(300_000))
    assert (alone.payable, alone.other) == (Decimal(700_000), Decimal(300_000))
    nothing_paid = split(
        "GD4", item(1_000_000), on=date(2026, 6, 30), facts={"points": 60}, patient_aid=Decimal(2_000_000)
    )
    assert (nothing_paid.payable, nothing_paid.other) == (0, Decimal(1_000_000))


def test_support_for_the_hospital_counts_without_insurance_too() -> None:
    result = split("", item(1_000_000, facility_aid=Decimal(400_000)), facts={"route": "KHONG_BHYT"})
    assert (result.outside, result.other) == (Decimal(600_000), Decimal(400_000))


def test_the_year_limit_is_never_collected_beyond() -> None:
    day = date(2026, 10, 5)
    full = {"five_years_on": date(2026, 1, 1), "on": day}
    for before, copay in (
        (0, 2_000_000),
        (13_180_000, 2_000_000),
        (14_180_000, 1_000_000),
        (15_180_000, 0),
        (15_180_001, 0),
    ):
        result = split("GD4", item(10_000_000), copaid_this_year=Decimal(before), **full)
        assert result.copay == copay, before
        assert result.fund + result.copay == 10_000_000
    assert split("GD4", item(10_000_000), copaid_this_year=Decimal(15_180_001), **full).rate == "100"
    self_referred = split("GD4", item(10_000_000), copaid_this_year=Decimal(16_000_000), facts={"points": 60}, **full)
    assert (self_referred.rate, self_referred.copay) == ("40", Decimal(6_000_000))


@pytest.mark.parametrize(
    ("hours", "both_ends", "days"),
    [(3.9, False, 0), (4, False, 0), (4.1, False, 1), (23.9, False, 1), (24, False, 1), (49, False, 2), (49, True, 3)],
)
def test_bed_days_by_length(hours: float, both_ends: bool, days: int) -> None:
    start = datetime(2026, 9, 10, 8)
    assert stays.bed_days(start, start + timedelta(hours=hours), counts_both_ends=both_ends) == days


@pytest.mark.parametrize(
    ("icd", "age", "confirmed", "serious"),
    [("A17.0", 30, True, True), ("J20.9", 30, True, False), ("", 30, True, False), ("a17.0", 30, True, True)],
)
def test_annex_one_by_main_diagnosis(icd: str, age: int, confirmed: bool, serious: bool) -> None:
    assert is_serious(icd, age, condition_confirmed=confirmed) is serious


def test_annex_one_rows_with_age_or_condition_need_them() -> None:
    aged = [row for row in serious_diseases() if row.age_under is not None and not row.condition]
    for row in aged:
        assert is_serious(row.prefix, row.age_under - 1)
        assert not is_serious(row.prefix, row.age_under)
        assert not is_serious(row.prefix, None)
    conditional = [row for row in serious_diseases() if row.condition and row.mode != "exclude"]
    assert conditional
    for row in conditional:
        assert not is_serious(row.prefix, 0, condition_confirmed=False)


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
