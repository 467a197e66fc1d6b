"""The laboratory: work list, specimens, results by index, release, correction, result sheet."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for

from his.audit import service as audit
from his.core import clock
from his.core.db import transaction
from his.core.errors import DomainError, Finding, RuleBroken
from his.core.i18n import gettext as _
from his.core.permissions import current_actor, require
from his.laboratory import queries, service
from his.laboratory.enums import ResultState, Step
from his.laboratory.forms import CorrectForm, FindForm, ResultForm, SeenForm, typed_values
from his.laboratory.permissions import Permission
from his.orders.enums import OrderState
from his.records import queries as records_queries

bp = Blueprint("laboratory", __name__, url_prefix="/laboratory", template_folder="templates")


def _step() -> Step:
    try:
        return Step(request.args.get("step", Step.WAITING.value))
    except ValueError:
        return Step.WAITING


@bp.get("/")
@require(Permission.WORKLIST_READ)
def worklist() -> Any:
    """Ordered laboratory services by step, urgent first."""
    day, step = clock.today(), _step()
    counts, version = queries.counts(day)
    return render_template(
        "laboratory/worklist.html", rows=queries.worklist(day, step), counts=counts, version=version, step=step.value,
        now=clock.now(), form=FindForm(formdata=None), me=current_actor().user_id,
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
            "laboratory/_rows.html", rows=queries.worklist(day, step), counts=counts, step=step.value, now=clock.now(),
            me=current_actor().user_id,
        )
    )  # fmt: skip
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
    if len(still_open) == 1 or (still_open and len({row.order_code for row in still_open}) == 1):
        return redirect(url_for("laboratory.result", line_id=still_open[0].line_id), 303)
    if text and not found and not form.q.errors:
        form.q.errors = [_("Không thấy chỉ định xét nghiệm nào. Kiểm tra mã phiếu hoặc gõ tên không dấu.")]
    counts, version = queries.counts(day)
    rows = found or queries.worklist(day, Step.WAITING)
    return render_template(
        "laboratory/worklist.html", rows=rows, counts=counts, version=version, now=clock.now(), form=form,
        step="found" if found else Step.WAITING.value, me=current_actor().user_id,
    ), 422 if form.errors else 200  # fmt: skip


@bp.post("/lines/<int:line_id>/specimen")
@require(Permission.RESULT_ENTER)
def specimen(line_id: int) -> Any:
    """The specimen of this order is taken."""
    actor = current_actor()
    with transaction():
        count = service.take_specimen(line_id, actor=actor)
    flash(_("Đã lấy mẫu cho %(n)d xét nghiệm.", n=count), "success")
    if request.form.get("back") == "list":
        return redirect(url_for("laboratory.worklist", step=_step().value), 303)
    return redirect(url_for("laboratory.result", line_id=line_id), 303)


@bp.get("/lines/<int:line_id>")
@require(Permission.RESULT_READ)
def result(line_id: int) -> Any:
    """The values of an ordered service: entry, or reading."""
    return _result_page(line_id)


def _result_page(
    line_id: int, status: int = 200, *, form: ResultForm | None = None, typed: dict[str, str] | None = None,
    findings: tuple[Finding, ...] = (), correct_form: CorrectForm | None = None, problem: str = "",
) -> Any:  # fmt: skip
    actor = current_actor()
    facts = queries.line_facts(line_id)
    line = facts.line
    visit = records_queries.allowed(actor, facts.visit)
    patient = visit.patient
    audit.viewed(actor, patient.patient_id, "laboratory", visit_id=visit.visit_id)
    found = queries.result_of_line(line_id)
    indices = queries.indices_for(line.service_code, (visit.service_on - patient.birth_on).days, visit.service_on)
    earlier = queries.earlier_values(patient.patient_id, [i.code for i in indices], line_id)
    kept = queries.values_of(found) if found is not None else {}
    rows = [
        {
            "index": index, "range": service.range_text(index, patient.sex.value), "limits": index.limits(patient.sex.value),
            "typed": typed.get(index.code, "") if typed is not None
            else kept[index.code].value.replace(".", ",") if index.code in kept else "",
            "kept": kept.get(index.code), "before": earlier.get(index.code),
            "error": next((f.message for f in findings if f.field == f"v-{index.code}"), ""),
        }
        for index in indices
    ]  # fmt: skip
    released = found is not None and found.state is ResultState.RELEASED
    if form is None:
        form = ResultForm(
            formdata=None, conclusion=found.conclusion if found else "", critical_note=found.critical_note if found else "",
        )  # fmt: skip
    return render_template(
        "laboratory/result.html", line=line, order=line.order, visit=visit, patient=patient, result=found, rows=rows,
        form=form, seen=found.version if found is not None else 0, findings=findings, problem=problem,
        siblings=queries.siblings(visit.visit_id), correct_form=correct_form or CorrectForm(formdata=None),
        can_enter=actor.may(Permission.RESULT_ENTER) and not released and line.state is not OrderState.CANCELLED,
        is_released=released, is_cancelled=line.state is OrderState.CANCELLED,
        can_release=found is not None and not released and actor.may(Permission.RESULT_RELEASE)
        and found.entered_by_id != actor.user_id,
        entered_here=found is not None and not released and found.entered_by_id == actor.user_id,
        has_critical=any(v.flag.is_critical for v in kept.values()),
    ), status  # fmt: skip


@bp.post("/lines/<int:line_id>")
@require(Permission.RESULT_ENTER)
def enter(line_id: int) -> Any:
    """Save the values; they wait for another person to release them."""
    form = ResultForm()
    facts = queries.line_facts(line_id)
    records_queries.allowed(current_actor(), facts.visit)
    visit = facts.visit
    indices = queries.indices_for(
        facts.line.service_code, (visit.service_on - visit.patient.birth_on).days, visit.service_on
    )
    typed = typed_values(request.form, [index.code for index in indices])
    findings: tuple[Finding, ...] = ()
    problem = ""
    if form.validate_on_submit():
        try:
            with transaction():
                service.enter(
                    line_id, typed, conclusion=form.conclusion.data or "", critical_note=form.critical_note.data or "",
                    seen=form.seen_version(), actor=current_actor(),
                )  # fmt: skip
        except RuleBroken as error:
            findings = error.findings
        except DomainError as error:
            problem = error.message
        else:
            flash(_("Đã lưu kết quả. Chờ người khác duyệt và trả."), "success")
            return redirect(url_for("laboratory.result", line_id=line_id), 303)
    return _result_page(line_id, 422, form=form, typed=typed, findings=findings, problem=problem)


@bp.post("/results/<int:result_id>/release")
@require(Permission.RESULT_RELEASE)
def release(result_id: int) -> Any:
    """Release what another person entered: the doctor sees it."""
    form = SeenForm()
    found = queries.result_by_id(result_id)
    line_id = found.order_line_id
    records_queries.allowed(current_actor(), queries.line_facts(line_id).visit)
    if not form.validate_on_submit():
        return _result_page(line_id, 422, problem=_("Trang đã cũ. Tải lại rồi trả kết quả."))
    try:
        with transaction():
            service.release(result_id, seen=form.seen_version(), actor=current_actor())
    except DomainError as error:
        return _result_page(line_id, error.http_status, problem=error.message)
    flash(_("Đã trả kết quả cho bác sĩ."), "success")
    return redirect(url_for("laboratory.result", line_id=line_id), 303)


@bp.post("/results/<int:result_id>/correct")
@require(Permission.RESULT_ENTER)
def correct(result_id: int) -> Any:
    """Open a replacing version of a released result."""
    form = CorrectForm()
    line_id = queries.result_by_id(result_id).order_line_id
    records_queries.allowed(current_actor(), queries.line_facts(line_id).visit)
    if form.validate_on_submit():
        try:
            with transaction():
                service.correct(result_id, form.reason.data or "", actor=current_actor())
        except DomainError as error:
            form.reason.errors = [*form.reason.errors, error.message]
        else:
            flash(_("Đã lập bản thay thế. Sửa giá trị, lưu, rồi nhờ người khác trả."), "success")
            return redirect(url_for("laboratory.result", line_id=line_id), 303)
    return _result_page(line_id, 422, correct_form=form)


@bp.get("/results/<int:result_id>/sheet")
@require(Permission.RESULT_READ)
def sheet(result_id: int) -> Any:
    """The result sheet: stored once, reprinted from the same bytes."""
    records_queries.allowed(current_actor(), queries.line_facts(queries.result_by_id(result_id).order_line_id).visit)
    with transaction():
        paper = service.issue_sheet(result_id, actor=current_actor())
    return redirect(url_for("documents.show", paper_id=paper.paper_id))
