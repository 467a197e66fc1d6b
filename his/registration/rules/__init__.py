"""Pure rules of the desk."""

from __future__ import annotations

from his.registration.rules.cards import CHILD_WITHOUT_CARD, CLAIM_FIELDS, CardVerdict, missing_fields, verdict
from his.registration.rules.identity import ParsedIdentity, looks_garbled, parse_identity
from his.registration.rules.messages import ERRORS, WARNINGS
from his.registration.rules.queue import (
    FULL_ROOM,
    PriorityFacts,
    RoomFacts,
    expected_wait_minutes,
    is_busy,
    priority_of,
    suggest_room,
)
from his.registration.rules.route import (
    CHOICES,
    DEFAULT_REASON,
    RETURN_REASON,
    SELF_PAYING,
    RouteDecision,
    RouteFacts,
    decide_route,
    paper_valid_until,
)
from his.registration.rules.scan import Scan, recognise

__all__ = [
    "CHILD_WITHOUT_CARD", "CHOICES", "CLAIM_FIELDS", "DEFAULT_REASON", "ERRORS", "FULL_ROOM", "RETURN_REASON", "SELF_PAYING", "WARNINGS", "CardVerdict",
    "ParsedIdentity", "PriorityFacts", "RoomFacts", "RouteDecision", "RouteFacts", "Scan", "decide_route",
    "expected_wait_minutes", "is_busy", "looks_garbled", "missing_fields", "paper_valid_until", "parse_identity", "priority_of",
    "recognise", "suggest_room", "verdict",
]  # fmt: skip
