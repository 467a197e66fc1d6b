"""Kinds of diagnoses and the sections of a note."""

from __future__ import annotations

from enum import StrEnum


class DiagnosisKind(StrEnum):
    """Main disease (one) or accompanying ones (at most 12, QĐ 4750 MA_BENH_KT)."""

    MAIN = "main"
    OTHER = "other"


class NoteState(StrEnum):
    """Life of a note."""

    DRAFT = "draft"
    CLOSED = "closed"
    SUPERSEDED = "superseded"


class Action(StrEnum):
    """What this module writes into the audit log."""

    VITALS = "examination.vitals.record"
    VITALS_VOID = "examination.vitals.void"
    NOTE_SAVE = "examination.note.save"
    DIAGNOSES = "examination.diagnoses.set"
    CONCLUDE = "examination.conclude"
    REOPEN = "examination.reopen"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {
    Action.VITALS: ("signs",),
    Action.VITALS_VOID: (),
    Action.NOTE_SAVE: ("fields",),
    Action.DIAGNOSES: ("before", "after"),
    Action.CONCLUDE: ("discharge_code", "result_code"),
    Action.REOPEN: (),
}
