"""States of queue tickets and card checks."""

from __future__ import annotations

from enum import StrEnum


class TicketState(StrEnum):
    """Life of a queue number."""

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    DONE = "done"
    SKIPPED = "skipped"
    VOID = "void"


class CheckState(StrEnum):
    """Outcome of a card check with the insurer."""

    VALID = "valid"
    INVALID = "invalid"
    UNVERIFIED = "unverified"  # chưa xác minh: the gateway was down; care goes on
