"""The prescription editor: one page, one form; each button is one request, the server is the truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for

from his.audit import service as audit
from his.catalogues import queries as catalogues
from his.catalogues.errors import CodeNotFound
from his.core.db import transaction
from his.core.errors import DomainError, Finding, NotAllowed, RuleBroken
from his.core.forms import clean_text
from his.core.i18n import gettext as _
from his.core.permissions import current_actor, may, require
from his.core.web import wants_fragment
from his.prescriptions import queries, service
from his.prescriptions.enums import OverrideReason
from his.prescriptions.errors import AlreadySigned, PrescriptionChanged, PrescriptionNotFound
from his.prescriptions.forms import CancelForm, EditorForm, SignForm, override_reasons, with_change
from his.prescriptions.permissions import Permission
from his.prescriptions.queries import editor
from his.records import queries as records_queries

bp = Blueprint("prescriptions", __name__, url_prefix="/prescriptions", template_folder="templates")


def _page(
    visit_id: int, *, prescription_id: int | None = None, form: EditorForm | None = None, status: int = 200,
    findings: tuple[Finding, ...] = (), mine: EditorForm | None = None, cancel_form: CancelForm | None = None,
) -> Any:  # fmt: skip
    actor = current_actor()
    page = editor.load(visit_id, prescription_id)
    records_queries.allowed(actor, page.visit)
    audit.viewed(actor, page.visit.patient_id, "prescription", visit_id=visit_id)
    rx = page.prescription
    reasons = override_reasons()
    return render_template(
        "prescriptions/edit.html", ed=page, form=form or _form_of(page), findings=findings, mine=mine,
        names=_names(mine, page.visit.service_on) if mine is not None else {},
        sign_form=SignForm(formdata=None, shown=service.shown_digest(rx) if rx is not None and page.is_draft else ""),
        cancel_form=cancel_form or CancelForm(formdata=None), reasons=reasons, reason_text=dict(reasons), legal=service.LEGAL_STOPS, visit_url=_visit_url(visit_id),
        can_edit=page.is_draft and may(Permission.PRESCRIPTION_DRAFT),
    ), status  # fmt: skip


def _form_of(page: editor.Editor) -> EditorForm:
    rx = page.prescription
    lines = [
        {
            "drug": row.line.drug_code, "dose": row.line.dose_amount, "dose_unit": row.line.dose_unit,
            "times": row.line.times_per_day, "frequency": row.line.frequency, "times_text": row.line.times_text,
            "days": row.line.days, "quantity": row.line.quantity,
        }
        for row in page.lines
    ]  # fmt: skip
    return EditorForm(
        formdata=None, prescription_id=rx.prescription_id if rx else "", version=rx.version if rx else "", lines=lines,
        advice=rx.advice if rx else "", follow_up_on=rx.follow_up_on if rx else None,
    )  # fmt: skip


@bp.get("/visits/<int:visit_id>")
@require(Permission.PRESCRIPTION_READ)
def edit(visit_id: int) -> Any:
    """The prescription of a visit: the draft to work on, or the signed one to read, print, replace."""
    return _page(visit_id, prescription_id=request.args.get("rx", type=int))


@bp.post("/visits/<int:visit_id>")
@require(Permission.PRESCRIPTION_DRAFT)
def save(visit_id: int) -> Any:
    """Save the lines as they stand on the page, changed by the button that was pressed."""
    form = EditorForm()
    chosen = _number(form.prescription_id.data)
    if not form.validate_on_submit():
        return _page(visit_id, prescription_id=chosen, form=form, status=422)
    try:
        with transaction():
            chosen = _change(visit_id, chosen, form, request.form.get("do", "save"))
    except PrescriptionChanged:
        return _page(visit_id, prescription_id=chosen, status=409, mine=form)
    except RuleBroken as error:
        left = tuple(finding for finding in error.findings if not _at_field(form, finding))
        return _page(visit_id, prescription_id=chosen, form=form, status=422, findings=left)
    except DomainError as error:
        return _page(
            visit_id,
            prescription_id=chosen,
            status=422 if isinstance(error, CodeNotFound) else error.http_status,
            findings=(Finding(error.code, "", error.message),),
        )
    if wants_fragment():
        return _page(visit_id, prescription_id=chosen)
    return redirect(url_for(".edit", visit_id=visit_id, rx=chosen), 303)


def _number(text: str | None) -> int | None:
    """Read an id or a version a page sends back; None for nothing and for nonsense."""
    return int(text) if text and text.isdecimal() and len(text) <= 15 else None


def _change(visit_id: int, chosen: int | None, form: EditorForm, do: str) -> int:
    """Translate the pressed button into the use cases; returns the prescription to show."""
    actor = current_actor()
    records_queries.get_for(actor, visit_id)
    if chosen is None and queries.current_of(visit_id) is not None:
        raise PrescriptionChanged("Đơn của lượt khám này vừa được mở ở nơi khác. Tải lại để xem.")
    rx = queries.get(chosen) if chosen is not None else service.draft_for(visit_id, actor=actor)
    if rx.visit_id != visit_id:
        raise PrescriptionNotFound("Không tìm thấy đơn thuốc này.")
    version = _number(form.version.data)
    lines = with_change(form.lines_data(), do)
    word, _sep, rest = do.partition(":")
    if word == "copy":
        have = {line.drug_code for line in lines}
        lines += [line for line in service.last_lines(visit_id) if line.drug_code not in have]
    elif word == "swap":
        place, _sep, code = rest.partition(":")
        position = _number(place)
        if position is not None and position < len(lines):
            old = lines[position]
            fresh = service.first_dose(visit_id, code, old.days)
            lines[position] = replace(
                fresh, dose_amount=Decimal(1), times_per_day=old.times_per_day, times_text=old.times_text
            )
    elif form.add_drug.data:
        lines.append(service.first_dose(visit_id, form.add_drug.data, lines[-1].days if lines else 5))
    rx = service.set_lines(
        rx.prescription_id,
        lines,
        advice=form.advice.data or "",
        follow_up_on=form.follow_up_on.data,
        version=version,
        actor=actor,
    )
    if word == "override":
        _override(rx.prescription_id, rest)
    elif word == "split":
        return service.split_controlled(rx.prescription_id, version=None, actor=actor).prescription_id
    return rx.prescription_id


def _override(prescription_id: int, rest: str) -> None:
    """Answer alert number n of the page with a ready reason and, for tier 1, the typed text."""
    if not may(Permission.ALERT_OVERRIDE):
        raise NotAllowed("Vai trò của bạn không được kê khi có cảnh báo.")
    number, _sep, reason = rest.partition(":")
    rule, _sep, about = request.form.get(f"alert-{number}", "").partition("|")
    if reason not in set(OverrideReason):
        raise RuleBroken([Finding("reason_missing", f"reason-{number}", "Chọn một lý do có sẵn.")])
    text = clean_text(request.form.get(f"reason-{number}", ""))
    try:
        service.override(prescription_id, rule, about, OverrideReason(reason), text, actor=current_actor())
    except RuleBroken as error:
        raise RuleBroken([replace(f, field=f"reason-{number}") for f in error.findings]) from error


def _at_field(form: EditorForm, finding: Finding) -> bool:
    """Put a finding about ``dose-2`` on that field; tell whether it found its place."""
    name, _sep, place = finding.field.rpartition("-")
    if (
        not place.isdecimal()
        or int(place) >= len(form.lines)
        or name not in ("drug", "dose", "times", "days", "quantity")
    ):
        return False
    field = form.lines[int(place)].form[name]
    field.errors = [*field.errors, finding.message]
    return True


def _names(form: EditorForm, on: date) -> dict[str, str]:
    """Return the names of the products a person had typed when somebody else saved first."""
    known = catalogues.drugs([entry.form.drug.data for entry in form.lines], on)
    return {code: f"{editor.short_name(drug.ingredient_vi)} {drug.strength}" for code, drug in known.items()}


def _visit_url(visit_id: int) -> str:
    """Return the doctor's page of the visit, for those who may open it."""
    if "examination.visit" not in current_app.view_functions or not may("examination:note:read"):
        return ""
    return url_for("examination.visit", visit_id=visit_id)


