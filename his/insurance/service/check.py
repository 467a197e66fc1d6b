"""Checking claims and storing what was found, with the person who can put it right and the screen it is done on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import delete

from his.core.db import session
from his.core.errors import Severity
from his.insurance import rules
from his.insurance.enums import AnchorKind, ClaimState, Fixer
from his.insurance.models import ClaimFile, ClaimFinding
from his.insurance.queries import CheckFacts, ClaimSource
from his.insurance.rules import ClaimDocument, ClaimSettings, Finding
from his.orders.enums import OrderKind

_SIGNED_AT_SENDING: Final = "ENV-CHUKYDONVI-SIGN"
_BY_VISIT: Final = frozenset(
    {AnchorKind.VISIT, AnchorKind.EXAM, AnchorKind.ORDER, AnchorKind.PRESCRIPTION, AnchorKind.PRICE, AnchorKind.REFERRAL}
)


def check_document(
    document: ClaimDocument, facts: CheckFacts, settings: ClaimSettings, on: date
) -> tuple[Finding, ...]:
    """Errors and warnings of one of our claims, worst first; the signature is put on later and is not asked for."""
    catalogue = facts.on(document.ended_on or on)
    report = rules.check_claim(document, catalogue, settings, on=on)
    return tuple(
        finding
        for finding in report.findings
        if finding.severity is not Severity.INFO
        and (finding.rule_id != _SIGNED_AT_SENDING or settings.signature_required)
    )


def store_findings(claims: Sequence[tuple[ClaimFile, ClaimSource, Sequence[Finding]]]) -> None:
    """Replace what was found in these claims, and let the counts and the state follow (2 statements and inserts)."""
    if not claims:
        return
    here = session()
    here.execute(
        delete(ClaimFinding)
        .where(ClaimFinding.claim_id.in_([claim.claim_id for claim, _source, _findings in claims]))
        .execution_options(synchronize_session=False)
    )
    for claim, source, findings in claims:
        claim.error_count = sum(finding.severity is Severity.ERROR for finding in findings)
        claim.warning_count = len(findings) - claim.error_count
        if claim.state in (ClaimState.BUILT, ClaimState.FAULTY, ClaimState.PASSED):
            claim.state = ClaimState.FAULTY if claim.error_count else ClaimState.PASSED
        here.add_all(_stored(claim, source, finding) for finding in findings)


def _stored(claim: ClaimFile, source: ClaimSource, finding: Finding) -> ClaimFinding:
    row = _row_of(claim.rows, finding)
    kind, anchor_id = place_of(finding, claim, source)
    return ClaimFinding(
        claim_id=claim.claim_id,
        rule_id=finding.rule_id,
        table_code=finding.table,
        row_no=finding.row or None,
        field=finding.field,
        value=finding.value[:255],
        message=finding.message_vi[:1000],
        severity=finding.severity,
        source=finding.source[:300],
        suggestion=finding.suggestion[:500],
        owner_role=finding.who.value,
        owner_name=owner_name(finding, row, source)[:120],
        anchor=kind.value,
        anchor_id=anchor_id,
    )


def _row_of(tables: Mapping[str, Sequence[Mapping[str, str]]], finding: Finding) -> Mapping[str, str]:
    rows = tables.get(finding.table, ())
    return rows[finding.row - 1] if 0 < finding.row <= len(rows) else {}


def owner_name(finding: Finding, row: Mapping[str, str], source: ClaimSource) -> str:
    """Who can put the finding right, by name as far as the record knows it."""
    people, visit = source.people, source.visit
    by_licence, by_id = people.by_licence, people.by_id
    match finding.who:
        case Fixer.DOCTOR:
            licence = next(
                (row[n] for n in ("MA_BAC_SI", "NGUOI_THUC_HIEN", "MA_BS_DOC_KQ") if row.get(n) in by_licence), ""
            )
            return by_licence.get(licence) or by_id.get(visit.doctor_id or 0, "")
        case Fixer.LABORATORY_TECHNICIAN | Fixer.IMAGING_TECHNICIAN:
            return _technician(row, source)
        case Fixer.CASHIER:
            return source.settlement.by_name
        case Fixer.CLERK:
            return by_id.get(visit.created_by_id or 0, "")
        case Fixer.NURSE:
            return by_id.get(source.vitals.recorded_by_id or 0, "") if source.vitals else ""
        case Fixer.PHARMACIST:
            return next((handed.by_name for handed in source.handed_out.values()), "")
        case _:
            return ""


def _technician(row: Mapping[str, str], source: ClaimSource) -> str:
    code = row.get("MA_DICH_VU", "")
    lines = {line.line_id for line in source.order_lines if line.service_code == code}
    named: list[str] = [
        *(result.entered_by_name for result in source.lab_results if result.order_line_id in lines),
        *(report.written_by_name for report in source.reports if report.order_line_id in lines),
    ]
    licence = row.get("NGUOI_THUC_HIEN", "").split(";")[0] or row.get("MA_BS_DOC_KQ", "")
    return next(iter(named), "") or source.people.by_licence.get(licence, "")


def place_of(finding: Finding, claim: ClaimFile, source: ClaimSource) -> tuple[AnchorKind, int | None]:
    """The kind of screen and the id its address needs: a visit, an order line, or the claim itself."""
    kind = finding.anchor.kind
    if kind in _BY_VISIT:
        return kind, claim.visit_id
    if kind is AnchorKind.RESULT:
        line: Any = next((one for one in source.order_lines if one.service_code == finding.anchor.key), None)
        if line is None:
            return AnchorKind.ORDER, claim.visit_id
        return (kind if line.kind is OrderKind.LABORATORY else AnchorKind.REPORT), line.line_id
    return AnchorKind.CLAIM, claim.claim_id
