"""The referral screen of a visit, and the list of papers waiting for the facility's signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as replace_
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for

from his.audit import service as audit
from his.catalogues import queries as catalogues
from his.core import clock
from his.core.db import transaction
from his.core.errors import Conflict, DomainError, Finding, RuleBroken
from his.core.i18n import gettext as _
from his.core.permissions import current_actor, may, require
from his.documents import service as documents
from his.examination import queries as exam_queries
from his.records import queries as records_queries
from his.referrals import queries, service
from his.referrals.enums import ReferralState
from his.referrals.errors import ReferralClosed
from his.referrals.forms import ReasonForm, ReferralForm
from his.referrals.models import Referral
from his.referrals.permissions import Permission

bp = Blueprint("referrals", __name__, url_prefix="/referrals", template_folder="templates")
REGISTER_DAYS = 31


def _page(
    visit_id: int, *, form: ReferralForm | None = None, reason_form: ReasonForm | None = None, asked: str = "",
    findings: tuple[Finding, ...] = (), judged: Sequence[Finding] = (), status: int = 200,
) -> Any:  # fmt: skip
    actor = current_actor()
    page = queries.page(visit_id, actor)
    if judged:
        page = replace_(page, checks=queries.check_rows(judged))
    audit.viewed(actor, page.visit.patient_id, "referral", visit_id=visit_id)
    can_write = page.is_draft and may(Permission.REFERRAL_WRITE)
    editing = can_write and (form is not None or "edit" in request.args or bool(page.findings))
    destination = page.referral.destination_name if page.referral else ""
    if editing and page.referral is not None:
        form = form or ReferralForm.of(page.referral)
        if form.destination_code.data != page.referral.destination_code:
            found = catalogues.facilities([form.destination_code.data or ""], clock.today())
            destination = found[form.destination_code.data].name if form.destination_code.data in found else ""
        form.result_code.choices = [("", _("– chọn –")), *((c, vi) for c, vi, _en in exam_queries.outcome_choices(clock.today())[1])]
    return render_template(
        "referrals/edit.html", p=page, form=form if editing else None, editing=editing, findings=findings, asked=asked,
        destination=destination,
        can_write=can_write, reason_form=reason_form or ReasonForm(formdata=None), visit_url=_visit_url(visit_id),
        public_url=documents.public_url(page.paper.public_code) if page.paper else "",
        qr=documents.qr_svg(documents.public_url(page.paper.public_code)) if page.paper else "",
    ), status  # fmt: skip


def _visit_url(visit_id: int) -> str:
    """Return the doctor's page of the visit, for those who may open it."""
    if "examination.visit" not in current_app.view_functions or not may("examination:note:read"):
        return ""
    return url_for("examination.visit", visit_id=visit_id)


def _back(referral: Referral) -> Any:
    return redirect(url_for(".edit", visit_id=referral.visit_id), 303)


def _allowed(referral_id: int) -> Referral:
    """Return a referral of a visit this person may work on."""
    referral = queries.get(referral_id)
    records_queries.get_for(current_actor(), referral.visit_id)
    return referral


@bp.get("/visits/<int:visit_id>")
@require(Permission.REFERRAL_READ, Permission.REFERRAL_ISSUE)
def edit(visit_id: int) -> Any:
    """The referral of a visit: the draft to work on, or the signed paper with what is still to do."""
    return _page(visit_id)


@bp.post("/visits/<int:visit_id>/draft")
@require(Permission.REFERRAL_WRITE)
def draft(visit_id: int) -> Any:
    """Open the draft of a visit, pre-filled from the record."""
    records_queries.get_for(current_actor(), visit_id)
    with transaction():
        service.draft(visit_id, actor=current_actor())
    return redirect(url_for(".edit", visit_id=visit_id, edit=1), 303)


def _refused(referral: Referral, form: ReferralForm | None, error: DomainError) -> Any:
    """Show the page again with what was typed and what is wrong, at the field where it is wrong."""
    if not isinstance(error, RuleBroken):
        left: tuple[Finding, ...] = (Finding(error.code, "", error.message),)
        return _page(referral.visit_id, form=form, findings=left, status=error.http_status)
    for finding in error.findings:
        if form is not None and finding.field in form:
            form[finding.field].errors = [*form[finding.field].errors, finding.message]
    left = tuple(f for f in error.findings if form is None or f.field not in form)
    return _page(referral.visit_id, form=form, findings=left, judged=error.findings, status=error.http_status)


@bp.post("/<int:referral_id>")
@require(Permission.REFERRAL_WRITE)
def save(referral_id: int) -> Any:
    """Save the draft."""
    referral = _allowed(referral_id)
    form = ReferralForm()
    form.result_code.choices = []
    if not form.validate_on_submit():
        return _page(referral.visit_id, form=form, status=422)
    try:
        with transaction():
            referral = service.save(referral_id, form.as_data(), form.seen_version, actor=current_actor())
    except Conflict as error:
        form.version.data = str(queries.get(referral_id).version)
        return _refused(referral, form, error)
    except DomainError as error:
        return _refused(referral, form, error)
    if not queries.findings(referral):
        flash(_("Đã lưu phiếu. Xem lại bản in rồi ký."), "success")
    else:
        flash(_("Đã lưu bản nháp."), "success")
    return _back(referral)


