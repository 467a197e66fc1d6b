"""Safety and legal checks: the given cases, and the rules behind them on other drugs."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from his.prescriptions.rules import (
    AllergyFacts,
    PatientFacts,
    RxLine,
    cases,
    check_prescription,
    control_letter,
    dose_mg,
    dose_text,
    is_code,
    prescription_code,
    quantity_of,
    quantity_text,
)
from his.prescriptions.rules import reference as ref

FILE = Path(__file__).parent / "data" / "cases.json"
CASES, DEFAULTS = cases.read_cases(FILE)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["id"])
def test_given_case_passes(case: dict[str, Any]) -> None:
    outcome = cases.run_case(case, DEFAULTS)
    assert outcome.differences == ()
    assert outcome.not_built == ()


def test_a_missing_alert_is_reported() -> None:
    case = {**CASES[0], "expected": [{"rule": "renal", "tier": 1, "about": ["paracetamol"]}]}
    assert any(d.startswith("thiếu renal") for d in cases.run_case(case, DEFAULTS).differences)


def test_a_rule_that_is_not_built_is_named() -> None:
    case = {**CASES[0], "expected": [{"rule": "lot_expired", "tier": 1, "about": []}]}
    assert cases.run_case(case, DEFAULTS).not_built == ("lot_expired",)


def person(**changes: Any) -> PatientFacts:
    base: dict[str, Any] = {"age_months": 400, "diagnoses": ("J06.9",), "guardian_name": "Mẹ"}
    return PatientFacts(**{**base, **changes})


def said(patient: PatientFacts, *lines: RxLine) -> set[tuple[str, int]]:
    return {(a.rule, a.tier) for a in check_prescription(patient, lines)}


def rx(ingredient: str, strength: str = "500 mg", dose: str = "1 viên", **changes: Any) -> RxLine:
    base: dict[str, Any] = {"times_per_day": 2, "days": 5}
    return RxLine(ingredient, strength, "1.01", dose, **{**base, **changes})


def test_every_official_pair_is_found_both_ways() -> None:
    pairs = [
        (i.a, i.b, i.tier) for items in ref.interactions().values() for i in items if not i.condition and i.tier == 1
    ]
    assert len(pairs) > 300
    for a, b, _tier in pairs:
        for one, other in ((a, b), (b, a)):
            assert ("drug_drug", 1) in said(person(), RxLine(one), RxLine(other)), (one, other)


def test_current_medicines_are_checked_too() -> None:
    item = next(i for items in ref.interactions().values() for i in items if not i.condition and i.tier == 1)
    assert ("drug_drug", 1) in said(person(current_medicines=(item.a,)), RxLine(item.b))


@pytest.mark.parametrize(
    ("allergy", "severity", "drug", "tier"),
    [
        ("amoxicillin", "mild", "amoxicillin", 1),
        ("amoxicillin", "mild", "ampicillin", 1),
        ("amoxicillin", "mild", "cefalexin", 2),
        ("amoxicillin", "mild", "cefixime", 3),
        ("amoxicillin", "severe", "cefixime", 2),
        ("ibuprofen", "mild", "diclofenac", 1),
        ("ibuprofen", "mild", "celecoxib", 3),
        ("erythromycin", "mild", "azithromycin", 1),
        ("aspirin", "mild", "acetylsalicylic acid", 1),
    ],
)
def test_allergy_reaches_the_group(allergy: str, severity: str, drug: str, tier: int) -> None:
    patient = person(allergies=(AllergyFacts(allergy, "rash", severity),))
    assert ("allergy", tier) in said(patient, RxLine(drug))


def test_unrelated_drug_is_silent_about_allergy() -> None:
    assert not {r for r, _t in said(person(allergies=(AllergyFacts("amoxicillin"),)), rx("paracetamol"))} & {"allergy"}


def test_same_ingredient_twice_is_a_caution() -> None:
    assert ("duplicate_therapy", 2) in said(person(), rx("paracetamol"), rx("paracetamol/codeine", "500mg + 8mg"))


def test_two_nsaids_are_a_caution_or_a_stop() -> None:
    rules = said(person(), rx("ibuprofen", "200 mg"), rx("naproxen", "250 mg"))
    assert {("duplicate_therapy", 2), ("drug_drug", 1), ("drug_drug", 2)} & rules


@pytest.mark.parametrize(
    ("strength", "dose", "mass"),
    [("500 mg", "2 viên", "1000"), ("200mg/5ml", "3,5 ml", "140"), ("250 mg", "0,5 gói", "125"), ("50 mcg", "1 viên", "0.05"),
     ("1 g", "160 mg", "160"), ("10%", "3 ml", "300"), ("500mg + 15mg", "1 viên", "500"), ("250 mg", "1/2 viên", "125")],
)  # fmt: skip
def test_dose_is_read_in_mg(strength: str, dose: str, mass: str) -> None:
    assert dose_mg(RxLine("x", strength, dose=dose)) == Decimal(mass)


@pytest.mark.parametrize(
    ("dose", "expected"), [("1 gói", set()), ("2 gói", {("dose_max_kg", 2)}), ("4 gói", {("dose_max_kg", 1)})]
)
def test_dose_by_weight_in_three_steps(dose: str, expected: set[tuple[str, int]]) -> None:
    child = person(age_months=30, weight_kg=Decimal(17))
    found = {a for a in said(child, rx("paracetamol", "250 mg", dose, times_per_day=3)) if a[0].startswith("dose")}
    assert found == expected


@pytest.mark.parametrize(
    ("icd", "days", "stops"),
    [
        ("I10", 90, False),
        ("I10", 91, True),
        ("J44.9", 31, True),
        ("E11.9", 90, False),
        ("E11.1", 31, True),
        ("J06.9", 30, False),
    ],
)
def test_days_follow_the_annex(icd: str, days: int, *, stops: bool) -> None:
    rules = said(person(diagnoses=(icd,)), rx("amlodipine", "5 mg", times_per_day=1, days=days))
    assert (("max_days", 1) in rules) is stops


def test_child_needs_weight_and_guardian() -> None:
    alerts = check_prescription(person(age_months=71, guardian_name=""), [rx("amoxicillin", "250 mg", "1 gói")])
    assert {a.about[0] for a in alerts if a.rule == "child_under_72_months_fields"} == {"weight_kg", "guardian_name"}
    older = check_prescription(person(age_months=72, guardian_name=""), [rx("amoxicillin", "250 mg", "1 gói")])
    assert not [a for a in older if a.rule == "child_under_72_months_fields"]


def test_quantity_must_follow_the_dose() -> None:
    assert ("quantity_mismatch", 2) in said(person(), rx("amoxicillin", quantity=Decimal(3)))
    assert ("quantity_mismatch", 2) not in said(person(), rx("amoxicillin", quantity=Decimal(10)))


def test_controlled_drugs_go_to_their_own_form() -> None:
    assert control_letter(RxLine("morphine", "10 mg")) == "N"
    assert control_letter(RxLine("diazepam", "5 mg")) == "H"
    assert control_letter(RxLine("paracetamol/codeine", "500mg + 15mg")) == "C"
    assert ("split_by_control_class", 0) in said(person(), RxLine("morphine", "10 mg"), RxLine("paracetamol"))


def test_code_and_wording() -> None:
    assert is_code(prescription_code("79999", "C", lambda alphabet: alphabet[3]))
    assert not is_code("79999-1234567-C")
    assert quantity_of(Decimal("0.5"), "Viên", "viên", 3, 5) == 8
    assert quantity_of(Decimal("3.5"), "Chai", "ml", 3, 5) == 1
    assert quantity_text(Decimal(5), "Viên") == "05 viên"
    assert quantity_text(Decimal(60), "Viên", narcotic=True) == "60 (sáu mươi) viên"
    assert dose_text(Decimal(2), "Viên", 2, 5) == "2 viên/lần * 2 lần/ngày * 5 ngày [4 viên/ngày]"
