"""What may be done with laboratory results."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    RESULT_ENTER = "laboratory:result:enter"
    RESULT_READ = "laboratory:result:read"
    RESULT_RELEASE = "laboratory:result:release"
    WORKLIST_READ = "laboratory:worklist:read"
