"""The cashier: who pays, the bill with its reasons, taking and giving back money."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for

from his.audit import service as audit
from his.billing import queries, service
from his.billing.enums import PaymentMethod, PayState
from his.billing.errors import TenderedTooLittle
from his.billing.forms import FindForm, PayForm, VoidForm
from his.billing.permissions import Permission
from his.core import clock
from his.core.db import transaction
from his.core.errors import DomainError
from his.core.i18n import gettext as _
from his.core.permissions import current_actor, require
from his.records import queries as records_queries
from his.records.enums import VisitState

bp = Blueprint("billing", __name__, url_prefix="/billing", template_folder="templates")


def _state() -> PayState:
    try:
        return PayState(request.args.get("state", PayState.TO_PAY.value))
    except ValueError:
        return PayState.TO_PAY


def _list(state: PayState) -> dict[str, Any]:
    day = clock.today()
    return {
        "rows": queries.worklist(day, state), "counts": queries.counts(day), "state": state.value,
        "now": clock.now(),
    }  # fmt: skip


@bp.get("/")
@require(Permission.BILL_READ)
def worklist() -> Any:
    """Who pays: concluded visits first."""
    state = _state()
    return render_template(
        "billing/worklist.html",
        version=queries.worklist_version(clock.today()),
        form=FindForm(formdata=None),
        **_list(state),
    )


@bp.get("/part")
@require(Permission.BILL_READ)
def worklist_part() -> Any:
    """The list alone, when it changed since the version the page holds."""
    version = queries.worklist_version(clock.today())
    if request.args.get("version") == version:
        return "", 204
    response = make_response(render_template("billing/_rows.html", **_list(_state())))
    response.headers["X-Version"] = version
    return response


@bp.post("/find")
@require(Permission.BILL_READ)
def find() -> Any:
    """A scanned or typed text: one visit opens its bill, several are listed, none says what to do."""
    form = FindForm()
    day = clock.today()
    text = form.q.data or ""
    found = queries.find_on_list(day, text) if form.validate_on_submit() and text else []
    if len(found) == 1:
        return redirect(url_for("billing.visit", visit_id=found[0]), 303)
    if text and not found and not form.q.errors:
        form.q.errors = [_("Không thấy lượt khám có chi phí. Kiểm tra mã hoặc gõ tên không dấu.")]
    state = PayState.TO_PAY
    rows = queries.worklist(day, visit_ids=found) if found else queries.worklist(day, state)
    return render_template(
        "billing/worklist.html", version="", form=form, rows=rows, counts=queries.counts(day), now=clock.now(),
        state="found" if found else state.value,
    ), 422 if form.errors else 200  # fmt: skip


@bp.get("/visits/<int:visit_id>")
@require(Permission.BILL_READ)
def visit(visit_id: int) -> Any:
    """The itemised bill of a visit and its payment."""
    return _visit_page(visit_id)


def _visit_page(
    visit_id: int,
    status: int = 200,
    *,
    pay_form: PayForm | None = None,
    void_form: VoidForm | None = None,
    problem: str = "",
) -> Any:
    actor = current_actor()
    row = records_queries.get_for(actor, visit_id)
    audit.viewed(actor, row.patient_id, "bill", visit_id=visit_id)
    sheet = queries.sheet_of(row)
    settlement = sheet.settlement
    payments = queries.payments_of(visit_id)
    if pay_form is None:
        pay_form = PayForm(formdata=None, expected=str(sheet.payable))
    else:
        pay_form.expected.data = str(sheet.payable)
    blocked = ""
    if row.state in (VisitState.OPEN, VisitState.IN_EXAM):
        blocked = _("Bác sĩ chưa kết thúc lượt khám: chi phí có thể còn thêm. Chưa thu được.")
    elif row.state is VisitState.CANCELLED:
        blocked = _("Lượt khám đã hủy: không thu tiền.")
    elif not sheet.line_count:
        blocked = _("Lượt khám chưa có chi phí nào.")
    return render_template(
        "billing/visit.html", visit=row, patient=row.patient, coverage=row.coverage if sheet.subject_code != "9" else None,
        sheet=sheet, settlement=settlement, payments=payments, pay_form=pay_form,
        void_form=void_form or VoidForm(formdata=None), blocked=blocked, problem=problem,
        own_settlement=settlement is not None and settlement.by_id == actor.user_id,
        words=service.amount_in_words(sheet.payable),
        paid=next((p for p, s in payments if settlement is not None and s.settlement_id == settlement.settlement_id), None),
    ), status  # fmt: skip


@bp.post("/visits/<int:visit_id>/pay")
@require(Permission.PAYMENT_TAKE)
def pay(visit_id: int) -> Any:
    """Take the money; the key makes a double click one payment."""
    form = PayForm()
    records_queries.get_for(current_actor(), visit_id)
    problem = ""
    if form.validate_on_submit():
        try:
            with transaction():
                settlement = service.settle(
                    visit_id, method=PaymentMethod(form.method.data), tendered=form.tendered.data,
                    key=form.idempotency_key.data or "", expected=form.amount(), actor=current_actor(),
                )  # fmt: skip
        except TenderedTooLittle as error:
            form.tendered.errors = [*form.tendered.errors, error.message]
        except ValueError:
            problem = _("Trang đã cũ. Xem lại số tiền rồi thu.")
        except DomainError as error:
            problem = error.message
        else:
            flash(
                _("Đã thu xong, phiếu thanh toán %(number)s.", number=settlement.number)
                if settlement.payable_amount
                else _("Đã xác nhận: quỹ bảo hiểm y tế trả toàn bộ, không thu tiền."),
                "success",
            )
            return redirect(url_for("billing.visit", visit_id=visit_id), 303)
    return _visit_page(visit_id, 422, pay_form=form, problem=problem)


@bp.post("/visits/<int:visit_id>/void")
@require(Permission.PAYMENT_VOID)
def void(visit_id: int) -> Any:
    """Take a settlement back with a reason."""
    form = VoidForm()
    records_queries.get_for(current_actor(), visit_id)
    if form.validate_on_submit():
        try:
            with transaction():
                settlement = service.void_settlement(visit_id, form.reason.data or "", actor=current_actor())
        except DomainError as error:
            form.reason.errors = [*form.reason.errors, error.message]
        else:
            flash(_("Đã hủy phiếu thanh toán %(number)s.", number=settlement.number), "success")
            return redirect(url_for("billing.visit", visit_id=visit_id), 303)
    return _visit_page(visit_id, 422, void_form=form)


@bp.get("/payments/<int:payment_id>/receipt")
@require(Permission.BILL_READ)
def receipt(payment_id: int) -> Any:
    """The receipt of a payment: stored once, reprinted from the same bytes."""
    with transaction():
        paper = service.issue_receipt(payment_id, actor=current_actor())
    return redirect(url_for("documents.show", paper_id=paper.paper_id))


@bp.get("/visits/<int:visit_id>/bill")
@require(Permission.BILL_READ)
def bill(visit_id: int) -> Any:
    """The itemised bill (Mẫu 01/KBCB) of a paid visit."""
    records_queries.get_for(current_actor(), visit_id)
    with transaction():
        paper = service.issue_bill(visit_id, actor=current_actor())
    return redirect(url_for("documents.show", paper_id=paper.paper_id))
