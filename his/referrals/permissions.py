"""What may be done with referral papers."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    REFERRAL_ISSUE = "referrals:referral:issue"
    REFERRAL_READ = "referrals:referral:read"
    REFERRAL_SIGN = "referrals:referral:sign"
    REFERRAL_WRITE = "referrals:referral:write"
