"""What may be done with stock."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    STOCK_CORRECT = "stock:stock:correct"
    STOCK_READ = "stock:stock:read"
    STOCK_RECEIVE = "stock:stock:receive"
