"""The clients against the stand-in servers over real HTTP on the loopback address."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import pytest
from werkzeug.serving import make_server

from his.gateways.base import Outcome, Unavailable
from his.gateways.insurer import CardQuestion, InsurerPortal
from his.gateways.national_rx import NationalPrescriptions
from his.gateways.standin.app import create_app
from his.insurance.rules import write_claim
from tests.insurance.claim_samples import adult_claim

pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    standin = make_server("127.0.0.1", 0, create_app(), threaded=True)
    thread = threading.Thread(target=standin.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{standin.server_port}"
    standin.shutdown()
    thread.join()


@pytest.fixture(autouse=True)
def calm(server: str) -> Iterator[None]:
    httpx.delete(f"{server}/control")
    yield
    httpx.delete(f"{server}/control")


def portal(server: str, total: float = 5) -> InsurerPortal:
    return InsurerPortal(f"{server}/insurer", "79999_BV", "demo", connect=1, total=total)


def ask(number: str, name: str = "", birth: str = "") -> CardQuestion:
    return CardQuestion(number, name, birth, "Lê Thị Thu Hà", "079185900001")


def test_valid_card_is_answered_with_its_dates(server: str) -> None:
    answer = portal(server).check_card(ask("079076900002"))
    assert (answer.code, answer.is_valid, answer.facility_code) == ("000", True, "79999")
    assert answer.card_number.startswith("GD4")
    assert answer.valid_to is not None


def test_replaced_card_gives_the_new_one(server: str) -> None:
    answer = portal(server).check_card(ask("TE1797900009903"))
    assert (answer.code, answer.was_replaced) == ("003", True)
    assert answer.card_number != "TE1797900009903"


@pytest.mark.parametrize(
    ("number", "name", "birth", "code"),
    [("GD4799999999999", "", "", "050"), ("XX", "", "", "052"), ("079076900002", "Người Khác", "", "060"),
     ("079076900002", "Trần Văn Thử", "01/01/2000", "070"), ("079290900004", "", "", "050")],
)  # fmt: skip
def test_refusals_keep_their_code(server: str, number: str, name: str, birth: str, code: str) -> None:
    answer = portal(server).check_card(ask(number, name, birth))
    assert (answer.code, answer.is_valid) == (code, False)


def test_numeric_codes_are_read_too(server: str) -> None:
    httpx.post(f"{server}/control", json={"numeric": True})
    assert portal(server).check_card(ask("079076900002")).code == "000"


@pytest.mark.parametrize("switch", [{"down": True}, {"html": True}])
def test_portal_down_is_unavailable(server: str, switch: dict[str, bool]) -> None:
    httpx.post(f"{server}/control", json=switch)
    with pytest.raises(Unavailable):
        portal(server).check_card(ask("079076900002"))


def test_nobody_listens_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        InsurerPortal("http://127.0.0.1:9", "79999_BV", "x", connect=0.5, total=1).check_card(ask("1"))


def test_expired_token_is_renewed_once(server: str) -> None:
    httpx.post(f"{server}/control", json={"token_seconds": 0})
    client = portal(server)
    answer = client.send_claim("79999", write_claim(adult_claim()))
    assert (answer.outcome, answer.code) == (Outcome.REFUSED, "401")
    httpx.post(f"{server}/control", json={"token_seconds": 600})
    assert client.send_claim("79999", write_claim(adult_claim())).outcome is Outcome.ACCEPTED


def test_claim_is_received_and_a_second_one_replaces_it(server: str) -> None:
    file = write_claim(adult_claim())
    first, second = (portal(server).send_claim("79999", file) for _ in range(2))
    assert first.outcome is second.outcome is Outcome.ACCEPTED
    assert first.body["maGiaoDich"] != second.body["maGiaoDich"]
    stored = httpx.get(f"{server}/control").json()["claims"]
    assert [c["replaced"] for c in stored] == [True, False]


def test_line_cut_after_the_file_was_taken_is_unknown(server: str) -> None:
    httpx.post(f"{server}/control", json={"drop": True})
    assert portal(server).send_claim("79999", write_claim(adult_claim())).outcome is Outcome.UNKNOWN
    assert len(httpx.get(f"{server}/control").json()["claims"]) == 1


def test_faulty_file_is_refused(server: str) -> None:
    answer = portal(server).send_claim("79999", b"<x/>")
    assert (answer.outcome, answer.code) == (Outcome.REFUSED, "205")


PRESCRIPTION = {
    "loai_don_thuoc": "c", "ma_don_thuoc": "79999a7k2m9q-c", "ho_ten_benh_nhan": "TRẦN VĂN THỬ",
    "ngay_sinh_benh_nhan": "15/03/1976", "gioi_tinh": 2, "dia_chi": "x", "hinh_thuc_dieu_tri": "1",
    "ngay_gio_ke_don": "2026-11-23 08:00:00", "chan_doan": [{"ma_chan_doan": "I10"}], "thong_tin_don_thuoc": [{"ma_thuoc": "1"}],
}  # fmt: skip


def test_prescription_is_taken_once_and_a_repeat_counts_as_sent(server: str) -> None:
    client = NationalPrescriptions(f"{server}/national-rx", "79999", "demo", connect=1, total=5)
    assert client.send("BS1", PRESCRIPTION).outcome is Outcome.ACCEPTED
    assert client.send("BS1", PRESCRIPTION).outcome is Outcome.ACCEPTED
    assert len(httpx.get(f"{server}/control").json()["prescriptions"]) == 1


def test_prescription_faults_are_refused(server: str) -> None:
    client = NationalPrescriptions(f"{server}/national-rx", "79999", "demo", connect=1, total=5)
    answer = client.send("BS1", {**PRESCRIPTION, "chan_doan": []})
    assert (answer.outcome, answer.code) == (Outcome.REFUSED, "422")
