"""What may be done with imaging reports."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    REPORT_READ = "imaging:report:read"
    REPORT_RELEASE = "imaging:report:release"
    REPORT_WRITE = "imaging:report:write"
    WORKLIST_READ = "imaging:worklist:read"
