"""What the one field recognises, which route counts, where to send people."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from his.registration import rules
from his.registration.rules import RoomFacts, RouteFacts, decide_route, recognise, suggest_room

TODAY = date(2026, 11, 23)  # a Monday


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("26-000123", "patient_code", "26-000123"),
        ("26000123", "patient_code", "26-000123"),
        ("79999-261123-0001", "visit_code", "79999-261123-0001"),
        ("214-043", "ticket", "214-043"),
        ("cdha1-007", "ticket", "CDHA1-007"),
        ("0900175954", "phone", "0900175954"),
        ("+84 900 175 954", "phone", "0900175954"),
        ("0900.175.954", "phone", "0900175954"),
        ("02838291234", "phone", "02838291234"),
        ("0100000001", "bhxh_number", "0100000001"),
        ("079 323 900 001", "national_id", "079323900001"),
        ("te1797900000001", "bhyt_card", "TE1797900000001"),
        ("http://bv.example/v/2345ABCDEFGHJKMN", "paper_code", "2345ABCDEFGHJKMN"),
        ("2345-ABCD-EFGH-JKMN", "paper_code", "2345ABCDEFGHJKMN"),
        ("  tran   gia hung ", "name", "tran gia hung"),
        ("Nguyễn An 2023", "name", "Nguyễn An 2023"),
    ],
)
def test_the_field_recognises(text: str, kind: str, value: str) -> None:
    scan = recognise(text, TODAY)
    assert (scan.kind, scan.value) == (kind, value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Chưa có nội dung"),
        ("TE179790000001", "14 ký tự"),
        ("TE17979000000011", "16 ký tự"),
        ("TE9797900000001", "ký tự thứ 3"),
        ("07932390000", "11 chữ số"),
        ("0793239000011", "13 chữ số"),
        ("a", "Gõ thêm"),
        ("079|x", "thiếu phần"),
        ("079085900001\u202e", "ký tự lạ"),
        ("x" * 200, "200 ký tự"),
        ("y" * 5000, "quá dài"),
        ("079085900001|029900001|Trafn Vawn Thuwr|15031985|Nam|x|10062021", "bộ gõ tiếng Việt"),
        ("079085900001|029900001|Trần Văn Thử|15032985|Nam|x|10062021", "tương lai"),
        ("<script>alert(1)</script>1234567890", "Không nhận ra"),
    ],
)
def test_what_is_not_understood_has_its_own_sentence(text: str, words: str) -> None:
    scan = recognise(text, TODAY)
    assert scan.kind == ""
    assert words in scan.message


def facts(**given: object) -> RouteFacts:
    return RouteFacts(**{"on": TODAY, "has_card": True, "registered_here": False, **given})  # type: ignore[arg-type]


PAPER = {"chosen": "CHUYEN", "paper_number": "000482/2026/PCCSKBCB", "paper_facility": "79901"}


@pytest.mark.parametrize(
    ("given", "route"),
    [
        ({"has_card": False}, "KHONG_BHYT"),
        ({"chosen": "KHONG_BHYT", "registered_here": True}, "KHONG_BHYT"),
        ({"registered_here": True}, "DKBD"),
        ({"registered_here": True, "is_emergency": True}, "DKBD"),
        ({}, "TU_DEN"),
        ({"chosen": "DKBD"}, "TU_DEN"),
        ({"is_emergency": True}, "CAP_CUU"),
        ({"chosen": "CU_TRU"}, "CU_TRU"),
        ({"chosen": "HEN", "paper_number": "12"}, "HEN"),
        ({**PAPER, "paper_signed_on": TODAY - timedelta(days=3)}, "CHUYEN"),
        ({**PAPER, "paper_signed_on": TODAY - timedelta(days=14)}, "CHUYEN"),  # the tenth working day
        ({**PAPER, "paper_signed_on": TODAY - timedelta(days=17)}, "TU_DEN"),
        ({**PAPER, "paper_signed_on": TODAY - timedelta(days=300), "paper_is_one_year": True}, "CHUYEN"),
        ({**PAPER, "paper_signed_on": TODAY - timedelta(days=367), "paper_is_one_year": True}, "TU_DEN"),
        ({**PAPER, "paper_signed_on": TODAY - timedelta(days=3), "paper_was_used": True}, "TU_DEN"),
        ({**PAPER, "paper_signed_on": TODAY - timedelta(days=30), "is_emergency": True}, "CAP_CUU"),
        ({"chosen": "CHUYEN", "paper_follows": True}, "CHUYEN"),
    ],
)
def test_the_route_that_counts(given: dict[str, object], route: str) -> None:
    assert decide_route(facts(**given), ()).route == route


def test_a_lapsed_paper_says_since_when() -> None:
    decision = decide_route(facts(**PAPER, paper_signed_on=TODAY - timedelta(days=40)), ())
    assert "hết giá trị từ ngày 28/10/2026" in decision.note


def test_days_off_prolong_a_paper() -> None:
    signed = TODAY - timedelta(days=17)
    assert decide_route(facts(**PAPER, paper_signed_on=signed), ()).route == "TU_DEN"
    off = {TODAY - timedelta(days=n) for n in (4, 5, 6)}
    assert decide_route(facts(**PAPER, paper_signed_on=signed), off).route == "CHUYEN"


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"chosen": "CHUYEN"}, {"incoming_paper_number", "incoming_facility_code", "incoming_signed_on"}),
        ({**PAPER, "paper_signed_on": TODAY + timedelta(days=1)}, {"incoming_signed_on"}),
        ({"chosen": "HEN"}, {"incoming_paper_number"}),
    ],
)
def test_missing_papers_are_named_at_their_fields(given: dict[str, object], fields: set[str]) -> None:
    assert {f.field for f in decide_route(facts(**given), ()).findings} == fields


def test_the_last_clinic_is_proposed_unless_it_is_busy() -> None:
    rooms = [RoomFacts("101", 5, True), RoomFacts("214", 9, True), RoomFacts("220", 0, False)]
    assert suggest_room(rooms, last_room="214") == ("214", "lần trước")
    assert suggest_room([*rooms, RoomFacts("213", 17, True)], last_room="213")[0] == "101"
    assert suggest_room(rooms, last_room="220") == ("101", "ít người chờ nhất")
    assert suggest_room([]) == ("", "")


@pytest.mark.parametrize(("code", "state"), [("000", "valid"), ("004", "valid"), ("", "unverified"), ("100", "unverified"),
                                             ("054", "unverified"), ("010", "invalid"), ("777", "invalid")])  # fmt: skip
def test_answers_of_the_portal_are_judged(code: str, state: str) -> None:
    verdict = rules.verdict(code)
    assert verdict.state == state
    assert verdict.words or code == "000"


def test_missing_claim_fields_are_named() -> None:
    full = dict.fromkeys(rules.CLAIM_FIELDS, "x")
    assert rules.missing_fields(full) == ()
    assert rules.missing_fields({**full, "personal_number": " ", "phone": ""}) == ("personal_number", "phone")
