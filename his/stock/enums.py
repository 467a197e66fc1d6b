"""Kinds of stock movements."""

from __future__ import annotations

from enum import StrEnum


class MovementKind(StrEnum):
    """Why a quantity changed."""

    RECEIPT = "receipt"
    ISSUE = "issue"
    RETURN = "return"
    CORRECTION = "correction"


class ReservationState(StrEnum):
    """Life of a reservation made when a prescription is signed."""

    HELD = "held"
    ISSUED = "issued"
    RELEASED = "released"


class Action(StrEnum):
    """What this module writes into the audit log."""

    RECEIVE = "stock.receive"
    RESERVE = "stock.reserve"
    RELEASE = "stock.release"
    ISSUE = "stock.issue"
    RETURN = "stock.return"
    CORRECT = "stock.correct"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {
    Action.RECEIVE: ("drug", "lot", "quantity"),
    Action.RESERVE: ("drug", "quantity"),
    Action.RELEASE: ("drug", "quantity"),
    Action.ISSUE: ("drug", "lots", "quantity"),
    Action.RETURN: ("drug", "lots", "quantity"),
    Action.CORRECT: ("drug", "lot", "quantity"),
}
