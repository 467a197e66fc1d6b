"""Writing the audit log, sealing it, and proving it.

An event is written in the transaction of the change it tells of: if it cannot be written, the change does not happen
(SEC-52). Each event carries its digest at once; a background job binds events in batches into a hash chain, so the
chain never makes the wards wait for each other.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from his.audit import queries, rules
from his.audit.enums import ACTION_DETAILS, Action, Result
from his.audit.models import AuditEvent, AuditSeal, AuditSealedEvent
from his.core import clock
from his.core.actor import Actor
from his.core.config import current
from his.core.db import session, transaction

_details: dict[str, frozenset[str]] = {}
BATCH = 1000
SEAL_LOCK = 0x415544  # any number, the same for all sealers
SAME_VIEW = timedelta(seconds=60)


def register_actions(actions: type[StrEnum], details: Mapping[Any, Sequence[str]]) -> None:
    """Tell the log a module's actions and the detail keys each may carry."""
    for action in actions:
        _details[action.value] = frozenset(details.get(action, ()))


register_actions(Action, ACTION_DETAILS)


def values_for_digest(event: AuditEvent) -> dict[str, Any]:
    """Return everything of an event that its digest protects."""
    return {
        "at": event.at.isoformat(timespec="microseconds"),
        "user_id": event.user_id,
        "user_name": event.user_name,
        "user_kind": event.user_kind,
        "roles": event.roles,
        "ip": event.ip,
        "port": event.port,
        "session_ref": event.session_ref,
        "workplace": event.workplace,
        "action": event.action,
        "result": event.result.value,
        "subject_type": event.subject_type,
        "subject_id": event.subject_id,
        "patient_id": event.patient_id,
        "visit_id": event.visit_id,
        "details": event.details,
        "reason": event.reason,
    }


def record(
    actor: Actor,
    action: str,
    *,
    subject_type: str = "",
    subject_id: int | None = None,
    patient_id: int | None = None,
    visit_id: int | None = None,
    details: Mapping[str, Any] | None = None,
    reason: str = "",
    result: Result = Result.OK,
) -> AuditEvent:
    """Write one event in the caller's transaction.

    ``details`` may carry only the keys the module registered for the action (changes as label -> [old, new]).
    Raises `LookupError` for an unknown action, `ValueError` for unknown keys.
    """
    name = str(action)
    if name not in _details:
        raise LookupError(f"audit action {name!r} is not registered")
    given = dict(details or {})
    unknown = set(given) - _details[name]
    if unknown:
        raise ValueError(f"audit action {name!r} does not carry {sorted(unknown)}")
    event = AuditEvent(
        at=clock.now(), user_id=actor.user_id, user_name=actor.name, user_kind=actor.kind,
        roles=",".join(sorted(actor.roles))[:200], ip=actor.ip, port=int(actor.port) if actor.port else None,
        session_ref=actor.session_ref, workplace=actor.workplace, action=name, result=result,
        subject_type=subject_type, subject_id=subject_id, patient_id=patient_id, visit_id=visit_id,
        details=given, reason=reason,
    )  # fmt: skip
    event.digest = rules.event_digest(values_for_digest(event))
    session().add(event)
    return event


def viewed(actor: Actor, patient_id: int, what: str, *, visit_id: int | None = None) -> None:
    """Record that a person opened a patient's data; the same page again within a minute is one event."""
    if queries.viewed_since(actor.user_id, patient_id, visit_id, clock.now() - SAME_VIEW):
        return
    with transaction():
        record(actor, Action.VIEW, subject_type="patient", subject_id=patient_id, patient_id=patient_id,
               visit_id=visit_id, details={"what": what})  # fmt: skip


