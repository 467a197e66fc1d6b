"""Routes of orders: place, take back, place again, a procedure done on the spot."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, jsonify, redirect, url_for

from his.core.db import transaction
from his.core.errors import Finding, RuleBroken
from his.core.i18n import gettext as _
from his.core.once import once
from his.core.permissions import current_actor, require
from his.core.web import wants_json
from his.examination import queries as exam_queries
from his.orders import queries, service
from his.orders.forms import CancelForm, PlaceForm
from his.orders.permissions import Permission
from his.records import queries as records_queries

bp = Blueprint("orders", __name__, url_prefix="/orders", template_folder="templates")


def _back(visit_id: int, text: str, undo_url: str = "") -> Any:
    """Answer a script with what to offer, a plain form with the page it came from."""
    if wants_json():
        return jsonify(ok=True, message=text, undo={"text": text, "url": undo_url} if undo_url else None)
    flash(text, "success")
    return redirect(url_for("examination.visit", visit_id=visit_id) + "#orders", 303)


def _indication(visit_id: int, typed: str) -> str:
    """Return the provisional diagnosis on the slip: as typed, else the diagnoses so far."""
    if typed:
        return typed
    return "; ".join(f"{d.icd_code} {d.name}" for d in exam_queries.diagnoses_of(visit_id))


@bp.post("/visits/<int:visit_id>")
@require(Permission.ORDER_PLACE)
def place(visit_id: int) -> Any:
    """Order services; pressed twice they are ordered once."""
    form = PlaceForm()
    actor = current_actor()
    if not form.validate_on_submit():
        raise RuleBroken([Finding("order_form", name, str(text)) for name, texts in form.errors.items() for text in texts])
    codes = form.codes()

    def effect() -> dict[str, Any]:
        order = service.place(
            visit_id, codes, indication=_indication(visit_id, form.indication.data or ""),
            is_urgent=bool(form.is_urgent.data), actor=actor,
        )  # fmt: skip
        return {"order_id": order.order_id, "code": order.code, "count": len(order.lines)}

    with transaction():
        records_queries.get_for(actor, visit_id)
        placed = once(
            form.idempotency_key.data or "", action="orders.place", actor=actor, body={"visit": visit_id, "codes": codes},
            effect=effect,
        )  # fmt: skip
    text = _("Đã chỉ định %(n)d dịch vụ, phiếu %(code)s", n=placed["count"], code=placed["code"])
    return _back(visit_id, text, url_for("orders.cancel_order", order_id=placed["order_id"]))


@bp.post("/lines/<int:line_id>/cancel")
@require(Permission.ORDER_CANCEL)
def cancel(line_id: int) -> Any:
    """Take one ordered service back; it can be ordered again at once."""
    form = CancelForm()
    actor = current_actor()
    with transaction():
        records_queries.get_for(actor, queries.get_line(line_id).order.visit_id)
        line = service.cancel_line(line_id, form.reason.data or "", actor=actor)
        visit_id, name = line.order.visit_id, line.service_name
    return _back(visit_id, _("Đã hủy %(name)s", name=name), url_for("orders.again", line_id=line_id))


@bp.post("/<int:order_id>/cancel")
@require(Permission.ORDER_CANCEL)
def cancel_order(order_id: int) -> Any:
    """Take a whole order back (undo of placing)."""
    form = CancelForm()
    actor = current_actor()
    with transaction():
        records_queries.get_for(actor, queries.get_order(order_id).visit_id)
        order = service.cancel_order(order_id, form.reason.data or "", actor=actor)
        visit_id, code = order.visit_id, order.code
    return _back(visit_id, _("Đã hủy phiếu %(code)s", code=code))


@bp.post("/lines/<int:line_id>/again")
@require(Permission.ORDER_PLACE)
def again(line_id: int) -> Any:
    """Order a cancelled service anew (undo of taking back)."""
    actor = current_actor()
    with transaction():
        line = queries.get_line(line_id)
        records_queries.get_for(actor, line.order.visit_id)
        order = service.place(
            line.order.visit_id, [line.service_code], indication=line.order.indication, is_urgent=line.order.is_urgent,
            actor=actor,
        )  # fmt: skip
        visit_id, name = order.visit_id, order.lines[0].service_name
    return _back(visit_id, _("Đã chỉ định lại %(name)s", name=name))


@bp.post("/lines/<int:line_id>/perform")
@require(Permission.ORDER_PLACE)
def perform(line_id: int) -> Any:
    """A procedure was done in the clinic."""
    actor = current_actor()
    with transaction():
        records_queries.get_for(actor, queries.get_line(line_id).order.visit_id)
        line = service.perform(line_id, actor=actor)
        visit_id, name = line.order.visit_id, line.service_name
    return _back(visit_id, _("Đã thực hiện %(name)s", name=name))




@bp.get("/<int:order_id>/sheet")
@require(Permission.ORDER_READ)
def sheet(order_id: int) -> Any:
    """The slip the patient takes along; a reprint is the same bytes."""
    actor = current_actor()
    with transaction():
        records_queries.get_for(actor, queries.get_order(order_id).visit_id)
        paper = service.issue_sheet(order_id, actor=actor)
    return redirect(url_for("documents.show", paper_id=paper.paper_id))
