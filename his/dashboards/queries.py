"""Figures of the hospital's day, read straight from the rows of the modules below (7 statements)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from his.billing.enums import SettlementState
from his.billing.models import Payment, Settlement
from his.catalogues.models import Room
from his.core import clock
from his.core.db import session
from his.dashboards import rules
from his.documents.models import Paper
from his.insurance.enums import ClaimState
from his.insurance.models import ClaimFile
from his.records.enums import VisitState
from his.records.models import Visit
from his.registration.enums import TicketState
from his.registration.models import QueueTicket

WEEK = timedelta(days=7)
WAIT_TARGET = 30
TOP_DIAGNOSES = 7
FAULTY = (ClaimState.FAULTY, ClaimState.REFUSED)


@dataclass(frozen=True, slots=True)
class RoomQueue:
    """One clinic with who waits there now."""

    code: str
    name: str
    is_open: bool
    waiting: int
    longest: int  # minutes


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Visits of a day up to a moment."""

    count: int
    emergencies: int
    median_wait: float | None
    hours: dict[int, int]
    diagnoses: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Money:
    """Money of a day up to a moment (đồng)."""

    taken: Decimal
    fund: Decimal
    copay: Decimal
    outside: Decimal


@dataclass(frozen=True, slots=True)
class Claims:
    """Claim files of a month."""

    total: int
    passed: int
    faulty: int
    sent: int
    faulty_amount: Decimal


@dataclass(frozen=True, slots=True)
class Sheets:
    """Sheets issued as files that nobody printed."""

    day: int
    month: int


@dataclass(frozen=True, slots=True)
class Board:
    """All figures of the page and when they were taken. ``before`` is the same weekday a week earlier, to the same time."""

    day: date
    at: datetime
    is_today: bool
    visits: Arrivals
    visits_before: Arrivals
    money: Money
    money_before: Money
    rooms: tuple[RoomQueue, ...]
    claims: Claims
    sheets: Sheets

    @property
    def waiting(self) -> int:
        return sum(room.waiting for room in self.rooms)

    @property
    def longest(self) -> RoomQueue | None:
        """The clinic where somebody waits longest."""
        return max((room for room in self.rooms if room.waiting), key=lambda room: room.longest, default=None)


def board(day: date) -> Board:
    """Return the figures of a day: to this moment for today, the whole day for an earlier one."""
    now = clock.now()
    is_today = day == clock.today()
    first, after = clock.day_bounds(day)
    until = min(now, after)
    visits, visits_before = _arrivals(day, until)
    money, money_before = _money(first, until), _money(first - WEEK, until - WEEK)
    return Board(
        day, now, is_today, visits, visits_before, money, money_before, _rooms(day, now) if is_today else (),
        _claims(f"{day:%Y-%m}"), _sheets(day, until),
    )  # fmt: skip


def _arrivals(day: date, until: datetime) -> tuple[Arrivals, Arrivals]:
    rows = session().execute(
        select(
            Visit.service_on, Visit.registered_at, Visit.called_at, Visit.is_emergency, Visit.main_icd, Visit.main_icd_name,
        ).where(Visit.service_on.in_((day, day - WEEK)), Visit.state != VisitState.CANCELLED)
    ).all()  # fmt: skip
    return (
        _count([r for r in rows if r[0] == day and r[1] <= until], until),
        _count([r for r in rows if r[0] != day and r[1] <= until - WEEK], until - WEEK),
    )


def _count(rows: list[Any], until: datetime) -> Arrivals:
    waits = [rules.minutes(at, called) for _d, at, called, *_rest in rows if called is not None and called <= until]
    names = {icd: name for *_rest, icd, name in rows if icd}
    top = Counter(row[4] for row in rows if row[4]).most_common(TOP_DIAGNOSES)
    return Arrivals(
        len(rows), sum(1 for row in rows if row[3]), rules.median(waits),
        rules.by_hour([clock.local(row[1]).hour for row in rows]), tuple((icd, names[icd], n) for icd, n in top),
    )  # fmt: skip


def _money(first: datetime, until: datetime) -> Money:
    taken = (
        session().execute(select(func.sum(Payment.amount)).where(Payment.at >= first, Payment.at <= until)).scalar_one()
    )
    row = (
        session()
        .execute(
            select(
                func.sum(Settlement.fund_amount), func.sum(Settlement.copay_amount), func.sum(Settlement.outside_amount)
            ).where(Settlement.at >= first, Settlement.at <= until, Settlement.state == SettlementState.PAID)
        )
        .one()
    )
    return Money(taken or Decimal(0), row[0] or Decimal(0), row[1] or Decimal(0), row[2] or Decimal(0))


def _rooms(day: date, now: datetime) -> tuple[RoomQueue, ...]:
    waits = and_(QueueTicket.room_code == Room.code, QueueTicket.day == day, QueueTicket.state == TicketState.WAITING)
    rows = session().execute(
        select(Room.code, Room.name, Room.is_open, func.count(QueueTicket.ticket_id), func.min(QueueTicket.created_at))
        .outerjoin(QueueTicket, waits)
        .where(Room.kind == "clinic", Room.valid_from <= day, or_(Room.valid_to.is_(None), Room.valid_to >= day))
        .group_by(Room.code, Room.name, Room.is_open, Room.sort)
        .order_by(Room.sort, Room.code)
    )
    return tuple(
        RoomQueue(code, name, is_open, n, int(rules.minutes(oldest, now)) if oldest else 0)
        for code, name, is_open, n, oldest in rows
    )


def _claims(month: str) -> Claims:
    rows = (
        session()
        .execute(
            select(ClaimFile.state, func.count(), func.sum(ClaimFile.fund_amount))
            .where(ClaimFile.settlement_month == month, ClaimFile.state != ClaimState.SUPERSEDED)
            .group_by(ClaimFile.state)
        )
        .all()
    )
    counts = {state: n for state, n, _amount in rows}
    return Claims(
        sum(counts.values()), counts.get(ClaimState.PASSED, 0), sum(counts.get(state, 0) for state in FAULTY),
        counts.get(ClaimState.SENT, 0), sum((amount for state, _n, amount in rows if state in FAULTY), Decimal(0)),
    )  # fmt: skip


def _sheets(day: date, until: datetime) -> Sheets:
    first = clock.day_bounds(day)[0]
    month = clock.day_bounds(day.replace(day=1))[0]
    row = (
        session()
        .execute(
            select(
                func.sum(case((Paper.issued_at >= first, Paper.page_count), else_=0)), func.sum(Paper.page_count)
            ).where(Paper.issued_at >= month, Paper.issued_at <= until, Paper.print_count == 0)
        )
        .one()
    )
    return Sheets(int(row[0] or 0), int(row[1] or 0))
