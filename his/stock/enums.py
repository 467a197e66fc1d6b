"""Kinds of stock movements."""

from __future__ import annotations

from enum import StrEnum


class MovementKind(StrEnum):
    """Why a quantity changed."""

    RECEIPT = "receipt"
    ISSUE = "issue"
    RETURN = "return"
    CORRECTION = "correction"


class ReservationState(StrEnum):
    """Life of a reservation made when a prescription is signed."""

    HELD = "held"
    ISSUED = "issued"
    RELEASED = "released"
