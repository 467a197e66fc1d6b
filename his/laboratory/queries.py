"""Reads of results."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, exists, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from his.catalogues import queries as catalogues
from his.catalogues.models import LabIndex
from his.core import clock, search
from his.core.db import session
from his.core.errors import NotFound
from his.laboratory import rules
from his.laboratory.enums import Flag, ResultState, Step
from his.laboratory.models import LabResult, LabValue
from his.orders.enums import OrderKind, OrderState
from his.orders.models import OrderLine, ServiceOrder
from his.records.models import Patient, Visit

OPEN_DAYS = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class WorkRow:
    """One ordered service on the laboratory's list."""

    line_id: int
    visit_id: int
    full_name: str
    sex: str
    birth_on: date
    birth_precision: str
    patient_code: str
    order_code: str
    service_name: str
    step: Step
    is_urgent: bool
    ordered_at: datetime
    ordered_by: str
    room_code: str
    indication: str
    started_at: datetime | None
    released_at: datetime | None
    entered_by_id: int | None
    entered_by: str
    has_critical: bool
    is_correction: bool


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One ordered service with its order, visit and patient, for the entry screen."""

    line: OrderLine
    visit: Visit


@dataclass(frozen=True, slots=True)
class EarlierValue:
    """What an index was the time before."""

    value: str
    flag: Flag
    released_at: datetime


@dataclass(frozen=True, slots=True)
class PanelService:
    """One ordered service on the doctor's page: its values, or that it is awaited."""

    line_id: int
    service_name: str
    step: Step
    released_at: datetime | None
    conclusion: str
    is_correction: bool
    values: tuple[LabValue, ...]


@dataclass(frozen=True, slots=True)
class ResultText:
    """A released result as other screens and papers show it."""

    service_name: str
    released_at: datetime | None
    values: tuple[tuple[str, str, str, str, str], ...]  # name, value, unit, range, flag
    conclusion: str
    is_released: bool


def facts_of(row: LabIndex) -> rules.IndexFacts:
    """Return a catalogue row as the rules want it."""
    return rules.IndexFacts(
        row.code, row.name_vi, row.unit, row.value_type, row.decimals, row.age_min_days, row.age_max_days,
        row.male_low, row.male_high, row.female_low, row.female_high, row.critical_low, row.critical_high,
    )  # fmt: skip


def indices_for(service_code: str, age_days: int, on: date) -> list[rules.IndexFacts]:
    """Return the indices of a service in their order, each with the band of the age."""
    bands: dict[str, list[rules.IndexFacts]] = {}
    for row in catalogues.lab_indices([service_code], on).get(service_code, []):
        bands.setdefault(row.code, []).append(facts_of(row))
    return [fit for group in bands.values() if (fit := rules.fitting(group, age_days)) is not None]


_step = case(
    (LabResult.state == ResultState.RELEASED, Step.RELEASED.value),
    (LabResult.state == ResultState.ENTERED, Step.ENTERED.value),
    (OrderLine.state == OrderState.STARTED, Step.TAKEN.value),
    else_=Step.WAITING.value,
)
_in_force = and_(LabResult.order_line_id == OrderLine.line_id, LabResult.state != ResultState.SUPERSEDED)
_awaited = OrderLine.state.in_((OrderState.ORDERED, OrderState.STARTED))


def _on_list(day: date) -> Any:
    """Open services of the last days (a specimen taken at night is not forgotten) and what was released on the day."""
    first, after = clock.day_bounds(day)
    return and_(
        OrderLine.kind == OrderKind.LABORATORY,
        or_(
            and_(_awaited, ServiceOrder.ordered_at >= first - OPEN_DAYS, ServiceOrder.ordered_at < after),
            OrderLine.line_id.in_(
                select(LabResult.order_line_id).where(
                    LabResult.released_at >= first,
                    LabResult.released_at < after,
                    LabResult.state == ResultState.RELEASED,
                )
            ),
        ),
    )


def counts(day: date) -> tuple[dict[Step, int], str]:
    """Return how many services are at each step, and a mark that changes with the list (1 statement)."""
    rows = session().execute(
        select(
            _step.label("step"), func.count(), func.max(OrderLine.line_id), func.max(OrderLine.started_at),
            func.sum(LabResult.result_id + LabResult.version),
        )
        .select_from(OrderLine)
        .join(ServiceOrder, ServiceOrder.order_id == OrderLine.order_id)
        .outerjoin(LabResult, _in_force)
        .where(_on_list(day))
        .group_by(_step)
    ).all()  # fmt: skip
    found = {Step(row[0]): int(row[1]) for row in rows}
    mark = "|".join(sorted(f"{row[0]}:{row[1]}:{row[2]}:{row[3]}:{row[4]}" for row in rows))
    return {step: found.get(step, 0) for step in Step}, hashlib.sha256(mark.encode()).hexdigest()[:16]


