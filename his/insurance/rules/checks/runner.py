"""Runs every rule over a claim, a check-in or a file, and says what it did not judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Final

from his.core.errors import Severity
from his.core.xml import DEFAULT_LIMITS, XmlLimits
from his.insurance.rules.checks import beds, drugs, envelope, money, papers, results, services, summary
from his.insurance.rules.checks.catalogue import LABELS, CheckCatalogue
from his.insurance.rules.checks.conditions import LIMITS, SETTINGS
from his.insurance.rules.checks.context import Context, Hit, RowView, Special
from his.insurance.rules.checks.generic import catalogue_of, check_row, generic_rule_ids
from his.insurance.rules.document import CheckinDocument, ClaimDocument
from his.insurance.rules.findings import Finding, NotChecked
from his.insurance.rules.reader import Reading, read_file
from his.insurance.rules.registry import make_finding, rule_specs
from his.insurance.rules.settings import ClaimSettings
from his.insurance.tables import CHECKIN_TABLE, CLAIM_TABLES, table_specs

_BOOKS: Final = (
    envelope.book,
    summary.book,
    money.book,
    drugs.book,
    services.book,
    beds.book,
    results.book,
    papers.book,
)
_WEIGHT: Final = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
_ENVELOPE_TABLES: Final = ("ENV", "ALL")

CatalogueSource = CheckCatalogue | Callable[[date], CheckCatalogue]


@dataclass(frozen=True)
class CheckReport:
    """Findings, worst first, and the rules that were not or only partly judged."""

    findings: tuple[Finding, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that stop a claim."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings a person should look at."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.WARNING)


@dataclass(frozen=True)
class Coverage:
    """Which official rules are built; ``partial`` are built ones with what they cannot see."""

    built: tuple[str, ...]
    not_built: Mapping[str, str]
    partial: Mapping[str, str]


def check_claim(
    document: ClaimDocument,
    catalogue: CheckCatalogue | None = None,
    settings: ClaimSettings | None = None,
    *,
    on: date,
) -> CheckReport:
    """Check a claim before it is written or after it was read. ``on`` is today, for rules about the future."""
    tables = _views(document)
    context = Context(document, catalogue or CheckCatalogue(), settings or ClaimSettings(), on, tables)
    return _run(context)


def check_checkin(
    document: CheckinDocument,
    catalogue: CheckCatalogue | None = None,
    settings: ClaimSettings | None = None,
    *,
    on: date,
) -> CheckReport:
    """Check a check-in (XML0)."""
    facility = document.row.get("MA_CSKCB", "")
    claim = ClaimDocument(facility, on, {CHECKIN_TABLE: [document.row]}, signature=document.signature)
    return check_claim(claim, catalogue, settings, on=on)


def check_file(
    data: bytes,
    catalogue: CatalogueSource | None = None,
    settings: ClaimSettings | None = None,
    *,
    on: date,
    limits: XmlLimits = DEFAULT_LIMITS,
) -> CheckReport:
    """Read and check a claim or check-in file of any system; never raises for a bad one.

    ``catalogue`` may be a function from the day the visit ended to the code lists of that day.
    """
    reading = read_file(data, limits=limits)
    reports = [
        *(check_claim(claim, _for_day(catalogue, claim.ended_on or on), settings, on=on) for claim in reading.claims),
        *(check_checkin(checkin, _for_day(catalogue, on), settings, on=on) for checkin in reading.checkins),
    ]
    return _merged(reading, reports)


@cache
def coverage() -> Coverage:
    """Every official rule is in exactly one of ``built`` and ``not_built``."""
    special = _specials()
    built = {*generic_rule_ids(), *special, *envelope.READER_RULES}
    ids = tuple(rule_specs())
    partial = {**LIMITS, **{rule_id: entry.limit for rule_id, entry in special.items() if entry.limit}}
    not_built = {rule_id: "chưa có hàm kiểm tra" for rule_id in ids if rule_id not in built}
    return Coverage(
        built=tuple(rule_id for rule_id in ids if rule_id in built),
        not_built=MappingProxyType(not_built),
        partial=MappingProxyType(partial),
    )


def _views(document: ClaimDocument) -> dict[str, tuple[RowView, ...]]:
    return {
        code: tuple(RowView(code, number, row) for number, row in enumerate(rows, start=1))
        for code, rows in document.tables.items()
        if rows and code in (CHECKIN_TABLE, *CLAIM_TABLES)
    }


def _run(context: Context) -> CheckReport:
    findings: list[Finding] = []
    not_checked: list[NotChecked] = []
    for rows in context.tables.values():
        for row in rows:
            findings.extend(check_row(context, row))
    for rule_id, entry in _specials().items():
        missing = entry.needs and getattr(context.catalogue, entry.needs) is None
        if not missing:
            findings.extend(_finding(context, rule_id, hit) for hit in entry.check(context))
    not_checked.extend(_unjudged(context))
    return CheckReport(_sorted(findings), tuple(not_checked))


def _unjudged(context: Context) -> Iterator[NotChecked]:
    """Rules of the tables present that lack a catalogue or are switched off, by name."""
    specials = _specials()
    present = {*context.tables, "ENV", "ALL"}
    for rule_id, rule in rule_specs().items():
        if rule.table not in present:
            continue
        entry = specials.get(rule_id)
        if entry is not None:
            needed, partly = entry.needs, entry.partly_needs
            switch = entry.setting
        elif rule_id in _generic_ids():
            needed, partly, switch = catalogue_of(rule_id), "", SETTINGS.get(rule_id, "")
        else:
            continue
        if switch and not getattr(context.settings, switch):
            yield NotChecked(rule_id, f"Cài đặt {switch} đang tắt.")
        elif needed and needed != "departments" and getattr(context.catalogue, needed) is None:
            yield NotChecked(rule_id, f"Chưa có {LABELS[needed]}.")
        elif partly and getattr(context.catalogue, partly) is None:
            yield NotChecked(rule_id, f"Chỉ kiểm một phần: chưa có {LABELS[partly]}.")


def _finding(context: Context, rule_id: str, hit: Hit) -> Finding:
    row = hit.row
    if row is None:
        return make_finding(
            rule_id,
            table=hit.table,
            row=context.summary.values,
            field=hit.field,
            value=hit.value if hit.value is not None else "",
            suggestion=hit.suggestion,
            severity=hit.severity,
        )
    group = "" if row["MA_NHOM"] else context.groups_by_service.get(row["MA_DICH_VU"], "")
    return make_finding(
        rule_id,
        table=row.table,
        row_number=row.number,
        row=row.values,
        field=hit.field,
        value=hit.value,
        suggestion=hit.suggestion,
        severity=hit.severity,
        group=group,
    )


@cache
def _specials() -> Mapping[str, Special]:
    merged: dict[str, Special] = {}
    for book in _BOOKS:
        for rule_id, entry in book.rules.items():
            if rule_id in merged or rule_id not in rule_specs():
                raise ValueError(f"{rule_id} is not an official rule, or entered twice")
            merged[rule_id] = entry
    return MappingProxyType(merged)


@cache
def _generic_ids() -> frozenset[str]:
    return generic_rule_ids()


def _for_day(catalogue: CatalogueSource | None, day: date) -> CheckCatalogue | None:
    return catalogue if catalogue is None or isinstance(catalogue, CheckCatalogue) else catalogue(day)


def _merged(reading: Reading, reports: Sequence[CheckReport]) -> CheckReport:
    findings = [*reading.findings, *(finding for report in reports for finding in report.findings)]
    unjudged = {entry.rule_id: entry for report in reports for entry in report.not_checked}
    if not reports:
        skipped = "Không đọc được tệp."
        unjudged = {
            rule_id: NotChecked(rule_id, skipped)
            for rule_id, rule in rule_specs().items()
            if rule.table in _ENVELOPE_TABLES and rule_id not in {finding.rule_id for finding in findings}
        }
    return CheckReport(_sorted(findings), tuple(unjudged.values()))


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    order = {code: place for place, code in enumerate(("ENV", "ALL", *table_specs(date.max)))}
    return tuple(sorted(findings, key=lambda f: (_WEIGHT[f.severity], order.get(f.table, -1), f.row)))
