"""`his insurance …` for operators and officers."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import click
from flask.cli import with_appcontext

from his.billing import service as billing
from his.core import clock
from his.core.actor import SYSTEM
from his.core.config import current
from his.core.db import session, transaction
from his.core.errors import DomainError, Severity
from his.insurance import queries, rules, service, tasks
from his.insurance.enums import FIXER_LABELS, ExportState
from his.insurance.rules import CheckCatalogue, Finding

_MARKS = {Severity.ERROR: "LỖI", Severity.WARNING: "CẢNH BÁO", Severity.INFO: "LƯU Ý"}


@click.group("insurance")
def cli() -> None:
    """Insurance: try the benefit rules, export and check claim files."""


@cli.command("try")
@click.argument("cases", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="write what came to this CSV file")
@with_appcontext
def try_cases(cases: Path, out: Path | None) -> None:
    """Run the benefit rules on a file of cases (columns of benefit-cases.csv), with the functions the screens use.

    Prints what was expected and what came; empty expected columns are only computed. Exits 1 on a difference.
    Rows marked ``derived`` are run and listed like the others.
    """
    try:
        rows = billing.read_cases(cases)
    except (billing.BadCase, UnicodeDecodeError) as error:
        raise click.ClickException(str(error)) from error
    outcomes: list[billing.CaseOutcome] = []
    unreadable = 0
    for row in rows:
        try:
            outcome = billing.run_case(row)
        except (billing.BadCase, ValueError) as error:
            unreadable += 1
            click.echo(f"{row.get('id') or '?'}: KHÔNG ĐỌC ĐƯỢC. {error}")
            continue
        outcomes.append(outcome)
        _tell_case(outcome)
    if out is not None:
        billing.write_case_results(out, outcomes)
    wrong = [outcome for outcome in outcomes if outcome.differences]
    derived = [outcome for outcome in outcomes if outcome.confidence == "derived"]
    only_computed = sum(1 for outcome in outcomes if not outcome.expected)
    click.echo(
        f"{len(outcomes)} trường hợp: {len(outcomes) - len(wrong) - only_computed} khớp, {len(wrong)} lệch, "
        f"{only_computed} chỉ tính, {unreadable} không đọc được."
    )
    if derived:
        off = ", ".join(outcome.case_id for outcome in derived if outcome.differences) or "không có"
        click.echo(f"Dòng suy luận (derived): {', '.join(o.case_id for o in derived)}. Lệch: {off}.")
    if wrong or unreadable:
        raise SystemExit(1)


def _tell_case(outcome: billing.CaseOutcome) -> None:
    mark = "LỆCH" if outcome.differences else "khớp" if outcome.expected else "tính"
    note = f" [{outcome.confidence}]" if outcome.confidence and outcome.confidence != "sure" else ""
    expected = " ".join(f"{name}={value or '-'}" for name, value in outcome.expected.items()) or "(không nêu)"
    actual = " ".join(f"{name}={value or '-'}" for name, value in outcome.actual.items())
    click.echo(f"{outcome.case_id}{note}: {mark}")
    click.echo(f"  chờ: {expected}")
    click.echo(f"  ra:  {actual}")
    for difference in outcome.differences:
        click.echo(f"  ≠ {difference}")


@cli.command("export")
@click.option("--month", required=True, help="claim month, YYYY-MM")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="folder for the files")
@with_appcontext
def export(month: str, out: Path) -> None:
    """Write one claim file per visit of a month; stopped half-way, the same command goes on."""
    folder = out.resolve()
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}", month):
        raise click.ClickException(f"Tháng «{month}» chưa đúng. Gõ dạng 2026-11.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with transaction():
            row = service.start_export(month, actor=SYSTEM, folder=folder)
            export_id = row.export_id
            service.release_lease(export_id)
        tasks.export_month(export_id)
    except OSError as error:
        raise click.ClickException(f"Không ghi được vào {folder}: {error.strerror}. Kiểm tra quyền ghi và chỗ trống.") from error
    except DomainError as error:
        raise click.ClickException(error.message) from error
    done = queries.get_export(export_id)
    if done.state is not ExportState.DONE:
        raise click.ClickException(done.problem or "Một tiến trình khác đang xuất tháng này. Chờ xong rồi chạy lại.")
    counts = queries.month_counts(month)
    click.echo(f"Tháng {month}: {done.done_count} hồ sơ trong {folder}.")
    click.echo(f"Còn lỗi phải sửa: {counts.faulty}. Có cảnh báo: {counts.warned}.")
    missing = queries.unbuilt_count(month)
    if missing:
        click.echo(f"Chưa lập được: {missing} lượt khám (xem nhật ký hệ thống).")
    if done.problem:
        click.echo(done.problem)


@cli.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--on", "day", help="day of checking, YYYY-MM-DD; default today")
@click.option("--all", "show_all", is_flag=True, help="also list rules that were not judged")
@with_appcontext
def check(files: tuple[Path, ...], day: str | None, *, show_all: bool) -> None:
    """Check claim files, also those of other systems; exits 1 when any has an error."""
    try:
        on = date.fromisoformat(day) if day else clock.today()
    except ValueError as error:
        raise click.ClickException(f"Ngày «{day}» chưa đúng. Gõ dạng 2026-11-23.") from error
    failed = 0
    for path in files:
        failed += not _check_one(path, on, show_all=show_all)
        session().expunge_all()
    if len(files) > 1:
        click.echo(f"{len(files)} tệp: {len(files) - failed} đạt, {failed} có lỗi.")
    if failed:
        raise SystemExit(1)


def _check_one(path: Path, on: date, *, show_all: bool) -> bool:
    """Report on one file; True when it has no error."""
    data = path.read_bytes()
    reading = rules.read_file(data)
    facts = queries.check_facts(reading.claims)
    own = all(claim.facility_code == current().facility_code for claim in reading.claims)

    def lists(ended_on: date) -> CheckCatalogue:
        return facts.on(ended_on, own=own)

    report = rules.check_file(data, lists if reading.claims else None, on=on)
    click.echo(f"{path.name}: {_about(reading)}")
    for finding in report.findings:
        _tell_finding(finding)
    errors, warnings = len(report.errors), len(report.warnings)
    skipped = len(report.not_checked)
    verdict = "ĐẠT" if not errors else "CÓ LỖI"
    click.echo(f"  {verdict}: {errors} lỗi, {warnings} cảnh báo; {skipped} quy tắc chưa đủ dữ liệu để kiểm.")
    if show_all:
        for entry in report.not_checked:
            click.echo(f"    chưa kiểm {entry.rule_id}: {entry.reason_vi}")
    return not errors


def _about(reading: rules.Reading) -> str:
    parts = []
    for claim in reading.claims:
        tables = ", ".join(f"{code} {len(rows)}" for code, rows in claim.tables.items())
        key = (claim.summary or {}).get("MA_LK", "") or "không có mã liên kết"
        parts.append(f"hồ sơ {key}, cơ sở {claim.facility_code or '?'} ({tables or 'không có bảng'})")
    if reading.checkins:
        parts.append(f"{len(reading.checkins)} lượt check-in")
    return "; ".join(parts) or "không đọc được hồ sơ nào"


def _tell_finding(finding: Finding) -> None:
    place = finding.table + (f" dòng {finding.row}" if finding.row else "") + (f" {finding.field}" if finding.field else "")
    value = f" «{finding.value}»" if finding.value else ""
    click.echo(f"  {_MARKS[finding.severity]} {place}{value}: {finding.message_vi}")
    if finding.suggestion:
        click.echo(f"      → {finding.suggestion}")
    click.echo(f"      {finding.rule_id}; nguồn: {rules.source_text(finding.source)}; ai sửa: {FIXER_LABELS[finding.who]}")