def worklist(day: date, step: Step | None = None, *, text: str = "", limit: int = 300) -> list[WorkRow]:
    """Return the laboratory's list at one step, urgent first, then oldest first; released ones latest first (1 statement).

    ``text`` narrows it to an order code, a patient code or words of a name (without accents).
    """
    critical = (
        exists()
        .where(LabValue.result_id == LabResult.result_id, LabValue.flag.in_((Flag.CRITICAL_LOW, Flag.CRITICAL_HIGH)))
        .label("critical")
    )
    statement = (
        select(OrderLine, ServiceOrder, Patient, Visit.room_code, LabResult, _step.label("step"), critical)
        .join(ServiceOrder, ServiceOrder.order_id == OrderLine.order_id)
        .join(Patient, Patient.patient_id == ServiceOrder.patient_id)
        .join(Visit, Visit.visit_id == ServiceOrder.visit_id)
        .outerjoin(LabResult, _in_force)
        .where(_on_list(day))
        .order_by(ServiceOrder.is_urgent.desc(), LabResult.released_at.desc(), OrderLine.line_id)
        .limit(limit)
    )
    if step is not None:
        statement = statement.where(_step == step.value)
    rows = [
        WorkRow(
            line.line_id, order.visit_id, p.full_name, p.sex.value, p.birth_on, p.birth_precision.value, p.code, order.code,
            line.service_name, Step(at), order.is_urgent, order.ordered_at, order.ordered_by_name, room, order.indication,
            line.started_at, result.released_at if result else None, result.entered_by_id if result else None,
            result.entered_by_name if result else "", bool(is_critical), bool(result and result.supersedes_id),
        )
        for line, order, p, room, result, at, is_critical in session().execute(statement)
    ]  # fmt: skip
    return [row for row in rows if _fits(row, text)] if text.strip() else rows


def _fits(row: WorkRow, text: str) -> bool:
    plain = text.partition("|")[0].strip().upper()
    if any(c.isdigit() for c in plain):
        return plain in (row.order_code.upper(), row.patient_code.upper())
    words = search.fold(plain).split()
    return bool(words) and all(word in search.fold(row.full_name).split() for word in words)


def line_facts(line_id: int) -> LineFacts:
    """Return an ordered laboratory service with order, visit and patient (1 statement). Raises `NotFound`."""
    row = (
        session()
        .execute(
            select(OrderLine, Visit)
            .join(OrderLine.order)
            .join(Visit, Visit.visit_id == ServiceOrder.visit_id)
            .join(Visit.patient)
            .where(OrderLine.line_id == line_id, OrderLine.kind == OrderKind.LABORATORY)
            .options(contains_eager(OrderLine.order), contains_eager(Visit.patient))
        )
        .one_or_none()
    )
    if row is None:
        raise NotFound("Không tìm thấy chỉ định xét nghiệm này.")
    return LineFacts(row[0], row[1])


def panel_of(visit_id: int) -> list[PanelService]:
    """Return the laboratory services of a visit with their released values, newest result first (2 statements)."""
    rows = session().execute(
        select(OrderLine, LabResult, _step.label("step"))
        .join(ServiceOrder, ServiceOrder.order_id == OrderLine.order_id)
        .outerjoin(LabResult, _in_force)
        .where(
            ServiceOrder.visit_id == visit_id, OrderLine.kind == OrderKind.LABORATORY,
            OrderLine.state != OrderState.CANCELLED,
        )
        .options(selectinload(LabResult.values))
        .order_by(OrderLine.line_id)
    ).all()  # fmt: skip
    found = [
        PanelService(
            line.line_id, line.service_name, Step(step), result.released_at if result else None,
            result.conclusion if result else "", bool(result and result.supersedes_id),
            tuple(result.values) if result and result.state is ResultState.RELEASED else (),
        )
        for line, result, step in rows
    ]  # fmt: skip
    return sorted(found, key=lambda s: (s.released_at is None, -(s.released_at.timestamp() if s.released_at else 0)))


def siblings(visit_id: int) -> list[tuple[int, str, Step]]:
    """Return all laboratory services of a visit with their steps (1 statement)."""
    rows = session().execute(
        select(OrderLine.line_id, OrderLine.service_name, _step.label("step"))
        .join(ServiceOrder, ServiceOrder.order_id == OrderLine.order_id)
        .outerjoin(LabResult, _in_force)
        .where(
            ServiceOrder.visit_id == visit_id, OrderLine.kind == OrderKind.LABORATORY,
            OrderLine.state != OrderState.CANCELLED,
        )
        .order_by(OrderLine.line_id)
    )  # fmt: skip
    return [(line_id, name, Step(step)) for line_id, name, step in rows]


