"""Reads of reports."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import contains_eager

from his.core import clock, search
from his.core.db import session
from his.core.errors import NotFound
from his.imaging.enums import ReportState, Step
from his.imaging.models import ImagingReport
from his.orders.enums import OrderKind, OrderState
from his.orders.models import OrderLine, ServiceOrder
from his.records.models import Patient, Visit

# Procedures are done and ticked off on the doctor's page.
LISTED = (OrderKind.IMAGING, OrderKind.FUNCTION)
OPEN_DAYS = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class WorkRow:
    """One ordered service on the imaging list."""

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
    written_by: str
    written_at: datetime | None
    released_at: datetime | None
    is_abnormal: bool
    has_conclusion: bool
    is_correction: bool


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One ordered service with its order, visit, patient and report in force."""

    line: OrderLine
    visit: Visit
    report: ImagingReport | None


@dataclass(frozen=True, slots=True)
class PanelService:
    """One ordered service on the doctor's page: what was read, or that it is awaited."""

    line_id: int
    service_name: str
    step: Step
    released_at: datetime | None
    description: str
    conclusion: str
    is_abnormal: bool
    is_correction: bool


@dataclass(frozen=True, slots=True)
class ReportText:
    """A released report as other screens and papers show it."""

    service_name: str
    released_at: datetime | None
    description: str
    conclusion: str
    is_abnormal: bool


_step = case(
    (ImagingReport.state == ReportState.RELEASED, Step.RELEASED.value),
    (ImagingReport.state == ReportState.DRAFT, Step.DRAFT.value),
    (OrderLine.state == OrderState.STARTED, Step.STARTED.value),
    else_=Step.WAITING.value,
)
_in_force = and_(ImagingReport.order_line_id == OrderLine.line_id, ImagingReport.state != ReportState.SUPERSEDED)


def _on_list(day: date) -> Any:
    """Open services of the last days and what was released on the day."""
    first, after = clock.day_bounds(day)
    return and_(
        OrderLine.kind.in_(LISTED),
        or_(
            and_(
                OrderLine.state.in_((OrderState.ORDERED, OrderState.STARTED)),
                ServiceOrder.ordered_at >= first - OPEN_DAYS,
                ServiceOrder.ordered_at < after,
            ),
            OrderLine.line_id.in_(
                select(ImagingReport.order_line_id).where(
                    ImagingReport.released_at >= first,
                    ImagingReport.released_at < after,
                    ImagingReport.state == ReportState.RELEASED,
                )
            ),
        ),
    )


def counts(day: date) -> tuple[dict[Step, int], str]:
    """Return how many services are at each step, and a mark that changes with the list (1 statement)."""
    rows = session().execute(
        select(
            _step.label("step"), func.count(), func.max(OrderLine.line_id), func.max(OrderLine.started_at),
            func.sum(ImagingReport.report_id + ImagingReport.version),
        )
        .select_from(OrderLine)
        .join(ServiceOrder, ServiceOrder.order_id == OrderLine.order_id)
        .outerjoin(ImagingReport, _in_force)
        .where(_on_list(day))
        .group_by(_step)
    ).all()  # fmt: skip
    found = {Step(row[0]): int(row[1]) for row in rows}
    mark = "|".join(sorted(f"{row[0]}:{row[1]}:{row[2]}:{row[3]}:{row[4]}" for row in rows))
    return {step: found.get(step, 0) for step in Step}, hashlib.sha256(mark.encode()).hexdigest()[:16]


def worklist(day: date, step: Step | None = None, *, text: str = "", limit: int = 300) -> list[WorkRow]:
    """Return the imaging list at one step, urgent first, then oldest first; released ones latest first (1 statement).

    ``text`` narrows it to an order code, a patient code or words of a name (without accents).
    """
    statement = (
        select(OrderLine, ServiceOrder, Patient, Visit.room_code, ImagingReport, _step.label("step"))
        .join(ServiceOrder, ServiceOrder.order_id == OrderLine.order_id)
        .join(Patient, Patient.patient_id == ServiceOrder.patient_id)
        .join(Visit, Visit.visit_id == ServiceOrder.visit_id)
        .outerjoin(ImagingReport, _in_force)
        .where(_on_list(day))
        .order_by(ServiceOrder.is_urgent.desc(), ImagingReport.released_at.desc(), OrderLine.line_id)
        .limit(limit)
    )
    if step is not None:
        statement = statement.where(_step == step.value)
    rows = [
        WorkRow(
            line.line_id, order.visit_id, p.full_name, p.sex.value, p.birth_on, p.birth_precision.value, p.code, order.code,
            line.service_name, Step(at), order.is_urgent, order.ordered_at, order.ordered_by_name, room, order.indication,
            report.written_by_name if report else "", report.written_at if report else None,
            report.released_at if report else None, bool(report and report.is_abnormal),
            bool(report and report.conclusion), bool(report and report.supersedes_id),
        )
        for line, order, p, room, report, at in session().execute(statement)
    ]  # fmt: skip
    return [row for row in rows if _fits(row, text)] if text.strip() else rows


def _fits(row: WorkRow, text: str) -> bool:
    plain = text.partition("|")[0].strip().upper()
    if any(c.isdigit() for c in plain):
        return plain in (row.order_code.upper(), row.patient_code.upper())
    words = search.fold(plain).split()
    return bool(words) and all(word in search.fold(row.full_name).split() for word in words)


