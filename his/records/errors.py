"""What can go wrong with patients and visits."""

from __future__ import annotations

from his.core.errors import Conflict, InvalidState, NotFound


class PatientNotFound(NotFound):
    """No such patient, or not for this person."""

    code = "patient_not_found"


class VisitNotFound(NotFound):
    """No such visit, or not for this person."""

    code = "visit_not_found"


class PersonalNumberTaken(Conflict):
    """The personal number belongs to another patient already."""

    code = "personal_number_taken"


class VisitAlreadyClosed(InvalidState):
    """The visit has ended."""

    code = "visit_closed"


class ChangedByAnother(Conflict):
    """Somebody else saved first."""

    code = "changed_by_another"
