"""`his registration …`: try the parser of identity documents."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click
from flask.cli import with_appcontext

from his.core import clock
from his.registration.rules import ERRORS, cases, parse_identity


@click.group("registration")
def cli() -> None:
    """The reception desk."""


@cli.command("parse")
@click.argument("text", required=False)
@click.option(
    "--cases", "case_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="file of cases (qr-cases.json)"
)
@click.option("--on", "day", default="", help="reference date YYYY-MM-DD for TEXT; today when left out")
@with_appcontext
def parse(text: str | None, case_file: Path | None, day: str) -> None:
    r"""Read TEXT as the desk does and print what was understood, or run a file of cases.

    With a file: expected and actual of each case; ends with an error when any differs. "\n" in TEXT is a line end.
    """
    if (text is None) == (case_file is None):
        raise click.UsageError("Đưa một đoạn TEXT, hoặc --cases TỆP.json.")
    if case_file is not None:
        _run(case_file)
        return
    try:
        on = date.fromisoformat(day) if day else clock.today()
    except ValueError as error:
        raise click.UsageError("--on cần ngày dạng 2026-11-23.") from error
    result = parse_identity((text or "").replace("\\n", "\n"), on)
    click.echo(json.dumps(result.as_dict(), ensure_ascii=False, indent=2))
    if not result.ok:
        click.echo(ERRORS[result.error], err=True)
        raise SystemExit(1)


def _run(case_file: Path) -> None:
    try:
        outcomes = cases.run_file(case_file)
    except cases.BadCaseFile as error:
        raise click.ClickException(str(error)) from error
    for outcome in outcomes:
        click.echo(f"{'đạt ' if outcome.passed else 'LỆCH'} {outcome.case_id}")
        click.echo(f"  mong đợi: {json.dumps(outcome.expected, ensure_ascii=False, sort_keys=True)}")
        click.echo(f"  thực tế : {json.dumps(outcome.actual, ensure_ascii=False, sort_keys=True)}")
    wrong = sum(not outcome.passed for outcome in outcomes)
    click.echo(f"{len(outcomes)} trường hợp, {len(outcomes) - wrong} đạt, {wrong} lệch.")
    if wrong:
        raise SystemExit(1)
