"""What may be done with bills."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    BILL_READ = "billing:bill:read"
    PAYMENT_TAKE = "billing:payment:take"
    PAYMENT_VOID = "billing:payment:void"
    PRICE_READ = "billing:price:read"
