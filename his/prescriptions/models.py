"""Prescriptions, their lines, the safety run, overrides, and what was sent to the national system."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from his.core import clock
from his.core.db import Amount, Base, Id, enum_column
from his.prescriptions.enums import PrescriptionKind, PrescriptionState, SentState


class Prescription(Base):
    """A prescription (đơn thuốc, TT 26/2025/TT-BYT). Signing freezes it and gives the 14-character code."""

    __tablename__ = "prescriptions"
    __table_args__ = (
        CheckConstraint("(state = 'draft') = (signed_at IS NULL) OR state = 'cancelled'", name="signed_has_time"),
        CheckConstraint("signed_at IS NULL OR (code IS NOT NULL AND signer_id IS NOT NULL)", name="signed_has_code"),
        Index("ix_prescriptions_state", "state", "signed_at"),
    )

    prescription_id: Mapped[int] = mapped_column(Id, primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.visit_id"), index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.patient_id"), index=True)
    kind: Mapped[PrescriptionKind] = mapped_column(enum_column(PrescriptionKind), default=PrescriptionKind.BASIC)
    state: Mapped[PrescriptionState] = mapped_column(enum_column(PrescriptionState), default=PrescriptionState.DRAFT)
    code: Mapped[str | None] = mapped_column(String(14), unique=True)
    doctor_id: Mapped[int]
    doctor_name: Mapped[str] = mapped_column(String(120))
    doctor_licence: Mapped[str] = mapped_column(String(60), default="")
    department_code: Mapped[str] = mapped_column(String(20))
    advice: Mapped[str] = mapped_column(String(1000), default="")  # lời dặn
    follow_up_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    saved_at: Mapped[datetime] = mapped_column(default=clock.now)  # every save of the lines moves the version
    signed_at: Mapped[datetime | None]
    signer_id: Mapped[int | None]
    ruleset_version: Mapped[str] = mapped_column(String(40), default="")
    alerts: Mapped[list[Any]] = mapped_column(JSON, default=list)  # the latest safety run; final at signing
    digest: Mapped[str] = mapped_column(String(64), default="")
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("prescriptions.prescription_id"))
    cancelled_at: Mapped[datetime | None]
    cancelled_by_id: Mapped[int | None]
    cancel_reason: Mapped[str] = mapped_column(String(300), default="")
    sent_state: Mapped[SentState] = mapped_column(enum_column(SentState), default=SentState.WAITING)
    version: Mapped[int] = mapped_column()

    lines: Mapped[list[PrescriptionLine]] = relationship(
        order_by="PrescriptionLine.position", back_populates="prescription"
    )
    overrides: Mapped[list[AlertOverride]] = relationship(order_by="AlertOverride.override_id")

    __mapper_args__ = {"version_id_col": version}


class PrescriptionLine(Base):
    """One medicine with structured dose, as the catalogue was on the day."""

    __tablename__ = "prescription_lines"
    __table_args__ = (
        UniqueConstraint("prescription_id", "position"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("days >= 1", name="days_positive"),
    )

    line_id: Mapped[int] = mapped_column(Id, primary_key=True)
    prescription_id: Mapped[int] = mapped_column(ForeignKey("prescriptions.prescription_id"))
    position: Mapped[int]
    drug_code: Mapped[str] = mapped_column(String(24))
    inn: Mapped[str] = mapped_column(String(300))
    brand: Mapped[str] = mapped_column(String(200), default="")
    strength: Mapped[str] = mapped_column(String(120), default="")
    form: Mapped[str] = mapped_column(String(120), default="")
    unit: Mapped[str] = mapped_column(String(24))
    route_code: Mapped[str] = mapped_column(String(8))
    route_name: Mapped[str] = mapped_column(String(120), default="")
    dose_amount: Mapped[Decimal] = mapped_column(Amount(3))  # per time, in dose_unit
    dose_unit: Mapped[str] = mapped_column(String(24))  # viên, gói, ml, mg, nhát …
    times_per_day: Mapped[int]
    times_text: Mapped[str] = mapped_column(String(200), default="")  # sáng, tối; sau ăn; khi sốt ≥ 38,5
    days: Mapped[int]
    frequency: Mapped[str] = mapped_column(String(16), default="daily")  # daily, weekly, as_needed
    quantity: Mapped[Decimal] = mapped_column(Amount(3))  # in unit
    diagnosis_code: Mapped[str] = mapped_column(String(8), default="")
    control_class: Mapped[str] = mapped_column(String(16), default="normal")

    prescription: Mapped[Prescription] = relationship(back_populates="lines")


class AlertOverride(Base):
    """A doctor's reasoned decision to prescribe in spite of an alert."""

    __tablename__ = "alert_overrides"
    __table_args__ = (UniqueConstraint("prescription_id", "rule", "about"),)

    override_id: Mapped[int] = mapped_column(Id, primary_key=True)
    prescription_id: Mapped[int] = mapped_column(ForeignKey("prescriptions.prescription_id"))
    rule: Mapped[str] = mapped_column(String(40))
    tier: Mapped[int]
    about: Mapped[str] = mapped_column(String(300))  # sorted substances joined with ";"
    reason_code: Mapped[str] = mapped_column(String(32))
    reason_text: Mapped[str] = mapped_column(String(500), default="")
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by_id: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(120))
