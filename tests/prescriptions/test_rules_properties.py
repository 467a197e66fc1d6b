"""What must hold for every drug, every pair and every dose, not only for the samples."""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import product

import pytest

from his.prescriptions.rules import (
    AllergyFacts,
    PatientFacts,
    RxLine,
    check_prescription,
    control_letter,
    dose_help,
    dose_mg,
    dose_units,
    fixes_for,
    quantity_of,
    suggested_dose,
)
from his.prescriptions.rules import reference as ref
from his.prescriptions.rules.checks import class_families
from his.prescriptions.rules.dosing import largest_safe_dose, pack_ml

ADULT = PatientFacts(age_months=480, weight_kg=Decimal(60), diagnoses=("J06.9",), guardian_name="x")
CHANCE = random.Random(20261123)  # the same drugs on every run


def child(months: int = 44, weight: str = "14.2") -> PatientFacts:
    return PatientFacts(age_months=months, weight_kg=Decimal(weight), diagnoses=("J20.9",), guardian_name="Mẹ")


def keys(patient: PatientFacts, *lines: RxLine) -> set[tuple[str, int, str]]:
    return {(a.rule, a.tier, a.key) for a in check_prescription(patient, lines)}


ITEMS = [item for items in ref.interactions().values() for item in items]
PLAIN = [i for i in ITEMS if not i.condition]


@pytest.mark.parametrize("item", CHANCE.sample(PLAIN, 60), ids=lambda i: f"{i.a}+{i.b}")
def test_pairs_are_found_in_both_orders_inside_combinations_and_in_vietnamese(item: ref.Interaction) -> None:
    expected = ("drug_drug", item.tier, ";".join(sorted((item.a, item.b))))
    assert expected in keys(ADULT, RxLine(item.a), RxLine(item.b))
    assert expected in keys(ADULT, RxLine(item.b), RxLine(item.a))
    assert expected in keys(ADULT, RxLine(f"{item.a}/unheard substance"), RxLine(item.b))
    assert expected in keys(ADULT, RxLine(f"Unheard substance + {item.b}"), RxLine(item.a.upper()))
    if item.name_a and item.name_b:
        assert any(rule == "drug_drug" for rule, _t, _k in keys(ADULT, RxLine(item.name_a), RxLine(item.name_b)))


def test_every_official_vietnamese_name_leads_to_its_ingredient() -> None:
    lost = {(i.name_a, i.a) for i in ITEMS if i.name_a and ref.normal(i.name_a) != i.a}
    lost |= {(i.name_b, i.b) for i in ITEMS if i.name_b and ref.normal(i.name_b) != i.b}
    assert not lost


def test_a_fixed_combination_is_found_whatever_the_order_of_its_parts() -> None:
    for name in ("lopinavir/ritonavir", "Ritonavir + lopinavir"):
        assert any(rule == "drug_drug" for rule, _t, _k in keys(ADULT, RxLine(name), RxLine("simvastatin")))


@pytest.mark.parametrize("group", ref.allergy_groups(), ids=lambda g: g.group_id)
def test_a_recorded_medicine_always_stops_itself(group: ref.AllergyGroup) -> None:
    for name in group.ingredients:
        patient = PatientFacts(age_months=480, diagnoses=("J06.9",), allergies=(AllergyFacts(name, "mày đay"),))
        assert any(rule == "allergy" and tier == 1 for rule, tier, _k in keys(patient, RxLine(name))), name


SAME = [g for g in ref.allergy_groups() if g.relation == "same_group" and g.family != "cephalosporin" and g.tier == 1]


@pytest.mark.parametrize("group", SAME, ids=lambda g: g.group_id)
def test_groups_stop_both_ways(group: ref.AllergyGroup) -> None:
    members = sorted(group.ingredients)[:6]
    for recorded, drug in product(members, members):
        patient = PatientFacts(
            age_months=480, diagnoses=("J06.9",), allergies=(AllergyFacts(recorded, "phát ban", "mild"),)
        )
        assert any(rule == "allergy" and tier == 1 for rule, tier, _k in keys(patient, RxLine(drug))), (recorded, drug)


