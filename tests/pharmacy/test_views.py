"""The counter's pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from his.core.actor import Actor
from his.core.db import session, transaction
from his.core.once import new_key
from his.pharmacy import queries
from his.prescriptions import service as prescriptions
from his.prescriptions.enums import OverrideReason
from tests.factories.pharmacy import make_dispense, make_ready
from tests.factories.prescriptions import line, make_draft, make_drug, make_rx_visit, pay
from tests.factories.records import make_allergy, make_child

pytestmark = pytest.mark.usefixtures("db_session")


@pytest.fixture
def counter(login_as: Callable[..., FlaskClient]) -> FlaskClient:
    return login_as("pharmacist")


@pytest.fixture
def doctor(actor: Callable[..., Actor]) -> Actor:
    return actor("doctor")


def give(**changes: str) -> dict[str, str]:
    return {"receiver_name": "Lê Thị Minh Châu", "receiver_id_number": "", "idempotency_key": new_key(), **changes}


def test_list_parts_paid_unpaid_and_given(counter: FlaskClient, doctor: Actor, actor: Callable[..., Actor]) -> None:
    ready, unpaid, given = (
        make_ready(line(), actor=doctor),
        make_ready(line(), actor=doctor, paid=False),
        make_ready(line(), actor=doctor),
    )
    make_dispense(given, actor=actor("pharmacist"))
    page = counter.get("/pharmacy/").text
    assert ready.code in page
    assert unpaid.code not in page
    assert unpaid.code in counter.get("/pharmacy/list/unpaid").text
    assert given.code in counter.get("/pharmacy/list/given").text
    everything = counter.get("/pharmacy/list/all").text
    assert all(rx.code in everything for rx in (ready, unpaid, given))


def test_a_scanned_code_opens_the_prescription_and_a_name_narrows(counter: FlaskClient, doctor: Actor) -> None:
    rx = make_ready(line(), actor=doctor)
    answer = counter.post("/pharmacy/find", data={"q": rx.code.upper()})
    assert answer.status_code == 303
    assert answer.location.endswith(f"/pharmacy/prescriptions/{rx.prescription_id}")
    assert rx.code in counter.post("/pharmacy/find", data={"q": "bao an"}).text
    nothing = counter.post("/pharmacy/find", data={"q": "79999zzzzzzz-C"})
    assert nothing.status_code == 200
    assert "Không thấy đơn nào khớp" in nothing.text
    assert counter.post("/pharmacy/find", data={"q": "x" * 300}).status_code == 422


def test_page_shows_what_the_doctor_overrode_and_why(counter: FlaskClient, doctor: Actor) -> None:
    child = make_child()
    make_allergy(child)
    make_drug("AMOX")
    visit = make_rx_visit(child)
    rx = make_draft(visit, line("AMOX", "1", "gói", 3, 5), actor=doctor)
    with transaction():
        prescriptions.override(
            rx.prescription_id,
            "allergy",
            "amoxicillin",
            OverrideReason.SPECIALIST,
            "Test da âm tính ngày 20/11",
            actor=doctor,
        )
        prescriptions.sign(rx.prescription_id, actor=doctor)
    pay(visit)
    page = counter.get(f"/pharmacy/prescriptions/{rx.prescription_id}").text
    assert "Test da âm tính ngày 20/11" in page
    assert "Đã hội chẩn" in page
    assert "mỗi lần 1 gói" in page
    assert "15 gói" in page


def test_handing_out_and_the_second_click(counter: FlaskClient, doctor: Actor) -> None:
    rx = make_ready(line(), actor=doctor)
    url = f"/pharmacy/prescriptions/{rx.prescription_id}/dispense"
    data = give()
    for _ in range(2):
        assert counter.post(url, data=data).status_code == 303
    page = counter.get(f"/pharmacy/prescriptions/{rx.prescription_id}").text
    assert "Đã cấp thuốc" in page
    assert "Lê Thị Minh Châu" in page
    late = counter.post(url, data=give())
    assert late.status_code == 409
    assert "đã cấp thuốc" in late.text


def test_what_stops_is_said_beside_the_button(counter: FlaskClient, doctor: Actor) -> None:
    rx = make_ready(line(), actor=doctor, paid=False)
    page = counter.get(f"/pharmacy/prescriptions/{rx.prescription_id}").text
    assert "chưa thanh toán" in page
    assert 'aria-disabled="true"' in page
    answer = counter.post(f"/pharmacy/prescriptions/{rx.prescription_id}/dispense", data=give())
    assert answer.status_code == 409


def test_the_receiver_is_required_and_stays_typed(counter: FlaskClient, doctor: Actor) -> None:
    rx = make_ready(line(), actor=doctor)
    answer = counter.post(
        f"/pharmacy/prescriptions/{rx.prescription_id}/dispense", data=give(receiver_name="", receiver_id_number="0791")
    )
    assert answer.status_code == 422
    assert "Người nhận thuốc: chưa nhập." in answer.text
    assert 'value="0791"' in answer.text


def test_taking_back_needs_a_reason(counter: FlaskClient, doctor: Actor, actor: Callable[..., Actor]) -> None:
    rx = make_ready(line(), actor=doctor)
    make_dispense(rx, actor=actor("pharmacist"))
    url = f"/pharmacy/prescriptions/{rx.prescription_id}/take-back"
    assert counter.post(url, data={"reason": ""}).status_code == 422
    short = counter.post(url, data={"reason": "x"})
    assert short.status_code == 422
    assert "ít nhất 5 ký tự" in short.text
    assert counter.post(url, data={"reason": "gia đình xin trả"}).status_code == 303
    session().expire_all()
    assert queries.dispense_of(rx.prescription_id) is None


@pytest.mark.parametrize("role", ["doctor", "nurse", "cashier", "clerk"])
def test_others_do_not_open_the_counter(login_as: Callable[..., FlaskClient], doctor: Actor, role: str) -> None:
    rx = make_ready(line(), actor=doctor)
    browser = login_as(role)
    assert browser.get("/pharmacy/").status_code == 403
    assert browser.get(f"/pharmacy/prescriptions/{rx.prescription_id}").status_code == 403
    assert browser.post(f"/pharmacy/prescriptions/{rx.prescription_id}/dispense", data=give()).status_code == 403


def test_unknown_prescription_is_not_found(counter: FlaskClient) -> None:
    assert counter.get("/pharmacy/prescriptions/999999").status_code == 404


def test_pages_stay_within_12_statements(counter: FlaskClient, doctor: Actor, count_statements: Any) -> None:
    for n in range(10):
        make_drug(f"D{n}", inn=f"substance {n}", strength="10mg", stock=1000)
    for _ in range(5):
        rx = make_ready(*(line(f"D{n}", "1") for n in range(10)), actor=doctor)
    session().expunge_all()
    with count_statements() as seen:
        assert counter.get("/pharmacy/").status_code == 200
    assert seen.count <= 12, seen.texts
    session().expunge_all()
    with count_statements() as seen:
        assert counter.get(f"/pharmacy/prescriptions/{rx.prescription_id}").status_code == 200
    assert seen.count <= 12, "\n".join(text[:90].replace("\n", " ") for text in seen.texts)
