"""Use cases of prescribing: draft, lines, overrides, signing, cancelling, sending."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_data
from datetime import date, timedelta
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
from his.core.once import once
from his.documents import service as documents
from his.documents.models import Paper
from his.examination import queries as exam_queries
from his.prescriptions import printing, queries, rules
from his.prescriptions.enums import (
    ACTION_DETAILS,
    Action,
    OverrideReason,
    PrescriptionKind,
    PrescriptionState,
    SentState,
)
from his.prescriptions.errors import AlreadySigned, PrescriptionChanged, SafetyStop
from his.prescriptions.models import AlertOverride, Prescription, PrescriptionLine
from his.records import queries as records_queries
from his.records import service as records
from his.records.enums import VisitState
from his.records.models import Visit
from his.stock import service as stock

audit.register_actions(Action, ACTION_DETAILS)

SEND = "prescriptions.send"
SIGN_PLACE = "prescriber"
MIN_REASON = 15
MAX_LINES = 50
VALID_DAYS = 5  # collected within five days of signing (TT 26/2025 Đ12 k9 b)
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
    records_queries.visit_for_update(visit_id)
    return queries.current_of(visit_id) or _new_draft(visit_id, actor)


def _new_draft(visit_id: int, actor: Actor) -> Prescription:
    visit = records_queries.visit_for_update(visit_id)
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
            line.dose_amount, drug.unit, line.dose_unit, line.times_per_day, line.days, line.frequency,
            strength=drug.strength, route=drug.route_code,
        )  # fmt: skip
        here.add(
            PrescriptionLine(
                prescription_id=prescription_id,
                position=position,
                drug_code=drug.code,
                inn=drug.inn,
                brand=drug.brand,
                strength=drug.strength,
                form=drug.form,
                unit=drug.unit,
                route_code=drug.route_code,
                route_name=routes.get(("route", drug.route_code), ""),
                dose_amount=line.dose_amount,
                dose_unit=line.dose_unit,
                times_per_day=line.times_per_day,
                times_text=line.times_text[:200],
                days=line.days,
                frequency=line.frequency,
                quantity=quantity,
                diagnosis_code=line.diagnosis_code,
                control_class=drug.control_class,
            )
        )
    prescription.advice = advice[:1000]
    prescription.follow_up_on = follow_up_on
    prescription.doctor_id, prescription.doctor_name = actor.user_id or 0, actor.name
    prescription.doctor_licence = actor.licence_number
    prescription.saved_at = clock.now()  # moves the version even when only lines changed
    here.flush()  # the lines are read back for the checks
    here.refresh(prescription, ["lines"])
    run = queries.safety_run(prescription, queries.facts_for_checks(visit, prescription_id))
    _drop_stale_overrides(prescription, run)
    prescription.alerts = [a.as_json() for a in run.alerts]
    audit.record(
        actor, Action.SET_LINES, subject_type="prescription", subject_id=prescription_id, visit_id=prescription.visit_id,
        patient_id=prescription.patient_id, details={"drugs": [line.drug_code for line in prescription.lines]},
    )  # fmt: skip
    return prescription


def _check_lines(lines: Sequence[LineData], known: dict[str, Drug]) -> list[Finding]:
    findings = []
    if len(lines) > MAX_LINES:
        findings.append(Finding("too_many_lines", "", f"Một đơn nhiều nhất {MAX_LINES} thuốc. Bỏ bớt dòng."))
    for i, line in enumerate(lines):
        if line.drug_code not in known:
            findings.append(
                Finding(
                    "drug_unknown", f"drug-{i}", f"Không có thuốc «{line.drug_code}» trong danh mục. Chọn lại thuốc."
                )
            )
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


def _drop_stale_overrides(prescription: Prescription, run: queries.SafetyRun) -> None:
    alive = {(a.alert.rule, a.alert.key) for a in run.alerts}
    for override in list(prescription.overrides):
        if (override.rule, override.about) not in alive:
            session().delete(override)
            prescription.overrides.remove(override)


def line_data(line: PrescriptionLine) -> LineData:
    """Return a stored line as the doctor gave it; a quantity that follows from the dose is computed again."""
    computed = rules.quantity_of(
        line.dose_amount, line.unit, line.dose_unit, line.times_per_day, line.days, line.frequency,
        strength=line.strength, route=line.route_code,
    )  # fmt: skip
    return LineData(
        line.drug_code, line.dose_amount, line.dose_unit, line.times_per_day, line.days, line.times_text, line.frequency,
        None if line.quantity == computed else line.quantity, line.diagnosis_code,
    )  # fmt: skip


def first_dose(visit_id: int, drug_code: str, days: int = 5) -> LineData:
    """Return the line a freshly chosen product starts with: the measurable dose that fits the weight.

    Raises `CodeNotFound`.
    """
    visit = records_queries.get_visit(visit_id)
    drug = catalogues.drug(drug_code, visit.service_on)
    facts = queries.facts_for_checks(visit)
    unit = next(iter(rules.dose_units(drug.unit, drug.form, drug.strength)), drug.unit.lower())
    probe = rules.RxLine(drug.inn, drug.strength, drug.route_code, f"1 {unit}", 2, days)
    limit = rules.dose_help(probe, facts, dose_unit=unit, form=drug.form).max_doses
    times = min(limit or 2, 2)
    probe = rules.RxLine(drug.inn, drug.strength, drug.route_code, f"1 {unit}", times, days)
    return LineData(drug_code, rules.suggested_dose(probe, facts, dose_unit=unit, form=drug.form), unit, times, days)


def last_lines(visit_id: int) -> list[LineData]:
    """Return the lines of the patient's latest signed prescription of an earlier visit; products no longer listed are left out.

    Raises `InvalidState` when there is none.
    """
    visit = records_queries.get_visit(visit_id)
    earlier = [line for line in queries.recent_lines(visit.patient_id) if line.prescription.visit_id != visit_id]
    newest = [line for line in earlier if line.prescription_id == earlier[0].prescription_id]
    known = catalogues.drugs([line.drug_code for line in newest], visit.service_on)
    found = [replace_data(line_data(line), diagnosis_code="") for line in newest if line.drug_code in known]
    if not found:
        raise InvalidState("Chưa có đơn trước để chép.")
    return found


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
    run = queries.safety_run(prescription, queries.facts_for_checks(visit, prescription_id))
    found = next((a for a in run.alerts if a.alert.rule == rule and a.alert.key == about), None)
    if found is None:
        raise InvalidState("Cảnh báo này không còn. Tải lại đơn.")
    if found.alert.tier not in (1, 2):
        raise InvalidState("Cảnh báo này không cần lý do.")
    if found.alert.tier == 1 and rule in LEGAL_STOPS:
        raise NotAllowed("Quy định này không có ngoại lệ. Sửa đơn theo gợi ý.")
    if found.alert.tier == 1 and len(text.strip()) < MIN_REASON:
        raise RuleBroken(
            [
                Finding(
                    "reason_short",
                    "reason_text",
                    f"Ghi rõ lý do, ít nhất {MIN_REASON} ký tự. Dược sĩ sẽ thấy lý do này.",
                )
            ]
        )
    if found.override is not None:
        return found.override
    row = AlertOverride(
        prescription_id=prescription_id, rule=rule, tier=found.alert.tier, about=about, reason_code=reason.value,
        reason_text=text.strip()[:500], by_id=actor.user_id or 0, by_name=actor.name,
    )  # fmt: skip
    prescription.overrides.append(row)
    prescription.alerts = [
        {**a.as_json(), "open": a.is_open and (a.alert.rule, a.alert.key) != (rule, about)} for a in run.alerts
    ]
    prescription.saved_at = clock.now()  # whoever has the old page open must see the answer before signing
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


def shown_digest(prescription: Prescription) -> str:
    """Return the digest of what the screen shows; it comes back with the signature."""
    return documents.digest_of(canonical(prescription))


def sign(prescription_id: int, *, actor: Actor, key: str = "", shown: str | None = None) -> Prescription:
    """Close the prescription under the doctor's signature, hold the stock, charge it, queue it for sending.

    ``key`` is the form's one-time key: a double click signs once. ``shown`` is the digest of what the doctor saw; other
    content is not signed. Source: TT 26/2025/TT-BYT Đ6, Đ12; QĐ 425/QĐ-BYT Đ11. Raises `AlreadySigned`, `NotAllowed`,
    `SafetyStop`, `InvalidState`, `Conflict`, ``proof_needed``, `StockShort`.
    """
    if not key:
        return _sign(prescription_id, actor, shown)
    once(
        key, action="prescriptions.sign", actor=actor, body={"prescription": prescription_id},
        effect=lambda: {"prescription_id": _sign(prescription_id, actor, shown).prescription_id},
    )  # fmt: skip
    return queries.get(prescription_id)


def _sign(prescription_id: int, actor: Actor, shown: str | None) -> Prescription:
    prescription = queries.get_for_update(prescription_id)
    if prescription.state is not PrescriptionState.DRAFT:
        raise AlreadySigned(f"Đơn {prescription.code or ''} đã ký hoặc đã hủy. Tải lại trang để xem.")
    if prescription.doctor_id != actor.user_id:
        raise NotAllowed("Chỉ bác sĩ kê đơn được ký đơn này. Lưu lại đơn dưới tên bạn rồi ký.")
    if not prescription.lines:
        raise RuleBroken([Finding("lines_missing", "lines", "Đơn chưa có thuốc nào. Thêm thuốc rồi ký.")])
    visit = records_queries.get_visit(prescription.visit_id)
    if visit.state not in (VisitState.OPEN, VisitState.IN_EXAM):
        raise InvalidState("Lượt khám đã kết thúc. Mở lại lượt khám trước khi ký đơn.")
    run = queries.safety_run(prescription, queries.facts_for_checks(visit, prescription_id))
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
    signature = documents.sign_content(
        canonical(prescription), place=SIGN_PLACE, subject_type="prescription", subject_id=prescription_id, actor=actor,
        shown_digest=shown, patient_id=prescription.patient_id, visit_id=prescription.visit_id,
    )  # fmt: skip
    kind = PrescriptionKind(letters.pop())
    # The code first: state, signer, time and code become true together.
    code = _free_code(kind)
    prescription.kind, prescription.code = kind, code
    prescription.state = PrescriptionState.SIGNED
    prescription.signed_at, prescription.signer_id = clock.now(), actor.user_id
    prescription.digest = signature.digest
    prescription.ruleset_version = rules.RULESET_VERSION
    prescription.alerts = [a.as_json() for a in run.alerts]
    drugs = catalogues.drugs([line.drug_code for line in prescription.lines], visit.service_on)
    # By product: the same order of locks as the dispensing counter takes.
    for line in sorted(prescription.lines, key=lambda item: (item.drug_code, item.position)):
        drug = drugs[line.drug_code]
        stock.reserve(
            line.drug_code, line.quantity, source_kind="prescription_line", source_id=line.line_id,
            name=rules.drug_text(drug.ingredient_vi, drug.brand, drug.strength), until=course_end(line, clock.today()),
            actor=actor,
        )  # fmt: skip
    for line in prescription.lines:
        billing.post_charge(_charge(prescription, line, drugs[line.drug_code]), actor=actor)
    audit.record(
        actor, Action.SIGN, subject_type="prescription", subject_id=prescription_id, visit_id=prescription.visit_id,
        patient_id=prescription.patient_id, details={"code": prescription.code, "digest": prescription.digest},
    )  # fmt: skip
    outbox.put(SEND, dedup_key=f"{SEND}:{prescription.code}", user_id=actor.user_id, prescription_id=prescription_id)
    session().flush()  # the caller reads state and code back
    return prescription


def course_end(line: PrescriptionLine, first: date) -> date:
    """Return the last day a line's medicine is taken: its lot must not expire before."""
    return first + timedelta(days=line.days - 1)


