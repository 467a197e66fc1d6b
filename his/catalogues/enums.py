"""Audit actions of the catalogues."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What this module writes into the audit log."""

    IMPORT = "catalogues.import"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {Action.IMPORT: ("catalogue", "digest", "added", "closed")}
