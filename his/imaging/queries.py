"""Reads of reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from his.core.db import session
from his.imaging.enums import ReportState
from his.imaging.models import ImagingReport
from his.orders.models import OrderLine


@dataclass(frozen=True, slots=True)
class ReportText:
    """A released report as other screens and papers show it."""

    service_name: str
    released_at: datetime | None
    description: str
    conclusion: str
    is_abnormal: bool


def report_of_line(line_id: int) -> ImagingReport | None:
    """Return the report in force of an ordered service."""
    return session().execute(
        select(ImagingReport).where(ImagingReport.order_line_id == line_id, ImagingReport.state != ReportState.SUPERSEDED)
    ).scalar_one_or_none()


def texts_of(visit_id: int) -> list[ReportText]:
    """Return the released reports of a visit as texts (1 statement)."""
    rows = session().execute(
        select(ImagingReport, OrderLine.service_name)
        .join(OrderLine, OrderLine.line_id == ImagingReport.order_line_id)
        .where(ImagingReport.visit_id == visit_id, ImagingReport.state == ReportState.RELEASED)
        .order_by(ImagingReport.report_id)
    ).all()
    return [ReportText(name, r.released_at, r.description, r.conclusion, r.is_abnormal) for r, name in rows]


def released_of_visits(visit_ids: Sequence[int]) -> dict[int, list[ImagingReport]]:
    """Return the released reports of many visits, for claims (1 statement)."""
    found: dict[int, list[ImagingReport]] = {}
    for row in session().execute(
        select(ImagingReport).where(ImagingReport.visit_id.in_(visit_ids), ImagingReport.state == ReportState.RELEASED)
    ).scalars():
        found.setdefault(row.visit_id, []).append(row)
    return found
