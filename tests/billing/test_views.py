"""The cashier's screens: who may, what is shown, what bad input gets."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from his.audit.models import AuditEvent
from his.billing.models import Payment, Settlement
from his.core.db import session
from his.core.once import new_key
from tests.factories import billing as make
from tests.factories.records import make_old_visits


def form(**changes: str) -> dict[str, str]:
    return {"idempotency_key": new_key(), "expected": "110120", "method": "cash", "tendered": "", **changes}


@pytest.fixture
def visit(actor):
    return make.to_pay(actor("doctor"))


@pytest.mark.parametrize("role", ["doctor", "nurse", "pharmacist", "lab_tech", "clerk"])
def test_only_money_roles_open_the_cashier(login_as, role: str) -> None:
    assert login_as(role).get("/billing/").status_code == 403


def test_a_visitor_is_sent_to_sign_in(client) -> None:
    assert client.get("/billing/").status_code in (302, 303)


def test_an_insurance_clerk_reads_a_bill_and_takes_no_money(login_as, visit) -> None:
    browser = login_as("insurance_clerk")
    page = browser.get(f"/billing/visits/{visit.visit_id}").text
    assert "110.120" in page
    assert "pay-form" not in page
    assert browser.post(f"/billing/visits/{visit.visit_id}/pay", data=form()).status_code == 403


def test_the_list_shows_name_amount_and_state(login_as, visit) -> None:
    page = login_as("cashier").get("/billing/").text
    assert visit.patient.full_name in page
    assert "110.120 đ" in page
    assert "Chờ thu" in page


@pytest.mark.parametrize("state", ["in_exam", "paid", "nonsense"])
def test_empty_lists_say_what_to_do(login_as, db_session, state: str) -> None:
    assert "empty-h" in login_as("cashier").get(f"/billing/?state={state}").text


def test_the_live_part_answers_only_when_something_changed(login_as, visit, actor) -> None:
    browser = login_as("cashier")
    version = re.search(r'data-version="([^"]+)"', browser.get("/billing/").text).group(1)
    assert browser.get(f"/billing/part?state=to_pay&version={version}").status_code == 204
    make.settle(visit, actor("cashier"))
    fresh = browser.get(f"/billing/part?state=to_pay&version={version}")
    assert (fresh.status_code, fresh.headers["X-Version"] != version) == (200, True)
    assert visit.patient.full_name not in fresh.text


def test_a_scan_opens_the_bill(login_as, visit) -> None:
    answer = login_as("cashier").post("/billing/find", data={"q": visit.code})
    assert (answer.status_code, answer.location) == (303, f"/billing/visits/{visit.visit_id}")


def test_an_unknown_scan_says_what_to_do_and_keeps_the_text(login_as, visit) -> None:
    answer = login_as("cashier").post("/billing/find", data={"q": "khong co ai ca"})
    assert answer.status_code == 422
    assert "Không thấy lượt khám" in answer.text
    assert "khong co ai ca" in answer.text


def test_a_scan_of_200_letters_and_more_is_refused(login_as, visit) -> None:
    assert login_as("cashier").post("/billing/find", data={"q": "x" * 300}).status_code == 422


def test_the_bill_gives_sections_split_reasons_and_words(login_as, visit) -> None:
    page = login_as("cashier").get(f"/billing/visits/{visit.visit_id}").text
    for text in ("1. Khám bệnh", "4. Chẩn đoán hình ảnh", "440.480", "Mã đối tượng 1.1", "Mức hưởng 80%",
                 "Một trăm mười nghìn một trăm hai mươi đồng", "hưởng 80%"):  # fmt: skip
        assert text in page, text


def test_opening_a_bill_is_on_the_access_log(login_as, visit) -> None:
    login_as("cashier").get(f"/billing/visits/{visit.visit_id}")
    event = session().execute(select(AuditEvent).where(AuditEvent.action == "audit.view")).scalars().first()
    assert (event.patient_id, event.visit_id, event.details) == (visit.patient_id, visit.visit_id, {"what": "bill"})


def test_payment_shows_receipt_change_and_prints(login_as, visit) -> None:
    browser = login_as("cashier")
    answer = browser.post(f"/billing/visits/{visit.visit_id}/pay", data=form(tendered="200.000"))
    assert answer.status_code == 303
    page = browser.get(answer.location).text
    payment = session().execute(select(Payment)).scalar_one()
    for text in (payment.receipt_number, "89.880 đ", f"/billing/payments/{payment.payment_id}/receipt", "In bảng kê"):
        assert text in page, text


def test_a_bill_the_fund_pays_whole_is_confirmed_without_money(login_as, actor) -> None:
    visit = make.to_pay(actor("doctor"), extra=0)
    browser = login_as("cashier")
    assert "Xác nhận, không thu tiền" in browser.get(f"/billing/visits/{visit.visit_id}").text
    answer = browser.post(f"/billing/visits/{visit.visit_id}/pay", data=form(expected="0"))
    assert answer.status_code == 303
    assert session().execute(select(func.count()).select_from(Payment)).scalar_one() == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tendered": "100.000"}, "còn thiếu 10.120 đ"),
        ({"tendered": "mười"}, "Chỉ gõ số đồng"),
        ({"tendered": "-5"}, "Chỉ gõ số đồng"),
        ({"tendered": "١٠٠"}, "Chỉ gõ số đồng"),
        ({"tendered": "1.00"}, "Chỉ gõ số đồng"),
        ({"expected": "1"}, "Chi phí vừa thay đổi"),
        ({"expected": "abc"}, "Trang đã cũ"),
        ({"expected": ""}, "pay-form"),
        ({"method": "gold"}, "pay-form"),
        ({"idempotency_key": ""}, "Biểu mẫu đã cũ"),
    ],
)
def test_bad_input_is_told_at_the_field_and_nothing_is_paid(
    login_as, visit, changes: dict[str, str], message: str
) -> None:
    answer = login_as("cashier").post(f"/billing/visits/{visit.visit_id}/pay", data=form(**changes))
    assert answer.status_code == 422
    assert message in answer.text
    if "tendered" in changes:
        assert f'value="{changes["tendered"]}"' in answer.text
    assert session().execute(select(func.count()).select_from(Settlement)).scalar_one() == 0


def test_a_visit_with_the_doctor_says_why_it_is_not_paid(login_as, actor) -> None:
    doctor = actor("doctor")
    patient, coverage = make.adult()
    visit = make.examined_adult(doctor, patient, coverage=coverage)
    browser = login_as("cashier")
    page = browser.get(f"/billing/visits/{visit.visit_id}").text
    assert "Bác sĩ chưa kết thúc" in page
    assert "disabled" in page
    answer = browser.post(f"/billing/visits/{visit.visit_id}/pay", data=form(expected="0"))
    assert answer.status_code == 422
    assert "Bác sĩ chưa kết thúc" in answer.text


def test_an_unknown_visit_is_not_found(login_as, db_session) -> None:
    assert login_as("cashier").get("/billing/visits/424242").status_code == 404
    assert login_as("cashier").get("/billing/payments/424242/receipt").status_code == 404


def test_taking_back_is_for_another_cashier_with_a_reason(login_as, visit, actor) -> None:
    mine, other = login_as("cashier"), login_as("cashier")
    url = f"/billing/visits/{visit.visit_id}"
    mine.post(f"{url}/pay", data=form())
    assert "nhờ thu ngân khác" in mine.get(url).text
    refused = mine.post(f"{url}/void", data={"reason": "thu nhầm người"})
    assert refused.status_code == 422
    assert "Nhờ thu ngân khác hủy" in refused.text
    assert other.post(f"{url}/void", data={"reason": ""}).status_code == 422
    assert other.post(f"{url}/void", data={"reason": "sai"}).status_code == 422
    assert other.post(f"{url}/void", data={"reason": "thu nhầm người"}).status_code == 303
    page = other.get(url).text
    assert "−110.120 đ" in page
    assert "thu nhầm người" in page
    assert "pay-form" in page


def test_papers_open_from_the_bill(login_as, visit, actor) -> None:
    payment = make.settle(visit, actor("cashier")).payments[0]
    browser = login_as("cashier")
    for url in (f"/billing/payments/{payment.payment_id}/receipt", f"/billing/visits/{visit.visit_id}/bill"):
        answer = browser.get(url)
        assert answer.status_code in (302, 303)
        assert browser.get(answer.location).data[:5] == b"%PDF-"


def test_screens_stay_within_twelve_statements_whatever_the_history(login_as, actor, visit, count_statements) -> None:
    doctor, cashier = actor("doctor"), actor("cashier")
    for n in range(5):
        make.to_pay(doctor, extra=100_000 * n)
    for _ in range(8):
        paid = make.to_pay(doctor)
        make.settle(paid, cashier)
    make_old_visits(visit.patient, 60)
    browser = login_as("cashier")
    for url in ("/billing/", "/billing/?state=paid", "/billing/part", f"/billing/visits/{visit.visit_id}",
                f"/billing/visits/{paid.visit_id}"):  # fmt: skip
        session().expire_all()
        with count_statements() as seen:
            assert browser.get(url).status_code == 200
        assert seen.count <= 12, (url, seen.count, seen.texts)


def test_amounts_are_whole_dong_with_dots(login_as, actor) -> None:
    visit = make.to_pay(actor("doctor"), extra=0, card="")
    page = login_as("cashier").get(f"/billing/visits/{visit.visit_id}").text
    assert "50.600 đ" in page
    assert not re.search(r"\d,\d\d đ", page)
