"""Use cases of referrals: draft from the record, sign by the doctor, issue by the facility."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from his.audit import service as audit
from his.catalogues import queries as catalogues
from his.core import clock
from his.core.actor import Actor
from his.core.config import current
from his.core.db import session
from his.core.errors import InvalidState, NotAllowed, stop_on_errors
from his.core.i18n import date_text
from his.core.sequences import next_number
from his.documents import service as documents
from his.documents.models import Paper
from his.examination import queries as exam_queries
from his.examination import service as examination
from his.examination.enums import NoteState
from his.identity import queries as identity
from his.imaging import queries as imaging
from his.laboratory import queries as laboratory
from his.orders import queries as orders_queries
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

FORM = "referral"
FORM_UNINSURED = "referral_dv"
TEXTS = (
    "clinical_signs", "course", "results_summary", "treatment_done", "procedures", "condition", "plan", "transport",
    "escort_name", "escort_title",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReferralData:
    """What the doctor fills in."""

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


def _facts_in_words(visit: Visit) -> dict[str, str]:
    """Return what the record says already: nothing is retyped."""
    note = exam_queries.note_of(visit.visit_id)
    signs = next(iter(exam_queries.vitals_of(visit.visit_id)), None)
    vital_words = []
    if signs is not None:
        if signs.pulse:
            vital_words.append(f"mạch {signs.pulse} lần/phút")
        if signs.temperature:
            vital_words.append(f"nhiệt độ {signs.temperature:f} °C".replace(".", ","))
        if signs.systolic:
            vital_words.append(f"huyết áp {signs.systolic}/{signs.diastolic} mmHg")
        if signs.respiration:
            vital_words.append(f"nhịp thở {signs.respiration} lần/phút")
    results = []
    for text in laboratory.texts_of(visit.visit_id):
        shown = [v for v in text.values if v[4]] or list(text.values[:4])
        results.append("; ".join(f"{name} {value} {unit}".strip() for name, value, unit, _range, _flag in shown))
    results += [f"{report.service_name}: {report.conclusion}" for report in imaging.texts_of(visit.visit_id)]
    prescription = rx_queries.current_of(visit.visit_id)
    drugs = [f"{line.inn} {line.strength}".strip() for line in prescription.lines] if prescription else []
    services = [line.service_name for line in orders_queries.lines_of(visit.visit_id) if line.state.value == "resulted"]
    return {
        "clinical_signs": note.findings if note else "",
        "course": note.history if note else "",
        "results_summary": ". ".join(results) or "Không",
        "treatment_done": "; ".join([*services, *drugs]) or "Không",
        "condition": ("Tỉnh, " + ", ".join(vital_words) + ".") if vital_words else "",
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
        doctor_licence=actor.licence_number, transport="Tự túc",
        is_one_year=bool(main and catalogues.is_one_year_disease(main.icd_code, visit.service_on)),
        **_facts_in_words(visit),
    )  # fmt: skip
    session().add(referral)
    session().flush()  # the audit entry names the row
    audit.record(actor, Action.DRAFT, subject_type="referral", subject_id=referral.referral_id,
                 patient_id=visit.patient_id, visit_id=visit_id)  # fmt: skip
    return referral


def save(referral_id: int, data: ReferralData, version: int | None, *, actor: Actor) -> Referral:
    """Save a draft. Raises `ReferralClosed`, `InvalidState` when someone else changed it."""
    referral = queries.get_for_update(referral_id)
    if referral.state is not ReferralState.DRAFT:
        raise ReferralClosed("Phiếu đã ký, không sửa được. Hủy phiếu rồi lập phiếu mới.")
    if version is not None and referral.version != version:
        raise InvalidState("Phiếu vừa được sửa ở nơi khác. Tải lại để xem bản mới.")
    facility = catalogues.facilities([data.destination_code], clock.today()).get(data.destination_code)
    referral.destination_code = data.destination_code if facility else ""
    referral.destination_name = facility.name if facility else ""
    referral.reason, referral.is_one_year = data.reason, data.is_one_year
    for name in TEXTS:
        setattr(referral, name, getattr(data, name).strip())
    referral.doctor_id, referral.doctor_name = actor.user_id or 0, actor.name
    referral.doctor_licence = actor.licence_number
    session().flush()  # the version counter moves
    audit.record(actor, Action.SAVE, subject_type="referral", subject_id=referral_id, patient_id=referral.patient_id,
                 visit_id=referral.visit_id,
                 details={"destination": referral.destination_code, "reason": referral.reason.value})  # fmt: skip
    return referral


def check(referral: Referral) -> tuple[Any, ...]:
    """Return what is missing before signing."""
    diagnoses = exam_queries.diagnoses_of(referral.visit_id)
    main = next((d for d in diagnoses if d.kind.value == "main"), None)
    facts = catalogues.icds([main.icd_code], clock.today()).get(main.icd_code) if main else None
    texts = " ".join(getattr(referral, name) for name in TEXTS)
    return rules.check_referral(
        rules.ReferralFacts(
            destination_code=referral.destination_code, own_code=current().facility_code,
            clinical_signs=referral.clinical_signs, results_summary=referral.results_summary,
            treatment_done=referral.treatment_done, condition=referral.condition, plan=referral.plan,
            transport=referral.transport, has_main_diagnosis=main is not None,
            main_allowed=not (facts and facts.is_never_main), open_orders=orders_queries.open_count(referral.visit_id),
            is_request=referral.reason is ReferralReason.ON_REQUEST, abbreviations=rules.abbreviations_in(texts),
        )
    )  # fmt: skip


def validity(referral: Referral, signed_on: date | None = None) -> date:
    """Return until when the paper is valid; computed, never typed."""
    day = signed_on or clock.today()
    return rules.valid_until(day, catalogues.holidays(day, day + timedelta(days=60)), one_year=referral.is_one_year)


def sign(referral_id: int, *, actor: Actor) -> Referral:
    """The treating doctor signs: the content is frozen (R7). Raises `RuleBroken`, `ProofNeeded`, `NotAllowed`."""
    referral = queries.get_for_update(referral_id)
    if referral.state is not ReferralState.DRAFT:
        raise ReferralClosed("Phiếu này đã ký.")
    if referral.doctor_id != actor.user_id:
        raise NotAllowed("Bác sĩ lập phiếu ký phiếu. Lưu lại phiếu dưới tên bạn rồi ký.")
    stop_on_errors(check(referral))
    now = clock.now()
    referral.transferred_at = now
    referral.doctor_signed_at = now
    referral.state = ReferralState.SIGNED
    referral.valid_until = validity(referral)
    referral.snapshot = _snapshot(referral, now)
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
    if visit.state is VisitState.CONCLUDED:
        records.conclude_visit(
            visit.visit_id, actor=actor, discharge_code=discharge, result_code=visit.result_code or "3",
            main_icd=visit.main_icd, main_icd_name=visit.main_icd_name, ended_at=referral.transferred_at,
            destination_facility_code=referral.destination_code,
        )  # fmt: skip
        return
    prescription = rx_queries.current_of(visit.visit_id)
    examination.conclude(
        visit.visit_id,
        examination.ConcludeData(
            discharge_code=discharge, result_code=visit.result_code or "3",
            open_orders=orders_queries.open_count(visit.visit_id),
            unsigned_prescription=bool(prescription and prescription.state.value == "draft" and prescription.lines),
            destination_facility_code=referral.destination_code, ended_at=referral.transferred_at,
        ),
        actor=actor,
    )  # fmt: skip


def _parts(day: date | None) -> list[str]:
    return [f"{day.day:02d}", f"{day.month:02d}", str(day.year)] if day else ["", "", ""]


def _moment(value: datetime | None) -> str:
    if value is None:
        return ""
    local = clock.local(value)
    return f"{local:%H} giờ {local:%M} phút, ngày {local:%d} tháng {local:%m} năm {local:%Y}"


def _snapshot(referral: Referral, now: datetime) -> dict[str, Any]:
    """Freeze what paper and XML13 are made from."""
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
        "card_until": _parts(until), "is_card_expired": bool(until and until < today),
        "is_card_open_ended": coverage is not None and until is None, "stays": stays,
        "clinical_signs": referral.clinical_signs, "course": referral.course,
        "results_summary": referral.results_summary,
        "diagnosis": "; ".join(f"{d.icd_code} {d.name}" for d in diagnoses),
        "procedures": referral.procedures or "Không", "procedure_start": _moment(referral.procedure_started_at),
        "procedure_end": _moment(referral.procedure_ended_at), "treatment_done": referral.treatment_done,
        "condition": referral.condition, "reason": referral.reason.value, "plan": referral.plan,
        "transfer_time": _moment(now), "one_year": "có" if referral.is_one_year else "không",
        "transport": referral.transport,
        "escort": ", ".join(p for p in (referral.escort_name, referral.escort_title) if p) or "Không",
        "signed_on": _parts(today), "doctor": referral.doctor_name,
        "authority": f"{head.title} {head.display_name}".strip() if head else "",
    }  # fmt: skip
    return {
        "paper": paper,
        "destination_code": referral.destination_code,
        "valid_until": referral.valid_until.isoformat() if referral.valid_until else "",
        "doctor_licence": referral.doctor_licence,
    }


def issue(referral_id: int, *, actor: Actor) -> Referral:
    """The facility signs: number, register number, the stored paper (TT 06/2026 Đ5 k2: instead of the stamp).

    Only an authorised signer issues; a second issue returns the first paper. Raises `NotAllowed`, `ProofNeeded`.
    """
    referral = queries.get_for_update(referral_id)
    if referral.state is ReferralState.ISSUED:
        return referral
    if referral.state is not ReferralState.SIGNED:
        raise InvalidState("Bác sĩ chưa ký phiếu này.")
    person = identity.get_user(actor.user_id or 0)
    if not person.is_authorised_signer:
        raise NotAllowed("Chỉ người được ủy quyền ký thay mặt cơ sở mới phát hành phiếu chuyển.")
    year = clock.today().year
    insured = bool(referral.snapshot["paper"]["is_insured"])
    suffix = "PCCSKBCB" if insured else "PCCSKBCB-DV"
    referral.number = rules.number_text(next_number(f"referral:{suffix}", str(year)), year, suffix)
    referral.register_number = str(next_number("referral:register", str(year)))
    referral.authority_name, referral.authority_licence = actor.name, actor.licence_number
    referral.issued_at, referral.state = clock.now(), ReferralState.ISSUED
    paper = {**referral.snapshot["paper"], "number": referral.number, "register_number": referral.register_number,
             "authority": actor.name}  # fmt: skip
    referral.snapshot = {**referral.snapshot, "paper": paper}
    documents.seal_content(referral.snapshot, subject_type="referral", subject_id=referral_id, actor=actor,
                           patient_id=referral.patient_id)  # fmt: skip
    visit = records_queries.get_visit(referral.visit_id)
    stored: Paper = documents.issue_paper(
        FORM if insured else FORM_UNINSURED, printing.paper_of(referral.snapshot), subject_type="referral",
        subject_id=referral_id, patient_id=referral.patient_id, visit_id=referral.visit_id, actor=actor,
        number=referral.number, masked_name=records.masked_name(visit.patient.full_name),
        valid_until=referral.valid_until,
    )  # fmt: skip
    referral.paper_id = stored.paper_id
    audit.record(
        actor, Action.ISSUE, subject_type="referral", subject_id=referral_id, patient_id=referral.patient_id,
        visit_id=referral.visit_id,
        details={"number": referral.number, "valid_until": str(referral.valid_until)},
    )  # fmt: skip
    return referral


def cancel(referral_id: int, reason: str, *, actor: Actor) -> Referral:
    """Cancel a referral: an issued paper stays readable as cancelled, its number is never given again (F-08)."""
    referral = queries.get_for_update(referral_id)
    if referral.state is not ReferralState.DRAFT and len(reason.strip()) < 5:
        raise InvalidState("Ghi lý do hủy phiếu, ít nhất 5 ký tự.")
    if referral.paper_id is not None:
        documents.cancel_paper(referral.paper_id, reason, actor=actor)
    referral.state, referral.cancel_reason = ReferralState.CANCELLED, reason or "bỏ bản nháp"
    audit.record(actor, Action.CANCEL, subject_type="referral", subject_id=referral_id, patient_id=referral.patient_id,
                 visit_id=referral.visit_id, reason=referral.cancel_reason, details={"number": referral.number})  # fmt: skip
    return referral


def is_note_closed(visit_id: int) -> bool:
    """Tell whether the examination of a visit is closed."""
    note = exam_queries.note_of(visit_id)
    return note is not None and note.state is NoteState.CLOSED
