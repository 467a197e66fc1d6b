"""Use cases of imaging: the technician writes, a doctor reads and releases."""

from __future__ import annotations

from typing import Any

from his.audit import service as audit
from his.catalogues import queries as catalogues
from his.core import clock
from his.core.actor import Actor
from his.core.db import session
from his.core.errors import Conflict, Finding, InvalidState, NotAllowed, NotFound, RuleBroken
from his.documents import service as documents
from his.documents.models import Paper
from his.imaging import printing, queries, rules
from his.imaging.enums import ACTION_DETAILS, Action, ReportState
from his.imaging.models import ImagingReport
from his.orders import queries as orders_queries
from his.orders import service as orders
from his.orders.enums import OrderKind, OrderState
from his.orders.models import OrderLine

audit.register_actions(Action, ACTION_DETAILS)

KINDS = (OrderKind.IMAGING, OrderKind.FUNCTION, OrderKind.PROCEDURE)
RELEASING_ROLES = frozenset({"doctor", "head"})
MIN_REASON = 5
phrases_for = rules.phrases_for


def start(line_id: int, *, actor: Actor) -> OrderLine:
    """The patient is in the room (NGAY_TH_YL). Raises `InvalidState` for another kind of order or a cancelled one."""
    _must_be_ours(orders_queries.line_for_update(line_id))
    return orders.start_line(line_id, actor=actor)


def _must_be_ours(line: OrderLine) -> None:
    if line.kind not in KINDS:
        raise InvalidState("Chỉ định này không phải chẩn đoán hình ảnh, thăm dò chức năng.")
    if line.state is OrderState.CANCELLED:
        raise InvalidState("Chỉ định này đã hủy.")


def write_report(
    line_id: int, *, description: str, conclusion: str, is_abnormal: bool, seen: int | None = None, actor: Actor
) -> ImagingReport:
    """Write or change the report of an ordered service before its release.

    A technician may leave the conclusion to the doctor. ``seen`` is the version the screen showed (0 = none yet, None =
    do not check). Raises `RuleBroken` for an empty report, `InvalidState` after release, `Conflict` when somebody else
    saved meanwhile.
    """
    line = orders_queries.line_for_update(line_id)
    _must_be_ours(line)
    if not description.strip() and not conclusion.strip():
        raise RuleBroken([Finding("report_empty", "description", "Chưa ghi mô tả hoặc kết luận.")])
    report = queries.report_of_line(line_id)
    if report is not None and report.state is ReportState.RELEASED:
        raise InvalidState("Kết quả đã trả. Muốn sửa thì lập bản thay thế với lý do.")
    if seen is not None and seen != (report.version if report is not None else 0):
        raise Conflict("Người khác vừa lưu kết quả này. Tải lại để xem rồi sửa tiếp.")
    orders.start_line(line_id, actor=actor)
    details: dict[str, Any] = {"service": line.service_code}
    if report is None:
        report = ImagingReport(
            order_line_id=line_id, visit_id=line.order.visit_id, taken_at=line.started_at,
            written_by_id=actor.user_id or 0, written_by_name=actor.name, written_by_licence=actor.licence_number,
            machine_code=line.machine_code, description="", conclusion="", is_abnormal=False,
        )  # fmt: skip
        session().add(report)
    elif (report.description, report.conclusion) != (description.strip(), conclusion.strip()):
        details["changes"] = {
            "description": [report.description, description.strip()], "conclusion": [report.conclusion, conclusion.strip()],
        }  # fmt: skip
    report.description, report.conclusion, report.is_abnormal = description.strip(), conclusion.strip(), is_abnormal
    session().flush()  # the audit entry names the row
    audit.record(actor, Action.WRITE, subject_type="imaging_report", subject_id=report.report_id, visit_id=report.visit_id,
                 patient_id=line.order.patient_id, details=details)  # fmt: skip
    return report


