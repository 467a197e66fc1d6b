"""Building claims: rows frozen as a version, the newer one superseding the older; sent versions keep their bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select, update

from his.audit import service as audit
from his.core import clock
from his.core.actor import Actor
from his.core.db import session
from his.core.errors import DomainError, InvalidState
from his.insurance import queries
from his.insurance.enums import Action, ClaimState
from his.insurance.errors import ClaimBeingSent, NotClaimable
from his.insurance.models import ClaimFile
from his.insurance.queries import ClaimSource
from his.insurance.rules import ClaimDocument, ClaimSettings
from his.insurance.service.check import check_document, store_findings
from his.insurance.service.rows import build_document, settlement_month
from his.records.enums import VisitState
from his.records.models import Visit

CHUNK: Final = 50
"""Visits built in one transaction, about a second: on SQLite the desk waits for it; memory stays flat."""
_LEAST_REASON: Final = 5


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a batch did: claims made anew, claims whose rows are as they were, and why a visit has none."""

    built: tuple[ClaimFile, ...] = ()
    unchanged: tuple[ClaimFile, ...] = ()
    problems: Mapping[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Draft:
    source: ClaimSource
    document: ClaimDocument
    digest: str
    claim: ClaimFile | None = None
    is_new: bool = False


def digest_of(tables: Mapping[str, Any]) -> str:
    """SHA-256 of the rows of a claim, in their order."""
    return hashlib.sha256(json.dumps(tables, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def document_of(claim: ClaimFile) -> ClaimDocument:
    """A stored version as a document; NGAYLAP is the day it was built, so that its file is the same for ever."""
    return ClaimDocument(
        facility_code=str(claim.rows["XML1"][0]["MA_CSKCB"]), made_on=clock.local(claim.built_at).date(), tables=claim.rows
    )


def build_claim(visit_id: int, *, actor: Actor) -> ClaimFile:
    """Build and check the claim of a settled visit; a version with the same rows stays the one in force.

    Raises `NotClaimable`, `ClaimSumsDiffer`, `ClaimBeingSent`.
    """
    return _one(visit_id, "", actor)


def rebuild(claim_id: int, reason: str, *, actor: Actor) -> ClaimFile:
    """Build a visit's claim again from what the record says now, and check it; needs a reason of 5 characters.

    Returns the claim in force: a new version when something changed, else the same one, checked again.
    """
    if len(reason.strip()) < _LEAST_REASON:
        raise InvalidState("Ghi lý do lập lại hồ sơ, ít nhất 5 ký tự.")
    return _one(queries.get_claim(claim_id).visit_id, reason.strip()[:300], actor)


def _one(visit_id: int, reason: str, actor: Actor) -> ClaimFile:
    current = queries.claim_of_visit(visit_id)
    if current is not None and current.state is ClaimState.SENDING:
        raise ClaimBeingSent("Hồ sơ đang gửi cổng. Chờ cổng trả lời rồi lập lại.")
    report = build_claims([visit_id], reason=reason, actor=actor, wait=True)
    if visit_id in report.problems:
        raise NotClaimable(report.problems[visit_id])
    found = next((claim for claim in (*report.built, *report.unchanged)), None)
    if found is None:
        raise NotClaimable("Lượt khám chưa thanh toán hoặc không theo bảo hiểm y tế, chưa có hồ sơ giám định.")
    return found


def build_claims(
    visit_ids: Sequence[int], *, reason: str = "", actor: Actor, settings: ClaimSettings | None = None, wait: bool = False
) -> BuildReport:
    """Build and check the claims of settled visits, a constant number of statements for the whole batch.

    A visit whose claim cannot be built is named in ``problems`` and holds nobody else up. Visits another process is
    building right now are left out (``wait``: waited for).
    """
    settings = settings or ClaimSettings()
    ids = _locked(visit_ids, wait=wait)
    sources = queries.claim_sources(ids)
    current = queries.current_claims(ids)
    problems: dict[int, str] = {}
    drafts: list[_Draft] = []
    today = clock.today()
    for source in sources:
        visit = source.visit
        known = current.get(visit.visit_id)
        if known is not None and known.state is ClaimState.SENDING:
            continue
        if visit.state is not VisitState.CLOSED:
            problems[visit.visit_id] = f"Lượt khám {visit.code} chưa kết thúc thanh toán."
            continue
        try:
            document = build_document(source, settings, today)
        except DomainError as error:
            problems[visit.visit_id] = error.message
            continue
        drafts.append(_Draft(source, document, digest_of(document.tables)))
    _take_versions(drafts, current, reason, actor)
    facts = queries.check_facts(draft.document for draft in drafts)
    checked = [
        (draft.claim, draft.source, check_document(draft.document, facts, settings, today))
        for draft in drafts
        if draft.claim is not None
    ]
    store_findings(checked)
    for draft in drafts:
        _record(draft, reason, actor)
    session().flush()  # the audit log of this batch leaves with it
    return BuildReport(
        tuple(draft.claim for draft in drafts if draft.claim is not None and draft.is_new),
        tuple(draft.claim for draft in drafts if draft.claim is not None and not draft.is_new),
        problems,
    )


def _locked(visit_ids: Sequence[int], *, wait: bool) -> list[int]:
    """Lock the visits: two builders never make the same version."""
    return list(
        session()
        .execute(
            select(Visit.visit_id)
            .where(Visit.visit_id.in_(visit_ids))
            .order_by(Visit.visit_id)
            .with_for_update(skip_locked=not wait, of=Visit)
        )
        .scalars()
    )


def _take_versions(
    drafts: Sequence[_Draft], current: Mapping[int, ClaimFile], reason: str, actor: Actor
) -> None:
    """Give each draft its claim: the version in force when nothing changed, else a new one that supersedes it."""
    here = session()
    stale: list[int] = []
    for draft in drafts:
        visit, settlement = draft.source.visit, draft.source.settlement
        known = current.get(visit.visit_id)
        if known is not None and known.digest == draft.digest and known.settlement_id == settlement.settlement_id:
            draft.claim = known
            continue
        if known is not None:
            stale.append(known.claim_id)
        draft.is_new = True
        draft.claim = ClaimFile(
            visit_id=visit.visit_id,
            visit_code=visit.code,
            version_no=known.version_no + 1 if known is not None else 1,
            state=ClaimState.BUILT,
            settlement_month=f"{settlement_month(draft.source):%Y-%m}",
            settlement_id=settlement.settlement_id,
            rows=dict(draft.document.tables),
            digest=draft.digest,
            total_amount=settlement.total_amount,
            fund_amount=settlement.fund_amount,
            built_at=clock.now(),
            built_by_id=actor.user_id,
            change_reason=(reason or "Phiếu thu thay đổi") if known is not None else "",
        )
    if stale:
        here.execute(
            update(ClaimFile)
            .where(ClaimFile.claim_id.in_(stale))
            .values(state=ClaimState.SUPERSEDED)
            .execution_options(synchronize_session="fetch")
        )
    here.add_all(draft.claim for draft in drafts if draft.is_new and draft.claim is not None)
    here.flush()  # findings point to the claims; one version in force per visit


def _record(draft: _Draft, reason: str, actor: Actor) -> None:
    claim, visit = draft.claim, draft.source.visit
    if claim is None:
        return
    counts = {"errors": claim.error_count, "warnings": claim.warning_count}
    if not draft.is_new:
        action, details = Action.CHECK, {"code": claim.visit_code, **counts}
    elif claim.version_no == 1:
        action = Action.BUILD
        details = {
            "code": claim.visit_code, "version": 1, "total": str(claim.total_amount), "fund": str(claim.fund_amount), **counts,
        }  # fmt: skip
    else:
        action = Action.REBUILD
        details = {"code": claim.visit_code, "version": claim.version_no, "changed": True, **counts}
    audit.record(
        actor, action, subject_type="claim_file", subject_id=claim.claim_id, patient_id=visit.patient_id,
        visit_id=visit.visit_id, details=details, reason=reason,
    )  # fmt: skip
