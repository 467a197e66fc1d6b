"""The imaging screens: who may, what is shown, what bad input gets."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from his.core.db import session
from his.imaging import queries
from his.imaging.enums import ReportState
from his.imaging.module import entries, panel
from tests.factories import imaging as make
from tests.factories.examination import make_visit
from tests.factories.orders import BLOOD, place
from tests.factories.records import make_old_visits


@pytest.fixture
def line(actor):
    return make.ordered(make_visit(), actor("doctor"))


def url(line) -> str:
    return f"/imaging/lines/{line.line_id}"


@pytest.mark.parametrize("role", ["cashier", "lab_tech", "clerk", "manager"])
def test_only_imaging_people_open_the_list(login_as, role: str) -> None:
    assert login_as(role).get("/imaging/").status_code == 403


def test_a_doctor_sees_first_what_waits_to_be_read(login_as, line, actor) -> None:
    make.write(line, actor("imaging_tech"))
    page = login_as("doctor").get("/imaging/").text
    assert "Nguyễn Ngọc Bảo An" in page
    assert "Chờ bác sĩ đọc" in page
    assert "Nguyễn Ngọc Bảo An" not in login_as("imaging_tech").get("/imaging/").text  # who waits to be imaged


@pytest.mark.parametrize("step", ["waiting", "started", "draft", "released", "nonsense"])
def test_empty_steps_say_what_to_do(login_as, db_session, step: str) -> None:
    assert "empty-h" in login_as("imaging_tech").get(f"/imaging/?step={step}").text


def test_the_live_part_answers_only_when_something_changed(login_as, line) -> None:
    browser = login_as("imaging_tech")
    version = re.search(r'data-version="([^"]+)"', browser.get("/imaging/").text).group(1)
    assert browser.get(f"/imaging/part?version={version}").status_code == 204
    assert browser.post(f"{url(line)}/start?step=waiting", data={"back": "list"}).status_code == 303
    assert browser.get(f"/imaging/part?step=started&version={version}").status_code == 200


def test_a_scanned_order_opens_its_report(login_as, line) -> None:
    browser = login_as("imaging_tech")
    assert browser.post("/imaging/find", data={"q": line.order.code}).location == url(line)
    assert browser.post("/imaging/find", data={"q": "khong co"}).status_code == 422


def test_a_technician_writes_and_a_doctor_releases(login_as, line) -> None:
    tech, doctor = login_as("imaging_tech"), login_as("doctor")
    page = tech.get(url(line)).text
    assert "Phổi bình thường" in page  # ready phrase
    assert 'name="release"' not in page
    assert tech.post(url(line), data={"description": "Phổi sáng.", "seen": "0"}).status_code == 303
    report = queries.report_of_line(line.line_id)
    data = {"description": "Phổi sáng.", "conclusion": "", "seen": str(report.version), "release": "1"}
    refused = doctor.post(url(line), data=data)
    assert (refused.status_code, "Chưa ghi kết luận" in refused.text, "Phổi sáng." in refused.text) == (422, True, True)
    assert doctor.post(url(line), data={**data, "conclusion": "Bình thường.", "is_abnormal": "y"}).status_code == 303
    session().expire_all()
    report = queries.report_of_line(line.line_id)
    assert (report.state, report.is_abnormal) == (ReportState.RELEASED, True)
    assert "In phiếu kết quả" in doctor.get(url(line)).text


def test_a_technician_who_forges_the_release_button_is_refused(login_as, line) -> None:
    data = {"description": "x", "conclusion": "y", "seen": "0", "release": "1"}
    assert login_as("imaging_tech").post(url(line), data=data).status_code == 403
    assert queries.report_of_line(line.line_id) is None


@pytest.mark.parametrize(
    ("data", "message"),
    [({"description": "", "conclusion": ""}, "Chưa ghi mô tả"), ({"description": "x", "seen": "5"}, "Tải lại để xem"),
     ({"description": "x" * 8001}, "nhiều nhất 8000"), ({"conclusion": "x" * 2001}, "nhiều nhất 2000")],
)  # fmt: skip
def test_bad_input_is_told_and_nothing_is_kept(login_as, line, data: dict[str, str], message: str) -> None:
    answer = login_as("imaging_tech").post(url(line), data={"seen": "0", **data})
    assert answer.status_code == 422
    assert message in answer.text
    assert queries.report_of_line(line.line_id) is None


def test_a_correction_by_screen_is_the_doctors(login_as, line, actor) -> None:
    report = make.release(make.write(line, actor("imaging_tech")), actor("doctor"))
    target = f"/imaging/reports/{report.report_id}/correct"
    assert login_as("imaging_tech").post(target, data={"reason": "nhầm bên"}).status_code == 403
    doctor = login_as("doctor")
    assert doctor.post(target, data={"reason": "sai"}).status_code == 422
    assert doctor.post(target, data={"reason": "nhầm bên"}).status_code == 303
    assert "bản thay thế" in doctor.get(url(line)).text


def test_the_sheet_opens_as_a_pdf(login_as, line, actor) -> None:
    report = make.release(make.write(line, actor("imaging_tech")), actor("doctor"))
    browser = login_as("doctor")
    answer = browser.get(f"/imaging/reports/{report.report_id}/sheet")
    assert browser.get(answer.location).data[:5] == b"%PDF-"


def test_what_is_not_there_is_not_found(login_as, actor) -> None:
    blood = place(make_visit(), actor("doctor"), BLOOD).lines[0]
    browser = login_as("imaging_tech")
    for path in ("/imaging/lines/424242", f"/imaging/lines/{blood.line_id}", "/imaging/reports/424242/sheet"):
        assert browser.get(path).status_code == 404


def test_the_doctors_page_shows_the_conclusion(login_as, line, actor) -> None:
    doctor = login_as("doctor")
    make.release(make.write(line, actor("imaging_tech"), is_abnormal=True), actor("doctor"))
    page = doctor.get(f"/examination/visits/{line.order.visit_id}?parts=all").text
    assert "Phù hợp viêm phế quản." in page
    assert "có bất thường" in page


def test_record_rows_are_for_those_who_may_read_reports(app: Flask, line, actor) -> None:
    report = make.release(make.write(line, actor("imaging_tech")), actor("doctor"))
    with app.test_request_context():
        [row] = entries(0, [report.visit_id], actor("nurse"))
        assert row.lines == ("Phù hợp viêm phế quản.",)
        assert entries(0, [report.visit_id], actor("cashier")) == []


def test_screens_stay_within_twelve_statements_whatever_the_history(login_as, actor, count_statements) -> None:
    doctor, tech = actor("doctor"), actor("imaging_tech")
    visit = make_visit()
    for _ in range(6):
        make.release(make.write(make.ordered(visit, doctor), tech), doctor)
    make_old_visits(visit.patient, 40)
    line = make.ordered(visit, doctor)
    make.write(line, tech)
    browser, visit_id = login_as("doctor"), visit.visit_id
    for path in ("/imaging/", "/imaging/?step=released", "/imaging/part", url(line)):
        session().expire_all()
        with count_statements() as seen:
            assert browser.get(path).status_code == 200
        assert seen.count <= 12, (path, seen.count, seen.texts)
    session().expunge_all()
    with count_statements() as seen:
        panel(visit_id, doctor)
    assert seen.count == 1
