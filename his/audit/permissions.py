"""What may be done with the audit log."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    EVENT_READ = "audit:event:read"
