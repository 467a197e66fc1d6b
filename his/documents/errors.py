"""What can go wrong with papers."""

from __future__ import annotations

from his.core.errors import HisError, NotFound


class PaperNotFound(NotFound):
    """No such paper."""

    code = "paper_not_found"


class PaperDamaged(HisError):
    """The stored bytes no longer match their digest (REC-18)."""

    code = "paper_damaged"
