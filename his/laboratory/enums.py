"""Flags and states of laboratory results."""

from __future__ import annotations

from enum import StrEnum


class ResultState(StrEnum):
    """Life of a result: entered by one person, released by another (SOD-4), corrected by a new version."""

    ENTERED = "entered"
    RELEASED = "released"
    SUPERSEDED = "superseded"


class Flag(StrEnum):
    """How a value stands to its reference range."""

    NORMAL = ""
    LOW = "L"
    HIGH = "H"
    CRITICAL_LOW = "LL"
    CRITICAL_HIGH = "HH"
    ABNORMAL = "A"


class Action(StrEnum):
    """What this module writes into the audit log."""

    ENTER = "laboratory.result.enter"
    RELEASE = "laboratory.result.release"
    CORRECT = "laboratory.result.correct"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {
    Action.ENTER: ("service", "flags"),
    Action.RELEASE: ("service",),
    Action.CORRECT: ("service",),
}
