"""What may be done at the dispensing counter."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    DISPENSE_VOID = "pharmacy:dispense:void"
    DISPENSE_WRITE = "pharmacy:dispense:write"
    PRESCRIPTION_READ = "pharmacy:prescription:read"
