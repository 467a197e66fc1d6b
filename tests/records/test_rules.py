"""Likeness of two people, names on public screens, checks on what was typed."""

from __future__ import annotations

from datetime import date

import pytest

from his.records import rules
from his.records.rules import LIKELY, PersonFacts, likeness

TODAY = date(2026, 11, 23)


def person(name: str = "Trần Gia Hưng", birth: date = date(2025, 9, 20), **more: object) -> PersonFacts:
    values = {"birth_precision": "day", "sex": "M", "phones": frozenset({"0900154417"}), "commune_code": "26740"}
    return PersonFacts(name, birth, **{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "likely"),
    [
        (person(), True),
        (person("Tran Gia Hung"), True),
        (person("Gia Hưng Trần"), True),
        (person("Trần Gia Hứng"), True),
        (person("Trần Gia Hưn"), True),
        (person(birth=date(2025, 1, 1), birth_precision="year"), True),
        (person(phones=frozenset(), commune_code=""), True),
        (person(phones=frozenset({"0911111111"}), commune_code="00001"), True),
        (person(birth=date(2024, 9, 20)), False),
        (person("Lê Thị Bưởi"), False),
        (person("Trần Gia Bảo"), False),
    ],
)
def test_likely_duplicates(other: PersonFacts, likely: bool) -> None:
    assert (likeness(person(), other).score >= LIKELY) is likely


def test_swapped_day_and_month_still_look_alike() -> None:
    result = likeness(person(birth=date(2025, 9, 10)), person(birth=date(2025, 10, 9)))
    assert "ngày tháng sinh đảo nhau" in result.same
    assert result.score >= LIKELY


def test_personal_numbers_decide_alone() -> None:
    assert likeness(person(personal_number="1" * 12), person("Khác Hẳn", personal_number="1" * 12)).score == 100
    assert likeness(person(personal_number="1" * 12), person(personal_number="2" * 12)).score == 0


def test_the_reasons_are_said_in_words() -> None:
    result = likeness(person(), person(commune_code="00001"))
    assert {"tên", "ngày sinh", "giới tính", "điện thoại"} <= set(result.same)
    assert result.different == ("địa chỉ",)


@pytest.mark.parametrize(
    ("name", "masked"),
    [("Nguyễn Ngọc Bảo An", "N. N. BẢO AN"), ("Trần An", "T. AN"), ("An", "AN"), ("  Võ Thị  Sáu ", "V. THỊ SÁU")],
)
def test_public_screens_show_initials_and_given_name(name: str, masked: str) -> None:
    assert rules.masked_name(name) == masked


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"full_name": " "}, "name_missing"),
        ({"full_name": "N" * 121}, "name_long"),
        ({"full_name": "A <b>"}, "name_signs"),
        ({"full_name": "A {{7*7}}"}, "name_signs"),
        ({"birth_on": None}, "birth_missing"),
        ({"birth_on": date(2026, 11, 24)}, "birth_future"),
        ({"birth_on": date(1890, 1, 1)}, "birth_old"),
        ({"sex": "X"}, "sex_missing"),
        ({"is_child_without_guardian": True}, "guardian_missing"),
    ],
)
def test_what_is_wrong_with_a_person_is_said(change: dict[str, object], code: str) -> None:
    given = {"full_name": "Trần An", "birth_on": date(2000, 1, 1), "today": TODAY, "sex": "M", **change}
    (finding,) = rules.check_patient(**given)  # type: ignore[arg-type]
    assert finding.code == code
    assert finding.field
    assert finding.message.endswith(".")


def test_a_right_person_has_no_findings() -> None:
    assert rules.check_patient(full_name="D’Arc Jeanne-Marie", birth_on=TODAY, today=TODAY, sex="U") == ()


@pytest.mark.parametrize(("number", "right"), [("", True), ("079085900001", True), ("07908590000", False), ("٠٧٩٠٨٥٩٠٠٠٠١", False)])
def test_personal_numbers_have_twelve_ascii_digits(number: str, right: bool) -> None:
    assert (rules.check_personal_number(number) == ()) is right


@pytest.mark.parametrize(
    ("number", "facility", "last", "fields"),
    [
        ("GD4797900000001", "79999", None, set()),
        ("GD479790000000", "79999", None, {"card_number"}),
        ("GD9797900000001", "79999", None, {"card_number"}),
        ("GD4797900000001", "7999", None, {"registered_facility_code"}),
        ("GD4797900000001", "79999", date(2025, 12, 31), {"valid_to"}),
    ],
)
def test_cards_typed_by_hand(number: str, facility: str, last: date | None, fields: set[str]) -> None:
    assert {f.field for f in rules.check_card(number, facility, date(2026, 1, 1), last)} == fields


@pytest.mark.parametrize(("typed", "digits"), [("0900 154 417", {"0900154417"}), ("+84900154417", {"0900154417"}), ("12", set()), ("٠٩٠٠", set())])
def test_telephones_are_compared_as_digits(typed: str, digits: set[str]) -> None:
    assert rules.phone_digits([typed]) == digits
