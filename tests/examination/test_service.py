"""Use cases of an examination: measurements, note, diagnoses, conclusion, reopening, calling."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from his.audit.models import AuditEvent
from his.core import clock
from his.core.db import session, transaction
from his.core.errors import Finding, InvalidState, NotAllowed, RuleBroken
from his.documents.models import Signature
from his.examination import queries, service
from his.examination.enums import DiagnosisKind, NoteState
from his.examination.errors import DiagnosisRefused, NoteChanged, VitalsNotFound
from his.examination.models import ExamNote
from his.records import queries as records_queries
from his.records.enums import VisitState
from his.records.models import Visit
from his.registration.enums import TicketState
from his.registration.models import QueueTicket
from tests.factories.examination import conclude, diagnose, examined, make_visit, measure, write_note
from tests.factories.records import make_child


@pytest.fixture
def doctor(actor):
    return actor("doctor")


def events(action):
    return session().query(AuditEvent).filter_by(action=action).all()


def ticket_of(visit):
    return session().query(QueueTicket).filter_by(visit_id=visit.visit_id).one()


# --- measurements -------------------------------------------------------------------------------------------------


def test_measurements_are_recorded_and_the_visit_has_the_weight(doctor, actor):
    visit = make_visit()
    signs = measure(visit, actor("nurse"), pulse=118, systolic=95, diastolic=58)
    assert (signs.pulse, signs.temperature, signs.weight_kg) == (118, Decimal("38.4"), Decimal("14.2"))
    assert session().get(Visit, visit.visit_id).weight_kg == Decimal("14.2")
    assert events("examination.vitals.record")[0].details == {"signs": ["diastolic", "pulse", "systolic", "temperature", "weight_kg"]}


def test_no_number_at_all_is_refused(doctor):
    visit = make_visit()
    with pytest.raises(RuleBroken, match="Chưa nhập dấu hiệu sinh tồn nào"):
        measure(visit, doctor, temperature=None, weight_kg=None)


def test_an_impossible_number_is_refused_and_nothing_is_stored(doctor):
    visit = make_visit()
    with pytest.raises(RuleBroken, match="Nhiệt độ: 384"):
        measure(visit, doctor, temperature=Decimal(384))
    assert list(queries.vitals_of(visit.visit_id)) == []


def test_a_wrong_set_is_voided_and_the_weight_falls_back(doctor):
    visit = make_visit()
    measure(visit, doctor, weight_kg=Decimal("14.2"))
    wrong = measure(visit, doctor, weight_kg=Decimal("24.2"))
    with transaction():
        service.void_vitals(visit.visit_id, wrong.vitals_id, "", actor=doctor)
    assert wrong.void_reason == "nhập nhầm"
    assert session().get(Visit, visit.visit_id).weight_kg == Decimal("14.2")
    with pytest.raises(VitalsNotFound), transaction():
        service.void_vitals(visit.visit_id, wrong.vitals_id, "", actor=doctor)


# --- note ---------------------------------------------------------------------------------------------------------


def test_the_first_note_begins_the_examination(doctor):
    visit = make_visit()
    note = write_note(visit, doctor, history="Ho 4 ngày")
    assert (note.state, note.author_name) == (NoteState.DRAFT, doctor.name)
    fresh = session().get(Visit, visit.visit_id)
    assert (fresh.state, fresh.doctor_id, fresh.doctor_licence) == (VisitState.IN_EXAM, doctor.user_id, doctor.licence_number)
    assert events("examination.note.save")[0].details == {"fields": ["findings", "history"]}


def test_saving_unchanged_text_is_no_change(doctor):
    visit = make_visit()
    write_note(visit, doctor)
    write_note(visit, doctor)
    assert len(events("examination.note.save")) == 1


def test_two_doctors_are_both_heard(doctor, actor):
    visit = make_visit()
    other = actor("doctor")
    first = write_note(visit, doctor, findings="Phổi ran ngáy")
    opened_with = first.version
    write_note(visit, other, version=opened_with, findings="Phổi ran ẩm")
    with pytest.raises(NoteChanged) as refused:
        write_note(visit, doctor, version=opened_with, findings="Phổi không ran")
    error = refused.value
    assert error.stored["findings"] == "Phổi ran ẩm"
    assert error.by == other.name
    assert error.version != opened_with
    assert other.name in error.message
    # Having seen both, the doctor saves over the stored one.
    assert write_note(visit, doctor, version=error.version, findings="Phổi không ran").findings == "Phổi không ran"


def test_a_note_begun_by_another_meanwhile_is_not_overwritten(doctor, actor):
    visit = make_visit()
    write_note(visit, actor("doctor"), version=0, findings="Phổi ran ẩm")
    with pytest.raises(NoteChanged):
        write_note(visit, doctor, version=0, findings="Phổi không ran")


def test_the_same_text_from_both_is_no_conflict(doctor, actor):
    visit = make_visit()
    opened_with = write_note(visit, doctor, findings="Phổi ran").version
    write_note(visit, actor("doctor"), version=opened_with, findings="Phổi trong")
    assert write_note(visit, doctor, version=opened_with, findings="Phổi trong").findings == "Phổi trong"


# --- diagnoses ----------------------------------------------------------------------------------------------------


def step(visit, doctor, action, code):
    with transaction():
        return service.change_diagnoses(visit.visit_id, action, code, actor=doctor)


def codes(visit):
    return [(d.kind, d.icd_code) for d in queries.diagnoses_of(visit.visit_id)]


def test_the_first_code_leads_and_the_next_ones_accompany(doctor):
    visit = make_visit()
    step(visit, doctor, "add", "j20.9")
    step(visit, doctor, "add", "J45.0")
    step(visit, doctor, "add", "J45.0")
    assert codes(visit) == [(DiagnosisKind.MAIN, "J20.9"), (DiagnosisKind.OTHER, "J45.0")]


def test_an_accompanying_code_can_be_made_the_main_one(doctor):
    visit = make_visit()
    diagnose(visit, doctor, "J20.9", "J45.0")
    step(visit, doctor, "main", "J45.0")
    assert codes(visit) == [(DiagnosisKind.MAIN, "J45.0"), (DiagnosisKind.OTHER, "J20.9")]


def test_the_next_one_leads_when_the_main_one_is_removed(doctor):
    visit = make_visit()
    diagnose(visit, doctor, "J20.9", "J45.0")
    step(visit, doctor, "remove", "J20.9")
    assert codes(visit) == [(DiagnosisKind.MAIN, "J45.0")]
    step(visit, doctor, "remove", "J45.0")
    assert codes(visit) == []


@pytest.mark.parametrize(
    ("code", "words", "source"),
    [
        ("B95.1", "B95.1 không được làm bệnh chính. Chuyển B95.1 xuống bệnh kèm theo", "TT 06/2026/TT-BYT, cột 24"),
        ("J20", "J20 có mã chi tiết hơn nên không được dùng. Chọn mã con của J20.", "TT 06/2026/TT-BYT, cột 26"),
        ("R99", "R99 chỉ dùng ghi nguyên nhân tử vong. Chọn mã khác.", "TT 06/2026/TT-BYT, cột 27"),
        ("X99.9", "Không có mã ICD-10 «X99.9» trong danh mục. Gõ tên bệnh để chọn mã.", ""),
        ("", "Chưa chọn mã", ""),
    ],
)
def test_a_code_that_may_not_lead_is_refused_with_the_rule(doctor, code, words, source):
    visit = make_visit()
    with pytest.raises(DiagnosisRefused) as refused:
        step(visit, doctor, "add", code)
    (finding,) = refused.value.findings
    assert words in finding.message
    assert finding.source == source
    assert finding.field == "main_icd"
    assert codes(visit) == []


def test_a_code_barred_as_main_may_accompany(doctor):
    visit = make_visit()
    step(visit, doctor, "add", "J20.9")
    step(visit, doctor, "add", "B95.1")
    assert codes(visit)[1] == (DiagnosisKind.OTHER, "B95.1")
    with pytest.raises(DiagnosisRefused):
        step(visit, doctor, "main", "B95.1")
    assert codes(visit)[0] == (DiagnosisKind.MAIN, "J20.9")


def test_a_discouraged_code_is_taken_with_a_warning(doctor):
    visit = make_visit()
    _rows, warnings = step(visit, doctor, "add", "B90.9")
    assert [w.code for w in warnings] == ["discouraged_main"]
    assert codes(visit) == [(DiagnosisKind.MAIN, "B90.9")]


def test_each_change_of_diagnoses_is_audited_old_and_new(doctor):
    visit = make_visit()
    step(visit, doctor, "add", "J20.9")
    step(visit, doctor, "add", "J45.0")
    assert events("examination.diagnoses.set")[-1].details == {"before": ["J20.9"], "after": ["J20.9", "J45.0"]}


# --- conclusion ---------------------------------------------------------------------------------------------------


def test_a_conclusion_names_everything_that_is_missing(doctor):
    visit = make_visit()
    with pytest.raises(RuleBroken) as refused:
        conclude(visit, doctor, discharge_code="", result_code="")
    assert {f.code: f.field for f in refused.value.findings} == {
        "main_missing": "main_icd", "findings_missing": "findings", "weight_missing": "weight_kg",
        "result_missing": "result_code", "discharge_missing": "discharge_code",
    }


def test_an_adult_needs_no_weight(doctor):
    from tests.factories.records import make_patient

    visit = make_visit(make_patient())
    write_note(visit, doctor)
    diagnose(visit, doctor)
    assert conclude(visit, doctor).state is VisitState.CONCLUDED


def test_a_conclusion_closes_note_visit_and_ticket(doctor):
    visit = examined(doctor, follow_up_on=clock.today() + timedelta(days=3))
    ended = conclude(visit, doctor)
    assert (ended.state, ended.discharge_code, ended.result_code) == (VisitState.CONCLUDED, "1", "2")
    assert (ended.main_icd, ended.main_icd_name) == ("J20.9", "Viêm phế quản cấp, không phân loại")
    note = queries.note_of(visit.visit_id)
    assert note.state is NoteState.CLOSED
    assert note.closed_at is not None
    assert note.follow_up_number == f"{visit.code}-HK"
    assert ticket_of(visit).state is TicketState.DONE
    with pytest.raises(InvalidState, match="Mở lại lượt khám"):
        write_note(visit, doctor, findings="Sửa")


def test_a_follow_up_today_is_refused(doctor):
    visit = examined(doctor, follow_up_on=clock.today())
    with pytest.raises(RuleBroken, match="từ ngày mai trở đi"):
        conclude(visit, doctor)


def test_what_higher_modules_say_stops_the_conclusion(doctor):
    visit = examined(doctor)
    waiting = Finding("orders_open", "orders", "Còn 1 chỉ định chưa có kết quả. Chờ kết quả hoặc hủy chỉ định.")
    with pytest.raises(RuleBroken, match="Còn 1 chỉ định"):
        conclude(visit, doctor, findings=(waiting,))
    assert session().get(Visit, visit.visit_id).state is VisitState.IN_EXAM


def test_a_signed_conclusion_carries_the_doctor_s_signature(doctor):
    visit = examined(doctor)
    with transaction():
        service.conclude(visit.visit_id, service.ConcludeData("1", "2"), sign=True, actor=doctor)
    note = queries.note_of(visit.visit_id)
    signature = session().query(Signature).filter_by(subject_type="exam_note", subject_id=note.note_id).one()
    assert (signature.signer_id, signature.place) == (doctor.user_id, "examiner")
    assert signature.canonical["diagnoses"] == [["main", "J20.9", "Viêm phế quản cấp, không phân loại"]]


def test_signing_without_the_pin_is_refused_and_nothing_is_closed(actor):
    unproved = actor("doctor", proved=False)
    visit = examined(unproved)
    with pytest.raises(NotAllowed), transaction():
        service.conclude(visit.visit_id, service.ConcludeData("1", "2"), sign=True, actor=unproved)
    assert records_queries.get_visit(visit.visit_id).state is VisitState.IN_EXAM


def test_reopening_supersedes_the_closed_note(doctor):
    visit = examined(doctor)
    conclude(visit, doctor)
    with transaction():
        fresh = service.reopen(visit.visit_id, "Bổ sung chẩn đoán", actor=doctor)
    notes = session().query(ExamNote).filter_by(visit_id=visit.visit_id).order_by(ExamNote.note_id).all()
    assert [n.state for n in notes] == [NoteState.SUPERSEDED, NoteState.DRAFT]
    assert fresh.supersedes_id == notes[0].note_id
    assert fresh.change_reason == "Bổ sung chẩn đoán"
    assert fresh.findings == notes[0].findings
    assert notes[0].closed_at is not None, "the signed version stays as it was"
    assert records_queries.get_visit(visit.visit_id).state is VisitState.IN_EXAM
    assert events("examination.reopen")[0].reason == "Bổ sung chẩn đoán"
    # And it can be closed again.
    conclude(visit, doctor)
    assert queries.note_of(visit.visit_id).note_id == fresh.note_id


@pytest.mark.parametrize("reason", ["", "  x ", "abcd"])
def test_reopening_needs_a_reason(doctor, reason):
    visit = examined(doctor)
    conclude(visit, doctor)
    with pytest.raises(InvalidState, match="Ghi lý do mở lại"), transaction():
        service.reopen(visit.visit_id, reason, actor=doctor)


# --- calling ------------------------------------------------------------------------------------------------------


def call(doctor):
    with transaction():
        return service.call_next("214", actor=doctor)


def test_the_first_waiting_is_called_and_then_nobody_is_left(doctor):
    visit = make_visit()
    assert call(doctor).visit_id == visit.visit_id
    assert call(doctor) is None


def test_returned_results_come_before_the_line_but_after_emergencies(doctor):
    back = make_visit(make_child("Đỗ Quang Huy"))
    call(doctor)
    with transaction():
        service.begin(back.visit_id, actor=doctor)
        row = session().get(Visit, back.visit_id)
        row.tests_ordered_at = clock.now()
        row.tests_done_at = clock.now() + timedelta(minutes=20)
    make_visit(make_child("Lâm Hải Yến"))
    urgent = make_visit(make_child("Phan Gia Bảo"), is_emergency=True)
    assert call(doctor).visit_id == urgent.visit_id
    again = call(doctor)
    assert again.visit_id == back.visit_id
    assert again.call_count == 2


def test_who_waits_for_results_is_not_called(doctor):
    away = make_visit()
    call(doctor)
    with transaction():
        service.begin(away.visit_id, actor=doctor)
        session().get(Visit, away.visit_id).tests_ordered_at = clock.now()
    assert call(doctor) is None


def test_codes_used_before_come_first(doctor):
    child = make_child()
    old = examined(doctor, child)
    conclude(old, doctor)
    hits = queries.find_icd("J", child.patient_id) or queries.find_icd("J2", child.patient_id)
    named = queries.find_icd("viem phe quan", child.patient_id)
    assert named[0].code == "J20.9"
    assert named[0].times == 1
    assert [h.code for h in named if h.bar] == ["J20"], "a code with finer ones says so and comes last"
    assert named[-1].code == "J20"
    assert all(h.code != "J45.0" or h.times == 0 for h in hits)
