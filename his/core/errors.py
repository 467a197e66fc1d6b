"""The error tree of the house. The web handler (`core/web.py`) maps it to pages, fragments and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding of a rule weighs."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a rule has to say.

    ``field`` is the name of the form field or column concerned ("" when it is about the whole);
    ``message`` is a full Vietnamese sentence that says what to do next; ``source`` names the legal text.
    """

    code: str
    field: str
    message: str
    severity: Severity = Severity.ERROR
    source: str = ""


class HisError(Exception):
    """Root of everything the house raises on purpose."""

    code = "error"
    http_status = 500

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class DomainError(HisError):
    """Expected: the message is for the user and says what to do next."""

    code = "domain"
    http_status = 422


class NotFound(DomainError):
    """What was asked for is not there, or not for this person (the two look alike on purpose, SEC-03)."""

    code = "not_found"
    http_status = 404


class NotAllowed(DomainError):
    """This person may not do this to this row."""

    code = "not_allowed"
    http_status = 403


class Conflict(DomainError):
    """Someone else changed it meanwhile, or it exists already."""

    code = "conflict"
    http_status = 409


class InvalidState(DomainError):
    """The row is not in a state that allows this."""

    code = "invalid_state"
    http_status = 409


class RuleBroken(DomainError):
    """One or more rules stop the action; carries their findings."""

    code = "rule_broken"
    http_status = 422

    def __init__(self, findings: Sequence[Finding], message: str = "") -> None:
        self.findings = tuple(findings)
        super().__init__(message or " ".join(f.message for f in self.findings))


class GatewayError(HisError):
    """An outside system was unavailable, refused, or answered nonsense. Retried by the outbox where safe."""

    code = "gateway"
    http_status = 502


class SetupError(HisError):
    """The house cannot start; the message names the setting and what it may be."""

    code = "setup"


def stop_on_errors(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Raise `RuleBroken` when any finding is an error; else return the remaining warnings."""
    errors = [f for f in findings if f.severity is Severity.ERROR]
    if errors:
        raise RuleBroken(errors)
    return tuple(findings)
