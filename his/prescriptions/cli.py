"""`his prescriptions …`: trying the checks on files of cases."""

from __future__ import annotations

from pathlib import Path

import click

from his.prescriptions.rules import RULESET_VERSION, cases


@click.group("prescriptions")
def cli() -> None:
    """Prescription rules."""


@cli.command("try")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--quiet", is_flag=True, help="print only cases that differ and the total")
def try_cases(file: Path, *, quiet: bool) -> None:
    """Run a file of cases through the checks the screens use.

    Exit code 0: every case as expected; 1: differences; 2: no difference, but rules that are not built were named.
    """
    try:
        found, defaults = cases.read_cases(file)
    except cases.BadCase as error:
        raise click.ClickException(str(error)) from error
    wrong = unbuilt = 0
    for number, case in enumerate(found, 1):
        try:
            outcome = cases.run_case(case, defaults)
        except cases.BadCase as error:
            wrong += 1
            click.echo(f"LỖI   {case.get('id', f'số {number}')}: {error}")
            continue
        is_wrong, is_unbuilt = bool(outcome.differences), bool(outcome.not_built)
        wrong, unbuilt = wrong + is_wrong, unbuilt + (is_unbuilt and not is_wrong)
        if quiet and not is_wrong and not is_unbuilt:
            continue
        word = "KHÁC " if is_wrong else "CHƯA " if is_unbuilt else "ĐÚNG "
        click.echo(f"{word} {outcome.case_id}  {outcome.title}")
        click.echo(f"      mong đợi: {', '.join(outcome.expected) or '(không cảnh báo)'}")
        click.echo(f"      thực tế : {', '.join(outcome.actual) or '(không cảnh báo)'}")
        for difference in outcome.differences:
            click.echo(f"      khác    : {difference}")
        for name in outcome.not_built:
            click.echo(f"      chưa xây: {name} (không được coi là đạt)")
    click.echo(
        f"{len(found)} ca, {len(found) - wrong - unbuilt} đúng, {wrong} khác, {unbuilt} có quy tắc chưa xây. "
        f"Bộ quy tắc {RULESET_VERSION}."
    )
    if wrong or unbuilt:
        raise SystemExit(1 if wrong else 2)