def line_facts(line_id: int) -> LineFacts:
    """Return an ordered service with order, visit, patient and report in force (1 statement). Raises `NotFound`."""
    row = (
        session()
        .execute(
            select(OrderLine, Visit, ImagingReport)
            .join(OrderLine.order)
            .join(Visit, Visit.visit_id == ServiceOrder.visit_id)
            .join(Visit.patient)
            .outerjoin(ImagingReport, _in_force)
            .where(OrderLine.line_id == line_id, OrderLine.kind != OrderKind.LABORATORY)
            .options(contains_eager(OrderLine.order), contains_eager(Visit.patient))
        )
        .one_or_none()
    )
    if row is None:
        raise NotFound("Không tìm thấy chỉ định hình ảnh này.")
    return LineFacts(row[0], row[1], row[2])


def panel_of(visit_id: int) -> list[PanelService]:
    """Return the imaging services of a visit with what was read, newest first, awaited ones last (1 statement)."""
    rows = session().execute(
        select(OrderLine, ImagingReport, _step.label("step"))
        .join(ServiceOrder, ServiceOrder.order_id == OrderLine.order_id)
        .outerjoin(ImagingReport, _in_force)
        .where(
            ServiceOrder.visit_id == visit_id, OrderLine.kind.in_(LISTED), OrderLine.state != OrderState.CANCELLED,
        )
        .order_by(OrderLine.line_id)
    ).all()  # fmt: skip
    found = []
    for line, report, step in rows:
        shown = report if report is not None and report.state is ReportState.RELEASED else None
        found.append(
            PanelService(
                line.line_id, line.service_name, Step(step), shown.released_at if shown else None,
                shown.description if shown else "", shown.conclusion if shown else "",
                bool(shown and shown.is_abnormal), bool(report and report.supersedes_id),
            )
        )  # fmt: skip
    return sorted(found, key=lambda s: (s.released_at is None, -(s.released_at.timestamp() if s.released_at else 0)))


def earlier_reports(patient_id: int, before_line: int, limit: int = 5) -> list[tuple[ImagingReport, str]]:
    """Return the latest released reports of a patient from other orders (1 statement)."""
    rows = session().execute(
        select(ImagingReport, OrderLine.service_name)
        .join(OrderLine, OrderLine.line_id == ImagingReport.order_line_id)
        .join(Visit, Visit.visit_id == ImagingReport.visit_id)
        .where(
            Visit.patient_id == patient_id, ImagingReport.state == ReportState.RELEASED,
            ImagingReport.order_line_id != before_line,
        )
        .order_by(ImagingReport.released_at.desc())
        .limit(limit)
    )  # fmt: skip
    return [(report, name) for report, name in rows]


def siblings(visit_id: int) -> list[tuple[int, str, Step]]:
    """Return all imaging services of a visit with their steps (1 statement)."""
    return [(s.line_id, s.service_name, s.step) for s in panel_of(visit_id)]


def report_of_line(line_id: int) -> ImagingReport | None:
    """Return the report in force of an ordered service."""
    return (
        session()
        .execute(
            select(ImagingReport).where(
                ImagingReport.order_line_id == line_id, ImagingReport.state != ReportState.SUPERSEDED
            )
        )
        .scalar_one_or_none()
    )


def report_by_id(report_id: int) -> ImagingReport:
    """Return a report. Raises `NotFound`."""
    report = session().get(ImagingReport, report_id)
    if report is None:
        raise NotFound("Không tìm thấy kết quả này.")
    return report


def report_for_update(report_id: int) -> ImagingReport | None:
    """Return a report locked until the end of the transaction."""
    return session().get(ImagingReport, report_id, with_for_update=True, populate_existing=True)


def correction_count(report: ImagingReport) -> int:
    """Return how many versions came before this one."""
    return int(
        session()
        .execute(
            select(func.count())
            .select_from(ImagingReport)
            .where(ImagingReport.order_line_id == report.order_line_id, ImagingReport.report_id < report.report_id)
        )
        .scalar_one()
    )


def released_with_names(visit_ids: Sequence[int]) -> list[tuple[ImagingReport, str]]:
    """Return the released reports of many visits with the names of their services, for the record (1 statement)."""
    rows = session().execute(
        select(ImagingReport, OrderLine.service_name)
        .join(OrderLine, OrderLine.line_id == ImagingReport.order_line_id)
        .where(ImagingReport.visit_id.in_(visit_ids), ImagingReport.state == ReportState.RELEASED)
        .order_by(ImagingReport.report_id)
    )
    return [(report, name) for report, name in rows]


def texts_of(visit_id: int) -> list[ReportText]:
    """Return the released reports of a visit as texts (1 statement)."""
    return [
        ReportText(name, r.released_at, r.description, r.conclusion, r.is_abnormal)
        for r, name in released_with_names([visit_id])
    ]


def released_of_visits(visit_ids: Sequence[int]) -> dict[int, list[ImagingReport]]:
    """Return the released reports of many visits, for claims (1 statement)."""
    found: dict[int, list[ImagingReport]] = {}
    for row in (
        session()
        .execute(
            select(ImagingReport).where(
                ImagingReport.visit_id.in_(visit_ids), ImagingReport.state == ReportState.RELEASED
            )
        )
        .scalars()
    ):
        found.setdefault(row.visit_id, []).append(row)
    return found
