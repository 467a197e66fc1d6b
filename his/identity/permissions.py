"""What may be done with accounts."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    SESSION_END = "identity:session:end"
    USER_READ = "identity:user:read"
    USER_WRITE = "identity:user:write"
