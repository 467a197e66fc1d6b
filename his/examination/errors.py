"""What can go wrong in an examination."""

from __future__ import annotations

from his.core.errors import Conflict, InvalidState, RuleBroken


class NoteClosed(InvalidState):
    """The note is part of the record already."""

    code = "note_closed"


class NoteChanged(Conflict):
    """Somebody else saved the note first; carries what is stored now so that both can be shown."""

    code = "note_changed"

    def __init__(self, message: str, *, stored: dict[str, str], by: str) -> None:
        super().__init__(message)
        self.stored = stored
        self.by = by


class DiagnosisRefused(RuleBroken):
    """A code that may not be used in this place (TT 06/2026 columns 24-29)."""

    code = "diagnosis_refused"
