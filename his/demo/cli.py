"""`his demo …`: load the demo hospital, show its log-ins and the texts to scan. `his prepare`: what `make run` needs."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from his.core import migrate
from his.core.config import current
from his.demo import loading, people, staff


@click.group("demo")
def cli() -> None:
    """The invented demo hospital."""


def _tell(text: str) -> None:
    click.echo(text, err=True)


@cli.command("load")
@click.option("--staff-only", is_flag=True, help="catalogues, staff and stock; no patients")
@with_appcontext
def load(*, staff_only: bool) -> None:
    """Load catalogues, staff, stock, earlier visits and a morning for today; a second run changes nothing."""
    if current().is_production:
        raise click.ClickException("Không nạp bệnh viện mẫu vào hệ thống thật (HIS_ENV=production).")
    loading.load_ground(_tell)
    if not staff_only:
        loading.load_patients(_tell)


def _logins() -> str:
    rows = staff.logins()
    lines = [f"  {row['username']:<13} {row['role']:<26} {row['name']}" for row in rows]
    head = f"Mật khẩu chung: {staff.PASSWORD}    Mã ký: {staff.PIN}    Thẻ để quét: his demo cards"
    return "\n".join([head, *lines]) if rows else ""


@cli.command("logins")
@with_appcontext
def logins() -> None:
    """Print one log-in of each role."""
    text = _logins()
    if not text:
        raise click.ClickException("Chưa có bệnh viện mẫu. Chạy: his demo load")
    click.echo(text)


@cli.command("cards")
@with_appcontext
def cards() -> None:
    """Print texts to scan or paste into the desk's field."""
    for card in people.trial_cards():
        click.echo(f"{card.title}: {card.person.name}")
        click.echo(f"  {card.text}")


@click.command("prepare")
@with_appcontext
def prepare() -> None:
    """Bring the schema up to date; load the demo hospital into an empty database (not in production)."""
    migrate.upgrade()
    if current().is_production:
        return
    # The mark tells a loading that was interrupted: the next start goes on with what is missing.
    mark = current().var_dir / "demo-loading"
    if loading.is_empty() or mark.exists():
        _tell("Cơ sở dữ liệu trống: nạp bệnh viện mẫu, khoảng một phút.")
        mark.touch()
        loading.load_ground(_tell)
        loading.load_patients(_tell)
        mark.unlink()
    click.echo(_logins())
