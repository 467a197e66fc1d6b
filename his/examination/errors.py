"""What can go wrong in an examination."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from his.core.errors import Conflict, InvalidState, NotFound, RuleBroken


class NoteClosed(InvalidState):
    """The note is part of the record already."""

    code = "note_closed"


class NoteChanged(Conflict):
    """Somebody else saved the note first; carries what is stored now so that both can be shown."""

    code = "note_changed"

    def __init__(self, message: str, *, stored: dict[str, str], by: str, version: int, saved_at: datetime) -> None:
        super().__init__(message)
        self.stored = stored
        self.by = by
        self.version = version
        self.saved_at = saved_at


class DraftElsewhere(Conflict):
    """The same person typed in another page meanwhile; carries that draft so that nothing is overwritten unseen."""

    code = "draft_elsewhere"

    def __init__(self, message: str, *, stored: Mapping[str, Any], saved_at: datetime, token: str) -> None:
        super().__init__(message)
        self.stored = dict(stored)
        self.saved_at = saved_at
        self.token = token


class VitalsNotFound(NotFound):
    """No such measurement in force."""

    code = "vitals_not_found"


class DiagnosisRefused(RuleBroken):
    """A code that may not be used in this place (TT 06/2026 columns 24-29)."""

    code = "diagnosis_refused"