def split_controlled(prescription_id: int, *, version: int | None, actor: Actor) -> Prescription:
    """Move the lines that need a form of their own into a draft of their own (TT 26/2025 Đ7, Đ9); return that draft.

    Raises `AlreadySigned`, `PrescriptionChanged`, `InvalidState` (nothing to split).
    """
    prescription = queries.get_for_update(prescription_id)
    if prescription.state is not PrescriptionState.DRAFT:
        raise AlreadySigned("Đơn đã ký, không tách được. Lập đơn thay thế.")
    positions = queries.controlled_positions(prescription.lines)
    if not positions:
        raise InvalidState("Đơn chỉ có một loại thuốc, không cần tách.")
    letter = rules.control_letter(queries.rx_line(prescription.lines[positions[0]]))
    moved = [
        line for n, line in enumerate(prescription.lines)
        if n in positions and rules.control_letter(queries.rx_line(line)) == letter
    ]  # fmt: skip
    kept = [line_data(line) for line in prescription.lines if line not in moved]
    taken = [line_data(line) for line in moved]
    set_lines(
        prescription_id,
        kept,
        advice=prescription.advice,
        follow_up_on=prescription.follow_up_on,
        version=version,
        actor=actor,
    )
    other = _new_draft(prescription.visit_id, actor)
    set_lines(
        other.prescription_id,
        taken,
        advice=prescription.advice,
        follow_up_on=prescription.follow_up_on,
        version=None,
        actor=actor,
    )
    audit.record(
        actor, Action.SPLIT, subject_type="prescription", subject_id=prescription_id, visit_id=prescription.visit_id,
        patient_id=prescription.patient_id, details={"drugs": [line.drug_code for line in taken]},
    )  # fmt: skip
    return other


