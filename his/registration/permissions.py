"""What may be done at the desk and with queues."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    CARD_CHECK = "registration:card:check"
    QUEUE_CALL = "registration:queue:call"
    QUEUE_READ = "registration:queue:read"
    VISIT_CANCEL = "registration:visit:cancel"
    VISIT_OPEN = "registration:visit:open"