@pytest.mark.parametrize(
    ("recorded", "drug", "tier"),
    [("Penicilin", "Amoxicilin", 1), ("nhóm penicillin", "Amoxicilin + acid clavulanic", 1), ("Penicilin", "Cefalexin", 2),
     ("cephalosporin", "Ceftriaxon", 1), ("nhóm beta-lactam", "Cefixim", 1), ("NSAID", "Ibuprofen", 1),
     ("thuốc kháng viêm không steroid", "Diclofenac", 1), ("Aspirin", "Ibuprofen", 1), ("sulfa", "Sulfamethoxazol + trimethoprim", 1),
     ("Sulfamethoxazol", "Sulfadiazin", 1), ("macrolid", "Azithromycin", 1), ("quinolon", "Levofloxacin", 1),
     ("Paracetamol", "Paracetamol + codein", 1)],
)  # fmt: skip
def test_families_and_vietnamese_words_are_understood(recorded: str, drug: str, tier: int) -> None:
    patient = PatientFacts(age_months=480, diagnoses=("J06.9",), allergies=(AllergyFacts(recorded, "mày đay"),))
    assert min(t for rule, t, _k in keys(patient, RxLine(drug)) if rule == "allergy") == tier


def test_a_single_medicine_is_no_class() -> None:
    for name in ("atorvastatin", "benzylpenicillin", "penicillin g", "amoxicillin", "paracetamol"):
        assert class_families(name) == set()


@pytest.mark.parametrize("name", CHANCE.sample(sorted(n for n in ref.dose_limits() if "/" not in n), 20))
def test_the_same_ingredient_twice_is_said_once_whatever_it_is_mixed_with(name: str) -> None:
    lines = RxLine(name, "1 mg"), RxLine(f"{name}/unheard substance", "1 mg")
    found = [a for a in check_prescription(ADULT, lines) if a.rule == "duplicate_therapy"]
    assert [(a.tier, a.about, a.lines) for a in found] == [(2, (name,), (0, 1))]


CHILD_LIMITS = [
    limit for limits in ref.dose_limits().values() for limit in limits
    if limit.population == "child" and limit.max_mg_per_kg_dose and limit.route_group == "oral"
    and (limit.hard_age_min_months or 0) <= 60 and limit.age_min_months <= 60 and (limit.age_max_months or 999) >= 60
]  # fmt: skip


@pytest.mark.parametrize("limit", CHILD_LIMITS, ids=lambda x: x.ingredient)
def test_dose_per_kg_is_quiet_at_the_limit_a_caution_above_and_a_stop_at_four_times(limit: ref.DoseLimit) -> None:
    patient = child(60, "18")
    at = limit.max_mg_per_kg_dose * 18
    caps = [limit.max_mg_dose, limit.max_mg_day, limit.max_mg_per_kg_day and limit.max_mg_per_kg_day * 18]
    at = min([at, *(cap for cap in caps if cap)])

    def tiers(mg: Decimal) -> set[int]:
        line = RxLine(
            limit.ingredient, "", "1.01", f"{format(mg.quantize(Decimal('0.0001')).normalize(), 'f')} mg", 1, 1
        )
        return {a.tier for a in check_prescription(patient, [line]) if a.rule.startswith("dose_")}

    assert not tiers(at * Decimal("0.9"))
    assert tiers(at * Decimal("1.5"))
    assert tiers(limit.max_mg_per_kg_dose * 18 * 4) == {1}


def test_an_adult_is_held_to_the_absolute_maximum_not_to_kilograms() -> None:
    assert not [
        k
        for k in keys(ADULT, RxLine("paracetamol", "500 mg", dose="2 viên", times_per_day=4, days=3))
        if k[0].startswith("dose")
    ]
    assert ("dose_max_dose", 2, "paracetamol") in keys(
        ADULT, RxLine("paracetamol", "500 mg", dose="3 viên", times_per_day=2, days=3)
    )
    assert any(
        k[0] == "dose_max_day"
        for k in keys(ADULT, RxLine("paracetamol", "500 mg", dose="2 viên", times_per_day=5, days=3))
    )
    light = PatientFacts(age_months=480, weight_kg=Decimal(40), diagnoses=("J06.9",))
    assert any(
        k[0] == "dose_max_kg"
        for k in keys(light, RxLine("paracetamol", "500 mg", dose="2 viên", times_per_day=3, days=3))
    )


def test_the_dose_of_two_lines_of_one_ingredient_is_summed_over_the_day() -> None:
    a = RxLine("paracetamol", "150 mg", "1.01", "1 gói", 4, 3)
    b = RxLine("paracetamol", "80 mg", "4.02", "1 viên", 4, 3)
    assert not [k for k in keys(child(), a) if k[0] == "dose_max_day"]
    assert [k for k in keys(child(), a, b) if k[0] == "dose_max_day"]