def _free_code(kind: PrescriptionKind) -> str:
    here = session()
    for _attempt in range(20):
        code = rules.prescription_code(current().facility_code, kind.value, secrets.choice)
        if here.execute(select(Prescription.prescription_id).where(Prescription.code == code)).first() is None:
            return code
    raise InvalidState("Chưa cấp được mã đơn. Ký lại.")


def _charge(prescription: Prescription, line: PrescriptionLine, drug: Drug) -> billing.ChargeData:
    text = rules.dose_text(line.dose_amount, line.dose_unit, line.times_per_day, line.days, line.frequency)
    usage = rules.usage_text(
        line.route_name, line.dose_amount, line.dose_unit, line.times_per_day, line.times_text, line.frequency
    )
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
    if was_signed and prescription.doctor_id != actor.user_id and actor.kind != "system" and "head" not in actor.roles:
        raise NotAllowed("Chỉ bác sĩ kê đơn hoặc trưởng khoa được hủy đơn đã ký.")
    if was_signed and len(reason.strip()) < 5:
        raise InvalidState("Ghi lý do hủy đơn, ít nhất 5 ký tự.")
    prescription.state = PrescriptionState.CANCELLED
    prescription.cancelled_at, prescription.cancelled_by_id = clock.now(), actor.user_id
    prescription.cancel_reason = reason.strip()[:300] or "bỏ đơn nháp"
    if was_signed:
        for line in sorted(prescription.lines, key=lambda item: (item.drug_code, item.position)):
            stock.release("prescription_line", line.line_id, actor=actor)
            billing.void_charge("prescription_line", line.line_id, prescription.cancel_reason, actor=actor)
    audit.record(
        actor, Action.CANCEL, subject_type="prescription", subject_id=prescription_id, visit_id=prescription.visit_id,
        patient_id=prescription.patient_id, reason=prescription.cancel_reason, details={"code": prescription.code},
    )  # fmt: skip
    return prescription


