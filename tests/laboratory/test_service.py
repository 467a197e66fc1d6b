"""The laboratory: specimen, entry, release by another person, correction, papers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from his.audit.models import AuditEvent
from his.core import clock
from his.core.db import session, transaction
from his.core.errors import Conflict, InvalidState, NotAllowed, NotFound, RuleBroken
from his.documents.enums import PaperState
from his.laboratory import queries, service
from his.laboratory.enums import Flag, ResultState, Step
from his.laboratory.models import LabResult
from his.orders import service as orders
from his.orders.enums import OrderState
from his.records import queries as records_queries
from tests.factories import laboratory as make
from tests.factories.examination import make_visit
from tests.factories.orders import BLOOD, CHEST, make_services, place


@pytest.fixture
def line(actor):
    return make.ordered(make_visit(), actor("doctor"))


@pytest.fixture
def tech(actor):
    return actor("lab_tech")


def reload(result: LabResult) -> LabResult:
    session().expire_all()
    return queries.result_by_id(result.result_id)


def last_event(action: str) -> AuditEvent:
    return (
        session()
        .execute(select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.event_id.desc()).limit(1))
        .scalar_one()
    )


def test_one_specimen_starts_all_tests_of_the_order(actor, tech) -> None:
    make_services()
    from tests.factories.catalogues import make_service

    make_service("23.0228.1483", "Định lượng CRP")
    order = place(make_visit(), actor("doctor"), BLOOD, "23.0228.1483", CHEST)
    with transaction():
        assert service.take_specimen(order.lines[0].line_id, actor=tech) == 2
    assert [line.state for line in order.lines] == [OrderState.STARTED, OrderState.STARTED, OrderState.ORDERED]
    assert order.lines[0].performer_licence == tech.licence_number
    with transaction():
        assert service.take_specimen(order.lines[0].line_id, actor=tech) == 0


def test_values_are_kept_with_range_and_flag_of_the_day(line, tech) -> None:
    result = make.enter(line, tech, {"WBC": "14,8", "HGB": "118", "MAL": "Âm tính"})
    assert [(v.index_code, v.value, v.range_text, v.flag) for v in result.values] == [
        ("WBC", "14.8", "5–13", Flag.HIGH), ("HGB", "118", "120–150", Flag.LOW), ("MAL", "Âm tính", "", Flag.NORMAL),
    ]  # fmt: skip
    assert (result.state, result.entered_by_id, line.state) == (ResultState.ENTERED, tech.user_id, OrderState.STARTED)
    assert last_event("laboratory.result.enter").details["flags"] == ["WBC", "HGB"]


def test_every_wrong_value_is_named_and_nothing_is_kept(line, tech) -> None:
    with pytest.raises(RuleBroken) as caught:
        make.enter(line, tech, {"WBC": "mười", "HGB": "-5"})
    assert [f.field for f in caught.value.findings] == ["v-WBC", "v-HGB"]
    assert queries.result_of_line(line.line_id) is None


def test_an_empty_result_is_refused_but_a_remark_alone_will_do(line, tech) -> None:
    with pytest.raises(RuleBroken, match="Chưa nhập"):
        make.enter(line, tech, {"WBC": "  "})
    assert make.enter(line, tech, {"WBC": ""}, conclusion="Mẫu tán huyết, lấy lại.").conclusion


def test_a_critical_value_is_saved_only_with_its_report(line, tech) -> None:
    with pytest.raises(RuleBroken) as caught:
        make.enter(line, tech, {"HGB": "64"})
    assert caught.value.findings[0].field == "critical_note"
    result = make.enter(line, tech, {"HGB": "64"}, critical_note=make.NOTE)
    assert (result.values[0].flag, result.critical_note) == (Flag.CRITICAL_LOW, make.NOTE)
    assert last_event("laboratory.result.enter").details["critical_note"] == make.NOTE


def test_a_report_is_dropped_when_the_value_turns_out_normal(line, tech) -> None:
    make.enter(line, tech, {"HGB": "64"}, critical_note=make.NOTE)
    assert make.enter(line, tech, {"HGB": "130"}, critical_note=make.NOTE).critical_note == ""


def test_changes_before_release_are_on_the_log_old_and_new(line, tech, actor) -> None:
    make.enter(line, tech, {"WBC": "14,8", "HGB": "118"})
    other = actor("lab_tech")
    result = make.enter(line, other, {"WBC": "12,8"})
    assert {v.index_code: v.value for v in reload(result).values} == {"WBC": "12.8"}
    assert last_event("laboratory.result.enter").details["changes"] == {"WBC": ["14.8", "12.8"], "HGB": ["118", ""]}
    assert (result.entered_by_id, result.entered_by_licence) == (other.user_id, other.licence_number)


def test_a_stale_screen_does_not_overwrite(line, tech, actor) -> None:
    first = make.enter(line, tech)
    with pytest.raises(Conflict, match="vừa lưu"):
        make.enter(line, actor("lab_tech"), seen=0)
    make.enter(line, tech, {"WBC": "10"}, seen=first.version)


def test_who_entered_does_not_release(line, tech) -> None:
    result = make.enter(line, tech)
    with pytest.raises(NotAllowed, match="không tự trả"):
        make.release(result, tech)
    assert reload(result).state is ResultState.ENTERED


@pytest.mark.parametrize("role", ["lab_tech", "doctor", "head"])
def test_another_person_releases_and_the_order_is_done(line, tech, actor, role: str) -> None:
    result = make.enter(line, tech)
    other = actor(role)
    released = make.release(result, other)
    assert (released.state, released.released_by_id, released.released_at is not None) == (
        ResultState.RELEASED,
        other.user_id,
        True,
    )
    session().refresh(line)
    assert (line.state, line.resulted_at is not None, line.performer_licence) == (
        OrderState.RESULTED,
        True,
        tech.licence_number,
    )
    assert records_queries.get_visit(result.visit_id).tests_done_at is not None


@pytest.mark.parametrize("role", ["nurse", "clerk", "pharmacist"])
def test_other_roles_do_not_release(line, tech, actor, role: str) -> None:
    with pytest.raises(NotAllowed):
        make.release(make.enter(line, tech), actor(role))


def test_a_result_changed_since_it_was_read_is_not_released(line, tech, actor) -> None:
    result = make.enter(line, tech)
    seen = result.version
    make.enter(line, tech, {"WBC": "9"})
    with pytest.raises(Conflict), transaction():
        service.release(result.result_id, seen=seen, actor=actor("lab_tech"))


def test_a_released_result_is_neither_changed_nor_released_again(line, tech, actor) -> None:
    result = make.release(make.enter(line, tech), actor("lab_tech"))
    with pytest.raises(InvalidState, match="thay thế"):
        make.enter(line, tech, {"WBC": "9"})
    with pytest.raises(InvalidState):
        make.release(result, actor("lab_tech"))


def test_an_unknown_result_is_not_found(actor) -> None:
    with pytest.raises(NotFound), transaction():
        service.release(424242, actor=actor("lab_tech"))


def test_a_correction_is_a_new_version_and_the_old_one_stays(line, tech, actor) -> None:
    other = actor("lab_tech")
    old = make.release(make.enter(line, tech), other)
    with transaction():
        fresh = service.correct(old.result_id, "nhầm mẫu bệnh nhân khác", actor=tech)
    assert (fresh.supersedes_id, fresh.state, len(fresh.values)) == (old.result_id, ResultState.ENTERED, 2)
    assert reload(old).state is ResultState.SUPERSEDED
    assert [v.value for v in old.values] == ["14.8", "118"]
    session().refresh(line)
    assert line.state is OrderState.STARTED
    make.enter(line, tech, {"WBC": "9"})
    make.release(fresh, other)
    assert [v.value for v in queries.released_of_visits([old.visit_id])[old.visit_id][0].values] == ["9"]
    assert [r.result_id for r in queries.versions_of(line.line_id)] == [old.result_id]


@pytest.mark.parametrize("reason", ["", "sai "])
def test_a_correction_needs_a_reason(line, tech, actor, reason: str) -> None:
    result = make.release(make.enter(line, tech), actor("lab_tech"))
    with pytest.raises(InvalidState, match="lý do"), transaction():
        service.correct(result.result_id, reason, actor=tech)


def test_only_a_released_result_is_corrected(line, tech) -> None:
    result = make.enter(line, tech)
    with pytest.raises(InvalidState), transaction():
        service.correct(result.result_id, "nhầm mẫu", actor=tech)


def test_a_cancelled_order_takes_no_result(line, tech, actor) -> None:
    with transaction():
        orders.cancel_line(line.line_id, "không cần", actor=actor("doctor"))
    with pytest.raises(InvalidState, match="đã hủy"):
        make.enter(line, tech)
    with pytest.raises(InvalidState, match="đã hủy"), transaction():
        service.take_specimen(line.line_id, actor=tech)


def test_a_radiograph_is_no_laboratory_work(actor, tech) -> None:
    order = place(make_visit(), actor("doctor"), CHEST)
    with pytest.raises(InvalidState, match="không phải xét nghiệm"):
        make.enter(order.lines[0], tech)


def test_the_list_walks_with_the_work_urgent_first(actor, tech) -> None:
    doctor, day = actor("doctor"), clock.today()
    first = make.ordered(make_visit(), doctor)
    urgent = make.ordered(make_visit(), doctor, is_urgent=True)
    assert [row.line_id for row in queries.worklist(day, Step.WAITING)] == [urgent.line_id, first.line_id]
    mark = queries.counts(day)[1]
    with transaction():
        service.take_specimen(first.line_id, actor=tech)
    counts, changed = queries.counts(day)
    assert (counts[Step.WAITING], counts[Step.TAKEN], changed != mark) == (1, 1, True)
    result = make.enter(first, tech, {"HGB": "64"}, critical_note=make.NOTE)
    [row] = queries.worklist(day, Step.ENTERED)
    assert (row.line_id, row.has_critical, row.entered_by_id) == (first.line_id, True, tech.user_id)
    make.release(result, actor("lab_tech"))
    assert [row.line_id for row in queries.worklist(day, Step.RELEASED)] == [first.line_id]


def test_the_list_is_narrowed_by_order_patient_and_name(actor, tech) -> None:
    line = make.ordered(make_visit(), actor("doctor"))
    day, order = clock.today(), line.order
    patient = records_queries.get_visit(order.visit_id).patient
    for text in (order.code, order.code.lower(), patient.code, "bao an", "Ngoc Nguyen"):
        assert [row.line_id for row in queries.worklist(day, text=text)] == [line.line_id], text
    assert queries.worklist(day, text="khong co") == []


def test_the_doctors_panel_shows_released_values_and_what_is_awaited(line, tech, actor) -> None:
    visit_id = line.order.visit_id
    [waiting] = queries.panel_of(visit_id)
    assert (waiting.step, waiting.values) == (Step.WAITING, ())
    result = make.enter(line, tech)
    assert queries.panel_of(visit_id)[0].values == ()  # not released: the doctor does not see it
    make.release(result, actor("lab_tech"))
    [shown] = queries.panel_of(visit_id)
    assert [v.value for v in shown.values] == ["14.8", "118"]


def test_earlier_values_of_the_patient_are_beside_the_new_ones(actor, tech) -> None:
    doctor = actor("doctor")
    visit = make_visit()
    old = make.ordered(visit, doctor)
    make.release(make.enter(old, tech, {"HGB": "100"}), actor("lab_tech"))
    again = make.ordered(visit, doctor)
    found = queries.earlier_values(visit.patient_id, ["HGB", "WBC"], again.line_id)
    assert {code: (v.value, v.flag) for code, v in found.items()} == {"HGB": ("100", Flag.LOW)}


def test_texts_for_papers_carry_released_results_only(line, tech, actor) -> None:
    result = make.enter(line, tech)
    assert queries.texts_of(result.visit_id) == []
    make.release(result, actor("lab_tech"))
    [text] = queries.texts_of(result.visit_id)
    assert text.values[0] == ("Số lượng bạch cầu", "14,8", "G/L", "5–13", "H")


def test_the_sheet_is_stored_once_and_a_correction_replaces_it(line, tech, actor) -> None:
    other = actor("lab_tech")
    old = make.release(make.enter(line, tech), other)
    with transaction():
        sheet = service.issue_sheet(old.result_id, actor=tech)
        assert service.issue_sheet(old.result_id, actor=other).paper_id == sheet.paper_id
    with transaction():
        fresh = service.correct(old.result_id, "nhầm mẫu bệnh nhân khác", actor=tech)
    with pytest.raises(InvalidState), transaction():
        service.issue_sheet(fresh.result_id, actor=tech)
    make.release(fresh, other)
    with transaction():
        new = service.issue_sheet(fresh.result_id, actor=tech)
    session().refresh(sheet)
    assert (sheet.state, sheet.replaced_by_id) == (PaperState.REPLACED, new.paper_id)


def test_two_technicians_entering_at_once_make_one_result(committed, actor) -> None:
    line = make.ordered(make_visit(), actor("doctor"))
    people = [actor("lab_tech") for _ in range(4)]
    session().commit()

    def work(number: int) -> int:
        return make.enter(line, people[number], {"HGB": str(120 + number)}, seen=0).result_id

    results = committed.parallel(work, 4)
    assert sum(isinstance(r, int) for r in results) == 1
    assert sum(isinstance(r, Conflict) for r in results) == 3
    session().expire_all()
    kept = session().execute(select(LabResult)).scalars().unique().all()
    assert len(kept) == 1
    assert Decimal(kept[0].values[0].value) >= 120
