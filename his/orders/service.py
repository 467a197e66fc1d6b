"""Use cases of orders. A charge is made in the same transaction as the order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from his.audit import service as audit
from his.billing import service as billing
from his.billing.enums import ItemKind
from his.catalogues import queries as catalogues
from his.core import clock
from his.core.actor import Actor
from his.core.db import session
from his.core.errors import Finding, InvalidState, RuleBroken
from his.core.sequences import next_number
from his.documents import service as documents
from his.documents.models import Paper
from his.examination import queries as exam_queries
from his.examination import service as examination
from his.orders import printing, queries, rules
from his.orders.enums import ACTION_DETAILS, Action, OrderKind, OrderState
from his.orders.models import OrderLine, ServiceOrder
from his.records import queries as records_queries
from his.records import service as records
from his.records.enums import VisitState

audit.register_actions(Action, ACTION_DETAILS)

KINDS = {"laboratory": OrderKind.LABORATORY, "imaging": OrderKind.IMAGING, "function": OrderKind.FUNCTION,
         "procedure": OrderKind.PROCEDURE, "surgery": OrderKind.PROCEDURE}  # fmt: skip
# What the patient leaves the room for and comes back from with a result.
AWAITED = (OrderKind.LABORATORY, OrderKind.IMAGING, OrderKind.FUNCTION)
order_sets = rules.order_sets
ROOMS = {OrderKind.LABORATORY: "XN1", OrderKind.IMAGING: "CDHA1", OrderKind.FUNCTION: "CDHA1", OrderKind.PROCEDURE: ""}


def place(
    visit_id: int, service_codes: Sequence[str], *, indication: str = "", is_urgent: bool = False, actor: Actor
) -> ServiceOrder:
    """Order services for a visit and charge them at the price of the day.

    The same service still without a result is not ordered twice. Raises `RuleBroken` naming codes that are unknown or
    not offered here, `InvalidState` for an ended visit, `AlreadySettled` for a paid one.
    """
    visit = records_queries.visit_for_update(visit_id)
    if visit.state not in (VisitState.OPEN, VisitState.IN_EXAM):
        raise InvalidState("Lượt khám đã kết thúc. Mở lại lượt khám trước khi chỉ định.")
    today = clock.today()
    wanted = list(dict.fromkeys(code for code in service_codes if code))
    known = catalogues.services(wanted, today)
    bad = [code for code in wanted if code not in known or known[code].kind not in KINDS]
    if bad or not wanted:
        raise RuleBroken(
            [Finding("service_unknown", "service_code", f"Không có dịch vụ «{code}» để chỉ định. Gõ tên để chọn.") for code in bad]
            or [Finding("service_missing", "service_code", "Chưa chọn dịch vụ nào.")]
        )
    absent = [code for code in wanted if not known[code].is_offered]
    if absent:
        raise RuleBroken([
            Finding("not_offered", "service_code", f"«{known[code].name}» chưa có ở bệnh viện này. Chọn dịch vụ khác.")
            for code in absent
        ])  # fmt: skip
    waiting = {line.service_code for line in queries.lines_of(visit_id) if line.state in (OrderState.ORDERED, OrderState.STARTED)}
    again = [code for code in wanted if code in waiting]
    if again:
        raise RuleBroken([
            Finding("already_ordered", "service_code", f"«{known[code].name}» đã chỉ định, đang chờ kết quả.") for code in again
        ])  # fmt: skip
    day = f"{today:%y%m%d}"
    order = ServiceOrder(
        code=f"CD-{day}-{next_number('order', day):04d}", visit_id=visit_id, patient_id=visit.patient_id,
        ordered_by_id=actor.user_id or 0, ordered_by_name=actor.name, ordered_by_licence=actor.licence_number,
        department_code=visit.department_code, indication=indication[:500], is_urgent=is_urgent,
    )  # fmt: skip
    if visit.state is VisitState.OPEN:
        examination.begin(visit_id, actor=actor)
    session().add(order)
    for code in wanted:
        service = known[code]
        kind = KINDS[service.kind]
        order.lines.append(
            OrderLine(kind=kind, service_code=code, service_name=service.name, room_code=ROOMS[kind],
                      machine_code=service.machine_code)
        )
    session().flush()  # charges point to the lines
    for line in order.lines:
        service = known[line.service_code]
        billing.post_charge(
            billing.ChargeData(
                visit_id=visit_id, source_kind="order_line", source_id=line.line_id, kind=ItemKind.SERVICE,
                item_code=service.code, item_name=service.name, cost_group=service.cost_group, unit=service.unit,
                quantity=Decimal(1), hospital_price=service.hospital_price, insurance_price=service.insurance_price,
                insurance_rate=service.insurance_rate, ordered_at=order.ordered_at, ordered_by_id=actor.user_id,
                ordered_by_licence=actor.licence_number, department_code=visit.department_code,
                details={"machine_code": service.machine_code},
            ),
            actor=actor,
        )  # fmt: skip
    if any(line.kind in AWAITED for line in order.lines):
        records.mark_tests_ordered(visit_id, actor=actor)
    audit.record(actor, Action.PLACE, subject_type="service_order", subject_id=order.order_id, patient_id=visit.patient_id,
                 visit_id=visit_id, details={"code": order.code, "services": wanted})  # fmt: skip
    return order


def cancel_line(line_id: int, reason: str, *, actor: Actor) -> OrderLine:
    """Take back an ordered service that was not started; its charge is voided."""
    line = queries.line_for_update(line_id)
    if line.state is not OrderState.ORDERED:
        raise InvalidState("Chỉ định đã thực hiện, không hủy được.")
    line.state, line.cancelled_at, line.cancelled_by_id = OrderState.CANCELLED, clock.now(), actor.user_id
    line.cancel_reason = (reason or "bác sĩ hủy")[:300]
    billing.void_charge("order_line", line_id, line.cancel_reason, actor=actor)
    session().flush()  # counted below
    if queries.open_count(line.order.visit_id) == 0:
        if queries.has_result(line.order.visit_id):
            records.mark_tests_done(line.order.visit_id, actor=actor)
        else:
            records.withdraw_tests(line.order.visit_id, actor=actor)
    audit.record(actor, Action.CANCEL, subject_type="order_line", subject_id=line_id, patient_id=line.order.patient_id,
                 visit_id=line.order.visit_id, reason=line.cancel_reason, details={"service": line.service_code})  # fmt: skip
    return line


def cancel_order(order_id: int, reason: str, *, actor: Actor) -> ServiceOrder:
    """Take back a whole order, as long as nothing of it was started."""
    order = queries.get_order(order_id)
    open_lines = [line for line in order.lines if line.state is not OrderState.CANCELLED]
    if any(line.state is not OrderState.ORDERED for line in open_lines):
        raise InvalidState("Phiếu chỉ định đã có dịch vụ thực hiện, không hủy cả phiếu được. Hủy từng dòng chưa làm.")
    for line in open_lines:
        cancel_line(line.line_id, reason, actor=actor)
    return order


def perform(line_id: int, *, actor: Actor) -> OrderLine:
    """A procedure done in the clinic itself is finished at once (NGAY_TH_YL = NGAY_KQ)."""
    line = queries.line_for_update(line_id)
    if line.kind is not OrderKind.PROCEDURE:
        raise InvalidState("Dịch vụ này do phòng xét nghiệm hoặc phòng chẩn đoán hình ảnh trả kết quả.")
    if line.state not in (OrderState.ORDERED, OrderState.STARTED):
        raise InvalidState("Thủ thuật này đã thực hiện hoặc đã hủy.")
    return complete_line(line_id, actor=actor)


def issue_sheet(order_id: int, *, actor: Actor) -> Paper:
    """Return the slip of an order: issued once, the same bytes again; a new one only when a line was taken back since.

    Source: TT 32/2023/TT-BYT Phụ lục XXIX. Raises `InvalidState` when every service of the order was taken back.
    """
    order = queries.get_order(order_id)
    kept = [line for line in order.lines if line.state is not OrderState.CANCELLED]
    if not kept:
        raise InvalidState("Phiếu chỉ định đã hủy hết dịch vụ, không còn gì để in.")
    issued = documents.paper_for(printing.ORDER_SHEET, "service_order", order_id)
    taken_back = max((line.cancelled_at for line in order.lines if line.cancelled_at is not None), default=None)
    if issued is not None and (taken_back is None or taken_back <= issued.issued_at):
        return issued
    visit = records_queries.get_visit(order.visit_id)
    today = clock.today()
    rooms = catalogues.rooms_by_code([line.room_code for line in kept], today)
    department = catalogues.names([("department", visit.department_code)], today)
    diagnosis = "; ".join(f"{d.icd_code} {d.name}" for d in exam_queries.diagnoses_of(order.visit_id)[:3])
    context = printing.order_sheet(
        visit, kept, rooms, diagnosis=order.indication or diagnosis,
        department=department.get(("department", visit.department_code), visit.department_code),
    )  # fmt: skip
    return documents.issue_paper(
        printing.ORDER_SHEET, context, subject_type="service_order", subject_id=order_id, patient_id=order.patient_id,
        visit_id=order.visit_id, actor=actor, number=order.code, masked_name=records.masked_name(visit.patient.full_name),
        replaces=issued, replace_reason="đã hủy bớt dịch vụ" if issued is not None else "",
    )  # fmt: skip


def start_line(line_id: int, *, actor: Actor, at: datetime | None = None) -> OrderLine:
    """The specimen is taken, or the patient is in the imaging room (NGAY_TH_YL)."""
    line = queries.line_for_update(line_id)
    if line.state is OrderState.ORDERED:
        line.state, line.started_at, line.started_by_id = OrderState.STARTED, at or clock.now(), actor.user_id
        line.performer_licence = actor.licence_number
        audit.record(actor, Action.START, subject_type="order_line", subject_id=line_id, patient_id=line.order.patient_id,
                     visit_id=line.order.visit_id, details={"service": line.service_code})  # fmt: skip
    return line


def complete_line(line_id: int, *, actor: Actor, performer_licence: str = "", at: datetime | None = None) -> OrderLine:
    """The result is released (NGAY_KQ); when it was the last one, the visit's tests are done."""
    line = queries.line_for_update(line_id)
    if line.state is OrderState.CANCELLED:
        raise InvalidState("Chỉ định này đã hủy.")
    now = at or clock.now()
    if line.started_at is None:
        line.started_at, line.started_by_id = now, actor.user_id
    line.performer_licence = performer_licence or line.performer_licence or actor.licence_number
    line.state, line.resulted_at = OrderState.RESULTED, now
    session().flush()  # counted below
    if queries.open_count(line.order.visit_id) == 0:
        records.mark_tests_done(line.order.visit_id, actor=actor)
    audit.record(actor, Action.COMPLETE, subject_type="order_line", subject_id=line_id, patient_id=line.order.patient_id,
                 visit_id=line.order.visit_id, details={"service": line.service_code})  # fmt: skip
    return line


def reopen_line(line_id: int, *, actor: Actor) -> OrderLine:
    """A released result is being corrected: the service waits for the new version, the patient for results again."""
    line = queries.line_for_update(line_id)
    if line.state is not OrderState.RESULTED:
        raise InvalidState("Chỉ định này chưa có kết quả.")
    line.state, line.resulted_at = OrderState.STARTED, None
    audit.record(actor, Action.START, subject_type="order_line", subject_id=line_id, patient_id=line.order.patient_id,
                 visit_id=line.order.visit_id, details={"service": line.service_code})  # fmt: skip
    return line
