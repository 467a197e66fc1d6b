"""The laboratory's screens: who may, what is shown, what bad input gets."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select

from his.audit.models import AuditEvent
from his.core.db import session
from his.laboratory import queries
from his.laboratory.enums import ResultState
from his.laboratory.models import LabResult
from his.laboratory.module import entries, panel
from tests.factories import laboratory as make
from tests.factories.examination import make_visit
from tests.factories.orders import CHEST, place
from tests.factories.records import make_old_visits


@pytest.fixture
def line(actor):
    return make.ordered(make_visit(), actor("doctor"), is_urgent=True)


def url(line) -> str:
    return f"/laboratory/lines/{line.line_id}"


@pytest.mark.parametrize("role", ["doctor", "nurse", "cashier", "imaging_tech", "manager"])
def test_only_the_laboratory_opens_its_list(login_as, role: str) -> None:
    assert login_as(role).get("/laboratory/").status_code == 403


def test_the_list_shows_urgent_work_with_its_specimen_button(login_as, line) -> None:
    page = login_as("lab_tech").get("/laboratory/").text
    assert "Nguyễn Ngọc Bảo An" in page
    assert "Cấp cứu" in page
    assert "Đã lấy mẫu" in page


@pytest.mark.parametrize("step", ["taken", "entered", "released", "nonsense"])
def test_empty_steps_say_what_to_do(login_as, db_session, step: str) -> None:
    assert "empty-h" in login_as("lab_tech").get(f"/laboratory/?step={step}").text


def test_the_live_part_answers_only_when_something_changed(login_as, line, actor) -> None:
    browser = login_as("lab_tech")
    version = re.search(r'data-version="([^"]+)"', browser.get("/laboratory/").text).group(1)
    assert browser.get(f"/laboratory/part?version={version}").status_code == 204
    make.enter(line, actor("lab_tech"))
    fresh = browser.get(f"/laboratory/part?step=entered&version={version}")
    assert (fresh.status_code, "Nguyễn Ngọc Bảo An" in fresh.text) == (200, True)


def test_taking_the_specimen_moves_the_row(login_as, line) -> None:
    browser = login_as("lab_tech")
    answer = browser.post(f"{url(line)}/specimen?step=waiting", data={"back": "list"})
    assert (answer.status_code, answer.location) == (303, "/laboratory/?step=waiting")
    assert "Nguyễn Ngọc Bảo An" in browser.get("/laboratory/?step=taken").text


def test_a_scanned_order_opens_its_entry(login_as, line) -> None:
    answer = login_as("lab_tech").post("/laboratory/find", data={"q": line.order.code})
    assert (answer.status_code, answer.location) == (303, url(line))


def test_an_unknown_scan_says_what_to_do(login_as, line) -> None:
    answer = login_as("lab_tech").post("/laboratory/find", data={"q": "CD-000000-0000"})
    assert answer.status_code == 422
    assert "Không thấy chỉ định xét nghiệm nào" in answer.text


def test_entry_shows_index_unit_and_range_of_this_child(login_as, line) -> None:
    page = login_as("lab_tech").get(url(line)).text
    for text in ('name="v-WBC"', "G/L", "5–13", 'data-critical-low="70.000"', "120–150", "Lưu kết quả"):
        assert text in page, text


def test_opening_a_result_is_on_the_access_log(login_as, line) -> None:
    login_as("lab_tech").get(url(line))
    event = session().execute(select(AuditEvent).where(AuditEvent.action == "audit.view")).scalars().first()
    assert (event.visit_id, event.details) == (line.order.visit_id, {"what": "laboratory"})


def test_saving_and_releasing_by_two_people(login_as, line) -> None:
    first, second = login_as("lab_tech"), login_as("lab_tech")
    assert first.post(url(line), data={"v-WBC": "14,8", "v-HGB": "130", "seen": "0"}).status_code == 303
    mine = first.get(url(line)).text
    assert "nhờ đồng nghiệp hoặc bác sĩ" in mine
    assert "Trả kết quả</" not in mine.replace(" <kbd>", "</")
    result = queries.result_of_line(line.line_id)
    assert (
        first.post(f"/laboratory/results/{result.result_id}/release", data={"seen": str(result.version)}).status_code
        == 403
    )
    page = second.get(url(line)).text
    assert "data-release" in page
    assert "↑ cao" in page
    answer = second.post(f"/laboratory/results/{result.result_id}/release", data={"seen": str(result.version)})
    assert answer.status_code == 303
    assert "In phiếu kết quả" in second.get(url(line)).text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"v-WBC": "mười"}, "không phải số"),
        ({"v-HGB": "-5"}, "không thể âm"),
        ({"v-HGB": "64"}, "Giá trị báo động: Huyết sắc tố"),
        ({}, "Chưa nhập kết quả nào"),
        ({"v-WBC": "9", "seen": "7"}, "Tải lại để xem"),
        ({"v-WBC": "9", "seen": "x"}, "Tải lại để xem"),
        ({"v-WBC": "9", "conclusion": "x" * 1001}, "nhiều nhất 1000"),
        ({"v-MAL": "x" * 300}, "nhiều nhất 255"),
    ],
)
def test_bad_input_is_told_and_typed_values_stay(login_as, line, data: dict[str, str], message: str) -> None:
    answer = login_as("lab_tech").post(url(line), data={"seen": "0", **data})
    assert answer.status_code == 422
    assert message in answer.text
    for name, value in data.items():
        if name.startswith("v-"):
            assert f'value="{value}"' in answer.text
    assert session().execute(select(LabResult)).first() is None


def test_a_value_for_an_index_of_another_service_is_ignored(login_as, line) -> None:
    login_as("lab_tech").post(url(line), data={"seen": "0", "v-WBC": "9", "v-HACK": "1"})
    assert [v.index_code for v in queries.result_of_line(line.line_id).values] == ["WBC"]


def test_a_doctor_reads_and_releases_but_does_not_enter(login_as, line, actor) -> None:
    result = make.enter(line, actor("lab_tech"))
    browser = login_as("doctor")
    page = browser.get(url(line)).text
    assert 'name="v-WBC"' not in page
    assert "data-release" in page
    assert browser.post(url(line), data={"v-WBC": "1"}).status_code == 403
    assert (
        browser.post(f"/laboratory/results/{result.result_id}/release", data={"seen": str(result.version)}).status_code
        == 303
    )


def test_a_correction_by_screen(login_as, line, actor) -> None:
    result = make.release(make.enter(line, actor("lab_tech")), actor("lab_tech"))
    browser = login_as("lab_tech")
    target = f"/laboratory/results/{result.result_id}/correct"
    refused = browser.post(target, data={"reason": "sai"})
    assert (refused.status_code, "ít nhất 5 ký tự" in refused.text) == (422, True)
    assert browser.post(target, data={"reason": "nhầm mẫu"}).status_code == 303
    assert "bản thay thế" in browser.get(url(line)).text
    assert queries.result_of_line(line.line_id).state is ResultState.ENTERED


def test_the_sheet_opens_as_a_pdf(login_as, line, actor) -> None:
    result = make.release(make.enter(line, actor("lab_tech")), actor("lab_tech"))
    browser = login_as("lab_tech")
    answer = browser.get(f"/laboratory/results/{result.result_id}/sheet")
    assert browser.get(answer.location).data[:5] == b"%PDF-"


@pytest.mark.parametrize("path", ["/laboratory/lines/424242", "/laboratory/results/424242/sheet"])
def test_what_is_not_there_is_not_found(login_as, db_session, path: str) -> None:
    assert login_as("lab_tech").get(path).status_code == 404


def test_a_radiograph_is_not_shown_as_laboratory_work(login_as, actor) -> None:
    chest = place(make_visit(), actor("doctor"), CHEST).lines[0]
    assert login_as("lab_tech").get(f"/laboratory/lines/{chest.line_id}").status_code == 404


def test_the_doctors_page_shows_the_values(app: Flask, login_as, line, actor) -> None:
    doctor = login_as("doctor")
    make.release(
        make.enter(line, actor("lab_tech"), {"WBC": "14,8", "HGB": "64"}, critical_note=make.NOTE), actor("lab_tech")
    )
    page = doctor.get(f"/examination/visits/{line.order.visit_id}?parts=all").text
    for text in ("Kết quả mới", "14,8 ↑", "64 ↓↓", "5–13"):
        assert text in page, text


def test_record_rows_are_for_those_who_may_read_results(app: Flask, actor, line) -> None:
    result = make.release(make.enter(line, actor("lab_tech")), actor("lab_tech"))
    with app.test_request_context():
        [row] = entries(0, [result.visit_id], actor("doctor"))
        assert "Số lượng bạch cầu 14,8 G/L ↑" in row.lines[0]
        assert row.tone == "warn"
        assert entries(0, [result.visit_id], actor("cashier")) == []


def test_screens_stay_within_twelve_statements_whatever_the_history(login_as, actor, count_statements) -> None:
    doctor, tech, other = actor("doctor"), actor("lab_tech"), actor("lab_tech")
    visit = make_visit()
    for _ in range(6):
        make.release(make.enter(make.ordered(visit, doctor), tech), other)
    make_old_visits(visit.patient, 40)
    line = make.ordered(visit, doctor)
    make.enter(line, tech, {"HGB": "64"}, critical_note=make.NOTE)
    for _ in range(6):
        make.ordered(make_visit(), doctor)
    browser = login_as("lab_tech")
    for path in ("/laboratory/", "/laboratory/?step=released", "/laboratory/part", url(line)):
        session().expire_all()
        with count_statements() as seen:
            assert browser.get(path).status_code == 200
        assert seen.count <= 12, (path, seen.count, seen.texts)
    visit_id = visit.visit_id
    session().expunge_all()
    with count_statements() as seen:
        panel(visit_id, doctor)
    assert seen.count <= 2
