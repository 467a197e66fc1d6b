"""Use cases of referrals: draft from the record, sign by the doctor, issue by the facility, cancel, replace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from his.audit import service as audit
from his.catalogues import queries as catalogues
from his.core import clock, papers
from his.core.actor import Actor
from his.core.config import current
from his.core.db import session
from his.core.errors import Conflict, InvalidState, NotAllowed, stop_on_errors
from his.core.i18n import date_text, decimal_text
from his.core.sequences import next_number
from his.documents import queries as documents_queries
from his.documents import service as documents
from his.examination import queries as exam_queries
from his.examination import service as examination
from his.identity import queries as identity
from his.imaging import queries as imaging
from his.laboratory import queries as laboratory
from his.orders import queries as orders_queries
from his.orders.enums import OrderKind, OrderState
from his.prescriptions import queries as rx_queries
from his.records import queries as records_queries
from his.records import service as records
from his.records.enums import VisitState
from his.records.models import Visit
from his.referrals import printing, queries, rules
from his.referrals.enums import ACTION_DETAILS, DISCHARGE_OF_REASON, Action, ReferralReason, ReferralState
from his.referrals.errors import ReferralClosed
from his.referrals.models import Referral

audit.register_actions(Action, ACTION_DETAILS)

SUFFIX = "PCCSKBCB"
SUFFIX_UNINSURED = "PCCSKCB-DV"
TEXTS = (
    "clinical_signs", "course", "results_summary", "treatment_done", "procedures", "condition", "plan", "transport",
    "escort_name", "escort_title",
)  # fmt: skip
MIN_REASON = 5


@dataclass(frozen=True, slots=True)
class ReferralData:
    """What the doctor fills in; ``result_code`` is KET_QUA_DTRI, the doctor's own choice."""

    destination_code: str
    reason: ReferralReason
    clinical_signs: str
    course: str
    results_summary: str
    treatment_done: str
    condition: str
    plan: str
    transport: str
    procedures: str = ""
    escort_name: str = ""
    escort_title: str = ""
    is_one_year: bool = False
    is_commitment_signed: bool = False
    result_code: str = ""


def _vitals_in_words(visit_id: int) -> str:
    signs = next(iter(exam_queries.vitals_of(visit_id)), None)
    if signs is None:
        return ""
    words = [
        f"mạch {signs.pulse} lần/phút" if signs.pulse else "",
        f"nhiệt độ {decimal_text(signs.temperature)} °C" if signs.temperature else "",
        f"huyết áp {signs.systolic}/{signs.diastolic} mmHg" if signs.systolic and signs.diastolic else "",
        f"nhịp thở {signs.respiration} lần/phút" if signs.respiration else "",
        f"SpO2 {signs.spo2}%" if signs.spo2 else "",
    ]
    text = ", ".join(word for word in words if word)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _results_in_words(visit_id: int) -> str:
    """Return released results: of a laboratory test the values out of range, else its first ones; of imaging the conclusion."""
    results = []
    for text in laboratory.texts_of(visit_id):
        shown = [v for v in text.values if v[4]] or list(text.values[:4])
        results.append("; ".join(f"{name} {value} {unit}".strip() for name, value, unit, _range, _flag in shown))
    results += [f"{report.service_name}: {report.conclusion.rstrip('.')}" for report in imaging.texts_of(visit_id)]
    return ". ".join(result for result in results if result)


def _facts_in_words(visit: Visit) -> dict[str, Any]:
    """Return what the record says already: nothing is retyped, nothing is invented."""
    note = exam_queries.note_of(visit.visit_id)
    prescription = rx_queries.current_of(visit.visit_id)
    drugs = [f"{line.inn} {line.strength}".strip() for line in prescription.lines] if prescription else []
    done = [
        line for line in orders_queries.lines_of(visit.visit_id)
        if line.kind is OrderKind.PROCEDURE and line.state is OrderState.RESULTED
    ]  # fmt: skip
    return {
        "clinical_signs": note.findings if note else "",
        "course": note.history if note else "",
        "results_summary": _results_in_words(visit.visit_id) or "Không",
        "treatment_done": "; ".join(drugs) or "Không",
        "procedures": "; ".join(line.service_name for line in done) or "Không",
        "procedure_started_at": min((line.started_at for line in done if line.started_at), default=None),
        "procedure_ended_at": max((line.resulted_at for line in done if line.resulted_at), default=None),
        "condition": _vitals_in_words(visit.visit_id),
        "plan": note.conclusion if note else "",
    }


