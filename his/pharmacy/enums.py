"""Audit actions of the counter."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What this module writes into the audit log."""

    DISPENSE = "pharmacy.dispense"
    TAKE_BACK = "pharmacy.take_back"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {Action.DISPENSE: ("number", "code"), Action.TAKE_BACK: ("number",)}
