"""What can go wrong with claims."""

from __future__ import annotations

from his.core.errors import DomainError, InvalidState, NotFound


class ClaimNotFound(NotFound):
    """No such claim."""

    code = "claim_not_found"


class ExportNotFound(NotFound):
    """No such month export."""

    code = "export_not_found"


class NotClaimable(InvalidState):
    """The visit has no claim: not insured, not settled, or cancelled."""

    code = "not_claimable"


class ClaimSumsDiffer(DomainError):
    """The lines of the claim and the settled bill do not agree to the đồng; the claim is not built."""

    code = "claim_sums_differ"


class ClaimFaulty(InvalidState):
    """The checks found errors; the claim may not be sent."""

    code = "claim_faulty"


class ClaimBeingSent(InvalidState):
    """The claim is on its way to the insurer."""

    code = "claim_being_sent"


class BadMonth(DomainError):
    """No month of the form YYYY-MM."""

    code = "bad_month"
