"""Reads of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from his.catalogues import queries as catalogues
from his.catalogues.models import LabIndex
from his.core.db import session
from his.laboratory import rules
from his.laboratory.enums import ResultState
from his.laboratory.models import LabResult, LabValue
from his.orders.models import OrderLine


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One index on the entry screen: its range for this patient, what was entered."""

    index: rules.IndexFacts
    range_text: str
    value: str
    flag: str


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


def indices_for(service_code: str, age_days: int, on: object) -> list[rules.IndexFacts]:
    """Return the indices of a service in their order, each with the band of the age."""
    bands: dict[str, list[rules.IndexFacts]] = {}
    for row in catalogues.lab_indices([service_code], on).get(service_code, []):  # type: ignore[arg-type]
        bands.setdefault(row.code, []).append(facts_of(row))
    return [fit for group in bands.values() if (fit := rules.fitting(group, age_days)) is not None]


def result_of_line(line_id: int) -> LabResult | None:
    """Return the result in force of an ordered service."""
    return session().execute(
        select(LabResult)
        .where(LabResult.order_line_id == line_id, LabResult.state != ResultState.SUPERSEDED)
        .options(selectinload(LabResult.values))
    ).scalar_one_or_none()


def results_of(visit_id: int) -> Sequence[LabResult]:
    """Return the results in force of a visit (2 statements)."""
    return session().execute(
        select(LabResult)
        .where(LabResult.visit_id == visit_id, LabResult.state != ResultState.SUPERSEDED)
        .options(selectinload(LabResult.values))
        .order_by(LabResult.result_id)
    ).scalars().all()


def released_of_visits(visit_ids: Sequence[int]) -> dict[int, list[LabResult]]:
    """Return the released results of many visits, for claims (2 statements)."""
    found: dict[int, list[LabResult]] = {}
    for row in session().execute(
        select(LabResult)
        .where(LabResult.visit_id.in_(visit_ids), LabResult.state == ResultState.RELEASED)
        .options(selectinload(LabResult.values))
        .order_by(LabResult.result_id)
    ).scalars():
        found.setdefault(row.visit_id, []).append(row)
    return found


def texts_of(visit_id: int) -> list[ResultText]:
    """Return the released results of a visit as texts (2 statements)."""
    rows = session().execute(
        select(LabResult, OrderLine.service_name)
        .join(OrderLine, OrderLine.line_id == LabResult.order_line_id)
        .where(LabResult.visit_id == visit_id, LabResult.state == ResultState.RELEASED)
        .options(selectinload(LabResult.values))
        .order_by(LabResult.result_id)
    ).all()
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
