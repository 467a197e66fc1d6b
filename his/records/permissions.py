"""What may be done with patients and visits."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    ALLERGY_WRITE = "records:allergy:write"
    PATIENT_FIND = "records:patient:find"
    PATIENT_MERGE = "records:patient:merge"
    PATIENT_READ = "records:patient:read"
    PATIENT_WRITE = "records:patient:write"
    VISIT_READ = "records:visit:read"
