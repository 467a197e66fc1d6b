"""States of imaging reports."""

from __future__ import annotations

from enum import StrEnum


class ReportState(StrEnum):
    """Life of a report."""

    DRAFT = "draft"
    RELEASED = "released"
    SUPERSEDED = "superseded"