def release(report_id: int, *, seen: int | None = None, actor: Actor) -> ImagingReport:
    """A doctor releases a report: the ordering doctor sees it.

    Raises `NotAllowed` for others, `RuleBroken` without a conclusion, `InvalidState` for one released already,
    `Conflict` when it changed since the screen showed it (``seen``).
    """
    report = queries.report_for_update(report_id)
    if report is None:
        raise NotFound("Không tìm thấy kết quả này.")
    if report.state is not ReportState.DRAFT:
        raise InvalidState("Kết quả này đã trả.")
    if not actor.roles & RELEASING_ROLES:
        raise NotAllowed("Kết quả hình ảnh do bác sĩ đọc và trả.")
    if seen is not None and seen != report.version:
        raise Conflict("Kết quả vừa được sửa. Tải lại, đọc lại rồi trả.")
    if not report.conclusion:
        raise RuleBroken([Finding("conclusion_missing", "conclusion", "Chưa ghi kết luận. Ghi kết luận rồi trả.")])
    line = orders_queries.get_line(report.order_line_id)
    report.state, report.released_at = ReportState.RELEASED, clock.now()
    report.released_by_id, report.released_by_name = actor.user_id, actor.name
    report.released_by_licence = actor.licence_number
    orders.complete_line(report.order_line_id, actor=actor, performer_licence=actor.licence_number)
    audit.record(actor, Action.RELEASE, subject_type="imaging_report", subject_id=report_id, visit_id=report.visit_id,
                 patient_id=line.order.patient_id, details={"service": line.service_code})  # fmt: skip
    return report


def correct(report_id: int, reason: str, *, actor: Actor) -> ImagingReport:
    """Open a replacing version of a released report; the old one stays readable, the order waits for the new one.

    Raises `InvalidState` without a reason of 5 characters or for a report that is not released, `NotAllowed` for
    others than doctors.
    """
    if len(reason.strip()) < MIN_REASON:
        raise InvalidState("Ghi lý do thay kết quả, ít nhất 5 ký tự.")
    if not actor.roles & RELEASING_ROLES:
        raise NotAllowed("Kết quả đã trả do bác sĩ thay.")
    old = queries.report_for_update(report_id)
    if old is None or old.state is not ReportState.RELEASED:
        raise InvalidState("Chỉ thay được kết quả đã trả.")
    line = orders.reopen_line(old.order_line_id, actor=actor)
    old.state = ReportState.SUPERSEDED
    session().flush()  # only one report in force per order
    fresh = ImagingReport(
        order_line_id=old.order_line_id, visit_id=old.visit_id, taken_at=old.taken_at, description=old.description,
        conclusion=old.conclusion, is_abnormal=old.is_abnormal, written_by_id=actor.user_id or 0,
        written_by_name=actor.name, written_by_licence=actor.licence_number, machine_code=old.machine_code,
        supersedes_id=old.report_id, change_reason=reason.strip()[:300],
    )  # fmt: skip
    session().add(fresh)
    session().flush()  # the audit entry names the row
    audit.record(actor, Action.CORRECT, subject_type="imaging_report", subject_id=fresh.report_id, visit_id=old.visit_id,
                 patient_id=line.order.patient_id, reason=fresh.change_reason, details={"service": line.service_code})  # fmt: skip
    return fresh


def issue_sheet(report_id: int, *, actor: Actor) -> Paper:
    """Return the result sheet of a released report as a stored paper; a reprint is the same paper.

    A corrected report replaces the sheet of the version before. Raises `InvalidState` before release.
    """
    report = queries.report_by_id(report_id)
    if report.released_at is None:
        raise InvalidState("Kết quả chưa trả. Trả kết quả rồi in.")
    found = documents.paper_for(printing.IMAGING_RESULT, "imaging_report", report_id)
    if found is not None:
        return found
    line = orders_queries.get_line(report.order_line_id)
    visit = orders_queries.visit_of(line)
    departments = catalogues.names([("department", line.order.department_code)], visit.service_on)
    context = printing.imaging_sheet(
        visit, line, report, department=departments.get(("department", line.order.department_code), ""),
        correction=queries.correction_count(report),
    )  # fmt: skip
    old = (
        documents.paper_for(printing.IMAGING_RESULT, "imaging_report", report.supersedes_id)
        if report.supersedes_id
        else None
    )
    return documents.issue_paper(
        printing.IMAGING_RESULT, context, subject_type="imaging_report", subject_id=report_id, patient_id=visit.patient_id,
        visit_id=visit.visit_id, number=line.order.code, replaces=old, replace_reason=report.change_reason, actor=actor,
    )  # fmt: skip
