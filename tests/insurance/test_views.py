"""The claims screens: who may open them, what they show, what each button does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from his.core.db import session, transaction
from his.core.outbox import OutboxState
from his.insurance import queries, service, tasks
from his.insurance.enums import ClaimState
from his.insurance.models import ClaimFile
from his.records.models import Patient
from tests.factories import insurance as make
from tests.insurance import structure


@pytest.fixture
def staff(db_session: Any) -> make.Staff:
    return make.ready()


@pytest.fixture
def browser(staff: make.Staff, login_as: Callable[..., FlaskClient]) -> FlaskClient:
    return login_as("insurance_clerk")


@pytest.fixture
def good(staff: make.Staff) -> ClaimFile:
    return make.claim_of(staff, make.journey(staff, "child", imaging_too=False))


@pytest.fixture
def bad(staff: make.Staff) -> ClaimFile:
    """A referral whose paper was never made, of a patient without a commune."""
    made = make.journey(staff, "adult", referral=True, issue="no")
    with transaction() as here:
        here.execute(update(Patient).where(Patient.patient_id == made.patient_id).values(commune_code=""))
        here.expire_all()
    return make.claim_of(staff, made)


def text(response: Any) -> str:
    assert response.status_code == 200, response.get_data(as_text=True)[:2000]
    return str(response.get_data(as_text=True))


PAGES = ("/insurance/", "/insurance/sendings", "/insurance/exports")


@pytest.mark.parametrize("path", PAGES)
def test_pages_open_for_the_claims_office_only(browser: FlaskClient, login_as: Callable[..., FlaskClient], path: str) -> None:
    assert browser.get(path).status_code == 200
    assert login_as("doctor").get(path).status_code == 403
    assert login_as("cashier").get(path).status_code == 403


def test_a_stranger_is_sent_to_the_door(client: FlaskClient) -> None:
    response = client.get("/insurance/")
    assert response.status_code in (302, 303)
    assert "/identity/login" in response.headers["Location"]


@pytest.mark.parametrize("month", ["2026-13", "abc", "2026-1"])
def test_no_such_month_is_said_in_words(browser: FlaskClient, month: str) -> None:
    response = browser.get("/insurance/", query_string={"month": month})
    assert response.status_code == 422
    assert "Gõ dạng 2026-11" in response.get_data(as_text=True)


def test_an_empty_month_says_what_comes_next(browser: FlaskClient) -> None:
    assert "Hồ sơ tự lập sau khi lượt khám thanh toán" in text(browser.get("/insurance/?month=2031-01"))


def test_groups_by_who_can_fix_with_value_rule_person_and_link(browser: FlaskClient, bad: ClaimFile, staff: make.Staff) -> None:
    page = text(browser.get("/insurance/", query_string={"group": "clerk:XML1-MAXA_CU_TRU-REQ"}))
    assert "Bác sĩ sửa được" in page
    assert "Tiếp đón sửa được" in page
    assert "<code>MAXA_CU_TRU</code>" in page
    assert "để trống" in page
    assert staff.clerk.name in page
    finding = next(f for f in queries.findings_of(bad.claim_id) if f.rule_id == "XML13-ALL-SEND")
    assert finding.message in page
    assert f"/referrals/visits/{bad.visit_id}" in page  # the link to the screen that mends it


def test_at_first_the_workbench_shows_the_errors_of_the_first_role(browser: FlaskClient, bad: ClaimFile, good: ClaimFile) -> None:
    page = text(browser.get("/insurance/"))
    assert bad.visit_code in page
    assert good.visit_code not in page


@pytest.mark.parametrize(("view", "sees_good", "sees_bad"), [("all", True, True), ("clean", True, False), ("faulty", False, True), ("sent", False, False)])
def test_states_filter_the_list(browser: FlaskClient, good: ClaimFile, bad: ClaimFile, view: str, sees_good: bool, sees_bad: bool) -> None:
    page = text(browser.get("/insurance/", query_string={"view": view}))
    assert (good.visit_code in page, bad.visit_code in page) == (sees_good, sees_bad)


def test_the_list_is_found_by_visit_code(browser: FlaskClient, good: ClaimFile, bad: ClaimFile) -> None:
    page = text(browser.get("/insurance/", query_string={"view": "all", "q": good.visit_code}))
    assert good.visit_code in page
    assert bad.visit_code not in page


def test_a_claim_shows_every_official_field_of_each_table(browser: FlaskClient, bad: ClaimFile) -> None:
    for code in bad.rows:
        page = text(browser.get(f"/insurance/claims/{bad.claim_id}", query_string={"table": code}))
        names = [field["name"] for field in structure.TABLES[code]["fields"]]
        places = [page.index(f"<code>{name}</code>") for name in names]
        assert len(places) == len(names)
    assert "Đinh" not in page
    assert bad.digest[:16] in page


def test_an_unknown_claim_is_not_found(browser: FlaskClient) -> None:
    assert browser.get("/insurance/claims/999999").status_code == 404
    assert browser.post("/insurance/claims/999999/submit").status_code == 404
    assert browser.get("/insurance/exports/999999/progress").status_code == 404


def test_looking_at_a_claim_is_in_the_access_log(browser: FlaskClient, good: ClaimFile) -> None:
    from his.audit.models import AuditEvent

    browser.get(f"/insurance/claims/{good.claim_id}")
    seen = session().query(AuditEvent).filter_by(action="audit.view", visit_id=good.visit_id).all()
    assert [event.details for event in seen] == [{"what": "claim"}]


def test_rebuilding_shows_the_new_version(browser: FlaskClient, good: ClaimFile) -> None:
    with transaction() as here:
        here.execute(update(Patient).where(Patient.code == good.rows["XML1"][0]["MA_BN"]).values(address_text="5 Đường Mới"))
    response = browser.post(f"/insurance/claims/{good.claim_id}/rebuild", data={"reason": "Sửa địa chỉ người bệnh", "idempotency_key": "k"})
    assert response.status_code == 303
    page = text(browser.get(response.headers["Location"]))
    assert "Đã lập bản 2" in page
    assert "Thay bởi bản 2" in page
    assert "5 Đường Mới" in page


def test_rebuilding_without_a_reason_keeps_the_page_with_the_message(browser: FlaskClient, good: ClaimFile) -> None:
    response = browser.post(f"/insurance/claims/{good.claim_id}/rebuild", data={"reason": " "})
    assert response.status_code == 422
    assert "Ghi đã sửa gì" in response.get_data(as_text=True)
    assert len(queries.versions_of(good.visit_id)) == 1


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/insurance/", "/insurance/\\evil", "/identity/logout"])
def test_a_foreign_way_back_is_not_taken(browser: FlaskClient, good: ClaimFile, back: str) -> None:
    response = browser.post(f"/insurance/claims/{good.claim_id}/submit", data={"back": back})
    assert response.headers["Location"] == f"/insurance/claims/{good.claim_id}"


def test_sending_one_claim(browser: FlaskClient, good: ClaimFile) -> None:
    response = browser.post(f"/insurance/claims/{good.claim_id}/submit", data={"back": "/insurance/?view=all"})
    assert (response.status_code, response.headers["Location"]) == (303, "/insurance/?view=all")
    session().expire_all()
    assert queries.get_claim(good.claim_id).state is ClaimState.SENDING
    assert good.visit_code in text(browser.get("/insurance/sendings"))


def test_a_faulty_claim_is_not_sent(browser: FlaskClient, bad: ClaimFile) -> None:
    response = browser.post(f"/insurance/claims/{bad.claim_id}/submit")
    assert response.status_code == 409
    assert "lỗi phải sửa" in response.get_data(as_text=True)


def test_sending_a_month(browser: FlaskClient, good: ClaimFile, bad: ClaimFile) -> None:
    response = browser.post("/insurance/submit", data={"month": good.settlement_month, "idempotency_key": "k"})
    assert response.status_code == 303
    assert "Đang gửi 1 hồ sơ" in text(browser.get(response.headers["Location"]))
    assert "Không có hồ sơ nào đạt" in text(browser.get(browser.post("/insurance/submit", data={"month": good.settlement_month}).headers["Location"]))


def test_building_a_month(browser: FlaskClient, staff: make.Staff) -> None:
    made = make.journey(staff, "child", imaging_too=False)
    response = browser.post("/insurance/build", data={"month": f"{queries.claims.clock.today():%Y-%m}"})
    assert "Đã lập 1 hồ sơ mới" in text(browser.get(response.headers["Location"]))
    assert queries.claim_of_visit(made.visit_id) is not None


def test_the_portal_s_answers_are_listed_and_an_unknown_one_may_be_sent_again(browser: FlaskClient, good: ClaimFile, staff: make.Staff) -> None:
    with transaction():
        service.submit(good.claim_id, actor=staff.insurance)
        service.record_answer(good.claim_id, OutboxState.UNKNOWN, message="ReadTimeout")
    page = text(browser.get("/insurance/sendings"))
    assert "ReadTimeout" in page
    assert "Chưa rõ" in page
    assert f"/insurance/claims/{good.claim_id}/submit" in page


def test_a_claim_file_is_downloaded_as_it_would_be_sent(browser: FlaskClient, good: ClaimFile) -> None:
    response = browser.get(f"/insurance/claims/{good.claim_id}/file")
    assert response.status_code == 200
    assert structure.breaches(response.data) == []
    assert f'filename="{good.visit_code}.xml"' in response.headers["Content-Disposition"]


def test_the_card_is_asked_again_and_a_portal_that_is_down_changes_nothing(browser: FlaskClient, good: ClaimFile) -> None:
    response = browser.post(f"/insurance/claims/{good.claim_id}/card-check")
    assert "Cổng BHYT chưa trả lời" in text(browser.get(response.headers["Location"]))


def test_an_export_shows_its_progress_by_version_and_can_be_downloaded(browser: FlaskClient, good: ClaimFile) -> None:
    assert browser.post("/insurance/exports", data={"month": good.settlement_month}).status_code == 303
    export = queries.latest_export(good.settlement_month)
    assert export is not None
    address = f"/insurance/exports/{export.export_id}"
    first = browser.get(f"{address}/progress").get_json()
    assert (first["done"], first["finished"]) == (0, False)
    assert browser.get(f"{address}/progress", query_string={"version": first["version"]}).status_code == 204
    assert browser.get(f"{address}/download").status_code == 422
    tasks.export_month(export.export_id)
    last = browser.get(f"{address}/progress", query_string={"version": first["version"]}).get_json()
    assert (last["done"], last["total"], last["finished"]) == (1, 1, True)
    assert f"{address}/download" in text(browser.get("/insurance/exports"))
    response = browser.get(f"{address}/download")
    packed = response.data
    response.close()
    assert packed == Path(f"{queries.get_export(export.export_id).folder}.zip").read_bytes()


@pytest.mark.parametrize("path", ["/insurance/", "/insurance/?view=all&page=3", "/insurance/sendings", "/insurance/exports"])
def test_lists_take_at_most_12_statements_with_5000_claims(
    browser: FlaskClient, bad: ClaimFile, count_statements: Any, path: str
) -> None:
    make.many_claims(bad, 5000)
    session().expire_all()
    with count_statements() as seen:
        assert browser.get(path).status_code == 200
    assert seen.count <= 12, "\n".join(seen.texts)


def test_a_claim_page_takes_at_most_12_statements(browser: FlaskClient, bad: ClaimFile, count_statements: Any) -> None:
    session().expire_all()
    with count_statements() as seen:
        assert browser.get(f"/insurance/claims/{bad.claim_id}").status_code == 200
    assert seen.count <= 12, "\n".join(seen.texts)
    with count_statements() as seen:
        assert browser.get(f"/insurance/claims/{bad.claim_id}/detail").status_code == 200
    assert seen.count <= 12, "\n".join(seen.texts)
