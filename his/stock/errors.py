"""What can go wrong with stock."""

from __future__ import annotations

from his.core.errors import Conflict, DomainError, NotFound


class StockShort(Conflict):
    """Not enough unexpired stock."""

    code = "stock_short"


class BadQuantity(DomainError):
    """A quantity that cannot be."""

    code = "bad_quantity"


class LotNotFound(NotFound):
    """No such lot."""

    code = "lot_not_found"


class LotExpired(BadQuantity):
    """A lot past its expiry day."""

    code = "lot_expired"
