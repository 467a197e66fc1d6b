"""Imaging: the technician writes, a doctor reads and releases, corrections, papers."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from his.audit.models import AuditEvent
from his.core import clock
from his.core.db import session, transaction
from his.core.errors import Conflict, InvalidState, NotAllowed, NotFound, RuleBroken
from his.documents.enums import PaperState
from his.imaging import queries, service
from his.imaging.enums import ReportState, Step
from his.orders import service as orders
from his.orders.enums import OrderState
from his.records import queries as records_queries
from tests.factories import imaging as make
from tests.factories.examination import make_visit
from tests.factories.orders import BLOOD, place


@pytest.fixture
def line(actor):
    return make.ordered(make_visit(), actor("doctor"))


@pytest.fixture
def tech(actor):
    return actor("imaging_tech")


def test_the_patient_enters_the_room(line, tech) -> None:
    with transaction():
        started = service.start(line.line_id, actor=tech)
    assert (started.state, started.started_by_id) == (OrderState.STARTED, tech.user_id)


def test_a_technician_describes_and_leaves_the_conclusion(line, tech) -> None:
    report = make.write(line, tech, conclusion="")
    assert (report.state, report.conclusion, report.written_by_id) == (ReportState.DRAFT, "", tech.user_id)
    session().refresh(line)
    assert line.state is OrderState.STARTED


def test_an_empty_report_is_refused(line, tech) -> None:
    with pytest.raises(RuleBroken, match="Chưa ghi"):
        make.write(line, tech, description=" ", conclusion="")


def test_a_technician_does_not_release(line, tech) -> None:
    report = make.write(line, tech)
    with pytest.raises(NotAllowed):
        make.release(report, tech)


def test_a_doctor_releases_and_the_order_is_done(line, tech, actor) -> None:
    doctor = actor("doctor")
    report = make.release(make.write(line, tech), doctor)
    assert (report.state, report.released_by_id) == (ReportState.RELEASED, doctor.user_id)
    session().refresh(line)
    assert (line.state, line.performer_licence) == (OrderState.RESULTED, doctor.licence_number)
    assert records_queries.get_visit(report.visit_id).tests_done_at is not None


def test_a_report_without_conclusion_is_not_released(line, tech, actor) -> None:
    report = make.write(line, tech, conclusion="")
    with pytest.raises(RuleBroken) as caught:
        make.release(report, actor("doctor"))
    assert caught.value.findings[0].field == "conclusion"


def test_a_released_report_is_neither_changed_nor_released_again(line, tech, actor) -> None:
    report = make.release(make.write(line, tech), actor("doctor"))
    with pytest.raises(InvalidState, match="thay thế"):
        make.write(line, tech)
    with pytest.raises(InvalidState):
        make.release(report, actor("doctor"))


def test_changes_before_release_are_on_the_log(line, tech, actor) -> None:
    make.write(line, tech)
    make.write(line, actor("doctor"), conclusion="Viêm phổi.")
    event = (
        session()
        .execute(
            select(AuditEvent)
            .where(AuditEvent.action == "imaging.report.write")
            .order_by(AuditEvent.event_id.desc())
            .limit(1)
        )
        .scalar_one()
    )
    assert event.details["changes"]["conclusion"] == ["Phù hợp viêm phế quản.", "Viêm phổi."]


def test_a_stale_screen_neither_overwrites_nor_releases(line, tech, actor) -> None:
    report = make.write(line, tech, seen=0)
    with pytest.raises(Conflict):
        make.write(line, actor("doctor"), seen=0)
    seen = report.version
    make.write(line, tech, conclusion="Viêm phổi.")
    with pytest.raises(Conflict), transaction():
        service.release(report.report_id, seen=seen, actor=actor("doctor"))


def test_a_correction_is_a_new_version_and_the_old_one_stays(line, tech, actor) -> None:
    doctor = actor("doctor")
    old = make.release(make.write(line, tech), doctor)
    with transaction():
        fresh = service.correct(old.report_id, "nhầm bên trái phải", actor=doctor)
    session().refresh(old)
    assert (old.state, old.conclusion, fresh.supersedes_id) == (
        ReportState.SUPERSEDED,
        "Phù hợp viêm phế quản.",
        old.report_id,
    )
    make.write(line, doctor, conclusion="Bình thường.")
    make.release(fresh, doctor)
    assert [text.conclusion for text in queries.texts_of(old.visit_id)] == ["Bình thường."]


def test_a_correction_needs_a_doctor_a_reason_and_a_released_report(line, tech, actor) -> None:
    report = make.write(line, tech)
    doctor = actor("doctor")
    with pytest.raises(InvalidState), transaction():
        service.correct(report.report_id, "nhầm bên", actor=doctor)
    make.release(report, doctor)
    with pytest.raises(InvalidState, match="lý do"), transaction():
        service.correct(report.report_id, "sai", actor=doctor)
    with pytest.raises(NotAllowed), transaction():
        service.correct(report.report_id, "nhầm bên", actor=tech)


def test_cancelled_orders_and_blood_tests_take_no_report(line, tech, actor) -> None:
    blood = place(make_visit(), actor("doctor"), BLOOD).lines[0]
    with pytest.raises(InvalidState, match="không phải"):
        make.write(blood, tech)
    with transaction():
        orders.cancel_line(line.line_id, "không cần", actor=actor("doctor"))
    with pytest.raises(InvalidState, match="đã hủy"):
        make.write(line, tech)
    with pytest.raises(NotFound), transaction():
        service.release(424242, actor=actor("doctor"))


def test_the_list_walks_with_the_work(line, tech, actor) -> None:
    day = clock.today()

    def step() -> Step:
        [row] = queries.worklist(day)
        return row.step

    marks = [queries.counts(day)[1]]
    assert step() is Step.WAITING
    with transaction():
        service.start(line.line_id, actor=tech)
    assert step() is Step.STARTED
    marks.append(queries.counts(day)[1])
    report = make.write(line, tech)
    assert [row.written_by for row in queries.worklist(day, Step.DRAFT)] == [tech.name]
    marks.append(queries.counts(day)[1])
    make.release(report, actor("doctor"))
    assert step() is Step.RELEASED
    marks.append(queries.counts(day)[1])
    assert len(set(marks)) == 4


def test_the_doctors_panel_hides_what_is_not_released(line, tech, actor) -> None:
    visit_id = line.order.visit_id
    report = make.write(line, tech, is_abnormal=True)
    [waiting] = queries.panel_of(visit_id)
    assert (waiting.step, waiting.conclusion, waiting.is_abnormal) == (Step.DRAFT, "", False)
    make.release(report, actor("doctor"))
    [shown] = queries.panel_of(visit_id)
    assert (shown.conclusion, shown.is_abnormal) == ("Phù hợp viêm phế quản.", True)


def test_the_sheet_is_stored_once_and_a_correction_replaces_it(line, tech, actor) -> None:
    doctor = actor("doctor")
    old = make.write(line, tech)
    with pytest.raises(InvalidState), transaction():
        service.issue_sheet(old.report_id, actor=doctor)
    make.release(old, doctor)
    with transaction():
        sheet = service.issue_sheet(old.report_id, actor=doctor)
        assert service.issue_sheet(old.report_id, actor=tech).paper_id == sheet.paper_id
    with transaction():
        fresh = service.correct(old.report_id, "nhầm bên trái phải", actor=doctor)
    make.release(fresh, doctor)
    with transaction():
        new = service.issue_sheet(fresh.report_id, actor=doctor)
    session().refresh(sheet)
    assert (sheet.state, sheet.replaced_by_id) == (PaperState.REPLACED, new.paper_id)
