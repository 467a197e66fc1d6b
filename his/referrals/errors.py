"""What can go wrong with a referral."""

from __future__ import annotations

from his.core.errors import InvalidState, NotFound


class ReferralNotFound(NotFound):
    """No such referral."""

    code = "referral_not_found"


class ReferralClosed(InvalidState):
    """A signed referral never changes; it is replaced."""

    code = "referral_closed"
