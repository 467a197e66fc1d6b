"""What can go wrong with stock."""

from __future__ import annotations

from his.core.errors import Conflict, DomainError


class StockShort(Conflict):
    """Not enough unexpired stock."""

    code = "stock_short"


class BadQuantity(DomainError):
    """A quantity that cannot be."""

    code = "bad_quantity"
