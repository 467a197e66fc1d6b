"""Imaging and functional test reports."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from his.core import clock
from his.core.db import Base, Id, enum_column
from his.imaging.enums import ReportState


class ImagingReport(Base):
    """The report of one ordered imaging service."""

    __tablename__ = "imaging_reports"
    __table_args__ = (
        CheckConstraint("(state = 'draft') = (released_at IS NULL)", name="released_has_time"),
        CheckConstraint("state = 'draft' OR conclusion <> ''", name="released_has_conclusion"),
        Index("ix_imaging_reports_released", "released_at"),
        Index(
            "uq_imaging_reports_current",
            "order_line_id",
            unique=True,
            postgresql_where=text("state <> 'superseded'"),
            sqlite_where=text("state <> 'superseded'"),
        ),
    )

    report_id: Mapped[int] = mapped_column(Id, primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.line_id"))
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.visit_id"), index=True)
    state: Mapped[ReportState] = mapped_column(enum_column(ReportState), default=ReportState.DRAFT)
    taken_at: Mapped[datetime | None]
    description: Mapped[str] = mapped_column(Text, default="")
    conclusion: Mapped[str] = mapped_column(Text, default="")
    is_abnormal: Mapped[bool] = mapped_column(default=False)
    written_by_id: Mapped[int]
    written_by_name: Mapped[str] = mapped_column(String(120))
    written_by_licence: Mapped[str] = mapped_column(String(60), default="")
    written_at: Mapped[datetime] = mapped_column(default=clock.now)
    released_at: Mapped[datetime | None]
    released_by_id: Mapped[int | None]
    released_by_name: Mapped[str] = mapped_column(String(120), default="")
    released_by_licence: Mapped[str] = mapped_column(String(60), default="")
    machine_code: Mapped[str] = mapped_column(String(60), default="")
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("imaging_reports.report_id"))
    change_reason: Mapped[str] = mapped_column(String(300), default="")
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}
