"""Use cases of imaging: the technician writes, a doctor releases."""

from __future__ import annotations

from his.audit import service as audit
from his.core import clock
from his.core.actor import Actor
from his.core.db import session
from his.core.errors import Finding, InvalidState, NotAllowed, NotFound, RuleBroken
from his.imaging import queries
from his.imaging.enums import ACTION_DETAILS, Action, ReportState
from his.imaging.models import ImagingReport
from his.orders import queries as orders_queries
from his.orders import service as orders
from his.orders.enums import OrderKind, OrderState

audit.register_actions(Action, ACTION_DETAILS)


def write_report(line_id: int, *, description: str, conclusion: str, is_abnormal: bool, actor: Actor) -> ImagingReport:
    """Write or change the report of an ordered service before its release. Raises `RuleBroken`, `InvalidState`."""
    line = orders_queries.line_for_update(line_id)
    if line.kind not in (OrderKind.IMAGING, OrderKind.FUNCTION, OrderKind.PROCEDURE):
        raise InvalidState("Chỉ định này không phải chẩn đoán hình ảnh, thăm dò chức năng.")
    if line.state is OrderState.CANCELLED:
        raise InvalidState("Chỉ định này đã hủy.")
    if not conclusion.strip():
        raise RuleBroken([Finding("conclusion_missing", "conclusion", "Chưa ghi kết luận.")])
    report = queries.report_of_line(line_id)
    if report is not None and report.state is ReportState.RELEASED:
        raise InvalidState("Kết quả đã trả, không sửa được.")
    orders.start_line(line_id, actor=actor)
    if report is None:
        report = ImagingReport(
            order_line_id=line_id, visit_id=line.order.visit_id, taken_at=line.started_at,
            written_by_id=actor.user_id or 0, written_by_name=actor.name, written_by_licence=actor.licence_number,
            machine_code=line.machine_code,
        )  # fmt: skip
        session().add(report)
    report.description, report.conclusion, report.is_abnormal = description.strip(), conclusion.strip(), is_abnormal
    session().flush()  # the audit entry names the row
    audit.record(actor, Action.WRITE, subject_type="imaging_report", subject_id=report.report_id, visit_id=report.visit_id,
                 patient_id=line.order.patient_id, details={"service": line.service_code})  # fmt: skip
    return report


def release(report_id: int, *, actor: Actor) -> ImagingReport:
    """A doctor releases a report: the ordering doctor sees it. Raises `NotAllowed` for others."""
    report = session().get(ImagingReport, report_id, with_for_update=True, populate_existing=True)
    if report is None:
        raise NotFound("Không tìm thấy kết quả này.")
    if report.state is not ReportState.DRAFT:
        raise InvalidState("Kết quả này đã trả.")
    if not actor.roles & {"doctor", "head"}:
        raise NotAllowed("Kết quả hình ảnh do bác sĩ đọc và trả.")
    line = orders_queries.get_line(report.order_line_id)
    report.state, report.released_at = ReportState.RELEASED, clock.now()
    report.released_by_id, report.released_by_name = actor.user_id, actor.name
    report.released_by_licence = actor.licence_number
    orders.complete_line(report.order_line_id, actor=actor, performer_licence=actor.licence_number)
    audit.record(actor, Action.RELEASE, subject_type="imaging_report", subject_id=report_id, visit_id=report.visit_id,
                 patient_id=line.order.patient_id, details={"service": line.service_code})  # fmt: skip
    return report
