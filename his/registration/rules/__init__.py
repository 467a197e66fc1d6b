"""Pure rules of the desk."""

from __future__ import annotations

from his.registration.rules.identity import ParsedIdentity, looks_garbled, parse_identity
from his.registration.rules.messages import ERRORS, WARNINGS
from his.registration.rules.queue import PriorityFacts, expected_wait_minutes, priority_of

__all__ = [
    "ERRORS", "WARNINGS", "ParsedIdentity", "PriorityFacts", "expected_wait_minutes", "looks_garbled", "parse_identity",
    "priority_of",
]  # fmt: skip
