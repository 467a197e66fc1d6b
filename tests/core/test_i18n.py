"""Formats of the interface guide §9, and the switch of languages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from his.core import i18n
from his.core.money import in_words, round2, whole


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (50600, "50.600 đ"),
        (0, "0 đ"),
        (Decimal("1234567.5"), "1.234.568 đ"),
        (-600, "−600 đ"),
        (None, ""),
        (999, "999 đ"),
    ],
)
def test_money(value: Any, text: str) -> None:
    assert i18n.money_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("14.20", "14,2"), ("14", "14"), ("-0.6", "−0,6"), ("1000", "1000"), ("0.0", "0"), ("0.125", "0,125")],
)
def test_decimals(value: str, text: str) -> None:
    assert i18n.decimal_text(Decimal(value)) == text


def test_dates_and_times_are_the_hospitals(app: Flask) -> None:
    at = datetime(2026, 11, 22, 18, 42, 7, tzinfo=UTC)  # 01:42 next day in Ho Chi Minh City
    assert i18n.date_text(at) == "23/11/2026"
    assert i18n.time_text(at) == "01:42"
    assert i18n.time_text(at, seconds=True) == "01:42:07"
    assert i18n.datetime_text(at) == "23/11/2026 01:42"
    assert i18n.date_text(date(2023, 1, 1), "year") == "2023"
    assert i18n.date_text(date(2023, 3, 1), "month") == "03/2023"
    assert (i18n.date_text(None), i18n.time_text(None), i18n.datetime_text(None)) == ("", "", "")


AGES = [
    (date(2026, 11, 23), {}, "0 ngày tuổi"),
    (date(2026, 10, 27), {}, "27 ngày tuổi"),
    (date(2026, 10, 26), {}, "0 tháng"),
    (date(2023, 3, 14), {}, "44 tháng"),
    (date(2023, 3, 14), {"both": True}, "3 tuổi 8 tháng (44 tháng)"),
    (date(2023, 11, 23), {"both": True}, "3 tuổi (36 tháng)"),
    (date(2020, 11, 24), {}, "71 tháng"),
    (date(2020, 11, 23), {}, "6 tuổi"),
    (date(1976, 3, 15), {}, "50 tuổi"),
    (date(1976, 1, 1), {"precision": "year"}, "50 tuổi"),
]


@pytest.mark.parametrize(("born", "how", "text"), AGES)
def test_ages(app: Flask, born: date, how: dict[str, Any], text: str) -> None:
    with app.test_request_context():
        assert i18n.age_text(born, date(2026, 11, 23), **how) == text


@pytest.mark.parametrize(
    ("value", "rounded"), [("0.005", "0.01"), ("0.0049", "0.00"), ("2.675", "2.68"), ("-0.005", "-0.01")]
)
def test_two_decimals_are_rounded_half_up(value: str, rounded: str) -> None:
    assert round2(Decimal(value)) == Decimal(rounded)


@pytest.mark.parametrize(("value", "rounded"), [("0.5", "1"), ("0.49", "0"), ("82459.5", "82460")])
def test_whole_dong_are_rounded_half_up(value: str, rounded: str) -> None:
    assert whole(Decimal(value)) == Decimal(rounded)


@pytest.mark.parametrize(
    ("amount", "words"),
    [(0, "Không đồng"), (50600, "Năm mươi nghìn sáu trăm đồng"), (1_000_000, "Một triệu đồng"), (15, "Mười lăm đồng")],
)
def test_amounts_in_words(amount: int, words: str) -> None:
    assert in_words(amount) == words


def test_the_door_speaks_the_language_of_the_browser_cookie(client: Any) -> None:
    assert 'lang="vi"' in client.get("/identity/login").text
    answer = client.post("/language/en", data={"next": "/identity/login"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/identity/login")
    assert 'lang="en"' in client.get("/identity/login").text


def test_an_unknown_language_changes_nothing(client: Any) -> None:
    client.post("/language/xx", data={"next": "/"})
    assert 'lang="vi"' in client.get("/identity/login").text


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example", "evil", ""])
def test_the_language_switch_never_leads_away(client: Any, target: str) -> None:
    assert client.post("/language/en", data={"next": target}).headers["Location"] == "/"
