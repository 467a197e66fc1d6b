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


class PayState(StrEnum):
    """How a visit stands at the cashier."""

    TO_PAY = "to_pay"  # the doctor concluded, money is open
    IN_EXAM = "in_exam"  # charges may still come
    PAID = "paid"


class Action(StrEnum):
    """What this module writes into the audit log."""

    CHARGE = "billing.charge.post"
    CHARGE_RATE = "billing.charge.rate"
    CHARGE_VOID = "billing.charge.void"
    SETTLE = "billing.settle"
    SETTLE_VOID = "billing.settle.void"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {
    Action.CHARGE: ("item", "quantity", "price"),
    Action.CHARGE_RATE: ("item", "changes"),
    Action.CHARGE_VOID: ("item",),
    Action.SETTLE: ("number", "total", "fund", "payable", "method"),
    Action.SETTLE_VOID: ("number", "amount"),
}
