"""`his catalogues …` for operators."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
from flask.cli import with_appcontext

from his.catalogues import rules, service
from his.catalogues.errors import ImportRefused
from his.core.actor import SYSTEM
from his.core.db import transaction


@click.group("catalogues")
def cli() -> None:
    """Catalogues: codes, names, prices."""


def _tell(report: service.ImportReport) -> None:
    if report.already_done:
        click.echo(f"{report.catalogue}: đã có, không đổi.")
    else:
        click.echo(
            f"{report.catalogue}: thêm {report.added}, đổi {report.changed}, đóng {report.closed}, giữ {report.unchanged}."
        )


@cli.command("load")
@with_appcontext
def load() -> None:
    """Load the packaged catalogues; a second run changes nothing."""
    with transaction():
        for report in service.load_packaged(actor=SYSTEM):
            _tell(report)


@cli.command("import")
@click.argument("catalogue", type=click.Choice(sorted(rules.SPECS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--valid-from", required=True, type=click.DateTime(["%Y-%m-%d"]), help="first day of the new rows")
@click.option("--full", is_flag=True, help="close rows that are not in the file")
@click.option("--dry-run", is_flag=True, help="only say what would happen")
@with_appcontext
def import_command(catalogue: str, file: Path, valid_from: datetime, *, full: bool, dry_run: bool) -> None:
    """Import FILE (CSV or XLSX) into CATALOGUE: all rows or none."""
    try:
        with transaction():
            report = service.import_catalogue(
                catalogue, file.name, file.read_bytes(), valid_from=valid_from.date(), source=file.name, full=full,
                dry_run=dry_run, actor=SYSTEM,
            )  # fmt: skip
    except ImportRefused as error:
        for problem in error.problems:
            click.echo(f"dòng {problem.row}, cột {problem.column or '-'}, «{problem.value}»: {problem.message}")
        raise click.ClickException(error.message) from error
    _tell(report)