def draft(visit_id: int, *, actor: Actor) -> Referral:
    """Return the draft of a visit, pre-filled from the record. Raises `InvalidState` for a settled visit."""
    visit = records_queries.visit_for_update(visit_id)
    existing = queries.of_visit(visit_id)
    if existing is not None:
        return existing
    if visit.state in (VisitState.CLOSED, VisitState.CANCELLED):
        raise InvalidState("Lượt khám đã thanh toán hoặc đã hủy. Mở lại lượt khám trước khi lập phiếu chuyển.")
    main = next((d for d in exam_queries.diagnoses_of(visit_id) if d.kind.value == "main"), None)
    referral = Referral(
        visit_id=visit_id, patient_id=visit.patient_id, destination_code="", destination_name="",
        reason=ReferralReason.BEYOND_CAPACITY, doctor_id=actor.user_id or 0, doctor_name=actor.name,
        doctor_licence=actor.licence_number, transport="Tự túc", result_code=visit.result_code,
        is_one_year=bool(main and catalogues.is_one_year_disease(main.icd_code, visit.service_on)),
        **_facts_in_words(visit),
    )  # fmt: skip
    session().add(referral)
    session().flush()  # the audit entry names the row
    audit.record(actor, Action.DRAFT, subject_type="referral", subject_id=referral.referral_id,
                 patient_id=visit.patient_id, visit_id=visit_id)  # fmt: skip
    return referral


def _unchanged(referral: Referral, version: int | None) -> None:
    if version is not None and referral.version != version:
        raise Conflict("Phiếu vừa được sửa ở nơi khác. Xem bản mới rồi làm lại; chữ bạn gõ vẫn còn.")


def save(referral_id: int, data: ReferralData, version: int | None, *, actor: Actor) -> Referral:
    """Save a draft. Raises `ReferralClosed`, `Conflict` when someone else changed it since ``version``."""
    referral = queries.get_for_update(referral_id)
    if referral.state is not ReferralState.DRAFT:
        raise ReferralClosed("Phiếu đã ký, không sửa được. Hủy phiếu rồi lập phiếu mới.")
    _unchanged(referral, version)
    facility = catalogues.facilities([data.destination_code], clock.today()).get(data.destination_code)
    referral.destination_code = data.destination_code if facility else ""
    referral.destination_name = facility.name if facility else ""
    referral.reason, referral.is_one_year = data.reason, data.is_one_year
    referral.is_commitment_signed = data.is_commitment_signed and data.reason is ReferralReason.ON_REQUEST
    referral.result_code = data.result_code
    for name in TEXTS:
        setattr(referral, name, getattr(data, name).strip())
    referral.doctor_id, referral.doctor_name = actor.user_id or 0, actor.name
    referral.doctor_licence = actor.licence_number
    session().flush()  # the version counter moves
    audit.record(actor, Action.SAVE, subject_type="referral", subject_id=referral_id, patient_id=referral.patient_id,
                 visit_id=referral.visit_id,
                 details={"destination": referral.destination_code, "reason": referral.reason.value})  # fmt: skip
    return referral


def sign(referral_id: int, *, version: int | None = None, actor: Actor) -> Referral:
    """The treating doctor signs: the content is frozen (R7) and the visit ends (R6).

    ``version`` is the state the doctor saw. Raises `RuleBroken`, `ProofNeeded`, `NotAllowed`, `Conflict`.
    """
    referral = queries.get_for_update(referral_id)
    if referral.state is not ReferralState.DRAFT:
        raise ReferralClosed("Phiếu này đã ký hoặc đã hủy.")
    _unchanged(referral, version)
    if referral.doctor_id != actor.user_id:
        raise NotAllowed("Bác sĩ lập phiếu ký phiếu. Lưu lại phiếu dưới tên bạn rồi ký.")
    stop_on_errors(queries.findings(referral))
    now = clock.now()
    referral.transferred_at = now
    referral.doctor_signed_at = now
    referral.state = ReferralState.SIGNED
    referral.valid_until = queries.validity(clock.local(now).date(), one_year=referral.is_one_year)
    referral.snapshot = snapshot_of(referral, now)
    signature = documents.sign_content(
        referral.snapshot, place="treating_doctor", subject_type="referral", subject_id=referral_id, actor=actor,
        patient_id=referral.patient_id, visit_id=referral.visit_id,
    )  # fmt: skip
    audit.record(actor, Action.SIGN, subject_type="referral", subject_id=referral_id, patient_id=referral.patient_id,
                 visit_id=referral.visit_id, details={"digest": signature.digest})  # fmt: skip
    _close_visit(referral, actor)
    return referral


