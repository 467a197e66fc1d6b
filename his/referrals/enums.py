"""States and reasons of referral papers."""

from __future__ import annotations

from enum import StrEnum


class ReferralState(StrEnum):
    """Life of a referral (F-09)."""

    DRAFT = "draft"
    SIGNED = "signed"  # the treating doctor signed
    ISSUED = "issued"  # the facility signed: the paper exists
    REPLACED = "replaced"
    CANCELLED = "cancelled"


class ReferralReason(StrEnum):
    """Exactly one reason (R5); the value is XML13.MA_LYDO_CT."""

    PROPER_LEVEL = "1"  # (1) a
    BEYOND_CAPACITY = "2"  # (1) b
    ON_REQUEST = "3"  # (2)
