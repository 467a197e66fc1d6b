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


class Action(StrEnum):
    """What this module writes into the audit log."""

    PAPER_ISSUE = "documents.paper.issue"
    PAPER_PRINT = "documents.paper.print"
    PAPER_REPLACE = "documents.paper.replace"
    SIGN = "documents.sign"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {
    Action.PAPER_ISSUE: ("form", "number", "digest"),
    Action.PAPER_PRINT: ("form", "number"),
    Action.PAPER_REPLACE: ("form", "number"),
    Action.SIGN: ("place", "digest"),
}
