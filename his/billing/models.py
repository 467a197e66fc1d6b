"""Charges, the settlement of a visit with its split by payer, payments and receipts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from his.billing.enums import ItemKind, PaymentMethod, SettlementState
from his.core import clock
from his.core.db import Amount, Base, Id, enum_column


class Charge(Base):
    """One item on the bill, with the components the claim needs, kept for ever. Posted by other modules.

    (``source_kind``, ``source_id``) names the row that caused it; posting the same source twice posts once.
    """

    __tablename__ = "charges"
    __table_args__ = (
        UniqueConstraint("source_kind", "source_id"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("hospital_price >= 0 AND insurance_price >= 0", name="price_not_negative"),
        CheckConstraint("(voided_at IS NULL) = (void_reason = '')", name="void_has_reason"),
    )

    charge_id: Mapped[int] = mapped_column(Id, primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.visit_id"), index=True)
    source_kind: Mapped[str] = mapped_column(String(24))  # visit_exam, order_line, prescription_line
    source_id: Mapped[int] = mapped_column(Id)
    kind: Mapped[ItemKind] = mapped_column(enum_column(ItemKind))
    item_code: Mapped[str] = mapped_column(String(50))  # MA_DICH_VU, or the hospital's drug code
    item_name: Mapped[str] = mapped_column(String(1024))
    cost_group: Mapped[str] = mapped_column(String(2))  # MA_NHOM
    unit: Mapped[str] = mapped_column(String(24))
    quantity: Mapped[Decimal] = mapped_column(Amount(3))
    hospital_price: Mapped[Decimal] = mapped_column(Amount(3))  # DON_GIA_BV (XML3) / DON_GIA (XML2)
    insurance_price: Mapped[Decimal] = mapped_column(Amount(3))  # DON_GIA_BH; 0 = outside scope
    service_rate: Mapped[int] = mapped_column(default=100)  # TYLE_TT_DV
    insurance_rate: Mapped[int] = mapped_column(default=100)  # TYLE_TT_BH
    ordered_at: Mapped[datetime]
    ordered_by_id: Mapped[int | None]
    ordered_by_licence: Mapped[str] = mapped_column(String(255), default="")
    department_code: Mapped[str] = mapped_column(String(20))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # further claim fields of the item
    posted_at: Mapped[datetime] = mapped_column(default=clock.now)
    voided_at: Mapped[datetime | None]
    voided_by_id: Mapped[int | None]
    void_reason: Mapped[str] = mapped_column(String(300), default="")


class Settlement(Base):
    """The bill of a visit at the moment of payment: totals, split, the rules' steps; closed when made."""

    __tablename__ = "settlements"
    __table_args__ = (
        Index(
            "uq_settlements_current",
            "visit_id",
            unique=True,
            postgresql_where=text("state = 'paid'"),
            sqlite_where=text("state = 'paid'"),
        ),
        CheckConstraint(
            "fund_amount + copay_amount + outside_amount + other_amount = total_amount", name="shares_add_up"
        ),
        CheckConstraint("(state = 'voided') = (voided_at IS NOT NULL)", name="voided_has_time"),
        CheckConstraint("(voided_at IS NULL) = (void_reason = '')", name="void_has_reason"),
    )

    settlement_id: Mapped[int] = mapped_column(Id, primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.visit_id"), index=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    state: Mapped[SettlementState] = mapped_column(enum_column(SettlementState), default=SettlementState.PAID)
    subject_code: Mapped[str] = mapped_column(String(5))
    benefit_rate: Mapped[str] = mapped_column(String(5))
    total_amount: Mapped[Decimal] = mapped_column(Amount(2))  # T_TONGCHI_BV
    insured_amount: Mapped[Decimal] = mapped_column(Amount(2))  # T_TONGCHI_BH
    fund_amount: Mapped[Decimal] = mapped_column(Amount(2))  # T_BHTT
    copay_amount: Mapped[Decimal] = mapped_column(Amount(2))  # T_BNCCT
    outside_amount: Mapped[Decimal] = mapped_column(Amount(2))  # T_BNTT
    other_amount: Mapped[Decimal] = mapped_column(Amount(2), default=Decimal(0))  # T_NGUONKHAC
    payable_amount: Mapped[Decimal] = mapped_column(Amount(2))  # what the family pays, whole đồng
    steps: Mapped[list[str]] = mapped_column(JSON, default=list)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(String(120), default="")
    voided_at: Mapped[datetime | None]
    voided_by_id: Mapped[int | None]
    voided_by_name: Mapped[str] = mapped_column(String(120), default="")
    void_reason: Mapped[str] = mapped_column(String(300), default="")

    lines: Mapped[list[SettlementLine]] = relationship(order_by="SettlementLine.line_id")
    payments: Mapped[list[Payment]] = relationship(order_by="Payment.payment_id")


class SettlementLine(Base):
    """One charge as split between the payers; cashier and claim both read these very figures."""

    __tablename__ = "settlement_lines"
    __table_args__ = (UniqueConstraint("settlement_id", "charge_id"),)

    line_id: Mapped[int] = mapped_column(Id, primary_key=True)
    settlement_id: Mapped[int] = mapped_column(ForeignKey("settlements.settlement_id"))
    charge_id: Mapped[int] = mapped_column(ForeignKey("charges.charge_id"))
    scope_code: Mapped[str] = mapped_column(String(1))  # PHAM_VI
    insurance_rate: Mapped[int]  # TYLE_TT_BH as it must be written
    benefit_rate: Mapped[str] = mapped_column(String(5))  # MUC_HUONG
    hospital_price: Mapped[Decimal] = mapped_column(Amount(3))
    insurance_price: Mapped[Decimal] = mapped_column(Amount(3))
    total_amount: Mapped[Decimal] = mapped_column(Amount(2))  # THANH_TIEN_BV
    insured_amount: Mapped[Decimal] = mapped_column(Amount(2))  # THANH_TIEN_BH
    fund_amount: Mapped[Decimal] = mapped_column(Amount(2))
    copay_amount: Mapped[Decimal] = mapped_column(Amount(2))
    outside_amount: Mapped[Decimal] = mapped_column(Amount(2))
    other_amount: Mapped[Decimal] = mapped_column(Amount(2), default=Decimal(0))

    charge: Mapped[Charge] = relationship()


class Payment(Base):
    """Money taken (positive) or given back (negative), with its receipt number; never changed.

    A visit the fund pays whole has a settlement and no payment.
    """

    __tablename__ = "payments"
    __table_args__ = (Index("ix_payments_at", "at"), CheckConstraint("amount <> 0", name="amount_not_zero"))

    payment_id: Mapped[int] = mapped_column(Id, primary_key=True)
    settlement_id: Mapped[int] = mapped_column(ForeignKey("settlements.settlement_id"), index=True)
    receipt_number: Mapped[str] = mapped_column(String(40), unique=True)
    amount: Mapped[Decimal] = mapped_column(Amount(2))
    method: Mapped[PaymentMethod] = mapped_column(enum_column(PaymentMethod))
    tendered_amount: Mapped[Decimal | None] = mapped_column(Amount(2))
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(String(120), default="")
