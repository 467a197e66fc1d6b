"""The dispensing counter: list, one prescription, hand out, take back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from his.audit import service as audit
from his.core import clock, search
from his.core.db import transaction
from his.core.errors import DomainError, Finding
from his.core.i18n import date_text
from his.core.i18n import gettext as _
from his.core.permissions import current_actor, require
from his.pharmacy import queries, service
from his.pharmacy.forms import DispenseForm, FindForm, TakeBackForm
from his.pharmacy.permissions import Permission
from his.prescriptions import queries as rx_queries

bp = Blueprint("pharmacy", __name__, url_prefix="/pharmacy", template_folder="templates")
VIEWS = ("ready", "unpaid", "given", "all")


def _list(view: str, form: FindForm, status: int = 200) -> Any:
    rows = queries.worklist(clock.today())
    counts = {name: sum(name in {"all", row.view} for row in rows) for name in VIEWS}
    text = search.fold(form.q.data or "")
    shown = [row for row in rows if view in {"all", row.view} and (not text or row.matches(text))]
    return render_template(
        "pharmacy/worklist.html", rows=shown, counts=counts, view=view, form=form, today=date_text(clock.today())
    ), status


@bp.get("/")
@bp.get("/list/<any(ready, unpaid, given, all):view>", endpoint="worklist_of")
@require(Permission.PRESCRIPTION_READ)
def worklist(view: str = "ready") -> Any:
    """Signed prescriptions: paid and waiting, unpaid, handed out today."""
    return _list(view, FindForm(formdata=None))


@bp.post("/find")
@require(Permission.PRESCRIPTION_READ)
def find() -> Any:
    """Open the prescription whose code was scanned or typed; else look for the text in the list."""
    form = FindForm()
    if not form.validate_on_submit():
        return _list("all", form, 422)
    found = rx_queries.by_code(service.code_of(form.q.data or ""))
    if found is not None:
        return redirect(url_for(".prescription", prescription_id=found.prescription_id), 303)
    return _list("all", form)


def _page(
    prescription_id: int, *, form: DispenseForm | None = None, back_form: TakeBackForm | None = None, status: int = 200,
    findings: tuple[Finding, ...] = (),
) -> Any:  # fmt: skip
    actor = current_actor()
    page = queries.counter(prescription_id, actor)
    audit.viewed(actor, page.visit.patient_id, "dispensing", visit_id=page.visit.visit_id)
    return render_template(
        "pharmacy/prescription.html", page=page, rx=page.prescription, findings=findings,
        form=form or DispenseForm(formdata=None, receiver_name=page.banner.guardian_name or page.visit.patient.full_name),
        back_form=back_form or TakeBackForm(formdata=None), reason_text=service.override_words(),
        messages={(a["rule"], a["about"]): a["message"] for a in page.prescription.alerts},
    ), status  # fmt: skip


@bp.get("/prescriptions/<int:prescription_id>")
@require(Permission.PRESCRIPTION_READ)
def prescription(prescription_id: int) -> Any:
    """One prescription at the counter: alerts the doctor overrode, lots to take, labels."""
    return _page(prescription_id)


@bp.post("/prescriptions/<int:prescription_id>/dispense")
@require(Permission.DISPENSE_WRITE)
def dispense(prescription_id: int) -> Any:
    """Hand the medicines out."""
    form = DispenseForm()
    if not form.validate_on_submit():
        return _page(prescription_id, form=form, status=422)
    try:
        with transaction():
            given = service.dispense(
                prescription_id, receiver_name=form.receiver_name.data or "", actor=current_actor(),
                receiver_id_number=form.receiver_id_number.data or "", key=form.idempotency_key.data or "",
            )  # fmt: skip
    except DomainError as error:
        if error.code == "receiver_id_missing":
            form.receiver_id_number.errors = [*form.receiver_id_number.errors, error.message]
            return _page(prescription_id, form=form, status=422)
        return _page(
            prescription_id, form=form, status=error.http_status, findings=(Finding(error.code, "", error.message),)
        )
    flash(_("Đã cấp thuốc, phiếu %(number)s.", number=given.number), "success")
    return redirect(url_for(".prescription", prescription_id=prescription_id), 303)


@bp.post("/prescriptions/<int:prescription_id>/take-back")
@require(Permission.DISPENSE_VOID)
def take_back(prescription_id: int) -> Any:
    """Take a hand-over back whole."""
    form = TakeBackForm()
    if form.validate_on_submit():
        try:
            with transaction():
                service.take_back(prescription_id, form.reason.data or "", actor=current_actor())
        except DomainError as error:
            form.reason.errors = [*form.reason.errors, error.message]
        else:
            flash(_("Đã nhận lại thuốc vào đúng lô."), "success")
            return redirect(url_for(".prescription", prescription_id=prescription_id), 303)
    return _page(prescription_id, back_form=form, status=422)