def test_every_hard_age_limit_speaks_below_and_is_quiet_at_the_age() -> None:
    for name, limits in ref.dose_limits().items():
        for limit in limits:
            if limit.hard_age_min_months is None or limit.route_group != "oral":
                continue
            below = PatientFacts(
                age_months=limit.hard_age_min_months - 1, weight_kg=Decimal(10), diagnoses=("J06.9",), guardian_name="x"
            )
            at = PatientFacts(
                age_months=limit.hard_age_min_months, weight_kg=Decimal(60), diagnoses=("J06.9",), guardian_name="x"
            )
            assert any(k[0] == "age_contraindication" for k in keys(below, RxLine(name, "1 mg"))), name
            assert not [k for k in keys(at, RxLine(name, "1 mg")) if k[0] == "age_contraindication"], name


def test_days_follow_every_row_of_the_annex() -> None:
    for row in ref.long_diseases():
        for code in row.include:
            assert ref.allows_long(code) == row.max_days
        for code in row.exclude:
            assert ref.allows_long(code) == 30 or any(code in other.include for other in ref.long_diseases())
    for code in ("J44", "J44.9", "I50", "I50.0", "J06.9", "A09"):
        assert ref.allows_long(code) == 30


@pytest.mark.parametrize(
    ("drug", "icd", "context", "limit"),
    [("morphine", "S72.00", {}, 7), ("tramadol", "M54.5", {}, 7), ("morphine", "C34.9", {"periods": [10, 10, 10]}, 30),
     ("diazepam", "R45.1", {}, 10), ("phenobarbital", "G40.2", {}, 30), ("diazepam", "F41.1", {"acute": True}, 10),
     ("amlodipine", "I10", {}, 90), ("morphine", "I10", {}, 7)],
)  # fmt: skip
def test_controlled_classes_win_over_the_ninety_days(
    drug: str, icd: str, context: dict[str, object], limit: int
) -> None:
    patient = PatientFacts(age_months=600, weight_kg=Decimal(60), diagnoses=(icd,), context=context)
    quiet = check_prescription(patient, [RxLine(drug, "5 mg", dose="1 viên", times_per_day=1, days=limit)])
    loud = check_prescription(patient, [RxLine(drug, "5 mg", dose="1 viên", times_per_day=1, days=limit + 1)])
    assert not [a for a in quiet if a.rule == "max_days"]
    assert [a.limit for a in loud if a.rule == "max_days"] == [limit]


def test_the_diagnosis_of_the_line_decides_its_days() -> None:
    patient = PatientFacts(age_months=600, diagnoses=("I10", "J06.9"))
    line = RxLine("amlodipine", "5 mg", dose="1 viên", times_per_day=1, days=60)
    assert not [a for a in check_prescription(patient, [line]) if a.rule == "max_days"]
    other = RxLine("loratadine", "10 mg", dose="1 viên", times_per_day=1, days=60, diagnosis="J06.9")
    assert [a.limit for a in check_prescription(patient, [other]) if a.rule == "max_days"] == [30]


@pytest.mark.parametrize(
    ("ingredient", "strength", "letter"),
    [("morphine", "10mg", "N"), ("Morphin sulfat", "10mg", "N"), ("tramadol", "50mg", "N"), ("paracetamol/tramadol", "325mg + 37,5mg", "C"),
     ("paracetamol/tramadol", "325mg + 75mg", "N"), ("paracetamol/codeine", "500mg + 30mg", "C"), ("diazepam", "5mg", "H"),
     ("ephedrine", "30mg/1ml", "H"), ("ketamine", "500mg/10ml", "H"), ("paracetamol", "500mg", "C")],
)  # fmt: skip
def test_class_of_single_and_combined_products(ingredient: str, strength: str, letter: str) -> None:
    assert control_letter(RxLine(ingredient, strength)) == letter


# --- quantities and helpers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "unit", "dose_unit", "times", "days", "strength", "route", "expected"),
    [
        ("1", "Viên", "viên", 2, 5, "500mg", "1.01", 10), ("0.5", "Viên", "viên", 3, 5, "500mg", "1.01", 8),
        ("1.5", "Gói", "gói", 3, 1, "250mg", "1.01", 5), ("250", "Viên", "mg", 2, 5, "500mg", "1.01", 5),
        ("5", "Ống", "ml", 2, 5, "100mg/5ml; 10ml", "1.01", 5), ("5", "Chai", "ml", 3, 7, "40mg/ml; 15ml", "1.01", 7),
        ("3.5", "Chai", "ml", 3, 5, "200mg/5ml", "1.01", 1), ("160", "Lọ", "mg", 1, 3, "1g", "2.10", 3),
        ("0.5", "Ống", "ống", 2, 2, "20mg/2ml", "2.10", 4), ("2", "Bình", "nhát", 4, 30, "100mcg/liều", "5.05", 1),
        ("1", "Lọ", "giọt", 3, 7, "0,3%/5ml", "6.01", 1), ("1", "Tuýp", "lần bôi", 2, 7, "5g/tube", "3.05", 1),
        ("10", "Lọ", "ml", 1, 1, "2% x 10ml", "2.10", 1),
    ],
)  # fmt: skip
def test_quantity_by_kind_of_pack(
    amount: str, unit: str, dose_unit: str, times: int, days: int, strength: str, route: str, expected: int
) -> None:
    assert quantity_of(Decimal(amount), unit, dose_unit, times, days, strength=strength, route=route) == expected


