"""Rows of claim tables: from plain values to the official text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from his.core.errors import DomainError
from his.insurance.tables.spec import FieldSpec, FieldType, TableSpec

Row = Mapping[str, str]
"""Official field name → text, every field of the table, in official order; "" = no value."""

_HERE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
_NUMERIC: Final = (FieldType.NUMBER, FieldType.DECIMAL_TEXT)
_DAY_ONLY: Final = (FieldType.DATE, FieldType.DATES)


class BadValue(DomainError):
    """A value that the table has no place or no notation for; names table and field."""

    code = "claim_value"


def make_row(spec: TableSpec, values: Mapping[str, object]) -> dict[str, str]:
    """A full row in official order; fields not given are empty.

    Values: None, text (taken as is), int or Decimal (plain notation), date, aware datetime (Vietnam time;
    a naive one is taken as local), or a sequence of these (joined by ";"). Raises `BadValue` for an unknown
    field, a float, or a number with more decimals than the field has. Shape and length are left to the checks.
    """
    unknown = [name for name in values if name not in spec.by_name]
    if unknown:
        raise BadValue(f"{spec.code} không có trường {', '.join(unknown)}.")
    return {field.name: _text(spec, field, values.get(field.name)) for field in spec.fields}


def format_number(value: Decimal | int, decimals: int | None = None) -> str:
    """Plain notation: no exponent, sign of plus, or trailing zeros ("80", "47.5", never "80.0").

    ValueError when ``value`` has more than ``decimals`` decimals: money is rounded by its rule, never here.
    """
    if isinstance(value, int):
        return str(int(value))
    if not value.is_finite():
        raise ValueError("not a finite number")
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text in ("-0", ""):
        text = "0"
    if decimals is not None and len(text.partition(".")[2]) > decimals:
        raise ValueError(f"more than {decimals} decimals")
    return text


def format_time(value: datetime) -> str:
    """Return yyyymmddHHMM in Vietnam time."""
    local = value.astimezone(_HERE) if value.tzinfo else value
    return f"{local:%Y%m%d%H%M}".rjust(12, "0")


def format_date(value: date) -> str:
    """Return yyyymmdd; an aware datetime gives its day in Vietnam."""
    if isinstance(value, datetime):
        return format_time(value)[:8]
    return f"{value:%Y%m%d}".rjust(8, "0")


def _text(spec: TableSpec, field: FieldSpec, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | float):
        raise BadValue(f"{spec.code}.{field.name}: không nhận giá trị kiểu {type(value).__name__}.")
    if isinstance(value, int | Decimal):
        try:
            return format_number(value, field.decimals if field.type in _NUMERIC else None)
        except ValueError as error:
            raise BadValue(f"{spec.code}.{field.name}: {value} vượt số chữ số thập phân cho phép.") from error
    if isinstance(value, datetime):
        return format_date(value) if field.type in _DAY_ONLY else format_time(value)
    if isinstance(value, date):
        return format_date(value) + ("0000" if field.type in (FieldType.BIRTH, FieldType.TIME) else "")
    if isinstance(value, Sequence):
        return ";".join(_text(spec, field, item) for item in value)
    raise BadValue(f"{spec.code}.{field.name}: không nhận giá trị kiểu {type(value).__name__}.")
