"""What was handed out at the counter, lot by lot."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from his.core import clock
from his.core.db import Amount, Base, Id


class Dispense(Base):
    """One hand-over of a signed prescription. Taken back whole by a voiding entry."""

    __tablename__ = "dispenses"
    __table_args__ = (
        Index(
            "uq_dispenses_current",
            "prescription_id",
            unique=True,
            postgresql_where=text("voided_at IS NULL"),
            sqlite_where=text("voided_at IS NULL"),
        ),
    )

    dispense_id: Mapped[int] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    prescription_id: Mapped[int] = mapped_column(ForeignKey("prescriptions.prescription_id"))
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.visit_id"), index=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
    receiver_name: Mapped[str] = mapped_column(String(255), default="")
    receiver_id_number: Mapped[str] = mapped_column(String(20), default="")  # required for N and H forms
    voided_at: Mapped[datetime | None]
    voided_by_id: Mapped[int | None]
    void_reason: Mapped[str] = mapped_column(String(300), default="")

    lines: Mapped[list[DispenseLine]] = relationship(order_by="DispenseLine.line_id")


class DispenseLine(Base):
    """A quantity of one lot given for one prescription line."""

    __tablename__ = "dispense_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_positive"),)

    line_id: Mapped[int] = mapped_column(Id, primary_key=True)
    dispense_id: Mapped[int] = mapped_column(ForeignKey("dispenses.dispense_id"), index=True)
    prescription_line_id: Mapped[int] = mapped_column(ForeignKey("prescription_lines.line_id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("stock_lots.lot_id"))
    lot_number: Mapped[str] = mapped_column(String(40))
    expires_on: Mapped[date]
    quantity: Mapped[Decimal] = mapped_column(Amount(3))
