"""States of an ordered service."""

from __future__ import annotations

from enum import StrEnum


class OrderState(StrEnum):
    """Life of one ordered service."""

    ORDERED = "ordered"
    STARTED = "started"  # specimen taken, patient in the imaging room
    RESULTED = "resulted"  # released
    CANCELLED = "cancelled"


class OrderKind(StrEnum):
    """Which counter does the work."""

    LABORATORY = "laboratory"
    IMAGING = "imaging"
    FUNCTION = "function"
    PROCEDURE = "procedure"


class Action(StrEnum):
    """What this module writes into the audit log."""

    PLACE = "orders.place"
    CANCEL = "orders.cancel"
    START = "orders.start"
    COMPLETE = "orders.complete"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {
    Action.PLACE: ("code", "services"),
    Action.CANCEL: ("service",),
    Action.START: ("service",),
    Action.COMPLETE: ("service",),
}
