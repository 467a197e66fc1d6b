"""Issued papers as stored bytes, and signatures as rows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, deferred, mapped_column

from his.core import clock
from his.core.db import Base, Id, enum_column
from his.documents.enums import PaperState, SignatureKind


class Paper(Base):
    """A paper as it was issued: bytes, digest, form, version, number. A reprint serves these very bytes.

    ``public_code`` is a random code for the public check behind the QR; it names nobody.
    """

    __tablename__ = "papers"
    __table_args__ = (
        Index("ix_papers_subject", "subject_type", "subject_id"),
        CheckConstraint("(state = 'replaced') = (replaced_by_id IS NOT NULL)", name="replaced_by_known"),
    )

    paper_id: Mapped[int] = mapped_column(Id, primary_key=True)
    facility_code: Mapped[str] = mapped_column(String(5))
    form_code: Mapped[str] = mapped_column(String(40))
    form_version: Mapped[str] = mapped_column(String(40))
    number: Mapped[str] = mapped_column(String(50), default="")
    public_code: Mapped[str] = mapped_column(String(32), unique=True)
    state: Mapped[PaperState] = mapped_column(enum_column(PaperState), default=PaperState.ISSUED)
    subject_type: Mapped[str] = mapped_column(String(32))  # referral, prescription, settlement, visit …
    subject_id: Mapped[int] = mapped_column(Id)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.patient_id"), index=True)
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visits.visit_id"), index=True)
    masked_name: Mapped[str] = mapped_column(String(120), default="")
    valid_until: Mapped[date | None]
    media_type: Mapped[str] = mapped_column(String(40), default="application/pdf")
    content: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    digest: Mapped[str] = mapped_column(String(64))
    byte_count: Mapped[int]
    page_count: Mapped[int] = mapped_column(default=1)
    issued_at: Mapped[datetime] = mapped_column(default=clock.now)
    issued_by_id: Mapped[int | None]
    replaced_by_id: Mapped[int | None] = mapped_column(ForeignKey("papers.paper_id"))
    replace_reason: Mapped[str] = mapped_column(String(300), default="")
    print_count: Mapped[int] = mapped_column(default=0)


class Signature(Base):
    """One signature: who, when, over which digest of which canonical content.

    ``method`` says how the person was proven (internal PIN; certificate methods add their evidence).
    """

    __tablename__ = "signatures"
    __table_args__ = (Index("ix_signatures_subject", "subject_type", "subject_id"),)

    signature_id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[SignatureKind] = mapped_column(enum_column(SignatureKind), default=SignatureKind.PERSON)
    place: Mapped[str] = mapped_column(String(40))  # prescriber, treating_doctor, facility
    method: Mapped[str] = mapped_column(String(24))
    subject_type: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int] = mapped_column(Id)
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of the canonical JSON that was shown
    canonical: Mapped[dict[str, Any]] = mapped_column(JSON)
    signer_id: Mapped[int | None]
    signer_name: Mapped[str] = mapped_column(String(120))
    signer_licence: Mapped[str] = mapped_column(String(60), default="")
    at: Mapped[datetime] = mapped_column(default=clock.now)
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
