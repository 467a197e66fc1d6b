"""Reads of claims: the workbench, one claim with its findings and versions, what is still to be built or sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Select, String, and_, case, cast, func, literal, or_, select
from sqlalchemy.orm import undefer

from his.billing.enums import SettlementState
from his.billing.models import Settlement
from his.core import clock
from his.core.db import session
from his.core.errors import Severity
from his.core.outbox import OutboxMessage, OutboxState
from his.insurance.enums import ClaimState, ExportState
from his.insurance.errors import BadMonth, ClaimNotFound, ExportNotFound
from his.insurance.models import ClaimExport, ClaimFile, ClaimFinding
from his.records.enums import VisitState
from his.records.models import Coverage, Patient, Visit

SEND_KIND: Final = "insurance.send_claim"
NOT_INSURED: Final = "9"
RETURNED: Final = (ClaimState.REFUSED, ClaimState.UNKNOWN)
MENDABLE: Final = (ClaimState.BUILT, ClaimState.FAULTY, ClaimState.PASSED, *RETURNED)
"""States in which findings still concern somebody."""
PAGE: Final = 50
_KEY: Final = literal(f"{SEND_KIND}:") + cast(ClaimFile.claim_id, String)
"""The outbox key of a claim: one message per version."""


class View(StrEnum):
    """Which claims the workbench lists."""

    FAULTY = "faulty"
    WARNED = "warned"
    CLEAN = "clean"
    SENDING = "sending"
    SENT = "sent"
    RETURNED = "returned"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class MonthCounts:
    """How a month stands: numbers of current claims, and what the fund is asked for (đồng)."""

    total: int
    clean: int
    faulty: int
    warned: int
    returned: int
    sending: int
    sent: int
    ready: int
    fund_amount: Decimal

    def of(self, view: View) -> int:
        """The number of claims in a view."""
        return {
            View.FAULTY: self.faulty,
            View.WARNED: self.warned,
            View.CLEAN: self.clean,
            View.SENDING: self.sending,
            View.SENT: self.sent,
            View.RETURNED: self.returned,
            View.ALL: self.total,
        }[view]


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """Claims with the same finding for the same role."""

    severity: Severity
    owner_role: str
    rule_id: str
    message: str
    claim_count: int


@dataclass(frozen=True, slots=True)
class WorkRow:
    """One line of the list: a claim, and the finding it is listed for, if any."""

    claim_id: int
    visit_id: int
    patient_id: int
    visit_code: str
    full_name: str
    ended_at: datetime | None
    fund_amount: Decimal
    state: ClaimState
    version_no: int
    error_count: int
    warning_count: int
    value: str
    owner_role: str
    owner_name: str
    answer_code: str
    answer: str


@dataclass(frozen=True, slots=True)
class WorkPage:
    """A page of lines and how many there are in all."""

    rows: tuple[WorkRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ClaimDetail:
    """A claim with its visit and patient."""

    claim: ClaimFile
    visit: Visit
    patient: Patient
    card_number: str


@dataclass(frozen=True, slots=True)
class Sending:
    """One message to the insurer as the outbox tells of it."""

    claim_id: int
    visit_code: str
    full_name: str
    version_no: int
    state: ClaimState
    outbox_state: OutboxState
    attempt_count: int
    created_at: datetime
    finished_at: datetime | None
    next_at: datetime
    code: str
    answer: str
    receipt: str


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """Return the moments between which a month ``YYYY-MM`` lies. Raises `BadMonth`."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError as error:
        raise BadMonth(f"Tháng «{month[:20]}» chưa đúng. Gõ dạng 2026-11.") from error
    after = (first + timedelta(days=32)).replace(day=1)
    return clock.from_local(first), clock.from_local(after)


def _current(month: str) -> Any:
    return (ClaimFile.settlement_month == month) & (ClaimFile.state != ClaimState.SUPERSEDED)


def _in_view(view: View) -> Any:
    return {
        View.FAULTY: ClaimFile.error_count > 0,
        View.WARNED: (ClaimFile.error_count == 0) & (ClaimFile.warning_count > 0),
        View.CLEAN: (ClaimFile.error_count == 0) & (ClaimFile.warning_count == 0),
        View.SENDING: ClaimFile.state == ClaimState.SENDING,
        View.SENT: ClaimFile.state == ClaimState.SENT,
        View.RETURNED: ClaimFile.state.in_(RETURNED),
        View.ALL: ClaimFile.claim_id > 0,
    }[view]


