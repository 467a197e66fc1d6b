"""How a prescription is written: its code, quantities, doses in words (TT 26/2025 Đ6, PL I; TT 55/2025)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from num2words import num2words

CODE = re.compile(r"^[0-9A-Za-z]{5}[0-9a-z]{7}-[NHCT]$", re.ASCII)
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def prescription_code(facility: str, letter: str, choose: Callable[[str], str]) -> str:
    """Return ``xxxxxyyyyyyy-z``: facility, seven random characters, kind. ``choose`` picks one from an alphabet.

    The random part comes from a cryptographic source, never a counter or the clock (PL I note 1).
    """
    code = f"{facility}{''.join(choose(ALPHABET) for _ in range(7))}-{letter}"
    if not is_code(code):
        raise ValueError(f"not a prescription code: {code}")
    return code


def is_code(text: str) -> bool:
    """Tell whether a text has the shape of a prescription code."""
    return bool(CODE.match(text))


def number_text(value: Decimal) -> str:
    """Write a number with a decimal comma and no trailing zeros."""
    return format(value.normalize(), "f").replace(".", ",")


def quantity_text(quantity: Decimal, unit: str, *, narcotic: bool = False) -> str:
    """Write a quantity: below 10 with a leading zero, narcotics also in words: ``60 (sáu mươi) viên``."""
    number = number_text(quantity)
    if quantity < 10 and quantity == quantity.to_integral_value():
        number = f"0{number}"
    if narcotic:
        number = f"{number} ({num2words(int(quantity), lang='vi')})"
    return f"{number} {unit.lower()}"


def dose_text(amount: Decimal, dose_unit: str, times: int, days: int, frequency: str = "daily") -> str:
    """Write LIEU_DUNG of XML2: ``2 viên/lần * 2 lần/ngày * 5 ngày [4 viên/ngày]``."""
    each = f"{number_text(amount).replace(',', '.')} {dose_unit.lower()}"
    if frequency == "weekly":
        return f"{each}/lần * 1 lần/tuần * {days} ngày"
    return f"{each}/lần * {times} lần/ngày * {days} ngày [{number_text(amount * times).replace(',', '.')} {dose_unit.lower()}/ngày]"


def usage_text(route: str, amount: Decimal, dose_unit: str, times: int, when: str, frequency: str = "daily") -> str:
    """Write the line a family reads: ``Uống ngày 2 lần, mỗi lần 1 viên, sáng, tối sau ăn``."""
    each = f"mỗi lần {number_text(amount)} {dose_unit.lower()}"
    rhythm = "mỗi tuần 1 lần" if frequency == "weekly" else f"ngày {times} lần"
    return ", ".join(part for part in (f"{route} {rhythm}", each, when) if part)


def drug_text(inn: str, brand: str, strength: str) -> str:
    """Write a drug name: INN (brand) strength; several ingredients by their brand when there is one (TT 26 Đ6)."""
    if "/" in inn or " + " in inn:
        return f"{brand} ({inn}) {strength}".strip() if brand else f"{inn} {strength}".strip()
    return f"{inn} ({brand}) {strength}".strip() if brand else f"{inn} {strength}".strip()
