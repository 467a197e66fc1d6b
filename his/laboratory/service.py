"""Use cases of the laboratory: enter, release, correct. Who enters does not release (SOD-4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from his.audit import service as audit
from his.catalogues import queries as catalogues
from his.core import clock
from his.core.actor import Actor
from his.core.db import session
from his.core.errors import Conflict, Finding, InvalidState, NotAllowed, NotFound, RuleBroken
from his.documents import service as documents
from his.documents.models import Paper
from his.laboratory import printing, queries, rules
from his.laboratory.enums import ACTION_DETAILS, Action, Flag, ResultState
from his.laboratory.models import LabResult, LabValue
from his.orders import queries as orders_queries
from his.orders import service as orders
from his.orders.enums import OrderKind, OrderState
from his.orders.models import OrderLine

audit.register_actions(Action, ACTION_DETAILS)

range_text = rules.range_text
RELEASING_ROLES = frozenset({"lab_tech", "doctor", "head"})


def take_specimen(line_id: int, *, actor: Actor) -> int:
    """The specimen of an order is taken: every laboratory service of the order that waits for it starts.

    Returns how many started. Raises `InvalidState` for another kind of order or a cancelled service.
    """
    line = orders_queries.line_for_update(line_id)
    _must_be_laboratory(line)
    waiting = [
        other.line_id for other in orders_queries.lines_of(line.order.visit_id)
        if other.order_id == line.order_id and other.kind is OrderKind.LABORATORY and other.state is OrderState.ORDERED
    ]  # fmt: skip
    for other_id in waiting:
        orders.start_line(other_id, actor=actor)
    return len(waiting)


def _must_be_laboratory(line: OrderLine) -> None:
    if line.kind is not OrderKind.LABORATORY:
        raise InvalidState("Chỉ định này không phải xét nghiệm.")
    if line.state is OrderState.CANCELLED:
        raise InvalidState("Chỉ định này đã hủy.")


def enter(
    line_id: int, values: Mapping[str, str], *, conclusion: str = "", critical_note: str = "", seen: int | None = None,
    actor: Actor,
) -> LabResult:  # fmt: skip
    """Enter (or correct before release) the values of an ordered service; empty ones are left out.

    ``seen`` is the version of the result the screen showed (0 = none yet, None = do not check). A critical value needs
    ``critical_note``. Raises `RuleBroken` naming each index that is not a number, `InvalidState` when the result is
    released or the order cancelled, `Conflict` when somebody else saved meanwhile.
    """
    line = orders_queries.line_for_update(line_id)
    _must_be_laboratory(line)
    result = queries.result_of_line(line_id)
    if result is not None and result.state is ResultState.RELEASED:
        raise InvalidState("Kết quả đã trả. Muốn sửa thì lập kết quả thay thế với lý do.")
    if seen is not None and seen != (result.version if result is not None else 0):
        who = result.entered_by_name if result is not None else ""
        raise Conflict(f"{who or 'Người khác'} vừa lưu kết quả này. Tải lại để xem rồi sửa tiếp.")
    visit = orders_queries.visit_of(line)
    sex = visit.patient.sex.value
    indices = queries.indices_for(line.service_code, (visit.service_on - visit.patient.birth_on).days, visit.service_on)
    kept, findings = _read(indices, values)
    flags = [(index.name, rules.flag_of(index, value, sex)) for index, value in kept]
    findings += rules.check_critical(flags, critical_note)
    if not findings and not kept and not conclusion.strip():
        findings.append(Finding("values_missing", "values", "Chưa nhập kết quả nào."))
    if findings:
        raise RuleBroken(findings)
    orders.start_line(line_id, actor=actor)
    if result is None:
        result = LabResult(
            order_line_id=line_id, visit_id=visit.visit_id, specimen_at=line.started_at, machine_code=line.machine_code,
        )  # fmt: skip
        session().add(result)
    result.entered_by_id, result.entered_by_name = actor.user_id or 0, actor.name
    result.entered_by_licence, result.entered_at = actor.licence_number, clock.now()
    result.conclusion = conclusion.strip()[:1000]
    result.critical_note = critical_note.strip()[:300] if any(flag.is_critical for _name, flag in flags) else ""
    changes = _keep(result, kept, sex)
    session().flush()  # the audit entry names the row
    details: dict[str, Any] = {
        "service": line.service_code, "flags": [v.index_code for v in result.values if v.flag is not Flag.NORMAL],
    }  # fmt: skip
    if changes:
        details["changes"] = changes
    if result.critical_note:
        details["critical_note"] = result.critical_note
    audit.record(
        actor, Action.ENTER, subject_type="lab_result", subject_id=result.result_id, patient_id=visit.patient_id,
        visit_id=visit.visit_id, details=details,
    )  # fmt: skip
    return result


def _keep(result: LabResult, kept: list[tuple[rules.IndexFacts, str]], sex: str) -> dict[str, list[str]]:
    """Put values into an unreleased result; returns what changed as index -> [old, new]."""
    before = queries.values_of(result)
    wanted = {index.code for index, _value in kept}
    changes = {code: [old.value, ""] for code, old in before.items() if code not in wanted}
    for old in [value for value in result.values if value.index_code not in wanted]:
        result.values.remove(old)
    for place, (index, value) in enumerate(kept):
        row = before.get(index.code)
        if row is None:
            row = LabValue(index_code=index.code)
            result.values.append(row)
        elif row.value != value:
            changes[index.code] = [row.value, value]
        row.index_name, row.value, row.unit, row.sort = index.name, value, index.unit, place
        row.range_text, row.flag = rules.range_text(index, sex), rules.flag_of(index, value, sex)
    return changes


def _read(
    indices: list[rules.IndexFacts], values: Mapping[str, str]
) -> tuple[list[tuple[rules.IndexFacts, str]], list[Finding]]:
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


def release(result_id: int, *, seen: int | None = None, actor: Actor) -> LabResult:
    """Release an entered result: the doctor sees it, the order is done.

    Raises `NotAllowed` for the person who entered it (SOD-4), `InvalidState` for one released already, `Conflict`
    when the values changed since the screen showed them (``seen`` is the version shown).
    """
    result = queries.result_for_update(result_id)
    if result is None:
        raise NotFound("Không tìm thấy kết quả này.")
    if result.state is not ResultState.ENTERED:
        raise InvalidState("Kết quả này đã trả.")
    if not actor.roles & RELEASING_ROLES:
        raise NotAllowed("Vai trò của bạn không được trả kết quả.")
    if seen is not None and seen != result.version:
        raise Conflict("Kết quả vừa được sửa. Tải lại, xem lại rồi trả.")
    if result.entered_by_id == actor.user_id:
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
    """Open a replacing version of a released result; the old one stays readable, the order waits for the new one.

    Raises `InvalidState` without a reason of 5 characters or for a result that is not released.
    """
    if len(reason.strip()) < rules.MIN_NOTE:
        raise InvalidState("Ghi lý do thay kết quả, ít nhất 5 ký tự.")
    old = queries.result_for_update(result_id)
    if old is None or old.state is not ResultState.RELEASED:
        raise InvalidState("Chỉ thay được kết quả đã trả.")
    line = orders.reopen_line(old.order_line_id, actor=actor)
    old.state = ResultState.SUPERSEDED
    session().flush()  # only one result in force per order
    fresh = LabResult(
        order_line_id=old.order_line_id, visit_id=old.visit_id, specimen_at=old.specimen_at,
        entered_by_id=actor.user_id or 0, entered_by_name=actor.name, entered_by_licence=actor.licence_number,
        machine_code=old.machine_code, supersedes_id=old.result_id, change_reason=reason.strip()[:300],
        conclusion=old.conclusion, critical_note=old.critical_note,
    )  # fmt: skip
    for value in old.values:
        fresh.values.append(
            LabValue(
                index_code=value.index_code, index_name=value.index_name, value=value.value, unit=value.unit,
                range_text=value.range_text, flag=value.flag, sort=value.sort,
            )
        )  # fmt: skip
    session().add(fresh)
    session().flush()  # the audit entry names the row
    audit.record(actor, Action.CORRECT, subject_type="lab_result", subject_id=fresh.result_id, visit_id=old.visit_id,
                 patient_id=line.order.patient_id, reason=fresh.change_reason, details={"service": line.service_code})  # fmt: skip
    return fresh


def issue_sheet(result_id: int, *, actor: Actor) -> Paper:
    """Return the result sheet of a released result as a stored paper; a reprint is the same paper.

    A corrected result replaces the sheet of the version before. Raises `InvalidState` before release.
    """
    result = queries.result_by_id(result_id)
    if result.released_at is None:
        raise InvalidState("Kết quả chưa trả. Trả kết quả rồi in.")
    found = documents.paper_for(printing.LAB_RESULT, "lab_result", result_id)
    if found is not None:
        return found
    line = orders_queries.get_line(result.order_line_id)
    visit = orders_queries.visit_of(line)
    index_rows = catalogues.lab_indices([line.service_code], visit.service_on).get(line.service_code, [])
    departments = catalogues.names([("department", line.order.department_code)], visit.service_on)
    context = printing.lab_sheet(
        visit, [(line, result)], department=departments.get(("department", line.order.department_code), ""),
        specimen="; ".join(dict.fromkeys(row.specimen for row in index_rows if row.specimen)),
        correction=queries.correction_count(result),
    )  # fmt: skip
    old = documents.paper_for(printing.LAB_RESULT, "lab_result", result.supersedes_id) if result.supersedes_id else None
    return documents.issue_paper(
        printing.LAB_RESULT, context, subject_type="lab_result", subject_id=result_id, patient_id=visit.patient_id,
        visit_id=visit.visit_id, number=line.order.code, replaces=old, replace_reason=result.change_reason, actor=actor,
    )  # fmt: skip
