"""Use cases of the desk and the queues."""

from __future__ import annotations

from his.audit import service as audit
from his.billing import service as billing
from his.registration import rules
from his.registration.enums import ACTION_DETAILS, Action
from his.registration.service.cards import (
    CheckResult,
    adopt_check,
    ask_insurer,
    birth_text,
    choose_coverage,
    give_temporary_card,
    keep_check,
)
from his.registration.service.desk import (
    UNDO_WINDOW,
    CardFacts,
    Fee,
    NewPatient,
    RegisterCommand,
    Registered,
    card_facts,
    change_room,
    fees,
    issue_slip,
    register_new,
    register_visit,
    route_of,
    routes_for,
    subject_for,
    undo_registration,
)
from his.registration.service.lookup import Found, Prefill, find, is_same_person, prefill
from his.registration.service.queue import (
    call,
    call_next,
    finish_visit_ticket,
    queue_changed,
    skip,
    take_number,
)

audit.register_actions(Action, ACTION_DETAILS)

is_card = billing.is_card_number
parse_identity = rules.parse_identity
recognise = rules.recognise
looks_garbled = rules.looks_garbled
decide_route = rules.decide_route
suggest_room = rules.suggest_room
card_verdict = rules.verdict
priority_of = rules.priority_of
missing_fields, CLAIM_FIELDS = rules.missing_fields, rules.CLAIM_FIELDS
PriorityFacts = rules.PriorityFacts
RoomFacts = rules.RoomFacts
Scan = rules.Scan
ERRORS, WARNINGS = rules.ERRORS, rules.WARNINGS
DEFAULT_REASON, FULL_ROOM = rules.DEFAULT_REASON, rules.FULL_ROOM

__all__ = [
    "CLAIM_FIELDS", "DEFAULT_REASON", "ERRORS", "FULL_ROOM", "UNDO_WINDOW", "WARNINGS", "CardFacts", "CheckResult", "Fee", "Found", "NewPatient",
    "Prefill",    "PriorityFacts", "RegisterCommand", "Registered", "RoomFacts", "Scan", "adopt_check", "ask_insurer",
    "birth_text", "call", "call_next", "card_facts", "card_verdict", "change_room", "choose_coverage", "decide_route", "fees", "find",
    "finish_visit_ticket", "give_temporary_card", "is_card", "is_same_person", "issue_slip", "keep_check", "looks_garbled", "missing_fields",
    "parse_identity", "prefill", "priority_of", "queue_changed", "recognise", "register_new", "register_visit", "route_of", "routes_for", "skip",
    "subject_for", "suggest_room", "take_number", "undo_registration",
]  # fmt: skip