@bp.post("/<int:prescription_id>/sign")
@require(Permission.PRESCRIPTION_SIGN)
def sign(prescription_id: int) -> Any:
    """Sign: freeze, give the code, hold stock, charge, queue for the national system."""
    form = SignForm()
    visit_id = queries.get(prescription_id).visit_id
    try:
        with transaction():
            rx = service.sign(
                prescription_id,
                actor=current_actor(),
                key=form.idempotency_key.data or "",
                shown=form.shown.data or None,
            )
    except AlreadySigned as error:
        flash(error.message, "warning")
        return redirect(url_for(".edit", visit_id=visit_id, rx=prescription_id), 303)
    except RuleBroken as error:
        return _page(visit_id, prescription_id=prescription_id, status=422, findings=error.findings)
    except DomainError as error:
        finding = Finding(error.code, "", error.message)
        return _page(visit_id, prescription_id=prescription_id, status=error.http_status, findings=(finding,))
    flash(_("Đã ký đơn %(code)s.", code=rx.code), "success")
    return redirect(url_for(".edit", visit_id=visit_id, rx=prescription_id), 303)


def _take_out(prescription_id: int, *, fresh: bool) -> Any:
    form = CancelForm()
    visit_id = queries.get(prescription_id).visit_id
    if form.validate_on_submit():
        try:
            with transaction():
                reason, actor = form.reason.data or "", current_actor()
                if fresh:
                    prescription_id = service.replace(prescription_id, reason, actor=actor).prescription_id
                else:
                    service.cancel(prescription_id, reason, actor=actor)
        except DomainError as error:
            form.reason.errors = [*form.reason.errors, error.message]
        else:
            flash(_("Đã hủy đơn cũ. Sửa đơn mới rồi ký.") if fresh else _("Đã hủy đơn."), "success")
            return redirect(url_for(".edit", visit_id=visit_id, rx=prescription_id), 303)
    return _page(visit_id, prescription_id=prescription_id, status=422, cancel_form=form)


