"""`his demo …`: load the demo hospital, show its log-ins and the texts to scan."""

from __future__ import annotations

import time
from datetime import date

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from his.catalogues import service as catalogues
from his.core import clock
from his.core.actor import SYSTEM
from his.core.config import current
from his.core.db import session, transaction
from his.demo import history, journey, morning, people, staff, stock
from his.records.models import Visit


def _has_visits(day: date | None = None) -> bool:
    statement = select(Visit.visit_id).limit(1)
    return session().execute(statement if day is None else statement.where(Visit.service_on == day)).first() is not None


@click.group("demo")
def cli() -> None:
    """The invented demo hospital."""


@cli.command("load")
@click.option("--staff-only", is_flag=True, help="catalogues, staff and stock; no patients")
@with_appcontext
def load(*, staff_only: bool) -> None:
    """Load catalogues, staff, stock and patients; a second run changes nothing."""
    if current().is_production:
        raise click.ClickException("Không nạp bệnh viện mẫu vào hệ thống thật (HIS_ENV=production).")
    started = time.monotonic()
    with transaction():
        reports = catalogues.load_packaged(actor=SYSTEM)
    _tell(f"Danh mục: {sum(report.added for report in reports)} dòng mới", started)
    with transaction():
        people_count = staff.load()
    _tell(f"Nhân viên: {people_count} tài khoản mới", started)
    with transaction():
        lot_count = stock.load(actor=staff.actor("duocsi"))
    _tell(f"Kho thuốc: {lot_count} lô mới", started)
    if staff_only:
        return
    with journey.outside_world():
        house = journey.House()
        if not _has_visits():
            count = history.load(house)
            _tell(f"Quá khứ: {count} lượt khám", started)
        if not _has_visits(clock.today()):
            count = morning.load(house)
            _tell(f"Sáng nay: {count} lượt khám", started)
        house.go_home()


def _tell(text: str, started: float) -> None:
    click.echo(f"{text} ({time.monotonic() - started:.1f} s).")


@cli.command("logins")
@with_appcontext
def logins() -> None:
    """Print one log-in of each role."""
    rows = staff.logins()
    if not rows:
        raise click.ClickException("Chưa có bệnh viện mẫu. Chạy: his demo load")
    click.echo(f"Mật khẩu chung: {staff.PASSWORD}   Mã ký: {staff.PIN}")
    for row in rows:
        click.echo(f"  {row['username']:<12} {row['role']:<26} {row['name']}")


@cli.command("cards")
@with_appcontext
def cards() -> None:
    """Print texts to scan or paste into the desk's field."""
    for card in people.trial_cards():
        click.echo(f"{card.title}: {card.person.name}")
        click.echo(f"  {card.text}")
