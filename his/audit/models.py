"""Audit events, and the seals that chain them. Nothing here is ever changed or deleted (REC-43, SEC-50, SEC-51)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from his.audit.enums import Result
from his.core import clock
from his.core.db import Base, Id, enum_column


class AuditEvent(Base):
    """One act: who, when, from where, what, to which row, with what result; carries its own digest."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_patient", "patient_id", "event_id"),
        Index("ix_audit_events_user", "user_id", "event_id"),
    )

    event_id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    user_id: Mapped[int | None]
    user_name: Mapped[str] = mapped_column(String(120))
    user_kind: Mapped[str] = mapped_column(String(16))
    roles: Mapped[str] = mapped_column(String(200), default="")
    ip: Mapped[str] = mapped_column(String(45), default="")
    port: Mapped[int | None]
    session_ref: Mapped[str] = mapped_column(String(16), default="")
    workplace: Mapped[str] = mapped_column(String(12), default="")
    action: Mapped[str] = mapped_column(String(80))
    result: Mapped[Result] = mapped_column(enum_column(Result), default=Result.OK)
    subject_type: Mapped[str] = mapped_column(String(40), default="")
    subject_id: Mapped[int | None] = mapped_column(Id)
    patient_id: Mapped[int | None] = mapped_column(Id)
    visit_id: Mapped[int | None] = mapped_column(Id)
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    reason: Mapped[str] = mapped_column(String(500), default="")
    digest: Mapped[str] = mapped_column(String(64))


class AuditSeal(Base):
    """A batch of events bound to all batches before it: hash = SHA-256(previous hash, digests in order)."""

    __tablename__ = "audit_seals"

    seal_id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    event_count: Mapped[int]
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditSealedEvent(Base):
    """Which seal holds an event, and at which place."""

    __tablename__ = "audit_sealed_events"

    event_id: Mapped[int] = mapped_column(ForeignKey("audit_events.event_id"), primary_key=True, autoincrement=False)
    seal_id: Mapped[int] = mapped_column(ForeignKey("audit_seals.seal_id"), index=True)
    position: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
