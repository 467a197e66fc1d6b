"""What a card number says: payer group, benefit digit, and the rate on a day.

Source: Luật BHYT Đ22; QĐ 1351/QĐ-BHXH; NQ 261/2025/QH15 (CN, LH 100 % since 01/01/2026).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from his.billing.rules.reference import table

CARD = re.compile(r"^[A-Z]{2}[1-5]\d{2}\d{10}$", re.ASCII)
PREFIX = re.compile(r"^[A-Z]{2}[1-5]", re.ASCII)
RATE_OF_DIGIT = {1: 100, 2: 100, 3: 95, 4: 80, 5: 100}
# No limit by the payment rate of a drug or service (TYLE_TT_BH): children, people of merit, army and police.
UNLIMITED_DIGITS = (1, 5)
WOUND_GROUPS = ("CK", "CB", "KC")


@dataclass(frozen=True, slots=True)
class CardGroup:
    """A payer group with its digit, rate, and what it becomes on a day."""

    code: str
    name: str
    digit: int
    rate: int
    changed_digit: int
    changed_rate: int
    change_on: date | None


@dataclass(frozen=True, slots=True)
class CardBenefit:
    """What a card gives on a day: ``rate`` in percent; ``digit`` as it counts (not as printed)."""

    group: str
    digit: int
    rate: int
    is_unlimited: bool
    pays_outside_scope: bool


@lru_cache(maxsize=1)
def groups() -> dict[str, CardGroup]:
    """Return the payer groups by code."""
    return {
        row["group_code"]: CardGroup(
            row["group_code"], row["ten_vi"], int(row["benefit_digit"]), int(row["rate_percent"]),
            int(row["digit_from_change"]), int(row["rate_from_change"]),
            date.fromisoformat(row["change_date"]) if row["change_date"] else None,
        )
        for row in table("card_groups")
    }  # fmt: skip


def is_card_number(text: str) -> bool:
    """Tell whether this is a whole card number: 2 letters, digit 1-5, province, 10-digit insurance number."""
    return bool(CARD.match(text))


def benefit(card: str, day: date, *, recurrent_wound: bool = False) -> CardBenefit:
    """Return what a card (15 characters, or its first three) gives on a day.

    The printed digit decides, but a group whose rate changed counts as changed from that day, whatever is printed.
    Raises ValueError for text that is no card.
    """
    prefix = card[:3].upper()
    if not PREFIX.match(prefix):
        raise ValueError(f"no card number: {card!r}")
    group, digit = prefix[:2], int(prefix[2])
    known = groups().get(group)
    if known is not None and known.change_on is not None and day >= known.change_on:
        digit = known.changed_digit
    unlimited = digit in UNLIMITED_DIGITS or (group in WOUND_GROUPS and recurrent_wound)
    return CardBenefit(group, digit, RATE_OF_DIGIT[digit], unlimited, digit == 5)


def best(cards: list[str], day: date) -> str:
    """Return the card with the highest rate of several valid ones (NĐ 188/2025 Đ21 k1)."""
    return max(cards, key=lambda card: benefit(card, day).rate)
