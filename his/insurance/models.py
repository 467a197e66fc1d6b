"""Claim files as snapshots with versions, the findings of the checks, and month exports."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from his.core import clock
from his.core.db import Amount, Base, Id, enum_column
from his.core.errors import Severity
from his.insurance.enums import ClaimState, ExportState


class ClaimFile(Base):
    """One version of a visit's claim: rows with their official column names, built once from the rows below.

    A newer version supersedes the older; sent versions are never changed.
    """

    __tablename__ = "claim_files"
    __table_args__ = (
        UniqueConstraint("visit_id", "version_no"),
        Index(
            "uq_claim_files_current",
            "visit_id",
            unique=True,
            postgresql_where=text("state <> 'superseded'"),
            sqlite_where=text("state <> 'superseded'"),
        ),
        Index("ix_claim_files_month", "settlement_month", "state"),
    )

    claim_id: Mapped[int] = mapped_column(Id, primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.visit_id"))
    visit_code: Mapped[str] = mapped_column(String(100))  # MA_LK
    version_no: Mapped[int] = mapped_column(default=1)
    state: Mapped[ClaimState] = mapped_column(enum_column(ClaimState))
    # YYYY-MM of NAM_QT, THANG_QT: the later of NGAY_RA and NGAY_TTOAN.
    settlement_month: Mapped[str] = mapped_column(String(7))
    settlement_id: Mapped[int] = mapped_column(ForeignKey("settlements.settlement_id"))  # the bill these sums equal
    rows: Mapped[dict[str, Any]] = deferred(mapped_column(JSON))  # {"XML1": [{...}], "XML2": [...]}
    digest: Mapped[str] = mapped_column(String(64))
    error_count: Mapped[int] = mapped_column(default=0)
    warning_count: Mapped[int] = mapped_column(default=0)
    total_amount: Mapped[Decimal] = mapped_column(Amount(2))
    fund_amount: Mapped[Decimal] = mapped_column(Amount(2))
    built_at: Mapped[datetime] = mapped_column(default=clock.now)
    built_by_id: Mapped[int | None]
    change_reason: Mapped[str] = mapped_column(String(300), default="")
    sent_at: Mapped[datetime | None]
    sent_file: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    receipt_code: Mapped[str] = mapped_column(String(100), default="")  # maGiaoDich
    answer_code: Mapped[str] = mapped_column(String(40), default="")
    answer: Mapped[str] = mapped_column(String(1000), default="")

    findings: Mapped[list[ClaimFinding]] = relationship(order_by="ClaimFinding.finding_id")


class ClaimFinding(Base):
    """What a check found in one version of a claim, and who can fix it."""

    __tablename__ = "claim_findings"
    __table_args__ = (Index("ix_claim_findings_rule", "rule_id"),)

    finding_id: Mapped[int] = mapped_column(Id, primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim_files.claim_id"), index=True)
    rule_id: Mapped[str] = mapped_column(String(60))
    table_code: Mapped[str] = mapped_column(String(8))
    row_no: Mapped[int | None]
    field: Mapped[str] = mapped_column(String(40), default="")
    value: Mapped[str] = mapped_column(String(255), default="")
    message: Mapped[str] = mapped_column(String(1000))
    severity: Mapped[Severity] = mapped_column(enum_column(Severity))
    source: Mapped[str] = mapped_column(String(300), default="")
    suggestion: Mapped[str] = mapped_column(String(500), default="")
    owner_role: Mapped[str] = mapped_column(String(24))
    owner_name: Mapped[str] = mapped_column(String(120), default="")
    anchor: Mapped[str] = mapped_column(String(24), default="")  # which screen fixes it
    anchor_id: Mapped[int | None] = mapped_column(Id)


class ClaimExport(Base):
    """A month export: a Celery task that can be killed and goes on where it stopped; files appear whole or not."""

    __tablename__ = "claim_exports"

    export_id: Mapped[int] = mapped_column(Id, primary_key=True)
    month: Mapped[str] = mapped_column(String(7))
    state: Mapped[ExportState] = mapped_column(enum_column(ExportState))
    total_count: Mapped[int] = mapped_column(default=0)
    done_count: Mapped[int] = mapped_column(default=0)
    last_claim_id: Mapped[int] = mapped_column(Id, default=0)  # everything up to here is written
    folder: Mapped[str] = mapped_column(String(300))
    started_at: Mapped[datetime] = mapped_column(default=clock.now)
    lease_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    by_id: Mapped[int | None]
    problem: Mapped[str] = mapped_column(String(500), default="")
