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


class Action(StrEnum):
    """What this module writes into the audit log."""

    REGISTER = "registration.register"
    UNDO = "registration.undo"
    TICKET_CALL = "registration.ticket.call"
    TICKET_SKIP = "registration.ticket.skip"
    TICKET_DONE = "registration.ticket.done"
    TICKET_MOVE = "registration.ticket.move"
    CARD_CHECK = "registration.card.check"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {
    Action.REGISTER: ("ticket", "subject_code", "room"),
    Action.UNDO: ("ticket",),
    Action.TICKET_CALL: ("ticket",),
    Action.TICKET_SKIP: ("ticket",),
    Action.TICKET_DONE: ("ticket",),
    Action.TICKET_MOVE: ("ticket", "from"),
    Action.CARD_CHECK: ("code", "state"),
}
