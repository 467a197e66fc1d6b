"""Laboratory results: one result per ordered service and version, one value per index."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from his.core import clock
from his.core.db import Base, Id, enum_column
from his.laboratory.enums import Flag, ResultState


class LabResult(Base):
    """The result of one ordered laboratory service."""

    __tablename__ = "lab_results"
    __table_args__ = (
        CheckConstraint("(state = 'entered') = (released_at IS NULL)", name="released_has_time"),
        Index("ix_lab_results_released", "released_at"),
        Index(
            "uq_lab_results_current",
            "order_line_id",
            unique=True,
            postgresql_where=text("state <> 'superseded'"),
            sqlite_where=text("state <> 'superseded'"),
        ),
    )

    result_id: Mapped[int] = mapped_column(Id, primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.line_id"))
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.visit_id"), index=True)
    state: Mapped[ResultState] = mapped_column(enum_column(ResultState), default=ResultState.ENTERED)
    specimen_at: Mapped[datetime | None]
    entered_at: Mapped[datetime] = mapped_column(default=clock.now)
    entered_by_id: Mapped[int]
    entered_by_name: Mapped[str] = mapped_column(String(120))
    entered_by_licence: Mapped[str] = mapped_column(String(60), default="")
    released_at: Mapped[datetime | None]
    released_by_id: Mapped[int | None]
    released_by_name: Mapped[str] = mapped_column(String(120), default="")
    released_by_licence: Mapped[str] = mapped_column(String(60), default="")
    conclusion: Mapped[str] = mapped_column(String(1000), default="")
    critical_note: Mapped[str] = mapped_column(String(300), default="")  # who was told of a critical value, and when
    machine_code: Mapped[str] = mapped_column(String(60), default="")
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("lab_results.result_id"))
    change_reason: Mapped[str] = mapped_column(String(300), default="")
    version: Mapped[int] = mapped_column()

    values: Mapped[list[LabValue]] = relationship(order_by="LabValue.sort", cascade="all, delete-orphan")

    __mapper_args__ = {"version_id_col": version}


class LabValue(Base):
    """One measured value as text (what the laboratory wrote), with range and flag as they were on the day."""

    __tablename__ = "lab_values"
    __table_args__ = (UniqueConstraint("result_id", "index_code"),)

    value_id: Mapped[int] = mapped_column(Id, primary_key=True)
    result_id: Mapped[int] = mapped_column(ForeignKey("lab_results.result_id"))
    index_code: Mapped[str] = mapped_column(String(24))
    index_name: Mapped[str] = mapped_column(String(200))
    value: Mapped[str] = mapped_column(String(255))
    unit: Mapped[str] = mapped_column(String(24), default="")
    range_text: Mapped[str] = mapped_column(String(60), default="")
    flag: Mapped[Flag] = mapped_column(enum_column(Flag), default=Flag.NORMAL)
    sort: Mapped[int] = mapped_column(default=0)
