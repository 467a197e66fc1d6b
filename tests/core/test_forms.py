"""Text made safe at the edge; strict numbers and dates (SEC-33, SEC-34)."""

from __future__ import annotations

import unicodedata
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from wtforms import StringField

from his.core.forms import (
    BaseForm,
    DateTextField,
    DecimalTextField,
    MaxLength,
    NotBlank,
    NotFuture,
    clean_text,
    parse_date,
    parse_decimal,
)


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("20/09/2025", date(2025, 9, 20)), ("20-9-25", date(2025, 9, 20)), ("20.09.2025", date(2025, 9, 20)),
        ("200925", date(2025, 9, 20)), ("20092025", date(2025, 9, 20)), (" 20/09/2025 ", date(2025, 9, 20)),
        ("2025-09-20", date(2025, 9, 20)), ("150376", date(1976, 3, 15)), ("29/02/2024", date(2024, 2, 29)),
        ("01/01/36", date(2036, 1, 1)), ("01/01/37", date(1937, 1, 1)),
    ],
)  # fmt: skip
def test_dates_are_read_as_they_are_typed(typed: str, day: date) -> None:
    assert parse_date(typed) == day


@pytest.mark.parametrize(
    "typed",
    ["", "31/02/2026", "29/02/2025", "32/01/2026", "01/13/2026", "2026/01/01", "1/1/1", "abc", "00/00/0000", "٢٠/٠٩/٢٠٢٥",
     "20/09/20255", "20//09/2025", "-1/1/2025", "2025-02-30", "20 thg 9 2025"],
)  # fmt: skip
def test_days_that_do_not_exist_are_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        parse_date(typed)


@pytest.mark.parametrize(
    ("typed", "number"), [("14,2", "14.2"), ("14.2", "14.2"), ("0", "0"), (" 7 ", "7"), ("0,125", "0.125")]
)
def test_numbers_take_comma_or_point(typed: str, number: str) -> None:
    assert parse_decimal(typed) == Decimal(number)


@pytest.mark.parametrize(
    "typed",
    ["", "-1", "+1", "1e3", "NaN", "Infinity", "1_000", "1.000.000", "1,2,3", "٣", "１４", "1,2345", "0x1", "1 2", ","],
)
def test_other_numbers_are_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        parse_decimal(typed)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("  Trần Văn An  ", "Trần Văn An"), (unicodedata.normalize("NFD", "Nguyễn"), "Nguyễn"), ("a\x00b\x07c", "abc"),
        ("a\u202eb", "ab"), ("a\u200bb", "ab"), ("dòng 1\r\ndòng 2", "dòng 1\ndòng 2"), ("a\ufeffb", "ab"), ("\ud800x", "x"),
        ("O'Brien <b>", "O'Brien <b>"),
    ],
)  # fmt: skip
def test_text_is_made_safe_and_kept_as_written(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


@given(st.text(max_size=60))
def test_cleaning_twice_changes_nothing(anything: str) -> None:
    assert clean_text(clean_text(anything)) == clean_text(anything)


class Sample(BaseForm):
    """One field of each kind."""

    name = StringField("Tên", [NotBlank(), MaxLength(10)])
    weight = DecimalTextField("Cân", low=Decimal("0.5"), high=Decimal(300))
    born = DateTextField("Sinh", [NotFuture(lambda: date(2026, 11, 23))])


def fill(app: Flask, **values: str) -> Any:
    with app.test_request_context(method="POST", data=MultiDict(values)):
        form = Sample(meta={"csrf": False})
        form.validate()
        return form


def test_good_values_become_plain_values(app: Flask) -> None:
    form = fill(app, name="  An\u200b ", weight="14,2", born="140323")
    assert (form.name.data, form.weight.data, form.born.data) == ("An", Decimal("14.2"), date(2023, 3, 14))
    assert form.errors == {}


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("name", "", "Tên: chưa nhập."), ("name", " \u200b ", "Tên: chưa nhập."), ("name", "x" * 11, "nhiều nhất 10"),
        ("weight", "-3", "Chỉ gõ số không âm"), ("weight", "0,1", "Nhỏ nhất là 0,5."), ("weight", "301", "Lớn nhất là 300."),
        ("born", "31/02/2026", "Ngày không có thật"), ("born", "24/11/2026", "tương lai"),
    ],
)  # fmt: skip
def test_a_wrong_value_says_what_to_do_and_stays_as_typed(app: Flask, field: str, typed: str, says: str) -> None:
    form = fill(app, **{"name": "An", field: typed})
    assert says in " ".join(form[field].errors)
    if field != "name":
        assert form[field]._value() == typed


def test_unknown_fields_of_a_request_go_nowhere(app: Flask) -> None:
    form = fill(app, name="An", price="0", state="paid")
    assert set(form.data) == {"name", "weight", "born"}
