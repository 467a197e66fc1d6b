"""Flags and states of laboratory results."""

from __future__ import annotations

from enum import StrEnum


class ResultState(StrEnum):
    """Life of a result: entered by one person, released by another (SOD-4), corrected by a new version."""

    ENTERED = "entered"
    RELEASED = "released"
    SUPERSEDED = "superseded"


class Step(StrEnum):
    """Where an ordered service stands in the laboratory."""

    WAITING = "waiting"  # specimen not taken
    TAKEN = "taken"
    ENTERED = "entered"  # waits for another person to release it
    RELEASED = "released"


class Flag(StrEnum):
    """How a value stands to its reference range."""

    NORMAL = ""
    LOW = "L"
    HIGH = "H"
    CRITICAL_LOW = "LL"
    CRITICAL_HIGH = "HH"
    ABNORMAL = "A"

    @property
    def is_critical(self) -> bool:
        """A value somebody must be called about at once."""
        return self in (Flag.CRITICAL_LOW, Flag.CRITICAL_HIGH)


class Action(StrEnum):
    """What this module writes into the audit log."""

    ENTER = "laboratory.result.enter"
    RELEASE = "laboratory.result.release"
    CORRECT = "laboratory.result.correct"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {
    Action.ENTER: ("service", "flags", "changes", "critical_note"),
    Action.RELEASE: ("service",),
    Action.CORRECT: ("service",),
}
