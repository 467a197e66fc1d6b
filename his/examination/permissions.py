"""What may be done with notes and visits."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    NOTE_READ = "examination:note:read"
    NOTE_WRITE = "examination:note:write"
    VISIT_CONCLUDE = "examination:visit:conclude"
    VITALS_WRITE = "examination:vitals:write"
    WORKLIST_READ = "examination:worklist:read"
