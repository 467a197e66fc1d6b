"""Orders over HTTP: who may, what a double press does, how a refusal reads, undo."""

from __future__ import annotations

import pytest

from his.core.db import session, transaction
from his.orders import queries, service
from his.orders.models import ServiceOrder
from tests.factories.examination import make_visit
from tests.factories.orders import BLOOD, CHEST, INHALATION, make_services, place

JSON = {"Accept": "application/json"}


@pytest.fixture
def doctor(actor):
    return actor("doctor")


def order_url(visit):
    return f"/orders/visits/{visit.visit_id}"


def names(visit):
    return [r.line.service_code for r in queries.panel_rows(visit.visit_id)]


def test_a_doctor_orders_and_may_take_it_back_at_once(login_as):
    visit = make_visit()
    make_services()
    browser = login_as("doctor")
    answer = browser.post(order_url(visit), data={"service_code": f"{BLOOD} {CHEST}", "idempotency_key": "k1"}, headers=JSON)
    assert answer.status_code == 200
    assert names(visit) == [BLOOD, CHEST]
    undo = answer.json["undo"]
    assert "2 dịch vụ" in undo["text"]
    assert browser.post(undo["url"], headers=JSON).status_code == 200
    assert names(visit) == []


def test_a_double_press_orders_once(login_as):
    visit = make_visit()
    make_services()
    browser = login_as("doctor")
    data = {"service_code": BLOOD, "idempotency_key": "same"}
    first = browser.post(order_url(visit), data=data, headers=JSON)
    second = browser.post(order_url(visit), data=data, headers=JSON)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json["undo"] == second.json["undo"]
    assert session().query(ServiceOrder).filter_by(visit_id=visit.visit_id).count() == 1


def test_a_plain_form_comes_back_to_the_page(login_as):
    visit = make_visit()
    make_services()
    answer = login_as("doctor").post(order_url(visit), data={"service_code": BLOOD, "idempotency_key": "k1"})
    assert answer.status_code == 303
    assert answer.location.endswith(f"/examination/visits/{visit.visit_id}#orders")


def test_a_refusal_is_said_in_words(login_as, doctor):
    visit = make_visit()
    place(visit, doctor)
    answer = login_as("doctor").post(order_url(visit), data={"service_code": BLOOD, "idempotency_key": "k1"}, headers=JSON)
    assert answer.status_code == 422
    assert answer.json["findings"][0]["field"] == "service_code"
    assert "đang chờ kết quả" in answer.json["message"]


@pytest.mark.parametrize("role", ["nurse", "clerk", "cashier", "lab_tech", "auditor", "administrator"])
def test_only_doctors_order(login_as, role):
    visit = make_visit()
    make_services()
    assert login_as(role).post(order_url(visit), data={"service_code": BLOOD, "idempotency_key": "k1"}, headers=JSON).status_code == 403
    assert names(visit) == []


def test_a_line_is_cancelled_and_ordered_again(login_as, doctor):
    visit = make_visit()
    order = place(visit, doctor)
    browser = login_as("doctor")
    answer = browser.post(f"/orders/lines/{order.lines[0].line_id}/cancel", headers=JSON)
    assert answer.json["undo"]["text"] == "Đã hủy Tổng phân tích tế bào máu"
    assert names(visit) == []
    assert browser.post(answer.json["undo"]["url"], headers=JSON).status_code == 200
    assert names(visit) == [BLOOD]


def test_a_begun_line_is_not_cancelled(login_as, doctor):
    visit = make_visit()
    order = place(visit, doctor)
    with transaction():
        service.start_line(order.lines[0].line_id, actor=doctor)
    answer = login_as("doctor").post(f"/orders/lines/{order.lines[0].line_id}/cancel", headers=JSON)
    assert answer.status_code == 409
    assert "đã thực hiện" in answer.json["message"]


def test_a_procedure_is_marked_done(login_as, doctor):
    visit = make_visit()
    order = place(visit, doctor, INHALATION)
    answer = login_as("doctor").post(f"/orders/lines/{order.lines[0].line_id}/perform", headers=JSON)
    assert answer.status_code == 200
    session().expire_all()
    assert queries.get_line(order.lines[0].line_id).state.value == "resulted"


@pytest.mark.parametrize("path", ["/orders/lines/999999/cancel", "/orders/999999/cancel", "/orders/lines/999999/again", "/orders/lines/999999/perform", "/orders/visits/999999"])
def test_what_is_not_there_is_not_found(login_as, path):
    assert login_as("doctor").post(path, data={"service_code": BLOOD, "idempotency_key": "k"}, headers=JSON).status_code == 404


def test_the_panel_shows_states_prices_and_what_may_be_done(login_as, doctor):
    visit = make_visit()
    order = place(visit, doctor, BLOOD, CHEST, is_urgent=True)
    with transaction():
        service.complete_line(order.lines[0].line_id, actor=doctor)
    page = login_as("doctor").get(f"/examination/visits/{visit.visit_id}/parts/middle").text
    assert "49.700" in page
    assert "có kết quả" in page
    assert "chờ thực hiện" in page
    assert "Hủy Chụp X-quang ngực thẳng" in page
    assert "Hủy Tổng phân tích tế bào máu" not in page
    assert "Khò khè dưới 5 tuổi" in page


def test_a_nurse_reads_orders_and_changes_none(login_as, doctor):
    visit = make_visit()
    place(visit, doctor)
    page = login_as("nurse").get(f"/examination/visits/{visit.visit_id}/parts/middle").text
    assert "Tổng phân tích tế bào máu" in page
    assert "data-live-form" not in page


def test_the_slip_is_the_same_bytes_until_a_line_is_taken_back(login_as, doctor):
    visit = make_visit()
    order = place(visit, doctor, BLOOD, CHEST)
    browser = login_as("doctor")
    first = browser.get(f"/orders/{order.order_id}/sheet").location
    assert browser.get(f"/orders/{order.order_id}/sheet").location == first
    assert browser.get(first).data.startswith(b"%PDF")
    browser.post(f"/orders/lines/{order.lines[0].line_id}/cancel", headers=JSON)
    assert browser.get(f"/orders/{order.order_id}/sheet").location != first
    browser.post(f"/orders/lines/{order.lines[1].line_id}/cancel", headers=JSON)
    answer = browser.get(f"/orders/{order.order_id}/sheet", headers=JSON)
    assert answer.status_code == 409
    assert "không còn gì để in" in answer.json["message"]
