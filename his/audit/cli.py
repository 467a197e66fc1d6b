"""`his audit …` for operators."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from his.audit import service


@click.group("audit")
def cli() -> None:
    """The audit log."""


@cli.command("seal")
@with_appcontext
def seal_command() -> None:
    """Seal what is not sealed yet."""
    total = 0
    while count := service.seal():
        total += count
    click.echo(f"Đã niêm {total} sự kiện.")


@cli.command("verify")
@with_appcontext
def verify_command() -> None:
    """Prove that the log is whole; exits with 1 and names what was changed otherwise."""
    result = service.verify()
    click.echo(f"{result.events} sự kiện, {result.seals} dấu niêm, {result.unsealed} chưa niêm.")
    for problem in result.problems:
        click.echo(f"SAI: {problem}")
    if result.problems:
        raise SystemExit(1)
    click.echo("Nhật ký nguyên vẹn.")
