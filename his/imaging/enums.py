"""States of imaging reports."""

from __future__ import annotations

from enum import StrEnum


class ReportState(StrEnum):
    """Life of a report."""

    DRAFT = "draft"
    RELEASED = "released"
    SUPERSEDED = "superseded"


class Step(StrEnum):
    """Where an ordered service stands in imaging."""

    WAITING = "waiting"
    STARTED = "started"  # the patient is in the room
    DRAFT = "draft"  # images are described, a doctor has to read and release
    RELEASED = "released"


class Action(StrEnum):
    """What this module writes into the audit log."""

    WRITE = "imaging.report.write"
    RELEASE = "imaging.report.release"
    CORRECT = "imaging.report.correct"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {
    Action.WRITE: ("service", "changes"),
    Action.RELEASE: ("service",),
    Action.CORRECT: ("service",),
}
