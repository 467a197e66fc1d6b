"""States of imaging reports."""

from __future__ import annotations

from enum import StrEnum


class ReportState(StrEnum):
    """Life of a report."""

    DRAFT = "draft"
    RELEASED = "released"
    SUPERSEDED = "superseded"


class Action(StrEnum):
    """What this module writes into the audit log."""

    WRITE = "imaging.report.write"
    RELEASE = "imaging.report.release"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {Action.WRITE: ("service",), Action.RELEASE: ("service",)}