@bp.post("/<int:prescription_id>/cancel")
@require(Permission.PRESCRIPTION_VOID)
def cancel(prescription_id: int) -> Any:
    """Cancel a signed prescription, or put a draft away; held stock and charges are given back."""
    return _take_out(prescription_id, fresh=False)


@bp.post("/<int:prescription_id>/replace")
@require(Permission.PRESCRIPTION_VOID)
def replace_signed(prescription_id: int) -> Any:
    """Replace a signed prescription by a new draft with the same lines."""
    return _take_out(prescription_id, fresh=True)


@bp.post("/<int:prescription_id>/resend")
@require(Permission.PRESCRIPTION_SIGN)
def resend(prescription_id: int) -> Any:
    """Send a refused or unclear message again, by a person's decision."""
    with transaction():
        rx = service.resend(prescription_id, actor=current_actor())
    flash(_("Đơn sẽ được gửi lại."), "success")
    return redirect(url_for(".edit", visit_id=rx.visit_id, rx=prescription_id), 303)


@bp.get("/<int:prescription_id>/paper")
@require(Permission.PRESCRIPTION_READ)
def paper(prescription_id: int) -> Any:
    """The A5 paper: a signed prescription as issued bytes, a draft as a preview that is not kept."""
    actor = current_actor()
    rx = queries.get(prescription_id)
    visit = records_queries.get_for(actor, rx.visit_id)
    audit.viewed(actor, visit.patient_id, "prescription", visit_id=visit.visit_id)
    if rx.signed_at is None:
        return Response(service.preview(prescription_id), mimetype="application/pdf",
                        headers={"Content-Disposition": "inline; filename=xem-truoc.pdf"})  # fmt: skip
    with transaction():
        issued = service.paper(prescription_id, actor=actor)
    return redirect(url_for("documents.show", paper_id=issued.paper_id))
