"""Use cases of the laboratory: enter, release, correct. Who enters does not release (SOD-4)."""

from __future__ import annotations

from collections.abc import Mapping

from his.audit import service as audit
from his.core import clock
from his.core.actor import Actor
from his.core.db import session
from his.core.errors import Finding, InvalidState, NotAllowed, NotFound, RuleBroken
from his.laboratory import queries, rules
from his.laboratory.enums import ACTION_DETAILS, Action, ResultState
from his.laboratory.models import LabResult, LabValue
from his.orders import queries as orders_queries
from his.orders import service as orders
from his.orders.enums import OrderKind, OrderState

audit.register_actions(Action, ACTION_DETAILS)

range_text = rules.range_text
RELEASING_ROLES = frozenset({"lab_tech", "doctor", "head"})


def enter(line_id: int, values: Mapping[str, str], *, conclusion: str = "", actor: Actor) -> LabResult:
    """Enter (or correct before release) the values of an ordered service; empty ones are left out.

    Raises `RuleBroken` naming each index that is not a number, `InvalidState` when it is released or cancelled.
    """
    line = orders_queries.line_for_update(line_id)
    if line.kind is not OrderKind.LABORATORY:
        raise InvalidState("Chỉ định này không phải xét nghiệm.")
    if line.state is OrderState.CANCELLED:
        raise InvalidState("Chỉ định này đã hủy.")
    result = queries.result_of_line(line_id)
    if result is not None and result.state is ResultState.RELEASED:
        raise InvalidState("Kết quả đã trả. Muốn sửa thì lập kết quả thay thế với lý do.")
    visit = orders_queries.visit_of(line)
    age_days = (visit.service_on - visit.patient.birth_on).days
    sex = visit.patient.sex.value
    indices = queries.indices_for(line.service_code, age_days, visit.service_on)
    kept, findings = _read(indices, values, sex)
    if findings:
        raise RuleBroken(findings)
    if not kept and not conclusion.strip():
        raise RuleBroken([Finding("values_missing", "values", "Chưa nhập kết quả nào.")])
    orders.start_line(line_id, actor=actor)
    if result is None:
        result = LabResult(
            order_line_id=line_id, visit_id=line.order.visit_id, specimen_at=line.started_at,
            entered_by_id=actor.user_id or 0, entered_by_name=actor.name, entered_by_licence=actor.licence_number,
            machine_code=line.machine_code,
        )  # fmt: skip
        session().add(result)
    else:
        result.values.clear()
        for old in list(session().query(LabValue).filter_by(result_id=result.result_id)):
            session().delete(old)
        result.entered_by_id, result.entered_by_name = actor.user_id or 0, actor.name
    session().flush()  # values point to the result
    result.conclusion = conclusion.strip()[:1000]
    for place, (index, value) in enumerate(kept):
        result.values.append(
            LabValue(
                result_id=result.result_id, index_code=index.code, index_name=index.name, value=value, unit=index.unit,
                range_text=rules.range_text(index, sex), flag=rules.flag_of(index, value, sex), sort=place,
            )  # fmt: skip
        )
    session().flush()  # flags are read back for the audit entry
    audit.record(
        actor, Action.ENTER, subject_type="lab_result", subject_id=result.result_id, patient_id=line.order.patient_id,
        visit_id=line.order.visit_id,
        details={"service": line.service_code, "flags": [v.index_code for v in result.values if v.flag.value]},
    )  # fmt: skip
    return result


def _read(
    indices: list[rules.IndexFacts], values: Mapping[str, str], sex: str
) -> tuple[list[tuple[rules.IndexFacts, str]], list[Finding]]:
    del sex
    kept: list[tuple[rules.IndexFacts, str]] = []
    findings: list[Finding] = []
    for index in indices:
        text = values.get(index.code, "").strip()
        if not text:
            continue
        try:
            kept.append((index, rules.clean_value(index, text)))
        except ValueError as error:
            findings.append(Finding("bad_value", f"v-{index.code}", str(error)))
    return kept, findings


def release(result_id: int, *, actor: Actor) -> LabResult:
    """Release an entered result: the doctor sees it, the order is done.

    Raises `NotAllowed` when the same technician entered it (a doctor or head may release own entries).
    """
    result = session().get(LabResult, result_id, with_for_update=True, populate_existing=True)
    if result is None:
        raise NotFound("Không tìm thấy kết quả này.")
    if result.state is not ResultState.ENTERED:
        raise InvalidState("Kết quả này đã trả.")
    if not actor.roles & RELEASING_ROLES:
        raise NotAllowed("Vai trò của bạn không được trả kết quả.")
    if result.entered_by_id == actor.user_id and not actor.roles & {"doctor", "head"}:
        raise NotAllowed("Người nhập không tự trả kết quả. Nhờ đồng nghiệp hoặc bác sĩ duyệt.")
    line = orders_queries.get_line(result.order_line_id)
    result.state, result.released_at = ResultState.RELEASED, clock.now()
    result.released_by_id, result.released_by_name = actor.user_id, actor.name
    result.released_by_licence = actor.licence_number
    orders.complete_line(result.order_line_id, actor=actor, performer_licence=result.entered_by_licence)
    audit.record(
        actor, Action.RELEASE, subject_type="lab_result", subject_id=result_id, patient_id=line.order.patient_id,
        visit_id=result.visit_id, details={"service": line.service_code},
    )  # fmt: skip
    return result


def correct(result_id: int, reason: str, *, actor: Actor) -> LabResult:
    """Open a replacing version of a released result; the old one stays readable."""
    if len(reason.strip()) < 5:
        raise InvalidState("Ghi lý do thay kết quả, ít nhất 5 ký tự.")
    old = session().get(LabResult, result_id, with_for_update=True, populate_existing=True)
    if old is None or old.state is not ResultState.RELEASED:
        raise InvalidState("Chỉ thay được kết quả đã trả.")
    line = orders_queries.line_for_update(old.order_line_id)
    old.state = ResultState.SUPERSEDED
    session().flush()  # only one result in force per order
    fresh = LabResult(
        order_line_id=old.order_line_id, visit_id=old.visit_id, specimen_at=old.specimen_at,
        entered_by_id=actor.user_id or 0, entered_by_name=actor.name, entered_by_licence=actor.licence_number,
        machine_code=old.machine_code, supersedes_id=old.result_id, change_reason=reason, conclusion=old.conclusion,
    )  # fmt: skip
    session().add(fresh)
    line.state, line.resulted_at = OrderState.STARTED, None
    session().flush()  # values point to the result
    for value in queries.values_of(old).values():
        fresh.values.append(
            LabValue(result_id=fresh.result_id, index_code=value.index_code, index_name=value.index_name, value=value.value,
                     unit=value.unit, range_text=value.range_text, flag=value.flag, sort=value.sort)  # fmt: skip
        )
    audit.record(actor, Action.CORRECT, subject_type="lab_result", subject_id=fresh.result_id, visit_id=old.visit_id,
                 patient_id=line.order.patient_id, reason=reason, details={"service": line.service_code})  # fmt: skip
    return fresh
