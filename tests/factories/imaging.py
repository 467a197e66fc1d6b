"""Ordered radiographs and their reports."""

from __future__ import annotations

from typing import Any

from his.core.actor import Actor
from his.core.db import transaction
from his.imaging import service
from his.imaging.models import ImagingReport
from his.orders.models import OrderLine
from his.records.models import Visit
from tests.factories.orders import CHEST, place


def ordered(visit: Visit, doctor: Actor, **more: Any) -> OrderLine:
    """Order a chest X-ray for a visit."""
    return place(visit, doctor, CHEST, **more).lines[0]


def write(line: OrderLine, actor: Actor, **more: Any) -> ImagingReport:
    """Describe the images; with a conclusion unless told otherwise."""
    values = {"description": "Rốn phổi đậm.", "conclusion": "Phù hợp viêm phế quản.", "is_abnormal": False, **more}
    with transaction():
        return service.write_report(line.line_id, actor=actor, **values)


def release(report: ImagingReport, actor: Actor) -> ImagingReport:
    """Release a report."""
    with transaction():
        return service.release(report.report_id, actor=actor)
