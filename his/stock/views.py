"""The store: products with lots, receiving, correcting a count."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from his.core import clock, search
from his.core.db import transaction
from his.core.errors import DomainError
from his.core.i18n import gettext as _
from his.core.permissions import current_actor, require
from his.stock import queries, service
from his.stock.forms import CorrectForm, ReceiveForm, SearchForm
from his.stock.permissions import Permission

bp = Blueprint("stock", __name__, url_prefix="/stock", template_folder="templates")
VIEWS = ("all", "soon", "expired", "out")


def _page(
    drug_code: str = "", *, form: ReceiveForm | None = None, correct_form: CorrectForm | None = None, lot_id: int | None = None,
    status: int = 200,
) -> Any:  # fmt: skip
    products = queries.products()
    view = request.args.get("view", "all")
    text = search.fold(request.args.get("q", ""))
    counts = {name: sum(name in {"all", row.view} for row in products) for name in VIEWS}
    shown = [
        r
        for r in products
        if view in {"all", r.view} and all(w in search.fold(f"{r.code} {r.name}") for w in text.split())
    ]
    chosen = next((r for r in products if r.code == drug_code), None) or next(iter(shown), None)
    code = chosen.code if chosen else ""
    return render_template(
        "stock/index.html", rows=shown, counts=counts, view=view, chosen=chosen, q=request.args.get("q", ""),
        lots=[lot for lot in queries.lots_of(code) if lot.quantity > 0 or lot.lot_id == lot_id] if code else [],
        movements=queries.movements_of(code) if code else [], form=form or ReceiveForm(formdata=None, drug_code=code),
        correct_form=correct_form or CorrectForm(formdata=None), lot_id=lot_id, today=clock.today(), soon=queries.SOON_DAYS,
        search_form=SearchForm(formdata=None, q=request.args.get("q", "")),
    ), status  # fmt: skip


@bp.get("/")
@require(Permission.STOCK_READ)
def index() -> Any:
    """Products with what is on hand, held and near expiry; the lots of the chosen one."""
    return _page(request.args.get("drug", ""), lot_id=request.args.get("lot", type=int))


@bp.post("/receive")
@require(Permission.STOCK_RECEIVE)
def receive() -> Any:
    """Bring a lot into the store."""
    form = ReceiveForm()
    if form.validate_on_submit() and form.expires_on.data is not None and form.quantity.data is not None:
        try:
            with transaction():
                service.receive(
                    drug_code=form.drug_code.data or "", lot_number=form.lot_number.data or "", expires_on=form.expires_on.data,
                    quantity=form.quantity.data, reason=form.reason.data or "", key=form.idempotency_key.data or "",
                    actor=current_actor(),
                )  # fmt: skip
        except DomainError as error:
            field = (
                form.expires_on
                if error.code == "lot_expired"
                else form.quantity
                if error.code == "bad_quantity"
                else form.lot_number
            )
            field.errors = [*field.errors, error.message]
        else:
            flash(_("Đã nhập lô %(lot)s.", lot=form.lot_number.data), "success")
            return redirect(url_for(".index", drug=form.drug_code.data, _anchor=f"row-{form.drug_code.data}"), 303)
    return _page(form.drug_code.data or "", form=form, status=422)


@bp.post("/lots/<int:lot_id>/correct")
@require(Permission.STOCK_CORRECT)
def correct(lot_id: int) -> Any:
    """Set a lot to what was counted."""
    form = CorrectForm()
    drug = request.form.get("drug_code", "")[:24]
    if form.validate_on_submit() and form.counted.data is not None:
        try:
            with transaction():
                lot = service.correct(lot_id, form.counted.data, reason=form.reason.data or "", actor=current_actor())
        except DomainError as error:
            if error.http_status == 404:
                raise
            form.reason.errors = [*form.reason.errors, error.message]
        else:
            flash(_("Đã điều chỉnh lô %(lot)s.", lot=lot.lot_number), "success")
            return redirect(url_for(".index", drug=lot.drug_code, _anchor=f"row-{lot.drug_code}"), 303)
    return _page(drug, correct_form=form, lot_id=lot_id, status=422)
