"""States of papers and kinds of signatures."""

from __future__ import annotations

from enum import StrEnum


class PaperState(StrEnum):
    """Life of an issued paper (F-09)."""

    ISSUED = "issued"
    REPLACED = "replaced"
    CANCELLED = "cancelled"


class SignatureKind(StrEnum):
    """Who a signature stands for (F-05)."""

    PERSON = "person"
    ORGANISATION = "organisation"
