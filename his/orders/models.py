"""Orders (phiếu chỉ định) and their lines, one line per service."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from his.core import clock
from his.core.db import Base, Id, enum_column
from his.orders.enums import OrderKind, OrderState


class ServiceOrder(Base):
    """What a doctor ordered at one moment for one visit."""

    __tablename__ = "service_orders"

    order_id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.visit_id"), index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.patient_id"))
    ordered_at: Mapped[datetime] = mapped_column(default=clock.now)
    ordered_by_id: Mapped[int]
    ordered_by_name: Mapped[str] = mapped_column(String(120))
    ordered_by_licence: Mapped[str] = mapped_column(String(60), default="")
    department_code: Mapped[str] = mapped_column(String(20))
    indication: Mapped[str] = mapped_column(String(500), default="")  # provisional diagnosis in words
    is_urgent: Mapped[bool] = mapped_column(default=False)

    lines: Mapped[list[OrderLine]] = relationship(order_by="OrderLine.line_id", back_populates="order")


class OrderLine(Base):
    """One ordered service with the times and people the claim needs."""

    __tablename__ = "order_lines"
    __table_args__ = (
        Index("ix_order_lines_work", "kind", "state"),
        CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_has_time"),
        CheckConstraint("state <> 'resulted' OR resulted_at IS NOT NULL", name="resulted_has_time"),
    )

    line_id: Mapped[int] = mapped_column(Id, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("service_orders.order_id"), index=True)
    kind: Mapped[OrderKind] = mapped_column(enum_column(OrderKind))
    service_code: Mapped[str] = mapped_column(String(24))
    service_name: Mapped[str] = mapped_column(String(500))
    state: Mapped[OrderState] = mapped_column(enum_column(OrderState), default=OrderState.ORDERED)
    room_code: Mapped[str] = mapped_column(String(12), default="")
    started_at: Mapped[datetime | None]  # specimen or image taken: NGAY_TH_YL
    started_by_id: Mapped[int | None]
    performer_licence: Mapped[str] = mapped_column(String(60), default="")  # NGUOI_THUC_HIEN
    resulted_at: Mapped[datetime | None]  # NGAY_KQ
    cancelled_at: Mapped[datetime | None]
    cancelled_by_id: Mapped[int | None]
    cancel_reason: Mapped[str] = mapped_column(String(300), default="")
    machine_code: Mapped[str] = mapped_column(String(60), default="")

    order: Mapped[ServiceOrder] = relationship(back_populates="lines")
