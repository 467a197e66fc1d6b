"""What may be done with papers."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    PAPER_PRINT = "documents:paper:print"
    PAPER_READ = "documents:paper:read"
