"""Kinds and states of prescriptions."""

from __future__ import annotations

from enum import StrEnum


class PrescriptionKind(StrEnum):
    """The legal form; the value is the last letter of the code (TT 26/2025 PL I note 1)."""

    BASIC = "C"
    NARCOTIC = "N"
    PSYCHOTROPIC = "H"
    DECOCTION = "T"


class PrescriptionState(StrEnum):
    """Life of a prescription (prescription standard §5)."""

    DRAFT = "draft"
    SIGNED = "signed"
    DISPENSED = "dispensed"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
