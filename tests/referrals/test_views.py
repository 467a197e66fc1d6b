"""The referral screens over HTTP: allowed, refused, valid, invalid, not found; and what a page costs."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader

from his.audit.models import AuditEvent
from his.core.db import session, transaction
from his.referrals import queries, service
from his.referrals.enums import ReferralState
from tests.factories.identity import TestUser, login, make_user
from tests.factories.records import make_child, make_old_visits
from tests.factories.referrals import drafted, form, issued, make_case, signed

pytestmark = pytest.mark.usefixtures("db_session")


@pytest.fixture
def doctor() -> TestUser:
    return make_user("doctor")


@pytest.fixture
def head() -> TestUser:
    return make_user("head")


@pytest.fixture
def browse(app: Any) -> Callable[[TestUser], FlaskClient]:
    """Sign a person in."""

    def make(person: TestUser) -> FlaskClient:
        browser: FlaskClient = app.test_client()
        login(browser, person)
        return browser

    return make


def url(referral: Any, *parts: str) -> str:
    return "/".join([f"/referrals/{referral.referral_id}", *parts])


def page_url(visit_id: int) -> str:
    return f"/referrals/visits/{visit_id}"


def fresh(referral: Any) -> Any:
    session().expire_all()
    return queries.get(referral.referral_id)


# --- who may --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["nurse", "clerk", "cashier", "administrator"])
def test_other_roles_do_not_open_referrals(login_as: Callable[[str], FlaskClient], role: str) -> None:
    browser = login_as(role)
    assert browser.get("/referrals/").status_code == 403
    assert browser.get(page_url(1)).status_code == 403


def test_an_unknown_visit_is_not_found(login_as: Callable[[str], FlaskClient]) -> None:
    assert login_as("doctor").get(page_url(9_999_999)).status_code == 404


def test_a_doctor_does_not_issue(doctor: TestUser, browse: Any) -> None:
    referral = signed(doctor.as_actor())
    assert browse(doctor).post(url(referral, "issue")).status_code == 403
    assert fresh(referral).state is ReferralState.SIGNED


def test_a_manager_with_power_of_signature_reads_and_issues(doctor: TestUser, browse: Any) -> None:
    referral = signed(doctor.as_actor())
    browser = browse(make_user("manager"))
    assert "Ký phát hành" in browser.get("/referrals/").text
    assert browser.post(url(referral, "issue")).status_code == 303
    assert fresh(referral).state is ReferralState.ISSUED


# --- draft and form -------------------------------------------------------------------------------------------------


def test_a_visit_without_a_referral_offers_to_make_one(doctor: TestUser, browse: Any) -> None:
    visit = make_case(doctor.as_actor())
    browser = browse(doctor)
    assert "Lập phiếu chuyển" in browser.get(page_url(visit.visit_id)).text
    answer = browser.post(f"{page_url(visit.visit_id)}/draft")
    assert (answer.status_code, answer.location) == (303, f"{page_url(visit.visit_id)}?edit=1")
    page = browser.get(answer.location).text
    assert "Phổi ran ngáy hai bên." in page
    assert "Chưa chọn nơi nhận" in page


def test_half_a_draft_can_be_saved_and_says_what_is_missing(doctor: TestUser, browse: Any) -> None:
    referral = drafted(doctor.as_actor())
    browser = browse(doctor)
    answer = browser.post(url(referral), data=form(plan="", version=str(referral.version)))
    assert answer.status_code == 303
    page = browser.get(answer.location).text
    assert "Hướng điều trị: chưa ghi." in page
    assert "7/8" in page
    assert fresh(referral).plan == ""


def test_a_complete_draft_is_shown_as_the_paper(doctor: TestUser, browse: Any) -> None:
    referral = drafted(doctor.as_actor())
    page = browse(doctor).get(page_url(referral.visit_id)).text
    assert "8/8" in page
    assert url(referral, "preview") in page
    assert "Sửa nội dung" in page


def test_too_long_a_text_is_refused_at_its_field_and_kept(doctor: TestUser, browse: Any) -> None:
    referral = drafted(doctor.as_actor())
    text = "Mệt. " * 500
    answer = browse(doctor).post(url(referral), data=form(clinical_signs=text, version=str(referral.version)))
    assert answer.status_code == 422
    assert 'id="clinical_signs-err"' in answer.text
    assert text.strip() in answer.text
    assert fresh(referral).clinical_signs != text


def test_a_wrong_reason_is_refused(doctor: TestUser, browse: Any) -> None:
    referral = drafted(doctor.as_actor())
    assert browse(doctor).post(url(referral), data=form(reason="9")).status_code == 422


def test_saving_a_stale_page_keeps_what_was_typed(doctor: TestUser, browse: Any) -> None:
    referral = drafted(doctor.as_actor())
    stale = str(referral.version - 1)
    answer = browse(doctor).post(url(referral), data=form(plan="Chữ vừa gõ.", version=stale))
    assert answer.status_code == 409
    assert "Chữ vừa gõ." in answer.text
    assert "vừa được sửa ở nơi khác" in answer.text
    assert fresh(referral).plan != "Chữ vừa gõ."


# --- sign and issue -------------------------------------------------------------------------------------------------


def test_what_is_typed_is_what_is_signed(doctor: TestUser, browse: Any) -> None:
    referral = drafted(doctor.as_actor())
    answer = browse(doctor).post(url(referral, "sign"), data=form(plan="Phẫu thuật ngay.", version=str(referral.version)))
    assert answer.status_code == 303
    found = fresh(referral)
    assert found.state is ReferralState.SIGNED
    assert found.snapshot["paper"]["plan"] == "Phẫu thuật ngay."


def test_signing_with_gaps_shows_them_and_changes_nothing(doctor: TestUser, browse: Any) -> None:
    referral = drafted(doctor.as_actor())
    before = referral.condition
    answer = browse(doctor).post(url(referral, "sign"), data=form(condition="", version=str(referral.version)))
    assert answer.status_code == 422
    assert 'id="condition-err"' in answer.text
    assert "Tình trạng người bệnh lúc chuyển: chưa ghi." in answer.text
    assert "7/8" in answer.text
    found = fresh(referral)
    assert (found.state, found.condition) == (ReferralState.DRAFT, before)


def test_a_refused_signature_keeps_the_chosen_destination(doctor: TestUser, browse: Any) -> None:
    visit = make_case(doctor.as_actor())
    with transaction():
        referral = service.draft(visit.visit_id, actor=doctor.as_actor())
    answer = browse(doctor).post(url(referral, "sign"), data=form(result_code="", version=str(referral.version)))
    assert answer.status_code == 422
    assert 'value="Bệnh viện Chợ Rẫy"' in answer.text
    assert "Chưa chọn nơi nhận" not in answer.text
    assert "Chưa chọn kết quả điều trị." in answer.text


def test_signing_without_the_pin_is_refused(browse: Any) -> None:
    doctor = make_user("doctor", proved=False)
    referral = drafted(doctor.as_actor())
    assert browse(doctor).post(url(referral, "sign"), data={"version": str(referral.version)}).status_code == 403
    assert fresh(referral).state is ReferralState.DRAFT


def test_signing_twice_is_harmless(doctor: TestUser, browse: Any) -> None:
    referral = drafted(doctor.as_actor())
    browser = browse(doctor)
    for _ in range(2):
        assert browser.post(url(referral, "sign"), data={"version": str(referral.version)}).status_code == 303
    assert fresh(referral).state is ReferralState.SIGNED


def test_the_head_issues_from_the_list(doctor: TestUser, head: TestUser, browse: Any) -> None:
    referral = signed(doctor.as_actor())
    browser = browse(head)
    assert "Bệnh viện Chợ Rẫy" in browser.get("/referrals/?tab=waiting").text
    answer = browser.post(url(referral, "issue"), data={"next": "list"})
    assert (answer.status_code, answer.location) == (303, "/referrals/")
    assert fresh(referral).number in browser.get("/referrals/?tab=register").text


# --- paper ----------------------------------------------------------------------------------------------------------


def test_a_draft_prints_only_as_a_marked_preview(doctor: TestUser, browse: Any) -> None:
    referral = drafted(doctor.as_actor())
    answer = browse(doctor).get(url(referral, "paper"))
    assert answer.mimetype == "application/pdf"
    assert "BẢN NHÁP" in PdfReader(BytesIO(answer.data)).pages[0].extract_text()
    assert fresh(referral).paper_id is None


def test_an_issued_paper_prints_the_stored_bytes(doctor: TestUser, head: TestUser, browse: Any) -> None:
    referral = issued(doctor.as_actor(), head.as_actor())
    browser = browse(doctor)
    answers = [browser.get(url(referral, "paper"), follow_redirects=True).data for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0].startswith(b"%PDF")


def test_the_preview_is_the_paper_without_script_or_inline_style(doctor: TestUser, browse: Any) -> None:
    referral = drafted(doctor.as_actor())
    browser = browse(doctor)
    page = browser.get(url(referral, "preview")).text
    assert "PHIẾU CHUYỂN CƠ SỞ KHÁM BỆNH, CHỮA BỆNH BẢO HIỂM Y TẾ" in page
    assert "<script" not in page
    assert "style=" not in page
    css = browser.get("/papers/paper.css")
    assert css.mimetype == "text/css"
    assert "paper:" not in css.text
    assert "/static/fonts/paper/LiberationSerif-Regular.ttf" in css.text


# --- cancel and replace ---------------------------------------------------------------------------------------------


def test_cancelling_needs_a_reason_at_its_field(doctor: TestUser, browse: Any) -> None:
    referral = signed(doctor.as_actor())
    browser = browse(doctor)
    refused = browser.post(url(referral, "cancel"), data={"reason": ""})
    assert refused.status_code == 422
    assert 'id="reason-err"' in refused.text
    short = browser.post(url(referral, "cancel"), data={"reason": "sai"})
    assert short.status_code == 409
    assert "ít nhất 5 ký tự" in short.text
    assert browser.post(url(referral, "cancel"), data={"reason": "Gia đình đổi ý"}).status_code == 303
    assert fresh(referral).state is ReferralState.CANCELLED


def test_a_draft_is_dropped_without_questions(doctor: TestUser, browse: Any) -> None:
    referral = drafted(doctor.as_actor())
    assert browse(doctor).post(url(referral, "cancel")).status_code == 303
    assert fresh(referral).state is ReferralState.CANCELLED


def test_replacing_opens_a_draft_with_the_same_words(doctor: TestUser, head: TestUser, browse: Any) -> None:
    referral = issued(doctor.as_actor(), head.as_actor())
    browser = browse(doctor)
    answer = browser.post(url(referral, "replace"), data={"reason": "Sai hướng điều trị"})
    assert answer.status_code == 303
    page = browser.get(answer.location).text
    assert "phiếu thay: Sai hướng điều trị" in page
    assert "Truyền khối hồng cầu." in page
    assert browser.post(url(referral, "replace"), data={"reason": "Sai hướng điều trị"}).status_code == 409


# --- what it costs, what it leaves ----------------------------------------------------------------------------------


def test_opening_a_referral_is_audited(doctor: TestUser, browse: Any) -> None:
    referral = drafted(doctor.as_actor())
    browse(doctor).get(page_url(referral.visit_id))
    seen = session().query(AuditEvent).filter_by(visit_id=referral.visit_id, action="audit.view").all()
    assert any(event.details.get("what") == "referral" for event in seen)


@pytest.mark.parametrize("state", ["draft", "signed", "issued"])
def test_the_screen_costs_few_statements_whatever_the_history(
    doctor: TestUser, head: TestUser, browse: Any, count_statements: Any, state: str
) -> None:
    patient = make_child(months=66)
    make_old_visits(patient, 60)
    visit = make_case(doctor.as_actor(), patient=patient)
    if state == "issued":
        issued(doctor.as_actor(), head.as_actor(), visit)
    else:
        (drafted if state == "draft" else signed)(doctor.as_actor(), visit)
    browser = browse(doctor)
    with count_statements() as seen:
        assert browser.get(f"{page_url(visit.visit_id)}?edit=1").status_code == 200
    assert seen.count <= 12, "\n".join(t[:160].replace("\n", " ") + " … " + t[-120:].replace("\n", " ") for t in seen.texts)


def test_the_list_costs_few_statements_whatever_its_length(
    doctor: TestUser, head: TestUser, browse: Any, count_statements: Any
) -> None:
    for _ in range(6):
        signed(doctor.as_actor(), make_case(doctor.as_actor(), patient=make_child(months=66)))
    browser = browse(head)
    with count_statements() as seen:
        assert browser.get("/referrals/").status_code == 200
    assert seen.count <= 6, seen.texts


def test_the_doctors_page_and_the_record_show_the_referral(doctor: TestUser, browse: Any) -> None:
    referral = signed(doctor.as_actor())
    page = browse(doctor).get(f"/examination/visits/{referral.visit_id}").text
    assert "Chuyển cơ sở" in page
    entries = queries.record_entries(referral.patient_id, [referral.visit_id], doctor.as_actor())
    assert entries[0].lines[0] == "Đến Bệnh viện Chợ Rẫy"
    nurse = make_user("nurse").as_actor()
    assert queries.record_entries(referral.patient_id, [referral.visit_id], nurse) == ()


def test_a_dropped_draft_stays_in_the_history_of_the_visit(doctor: TestUser, browse: Any) -> None:
    referral = drafted(doctor.as_actor())
    with transaction():
        service.cancel(referral.referral_id, "", actor=doctor.as_actor())
    assert "bỏ bản nháp" in browse(doctor).get(page_url(referral.visit_id)).text
