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


# R6: the reason decides XML1.MA_LOAI_RV.
DISCHARGE_OF_REASON = {
    ReferralReason.PROPER_LEVEL: "2",
    ReferralReason.BEYOND_CAPACITY: "2",
    ReferralReason.ON_REQUEST: "5",
}


class Action(StrEnum):
    """What this module writes into the audit log."""

    DRAFT = "referrals.draft"
    SAVE = "referrals.save"
    SIGN = "referrals.sign"
    ISSUE = "referrals.issue"
    CANCEL = "referrals.cancel"
    REPLACE = "referrals.replace"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {
    Action.DRAFT: (),
    Action.SAVE: ("destination", "reason"),
    Action.SIGN: ("digest",),
    Action.ISSUE: ("number", "valid_until"),
    Action.CANCEL: ("number",),
    Action.REPLACE: ("number",),
}