def replace(prescription_id: int, reason: str, *, actor: Actor) -> Prescription:
    """Cancel a signed prescription and open a new draft with the same lines (TT 26/2025 Đ6 k9)."""
    if queries.get_for_update(prescription_id).state is not PrescriptionState.SIGNED:
        raise InvalidState("Chỉ thay đơn đã ký và chưa cấp thuốc.")
    old = cancel(prescription_id, reason, actor=actor)
    session().flush()  # the old one is out of force
    fresh = _new_draft(old.visit_id, actor)
    fresh.supersedes_id = old.prescription_id
    old.state = PrescriptionState.SUPERSEDED
    return set_lines(
        fresh.prescription_id, [line_data(line) for line in old.lines], advice=old.advice, follow_up_on=old.follow_up_on,
        version=None, actor=actor,
    )  # fmt: skip


def paper(prescription_id: int, *, actor: Actor) -> Paper:
    """Return the prescription as an issued paper: rendered once, the same bytes for every reprint.

    Raises `InvalidState` for a draft.
    """
    prescription = queries.get(prescription_id)
    if prescription.signed_at is None or prescription.state is PrescriptionState.DRAFT:
        raise InvalidState("Đơn chưa ký nên chưa in được. Ký đơn rồi in.")
    form = printing.FORM_OF_KIND[prescription.kind]
    issued = documents.paper_for(form, "prescription", prescription_id)
    if issued is not None:
        return issued
    if prescription.state not in (PrescriptionState.SIGNED, PrescriptionState.DISPENSED):
        raise InvalidState("Đơn đã hủy và chưa từng in.")
    visit = records_queries.get_visit(prescription.visit_id)
    return documents.issue_paper(
        form, _paper_context(prescription, visit), subject_type="prescription", subject_id=prescription_id, patient_id=prescription.patient_id,
        visit_id=prescription.visit_id, number=prescription.code or "", masked_name=records.masked_name(visit.patient.full_name),
        valid_until=clock.local(prescription.signed_at).date() + timedelta(days=VALID_DAYS), actor=actor,
    )  # fmt: skip


