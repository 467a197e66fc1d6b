"""Amounts in đồng, exact: rounding half up, and amounts in words.

Line amounts have two decimals, rounded half up (QĐ 3176); bills and forms are whole đồng.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from num2words import num2words

CENT = Decimal("0.01")


def round2(amount: Decimal) -> Decimal:
    """Round to two decimals, half up."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def whole(amount: Decimal) -> Decimal:
    """Round to whole đồng, half up."""
    return amount.quantize(Decimal(1), rounding=ROUND_HALF_UP)


def in_words(amount: Decimal | int) -> str:
    """Return a whole amount in Vietnamese words, first letter capital: ``Năm mươi nghìn sáu trăm đồng``."""
    text = str(num2words(int(whole(Decimal(amount))), lang="vi"))
    return text[:1].upper() + text[1:] + " đồng"
