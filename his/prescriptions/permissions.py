"""What may be done with prescriptions."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    ALERT_OVERRIDE = "prescriptions:alert:override"
    PRESCRIPTION_DRAFT = "prescriptions:prescription:draft"
    PRESCRIPTION_READ = "prescriptions:prescription:read"
    PRESCRIPTION_SIGN = "prescriptions:prescription:sign"
    PRESCRIPTION_VOID = "prescriptions:prescription:void"