def mark_dispensed(prescription_id: int) -> Prescription:
    """The pharmacy handed it out."""
    prescription = queries.get_for_update(prescription_id)
    if prescription.state is not PrescriptionState.SIGNED:
        raise InvalidState("Đơn chưa ký, đã cấp hoặc đã hủy.")
    prescription.state = PrescriptionState.DISPENSED
    return prescription


def mark_taken_back(prescription_id: int) -> Prescription:
    """The pharmacy took it back."""
    prescription = queries.get_for_update(prescription_id)
    if prescription.state is PrescriptionState.DISPENSED:
        prescription.state = PrescriptionState.SIGNED
    return prescription


def _paper_context(prescription: Prescription, visit: Visit) -> printing.PrescriptionPaper:
    diagnoses = list(exam_queries.diagnoses_of(prescription.visit_id))
    departments = catalogues.names([("department", prescription.department_code)], visit.service_on)
    old = queries.get(prescription.supersedes_id).code if prescription.supersedes_id else ""
    return printing.prescription_paper(
        prescription, visit, diagnoses, department=departments.get(("department", prescription.department_code), ""),
        replaces=old or "",
    )  # fmt: skip


def preview(prescription_id: int) -> bytes:
    """Return the paper of a draft as PDF bytes; nothing is kept."""
    prescription = queries.get(prescription_id)
    visit = records_queries.get_visit(prescription.visit_id)
    return documents.render(printing.FORM_OF_KIND[prescription.kind], _paper_context(prescription, visit)).content


def record_sending(prescription_id: int, state: SentState, *, actor: Actor) -> None:
    """Keep what the national system said."""
    prescription = queries.get_for_update(prescription_id)
    prescription.sent_state = state
    audit.record(
        actor, Action.SENT, subject_type="prescription", subject_id=prescription_id, patient_id=prescription.patient_id,
        visit_id=prescription.visit_id, details={"code": prescription.code, "state": state.value},
    )  # fmt: skip


