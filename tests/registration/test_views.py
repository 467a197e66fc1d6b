"""The desk and the queue through HTTP: one scan, one Enter; every refusal has its sentence; few statements."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from his.core import clock
from his.core.db import session, transaction
from his.records import queries as records
from his.records import service as records_service
from his.records.enums import VisitState
from his.records.models import Coverage, Patient, Visit
from his.registration.models import CardCheck, QueueTicket
from tests.factories.records import make_child, make_coverage, make_old_visits, make_patient
from tests.factories.registration import make_clinic, register
from tests.registration.conftest import Portal

CARD = "GD4797900000002"
CHIP = "079085900002||Trần Văn Thử|15031985|Nam|12 Đường Hoa Sen, Phường Sài Gòn, Thành phố Hồ Chí Minh|10062021"
CHILD_CARD = (
    "TE1797900000036|56c3b520c490e1bba9632048c6b06e67|{birth}|1|-|79 - 999|01/01/2026|31/12/2099|01/01/2026|"
    "7900000000000001|-|4|-|1a2b3c4d5e6f7081-7102|$"
)


@pytest.fixture
def desk(login_as: Callable[..., FlaskClient], portal: Portal) -> FlaskClient:
    make_clinic("214", "Hô hấp 2", sort=1)
    make_clinic("101", "Nhi tổng quát 1", exam_service="KB01", sort=2)
    return login_as("clerk", default_room="Q3")


def text_of(response: Any) -> str:
    return html.unescape(response.get_data(as_text=True))


def field_of(page: str, name: str) -> str:
    tag = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
    assert tag, name
    value = re.search(r'value="([^"]*)"', tag[0])
    return html.unescape(value[1]) if value else ""


def scan(desk: FlaskClient, text: str) -> Any:
    return desk.post("/registration/scan", data={"scan": text}, follow_redirects=True)


def form_of(page: str, **changes: Any) -> dict[str, Any]:
    """The register form as the page would send it when Enter is pressed."""
    form = page[page.index('id="register"') :]
    form = form[: form.index("</form>")]
    data: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if not name or (('type="radio"' in tag or 'type="checkbox"' in tag) and " checked" not in tag):
            continue
        data[name[1]] = html.unescape(value[1]) if value else ""
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option selected value="([^"]*)"', options)
        data[name] = chosen[1] if chosen else re.search(r'value="([^"]*)"', options)[1]  # type: ignore[index]
    return {**data, "action": "print", **changes}


def visits() -> list[Visit]:
    return list(session().execute(select(Visit).order_by(Visit.visit_id)).scalars())


def known(**data: Any) -> Patient:
    patient = make_patient("Trần Văn Thử", personal_number="079085900002", **data)
    make_coverage(patient, CARD)
    return patient


# --- the promise: one scan, one Enter ----------------------------------------------------------------------------------


def test_a_returning_patient_needs_one_scan_and_one_enter(desk: FlaskClient, portal: Portal) -> None:
    patient = known()
    portal.says(card=CARD)
    page = text_of(scan(desk, CHIP))
    assert "TRẦN VĂN THỬ" in page
    assert "Hợp lệ" in page
    done = desk.post("/registration/register", data=form_of(page))
    assert done.status_code == 303
    assert done.location == "/registration/"
    (visit,) = visits()
    assert (visit.patient_id, visit.room_code, visit.subject_code) == (patient.patient_id, "214", "1.1")
    after = text_of(desk.get("/registration/"))
    assert "Đã tiếp đón 214-001 · Trần Văn Thử" in after
    assert f"/registration/visits/{visit.visit_id}/undo" in after
    assert f'data-print-now="/registration/visits/{visit.visit_id}/slip"' in after
    assert "data-scan-field" in after
    assert "data-print-now" not in text_of(desk.get("/registration/")), "printed once, not at every look"


def test_saving_without_paper_prints_nothing(desk: FlaskClient, portal: Portal) -> None:
    known()
    portal.says(card=CARD)
    page = text_of(scan(desk, CHIP))
    desk.post("/registration/register", data=form_of(page, action="save"))
    after = text_of(desk.get("/registration/"))
    assert "data-print-now" not in after
    assert 'data-key="F9"' in after


def test_a_scan_never_stands_in_an_address(desk: FlaskClient, portal: Portal) -> None:
    portal.says(card=CARD)
    answer = desk.post("/registration/scan", data={"scan": CHIP})
    assert answer.status_code == 303
    assert "079085900002" not in answer.location
    assert "Th" not in answer.location
    assert desk.get("/registration/scan").status_code == 405


def test_a_double_click_registers_once(desk: FlaskClient, portal: Portal) -> None:
    known()
    portal.says(card=CARD)
    data = form_of(text_of(scan(desk, CHIP)))
    assert [desk.post("/registration/register", data=data).status_code for _ in range(2)] == [303, 303]
    assert len(visits()) == 1


def test_the_page_shows_number_split_and_reason_before_printing(desk: FlaskClient, portal: Portal) -> None:
    known()
    portal.says(card=CARD, facility="79901")
    page = text_of(scan(desk, CHIP))
    for words in ("214-001", "50.600 đ", "mã", "1.12", "tự đến", "Người bệnh trả", "Số sẽ cấp"):
        assert words in page
    fees = re.search(r'data-fees="([^"]*)"', desk.get(f"/registration/?p={records.by_code(known_code()).patient_id}").get_data(as_text=True))  # type: ignore[union-attr]
    assert fees
    assert '"CHUYEN"' in html.unescape(fees[1])


def known_code() -> str:
    return str(session().execute(select(Patient.code).order_by(Patient.patient_id.desc())).scalars().first())


# --- cards ----------------------------------------------------------------------------------------------------------------


def test_a_portal_that_is_down_is_said_and_never_blocks(desk: FlaskClient) -> None:
    known()
    page = text_of(scan(desk, CHIP))
    assert "Chưa xác minh" in page
    assert "Chưa kết nối được cổng BHYT" in page
    assert desk.post("/registration/register", data=form_of(page)).status_code == 303
    assert visits()[0].subject_code == "1.1"


def test_a_replaced_card_is_said(desk: FlaskClient, portal: Portal) -> None:
    known()
    portal.says("003", card=CARD, maTheMoi="GD4797900000888", maDKBDMoi="79999", gtTheTuMoi="01/01/2026", gtTheDenMoi="31/12/2099")
    page = text_of(scan(desk, CARD))
    assert "Thẻ cũ đã được thay (mã 003). Đã tự dùng thẻ mới" in page
    assert "GD4 79 7900000888" in page


def test_a_refused_card_means_self_paying_with_the_reason(desk: FlaskClient, portal: Portal) -> None:
    known()
    portal.says("110", card=CARD)
    page = text_of(scan(desk, CARD))
    assert "Thẻ đã thu hồi (mã 110)" in page
    assert desk.post("/registration/register", data=form_of(page)).status_code == 303
    assert visits()[0].subject_code == "9"


def test_a_fresh_answer_is_not_asked_for_again_but_can_be(desk: FlaskClient, portal: Portal) -> None:
    patient = known()
    portal.says(card=CARD)
    for _ in range(3):
        scan(desk, CHIP)
    assert len(portal.asked) == 1
    desk.post("/registration/check", data={"patient_id": patient.patient_id})
    assert len(portal.asked) == 2


# --- new people -------------------------------------------------------------------------------------------------------------


def test_a_new_adult_is_prefilled_from_the_chip_card_and_one_enter_registers(desk: FlaskClient, portal: Portal) -> None:
    portal.says(card=CARD)
    page = text_of(scan(desk, CHIP))
    assert field_of(page, "personal_number") == "079085900002"
    assert "từ căn cước" in page
    assert "Chưa có hồ sơ" in page
    assert desk.post("/registration/register", data=form_of(page)).status_code == 303
    patient = records.by_identifier("079085900002")
    assert patient is not None
    assert (patient.full_name, f"{patient.birth_on}", patient.sex.value) == ("Trần Văn Thử", "1985-03-15", "M")
    assert patient.address_text.startswith("12 Đường Hoa Sen")
    assert session().execute(select(Coverage.card_number)).scalars().all() == [CARD]
    check = session().execute(select(CardCheck)).scalar_one()
    assert (check.patient_id, check.visit_id) == (patient.patient_id, visits()[0].visit_id)


def test_a_new_child_needs_guardian_and_phone_and_weight_is_asked(desk: FlaskClient, portal: Portal) -> None:
    birth = clock.today() - timedelta(days=500)
    portal.says(card="TE1797900000036")
    page = text_of(scan(desk, CHILD_CARD.format(birth=f"{birth:%d/%m/%Y}")))
    assert "Cân nặng" in page
    assert "cân hôm nay" in page
    refused = desk.post("/registration/register", data=form_of(page))
    assert refused.status_code == 422
    assert "Nhập tên mẹ, cha hoặc người đi cùng" in text_of(refused)
    again = form_of(text_of(refused), guardian_name="Lê Thị Châu", weight_kg="9,8")
    refused = desk.post("/registration/register", data=again)
    assert "Điện thoại người đưa trẻ: chưa nhập" in text_of(refused)
    assert field_of(text_of(refused), "weight_kg") == "9,8", "what was typed stays"
    data = form_of(text_of(refused), guardian_phone="0900 118 204")
    assert desk.post("/registration/register", data=data).status_code == 303
    visit = visits()[0]
    assert (visit.guardian_name, f"{visit.weight_kg}", visit.benefit_rate) == ("Lê Thị Châu", "9.80", "100")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"full_name": ""}, "Họ và tên: chưa nhập"),
        ({"full_name": "N" * 200}, "dài 200 ký tự, nhiều nhất 120"),
        ({"full_name": "Nguyễn <b>"}, "chỉ gồm chữ"),
        ({"birth_on": "01/01/2099"}, "Ngày sinh ở tương lai"),
        ({"birth_on": "31/02/2020"}, "Ngày sinh không có thật"),
        ({"birth_on": ""}, "Ngày sinh: chưa nhập"),
        ({"birth_on": "1850"}, "quá xa"),
        ({"sex": ""}, "Giới tính: chưa chọn"),
        ({"personal_number": "0790859"}, "phải đủ 12 chữ số"),
        ({"card_number": "GD479790000"}, "có 11 ký tự"),
        ({"card_number": CARD}, "Giá trị từ: chưa nhập"),
        ({"weight_kg": "-3"}, "Chỉ gõ số không âm"),
        ({"weight_kg": "900"}, "Lớn nhất là 300"),
        ({"room_code": "999"}, "Phòng khám: chưa chọn"),
        ({"room_code": ""}, "Phòng khám: chưa chọn"),
    ],
)
def test_bad_input_of_a_new_patient_has_its_sentence_and_saves_nothing(desk: FlaskClient, changes: dict[str, str], words: str) -> None:
    page = text_of(desk.get("/registration/?new=1"))
    data = form_of(page, full_name="Lạ Thị Người", birth_on="1980", sex="F") | changes
    answer = desk.post("/registration/register", data=data)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert f'value="{data["full_name"]}"' in text_of(answer), "what was typed stays"
    assert visits() == []
    assert records.find("la thi nguoi") == []


def test_only_a_birth_year_may_be_known(desk: FlaskClient) -> None:
    page = text_of(desk.get("/registration/?new=1"))
    assert desk.post("/registration/register", data=form_of(page, full_name="Cụ Bà Lớn", birth_on="1938", sex="F")).status_code == 303
    patient = session().execute(select(Patient)).scalar_one()
    assert (patient.birth_precision.value, patient.birth_on.year) == ("year", 1938)
    assert visits()[0].priority == "từ 75 tuổi"


def test_a_likely_duplicate_is_a_panel_and_one_more_enter(desk: FlaskClient) -> None:
    first = make_patient("Trần Gia Hưng", birth_on=clock.today() - timedelta(days=9000))
    page = text_of(desk.get("/registration/?new=1"))
    typed = {"full_name": "Tran Gia Hung", "birth_on": f"{first.birth_on:%d/%m/%Y}", "sex": "M"}
    answer = desk.post("/registration/register", data=form_of(page, **typed))
    again = text_of(answer)
    assert answer.status_code == 422
    assert "Có thể trùng hồ sơ" in again
    assert "Giống: tên, ngày sinh, giới tính" in again
    assert first.code in again
    assert desk.post("/registration/register", data=form_of(again, **typed)).status_code == 303


def test_a_document_can_be_given_to_the_likely_duplicate(desk: FlaskClient, portal: Portal) -> None:
    patient = make_patient("Trần Văn Thử")
    portal.says(card=CARD)
    page = text_of(scan(desk, CHIP))
    assert "Là một người" in page
    answer = desk.post("/registration/same-person", data={"patient_id": patient.patient_id, "state": field_of(page, "state")}, follow_redirects=True)
    assert "079085900002" in text_of(answer)
    found = records.by_identifier("079085900002")
    assert found is not None
    assert found.patient_id == patient.patient_id
    assert session().execute(select(Coverage.patient_id)).scalars().all() == [patient.patient_id]


def test_a_personal_number_of_somebody_else_is_refused_at_its_field(desk: FlaskClient) -> None:
    known()
    page = text_of(desk.get("/registration/?new=1"))
    data = form_of(page, full_name="Người Khác Hẳn", birth_on="01/02/1960", sex="F", personal_number="079085900002")
    answer = desk.post("/registration/register", data=data)
    assert answer.status_code == 422
    assert "Số định danh này đã có ở một hồ sơ khác" in text_of(answer)


def test_the_live_check_for_duplicates_answers_a_part_of_the_page(desk: FlaskClient) -> None:
    make_patient("Trần Gia Hưng")
    answer = desk.post("/registration/duplicates", data={"full_name": "tran gia hung", "birth_on": "15/03/1985", "sex": "M"})
    assert "Có thể trùng hồ sơ" in text_of(answer)
    assert "<html" not in text_of(answer)
    nobody = desk.post("/registration/duplicates", data={"full_name": "ai do", "birth_on": "", "sex": ""})
    assert "Có thể trùng" not in text_of(nobody)


def test_an_old_address_offers_its_new_communes(desk: FlaskClient, portal: Portal) -> None:
    from his.catalogues.models import Commune, CommuneChange

    with transaction() as here:
        since = clock.today().replace(year=2025, month=1, day=1)
        for code, name in (("26740", "Phường Sài Gòn"), ("26743", "Phường Bến Thành")):
            here.add(Commune(code=code, province_code="79", name=name, valid_from=since))
            here.add(
                CommuneChange(old_folded="phuong ben nghe quan 1 tp ho chi minh", old_province_code="79", old_name="x",
                              new_commune_code=code, is_split=True, is_default=code == "26740")
            )  # fmt: skip
    page = text_of(scan(desk, CHIP.replace("Phường Sài Gòn, Thành phố Hồ Chí Minh", "Phường Bến Nghé, Quận 1, TP Hồ Chí Minh")))
    assert "Địa chỉ trên thẻ là địa chỉ cũ" in page
    assert 'data-commune="26740"' in page
    assert 'data-commune="26743"' in page


def test_checking_a_typed_card_keeps_what_was_typed(desk: FlaskClient, portal: Portal) -> None:
    portal.says(card=CARD)
    page = text_of(desk.get("/registration/?new=1"))
    typed = {"full_name": "Lạ Thị Người", "birth_on": "02/02/1980", "sex": "F", "card_number": CARD, "action": "check"}
    answer = desk.post("/registration/register", data=form_of(page, **typed))
    checked = text_of(answer)
    assert answer.status_code == 200
    assert "Hợp lệ" in checked
    assert field_of(checked, "full_name") == "Lạ Thị Người"
    assert desk.post("/registration/register", data=form_of(checked, card_number="")).status_code == 303
    assert visits()[0].subject_code == "1.1"


# --- the scan field -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["079|x", "TE179790000001", "y" * 5000, "\u202e079085900001", "x" * 200, "26-999999", "<script>alert(1)</script>"])
def test_what_is_not_understood_stays_at_the_desk_with_a_sentence(desk: FlaskClient, text: str) -> None:
    answer = scan(desk, text)
    assert answer.status_code == 422
    assert 'role="alert"' in text_of(answer)
    assert "<script>alert" not in answer.get_data(as_text=True)
    assert session().execute(select(func.count()).select_from(CardCheck)).scalar_one() == 0


def test_a_name_lists_people_with_what_tells_them_apart(desk: FlaskClient) -> None:
    register(make_patient("Nguyễn Thị Hoa", address_text="1 Đường Bưởi, Phường Sài Gòn"))
    make_patient("Nguyễn Thị Hoa", address_text="2 Đường Cam, Phường Bến Thành")
    page = text_of(scan(desk, "hoa nguyen thi"))
    for words in ("1 Đường Bưởi", "2 Đường Cam", "đang khám: phòng 214", "chưa khám lần nào", "tuổi"):
        assert words in page


def test_choosing_from_the_list_checks_the_card_and_shows_the_patient(desk: FlaskClient, portal: Portal) -> None:
    patient = known()
    portal.says(card=CARD)
    answer = desk.post("/registration/choose", data={"patient_id": patient.patient_id}, follow_redirects=True)
    assert "TRẦN VĂN THỬ" in text_of(answer)
    assert len(portal.asked) == 1


@pytest.mark.parametrize("patient_id", ["", "abc", "²", "999999999", "9" * 40])
def test_a_patient_who_is_not_there_is_not_found(desk: FlaskClient, patient_id: str) -> None:
    assert desk.post("/registration/choose", data={"patient_id": patient_id}).status_code == 404


@pytest.mark.parametrize("patient_id", ["abc", "²", "999999999", "9" * 40])
def test_nobody_is_registered_who_is_not_there(desk: FlaskClient, patient_id: str) -> None:
    data = {"patient_id": patient_id, "room_code": "101", "reason": "Khám", "idempotency_key": "k1"}
    assert desk.post("/registration/register", data=data).status_code == 404
    assert visits() == []


def test_an_unknown_name_can_become_a_new_patient(desk: FlaskClient) -> None:
    page = text_of(scan(desk, "pham van hoan toan moi"))
    link = re.search(r'href="(/registration/\?new=[^"]+)">Thêm', page)
    assert link
    assert field_of(text_of(desk.get(link[1])), "full_name") == "Pham Van Hoan Toan Moi"


def test_the_form_of_one_person_never_shows_another_ones_document(desk: FlaskClient, portal: Portal) -> None:
    portal.says(card=CARD)
    scan(desk, CHIP)
    assert "079085900002" not in text_of(desk.get("/registration/?new=1"))


# --- papers, two clerks ----------------------------------------------------------------------------------------------------------


def test_a_transfer_paper_is_asked_for_whole(desk: FlaskClient, portal: Portal) -> None:
    known()
    portal.says(card=CARD, facility="79901")
    page = text_of(scan(desk, CHIP))
    answer = desk.post("/registration/register", data=form_of(page, route="CHUYEN", incoming_paper_number="1/2026"))
    assert answer.status_code == 422
    assert "Phiếu chuyển: chưa nhập ngày ký" in text_of(answer)
    assert field_of(text_of(answer), "incoming_paper_number") == "1/2026"
    data = form_of(text_of(answer), route="CHUYEN", incoming_facility_code="79901", incoming_signed_on=f"{clock.today():%d%m%y}")
    assert desk.post("/registration/register", data=data).status_code == 303
    assert visits()[0].subject_code == "1.3"


def test_a_lapsed_paper_counts_as_self_referred_and_says_so(desk: FlaskClient, portal: Portal) -> None:
    known()
    portal.says(card=CARD, facility="79901")
    old = clock.today() - timedelta(days=60)
    data = form_of(text_of(scan(desk, CHIP)), route="CHUYEN", incoming_paper_number="1/2026", incoming_facility_code="79901",
                   incoming_signed_on=f"{old:%d/%m/%Y}")  # fmt: skip
    answer = desk.post("/registration/register", data=data, follow_redirects=True)
    assert "Phiếu chuyển hết giá trị" in text_of(answer)
    assert visits()[0].subject_code == "1.12"


def test_two_clerks_at_one_patient_open_one_visit(desk: FlaskClient, login_as: Callable[..., FlaskClient], portal: Portal) -> None:
    known()
    portal.says(card=CARD)
    other = login_as("clerk")
    mine, theirs = form_of(text_of(scan(desk, CHIP))), form_of(text_of(scan(other, CHIP)))
    assert desk.post("/registration/register", data=mine).status_code == 303
    answer = other.post("/registration/register", data=theirs, follow_redirects=True)
    assert "đã có lượt khám hôm nay, số 214-001" in text_of(answer)
    assert len(visits()) == 1
    assert "/undo" not in text_of(answer), "nobody takes back what a colleague registered"


def test_another_clinic_while_a_visit_is_open_names_the_visit(desk: FlaskClient, portal: Portal) -> None:
    patient = known()
    done = register(patient)
    done.visit.registered_at = clock.now() - timedelta(minutes=9)
    session().commit()
    portal.says(card=CARD)
    page = text_of(scan(desk, CHIP))
    assert "Đang có lượt khám mở hôm nay" in page
    answer = desk.post("/registration/register", data=form_of(page, room_code="101"))
    assert answer.status_code == 409
    assert done.visit.code in text_of(answer)


# --- undo, slip ------------------------------------------------------------------------------------------------------------------


def test_undo_takes_it_back_and_returns_to_the_patient(desk: FlaskClient) -> None:
    patient = known()
    page = text_of(scan(desk, CHIP))
    desk.post("/registration/register", data=form_of(page))
    answer = desk.post(f"/registration/visits/{visits()[0].visit_id}/undo", follow_redirects=True)
    assert "Đã hoàn tác" in text_of(answer)
    assert "TRẦN VĂN THỬ" in text_of(answer)
    assert visits()[0].state is VisitState.CANCELLED
    assert records.open_visit_of(patient.patient_id, clock.today()) is None


def test_a_late_undo_says_why_not(desk: FlaskClient) -> None:
    done = register()
    done.visit.registered_at = clock.now() - timedelta(minutes=12)
    session().commit()
    answer = desk.post(f"/registration/visits/{done.visit.visit_id}/undo", follow_redirects=True)
    assert "Đã quá 10 phút" in text_of(answer)


def test_the_slip_is_a_stored_paper_and_a_reprint_is_the_same(desk: FlaskClient) -> None:
    visit_id = register(make_child(), guardian_name="A B", guardian_phone="0900118204").visit.visit_id
    first = desk.get(f"/registration/visits/{visit_id}/slip")
    assert first.status_code == 302
    assert first.location == desk.get(f"/registration/visits/{visit_id}/slip").location
    paper = desk.get(first.location)
    assert paper.mimetype == "application/pdf"
    assert paper.data == desk.get(first.location).data
    assert desk.get(f"/registration/visits/{visit_id}/slip?form=ticket").location != first.location


def test_a_cancelled_visit_has_no_slip(desk: FlaskClient) -> None:
    from his.core.actor import SYSTEM
    from his.registration import service

    done = register()
    with transaction():
        service.undo_registration(done.visit.visit_id, actor=SYSTEM)
    assert desk.get(f"/registration/visits/{done.visit.visit_id}/slip").status_code == 409


# --- the queue ---------------------------------------------------------------------------------------------------------------------


def test_the_queue_calls_skips_and_moves(login_as: Callable[..., FlaskClient]) -> None:
    make_clinic("101", "Nhi tổng quát 1", exam_service="KB01")
    first, second = register(make_patient("Lê Văn Nhất")), register(make_patient("Lê Văn Nhì"))
    clerk = login_as("clerk")
    assert "214-001" in text_of(clerk.get("/registration/queue?room=214"))
    assert "Đang gọi 214-001" in text_of(clerk.post("/registration/queue/next?room=214", data={"room_code": "214"}, follow_redirects=True))
    clerk.post(f"/registration/queue/{first.ticket.ticket_id}/skip?room=214")
    assert "vắng" in text_of(clerk.get("/registration/queue?room=214"))
    assert "Đang gọi 214-001" in text_of(clerk.post(f"/registration/queue/{first.ticket.ticket_id}/call", follow_redirects=True))
    answer = clerk.post(f"/registration/queue/{second.ticket.ticket_id}/move", data={"room_code": "101"}, follow_redirects=True)
    assert "Số mới: 101-001" in text_of(answer)
    assert "không còn ai chờ" in text_of(clerk.post("/registration/queue/next", data={"room_code": "214"}, follow_redirects=True))


def test_a_moved_number_cannot_be_called_any_more(login_as: Callable[..., FlaskClient]) -> None:
    make_clinic("101", "Nhi tổng quát 1", exam_service="KB01")
    done = register()
    clerk = login_as("clerk")
    clerk.post(f"/registration/queue/{done.ticket.ticket_id}/move", data={"room_code": "101"})
    assert "đã xong hoặc đã hủy" in text_of(clerk.post(f"/registration/queue/{done.ticket.ticket_id}/call", follow_redirects=True))


@pytest.mark.parametrize("role", ["cashier", "lab_tech", "imaging_tech", "pharmacist", "doctor", "nurse", "head"])
def test_who_calls_patients_sees_the_queue_but_not_the_desk(login_as: Callable[..., FlaskClient], role: str) -> None:
    browser = login_as(role)
    assert browser.get("/registration/queue").status_code == 200
    assert browser.get("/registration/").status_code == 403
    assert browser.post("/registration/register", data={}).status_code == 403


@pytest.mark.parametrize("role", ["manager", "auditor", "administrator", "insurance_clerk"])
def test_others_see_neither(login_as: Callable[..., FlaskClient], role: str) -> None:
    browser = login_as(role)
    assert browser.get("/registration/queue").status_code == 403
    assert browser.post("/registration/scan", data={"scan": "x"}).status_code == 403


def test_visitors_are_sent_to_the_door(client: FlaskClient) -> None:
    assert client.get("/registration/").location.startswith("/identity/login")


# --- few statements -------------------------------------------------------------------------------------------------------------------


def crowd() -> Patient:
    patient = known()
    make_old_visits(patient, 200)
    for i in range(12):
        register(make_patient(f"Người Thứ {'ABCDEFGHIKLM'[i]}"), room_code="214" if i % 2 else "101")
    return patient


@pytest.mark.parametrize("page", ["/registration/", "/registration/?p={id}", "/registration/?new=1", "/registration/queue", "/registration/queue?room=214"])
def test_no_screen_of_the_desk_needs_more_than_twelve_statements(desk: FlaskClient, portal: Portal, count_statements: Any, page: str) -> None:
    patient = crowd()
    portal.says(card=CARD, facility="79901")
    scan(desk, CHIP)
    with count_statements() as seen:
        assert desk.get(page.format(id=patient.patient_id)).status_code == 200
    assert seen.count <= 12, seen.texts


def test_searching_by_name_needs_few_statements(desk: FlaskClient, count_statements: Any) -> None:
    crowd()
    with count_statements() as seen:
        assert scan(desk, "nguoi thu").status_code == 200
    assert seen.count <= 12, seen.texts


@pytest.mark.parametrize("address", ["/registration/board", "/registration/queue/rows", "/registration/queue/rows?room=214"])
def test_an_unchanged_poll_is_one_keyed_read(desk: FlaskClient, count_statements: Any, address: str) -> None:
    crowd()
    first = desk.get(address, headers={"X-Background": "1"})
    assert first.status_code == 200
    mark = "&" if "?" in address else "?"
    with count_statements() as seen:
        answer = desk.get(f"{address}{mark}version={first.headers['X-Version']}", headers={"X-Background": "1"})
    assert answer.status_code == 204
    own = [t for t in seen.texts if not any(door in t for door in ("user_sessions", "user_roles"))]
    assert len(own) == 1, own
    assert "queue_states" in own[0]
    register(make_patient())
    assert desk.get(f"{address}{mark}version={first.headers['X-Version']}").status_code == 200


def test_the_log_in_page_offers_the_workplaces(client: FlaskClient) -> None:
    make_clinic()
    assert '<option value="214">' in text_of(client.get("/identity/login"))


def test_tickets_of_other_days_are_not_on_the_screen(desk: FlaskClient) -> None:
    done = register(make_patient("Hôm Qua Thôi"))
    session().execute(QueueTicket.__table__.update().values(day=clock.today() - timedelta(days=1)))
    session().commit()
    assert done.ticket.text not in text_of(desk.get("/registration/queue"))


def test_opening_a_patient_at_the_desk_is_in_the_access_log(desk: FlaskClient) -> None:
    patient = known()
    desk.get(f"/registration/?p={patient.patient_id}")
    assert any(e.action == "audit.view" and e.details == {"what": "desk"} for e in records.access_log(patient.patient_id))


def test_a_dead_patient_is_not_registered(desk: FlaskClient) -> None:
    patient = known()
    patient.died_on = clock.today() - timedelta(days=3)
    session().commit()
    page = text_of(scan(desk, CHIP))
    answer = desk.post("/registration/register", data=form_of(page))
    assert answer.status_code == 409
    assert "đã mất" in text_of(answer)
    assert records_service.masked_name(patient.full_name)
