"""Lots in the store."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from decimal import Decimal

from his.core import clock
from his.core.actor import SYSTEM, Actor
from his.core.db import transaction
from his.stock import service
from his.stock.models import StockLot

_counter = itertools.count(1)


def make_lot(
    drug_code: str,
    quantity: int | Decimal = 100,
    *,
    expires_on: date | None = None,
    lot_number: str = "",
    actor: Actor = SYSTEM,
) -> StockLot:
    """Receive a lot that expires in two years unless told otherwise."""
    with transaction():
        return service.receive(
            drug_code=drug_code, lot_number=lot_number or f"L{next(_counter):05d}", quantity=Decimal(quantity),
            expires_on=expires_on or clock.today() + timedelta(days=730), actor=actor,
        )  # fmt: skip
