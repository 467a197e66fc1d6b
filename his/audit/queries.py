"""Reads of the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from his.audit.enums import Action
from his.audit.models import AuditEvent
from his.core.db import session


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What the auditor looks for; empty values do not filter."""

    patient_id: int | None = None
    user_id: int | None = None
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before_id: int | None = None


def viewed_since(user_id: int | None, patient_id: int, visit_id: int | None, since: datetime) -> bool:
    """Tell whether this person opened this patient (and visit) since a moment."""
    statement = (
        select(AuditEvent.event_id)
        .where(
            AuditEvent.patient_id == patient_id,
            AuditEvent.user_id == user_id,
            AuditEvent.action == Action.VIEW.value,
            AuditEvent.at >= since,
            AuditEvent.visit_id == visit_id if visit_id is not None else AuditEvent.visit_id.is_(None),
        )
        .limit(1)
    )
    return session().execute(statement).first() is not None


def access_log(patient_id: int, limit: int = 50) -> Sequence[AuditEvent]:
    """Return who did or saw what with a patient, newest first ("ai đã xem hồ sơ")."""
    return (
        session()
        .execute(
            select(AuditEvent)
            .where(AuditEvent.patient_id == patient_id)
            .order_by(AuditEvent.event_id.desc())
            .limit(limit)
        )
        .scalars()
        .all()
    )


def patients_seen(user_id: int, limit: int = 30) -> list[int]:
    """Return the patients whose records a person opened last, newest first; looks at the last 400 openings only (1 statement)."""
    openings = (
        select(AuditEvent.event_id, AuditEvent.patient_id)
        .where(
            AuditEvent.user_id == user_id, AuditEvent.action == Action.VIEW.value, AuditEvent.patient_id.is_not(None)
        )
        .order_by(AuditEvent.event_id.desc())
        .limit(400)
        .subquery()
    )
    newest = func.max(openings.c.event_id)
    rows = session().execute(
        select(openings.c.patient_id).group_by(openings.c.patient_id).order_by(newest.desc()).limit(limit)
    )
    return list(rows.scalars())


def events(wanted: EventFilter, limit: int = 100) -> Sequence[AuditEvent]:
    """Return events for the auditor's screen, newest first, paged by id."""
    statement = select(AuditEvent).order_by(AuditEvent.event_id.desc()).limit(limit)
    if wanted.patient_id is not None:
        statement = statement.where(AuditEvent.patient_id == wanted.patient_id)
    if wanted.user_id is not None:
        statement = statement.where(AuditEvent.user_id == wanted.user_id)
    if wanted.action:
        statement = statement.where(AuditEvent.action.startswith(wanted.action, autoescape=True))
    if wanted.since is not None:
        statement = statement.where(AuditEvent.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(AuditEvent.at < wanted.until)
    if wanted.before_id is not None:
        statement = statement.where(AuditEvent.event_id < wanted.before_id)
    return session().execute(statement).scalars().all()
