"""The parser contract, on the given cases and on anything a scanner may send."""

from __future__ import annotations

import json
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from his.registration.rules import ERRORS, WARNINGS, cases, looks_garbled, parse_identity

FILE = Path(__file__).parent / "data" / "qr-cases.json"
TODAY = date(2026, 11, 23)
CCCD = "079085900001|029900001|Trần Văn Thử|15031985|Nam|12 Đường Hoa Sen, Phường Sài Gòn, Thành phố Hồ Chí Minh|10062021"
CARD = (
    "GD4797900000001|5472e1baa76e2056c4836e205468e1bbad|15/03/1985|1|-|79 - 901|01/01/2026|31/12/2026|20/12/2025|"
    "7900000000000001|-|4|01/01/2029|1a2b3c4d5e6f7081-7102|$"
)


@pytest.mark.parametrize("outcome", cases.run_file(FILE), ids=lambda o: o.case_id)
def test_given_case_passes(outcome: cases.CaseOutcome) -> None:
    assert outcome.actual == outcome.expected


def change(text: str, index: int, value: str) -> str:
    parts = text.split("|")
    parts[index] = value
    return "|".join(parts)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (change(CCCD, 0, "07908590000"), "BAD_ID"),
        (change(CCCD, 0, "٠٧٩٠٨٥٩٠٠٠٠١"), "BAD_ID"),
        (change(CCCD, 1, "12"), "BAD_ID"),
        (change(CCCD, 2, ""), "BAD_NAME"),
        (change(CCCD, 2, "Trần <b>"), "BAD_NAME"),
        (change(CCCD, 2, "Trần 2"), "BAD_NAME"),
        (change(CCCD, 3, "31021985"), "BAD_DATE"),
        (change(CCCD, 3, "15032985"), "FUTURE_DATE"),
        (change(CCCD, 3, "15001985"), "BAD_DATE"),
        (change(CCCD, 4, "Khác"), "BAD_GENDER"),
        (change(CCCD, 5, "<script>"), "BAD_ADDRESS"),
        (change(CCCD, 6, "10061980"), "BAD_DATE"),
        (change(CCCD, 6, "10062030"), "FUTURE_DATE"),
        ("a|b|c", "BAD_FIELD_COUNT"),
        ("079085900001\u202e", "CONTROL_CHARS"),
        (CCCD.replace("Văn", "V\u200băn"), "CONTROL_CHARS"),
        (change(CARD, 1, "547"), "BAD_HEX"),
        (change(CARD, 1, "ff"), "BAD_UTF8"),
        (change(CARD, 0, "GD979790000000"), "BAD_CARD"),
        (change(CARD, 7, "31/12/2024"), "PERIOD_INVERTED"),
        ("GD4797900000001|5472|15/03/1985|1|-|79 - 901|$", "BAD_FIELD_COUNT"),
    ],
)
def test_bad_text_has_its_error(text: str, error: str) -> None:
    result = parse_identity(text, TODAY)
    assert (result.ok, result.error) == (False, error)
    assert ERRORS[error]


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        (CCCD, ()),
        (CCCD.replace("|", "｜"), ()),
        (CCCD.replace("|", "¦"), ()),
        (CCCD + "|x|y", ("EXTRA_FIELDS",)),
        (change(CCCD, 3, "00001985"), ("DOB_PARTIAL",)),
        (change(CCCD, 3, "15031986"), ("ID_YEAR_MISMATCH",)),
        (change(CCCD, 5, ""), ("NO_ADDRESS",)),
        (change(CCCD, 5, "1 A, Phường 1, Quận 5, TP HCM"), ("ADDRESS_PRE_2025",)),
        (change(CCCD, 5, "=1+1"), ("ADDRESS_SUSPECT",)),
        (CARD, ("NO_ADDRESS",)),
        (CARD[:-2], ("MISSING_TERMINATOR", "NO_ADDRESS")),
        (CARD[:-2] + "$", ("NO_ADDRESS",)),
        (change(CARD, 7, "31/10/2026"), ("CARD_EXPIRED", "NO_ADDRESS")),
        (change(change(CARD, 6, "01/12/2026"), 7, "-"), ("CARD_NOT_YET_VALID", "NO_ADDRESS")),
    ],
)
def test_warnings_are_sorted_and_explained(text: str, warnings: tuple[str, ...]) -> None:
    result = parse_identity(text, TODAY)
    assert result.ok, result.error
    assert result.warnings == warnings
    assert all(WARNINGS[w] for w in warnings)


@given(st.text(max_size=300))
def test_any_text_is_answered(text: str) -> None:
    result = parse_identity(text, TODAY)
    assert result.ok != bool(result.error)
    for value in result.fields.values():
        assert value is None or not any(unicodedata.category(c) in ("Cc", "Cf") for c in value)
    json.dumps(result.as_dict())


@given(st.lists(st.text(max_size=20), min_size=7, max_size=16))
def test_any_fields_are_answered(parts: list[str]) -> None:
    assert parse_identity("|".join(parts), TODAY).ok in (True, False)


def test_garbled_scans_are_recognised() -> None:
    assert looks_garbled("079085900001|029900001|Trafn Vawn Thuwr|15031985|Nam|x|10062021")
    assert not looks_garbled(CCCD)
