"""Search, the assembled record, correcting data, allergies: through HTTP."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from his.catalogues.models import Commune, Province
from his.core import clock
from his.core.actor import SYSTEM
from his.core.db import session, transaction
from his.records import queries, service
from his.records.enums import AllergyStatus
from his.records.models import Allergy, Patient
from tests.factories.records import (
    make_allergy,
    make_child,
    make_coverage,
    make_old_visits,
    make_patient,
    make_visit,
    reload,
)

SINCE = date(2025, 7, 1)


def text_of(response: Any) -> str:
    return html.unescape(response.get_data(as_text=True))


def form_of(page: str, form_id: str, **changes: Any) -> dict[str, Any]:
    form = page[page.index(f'id="{form_id}"') :]
    form = form[: form.index("</form>")]
    data: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            data[name[1]] = html.unescape(value[1]) if value else ""
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option selected value="([^"]*)"', options)
        data[name] = chosen[1] if chosen else ""
    return {**data, **changes}


# --- search -------------------------------------------------------------------------------------------------------------


def test_the_top_bar_finds_people_and_offers_what_the_role_may_do(login_as: Callable[..., FlaskClient]) -> None:
    patient = make_patient("Nguyễn Thị Hoa")
    clerk, officer = login_as("clerk"), login_as("records_officer")
    page = text_of(clerk.post("/records/find", data={"q": "hoa nguyen"}))
    assert "Nguyễn Thị Hoa" in page
    assert f"/registration/?p={patient.patient_id}" in page
    assert f'href="/records/patients/{patient.patient_id}"' not in page
    assert f'href="/records/patients/{patient.patient_id}"' in text_of(officer.post("/records/find", data={"q": "hoa nguyen"}))
    assert clerk.get("/records/find?q=hoa").status_code == 405, "names do not travel in addresses"


@pytest.mark.parametrize("words", ["", "zzzz", "<script>alert(1)</script>", "%' OR 1=1", "x" * 5000])
def test_a_search_without_hits_says_what_to_try(login_as: Callable[..., FlaskClient], words: str) -> None:
    answer = login_as("clerk").post("/records/find", data={"q": words})
    assert answer.status_code == 200
    assert "Không thấy người bệnh nào" in text_of(answer)
    assert "<script>alert" not in answer.get_data(as_text=True)


def test_search_needs_few_statements(login_as: Callable[..., FlaskClient], count_statements: Any) -> None:
    for letter in "ABCDEFGHIKLM":
        make_visit(make_patient(f"Trần Văn {letter}"))
    browser = login_as("clerk")
    with count_statements() as seen:
        browser.post("/records/find", data={"q": "tran van"})
    assert seen.count <= 12, seen.texts


# --- the record -----------------------------------------------------------------------------------------------------------


def test_the_record_shows_banner_timeline_and_who_may_see_the_log(login_as: Callable[..., FlaskClient]) -> None:
    child = make_child()
    make_allergy(child)
    make_old_visits(child, 3)
    make_visit(child, incoming_paper_kind="transfer", incoming_paper_number="000031/2026", incoming_facility_code="79901",
               incoming_signed_on=clock.today())  # fmt: skip
    officer = login_as("records_officer")
    page = text_of(officer.get(f"/records/patients/{child.patient_id}"))
    for words in ("NGUYỄN NGỌC BẢO AN", "Amoxicilin", "4 lượt khám", f"/records/patients/{child.patient_id}/older"):
        assert words in page
    timeline = text_of(officer.get(f"/records/patients/{child.patient_id}/older"))
    for words in ("Năm 2020", "Nhận chuyển từ cơ sở 79901", "000031/2026"):
        assert words in timeline
    side = text_of(officer.get(f"/records/patients/{child.patient_id}/side"))
    assert "Ai đã xem hồ sơ" in side
    assert "Xem hồ sơ" in side
    assert "Ai đã xem hồ sơ" not in text_of(login_as("nurse").get(f"/records/patients/{child.patient_id}/side"))


def test_opening_a_record_is_logged_once_a_minute(login_as: Callable[..., FlaskClient]) -> None:
    patient = make_patient()
    officer = login_as("records_officer")
    for _ in range(3):
        officer.get(f"/records/patients/{patient.patient_id}")
    views = [e for e in queries.access_log(patient.patient_id) if e.action == "audit.view"]
    assert [e.details for e in views] == [{"what": "record"}]


def test_older_years_come_on_demand_until_the_end(login_as: Callable[..., FlaskClient]) -> None:
    patient = make_patient()
    make_old_visits(patient, 90)
    browser = login_as("records_officer")
    page = text_of(browser.get(f"/records/patients/{patient.patient_id}?tab=visits"))
    codes: list[str] = []
    for _ in range(5):
        codes += re.findall(rf"79999-{patient.patient_id}-\d{{6}}", page)
        link = re.search(r'data-older="([^"]+)"', page)
        if link is None:
            break
        page = text_of(browser.get(link[1]))
    assert len(codes) == len(set(codes)) == 90
    assert "Hết hồ sơ" in page


@pytest.mark.parametrize("before", ["abc", "-5", "nan", "inf", "1e99"])
def test_a_strange_moment_begins_at_the_newest(login_as: Callable[..., FlaskClient], before: str) -> None:
    patient = make_patient()
    make_old_visits(patient, 2)
    assert login_as("records_officer").get(f"/records/patients/{patient.patient_id}/older?before={before}").status_code == 200


@pytest.mark.parametrize("address", ["", "?tab=visits", "/older", "/older?before=1600000000", "/side", "/edit"])
def test_a_long_history_costs_no_more_statements(login_as: Callable[..., FlaskClient], count_statements: Any, address: str) -> None:
    patient = make_patient()
    make_coverage(patient)
    make_allergy(patient)
    make_old_visits(patient, 200)
    browser = login_as("records_officer")
    with count_statements() as seen:
        assert browser.get(f"/records/patients/{patient.patient_id}{address}").status_code == 200
    assert seen.count <= 12, seen.texts


@pytest.mark.parametrize("role", ["clerk", "cashier", "pharmacist", "manager", "auditor", "administrator"])
def test_who_does_not_treat_does_not_open_records(login_as: Callable[..., FlaskClient], role: str) -> None:
    patient = make_patient()
    browser = login_as(role)
    assert browser.get(f"/records/patients/{patient.patient_id}").status_code == 403
    assert browser.get(f"/records/patients/{patient.patient_id}/older").status_code == 403
    assert browser.get(f"/records/patients/{patient.patient_id}/side").status_code == 403


def test_an_unknown_patient_is_not_found(login_as: Callable[..., FlaskClient]) -> None:
    browser = login_as("records_officer")
    for address in ("", "/edit"):
        assert browser.get(f"/records/patients/999999{address}").status_code == 404


# --- administrative data -----------------------------------------------------------------------------------------------------


@pytest.fixture
def clerk(login_as: Callable[..., FlaskClient]) -> FlaskClient:
    with transaction() as here:
        here.add(Province(code="79", name="Thành phố Hồ Chí Minh", valid_from=SINCE))
        here.add(Commune(code="26740", province_code="79", name="Phường Sài Gòn", valid_from=SINCE))
    return login_as("clerk")


def open_form(browser: FlaskClient, patient: Patient, **changes: Any) -> dict[str, Any]:
    return form_of(text_of(browser.get(f"/records/patients/{patient.patient_id}/edit?next=/registration/")), "edit", **changes)


def test_data_are_corrected_and_the_way_back_is_kept(clerk: FlaskClient) -> None:
    child = make_child()
    data = open_form(clerk, child, full_name="Nguyễn Ngọc Bảo Ân", address_line="7 Hẻm 3", commune_code="26740", guardian_phone="0911222333",
                     personal_number="079325900001", birth_on="03/2023")  # fmt: skip
    answer = clerk.post(f"/records/patients/{child.patient_id}/edit", data=data)
    assert answer.location == "/registration/"
    fresh = reload(child)
    assert (fresh.full_name, fresh.address_text) == ("Nguyễn Ngọc Bảo Ân", "7 Hẻm 3, Phường Sài Gòn, Thành phố Hồ Chí Minh")
    assert (fresh.commune_code, fresh.province_code, fresh.birth_precision.value) == ("26740", "79", "month")
    assert (fresh.guardians[0].phone, queries.personal_number_of(fresh)) == ("0911222333", "079325900001")


def test_an_untouched_address_keeps_its_printed_form(clerk: FlaskClient) -> None:
    patient = make_patient(address_text="12 Đường Hoa Sen, Phường Cũ, Quận 9")
    clerk.post(f"/records/patients/{patient.patient_id}/edit", data=open_form(clerk, patient, phone="0900000007"))
    assert reload(patient).address_text == "12 Đường Hoa Sen, Phường Cũ, Quận 9"
    assert reload(patient).phone == "0900000007"


def test_a_conflict_shows_both_values_and_either_can_win(clerk: FlaskClient) -> None:
    patient = make_patient(phone="0900000001")
    mine = open_form(clerk, patient, phone="0900000003")
    with transaction():
        service.update_patient(patient.patient_id, {"phone": "0900000002"}, patient.version, actor=SYSTEM)
    answer = clerk.post(f"/records/patients/{patient.patient_id}/edit", data=mine)
    page = text_of(answer)
    assert answer.status_code == 409
    for words in ("Người khác vừa sửa hồ sơ này", "0900000002", "0900000003", "Giữ bản đang có", "Dùng bản của tôi"):
        assert words in page
    assert reload(patient).phone == "0900000002"
    again = form_of(page, "edit")
    assert clerk.post(f"/records/patients/{patient.patient_id}/edit", data=again).status_code == 303
    assert reload(patient).phone == "0900000003"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"full_name": ""}, "chưa nhập"),
        ({"full_name": "N" * 200}, "nhiều nhất 120"),
        ({"birth_on": "01/01/2099"}, "ở tương lai"),
        ({"birth_on": "32/01/2020"}, "không có thật"),
        ({"birth_on": ""}, "chưa nhập"),
        ({"personal_number": "123"}, "12 chữ số"),
        ({"sex": "X"}, "err"),
    ],
)
def test_wrong_data_are_refused_at_the_field_and_stay_on_the_page(clerk: FlaskClient, changes: dict[str, str], words: str) -> None:
    patient = make_patient("Trần Văn Đúng")
    answer = clerk.post(f"/records/patients/{patient.patient_id}/edit", data=open_form(clerk, patient, workplace="Xưởng may") | changes)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert "Xưởng may" in text_of(answer)
    assert (reload(patient).full_name, reload(patient).workplace) == ("Trần Văn Đúng", "")


def test_anothers_personal_number_is_refused(clerk: FlaskClient) -> None:
    make_patient(personal_number="079085900123")
    patient = make_patient()
    answer = clerk.post(f"/records/patients/{patient.patient_id}/edit", data=open_form(clerk, patient, personal_number="079085900123"))
    assert answer.status_code == 422
    assert "đã có ở một hồ sơ khác" in text_of(answer)


def test_a_card_can_be_typed_by_hand(clerk: FlaskClient) -> None:
    patient = make_patient()
    address = f"/records/patients/{patient.patient_id}/cards"
    refused = clerk.post(address, data={"card_number": "GD479", "registered_facility_code": "79999", "valid_from": "01/01/2026"})
    assert refused.status_code == 422
    assert "5 ký tự, cần đúng 15" in text_of(refused)
    assert clerk.post(address, data={"card_number": "gd4 79 7900000001", "registered_facility_code": "79999", "valid_from": "010126"}).status_code == 303
    assert [c.card_number for c in reload(patient).coverages] == ["GD4797900000001"]


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_to_a_foreign_page(clerk: FlaskClient, target: str) -> None:
    patient = make_patient()
    answer = clerk.post(f"/records/patients/{patient.patient_id}/edit", data=open_form(clerk, patient, next=target))
    assert answer.location == f"/records/patients/{patient.patient_id}/edit"


def test_a_nurse_does_not_correct_administrative_data(login_as: Callable[..., FlaskClient]) -> None:
    patient = make_patient()
    assert login_as("nurse").post(f"/records/patients/{patient.patient_id}/edit", data={}).status_code == 403


# --- allergies ------------------------------------------------------------------------------------------------------------------


def allergies() -> list[Allergy]:
    return list(session().execute(select(Allergy).order_by(Allergy.allergy_id)).scalars())


def test_an_allergy_is_recorded_once_whatever_is_clicked(login_as: Callable[..., FlaskClient]) -> None:
    patient = make_patient()
    doctor = login_as("doctor")
    data = {"substance": "Amoxicilin", "reaction": "mày đay", "idempotency_key": "k" * 20, "next": "/examination/"}
    for _ in range(2):
        answer = doctor.post(f"/records/patients/{patient.patient_id}/allergies", data=data)
        assert (answer.status_code, answer.location) == (303, "/examination/")
    assert [(a.substance, a.reaction) for a in allergies()] == [("Amoxicilin", "mày đay")]


def test_the_exam_page_gets_a_short_answer(login_as: Callable[..., FlaskClient]) -> None:
    patient = make_patient()
    answer = login_as("doctor").post(f"/records/patients/{patient.patient_id}/no-allergy", headers={"Accept": "application/json"})
    assert answer.get_json()["saved"] is True
    assert reload(patient).allergy_status is AllergyStatus.NONE_KNOWN


def test_an_empty_allergy_is_refused_in_words(login_as: Callable[..., FlaskClient]) -> None:
    patient = make_patient()
    answer = login_as("doctor").post(
        f"/records/patients/{patient.patient_id}/allergies", data={"substance": " ", "idempotency_key": "x"}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.get_json()["findings"][0]["field"] == "substance"
    assert "chưa nhập" in answer.get_json()["message"]
    assert allergies() == []


def test_a_wrong_allergy_is_taken_back(login_as: Callable[..., FlaskClient]) -> None:
    patient = make_patient()
    allergy = make_allergy(patient)
    nurse = login_as("nurse")
    assert nurse.post(f"/records/patients/{patient.patient_id}/allergies/{allergy.allergy_id}/void", data={"reason": "nhầm"}).status_code == 303
    session().expire_all()
    assert allergies()[0].void_reason == "nhầm"
    assert nurse.post(f"/records/patients/{patient.patient_id}/allergies/{allergy.allergy_id}/void").status_code == 409


@pytest.mark.parametrize("role", ["clerk", "pharmacist", "cashier"])
def test_allergies_are_written_by_those_who_treat(login_as: Callable[..., FlaskClient], role: str) -> None:
    patient = make_patient()
    assert login_as(role).post(f"/records/patients/{patient.patient_id}/allergies", data={"substance": "x"}).status_code == 403


def test_the_records_page_offers_a_search_and_what_this_person_opened_last(login_as: Callable[..., FlaskClient]) -> None:
    first, second = make_patient("Đỗ Thị Một"), make_patient("Lê Văn Hai")
    officer = login_as("records_officer")
    assert "Chưa mở hồ sơ nào" in text_of(officer.get("/records/"))
    for patient in (first, second):
        officer.get(f"/records/patients/{patient.patient_id}")
    page = text_of(officer.get("/records/"))
    assert 'action="/records/find"' in page
    assert page.index("Lê Văn Hai") < page.index("Đỗ Thị Một"), "newest first"
    assert login_as("doctor").get("/records/").status_code == 200
    assert login_as("clerk").get("/records/").status_code == 403
    assert officer.get("/").headers["Location"] == "/records/", "it is the records officer's home"
