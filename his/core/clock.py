"""The only clock in the house: aware times, and the hospital's business day.

Times are stored in UTC and shown in Asia/Ho_Chi_Minh. A business day is the calendar day in Ho Chi Minh City.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LOCAL_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")

_set_to: ContextVar[datetime | None] = ContextVar("his_clock", default=None)


def now() -> datetime:
    """Return the present moment as an aware UTC time."""
    return _set_to.get() or datetime.now(UTC)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let the house believe it is another moment: for the demo hospital's past and for tests, nowhere else."""
    if moment.tzinfo is None:
        raise ValueError("naive datetime: use from_local")
    token = _set_to.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _set_to.reset(token)


def today() -> date:
    """Return the present business day of the hospital."""
    return now().astimezone(LOCAL_ZONE).date()


def local(moment: datetime) -> datetime:
    """Return an aware time as the hospital's wall clock shows it."""
    return moment.astimezone(LOCAL_ZONE)


def from_local(day: date, at: time = time()) -> datetime:
    """Return the UTC moment at which the hospital's wall clock shows this day and time."""
    return datetime.combine(day, at, tzinfo=LOCAL_ZONE).astimezone(UTC)


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """Return the UTC moments between which a business day lies (start included, end excluded)."""
    return from_local(day), from_local(day + timedelta(days=1))