def _close_visit(referral: Referral, actor: Actor) -> None:
    """R6: a referral ends the visit; the result of treatment stays the doctor's own choice."""
    visit = records_queries.visit_for_update(referral.visit_id)
    discharge = DISCHARGE_OF_REASON[referral.reason]
    if visit.state is VisitState.CLOSED:
        # A replacement after payment may mend words, not what the bill and the claim stand on.
        if (visit.discharge_code, visit.destination_facility_code) != (discharge, referral.destination_code):
            raise InvalidState("Lượt khám đã thanh toán: phiếu thay giữ nguyên nơi nhận và lý do. Đổi thì mở lại lượt khám trước.")
        return
    if visit.state is VisitState.CONCLUDED:
        records.conclude_visit(
            visit.visit_id, actor=actor, discharge_code=discharge, result_code=referral.result_code,
            main_icd=visit.main_icd, main_icd_name=visit.main_icd_name, ended_at=referral.transferred_at,
            destination_facility_code=referral.destination_code,
        )  # fmt: skip
        return
    prescription = rx_queries.current_of(visit.visit_id)
    examination.conclude(
        visit.visit_id,
        examination.ConcludeData(
            discharge_code=discharge, result_code=referral.result_code,
            open_orders=orders_queries.open_count(visit.visit_id),
            unsigned_prescription=bool(prescription and prescription.state.value == "draft" and prescription.lines),
            destination_facility_code=referral.destination_code, ended_at=referral.transferred_at,
        ),
        actor=actor,
    )  # fmt: skip


def snapshot_of(referral: Referral, now: datetime) -> dict[str, Any]:
    """Return what paper and XML13 are made from, as plain values; frozen when the doctor signs."""
    settings = current()
    visit = records_queries.get_visit(referral.visit_id)
    patient = visit.patient
    today = clock.local(now).date()
    coverage = visit.coverage if visit.subject_code != "9" else None
    diagnoses = exam_queries.diagnoses_of(visit.visit_id)
    names = catalogues.names(
        [("ethnicity", patient.ethnicity_code), ("nationality", patient.nationality_code),
         ("occupation", patient.occupation_code)],
        today,
    )  # fmt: skip
    places = catalogues.facilities([settings.facility_code, visit.incoming_facility_code], today)
    stays = []
    if visit.incoming_facility_code in places:
        place = places[visit.incoming_facility_code]
        day = date_text(visit.incoming_signed_on)
        stays.append({"place": place.name, "level": place.level, "day_from": day, "day_to": day})
    own = places.get(settings.facility_code)
    stays.append({
        "place": settings.facility_name, "level": own.level if own else "cơ bản",
        "day_from": date_text(visit.arrived_at), "day_to": date_text(now),
    })  # fmt: skip
    head = identity.authorised_signer()
    until = coverage.valid_to if coverage else None
    paper = {
        "is_insured": coverage is not None, "parent": settings.facility_parent, "facility": settings.facility_name,
        "number": "", "file_number": visit.code, "register_number": "", "destination": referral.destination_name,
        "full_name": patient.full_name.upper(), "sex": records_queries.SEX_TEXT[patient.sex],
        "birth_year": str(patient.birth_on.year), "address": patient.address_text or "–",
        "ethnicity": names.get(("ethnicity", patient.ethnicity_code), ""),
        "nationality": names.get(("nationality", patient.nationality_code), "Việt Nam"),
        "occupation": names.get(("occupation", patient.occupation_code), "Không có hoặc chưa có nghề nghiệp"),
        "workplace": patient.workplace or "–", "card_number": coverage.card_number if coverage else "",
        "card_until": list(papers.parts(until)), "is_card_expired": bool(until and until < today),
        "is_card_open_ended": coverage is not None and until is None, "stays": stays,
        "clinical_signs": referral.clinical_signs, "course": referral.course,
        "results_summary": referral.results_summary,
        "diagnosis": "; ".join(f"{d.name} ({d.icd_code})" for d in diagnoses),
        "procedures": referral.procedures or "Không", "procedure_start": papers.moment_line(referral.procedure_started_at),
        "procedure_end": papers.moment_line(referral.procedure_ended_at), "treatment_done": referral.treatment_done,
        "condition": referral.condition, "reason": referral.reason.value, "plan": referral.plan,
        "transfer_time": papers.moment_line(now), "one_year": "có" if referral.is_one_year else "không",
        "transport": referral.transport,
        "escort": ", ".join(p for p in (referral.escort_name, referral.escort_title) if p) or "Không",
        "signed_on": list(papers.parts(today)), "doctor": referral.doctor_name,
        "authority": f"{head.title} {head.display_name}".strip() if head else "",
        "doctor_signed_at": papers.stamp(referral.doctor_signed_at), "issued_at": "",
        "is_reissue": referral.supersedes_id is not None,
    }  # fmt: skip
    return {
        "paper": paper,
        "destination_code": referral.destination_code,
        "valid_until": referral.valid_until.isoformat() if referral.valid_until else "",
        "doctor_licence": referral.doctor_licence,
    }