def month_counts(month: str) -> MonthCounts:
    """Return how a month stands (1 statement)."""

    def count(condition: Any) -> Any:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    row = (
        session()
        .execute(
            select(
                func.count(),
                *(count(_in_view(view)) for view in (View.CLEAN, View.FAULTY, View.WARNED, View.RETURNED, View.SENDING, View.SENT)),
                count(ClaimFile.state == ClaimState.PASSED),
                func.sum(ClaimFile.fund_amount),
            ).where(_current(month))
        )
        .one()
    )
    clean, faulty, warned, returned, sending, sent, ready = (int(value) for value in row[1:8])
    return MonthCounts(int(row[0]), clean, faulty, warned, returned, sending, sent, ready, row[8] or Decimal(0))


def groups(month: str) -> list[FindingGroup]:
    """Return the findings of a month's claims by who can fix, then by rule; errors first (1 statement)."""
    size = func.count(ClaimFinding.claim_id.distinct())
    rows = session().execute(
        select(
            ClaimFinding.severity, ClaimFinding.owner_role, ClaimFinding.rule_id, func.min(ClaimFinding.message), size
        )
        .join(ClaimFile, ClaimFile.claim_id == ClaimFinding.claim_id)
        .where(_current(month), ClaimFile.state.in_(MENDABLE))
        .group_by(ClaimFinding.severity, ClaimFinding.owner_role, ClaimFinding.rule_id)
        .order_by(ClaimFinding.severity, ClaimFinding.owner_role, size.desc(), ClaimFinding.rule_id)
    )  # fmt: skip
    return [FindingGroup(severity, role, rule, message, int(n)) for severity, role, rule, message, n in rows]


_ROW: Final = (
    ClaimFile.claim_id, ClaimFile.visit_id, Visit.patient_id, ClaimFile.visit_code, Patient.full_name, Visit.ended_at,
    ClaimFile.fund_amount, ClaimFile.state, ClaimFile.version_no, ClaimFile.error_count, ClaimFile.warning_count,
)  # fmt: skip


def claims_page(month: str, view: View, page: int = 1, text: str = "") -> WorkPage:
    """Return the claims of a view, newest visit first (1 statement). ``text``: part of a visit code."""
    statement = (
        select(*_ROW, ClaimFile.answer_code, ClaimFile.answer, func.count().over())
        .join(Visit, Visit.visit_id == ClaimFile.visit_id)
        .join(Patient, Patient.patient_id == Visit.patient_id)
        .where(_current(month), _in_view(view))
        .order_by(Visit.ended_at.desc(), ClaimFile.claim_id.desc())
    )
    if text:
        statement = statement.where(ClaimFile.visit_code.contains(text, autoescape=True))
    rows = _page(statement, page)
    return WorkPage(
        tuple(WorkRow(*(*row[:11], "", "", "", row[11], row[12])) for row in rows),
        int(rows[0][13]) if rows else 0,
    )


def findings_page(month: str, owner_role: str, rule_id: str, page: int = 1) -> WorkPage:
    """Return the claims of one group with what was found in them, newest visit first (1 statement)."""
    rows = _page(
        select(*_ROW, ClaimFinding.value, ClaimFinding.owner_name, func.count().over())
        .join(ClaimFinding, ClaimFinding.claim_id == ClaimFile.claim_id)
        .join(Visit, Visit.visit_id == ClaimFile.visit_id)
        .join(Patient, Patient.patient_id == Visit.patient_id)
        .where(
            _current(month), ClaimFile.state.in_(MENDABLE), ClaimFinding.owner_role == owner_role, ClaimFinding.rule_id == rule_id
        )
        .order_by(Visit.ended_at.desc(), ClaimFile.claim_id.desc(), ClaimFinding.finding_id),
        page,
    )
    return WorkPage(
        tuple(
            WorkRow(*(*row[:11], row[11], owner_role, row[12], "", ""))
            for row in rows
        ),
        int(rows[0][13]) if rows else 0,
    )


def _page(statement: Any, page: int) -> Sequence[Any]:
    return session().execute(statement.limit(PAGE).offset((max(page, 1) - 1) * PAGE)).all()


def claim_detail(claim_id: int) -> ClaimDetail:
    """Return a claim with its rows, visit and patient (1 statement). Raises `ClaimNotFound`."""
    row = (
        session()
        .execute(
            select(ClaimFile, Visit, Patient, Coverage.card_number)
            .join(Visit, Visit.visit_id == ClaimFile.visit_id)
            .join(Patient, Patient.patient_id == Visit.patient_id)
            .outerjoin(Coverage, Coverage.coverage_id == Visit.coverage_id)
            .where(ClaimFile.claim_id == claim_id)
            .options(undefer(ClaimFile.rows))
        )
        .one_or_none()
    )
    if row is None:
        raise ClaimNotFound("Không tìm thấy hồ sơ giám định này.")
    return ClaimDetail(row[0], row[1], row[2], row[3] or "")


def findings_of(claim_id: int) -> Sequence[ClaimFinding]:
    """Return what the checks found in a claim, errors first."""
    return (
        session()
        .execute(select(ClaimFinding).where(ClaimFinding.claim_id == claim_id).order_by(ClaimFinding.finding_id))
        .scalars()
        .all()
    )


