"""What can go wrong at the door."""

from __future__ import annotations

from his.core.errors import DomainError, NotAllowed


class LoginRefused(DomainError):
    """Name or password is wrong; never says which. ``wait_seconds`` > 0 while attempts are slowed down."""

    code = "login_refused"
    http_status = 422

    def __init__(self, message: str, *, wait_seconds: int = 0, tries_left: int | None = None) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds
        self.tries_left = tries_left


class ProofNeeded(NotAllowed):
    """Signing needs the PIN again."""

    code = "proof_needed"


class WeakPassword(DomainError):
    """The password is too easy; the message says what to change."""

    code = "weak_password"