@bp.post("/<int:referral_id>/sign")
@require(Permission.REFERRAL_SIGN)
def sign(referral_id: int) -> Any:
    """Sign as the treating doctor; from the form, what is typed is saved first, so that it is what is signed."""
    referral = _allowed(referral_id)
    form = ReferralForm()
    form.result_code.choices = []
    typed = "clinical_signs" in request.form
    if typed and not form.validate_on_submit():
        return _page(referral.visit_id, form=form, status=422)
    try:
        with transaction():
            version = form.seen_version
            if typed:
                version = service.save(referral_id, form.as_data(), version, actor=current_actor()).version
            service.sign(referral_id, version=version, actor=current_actor())
    except ReferralClosed as error:
        flash(error.message, "warning")
        return _back(referral)
    except DomainError as error:
        return _refused(referral, form if typed else None, error)
    flash(_("Đã ký phiếu chuyển. Lượt khám đã kết thúc; phiếu chờ cơ sở ký phát hành."), "success")
    return _back(referral)


@bp.post("/<int:referral_id>/issue")
@require(Permission.REFERRAL_ISSUE)
def issue(referral_id: int) -> Any:
    """Sign for the facility: the number is given, the paper is stored."""
    referral = _allowed(referral_id)
    try:
        with transaction():
            referral = service.issue(referral_id, actor=current_actor())
    except DomainError as error:
        return _refused(referral, None, error)
    flash(_("Đã phát hành phiếu số %(number)s.", number=referral.number), "success")
    if request.form.get("next") == "list":
        return redirect(url_for(".worklist"), 303)
    return _back(referral)


def _take_back(referral_id: int, asked: str) -> Any:
    referral = _allowed(referral_id)
    form = ReasonForm()
    is_draft = referral.state is ReferralState.DRAFT
    if not is_draft and not form.validate_on_submit():
        return _page(referral.visit_id, reason_form=form, asked=asked, status=422)
    try:
        with transaction():
            if asked == "replace":
                service.replace(referral_id, form.reason.data or "", actor=current_actor())
            else:
                service.cancel(referral_id, form.reason.data or "", actor=current_actor())
    except DomainError as error:
        form.reason.errors = [*form.reason.errors, error.message]
        return _page(referral.visit_id, reason_form=form, asked=asked, status=error.http_status)
    if asked == "replace":
        flash(_("Đã mở phiếu thay. Phiếu cũ còn giá trị đến khi phiếu thay được phát hành."), "success")
        return redirect(url_for(".edit", visit_id=referral.visit_id, edit=1), 303)
    flash(_("Đã bỏ bản nháp.") if is_draft else _("Đã hủy phiếu. Lượt khám mở lại để bác sĩ kết thúc cách khác."), "success")
    return _back(referral)


@bp.post("/<int:referral_id>/cancel")
@require(Permission.REFERRAL_WRITE, Permission.REFERRAL_ISSUE)
def cancel(referral_id: int) -> Any:
    """Put a draft away, or cancel a signed paper with a reason."""
    return _take_back(referral_id, "cancel")


@bp.post("/<int:referral_id>/replace")
@require(Permission.REFERRAL_WRITE)
def replace(referral_id: int) -> Any:
    """Open a draft that replaces an issued paper."""
    return _take_back(referral_id, "replace")


def _mark(referral: Referral) -> str:
    """Return the words behind the text of what is no valid paper (papers are Vietnamese only)."""
    return {
        ReferralState.DRAFT: "BẢN NHÁP", ReferralState.SIGNED: "CHỜ CƠ SỞ KÝ", ReferralState.CANCELLED: "ĐÃ HỦY",
        ReferralState.REPLACED: "ĐÃ THAY",
    }.get(referral.state, "")  # fmt: skip


@bp.get("/<int:referral_id>/preview")
@require(Permission.REFERRAL_READ, Permission.REFERRAL_ISSUE)
def preview(referral_id: int) -> Any:
    """The paper as a page, for the frame in the middle of the screen."""
    referral = _allowed(referral_id)
    context = service.context_of(referral)
    return documents.page(service.form_of(context), context, mark=_mark(referral))


@bp.get("/<int:referral_id>/paper")
@require(Permission.REFERRAL_READ, Permission.REFERRAL_ISSUE)
def paper(referral_id: int) -> Any:
    """The PDF: the stored bytes of an issued paper, else a marked preview that is not kept."""
    referral = _allowed(referral_id)
    actor = current_actor()
    audit.viewed(actor, referral.patient_id, "referral", visit_id=referral.visit_id)
    if referral.paper_id is not None:
        return redirect(url_for("documents.show", paper_id=referral.paper_id))
    context = service.context_of(referral)
    pdf = documents.render(service.form_of(context), context, mark=_mark(referral)).content
    return Response(pdf, mimetype="application/pdf", headers={"Content-Disposition": "inline; filename=xem-truoc.pdf"})


@bp.get("/")
@require(Permission.REFERRAL_READ, Permission.REFERRAL_ISSUE)
def worklist() -> Any:
    """Papers waiting for the facility's signature; the register of what was issued; drafts."""
    today = clock.today()
    tab = request.args.get("tab", "")
    waiting = queries.waiting()
    if tab not in ("waiting", "register", "drafts"):
        tab = "waiting" if waiting or may(Permission.REFERRAL_ISSUE) else "register"
    rows = waiting
    if tab == "register":
        rows = queries.register(today - timedelta(days=REGISTER_DAYS), today)
    elif tab == "drafts":
        rows = queries.drafts()
    return render_template("referrals/worklist.html", tab=tab, rows=rows, waiting=waiting, today=today, days=REGISTER_DAYS)
