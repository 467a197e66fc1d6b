"""Reads of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import contains_eager

from his.catalogues import queries as catalogues
from his.core import clock
from his.core.db import session
from his.stock.enums import ReservationState
from his.stock.models import StockLot, StockMovement, StockReservation


@dataclass(frozen=True, slots=True)
class StockRow:
    """One product in store: on hand (unexpired), held for signed prescriptions, first expiry."""

    drug_code: str
    on_hand: Decimal
    held: Decimal
    expired: Decimal
    first_expiry: date | None
    lot_count: int

    @property
    def available(self) -> Decimal:
        return self.on_hand - self.held


def rows(drug_codes: Iterable[str] | None = None, *, on: date | None = None) -> list[StockRow]:
    """Return stock per product in one statement; all products when none are named."""
    day = on or clock.today()
    codes = sorted(set(drug_codes)) if drug_codes is not None else None
    good = StockLot.expires_on >= day
    held = (
        select(StockReservation.drug_code, func.sum(StockReservation.quantity).label("held"))
        .where(StockReservation.state == ReservationState.HELD)
        .group_by(StockReservation.drug_code)
        .subquery()
    )
    lots = (
        select(
            StockLot.drug_code,
            func.sum(StockLot.quantity).filter(good).label("on_hand"),
            func.sum(StockLot.quantity).filter(~good).label("expired"),
            func.min(StockLot.expires_on).filter(good, StockLot.quantity > 0).label("first_expiry"),
            func.count().filter(StockLot.quantity > 0).label("lots"),
            func.max(held.c.held).label("held"),
        )
        .outerjoin(held, held.c.drug_code == StockLot.drug_code)
        .group_by(StockLot.drug_code)
        .order_by(StockLot.drug_code)
    )
    if codes is not None:
        lots = lots.where(StockLot.drug_code.in_(codes))
    zero = Decimal(0)
    return [
        StockRow(
            row.drug_code, row.on_hand or zero, row.held or zero, row.expired or zero, row.first_expiry, row.lots,
        )
        for row in session().execute(lots)
    ]  # fmt: skip


def available(drug_codes: Iterable[str]) -> dict[str, Decimal]:
    """Return what can still be promised per product (0 for products never received)."""
    codes = list(drug_codes)
    found = {row.drug_code: row.available for row in rows(codes)}
    return {code: found.get(code, Decimal(0)) for code in codes}


def lots_of(drug_code: str) -> Sequence[StockLot]:
    """Return all lots of a product, first expiry first."""
    return lots_of_many([drug_code]).get(drug_code, [])


def lots_of_many(drug_codes: Iterable[str]) -> dict[str, list[StockLot]]:
    """Return the lots of many products, first expiry first (1 statement)."""
    found: dict[str, list[StockLot]] = {}
    for lot in (
        session()
        .execute(
            select(StockLot)
            .where(StockLot.drug_code.in_(sorted(set(drug_codes))))
            .order_by(StockLot.drug_code, StockLot.expires_on, StockLot.lot_id)
        )
        .scalars()
    ):
        found.setdefault(lot.drug_code, []).append(lot)
    return found


def movements_of(drug_code: str, limit: int = 30) -> Sequence[StockMovement]:
    """Return the latest movements of a product with their lots (1 statement)."""
    return (
        session()
        .execute(
            select(StockMovement)
            .join(StockMovement.lot)
            .options(contains_eager(StockMovement.lot))
            .where(StockLot.drug_code == drug_code)
            .order_by(StockMovement.movement_id.desc())
            .limit(limit)
        )
        .scalars()
        .all()
    )


SOON_DAYS = 90


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product of the hospital's list with its stock."""

    code: str
    name: str
    unit: str
    stock: StockRow
    today: date

    @property
    def view(self) -> str:
        """Return "expired", "out", "soon" (first lot expires within 90 days) or "good"."""
        if self.stock.expired > 0:
            return "expired"
        if self.stock.available <= 0:
            return "out"
        if self.stock.first_expiry is not None and (self.stock.first_expiry - self.today).days < SOON_DAYS:
            return "soon"
        return "good"


def products() -> list[ProductRow]:
    """Return every product in force with its stock, by name (2 statements)."""
    today = clock.today()
    zero = Decimal(0)
    by_code = {row.drug_code: row for row in rows()}
    return [
        ProductRow(
            drug.code, " ".join(part for part in (drug.ingredient_vi, f"({drug.brand})" if drug.brand else "", drug.strength) if part),
            drug.unit, by_code.get(drug.code) or StockRow(drug.code, zero, zero, zero, None, 0), today,
        )
        for drug in catalogues.drug_rows()
    ]  # fmt: skip
