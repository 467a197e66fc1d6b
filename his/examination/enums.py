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
