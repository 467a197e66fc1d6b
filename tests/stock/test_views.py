"""The store's page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from his.core import clock
from his.core.db import session
from his.core.i18n import date_text
from his.core.once import new_key
from his.stock import queries
from tests.factories.prescriptions import make_drug
from tests.factories.stock import make_lot

pytestmark = pytest.mark.usefixtures("db_session")


@pytest.fixture
def store(login_as: Callable[..., FlaskClient]) -> FlaskClient:
    return login_as("pharmacist")


def receipt(**changes: str) -> dict[str, str]:
    return {"drug_code": "PRED", "lot_number": "L77", "expires_on": "31/12/2030", "quantity": "25", "reason": "HĐ 12",
            "idempotency_key": new_key(), **changes}  # fmt: skip


def test_list_shows_lots_with_their_expiry(store: FlaskClient) -> None:
    make_drug("PRED", stock=None)
    make_drug("AMLO")
    make_lot("PRED", 30, lot_number="GẦN", expires_on=clock.today() + timedelta(days=20))
    page = store.get("/stock/?drug=PRED").text
    assert "GẦN" in page
    assert "còn 20 ngày" in page
    assert f"nhập {date_text(clock.today())}" in page
    assert "sắp hết hạn" in page
    assert store.get("/stock/?view=soon").text.count("data-href") == 1
    assert "Không thấy thuốc nào" in store.get("/stock/?q=khongco").text


def test_receiving_a_lot_once_for_a_double_click(store: FlaskClient) -> None:
    make_drug("PRED", stock=None)
    data = receipt()
    for _ in range(2):
        assert store.post("/stock/receive", data=data).status_code == 303
    assert queries.rows(["PRED"])[0].on_hand == 25


@pytest.mark.parametrize(
    ("change", "says"),
    [({"quantity": "0"}, "Nhỏ nhất là 0,001"), ({"quantity": "-4"}, "Chỉ gõ số không âm"), ({"quantity": ""}, "chưa nhập"),
     ({"lot_number": ""}, "Số lô: chưa nhập"), ({"expires_on": "31/02/2030"}, "Ngày không có thật"),
     ({"expires_on": "01/01/2020"}, "đã hết hạn dùng"), ({"lot_number": "x" * 41}, "nhiều nhất 40")],
)  # fmt: skip
def test_bad_receipts_say_what_to_do_and_keep_the_text(store: FlaskClient, change: dict[str, str], says: str) -> None:
    make_drug("PRED", stock=None)
    answer = store.post("/stock/receive", data=receipt(**change))
    assert answer.status_code == 422
    assert says in answer.text
    assert f'value="{next(iter(change.values()))}"' in answer.text
    assert queries.lots_of("PRED") == []


def test_correcting_asks_for_a_reason(store: FlaskClient) -> None:
    make_drug("PRED", stock=None)
    lot = make_lot("PRED", 30)
    url = f"/stock/lots/{lot.lot_id}/correct"
    bad = store.post(url, data={"drug_code": "PRED", "counted": "28", "reason": "x"})
    assert bad.status_code == 422
    assert "ít nhất 5 ký tự" in bad.text
    assert store.post(url, data={"drug_code": "PRED", "counted": "28", "reason": "vỡ hai viên"}).status_code == 303
    session().expire_all()
    assert queries.lots_of("PRED")[0].quantity == 28
    assert store.post("/stock/lots/999999/correct", data={"counted": "28", "reason": "không có lô"}).status_code == 404


def test_doctors_look_and_do_not_touch_others_do_not_look(login_as: Callable[..., FlaskClient]) -> None:
    make_drug("PRED")
    doctor = login_as("doctor")
    page = doctor.get("/stock/")
    assert page.status_code == 200
    assert "Nhập kho" not in page.text.split("<footer")[0]
    assert doctor.post("/stock/receive", data=receipt()).status_code == 403
    assert login_as("cashier").get("/stock/").status_code == 403


def test_page_stays_within_12_statements(store: FlaskClient, count_statements: Any) -> None:
    for n in range(30):
        make_drug(f"D{n}", inn=f"substance {n}")
    with count_statements() as seen:
        assert store.get("/stock/?drug=D1").status_code == 200
    assert seen.count <= 12, seen.texts
