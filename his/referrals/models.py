"""Referral papers (PHIẾU CHUYỂN CƠ SỞ KHÁM BỆNH, CHỮA BỆNH BẢO HIỂM Y TẾ, TT 01/2025 Phụ lục VI)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from his.core import clock
from his.core.db import Base, Id, enum_column
from his.referrals.enums import ReferralReason, ReferralState


class Referral(Base):
    """One referral. Signing freezes ``snapshot``: paper and XML13 are made from it, never regenerated."""

    __tablename__ = "referrals"
    __table_args__ = (
        CheckConstraint("state = 'draft' OR state = 'cancelled' OR doctor_signed_at IS NOT NULL", name="signed_time"),
        CheckConstraint("state NOT IN ('issued', 'replaced') OR number IS NOT NULL", name="issued_has_number"),
        Index(
            "uq_referrals_current",
            "visit_id",
            unique=True,
            postgresql_where=text("state IN ('draft', 'signed', 'issued')"),
            sqlite_where=text("state IN ('draft', 'signed', 'issued')"),
        ),
    )

    referral_id: Mapped[int] = mapped_column(Id, primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.visit_id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.patient_id"), index=True)
    state: Mapped[ReferralState] = mapped_column(enum_column(ReferralState), default=ReferralState.DRAFT)
    number: Mapped[str | None] = mapped_column(String(50), unique=True)  # 000123/2026/PCCSKBCB
    register_number: Mapped[str] = mapped_column(String(50), default="")  # Vào sổ chuyển … số
    destination_code: Mapped[str] = mapped_column(String(5))
    destination_name: Mapped[str] = mapped_column(String(200))
    reason: Mapped[ReferralReason] = mapped_column(enum_column(ReferralReason))
    clinical_signs: Mapped[str] = mapped_column(Text, default="")
    course: Mapped[str] = mapped_column(Text, default="")
    results_summary: Mapped[str] = mapped_column(Text, default="")
    treatment_done: Mapped[str] = mapped_column(Text, default="")
    procedures: Mapped[str] = mapped_column(Text, default="")
    procedure_started_at: Mapped[datetime | None]
    procedure_ended_at: Mapped[datetime | None]
    condition: Mapped[str] = mapped_column(Text, default="")
    plan: Mapped[str] = mapped_column(Text, default="")
    is_one_year: Mapped[bool] = mapped_column(default=False)
    is_commitment_signed: Mapped[bool] = mapped_column(default=False)  # 45/BV2, for a transfer on request (R12)
    result_code: Mapped[str] = mapped_column(String(2), default="")  # KET_QUA_DTRI: the doctor's own choice (R6)
    transport: Mapped[str] = mapped_column(String(255), default="")
    escort_name: Mapped[str] = mapped_column(String(255), default="")
    escort_title: Mapped[str] = mapped_column(String(255), default="")
    transferred_at: Mapped[datetime | None]
    valid_until: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    doctor_id: Mapped[int]
    doctor_name: Mapped[str] = mapped_column(String(120))
    doctor_licence: Mapped[str] = mapped_column(String(60), default="")
    doctor_signed_at: Mapped[datetime | None]
    authority_name: Mapped[str] = mapped_column(String(120), default="")
    authority_licence: Mapped[str] = mapped_column(String(60), default="")
    authority_id: Mapped[int | None]
    issued_at: Mapped[datetime | None]
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    paper_id: Mapped[int | None] = mapped_column(ForeignKey("papers.paper_id"))
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("referrals.referral_id"))
    replace_reason: Mapped[str] = mapped_column(String(300), default="")  # why the superseded paper is replaced (F-04)
    cancel_reason: Mapped[str] = mapped_column(String(300), default="")
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}