def seal(limit: int = BATCH) -> int:
    """Bind the oldest unsealed events into the chain; returns how many. A second sealer waits for the first."""
    with transaction() as here:
        if here.get_bind().dialect.name == "postgresql":
            # SQLite's writers wait for each other anyway. A row lock would not do: the one who waited would go on from
            # the head that was newest when it began to wait.
            here.execute(select(func.pg_advisory_xact_lock(SEAL_LOCK)))
        head = here.execute(select(AuditSeal).order_by(AuditSeal.seal_id.desc()).limit(1)).scalar_one_or_none()
        rows = here.execute(
            select(AuditEvent.event_id, AuditEvent.digest)
            .outerjoin(AuditSealedEvent, AuditSealedEvent.event_id == AuditEvent.event_id)
            .where(AuditSealedEvent.event_id.is_(None))
            .order_by(AuditEvent.event_id)
            .limit(limit)
        ).all()
        if not rows:
            return 0
        previous = head.hash if head else rules.FIRST_HASH
        fresh = AuditSeal(
            event_count=len(rows),
            previous_hash=previous,
            hash=rules.seal_hash(previous, [r.event_id for r in rows], [r.digest for r in rows]),
        )
        here.add(fresh)
        here.flush()  # the sealed rows point to it
        here.add_all(
            AuditSealedEvent(event_id=row.event_id, seal_id=fresh.seal_id, position=i, digest=row.digest)
            for i, row in enumerate(rows)
        )
        seal_id, value = fresh.seal_id, fresh.hash
    _keep_head(seal_id, value)
    return len(rows)


def _heads() -> Path:
    folder = current().var_dir / "audit-heads"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _keep_head(seal_id: int, value: str) -> None:
    """Note the newest seal of the day outside the database: a cut-off tail shows against it."""
    target = _heads() / f"{clock.today():%Y-%m-%d}.txt"
    if target.is_file() and int(target.read_text("ascii").split()[0]) > seal_id:
        return
    with tempfile.NamedTemporaryFile(
        "w", dir=target.parent, suffix=".part", delete=False, encoding="ascii"
    ) as temporary:
        temporary.write(f"{seal_id} {value}\n")
    Path(temporary.name).replace(target)


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of proving the log: what was read and every contradiction found, in Vietnamese."""

    events: int
    seals: int
    unsealed: int
    problems: tuple[str, ...] = field(default=())


def verify() -> Verification:
    """Prove the whole log: digests of events, membership and order of batches, the chain, the heads kept outside."""
    here = session()
    problems: list[str] = []
    previous = rules.FIRST_HASH
    seals = events = 0
    known: dict[int, str] = {}
    for seal_row in here.execute(select(AuditSeal).order_by(AuditSeal.seal_id)).scalars():
        seals += 1
        known[seal_row.seal_id] = seal_row.hash
        if seal_row.previous_hash != previous:
            problems.append(f"Dấu niêm {seal_row.seal_id} không nối tiếp dấu niêm trước: thiếu hoặc bị thay.")
        members = here.execute(
            select(AuditSealedEvent.event_id, AuditSealedEvent.digest, AuditEvent)
            .outerjoin(AuditEvent, AuditEvent.event_id == AuditSealedEvent.event_id)
            .where(AuditSealedEvent.seal_id == seal_row.seal_id)
            .order_by(AuditSealedEvent.position)
        ).all()
        for row in members:
            events += 1
            event: AuditEvent | None = row.AuditEvent
            if event is None:
                problems.append(f"Sự kiện {row.event_id} đã bị xóa.")
                continue
            if rules.event_digest(values_for_digest(event)) != row.digest or event.digest != row.digest:
                problems.append(f"Sự kiện {event.event_id} ({event.action}) đã bị sửa.")
        if len(members) != seal_row.event_count:
            problems.append(f"Dấu niêm {seal_row.seal_id} thiếu hoặc thừa sự kiện.")
        if rules.seal_hash(previous, [r.event_id for r in members], [r.digest for r in members]) != seal_row.hash:
            problems.append(f"Dấu niêm {seal_row.seal_id} không khớp các sự kiện của nó: thứ tự hoặc nội dung bị đổi.")
        previous = seal_row.hash
        here.expunge_all()
    loose = 0
    for event in here.execute(
        select(AuditEvent)
        .outerjoin(AuditSealedEvent, AuditSealedEvent.event_id == AuditEvent.event_id)
        .where(AuditSealedEvent.event_id.is_(None))
    ).scalars():
        loose += 1
        if rules.event_digest(values_for_digest(event)) != event.digest:
            problems.append(f"Sự kiện {event.event_id} ({event.action}) đã bị sửa trước khi niêm.")
    for path in sorted(_heads().glob("*.txt")):
        seal_id, value = path.read_text("ascii").split()
        if known.get(int(seal_id)) != value:
            problems.append(f"Dấu niêm {seal_id} ghi ngày {path.stem} không còn trong cơ sở dữ liệu: phần cuối bị cắt.")
    return Verification(events + loose, seals, loose, tuple(problems))
