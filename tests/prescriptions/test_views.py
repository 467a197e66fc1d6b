"""The prescription page: allowed, refused, valid, invalid, stale, counted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from his.core.actor import Actor
from his.core.db import session, transaction
from his.core.once import new_key
from his.prescriptions import queries, service
from his.prescriptions.enums import PrescriptionState
from his.records.models import Visit
from tests.factories.identity import login, make_user
from tests.factories.prescriptions import line, make_draft, make_drug, make_rx_visit, make_signed
from tests.factories.records import make_allergy, make_child, make_coverage

pytestmark = pytest.mark.usefixtures("db_session")


@pytest.fixture
def desk(app: Any, db_session: Any) -> tuple[FlaskClient, Actor]:
    """A doctor's browser and the doctor."""
    person = make_user("doctor")
    browser = app.test_client()
    login(browser, person)
    return browser, person.as_actor()


def fields(rx: Any | None, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the page's form as a browser sends it."""
    data: dict[str, Any] = {
        "prescription_id": rx.prescription_id if rx else "",
        "version": rx.version if rx else "",
        "advice": "",
        "follow_up_on": "",
    }
    for n, item in enumerate(lines):
        base = {
            "drug": "PRED",
            "dose": "3",
            "dose_unit": "viên",
            "times": "1",
            "frequency": "daily",
            "times_text": "",
            "days": "3",
            "quantity": "",
            "computed": "",
        }
        data |= {f"lines-{n}-{name}": value for name, value in {**base, **item}.items()}
    return data | more


def open_rx(visit: Visit) -> Any:
    session().expire_all()
    return queries.current_of(visit.visit_id)


def test_empty_page_opens_and_writes_nothing(desk: Any) -> None:
    browser, _doctor = desk
    visit = make_rx_visit()
    page = browser.get(f"/prescriptions/visits/{visit.visit_id}")
    assert page.status_code == 200
    assert "Đơn chưa có thuốc" in page.text
    assert queries.current_of(visit.visit_id) is None


def test_adding_a_drug_computes_dose_and_quantity(desk: Any) -> None:
    browser, _doctor = desk
    make_drug("PARA150")
    visit = make_rx_visit()
    answer = browser.post(f"/prescriptions/visits/{visit.visit_id}", data=fields(None, add_drug="PARA150"))
    assert answer.status_code == 303
    rx = open_rx(visit)
    assert [(x.drug_code, x.dose_unit, x.quantity) for x in rx.lines] == [
        ("PARA150", "gói", x.dose_amount * x.times_per_day * x.days) for x in rx.lines
    ]
    page = browser.get(answer.location)
    assert "mg/kg/lần" in page.text
    assert "Đủ điều kiện ký" in page.text


def test_fragment_answers_with_the_page_itself(desk: Any) -> None:
    browser, doctor = desk
    make_drug("PRED")
    visit = make_rx_visit()
    rx = make_draft(visit, line(), actor=doctor)
    answer = browser.post(
        f"/prescriptions/visits/{visit.visit_id}", data=fields(rx, {"days": "5"}), headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    assert 'id="rx-lines"' in answer.text
    assert open_rx(visit).lines[0].quantity == 15


def test_a_typed_quantity_stays_until_it_is_computed_again(desk: Any) -> None:
    browser, doctor = desk
    make_drug("PRED")
    visit = make_rx_visit()
    rx = make_draft(visit, line(), actor=doctor)
    url = f"/prescriptions/visits/{visit.visit_id}"
    browser.post(url, data=fields(rx, {"quantity": "20", "computed": "9"}))
    assert open_rx(visit).lines[0].quantity == 20
    page = browser.get(url)
    assert "Tính lại số lượng" in page.text
    browser.post(url, data=fields(open_rx(visit), {"quantity": "20", "computed": "9"}, do="quantity:0"))
    assert open_rx(visit).lines[0].quantity == 9


@pytest.mark.parametrize(
    ("bad", "says"),
    [({"dose": "-3"}, "Chỉ gõ số không âm"), ({"dose": ""}, "chưa nhập"), ({"days": "0"}, "Nhỏ nhất là 1"), ({"days": "1,5"}, "số nguyên"),
     ({"times": "99"}, "Lớn nhất là 24"), ({"quantity": "abc"}, "Chỉ gõ số không âm"), ({"drug": "NOPE"}, "Không có thuốc")],
)  # fmt: skip
def test_bad_values_stay_typed_with_the_message_at_the_line(desk: Any, bad: dict[str, str], says: str) -> None:
    browser, doctor = desk
    make_drug("PRED")
    visit = make_rx_visit()
    rx = make_draft(visit, line(), actor=doctor)
    answer = browser.post(f"/prescriptions/visits/{visit.visit_id}", data=fields(rx, {**bad}))
    assert answer.status_code == 422
    assert says in answer.text
    value = next(iter(bad.values()))
    assert f'value="{value}"' in answer.text
    assert open_rx(visit).lines[0].quantity == 9


def test_a_bad_date_is_refused_at_the_field(desk: Any) -> None:
    browser, doctor = desk
    make_drug("PRED")
    rx = make_draft(visit := make_rx_visit(), line(), actor=doctor)
    answer = browser.post(f"/prescriptions/visits/{visit.visit_id}", data=fields(rx, {}, follow_up_on="31/02/2027"))
    assert answer.status_code == 422
    assert 'value="31/02/2027"' in answer.text


def test_a_stale_page_shows_both_and_keeps_the_stored(desk: Any, app: Any) -> None:
    browser, doctor = desk
    make_drug("PRED")
    visit = make_rx_visit()
    rx = make_draft(visit, line(), actor=doctor)
    old = fields(rx, {"days": "7"})
    with transaction():
        service.set_lines(rx.prescription_id, [line(days=4)], advice="", follow_up_on=None, version=None, actor=doctor)
    answer = browser.post(f"/prescriptions/visits/{visit.visit_id}", data=old)
    assert answer.status_code == 409
    assert "vừa lưu đơn này" in answer.text
    assert "7 ngày" in answer.text
    assert 'name="lines-0-days" value="7"' in answer.text
    assert open_rx(visit).lines[0].days == 4


def test_two_first_pages_do_not_overwrite_each_other(desk: Any) -> None:
    browser, doctor = desk
    make_drug("PRED")
    visit = make_rx_visit()
    make_draft(visit, line(), actor=doctor)
    assert browser.post(f"/prescriptions/visits/{visit.visit_id}", data=fields(None, {"days": "7"})).status_code == 409
    assert open_rx(visit).lines[0].days == 3


@pytest.mark.parametrize(
    ("do", "expected"),
    [
        ("remove:0", []),
        ("dose:0:2", [(2, 6)]),
        ("days:0:2", [(3, 6)]),
        ("times:0:2", [(3, 18)]),
        ("remove:9", [(3, 9)]),
        ("dose:0:x", [(3, 9)]),
    ],
)
def test_offered_fixes_change_the_line(desk: Any, do: str, expected: list[tuple[int, int]]) -> None:
    browser, doctor = desk
    make_drug("PRED")
    visit = make_rx_visit()
    rx = make_draft(visit, line(), actor=doctor)
    assert browser.post(f"/prescriptions/visits/{visit.visit_id}", data=fields(rx, {}, do=do)).status_code == 303
    assert [(int(x.dose_amount), int(x.quantity)) for x in open_rx(visit).lines] == expected


def test_tier_1_shows_stop_and_no_sign_form(desk: Any) -> None:
    browser, doctor = desk
    child = make_child()
    make_allergy(child)
    make_drug("AMOX")
    visit = make_rx_visit(child)
    make_draft(visit, line("AMOX", "1", "gói", 3, 5), actor=doctor)
    page = browser.get(f"/prescriptions/visits/{visit.visit_id}").text
    assert 'class="alert-t1" role="alert"' in page
    assert "Còn 1 cảnh báo mức 1: chưa ký được" in page
    assert 'id="sign-form"' not in page
    assert 'aria-disabled="true"' in page


def test_answering_a_stop_with_a_short_reason_is_refused_and_with_a_full_one_signs(desk: Any) -> None:
    browser, doctor = desk
    child = make_child()
    make_allergy(child)
    make_drug("AMOX")
    visit = make_rx_visit(child)
    rx = make_draft(visit, line("AMOX", "1", "gói", 3, 5), actor=doctor)
    url = f"/prescriptions/visits/{visit.visit_id}"
    item = {"drug": "AMOX", "dose": "1", "dose_unit": "gói", "times": "3", "days": "5"}
    alert = {"alert-0x0": "allergy|amoxicillin", "do": "override:0x0:specialist"}
    short = browser.post(url, data=fields(rx, item, **alert, **{"reason-0x0": "đã hỏi"}))
    assert short.status_code == 422
    assert "ít nhất 15 ký tự" in short.text
    assert 'value="đã hỏi"' in short.text
    good = browser.post(
        url, data=fields(open_rx(visit), item, **alert, **{"reason-0x0": "Đã hội chẩn dị ứng, test da âm tính"})
    )
    assert good.status_code == 303
    page = browser.get(url).text
    assert "Đã hội chẩn dị ứng, test da âm tính" in page
    assert 'id="sign-form"' in page


def test_tier_2_offers_a_smaller_product_and_takes_a_ready_reason(desk: Any) -> None:
    browser, doctor = desk
    make_drug("PARA250")
    make_drug("PARA150")
    visit = make_rx_visit()
    rx = make_draft(visit, line("PARA250", "1", "gói", 4, 3), actor=doctor)
    url = f"/prescriptions/visits/{visit.visit_id}"
    page = browser.get(url).text
    assert "Đổi Hapacol 150 150mg: 10,6 mg/kg/lần" in page
    item = {"drug": "PARA250", "dose": "1", "dose_unit": "gói", "times": "4", "days": "3"}
    key = re.search(r'name="alert-0x0" value="([^"]+)"', page)
    assert key
    kept = browser.post(url, data=fields(rx, item, **{"alert-0x0": key.group(1), "do": "override:0x0:short_course"}))
    assert kept.status_code == 303
    assert open_rx(visit).overrides[0].reason_code == "short_course"
    swapped = browser.post(url, data=fields(open_rx(visit), item, do="swap:0:PARA150"))
    assert swapped.status_code == 303
    assert [(x.drug_code, x.times_per_day, x.days) for x in open_rx(visit).lines] == [("PARA150", 4, 3)]


def test_signing_by_the_page_twice_is_one_signature(desk: Any) -> None:
    browser, doctor = desk
    make_drug("PRED")
    visit = make_rx_visit()
    rx = make_draft(visit, line(), actor=doctor)
    data = {"idempotency_key": new_key(), "shown": service.shown_digest(rx)}
    for _ in range(2):
        answer = browser.post(f"/prescriptions/{rx.prescription_id}/sign", data=data)
        assert answer.status_code == 303
    signed = open_rx(visit)
    assert signed.state is PrescriptionState.SIGNED
    page = browser.get(f"/prescriptions/visits/{visit.visit_id}").text
    assert signed.code in page
    assert "chờ gửi" in page
    assert 'name="lines-0-dose"' not in page
    late = browser.post(f"/prescriptions/{rx.prescription_id}/sign", data={"idempotency_key": new_key()})
    assert late.status_code == 303


def test_signing_short_of_stock_says_which_drug(desk: Any) -> None:
    browser, doctor = desk
    make_drug("PRED", stock=5)
    visit = make_rx_visit()
    rx = make_draft(visit, line(), actor=doctor)
    assert "Kho không đủ: Prednisolon" in browser.get(f"/prescriptions/visits/{visit.visit_id}").text
    answer = browser.post(f"/prescriptions/{rx.prescription_id}/sign", data={"idempotency_key": new_key()})
    assert answer.status_code == 409
    assert "kho còn 5" in answer.text


def test_cancel_and_replace_ask_for_a_reason(desk: Any) -> None:
    browser, doctor = desk
    make_drug("PRED")
    visit = make_rx_visit()
    rx = make_signed(visit, line(), actor=doctor)
    missing = browser.post(
        f"/prescriptions/{rx.prescription_id}/cancel", data={"reason": "", "idempotency_key": new_key()}
    )
    assert missing.status_code == 422
    assert "Lý do: chưa nhập." in missing.text
    done = browser.post(
        f"/prescriptions/{rx.prescription_id}/replace",
        data={"reason": "đổi liều theo cân", "idempotency_key": new_key()},
    )
    assert done.status_code == 303
    assert open_rx(visit).supersedes_id == rx.prescription_id


def test_the_paper_leads_to_stored_bytes_and_a_draft_to_a_preview(desk: Any) -> None:
    browser, doctor = desk
    make_drug("PRED")
    visit = make_rx_visit()
    rx = make_draft(visit, line(), actor=doctor)
    preview = browser.get(f"/prescriptions/{rx.prescription_id}/paper")
    assert (preview.status_code, preview.mimetype) == (200, "application/pdf")
    with transaction():
        service.sign(rx.prescription_id, actor=doctor)
    first = browser.get(f"/prescriptions/{rx.prescription_id}/paper")
    again = browser.get(f"/prescriptions/{rx.prescription_id}/paper")
    assert first.status_code == 302
    assert first.location == again.location


@pytest.mark.parametrize("role", ["clerk", "cashier", "lab_tech"])
def test_others_do_not_see_prescriptions(login_as: Callable[..., FlaskClient], role: str) -> None:
    visit = make_rx_visit()
    assert login_as(role).get(f"/prescriptions/visits/{visit.visit_id}").status_code == 403


def test_a_nurse_reads_and_does_not_write(login_as: Callable[..., FlaskClient], actor: Callable[..., Actor]) -> None:
    make_drug("PRED")
    visit = make_rx_visit()
    make_draft(visit, line(), actor=actor("doctor"))
    nurse = login_as("nurse")
    page = nurse.get(f"/prescriptions/visits/{visit.visit_id}")
    assert page.status_code == 200
    assert 'name="lines-0-dose"' not in page.text
    assert nurse.post(f"/prescriptions/visits/{visit.visit_id}", data=fields(None)).status_code == 403


def test_unknown_visit_and_foreign_prescription_are_not_found(desk: Any) -> None:
    browser, doctor = desk
    make_drug("PRED")
    assert browser.get("/prescriptions/visits/999999").status_code == 404
    rx = make_draft(make_rx_visit(), line(), actor=doctor)
    other = make_rx_visit()
    answer = browser.post(f"/prescriptions/visits/{other.visit_id}", data=fields(rx, {}))
    assert answer.status_code == 404
    assert queries.current_of(other.visit_id) is None


def test_ten_lines_and_a_long_history_stay_within_12_statements(desk: Any, count_statements: Any) -> None:
    browser, doctor = desk
    child = make_child()
    coverage = make_coverage(child)
    for n in range(10):
        make_drug(f"D{n}", inn=f"substance {n}", strength="10mg", stock=5000)
    for _ in range(4):
        make_signed(
            make_rx_visit(child, coverage=coverage), *(line(f"D{n}", "1", days=1) for n in range(10)), actor=doctor
        )
    visit = make_rx_visit(child, coverage=coverage)
    make_draft(visit, *(line(f"D{n}", "1", days=3) for n in range(10)), actor=doctor)
    session().expunge_all()
    with count_statements() as seen:
        page = browser.get(f"/prescriptions/visits/{visit.visit_id}")
    assert page.status_code == 200
    assert page.text.count('class="rxrow') == 10
    assert seen.count <= 12, "\n".join(text[:90].replace("\n", " ") for text in seen.texts)


def test_panel_record_and_check_speak_of_the_draft(desk: Any) -> None:
    from his.core.module import registry

    _browser, doctor = desk
    make_drug("PRED")
    visit = make_rx_visit()
    module = next(m for m in registry().modules if m.name == "prescriptions")
    check, panel, section = module.visit_checks[0], module.visit_panels[0], module.record_sections[0]
    assert check(visit.visit_id) == ()
    rx = make_draft(visit, line(), actor=doctor)
    assert [f.field for f in check(visit.visit_id)] == ["prescription"]
    values = panel.values(visit.visit_id, doctor)
    assert values["line_count"] == 1
    assert values["prescriptions"][0].lines[0].quantity == "09 viên"
    with transaction():
        service.sign(rx.prescription_id, actor=doctor)
    assert check(visit.visit_id) == ()
    entry = section.entries(visit.patient_id, [visit.visit_id], doctor)[0]
    assert entry.title.endswith("đã ký")
    assert entry.url == f"/prescriptions/visits/{visit.visit_id}?rx={rx.prescription_id}"


@pytest.mark.parametrize(
    "bad",
    [{"add_drug": "NOPE"}, {"do": "swap:0:NOPE"}, {"do": "override:0x0:nonsense"}, {"do": "override:9:monitored"}],
)
def test_stale_or_forged_buttons_are_refused_in_words(desk: Any, bad: dict[str, str]) -> None:
    browser, doctor = desk
    make_drug("PRED")
    rx = make_draft(visit := make_rx_visit(), line(), actor=doctor)
    answer = browser.post(f"/prescriptions/visits/{visit.visit_id}", data=fields(rx, {}, **bad))
    assert answer.status_code in (409, 422)
    assert 'class="err-summary"' in answer.text
    assert [x.drug_code for x in open_rx(visit).lines] == ["PRED"]


@pytest.mark.parametrize("field", ["version", "prescription_id"])
@pytest.mark.parametrize("value", ["9" * 40, "x", "-1", "1.5"])
def test_nonsense_in_hidden_fields_breaks_nothing(desk: Any, field: str, value: str) -> None:
    browser, doctor = desk
    make_drug("PRED")
    rx = make_draft(visit := make_rx_visit(), line(), actor=doctor)
    answer = browser.post(
        f"/prescriptions/visits/{visit.visit_id}", data=fields(rx, {}) | {field: value, "do": "swap:77:PRED"}
    )
    assert answer.status_code in (303, 404, 409, 422)
    assert open_rx(visit).lines[0].quantity == 9


def test_more_than_fifty_lines_are_refused(desk: Any) -> None:
    browser, doctor = desk
    make_drug("PRED")
    rx = make_draft(visit := make_rx_visit(), line(), actor=doctor)
    answer = browser.post(f"/prescriptions/visits/{visit.visit_id}", data=fields(rx, *({} for _ in range(51))))
    assert answer.status_code == 422
    assert "nhiều nhất 50 thuốc" in answer.text