def earlier_values(patient_id: int, index_codes: Sequence[str], before_line: int) -> dict[str, EarlierValue]:
    """Return the newest released value of each index from other orders of a patient (1 statement)."""
    found: dict[str, EarlierValue] = {}
    for code, value, flag, at in session().execute(
        select(LabValue.index_code, LabValue.value, LabValue.flag, LabResult.released_at)
        .join(LabResult, LabResult.result_id == LabValue.result_id)
        .join(Visit, Visit.visit_id == LabResult.visit_id)
        .where(
            Visit.patient_id == patient_id, LabResult.state == ResultState.RELEASED, LabValue.index_code.in_(index_codes),
            LabResult.order_line_id != before_line,
        )
        .order_by(LabResult.released_at.desc())
        .limit(400)
    ):  # fmt: skip
        if at is not None:
            found.setdefault(code, EarlierValue(value.replace(".", ","), flag, at))
    return found


def versions_of(line_id: int) -> Sequence[LabResult]:
    """Return the superseded results of an ordered service, newest first."""
    return (
        session()
        .execute(
            select(LabResult)
            .where(LabResult.order_line_id == line_id, LabResult.state == ResultState.SUPERSEDED)
            .order_by(LabResult.result_id.desc())
        )
        .scalars()
        .all()
    )


def correction_count(result: LabResult) -> int:
    """Return how many versions came before this one."""
    return int(
        session()
        .execute(
            select(func.count())
            .select_from(LabResult)
            .where(LabResult.order_line_id == result.order_line_id, LabResult.result_id < result.result_id)
        )
        .scalar_one()
    )


def result_by_id(result_id: int) -> LabResult:
    """Return a result with its values. Raises `NotFound`."""
    result = session().get(LabResult, result_id, options=[selectinload(LabResult.values)])
    if result is None:
        raise NotFound("Không tìm thấy kết quả này.")
    return result


def result_for_update(result_id: int) -> LabResult | None:
    """Return a result locked until the end of the transaction."""
    return session().get(LabResult, result_id, with_for_update=True, populate_existing=True)


def result_of_line(line_id: int) -> LabResult | None:
    """Return the result in force of an ordered service."""
    return (
        session()
        .execute(
            select(LabResult)
            .where(LabResult.order_line_id == line_id, LabResult.state != ResultState.SUPERSEDED)
            .options(joinedload(LabResult.values))
        )
        .unique()
        .scalar_one_or_none()
    )


def released_of_visits(visit_ids: Sequence[int]) -> dict[int, list[LabResult]]:
    """Return the released results of many visits, for claims (2 statements)."""
    found: dict[int, list[LabResult]] = {}
    for row in (
        session()
        .execute(
            select(LabResult)
            .where(LabResult.visit_id.in_(visit_ids), LabResult.state == ResultState.RELEASED)
            .options(selectinload(LabResult.values))
            .order_by(LabResult.result_id)
        )
        .scalars()
    ):
        found.setdefault(row.visit_id, []).append(row)
    return found


def released_with_names(visit_ids: Sequence[int]) -> list[tuple[LabResult, str]]:
    """Return the released results of many visits with the names of their services, for the record (1 statement)."""
    rows = session().execute(
        select(LabResult, OrderLine.service_name)
        .join(OrderLine, OrderLine.line_id == LabResult.order_line_id)
        .where(LabResult.visit_id.in_(visit_ids), LabResult.state == ResultState.RELEASED)
        .options(joinedload(LabResult.values))
        .order_by(LabResult.result_id)
    ).unique()
    return [(result, name) for result, name in rows]


def texts_of(visit_id: int) -> list[ResultText]:
    """Return the released results of a visit as texts (2 statements)."""
    rows = (
        session()
        .execute(
            select(LabResult, OrderLine.service_name)
            .join(OrderLine, OrderLine.line_id == LabResult.order_line_id)
            .where(LabResult.visit_id == visit_id, LabResult.state == ResultState.RELEASED)
            .options(selectinload(LabResult.values))
            .order_by(LabResult.result_id)
        )
        .all()
    )
    return [
        ResultText(
            name, result.released_at,
            tuple((v.index_name, v.value.replace(".", ","), v.unit, v.range_text, v.flag.value) for v in result.values),
            result.conclusion, result.state is ResultState.RELEASED,
        )
        for result, name in rows
    ]  # fmt: skip


def values_of(result: LabResult) -> dict[str, LabValue]:
    """Return the values of a result by index."""
    return {value.index_code: value for value in result.values}
