"""What may be done with orders."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    ORDER_CANCEL = "orders:order:cancel"
    ORDER_PLACE = "orders:order:place"
    ORDER_READ = "orders:order:read"