def test_weekly_medicines_count_weeks() -> None:
    assert quantity_of(Decimal(4), "Viên", "viên", 1, 28, "weekly") == 16
    assert quantity_of(Decimal(4), "Viên", "viên", 1, 29, "weekly") == 20


def test_quantity_never_falls_below_what_is_taken_and_never_exceeds_one_unit_more() -> None:
    for _ in range(500):
        amount = Decimal(CHANCE.randint(1, 20)) / 2
        times, days = CHANCE.randint(1, 6), CHANCE.randint(1, 90)
        found = quantity_of(amount, "Viên", "viên", times, days, strength="5mg")
        needed = amount * times * days
        assert needed <= found < needed + 1
        assert found == found.to_integral_value()


def test_more_days_never_give_less() -> None:
    for unit, dose_unit, strength in (
        ("Viên", "viên", "5mg"),
        ("Chai", "ml", "40mg/ml; 15ml"),
        ("Ống", "ml", "100mg/5ml; 10ml"),
        ("Chai", "ml", "15mg/5ml"),
    ):
        given = [quantity_of(Decimal("2.5"), unit, dose_unit, 3, days, strength=strength) for days in range(1, 40)]
        assert given == sorted(given)


def test_what_a_pack_holds_is_read_or_admitted_unknown() -> None:
    assert pack_ml("100mg/5ml; 10ml", "Ống") == 10
    assert pack_ml("10mg/2ml", "Ống") == 2
    assert pack_ml("2% x 10ml", "Ống") == 10
    assert pack_ml("200mg/5ml", "Chai") is None
    assert pack_ml("", "Chai 90ml") == 90
    assert pack_ml("500mg", "Viên") is None


def test_units_fit_the_form() -> None:
    assert dose_units("Viên", "Viên nang cứng", "500mg")[0] == "viên"
    assert dose_units("Chai", "Siro", "2mg/5ml") == ("ml",)
    assert dose_units("Bình", "Thuốc xịt mũi", "50mcg/liều") == ("nhát",)
    assert dose_units("Lọ", "Dung dịch nhỏ mắt", "0,3%/5ml") == ("giọt",)
    assert dose_units("Gói", "Thuốc bột pha hỗn dịch uống", "250mg") == ("gói", "mg")


def test_the_offered_dose_breaks_no_limit() -> None:
    for limit in CHILD_LIMITS:
        for weight in ("7", "10.4", "14.2", "18", "25"):
            patient = child(60, weight)
            line = RxLine(limit.ingredient, "50mg/5ml; 60ml", "1.01", "1 ml", 1, 1)
            amount = suggested_dose(line, patient, dose_unit="ml")
            shown = dose_help(
                RxLine(limit.ingredient, line.strength, "1.01", f"{amount} ml", 1, 1), patient, dose_unit="ml"
            )
            best = largest_safe_dose(line, patient, dose_unit="ml")
            assert amount > 0
            assert amount * 2 == int(amount * 2)
            if shown.low_mg is not None and shown.tone == "ok":
                assert best is not None
                probe = RxLine(limit.ingredient, line.strength, "1.01", f"{format(best.amount, 'f')} ml", 1, 1)
                assert not [a for a in check_prescription(patient, [probe]) if a.rule.startswith("dose_")], (
                    limit.ingredient,
                    weight,
                )


def test_a_fix_offered_at_an_alert_ends_the_alert() -> None:
    line = RxLine("paracetamol", "250mg", "1.01", "2 gói", 4, 3)
    alert = next(a for a in check_prescription(child(), [line]) if a.rule == "dose_max_kg")
    fix = fixes_for(alert, [line], child(), dose_units_of=["gói"], forms=["Thuốc bột"])[0]
    assert fix.do == "dose:0:0,5"
    mended = RxLine("paracetamol", "250mg", "1.01", "0,5 gói", 4, 3)
    assert dose_mg(mended) == 125
    assert not [a for a in check_prescription(child(), [mended]) if a.rule.startswith("dose")]
