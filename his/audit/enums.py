"""Results of an event."""

from __future__ import annotations

from enum import StrEnum


class Result(StrEnum):
    """Whether the action was carried out."""

    OK = "ok"
    DENIED = "denied"


class Action(StrEnum):
    """What this module itself writes."""

    VIEW = "audit.view"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {Action.VIEW: ("what",)}
