"""Use cases of an examination."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from his.audit import service as audit
from his.catalogues import queries as catalogues
from his.catalogues.models import IcdCode
from his.core import clock
from his.core.actor import Actor
from his.core.db import session
from his.core.errors import Finding, InvalidState, RuleBroken, Severity, stop_on_errors
from his.core.i18n import date_text
from his.documents import service as documents
from his.documents.models import Paper
from his.examination import printing, queries, rules
from his.examination.enums import ACTION_DETAILS, Action, DiagnosisKind, NoteState
from his.examination.errors import DiagnosisRefused, DraftElsewhere, NoteChanged, NoteClosed, VitalsNotFound
from his.examination.models import DRAFT_CLOSED, Diagnosis, ExamNote, NoteDraft, VitalSigns
from his.records import queries as records_queries
from his.records import service as records
from his.records.enums import VisitState
from his.records.models import Visit
from his.registration import queries as registration_queries
from his.registration import service as registration
from his.registration.models import QueueTicket

audit.register_actions(Action, ACTION_DETAILS)

NOTE_FIELDS = ("history", "past_history", "findings", "conclusion", "advice")
DRAFT_LIMIT = 40_000
SIGN_PLACE = "examiner"
# Pure rules the screens need.
read_sign = rules.read_sign
range_of = rules.range_of
limits_of = rules.limits_of
SIGNS = rules.SIGNS
Stage = rules.Stage
weight_chart = rules.weight_chart
note_templates = rules.note_templates
check_conclusion = rules.check_conclusion
ConclusionFacts = rules.ConclusionFacts


@dataclass(frozen=True, slots=True)
class NoteData:
    """The sections of a note as typed."""

    history: str = ""
    past_history: str = ""
    findings: str = ""
    conclusion: str = ""
    advice: str = ""
    follow_up_on: date | None = None


@dataclass(frozen=True, slots=True)
class ConcludeData:
    """How a visit ends: MA_LOAI_RV and KET_QUA_DTRI of XML1; what blocks it is known by the caller.

    ``findings`` are what higher modules say (open orders, unsigned prescription): their errors stop the conclusion.
    """

    discharge_code: str
    result_code: str
    open_orders: int = 0
    unsigned_prescription: bool = False
    destination_facility_code: str = ""
    ended_at: datetime | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class DraftSaved:
    """When a draft was stored, and the token of that state. ``is_stored`` is False for a packet that came too late."""

    saved_at: datetime
    token: str
    is_stored: bool


def _editable(visit_id: int) -> Visit:
    visit = records_queries.visit_for_update(visit_id)
    if visit.state not in (VisitState.OPEN, VisitState.IN_EXAM):
        raise InvalidState("Lượt khám đã kết thúc. Mở lại lượt khám trước khi sửa.")
    return visit


def _examined(visit: Visit, actor: Actor) -> None:
    """The first thing a doctor writes begins the examination, however the page was opened."""
    if visit.state is VisitState.OPEN and actor.may("examination:note:write"):
        records.mark_seen(visit.visit_id, actor=actor)


def record_vitals(visit_id: int, values: Mapping[str, Decimal | int | None], *, actor: Actor) -> VitalSigns:
    """Record one set of measurements. Raises `RuleBroken` with the field and the limits."""
    visit = _editable(visit_id)
    if not any(value is not None for value in values.values()):
        raise RuleBroken([Finding("vitals_empty", "pulse", "Chưa nhập dấu hiệu sinh tồn nào.")])
    stop_on_errors(rules.check_vitals(values, (visit.service_on - visit.patient.birth_on).days))
    measured = {
        name: int(value) if SIGNS[name][3] == 0 else Decimal(value) for name, value in values.items() if value is not None
    }
    signs = VitalSigns(visit_id=visit_id, patient_id=visit.patient_id, recorded_by_id=actor.user_id, **measured)
    session().add(signs)
    session().flush()  # the audit entry names the row
    if values.get("weight_kg") is not None:
        visit.weight_kg = Decimal(str(values["weight_kg"]))
    audit.record(
        actor, Action.VITALS, subject_type="vital_signs", subject_id=signs.vitals_id, patient_id=visit.patient_id,
        visit_id=visit_id, details={"signs": sorted(name for name, value in values.items() if value is not None)},
    )  # fmt: skip
    return signs


def void_vitals(visit_id: int, vitals_id: int, reason: str, *, actor: Actor) -> None:
    """Take back a wrong set of measurements; it stays readable in the record."""
    visit = _editable(visit_id)
    signs = next((v for v in queries.vitals_of(visit_id) if v.vitals_id == vitals_id), None)
    if signs is None:
        raise VitalsNotFound("Không thấy lần đo này, có thể đã được bỏ trước đó.")
    signs.voided_at, signs.void_reason = clock.now(), reason or "nhập nhầm"
    session().flush()  # the weight of the visit comes from what is left
    left = next((v.weight_kg for v in queries.vitals_of(visit_id) if v.weight_kg is not None), None)
    if signs.weight_kg is not None and visit.weight_kg == signs.weight_kg:
        visit.weight_kg = left
    audit.record(actor, Action.VITALS_VOID, subject_type="vital_signs", subject_id=vitals_id,
                 patient_id=visit.patient_id, visit_id=visit_id, reason=reason)  # fmt: skip


def save_draft(
    visit_id: int, fields: Mapping[str, Any], counter: int, *, page: str = "", base: str = "", actor: Actor
) -> DraftSaved:
    """Keep what is being typed, as it is.

    ``page`` names the open page, ``counter`` numbers its packets (1, 2, …), ``base`` is the token of the draft the
    page started from. An older packet of the same page changes nothing. Raises `DraftElsewhere` when another page of
    the same person wrote meanwhile: nothing is overwritten unseen.

    Drafts are the author's own (REC-24) and are not part of the record: no audit entry.
    """
    if actor.user_id is None:
        raise InvalidState("Bản nháp cần người viết.")
    kept = {str(name)[:60]: str(value)[:DRAFT_LIMIT] for name, value in list(fields.items())[:60]}
    page, counter = page[:40], max(0, min(int(counter), DRAFT_CLOSED - 1))
    here = session()
    now = clock.now()
    mine = (NoteDraft.visit_id == visit_id, NoteDraft.author_id == actor.user_id)
    values = {"fields": kept, "page_key": page, "client_counter": counter, "saved_at": now}
    insert = sqlite_insert if here.get_bind().dialect.name == "sqlite" else postgres_insert
    fresh = here.execute(
        insert(NoteDraft)
        .values(visit_id=visit_id, author_id=actor.user_id, **values)
        .on_conflict_do_nothing(index_elements=[NoteDraft.visit_id, NoteDraft.author_id])
        .returning(NoteDraft.draft_id)
    ).scalar_one_or_none()
    if fresh is not None:
        return DraftSaved(now, f"{page}:{counter}", is_stored=True)
    base_page, _colon, base_counter = base.rpartition(":")
    base_number = int(base_counter) if base_counter.isascii() and base_counter.isdigit() else -1
    taken_over = and_(
        NoteDraft.page_key != page,
        or_(
            NoteDraft.client_counter == DRAFT_CLOSED,
            and_(NoteDraft.page_key == base_page, NoteDraft.client_counter == min(base_number, DRAFT_CLOSED)),
        ),
    )
    changed = here.execute(
        update(NoteDraft)
        .where(*mine, or_(and_(NoteDraft.page_key == page, NoteDraft.client_counter < counter), taken_over))
        .values(**values)
        .returning(NoteDraft.draft_id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if changed is not None:
        return DraftSaved(now, f"{page}:{counter}", is_stored=True)
    stored = here.execute(select(NoteDraft).where(*mine).execution_options(populate_existing=True)).scalar_one()
    if stored.page_key == page:
        return DraftSaved(stored.saved_at, stored.token, is_stored=False)
    raise DraftElsewhere(
        f"Một trang khác của bạn đã lưu nháp lượt này lúc {clock.local(stored.saved_at):%H:%M:%S}. Chọn bản cần giữ.",
        stored=stored.fields, saved_at=stored.saved_at, token=stored.token,
    )  # fmt: skip


def _close_draft(visit_id: int, page: str, actor: Actor) -> None:
    """What was typed became a note: packets of that page still on their way change nothing any more."""
    if actor.user_id is None:
        return
    here = session()
    insert = sqlite_insert if here.get_bind().dialect.name == "sqlite" else postgres_insert
    values = {"fields": {}, "page_key": page[:40], "client_counter": DRAFT_CLOSED, "saved_at": clock.now()}
    here.execute(
        insert(NoteDraft)
        .values(visit_id=visit_id, author_id=actor.user_id, **values)
        .on_conflict_do_update(index_elements=[NoteDraft.visit_id, NoteDraft.author_id], set_=values)
    )


def discard_draft(visit_id: int, *, page: str = "", actor: Actor) -> None:
    """The author throws the own draft away; the saved note stays as it is."""
    _close_draft(visit_id, page, actor)


def save_note(visit_id: int, data: NoteData, version: int | None, *, page: str = "", actor: Actor) -> ExamNote:
    """Save the note of a visit; the draft of its author (written by ``page``) is cleared.

    ``version`` is the one the form was opened with: 0 when there was no note yet, None to save whatever is stored.
    Raises `NoteChanged` (with what is stored now, so that nothing typed is lost), `NoteClosed`.
    """
    visit = _editable(visit_id)
    _examined(visit, actor)
    note = queries.note_of(visit_id)
    values = {name: getattr(data, name).strip() for name in NOTE_FIELDS}
    if note is None:
        note = ExamNote(visit_id=visit_id, author_id=actor.user_id, author_name=actor.name, **values)
        note.follow_up_on = data.follow_up_on
        session().add(note)
        changed = sorted(name for name, value in values.items() if value)
    else:
        if note.state is NoteState.CLOSED:
            raise NoteClosed("Phần khám đã khóa. Mở lại lượt khám để sửa.")
        stored = {name: getattr(note, name) for name in NOTE_FIELDS}
        changed = sorted(name for name in NOTE_FIELDS if stored[name] != values[name])
        if note.follow_up_on != data.follow_up_on:
            changed.append("follow_up_on")
        if changed and version is not None and note.version != version:
            raise NoteChanged(
                f"{note.author_name} vừa lưu phần khám này lúc {clock.local(note.saved_at):%H:%M}. Xem hai bản rồi chọn.",
                stored={**stored, "follow_up_on": date_text(note.follow_up_on)},
                by=note.author_name,
                version=note.version,
                saved_at=note.saved_at,
            )
        for name, value in values.items():
            setattr(note, name, value)
        note.follow_up_on = data.follow_up_on
        if changed:
            note.author_id, note.author_name = actor.user_id, actor.name
    note.saved_at = clock.now()
    session().flush()  # the version counter moves
    _close_draft(visit_id, page, actor)
    if changed:
        audit.record(actor, Action.NOTE_SAVE, subject_type="exam_note", subject_id=note.note_id,
                     patient_id=visit.patient_id, visit_id=visit_id, details={"fields": changed})  # fmt: skip
    return note


def icd_facts(row: IcdCode) -> rules.IcdFacts:
    """Return a catalogue row as the rules want it."""
    return rules.IcdFacts(
        row.code, row.name_vi, row.mark, row.is_never_main, row.is_discouraged_main, row.is_never_used,
        row.is_finer_code_doubtful, row.is_death_only, row.sex_only, row.age_min_days, row.age_max_days,
    )  # fmt: skip


def set_diagnoses(
    visit_id: int, main: str | None, others: Sequence[str], *, actor: Actor
) -> tuple[list[Diagnosis], tuple[Finding, ...]]:
    """Set the diagnoses of a visit (main first). Returns them with the warnings.

    Raises `DiagnosisRefused` naming the rule (unknown code, not allowed as main, finer code exists …).
    """
    visit = _editable(visit_id)
    others = [code for code in others if code]
    wanted = [code for code in [main, *others] if code]
    known = catalogues.icds(wanted, visit.service_on)
    unknown = [code for code in wanted if code not in known]
    if unknown:
        raise DiagnosisRefused(
            [
                Finding("icd_unknown", "main_icd" if code == main else "other_icd",
                        f"Không có mã ICD-10 «{code}» trong danh mục. Gõ tên bệnh để chọn mã.")
                for code in unknown
            ]
        )
    age_days = (visit.service_on - visit.patient.birth_on).days
    findings = rules.check_diagnoses(
        icd_facts(known[main]) if main else None,
        [icd_facts(known[code]) for code in others],
        sex=visit.patient.sex.value,
        age_days=age_days,
    )
    errors = [f for f in findings if f.severity is Severity.ERROR]
    if errors:
        raise DiagnosisRefused(errors)
    _examined(visit, actor)
    here = session()
    before = [d.icd_code for d in queries.diagnoses_of(visit_id)]
    if before != wanted or (main is None) != (not before):
        here.execute(delete(Diagnosis).where(Diagnosis.visit_id == visit_id))
        for position, code in enumerate(wanted):
            here.add(
                Diagnosis(
                    visit_id=visit_id, kind=DiagnosisKind.MAIN if code == main else DiagnosisKind.OTHER,
                    icd_code=code, name=known[code].name_vi, position=position, recorded_by_id=actor.user_id,
                )
            )
        here.flush()  # read back below
        audit.record(actor, Action.DIAGNOSES, subject_type="visit", subject_id=visit_id, patient_id=visit.patient_id,
                     visit_id=visit_id, details={"before": before, "after": wanted})  # fmt: skip
    return list(queries.diagnoses_of(visit_id)), findings


def change_diagnoses(
    visit_id: int, step: str, code: str, *, actor: Actor
) -> tuple[list[Diagnosis], tuple[Finding, ...]]:
    """Take one step on the list: ``add`` (main when there is none yet), ``main`` (becomes the main one), ``remove``.

    Raises what `set_diagnoses` raises, `InvalidState` for an unknown step.
    """
    code = code.strip().upper()
    now = queries.diagnoses_of(visit_id)
    main = next((d.icd_code for d in now if d.kind is DiagnosisKind.MAIN), None)
    others = [d.icd_code for d in now if d.kind is DiagnosisKind.OTHER]
    if step == "remove":
        if code == main:
            # The next one may not be fit to lead: the doctor chooses, unless it is the only one left.
            main, others = (others[0], others[1:]) if others else (None, [])
        else:
            others = [c for c in others if c != code]
    elif step == "main":
        others = [c for c in ([main] if main and main != code else []) + others if c != code]
        main = code
    elif step == "add":
        if not code:
            raise DiagnosisRefused([Finding("icd_missing", "main_icd", "Chưa chọn mã. Gõ mã hoặc tên bệnh rồi chọn một dòng.")])
        if main is None:
            main = code
        elif code != main and code not in others:
            others.append(code)
    else:
        raise InvalidState("Không rõ việc cần làm với chẩn đoán. Tải lại trang.")
    return set_diagnoses(visit_id, main, others, actor=actor)


def begin(visit_id: int, *, actor: Actor) -> Visit:
    """The doctor opens the visit: it is being examined from now on."""
    return records.mark_seen(visit_id, actor=actor)


def call_next(room_code: str, *, actor: Actor) -> QueueTicket | None:
    """Call the next patient of a room: emergencies, then who came back with results, then by priority and number.

    Two callers never call the same one. None when nobody waits.
    """
    day = clock.today()
    first = next(iter(registration_queries.waiting_tickets(room_code, day)), None)
    if first is None or first.priority < rules.EMERGENCY:
        back = queries.results_back(room_code, day)
        if back is not None:
            return registration.call(back.ticket_id, actor=actor)
    return registration.call_next(room_code, actor=actor)


def canonical_note(note: ExamNote, diagnoses: Sequence[Diagnosis], data: ConcludeData, visit: Visit) -> dict[str, Any]:
    """Return the content a doctor signs when ending an examination, as plain values."""
    return {
        "visit": visit.code, "patient_id": visit.patient_id, "note_id": note.note_id,
        **{name: getattr(note, name) for name in NOTE_FIELDS},
        "diagnoses": [[d.kind.value, d.icd_code, d.name] for d in diagnoses],
        "discharge_code": data.discharge_code, "result_code": data.result_code,
        "follow_up_on": note.follow_up_on.isoformat() if note.follow_up_on else "",
    }  # fmt: skip


def conclude(visit_id: int, data: ConcludeData, *, sign: bool = False, actor: Actor) -> Visit:
    """End the examination: the note is closed, the visit has its end, the ticket is done.

    ``sign`` puts the doctor's signature under the note (PIN, TT 13/2025/TT-BYT Đ3); a referral brings its own.
    Raises `RuleBroken` with everything that is missing, `NotAllowed` when the PIN was not given.
    """
    visit = _editable(visit_id)
    note = queries.note_of(visit_id)
    diagnoses = queries.diagnoses_of(visit_id)
    months = (visit.service_on.year - visit.patient.birth_on.year) * 12 + visit.service_on.month - visit.patient.birth_on.month
    findings = rules.check_conclusion(
        rules.ConclusionFacts(
            has_main=any(d.kind is DiagnosisKind.MAIN for d in diagnoses),
            has_findings=bool(note and note.findings.strip()),
            needs_weight=months < 72,
            has_weight=visit.weight_kg is not None,
            open_orders=data.open_orders,
            unsigned_prescription=data.unsigned_prescription,
            discharge_code=data.discharge_code,
            result_code=data.result_code,
            follow_up_on=note.follow_up_on if note else None,
            today=clock.today(),
        )
    )
    stop_on_errors([*findings, *data.findings])
    if note is None:
        raise InvalidState("Chưa có phần khám.")
    if sign:
        documents.sign_content(
            canonical_note(note, diagnoses, data, visit), place=SIGN_PLACE, subject_type="exam_note",
            subject_id=note.note_id, patient_id=visit.patient_id, visit_id=visit_id, actor=actor,
        )  # fmt: skip
    note.state = NoteState.CLOSED
    note.closed_at = clock.now()
    if note.follow_up_on is not None and not note.follow_up_number:
        note.follow_up_number = f"{visit.code}-HK"
    records.conclude_visit(
        visit_id, actor=actor, discharge_code=data.discharge_code, result_code=data.result_code,
        main_icd=diagnoses[0].icd_code, main_icd_name=diagnoses[0].name, ended_at=data.ended_at,
        destination_facility_code=data.destination_facility_code,
    )  # fmt: skip
    registration.finish_visit_ticket(visit_id, actor=actor)
    audit.record(
        actor, Action.CONCLUDE, subject_type="exam_note", subject_id=note.note_id, patient_id=visit.patient_id,
        visit_id=visit_id, details={"discharge_code": data.discharge_code, "result_code": data.result_code},
    )  # fmt: skip
    return visit


def reopen(visit_id: int, reason: str, *, actor: Actor) -> ExamNote:
    """Open a concluded visit again: a new version of the note follows the closed one, which stays readable."""
    visit = records.reopen_visit(visit_id, reason, actor=actor)
    old = session().execute(
        select(ExamNote).where(ExamNote.visit_id == visit_id, ExamNote.state == NoteState.CLOSED).with_for_update()
    ).scalar_one_or_none()
    if old is None:
        raise InvalidState("Lượt khám chưa có phần khám đã khóa.")
    old.state = NoteState.SUPERSEDED
    session().flush()  # only one note in force per visit
    fresh = ExamNote(
        visit_id=visit_id, author_id=actor.user_id, author_name=actor.name, supersedes_id=old.note_id,
        change_reason=reason, follow_up_on=old.follow_up_on, follow_up_number=old.follow_up_number,
        **{name: getattr(old, name) for name in NOTE_FIELDS},
    )  # fmt: skip
    session().add(fresh)
    session().flush()  # the audit entry names the row
    audit.record(actor, Action.REOPEN, subject_type="exam_note", subject_id=fresh.note_id, patient_id=visit.patient_id,
                 visit_id=visit_id, reason=reason)  # fmt: skip
    return fresh


def _closed(visit_id: int) -> tuple[Visit, ExamNote, Sequence[Diagnosis]]:
    visit = records_queries.get_visit(visit_id)
    note = queries.note_of(visit_id)
    if note is None or note.state is not NoteState.CLOSED:
        raise InvalidState("Lượt khám chưa kết thúc. Ký và kết thúc lượt khám trước khi in.")
    return visit, note, queries.diagnoses_of(visit_id)


def _paper(form_code: str, context: Any, visit: Visit, note: ExamNote, number: str, actor: Actor) -> Paper:
    previous = documents.paper_for(form_code, "exam_note", note.supersedes_id) if note.supersedes_id else None
    return documents.issue_paper(
        form_code, context, subject_type="exam_note", subject_id=note.note_id, patient_id=visit.patient_id,
        visit_id=visit.visit_id, actor=actor, number=number, masked_name=records.masked_name(visit.patient.full_name),
        replaces=previous, replace_reason=note.change_reason if previous is not None else "",
    )  # fmt: skip


def issue_appointment(visit_id: int, *, actor: Actor) -> Paper:
    """Return the re-examination slip of an ended visit; a reprint gives the same bytes.

    Source: TT 01/2025/TT-BYT Đ11, Phụ lục V. Raises `InvalidState` before the end or without a follow-up day.
    """
    visit, note, diagnoses = _closed(visit_id)
    if note.follow_up_on is None:
        raise InvalidState("Lượt khám không có ngày hẹn khám lại.")
    issued = documents.paper_for(printing.APPOINTMENT, "exam_note", note.note_id)
    if issued is not None:
        return issued
    return _paper(
        printing.APPOINTMENT, printing.appointment(visit, note, diagnoses), visit, note, note.follow_up_number, actor
    )


def issue_record(visit_id: int, *, results: str = "", treatment: str = "", actor: Actor) -> Paper:
    """Return the outpatient record (15/BV1) of an ended visit; a reprint gives the same bytes.

    ``results`` and ``treatment`` are what higher modules know, in words. Source: TT 32/2023/TT-BYT Phụ lục XXVIII.
    """
    visit, note, diagnoses = _closed(visit_id)
    issued = documents.paper_for(printing.OUTPATIENT_RECORD, "exam_note", note.note_id)
    if issued is not None:
        return issued
    patient = visit.patient
    named = {
        "department": ("department", visit.department_code), "ethnicity": ("ethnicity", patient.ethnicity_code),
        "nationality": ("nationality", patient.nationality_code), "occupation": ("occupation", patient.occupation_code),
        "condition": ("ket_qua_dtri", visit.result_code),
    }  # fmt: skip
    names = catalogues.names(named.values(), visit.service_on)
    context = printing.outpatient_record(
        visit, note, diagnoses, next(iter(queries.vitals_of(visit_id)), None), results=results, treatment=treatment,
        **{key: names.get(pair, "") for key, pair in named.items()},
    )  # fmt: skip
    return _paper(printing.OUTPATIENT_RECORD, context, visit, note, visit.code, actor)