def national_message(prescription_id: int) -> tuple[str, dict[str, Any]]:
    """Return the doctor's account and the message of a signed prescription (built anew: the outbox holds ids only)."""
    prescription = queries.get(prescription_id)
    if prescription.signed_at is None or prescription.code is None:
        raise InvalidState("Đơn chưa ký.")
    visit = records_queries.get_visit(prescription.visit_id)
    patient = records_queries.get_patient(prescription.patient_id)
    facts = queries.facts_of(visit, patient, diagnoses := exam_queries.diagnoses_of(prescription.visit_id), ())
    coverage = visit.coverage if visit.subject_code != "9" else None
    message = rules.national_payload(
        rules.NationalPrescription(
            code=prescription.code, patient_name=patient.full_name, birth_on=patient.birth_on, sex=patient.sex.value,
            address=patient.address_text, personal_number=records_queries.personal_number_of(patient),
            card_number=coverage.card_number if coverage else "", weight_kg=visit.weight_kg,
            guardian_name=facts.guardian_name, guardian_phone=visit.guardian_phone, age_months=facts.age_months,
            diagnoses=[(d.icd_code, d.name) for d in diagnoses], advice=prescription.advice,
            phone=patient.phone or visit.guardian_phone, follow_up_on=prescription.follow_up_on,
            signed_at=clock.local(prescription.signed_at), days=max((line.days for line in prescription.lines), default=1),
            lines=[
                rules.NationalLine(
                    line.drug_code, line.brand, rules.drug_text(line.inn, line.brand, line.strength), line.unit, line.quantity,
                    rules.usage_text(line.route_name, line.dose_amount, line.dose_unit, line.times_per_day, line.times_text,
                                     line.frequency) + f", {line.days} ngày",
                )
                for line in prescription.lines
            ],
        )
    )  # fmt: skip
    return prescription.doctor_licence, message


def sending_of(prescription_id: int) -> SentState:
    """Return what should happen to a message about to be sent: WAITING = send it, else the state that stands.

    A prescription taken back before it was sent is not sent (the system has no deletion); one whose diagnosis must not
    be seen in a look-up is held (QĐ 425 Đ9 k5).
    """
    prescription = queries.get(prescription_id)
    if prescription.sent_state in (SentState.SENT, SentState.HELD, SentState.SKIPPED):
        return prescription.sent_state
    if prescription.state not in (PrescriptionState.SIGNED, PrescriptionState.DISPENSED):
        return SentState.SKIPPED
    visit = records_queries.get_visit(prescription.visit_id)
    codes = [d.icd_code for d in exam_queries.diagnoses_of(prescription.visit_id)]
    return SentState.HELD if visit.patient.is_sensitive or rules.must_hide_identity(codes) else SentState.WAITING


def resend(prescription_id: int, *, actor: Actor) -> Prescription:
    """A person decided that a refused or unclear message goes again (REL-05)."""
    prescription = queries.get_for_update(prescription_id)
    if prescription.sent_state not in (SentState.REFUSED, SentState.UNKNOWN):
        raise InvalidState("Chỉ gửi lại đơn bị từ chối hoặc chưa rõ kết quả.")
    message = (
        session()
        .execute(select(outbox.OutboxMessage).where(outbox.OutboxMessage.dedup_key == f"{SEND}:{prescription.code}"))
        .scalar_one_or_none()
    )
    if message is None:
        raise InvalidState("Không tìm thấy thông điệp của đơn này. Báo bộ phận công nghệ thông tin.")
    outbox.resend(message.message_id)
    prescription.sent_state = SentState.WAITING
    audit.record(
        actor, Action.RESEND, subject_type="prescription", subject_id=prescription_id, patient_id=prescription.patient_id,
        visit_id=prescription.visit_id, details={"code": prescription.code},
    )  # fmt: skip
    return prescription
