"""What may be done with claims."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    CARD_CHECK = "insurance:card:check"
    CLAIM_BUILD = "insurance:claim:build"
    CLAIM_EXPORT = "insurance:claim:export"
    CLAIM_READ = "insurance:claim:read"
    CLAIM_SUBMIT = "insurance:claim:submit"
