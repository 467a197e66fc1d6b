"""Loading the demo hospital: each part once, in an order that another start may continue."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date

from sqlalchemy import select

from his.catalogues import service as catalogues
from his.core import clock
from his.core.actor import SYSTEM
from his.core.db import session, transaction
from his.demo import claims, history, journey, morning, staff, stock
from his.identity.models import User
from his.records.models import Visit

Tell = Callable[[str], None]


def is_empty() -> bool:
    """Tell whether nobody works here yet."""
    return session().execute(select(User.user_id).limit(1)).first() is None


def has_visits(day: date | None = None) -> bool:
    """Tell whether somebody came (on a day, or ever)."""
    statement = select(Visit.visit_id).limit(1)
    return session().execute(statement if day is None else statement.where(Visit.service_on == day)).first() is not None


def load_ground(tell: Tell) -> None:
    """Catalogues with prices, roles, staff, stock; a second run changes nothing."""
    started = time.monotonic()
    with transaction():
        reports = catalogues.load_packaged(actor=SYSTEM)
    tell(_line("Danh mục", sum(report.added for report in reports), "dòng mới", started))
    with transaction():
        count = staff.load()
    tell(_line("Nhân viên", count, "tài khoản mới", started))
    with transaction():
        count = stock.load(actor=staff.actor("duocsi"))
    tell(_line("Kho thuốc", count, "lô mới", started))


def load_patients(tell: Tell) -> None:
    """The past when nobody ever came, and a morning for today when nobody came today."""
    started = time.monotonic()
    with journey.outside_world():
        house = journey.House()
        if not has_visits():
            tell(_line("Các tháng trước", history.load(house), "lượt khám", started))
            tell(_line("Hồ sơ BHYT tháng trước", claims.load(house), "hồ sơ", started))
        if not has_visits(clock.today()):
            tell(_line("Sáng nay", morning.load(house), "lượt khám", started))
        house.go_home()


def _line(what: str, count: int, unit: str, started: float) -> str:
    return f"{what}: {count} {unit} ({time.monotonic() - started:.1f} s)."
