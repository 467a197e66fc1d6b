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


def usable(lots: Sequence[LotFacts], until: date) -> Decimal:
    """Return how much of the lots may be given for a course that ends on a day."""
    return sum((lot.quantity for lot in lots if lot.expires_on >= until), Decimal(0))


def allocate(lots: Sequence[LotFacts], quantity: Decimal, on: date) -> tuple[Allocation, ...]:
    """Take a quantity first-expiry-first-out from lots that last until a day; () when they do not suffice.

    ``on`` is the last day of use: today, or the end of the course. A lot may be given on its expiry day and not after
    (Luật KCB Đ63 k3: expired medicines are never dispensed; prescription standard §6: skip lots that expire before the
    course ends).
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