def issue(referral_id: int, *, actor: Actor) -> Referral:
    """The facility signs: number, register number, the stored paper (TT 06/2026 Đ5 k2: instead of the stamp).

    Validity runs from this day (R1). Only an authorised signer issues; a second issue returns the first paper.
    Raises `NotAllowed`, `ProofNeeded`, `InvalidState`.
    """
    referral = queries.get_for_update(referral_id)
    if referral.state is ReferralState.ISSUED:
        return referral
    if referral.state is not ReferralState.SIGNED:
        raise InvalidState("Bác sĩ chưa ký phiếu này.")
    person = identity.get_user(actor.user_id or 0)
    if not person.is_authorised_signer:
        raise NotAllowed("Chỉ người được ủy quyền ký thay mặt cơ sở mới phát hành phiếu chuyển.")
    now = clock.now()
    today = clock.local(now).date()
    insured = bool(referral.snapshot["paper"]["is_insured"])
    suffix = SUFFIX if insured else SUFFIX_UNINSURED
    referral.number = rules.number_text(next_number(f"referral:{suffix}", str(today.year)), today.year, suffix)
    referral.register_number = str(next_number("referral:register", str(today.year)))
    referral.authority_id, referral.authority_name, referral.authority_licence = actor.user_id, actor.name, actor.licence_number
    referral.issued_at, referral.state = now, ReferralState.ISSUED
    referral.valid_until = queries.validity(today, one_year=referral.is_one_year)
    paper = {
        **referral.snapshot["paper"], "number": referral.number, "register_number": referral.register_number,
        "authority": actor.name, "issued_at": papers.stamp(now), "signed_on": list(papers.parts(today)),
    }  # fmt: skip
    referral.snapshot = {**referral.snapshot, "paper": paper, "valid_until": referral.valid_until.isoformat()}
    documents.seal_content(referral.snapshot, subject_type="referral", subject_id=referral_id, actor=actor,
                           patient_id=referral.patient_id)  # fmt: skip
    referral.paper_id = _issue_paper(referral, insured, actor)
    audit.record(
        actor, Action.ISSUE, subject_type="referral", subject_id=referral_id, patient_id=referral.patient_id,
        visit_id=referral.visit_id,
        details={"number": referral.number, "valid_until": str(referral.valid_until)},
    )  # fmt: skip
    return referral


def _issue_paper(referral: Referral, insured: bool, actor: Actor) -> int:
    """Store the paper once; the one it replaces says "replaced" from now on (F-04)."""
    visit = records_queries.get_visit(referral.visit_id)
    old = queries.get(referral.supersedes_id) if referral.supersedes_id is not None else None
    stored = documents.issue_paper(
        printing.REFERRAL if insured else printing.REFERRAL_UNINSURED, printing.paper_of(referral.snapshot),
        subject_type="referral", subject_id=referral.referral_id, patient_id=referral.patient_id, visit_id=referral.visit_id,
        actor=actor, number=referral.number or "", masked_name=documents.initials(visit.patient.full_name),
        valid_until=referral.valid_until,
        replaces=documents_queries.get(old.paper_id) if old is not None and old.paper_id is not None else None,
        replace_reason=referral.replace_reason,
    )  # fmt: skip
    return stored.paper_id


