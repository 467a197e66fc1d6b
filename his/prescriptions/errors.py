"""What can go wrong with a prescription."""

from __future__ import annotations

from his.core.errors import Conflict, InvalidState, NotFound, RuleBroken


class AlreadySigned(InvalidState):
    """A signed prescription never changes; it is replaced."""

    code = "already_signed"


class PrescriptionNotFound(NotFound):
    """No such prescription."""

    code = "prescription_not_found"


class SafetyStop(RuleBroken):
    """An open alert of tier 1 (or an unanswered one of tier 2) bars signing."""

    code = "safety_stop"


class PrescriptionChanged(Conflict):
    """Somebody else saved the prescription first."""

    code = "prescription_changed"
