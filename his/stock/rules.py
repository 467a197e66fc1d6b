"""Pure decisions of the ledger: which lots a quantity is taken from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class LotFacts:
    """A lot as it stands: quantity on hand in the product's unit."""

    lot_id: int
    lot_number: str
    expires_on: date
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """A quantity taken from one lot."""

    lot_id: int
    lot_number: str
    expires_on: date
    quantity: Decimal


def allocate(lots: Sequence[LotFacts], quantity: Decimal, on: date) -> tuple[Allocation, ...]:
    """Take a quantity first-expiry-first-out from unexpired lots; () when they do not suffice.

    A lot may be given on its expiry day and not after (Luật KCB Đ63 k3: expired medicines are never dispensed).
    """
    rest = quantity
    taken: list[Allocation] = []
    for lot in sorted(lots, key=lambda item: (item.expires_on, item.lot_id)):
        if rest <= 0:
            break
        if lot.expires_on < on or lot.quantity <= 0:
            continue
        part = min(lot.quantity, rest)
        taken.append(Allocation(lot.lot_id, lot.lot_number, lot.expires_on, part))
        rest -= part
    return tuple(taken) if rest <= 0 else ()
