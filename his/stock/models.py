"""Lots, their movements, and what is held for signed prescriptions. A lot never goes below zero."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from his.core import clock
from his.core.db import Amount, Base, Id, enum_column
from his.stock.enums import MovementKind, ReservationState


class StockLot(Base):
    """A lot of one product in one store. ``quantity`` is the sum of its movements (kept by the same transaction)."""

    __tablename__ = "stock_lots"
    __table_args__ = (
        UniqueConstraint("store_code", "drug_code", "lot_number", "expires_on"),
        CheckConstraint("quantity >= 0", name="never_negative"),
        Index("ix_stock_lots_drug", "drug_code", "expires_on"),
    )

    lot_id: Mapped[int] = mapped_column(Id, primary_key=True)
    store_code: Mapped[str] = mapped_column(String(12))
    drug_code: Mapped[str] = mapped_column(String(24))
    lot_number: Mapped[str] = mapped_column(String(40))
    expires_on: Mapped[date]
    quantity: Mapped[Decimal] = mapped_column(Amount(3), default=Decimal(0))
    received_at: Mapped[datetime] = mapped_column(default=clock.now)


class StockMovement(Base):
    """One change of a lot; never changed, corrected by a reversing entry."""

    __tablename__ = "stock_movements"
    __table_args__ = (CheckConstraint("quantity <> 0", name="quantity_not_zero"),)

    movement_id: Mapped[int] = mapped_column(Id, primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("stock_lots.lot_id"), index=True)
    kind: Mapped[MovementKind] = mapped_column(enum_column(MovementKind))
    quantity: Mapped[Decimal] = mapped_column(Amount(3))  # signed: issue is negative
    source_kind: Mapped[str] = mapped_column(String(24), default="")
    source_id: Mapped[int | None] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by_id: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(300), default="")

    lot: Mapped[StockLot] = relationship()


class StockReservation(Base):
    """A quantity promised to a signed prescription line (by product, not by lot)."""

    __tablename__ = "stock_reservations"
    __table_args__ = (
        UniqueConstraint("source_kind", "source_id"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        Index("ix_stock_reservations_drug", "drug_code", "state"),
    )

    reservation_id: Mapped[int] = mapped_column(Id, primary_key=True)
    drug_code: Mapped[str] = mapped_column(String(24))
    quantity: Mapped[Decimal] = mapped_column(Amount(3))
    source_kind: Mapped[str] = mapped_column(String(24))
    source_id: Mapped[int] = mapped_column(Id)
    state: Mapped[ReservationState] = mapped_column(enum_column(ReservationState), default=ReservationState.HELD)
    at: Mapped[datetime] = mapped_column(default=clock.now)
