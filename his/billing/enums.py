"""States and kinds of charges and payments."""

from __future__ import annotations

from enum import StrEnum


class ItemKind(StrEnum):
    """What is charged."""

    EXAM = "exam"
    SERVICE = "service"
    DRUG = "drug"
    SUPPLY = "supply"


class PaymentMethod(StrEnum):
    """How the family pays."""

    CASH = "cash"
    TRANSFER = "transfer"
    CARD = "card"


class SettlementState(StrEnum):
    """Life of a settlement."""

    PAID = "paid"
    SUPERSEDED = "superseded"
    VOIDED = "voided"
