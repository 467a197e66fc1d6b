"""Use cases of prescribing: draft, lines, overrides, signing, cancelling, sending."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select

from his.audit import service as audit
from his.billing import service as billing
from his.billing.enums import ItemKind
from his.catalogues import queries as catalogues
from his.catalogues.models import Drug
from his.core import clock, outbox
from his.core.actor import Actor
from his.core.config import current
from his.core.db import session
from his.core.errors import Finding, InvalidState, NotAllowed, RuleBroken
from his.documents import service as documents
from his.examination import queries as exam_queries
from his.prescriptions import queries, rules
from his.prescriptions.enums import (
    ACTION_DETAILS,
    Action,
    OverrideReason,
    PrescriptionKind,
    PrescriptionState,
)
from his.prescriptions.errors import AlreadySigned, PrescriptionChanged, SafetyStop
from his.prescriptions.models import AlertOverride, Prescription, PrescriptionLine
from his.records import queries as records_queries
from his.records.enums import VisitState
from his.stock import service as stock

audit.register_actions(Action, ACTION_DETAILS)

SEND = "prescriptions.send"
SIGN_PLACE = "prescriber"
MIN_REASON = 15
quantity_text = rules.quantity_text
usage_text = rules.usage_text
drug_text = rules.drug_text
dose_text = rules.dose_text


@dataclass(frozen=True, slots=True)
class LineData:
    """One medicine as the doctor gives it; ``quantity`` None = computed."""

    drug_code: str
    dose_amount: Decimal
    dose_unit: str
    times_per_day: int
    days: int
    times_text: str = ""
    frequency: str = "daily"
    quantity: Decimal | None = None
    diagnosis_code: str = ""


def draft_for(visit_id: int, *, actor: Actor) -> Prescription:
    """Return the draft of a visit, opening one when there is none. Raises `InvalidState` for an ended visit."""
    visit = records_queries.visit_for_update(visit_id)
    existing = queries.current_of(visit_id)
    if existing is not None:
        return existing
    if visit.state not in (VisitState.OPEN, VisitState.IN_EXAM):
        raise InvalidState("Lượt khám đã kết thúc. Mở lại lượt khám trước khi kê đơn.")
    note = exam_queries.note_of(visit_id)
    prescription = Prescription(
        visit_id=visit_id, patient_id=visit.patient_id, doctor_id=actor.user_id or 0, doctor_name=actor.name,
        doctor_licence=actor.licence_number, department_code=visit.department_code,
        advice=note.advice if note else "", follow_up_on=note.follow_up_on if note else None,
    )  # fmt: skip
    session().add(prescription)
    session().flush()  # lines point to it
    session().refresh(prescription, ["lines", "overrides"])
    audit.record(actor, Action.DRAFT, subject_type="prescription", subject_id=prescription.prescription_id,
                 patient_id=visit.patient_id, visit_id=visit_id)  # fmt: skip
    return prescription


def set_lines(
    prescription_id: int, lines: Sequence[LineData], *, advice: str, follow_up_on: date | None, version: int | None,
    actor: Actor,
) -> Prescription:  # fmt: skip
    """Replace the lines of a draft. Overrides of alerts that no longer exist go with them.

    Raises `AlreadySigned`, `PrescriptionChanged`, `RuleBroken` (unknown drug, no dose, negative quantity).
    """
    prescription = queries.get_for_update(prescription_id)
    if prescription.state is not PrescriptionState.DRAFT:
        raise AlreadySigned("Đơn đã ký, không sửa được. Lập đơn thay thế.")
    if version is not None and prescription.version != version:
        raise PrescriptionChanged("Đơn vừa được sửa ở nơi khác. Tải lại để xem bản mới rồi sửa tiếp.")
    visit = records_queries.get_visit(prescription.visit_id)
    known = catalogues.drugs([line.drug_code for line in lines], visit.service_on)
    findings = _check_lines(lines, known)
    if findings:
        raise RuleBroken(findings)
    routes = catalogues.names([("route", drug.route_code) for drug in known.values()], visit.service_on)
    here = session()
    here.execute(delete(PrescriptionLine).where(PrescriptionLine.prescription_id == prescription_id))
    here.expire(prescription, ["lines"])
    for position, line in enumerate(_poison_first(lines, known)):
        drug = known[line.drug_code]
        quantity = line.quantity or rules.quantity_of(
            line.dose_amount, drug.unit, line.dose_unit, line.times_per_day, line.days, line.frequency
        )
        here.add(
            PrescriptionLine(
                prescription_id=prescription_id, position=position, drug_code=drug.code, inn=drug.inn, brand=drug.brand,
                strength=drug.strength, form=drug.form, unit=drug.unit, route_code=drug.route_code,
                route_name=routes.get(("route", drug.route_code), ""), dose_amount=line.dose_amount,
                dose_unit=line.dose_unit, times_per_day=line.times_per_day, times_text=line.times_text[:200],
                days=line.days, frequency=line.frequency, quantity=quantity, diagnosis_code=line.diagnosis_code,
                control_class=drug.control_class,
            )  # fmt: skip
        )
    prescription.advice = advice[:1000]
    prescription.follow_up_on = follow_up_on
    prescription.doctor_id, prescription.doctor_name = actor.user_id or 0, actor.name
    prescription.doctor_licence = actor.licence_number
    here.flush()  # the lines are read back for the checks
    here.refresh(prescription, ["lines"])
    _drop_stale_overrides(prescription)
    audit.record(
        actor, Action.SET_LINES, subject_type="prescription", subject_id=prescription_id, visit_id=prescription.visit_id,
        patient_id=prescription.patient_id, details={"drugs": [line.drug_code for line in prescription.lines]},
    )  # fmt: skip
    return prescription


def _check_lines(lines: Sequence[LineData], known: dict[str, Drug]) -> list[Finding]:
    findings = []
    for i, line in enumerate(lines):
        if line.drug_code not in known:
            findings.append(Finding("drug_unknown", f"drug-{i}", f"Không có thuốc «{line.drug_code}» trong danh mục. Chọn lại thuốc."))
        if line.dose_amount <= 0:
            findings.append(Finding("dose_missing", f"dose-{i}", "Liều mỗi lần phải lớn hơn 0."))
        if not 1 <= line.times_per_day <= 24:
            findings.append(Finding("times_wrong", f"times-{i}", "Số lần mỗi ngày từ 1 đến 24."))
        if not 1 <= line.days <= 365:
            findings.append(Finding("days_wrong", f"days-{i}", "Số ngày từ 1 đến 365."))
        if line.quantity is not None and line.quantity <= 0:
            findings.append(Finding("quantity_wrong", f"quantity-{i}", "Số lượng phải lớn hơn 0."))
    return findings


def _poison_first(lines: Sequence[LineData], known: dict[str, Drug]) -> list[LineData]:
    """Poisons are written first (TT 26/2025 Đ6)."""
    return sorted(lines, key=lambda line: known[line.drug_code].control_class != "poison")


def _drop_stale_overrides(prescription: Prescription) -> None:
    visit = records_queries.get_visit(prescription.visit_id)
    run = queries.safety_run(prescription, queries.facts_for_checks(visit))
    alive = {(a.alert.rule, a.alert.key) for a in run.alerts}
    for override in list(prescription.overrides):
        if (override.rule, override.about) not in alive:
            session().delete(override)
            prescription.overrides.remove(override)


def override(
    prescription_id: int, rule: str, about: str, reason: OverrideReason, text: str, *, actor: Actor
) -> AlertOverride:
    """Prescribe in spite of an alert, with a coded reason; tier 1 wants 15 characters or more of text.

    Legal stops are never overridden. Raises `InvalidState`, `RuleBroken`, `NotAllowed`.
    """
    prescription = queries.get_for_update(prescription_id)
    if prescription.state is not PrescriptionState.DRAFT:
        raise AlreadySigned("Đơn đã ký.")
    visit = records_queries.get_visit(prescription.visit_id)
    run = queries.safety_run(prescription, queries.facts_for_checks(visit))
    found = next((a for a in run.alerts if a.alert.rule == rule and a.alert.key == about), None)
    if found is None:
        raise InvalidState("Cảnh báo này không còn. Tải lại đơn.")
    if found.alert.tier == 1 and rule in LEGAL_STOPS:
        raise NotAllowed("Quy định này không có ngoại lệ. Sửa đơn theo gợi ý.")
    if found.alert.tier == 1 and len(text.strip()) < MIN_REASON:
        raise RuleBroken([Finding("reason_short", "reason_text", f"Ghi rõ lý do, ít nhất {MIN_REASON} ký tự. Dược sĩ sẽ thấy lý do này.")])
    if found.override is not None:
        return found.override
    row = AlertOverride(
        prescription_id=prescription_id, rule=rule, tier=found.alert.tier, about=about, reason_code=reason.value,
        reason_text=text.strip()[:500], by_id=actor.user_id or 0, by_name=actor.name,
    )  # fmt: skip
    session().add(row)
    session().flush()  # the audit entry names the row
    audit.record(
        actor, Action.OVERRIDE, subject_type="prescription", subject_id=prescription_id, visit_id=prescription.visit_id,
        patient_id=prescription.patient_id, reason=text,
        details={"rule": rule, "tier": found.alert.tier, "about": about, "reason_code": reason.value},
    )  # fmt: skip
    return row


LEGAL_STOPS = frozenset({
    "max_days", "diagnosis_missing", "child_under_72_months_fields", "not_a_medicine", "form_class",
    "narcotic_facility", "narcotic_commitment", "narcotic_periods",
})  # fmt: skip


def canonical(prescription: Prescription) -> dict[str, Any]:
    """Return what is signed: everything a pharmacist or a court would read."""
    return {
        "visit_id": prescription.visit_id,
        "patient_id": prescription.patient_id,
        "doctor": prescription.doctor_name,
        "licence": prescription.doctor_licence,
        "advice": prescription.advice,
        "follow_up_on": prescription.follow_up_on,
        "lines": [
            {
                "drug": line.drug_code, "inn": line.inn, "strength": line.strength, "dose": str(line.dose_amount),
                "unit": line.dose_unit, "times": line.times_per_day, "when": line.times_text, "days": line.days,
                "frequency": line.frequency, "quantity": str(line.quantity),
            }
            for line in prescription.lines
        ],
    }  # fmt: skip


def sign(prescription_id: int, *, actor: Actor) -> Prescription:
    """Close the prescription under the doctor's signature, hold the stock, charge it, queue it for sending.

    Source: TT 26/2025/TT-BYT Đ6, Đ12; QĐ 425/QĐ-BYT Đ11. Raises `AlreadySigned`, `NotAllowed`, `SafetyStop`,
    `ProofNeeded`, `StockShort`.
    """
    prescription = queries.get_for_update(prescription_id)
    if prescription.state is not PrescriptionState.DRAFT:
        raise AlreadySigned(f"Đơn {prescription.code or ''} đã ký.")
    if prescription.doctor_id != actor.user_id:
        raise NotAllowed("Chỉ bác sĩ kê đơn được ký đơn này. Lưu lại đơn dưới tên bạn rồi ký.")
    if not prescription.lines:
        raise RuleBroken([Finding("lines_missing", "lines", "Đơn chưa có thuốc nào.")])
    visit = records_queries.get_visit(prescription.visit_id)
    facts = queries.facts_for_checks(visit)
    run = queries.safety_run(prescription, facts)
    if not run.can_sign:
        raise SafetyStop([
            Finding(a.alert.rule, "lines", a.alert.message, source=a.alert.source) for a in (*run.stops, *run.cautions)
        ])  # fmt: skip
    letters = {rules.control_letter(queries.rx_line(line)) for line in prescription.lines}
    if len(letters) > 1:
        raise RuleBroken([
            Finding("split_by_control_class", "lines", "Thuốc gây nghiện, hướng thần phải kê đơn riêng. Tách thành hai đơn.",
                    source="TT 26/2025 Đ7, Đ9")
        ])  # fmt: skip
    prescription.kind = PrescriptionKind(letters.pop())
    signature = documents.sign_content(
        canonical(prescription), place=SIGN_PLACE, subject_type="prescription", subject_id=prescription_id, actor=actor,
        patient_id=prescription.patient_id, visit_id=prescription.visit_id,
    )  # fmt: skip
    prescription.state = PrescriptionState.SIGNED
    prescription.signed_at, prescription.signer_id = clock.now(), actor.user_id
    prescription.digest = signature.digest
    prescription.ruleset_version = rules.RULESET_VERSION
    prescription.alerts = [
        {"rule": a.alert.rule, "tier": a.alert.tier, "about": a.alert.key, "message": a.alert.message} for a in run.alerts
    ]
    prescription.code = _free_code(prescription.kind)
    drugs = catalogues.drugs([line.drug_code for line in prescription.lines], visit.service_on)
    for line in prescription.lines:
        drug = drugs[line.drug_code]
        stock.reserve(line.drug_code, line.quantity, source_kind="prescription_line", source_id=line.line_id,
                      name=rules.drug_text(drug.ingredient_vi, drug.brand, drug.strength), actor=actor)  # fmt: skip
        billing.post_charge(_charge(prescription, line, drug), actor=actor)
    audit.record(
        actor, Action.SIGN, subject_type="prescription", subject_id=prescription_id, visit_id=prescription.visit_id,
        patient_id=prescription.patient_id, details={"code": prescription.code, "digest": prescription.digest},
    )  # fmt: skip
    outbox.put(SEND, dedup_key=f"{SEND}:{prescription.code}", user_id=actor.user_id, prescription_id=prescription_id)
    session().flush()  # the caller reads state and code back
    return prescription


def _free_code(kind: PrescriptionKind) -> str:
    here = session()
    for _attempt in range(20):
        code = rules.prescription_code(current().facility_code, kind.value, secrets.choice)
        if here.execute(select(Prescription.prescription_id).where(Prescription.code == code)).first() is None:
            return code
    raise InvalidState("Chưa cấp được mã đơn. Ký lại.")


def _charge(prescription: Prescription, line: PrescriptionLine, drug: Drug) -> billing.ChargeData:
    text = rules.dose_text(line.dose_amount, line.dose_unit, line.times_per_day, line.days, line.frequency)
    usage = rules.usage_text(line.route_name, line.dose_amount, line.dose_unit, line.times_per_day, line.times_text, line.frequency)
    return billing.ChargeData(
        visit_id=prescription.visit_id, source_kind="prescription_line", source_id=line.line_id, kind=ItemKind.DRUG,
        item_code=drug.code, item_name=f"{drug.brand or drug.ingredient_vi} {drug.strength}".strip(),
        cost_group=drug.cost_group, unit=drug.unit, quantity=line.quantity, hospital_price=drug.price,
        insurance_price=drug.insurance_price, insurance_rate=drug.insurance_rate,
        ordered_at=prescription.signed_at or clock.now(), ordered_by_id=prescription.doctor_id,
        ordered_by_licence=prescription.doctor_licence, department_code=prescription.department_code,
        details={
            "ingredient_code": drug.ingredient_code, "name": drug.brand or drug.ingredient_vi, "strength": drug.strength,
            "form": drug.form, "route_code": drug.route_code, "registration_no": drug.registration_no,
            "tender": drug.tender, "dose_text": text, "advice_text": usage,
        },
    )  # fmt: skip


def cancel(prescription_id: int, reason: str, *, actor: Actor) -> Prescription:
    """Cancel a draft or a signed prescription that was not dispensed: stock and charges are given back.

    A correction of a signed prescription is a new one with a new code (QĐ 425 Đ9 k3 c).
    """
    prescription = queries.get_for_update(prescription_id)
    if prescription.state not in (PrescriptionState.DRAFT, PrescriptionState.SIGNED):
        raise InvalidState("Đơn đã cấp thuốc hoặc đã hủy.")
    was_signed = prescription.state is PrescriptionState.SIGNED
    if was_signed and len(reason.strip()) < 5:
        raise InvalidState("Ghi lý do hủy đơn, ít nhất 5 ký tự.")
    prescription.state = PrescriptionState.CANCELLED
    prescription.cancelled_at, prescription.cancelled_by_id = clock.now(), actor.user_id
    prescription.cancel_reason = reason or "bỏ đơn nháp"
    if was_signed:
        for line in prescription.lines:
            stock.release("prescription_line", line.line_id, actor=actor)
            billing.void_charge("prescription_line", line.line_id, prescription.cancel_reason, actor=actor)
    audit.record(
        actor, Action.CANCEL, subject_type="prescription", subject_id=prescription_id, visit_id=prescription.visit_id,
        patient_id=prescription.patient_id, reason=prescription.cancel_reason, details={"code": prescription.code},
    )  # fmt: skip
    return prescription


def replace(prescription_id: int, reason: str, *, actor: Actor) -> Prescription:
    """Cancel a signed prescription and open a new draft with the same lines."""
    old = cancel(prescription_id, reason, actor=actor)
    session().flush()  # the old one is out of force
    fresh = draft_for(old.visit_id, actor=actor)
    fresh.supersedes_id = old.prescription_id
    old.state = PrescriptionState.SUPERSEDED
    return set_lines(
        fresh.prescription_id,
        [
            LineData(line.drug_code, line.dose_amount, line.dose_unit, line.times_per_day, line.days, line.times_text,
                     line.frequency, line.quantity, line.diagnosis_code)
            for line in old.lines
        ],
        advice=old.advice, follow_up_on=old.follow_up_on, version=None, actor=actor,
    )  # fmt: skip


def mark_dispensed(prescription_id: int, *, actor: Actor) -> Prescription:
    """The pharmacy handed it out."""
    prescription = queries.get_for_update(prescription_id)
    if prescription.state is not PrescriptionState.SIGNED:
        raise InvalidState("Đơn chưa ký, đã cấp hoặc đã hủy.")
    prescription.state = PrescriptionState.DISPENSED
    return prescription


def mark_taken_back(prescription_id: int, *, actor: Actor) -> Prescription:
    """The pharmacy took it back."""
    prescription = queries.get_for_update(prescription_id)
    if prescription.state is PrescriptionState.DISPENSED:
        prescription.state = PrescriptionState.SIGNED
    return prescription


def record_sending(prescription_id: int, state: str, *, actor: Actor) -> None:
    """Keep what the national system said."""
    prescription = queries.get_for_update(prescription_id)
    prescription.sent_state = state
    audit.record(actor, Action.SENT, subject_type="prescription", subject_id=prescription_id,
                 visit_id=prescription.visit_id, details={"code": prescription.code, "state": state})  # fmt: skip
