"""Use cases of an examination."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from his.audit import service as audit
from his.catalogues import queries as catalogues
from his.catalogues.models import IcdCode
from his.core import clock
from his.core.actor import Actor
from his.core.db import session
from his.core.errors import Finding, InvalidState, RuleBroken, Severity, stop_on_errors
from his.examination import queries, rules
from his.examination.enums import ACTION_DETAILS, Action, DiagnosisKind, NoteState
from his.examination.errors import DiagnosisRefused, NoteChanged, NoteClosed
from his.examination.models import Diagnosis, ExamNote, NoteDraft, VitalSigns
from his.records import queries as records_queries
from his.records import service as records
from his.records.enums import VisitState
from his.records.models import Visit
from his.registration import service as registration

audit.register_actions(Action, ACTION_DETAILS)

NOTE_FIELDS = ("history", "past_history", "findings", "conclusion", "advice")
DRAFT_LIMIT = 40_000
read_sign = rules.read_sign
SIGNS = rules.SIGNS
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
    """How a visit ends: MA_LOAI_RV and KET_QUA_DTRI of XML1; what blocks it is known by the caller."""

    discharge_code: str
    result_code: str
    open_orders: int = 0
    unsigned_prescription: bool = False
    destination_facility_code: str = ""
    ended_at: datetime | None = None


def _editable(visit_id: int) -> Visit:
    visit = records_queries.visit_for_update(visit_id)
    if visit.state not in (VisitState.OPEN, VisitState.IN_EXAM):
        raise InvalidState("Lượt khám đã kết thúc. Mở lại lượt khám trước khi sửa.")
    return visit


def record_vitals(visit_id: int, values: Mapping[str, Decimal | int | None], *, actor: Actor) -> VitalSigns:
    """Record one set of measurements. Raises `RuleBroken` with the field and the limits."""
    visit = _editable(visit_id)
    if not any(value is not None for value in values.values()):
        raise RuleBroken([Finding("vitals_empty", "pulse", "Chưa nhập dấu hiệu sinh tồn nào.")])
    stop_on_errors(rules.check_vitals(values))
    signs = VitalSigns(
        visit_id=visit_id, patient_id=visit.patient_id, recorded_by_id=actor.user_id,
        **{name: value for name, value in values.items() if value is not None},
    )  # fmt: skip
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
        raise InvalidState("Lần đo này đã được bỏ trước đó.")
    signs.voided_at, signs.void_reason = clock.now(), reason or "nhập nhầm"
    audit.record(actor, Action.VITALS_VOID, subject_type="vital_signs", subject_id=vitals_id,
                 patient_id=visit.patient_id, visit_id=visit_id, reason=reason)  # fmt: skip


def save_draft(visit_id: int, fields: Mapping[str, Any], counter: int, *, actor: Actor) -> datetime:
    """Keep what is being typed, as it is; an older packet arriving late changes nothing. Returns the saving time.

    Drafts are the author's own (REC-24) and are not part of the record: no audit entry.
    """
    if actor.user_id is None:
        raise InvalidState("Bản nháp cần người viết.")
    kept = {str(name)[:60]: str(value)[:DRAFT_LIMIT] for name, value in list(fields.items())[:60]}
    here = session()
    insert = sqlite_insert if here.get_bind().dialect.name == "sqlite" else postgres_insert
    now = clock.now()
    statement = insert(NoteDraft).values(
        visit_id=visit_id, author_id=actor.user_id, fields=kept, client_counter=counter, saved_at=now
    )
    here.execute(
        statement.on_conflict_do_update(
            index_elements=[NoteDraft.visit_id, NoteDraft.author_id],
            set_={"fields": kept, "client_counter": counter, "saved_at": now},
            where=NoteDraft.client_counter <= counter,
        )
    )
    return now


def save_note(visit_id: int, data: NoteData, version: int | None, *, actor: Actor) -> ExamNote:
    """Save the note of a visit; the draft of its author is cleared.

    ``version`` is the one the form was opened with (None for a new note). Raises `NoteChanged` (with what is stored
    now, so that nothing typed is lost), `NoteClosed`.
    """
    visit = _editable(visit_id)
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
                stored=stored,
                by=note.author_name,
            )
        for name, value in values.items():
            setattr(note, name, value)
        note.follow_up_on = data.follow_up_on
        if changed:
            note.author_id, note.author_name = actor.user_id, actor.name
    note.saved_at = clock.now()
    session().flush()  # the version counter moves
    if actor.user_id is not None:
        session().execute(delete(NoteDraft).where(NoteDraft.visit_id == visit_id, NoteDraft.author_id == actor.user_id))
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
    wanted = [code for code in [main, *others] if code]
    known = catalogues.icds(wanted, visit.service_on)
    unknown = [code for code in wanted if code not in known]
    if unknown:
        raise DiagnosisRefused(
            [
                Finding("icd_unknown", "main_icd" if code == main else "other_icd",
                        f"Không có mã ICD-10 «{code}» trong danh mục. Gõ tên bệnh để chọn mã.")
                for code in unknown
            ]  # fmt: skip
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
    here = session()
    before = [d.icd_code for d in queries.diagnoses_of(visit_id)]
    if before != wanted or (main is None) != (not before):
        here.execute(delete(Diagnosis).where(Diagnosis.visit_id == visit_id))
        for position, code in enumerate(wanted):
            here.add(
                Diagnosis(
                    visit_id=visit_id, kind=DiagnosisKind.MAIN if code == main else DiagnosisKind.OTHER,
                    icd_code=code, name=known[code].name_vi, position=position, recorded_by_id=actor.user_id,
                )  # fmt: skip
            )
        here.flush()  # read back below
        audit.record(actor, Action.DIAGNOSES, subject_type="visit", subject_id=visit_id, patient_id=visit.patient_id,
                     visit_id=visit_id, details={"before": before, "after": wanted})  # fmt: skip
    return list(queries.diagnoses_of(visit_id)), findings


def begin(visit_id: int, *, actor: Actor) -> Visit:
    """The doctor opens the visit: it is being examined from now on."""
    return records.mark_seen(visit_id, actor=actor)


def conclude(visit_id: int, data: ConcludeData, *, actor: Actor) -> Visit:
    """End the examination: the note is closed, the visit has its end, the ticket is done.

    Raises `RuleBroken` with everything that is missing.
    """
    visit = _editable(visit_id)
    note = queries.note_of(visit_id)
    diagnoses = queries.diagnoses_of(visit_id)
    months = (visit.service_on.year - visit.patient.birth_on.year) * 12 + visit.service_on.month - visit.patient.birth_on.month
    findings = rules.check_conclusion(
        rules.ConclusionFacts(
            has_main=bool(diagnoses),
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
    stop_on_errors(findings)
    if note is None:
        raise InvalidState("Chưa có phần khám.")
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
