"""Imaging and functional tests: work list, reports, release by a doctor, correction, result sheet."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for

from his.audit import service as audit
from his.core import clock
from his.core.db import transaction
from his.core.errors import DomainError, Finding, NotAllowed, RuleBroken
from his.core.i18n import gettext as _
from his.core.permissions import current_actor, require
from his.imaging import queries, service
from his.imaging.enums import ReportState, Step
from his.imaging.forms import CorrectForm, FindForm, ReportForm
from his.imaging.permissions import Permission
from his.orders.enums import OrderState
from his.records import queries as records_queries

bp = Blueprint("imaging", __name__, url_prefix="/imaging", template_folder="templates")


def _step() -> Step:
    """The step asked for; without one a doctor sees what waits to be read, a technician who waits to be imaged."""
    first = Step.DRAFT if current_actor().may(Permission.REPORT_RELEASE) else Step.WAITING
    try:
        return Step(request.args.get("step", first.value))
    except ValueError:
        return first


@bp.get("/")
@require(Permission.WORKLIST_READ)
def worklist() -> Any:
    """Ordered services by step, urgent first."""
    day, step = clock.today(), _step()
    counts, version = queries.counts(day)
    return render_template(
        "imaging/worklist.html", rows=queries.worklist(day, step), counts=counts, version=version, step=step.value,
        now=clock.now(), form=FindForm(formdata=None),
    )  # fmt: skip


@bp.get("/part")
@require(Permission.WORKLIST_READ)
def worklist_part() -> Any:
    """The list alone, when it changed since the version the page holds."""
    day, step = clock.today(), _step()
    counts, version = queries.counts(day)
    if request.args.get("version") == version:
        return "", 204
    response = make_response(
        render_template(
            "imaging/_rows.html", rows=queries.worklist(day, step), counts=counts, step=step.value, now=clock.now()
        )
    )
    response.headers["X-Version"] = version
    return response


@bp.post("/find")
@require(Permission.WORKLIST_READ)
def find() -> Any:
    """A scanned order slip or a typed name: one service opens, several are listed."""
    form = FindForm()
    day, text = clock.today(), form.q.data or ""
    found = queries.worklist(day, text=text) if form.validate_on_submit() and text else []
    still_open = [row for row in found if row.step is not Step.RELEASED] or found
    if len(still_open) == 1:
        return redirect(url_for("imaging.report", line_id=still_open[0].line_id), 303)
    if text and not found and not form.q.errors:
        form.q.errors = [_("Không thấy chỉ định nào. Kiểm tra mã phiếu hoặc gõ tên không dấu.")]
    counts, version = queries.counts(day)
    rows = found or queries.worklist(day, Step.WAITING)
    return render_template(
        "imaging/worklist.html", rows=rows, counts=counts, version=version, now=clock.now(), form=form,
        step="found" if found else Step.WAITING.value,
    ), 422 if form.errors else 200  # fmt: skip


@bp.post("/lines/<int:line_id>/start")
@require(Permission.REPORT_WRITE)
def start(line_id: int) -> Any:
    """The patient is in the room."""
    with transaction():
        service.start(line_id, actor=current_actor())
    flash(_("Đã ghi giờ bắt đầu thực hiện."), "success")
    if request.form.get("back") == "list":
        return redirect(url_for("imaging.worklist", step=_step().value), 303)
    return redirect(url_for("imaging.report", line_id=line_id), 303)


@bp.get("/lines/<int:line_id>")
@require(Permission.REPORT_READ)
def report(line_id: int) -> Any:
    """The report of an ordered service: writing, or reading."""
    return _report_page(line_id)


def _report_page(
    line_id: int, status: int = 200, *, form: ReportForm | None = None, findings: tuple[Finding, ...] = (),
    correct_form: CorrectForm | None = None, problem: str = "",
) -> Any:  # fmt: skip
    actor = current_actor()
    facts = queries.line_facts(line_id)
    line, found = facts.line, facts.report
    visit = records_queries.allowed(actor, facts.visit)
    audit.viewed(actor, visit.patient_id, "imaging", visit_id=visit.visit_id)
    released = found is not None and found.state is ReportState.RELEASED
    cancelled = line.state is OrderState.CANCELLED
    if form is None:
        form = ReportForm(
            formdata=None, description=found.description if found else "", conclusion=found.conclusion if found else "",
            is_abnormal=bool(found and found.is_abnormal),
        )  # fmt: skip
    return render_template(
        "imaging/report.html", line=line, order=line.order, visit=visit, patient=visit.patient, report=found, form=form,
        findings=findings, problem=problem, seen=found.version if found is not None else 0,
        correct_form=correct_form or CorrectForm(formdata=None), is_released=released, is_cancelled=cancelled,
        can_write=actor.may(Permission.REPORT_WRITE) and not released and not cancelled,
        can_release=actor.may(Permission.REPORT_RELEASE) and not released and not cancelled,
        phrases={part: service.phrases_for(line.service_name, part) for part in ("description", "conclusion")},
        earlier=queries.earlier_reports(visit.patient_id, line_id), siblings=queries.siblings(visit.visit_id),
    ), status  # fmt: skip


@bp.post("/lines/<int:line_id>")
@require(Permission.REPORT_WRITE)
def write(line_id: int) -> Any:
    """Save the report; a doctor may release it in the same step."""
    form = ReportForm()
    actor = current_actor()
    records_queries.allowed(actor, queries.line_facts(line_id).visit)
    releasing = bool(form.release.data)
    if releasing and not actor.may(Permission.REPORT_RELEASE):
        raise NotAllowed("Kết quả hình ảnh do bác sĩ đọc và trả.")
    findings: tuple[Finding, ...] = ()
    problem = ""
    if form.validate_on_submit():
        try:
            with transaction():
                written = service.write_report(
                    line_id, description=form.description.data or "", conclusion=form.conclusion.data or "",
                    is_abnormal=bool(form.is_abnormal.data), seen=form.seen_version(), actor=actor,
                )  # fmt: skip
                if releasing:
                    service.release(written.report_id, actor=actor)
        except RuleBroken as error:
            findings = error.findings
        except DomainError as error:
            problem = error.message
        else:
            flash(
                _("Đã trả kết quả cho bác sĩ chỉ định.") if releasing else _("Đã lưu. Chờ bác sĩ đọc và trả."),
                "success",
            )
            return redirect(url_for("imaging.report", line_id=line_id), 303)
    return _report_page(line_id, 422, form=form, findings=findings, problem=problem)


@bp.post("/reports/<int:report_id>/correct")
@require(Permission.REPORT_RELEASE)
def correct(report_id: int) -> Any:
    """Open a replacing version of a released report."""
    form = CorrectForm()
    line_id = queries.report_by_id(report_id).order_line_id
    records_queries.allowed(current_actor(), queries.line_facts(line_id).visit)
    if form.validate_on_submit():
        try:
            with transaction():
                service.correct(report_id, form.reason.data or "", actor=current_actor())
        except DomainError as error:
            form.reason.errors = [*form.reason.errors, error.message]
        else:
            flash(_("Đã lập bản thay thế. Sửa rồi trả lại."), "success")
            return redirect(url_for("imaging.report", line_id=line_id), 303)
    return _report_page(line_id, 422, correct_form=form)


@bp.get("/reports/<int:report_id>/sheet")
@require(Permission.REPORT_READ)
def sheet(report_id: int) -> Any:
    """The result sheet: stored once, reprinted from the same bytes."""
    records_queries.allowed(current_actor(), queries.line_facts(queries.report_by_id(report_id).order_line_id).visit)
    with transaction():
        paper = service.issue_sheet(report_id, actor=current_actor())
    return redirect(url_for("documents.show", paper_id=paper.paper_id))
