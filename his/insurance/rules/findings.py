"""What a check has to say."""

from __future__ import annotations

from dataclasses import dataclass

from his.core.errors import Severity
from his.insurance.enums import AnchorKind, Fixer


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where to put a finding right: the kind of screen and the key of the row (a code or number of the claim)."""

    kind: AnchorKind
    key: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of one rule.

    ``table`` is XML0..XML15, or ENV for the envelope; ``row`` counts from 1, 0 = the table as a whole;
    ``field`` "" = no single field; ``value`` as found, shortened. ``suggestion`` says in Vietnamese what to do.
    """

    rule_id: str
    table: str
    row: int
    field: str
    value: str
    message_vi: str
    severity: Severity
    source: str
    suggestion: str = ""
    who: Fixer = Fixer.INSURANCE_CLERK
    anchor: Anchor = Anchor(AnchorKind.CLAIM)
    rule_text: str = ""


@dataclass(frozen=True, slots=True)
class NotChecked:
    """A rule that was not (or only partly) judged, and why; never passed in silence."""

    rule_id: str
    reason_vi: str