def cancel(referral_id: int, reason: str, *, actor: Actor) -> Referral:
    """Cancel a referral: an issued paper stays readable as cancelled, its number is never given again (F-08).

    The visit is open again, so that the doctor ends it another way; a settled visit must be reopened first. A draft
    that was to replace a paper gives that paper its force back. Raises `InvalidState`, `NotAllowed`.
    """
    referral = queries.get_for_update(referral_id)
    if referral.state not in queries.IN_FORCE:
        raise InvalidState("Phiếu này đã hủy hoặc đã được thay.")
    is_draft = referral.state is ReferralState.DRAFT
    if not is_draft:
        _may_take_back(referral, actor)
        if len(reason.strip()) < MIN_REASON:
            raise InvalidState(f"Ghi lý do hủy phiếu, ít nhất {MIN_REASON} ký tự.")
        visit = records_queries.visit_for_update(referral.visit_id)
        if visit.state is VisitState.CLOSED:
            raise InvalidState("Lượt khám đã thanh toán. Hủy thanh toán để mở lại lượt khám, hoặc lập phiếu thay.")
        if visit.state is VisitState.CONCLUDED:
            examination.reopen(visit.visit_id, reason, actor=actor)
    if referral.paper_id is not None:
        documents.cancel_paper(referral.paper_id, reason, actor=actor)
    referral.state, referral.cancel_reason = ReferralState.CANCELLED, reason.strip() or "bỏ bản nháp"
    session().flush()  # one referral in force per visit: this one leaves before another comes back
    if is_draft and referral.supersedes_id is not None:
        queries.get_for_update(referral.supersedes_id).state = ReferralState.ISSUED
    audit.record(actor, Action.CANCEL, subject_type="referral", subject_id=referral_id, patient_id=referral.patient_id,
                 visit_id=referral.visit_id, reason=referral.cancel_reason, details={"number": referral.number})  # fmt: skip
    return referral


def _may_take_back(referral: Referral, actor: Actor) -> None:
    """The doctor who signed, or someone who signs for the facility."""
    if referral.doctor_id != actor.user_id and not identity.get_user(actor.user_id or 0).is_authorised_signer:
        raise NotAllowed("Chỉ bác sĩ đã ký hoặc người ký thay mặt cơ sở được hủy, thay phiếu này.")


def replace(referral_id: int, reason: str, *, actor: Actor) -> Referral:
    """Open a draft that will replace an issued paper: a new number, «CẤP LẠI», the old one linked (F-04).

    The old paper stays genuine until the new one is issued. Raises `InvalidState`, `NotAllowed`.
    """
    old = queries.get_for_update(referral_id)
    if old.state is not ReferralState.ISSUED:
        raise InvalidState("Chỉ thay được phiếu đã phát hành và còn hiệu lực.")
    _may_take_back(old, actor)
    if len(reason.strip()) < MIN_REASON:
        raise InvalidState(f"Ghi lý do thay phiếu, ít nhất {MIN_REASON} ký tự.")
    old.state = ReferralState.REPLACED
    session().flush()  # one referral in force per visit
    kept = ("visit_id", "patient_id", "destination_code", "destination_name", "reason", *TEXTS, "procedure_started_at",
            "procedure_ended_at", "is_one_year", "is_commitment_signed", "result_code")  # fmt: skip
    fresh = Referral(
        **{name: getattr(old, name) for name in kept}, doctor_id=actor.user_id or 0, doctor_name=actor.name,
        doctor_licence=actor.licence_number, supersedes_id=old.referral_id, replace_reason=reason.strip()[:300],
    )  # fmt: skip
    session().add(fresh)
    session().flush()  # the audit entry names the row
    audit.record(actor, Action.REPLACE, subject_type="referral", subject_id=fresh.referral_id, patient_id=old.patient_id,
                 visit_id=old.visit_id, reason=reason, details={"number": old.number})  # fmt: skip
    return fresh


def context_of(referral: Referral) -> printing.ReferralPaper:
    """Return the paper's content: the frozen one, or of a draft as it stands now."""
    return printing.paper_of(referral.snapshot or snapshot_of(referral, clock.now()))


def form_of(context: printing.ReferralPaper) -> str:
    """Return the form a content is printed on."""
    return printing.REFERRAL if context.is_insured else printing.REFERRAL_UNINSURED