def versions_of(visit_id: int) -> Sequence[ClaimFile]:
    """Return all versions of a visit's claim, newest first, without their rows."""
    return (
        session()
        .execute(select(ClaimFile).where(ClaimFile.visit_id == visit_id).order_by(ClaimFile.version_no.desc()))
        .scalars()
        .all()
    )


def get_for_update(claim_id: int) -> ClaimFile:
    """Return a claim with its rows, locked until the end of the transaction. Raises `ClaimNotFound`."""
    claim = session().execute(
        select(ClaimFile)
        .where(ClaimFile.claim_id == claim_id)
        .options(undefer(ClaimFile.rows))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if claim is None:
        raise ClaimNotFound("Không tìm thấy hồ sơ giám định này.")
    return claim


def get_claim(claim_id: int) -> ClaimFile:
    """Return a claim. Raises `ClaimNotFound`."""
    claim = session().get(ClaimFile, claim_id, populate_existing=True)
    if claim is None:
        raise ClaimNotFound("Không tìm thấy hồ sơ giám định này.")
    return claim


def current_claims(visit_ids: Sequence[int]) -> dict[int, ClaimFile]:
    """Return the version in force of each visit's claim (1 statement)."""
    rows = session().execute(
        select(ClaimFile)
        .where(ClaimFile.visit_id.in_(visit_ids), ClaimFile.state != ClaimState.SUPERSEDED)
        .execution_options(populate_existing=True)
    ).scalars()
    return {claim.visit_id: claim for claim in rows}


def claim_of_visit(visit_id: int) -> ClaimFile | None:
    """Return the version in force of a visit's claim."""
    return current_claims([visit_id]).get(visit_id)


def _unbuilt(month: str | None) -> Select[Any]:
    """Insured visits settled and closed whose claim is missing, or was made from a bill that is no longer in force."""
    statement = (
        select(Visit.visit_id)
        .join(Settlement, and_(Settlement.visit_id == Visit.visit_id, Settlement.state == SettlementState.PAID))
        .outerjoin(ClaimFile, and_(ClaimFile.visit_id == Visit.visit_id, ClaimFile.state != ClaimState.SUPERSEDED))
        .where(
            Visit.state == VisitState.CLOSED,
            Settlement.subject_code != NOT_INSURED,
            or_(
                ClaimFile.claim_id.is_(None),
                and_(ClaimFile.settlement_id != Settlement.settlement_id, ClaimFile.state != ClaimState.SENDING),
            ),
        )
    )
    if month is None:
        return statement
    first, after = month_bounds(month)
    # A bill follows the end of the visit; the index on the end keeps the search short.
    return statement.where(
        Settlement.at >= first, Settlement.at < after, Visit.ended_at < after, Visit.ended_at >= first - timedelta(days=62)
    )


def unbuilt_visits(month: str | None = None, limit: int = 200, after_id: int = 0) -> Sequence[int]:
    """Return visits whose claim has still to be built, by id from ``after_id`` on (1 statement)."""
    statement = _unbuilt(month)
    if month is None:  # the running job looks at the last two months only
        statement = statement.where(Visit.ended_at >= clock.now() - timedelta(days=62))
    return session().execute(
        statement.where(Visit.visit_id > after_id).order_by(Visit.visit_id).limit(limit)
    ).scalars().all()


def unbuilt_count(month: str) -> int:
    """Return how many claims of a month have still to be built (1 statement)."""
    return int(session().execute(select(func.count()).select_from(_unbuilt(month).subquery())).scalar_one())


def mendable_visits(month: str, after_visit_id: int = 0, limit: int = 200) -> Sequence[int]:
    """Return visits with an unsent claim of a month, by id: to be built and checked again."""
    return session().execute(
        select(ClaimFile.visit_id)
        .where(
            _current(month),
            ClaimFile.state.in_((ClaimState.BUILT, ClaimState.FAULTY, ClaimState.PASSED)),
            ClaimFile.visit_id > after_visit_id,
        )
        .order_by(ClaimFile.visit_id)
        .limit(limit)
    ).scalars().all()


def _billed() -> Any:
    return ClaimFile.settlement_id.in_(
        select(Settlement.settlement_id).where(Settlement.state == SettlementState.PAID)
    )


def is_billed(claim: ClaimFile) -> bool:
    """Tell whether the bill the claim was made from is still in force."""
    return session().execute(
        select(Settlement.settlement_id).where(
            Settlement.settlement_id == claim.settlement_id, Settlement.state == SettlementState.PAID
        )
    ).first() is not None


def sendable(month: str) -> Any:
    """The condition of claims that may be sent: passed, and their bill still in force."""
    return _current(month) & (ClaimFile.state == ClaimState.PASSED) & (ClaimFile.error_count == 0) & _billed()


def to_queue(limit: int = 100) -> Sequence[int]:
    """Return claims marked for sending whose file is not frozen yet, oldest first."""
    return session().execute(
        select(ClaimFile.claim_id)
        .where(ClaimFile.state == ClaimState.SENDING, ClaimFile.sent_file.is_(None))
        .order_by(ClaimFile.claim_id)
        .limit(limit)
    ).scalars().all()


def lost_sendings() -> Sequence[tuple[int, OutboxState, str]]:
    """Return claims still "sending" although their message ended: (claim, how it ended, what is known)."""
    rows = session().execute(
        select(ClaimFile.claim_id, OutboxMessage.state, OutboxMessage.answer)
        .join(OutboxMessage, OutboxMessage.dedup_key == _KEY)
        .where(
            ClaimFile.state == ClaimState.SENDING,
            OutboxMessage.state.in_((OutboxState.UNKNOWN, OutboxState.DEAD, OutboxState.REFUSED)),
        )
    )
    return [(row[0], row[1], row[2]) for row in rows]


def message_of(claim_id: int) -> OutboxMessage | None:
    """Return the outbox message of a claim."""
    return session().execute(
        select(OutboxMessage).where(OutboxMessage.dedup_key == f"{SEND_KIND}:{claim_id}")
    ).scalar_one_or_none()


def sendings(month: str, page: int = 1) -> tuple[list[Sending], int]:
    """Return what was sent to the insurer for a month and what it answered, newest first (1 statement)."""
    rows = _page(
        select(ClaimFile, Patient.full_name, OutboxMessage, func.count().over())
        .join(OutboxMessage, OutboxMessage.dedup_key == _KEY)
        .join(Visit, Visit.visit_id == ClaimFile.visit_id)
        .join(Patient, Patient.patient_id == Visit.patient_id)
        .where(ClaimFile.settlement_month == month, OutboxMessage.kind == SEND_KIND)
        .order_by(OutboxMessage.message_id.desc()),
        page,
    )
    found = [
        Sending(
            claim.claim_id, claim.visit_code, name, claim.version_no, claim.state, message.state, message.attempt_count,
            message.created_at, message.finished_at, message.next_at, claim.answer_code or message.answer_code,
            claim.answer or message.answer, claim.receipt_code,
        )
        for claim, name, message, _total in rows
    ]  # fmt: skip
    return found, int(rows[0][3]) if rows else 0


# --- month exports ------------------------------------------------------------------------------------------------


def get_export(export_id: int) -> ClaimExport:
    """Return an export as it stands now. Raises `ExportNotFound`."""
    found = session().get(ClaimExport, export_id, populate_existing=True)
    if found is None:
        raise ExportNotFound("Không tìm thấy lần xuất này.")
    return found


def exports(limit: int = 20) -> Sequence[ClaimExport]:
    """Return the latest exports."""
    return session().execute(select(ClaimExport).order_by(ClaimExport.export_id.desc()).limit(limit)).scalars().all()


def latest_export(month: str) -> ClaimExport | None:
    """Return the latest export of a month."""
    return session().execute(
        select(ClaimExport).where(ClaimExport.month == month).order_by(ClaimExport.export_id.desc()).limit(1)
    ).scalar_one_or_none()


def unfinished_export(month: str, folder: str) -> ClaimExport | None:
    """Return the export of a month into a folder that was begun and not finished."""
    return session().execute(
        select(ClaimExport)
        .where(
            ClaimExport.month == month,
            ClaimExport.folder == folder,
            ClaimExport.state.in_((ExportState.WAITING, ExportState.RUNNING)),
        )
        .order_by(ClaimExport.export_id.desc())
        .limit(1)
    ).scalar_one_or_none()


def stalled_exports() -> Sequence[int]:
    """Return exports nobody is working on: waiting, or left by a worker that died."""
    return session().execute(
        select(ClaimExport.export_id)
        .where(
            ClaimExport.state.in_((ExportState.WAITING, ExportState.RUNNING)),
            or_(ClaimExport.lease_until.is_(None), ClaimExport.lease_until < clock.now()),
        )
        .order_by(ClaimExport.export_id)
    ).scalars().all()


def exportable_count(month: str) -> int:
    """Return how many files an export of the month has."""
    return int(session().execute(select(func.count()).select_from(ClaimFile).where(_current(month), _billed())).scalar_one())


def exportable(month: str, after_claim_id: int, limit: int) -> Sequence[ClaimFile]:
    """Return the next claims of a month with their rows, by id (1 statement)."""
    return session().execute(
        select(ClaimFile)
        .where(_current(month), _billed(), ClaimFile.claim_id > after_claim_id)
        .options(undefer(ClaimFile.rows))
        .order_by(ClaimFile.claim_id)
        .limit(limit)
    ).scalars().all()
