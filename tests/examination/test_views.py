"""The doctor's screens over HTTP: allowed, refused, valid, invalid, not found; and what a page costs."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from his.audit.models import AuditEvent
from his.core import clock
from his.core.db import session, transaction
from his.core.module import Module, VisitPanel, registry
from his.examination import queries, service
from his.records.enums import VisitState
from his.records.models import Visit
from his.registration.enums import TicketState
from his.registration.models import QueueTicket
from tests.factories.examination import conclude, diagnose, examined, make_visit, measure, note_form, write_note
from tests.factories.orders import place, release
from tests.factories.records import make_allergy, make_child, make_old_visits

JSON = {"Accept": "application/json"}


@pytest.fixture
def doctor(actor):
    return actor("doctor")


def page_url(visit, *parts):
    return "/".join([f"/examination/visits/{visit.visit_id}", *parts])


def fresh(visit):
    return session().get(Visit, visit.visit_id, populate_existing=True)


def state_of_ticket(visit):
    return session().query(QueueTicket).filter_by(visit_id=visit.visit_id).populate_existing().one().state


# --- work list ----------------------------------------------------------------------------------------------------


def test_the_list_shows_who_waits_with_what_matters(login_as, doctor):
    child = make_child("Nguyễn Ngọc Bảo An")
    make_allergy(child)
    visit = make_visit(child, reason="Ho, khò khè 4 ngày")
    measure(visit, doctor, respiration=34, spo2=96)
    page = login_as("doctor").get("/examination/").text
    for text in ("Nguyễn Ngọc Bảo An", "Ho, khò khè 4 ngày", "38,4 °C", "thở 34", "14,2 kg", "Dị ứng thuốc", "Amoxicilin", "Mở khám"):
        assert text in page, text


def test_the_tabs_count_each_stage(login_as, doctor):
    make_visit(make_child("Bé Đợi Khám"))
    tests = make_visit(make_child("Bé Làm Máu"))
    with transaction():
        service.begin(tests.visit_id, actor=doctor)
    place(tests, doctor)
    conclude(examined(doctor, make_child("Bé Đã Khám")), doctor)
    browser = login_as("doctor")
    page = browser.get("/examination/").text
    assert "Bé Đợi Khám" in page
    assert "Bé Làm Máu" not in page
    assert "Bé Làm Máu" in browser.get("/examination/?tab=tests").text
    assert "Bé Đã Khám" in browser.get("/examination/?tab=done").text
    assert "Chưa có ai ở mục này" in browser.get("/examination/?tab=absent").text


def test_a_long_wait_is_amber(login_as):
    visit = make_visit()
    browser = login_as("doctor")
    assert "num nowrap warn strong" not in browser.get("/examination/").text
    with transaction():
        fresh(visit).registered_at = clock.now() - timedelta(minutes=31)
    page = browser.get("/examination/").text
    assert 'num nowrap warn strong">31 phút' in page


def test_an_unchanged_room_answers_a_poll_with_nothing(login_as):
    visit = make_visit()
    browser = login_as("doctor")
    first = browser.get("/examination/rows")
    version = first.headers["X-Version"]
    assert first.status_code == 200
    assert browser.get(f"/examination/rows?version={version}").status_code == 204
    with transaction():
        fresh(visit).reason = "Ho nhiều hơn"
    again = browser.get(f"/examination/rows?version={version}")
    assert again.status_code == 200
    assert again.headers["X-Version"] != version
    assert "Ho nhiều hơn" in again.text


def test_results_coming_back_change_the_room(login_as, doctor):
    visit = make_visit()
    order = place(visit, doctor)
    browser = login_as("doctor")
    version = browser.get("/examination/rows").headers["X-Version"]
    release(order, doctor)
    page = browser.get(f"/examination/rows?version={version}&tab=results").text
    assert "Có kết quả" in page


def test_a_room_once_chosen_stays(login_as):
    from tests.factories.registration import make_clinic

    make_visit()
    make_clinic("218", "Tim mạch")
    browser = login_as("doctor")
    assert "Tim mạch" in browser.get("/examination/?room=218").text.split("</header>")[0]
    assert "Tim mạch" in browser.get("/examination/").text.split("</header>")[0]
    assert "Tim mạch" in browser.get("/examination/?room=999").text.split("</header>")[0], "an unknown room changes nothing"


def test_calling_next_twice_with_one_key_calls_one(login_as):
    first = make_visit(make_child("Trần Gia Hưng"))
    second = make_visit(make_child("Lâm Hải Yến"))
    browser = login_as("doctor")
    one = browser.post("/examination/call-next", data={"idempotency_key": "k1"})
    two = browser.post("/examination/call-next", data={"idempotency_key": "k1"})
    assert one.status_code == 303
    assert one.location == two.location
    assert one.location.endswith(f"visit={first.visit_id}")
    assert (state_of_ticket(first), state_of_ticket(second)) == (TicketState.CALLED, TicketState.WAITING)
    assert "Đang gọi" in browser.get(one.location).text


def test_an_absent_patient_can_be_called_again(login_as):
    visit = make_visit()
    browser = login_as("doctor")
    browser.post("/examination/call-next", data={"idempotency_key": "k1"})
    answer = browser.post(page_url(visit, "absent"))
    assert state_of_ticket(visit) is TicketState.SKIPPED
    assert "Hoàn tác" in browser.get(answer.location).text
    browser.post(page_url(visit, "call"))
    assert state_of_ticket(visit) is TicketState.CALLED


def test_opening_begins_the_examination(login_as):
    visit = make_visit()
    browser = login_as("doctor")
    assert browser.post(page_url(visit, "open")).location.endswith(page_url(visit))
    assert fresh(visit).state is VisitState.IN_EXAM


def test_looking_does_not_begin_it(login_as):
    visit = make_visit()
    assert login_as("doctor").get(page_url(visit)).status_code == 200
    assert fresh(visit).state is VisitState.OPEN


def test_a_nurse_sees_the_list_and_measures_but_does_not_open(login_as):
    visit = make_visit()
    browser = login_as("nurse")
    page = browser.get("/examination/").text
    assert "Đo sinh hiệu" in page
    assert "Mở khám</button>" not in page
    assert browser.post(page_url(visit, "open")).status_code == 403


@pytest.mark.parametrize("role", ["clerk", "cashier", "pharmacist", "insurance_clerk", "auditor", "administrator", "manager"])
def test_others_do_not_see_the_list_or_the_page(login_as, role):
    visit = make_visit()
    browser = login_as(role)
    assert browser.get("/examination/").status_code == 403
    assert browser.get(page_url(visit)).status_code == 403
    assert browser.get(page_url(visit, "quick")).status_code == 403


def test_the_quick_view_tells_enough_and_is_audited(login_as, doctor):
    child = make_child("Nguyễn Ngọc Bảo An")
    conclude(examined(doctor, child), doctor)
    visit = make_visit(child)
    page = login_as("doctor").get(page_url(visit, "quick")).text
    assert "Viêm phế quản cấp" in page
    assert "NGUYỄN NGỌC BẢO AN" in page
    assert session().query(AuditEvent).filter_by(action="audit.view", visit_id=visit.visit_id).count() == 1


# --- the page -----------------------------------------------------------------------------------------------------


def test_the_page_shows_the_visit_and_is_audited_once(login_as, doctor):
    child = make_child("Nguyễn Ngọc Bảo An")
    make_allergy(child)
    visit = make_visit(child)
    measure(visit, doctor, respiration=34)
    diagnose(visit, doctor)
    write_note(visit, doctor, history="Ho đàm 4 ngày")
    browser = login_as("doctor")
    page = browser.get(page_url(visit)).text
    for text in ("NGUYỄN NGỌC BẢO AN", "Amoxicilin: mày đay", "Ho đàm 4 ngày", "J20.9", "38,4 °C", "Nhịp thở ↑", "Ký và gọi tiếp"):
        assert text in page, text
    browser.get(page_url(visit))
    assert session().query(AuditEvent).filter_by(action="audit.view", visit_id=visit.visit_id).count() == 1


def test_a_visit_that_is_not_there_is_not_found(login_as):
    browser = login_as("doctor")
    for path in ("", "/version", "/parts/own", "/parts/left", "/icd", "/last-note", "/vitals"):
        assert browser.get(f"/examination/visits/999999{path}").status_code == 404, path
    assert browser.post("/examination/visits/999999/note", data=note_form()).status_code == 404
    assert browser.get("/examination/visits/abc").status_code == 404


def test_a_part_that_does_not_exist_is_not_found(login_as):
    assert login_as("doctor").get(page_url(make_visit(), "parts", "top")).status_code == 404


def test_the_page_stands_without_any_panel(login_as):
    visit = make_visit()
    known = registry()
    panels = {id(m): m for m in known.modules}
    bare = [Module(name=m.name, blueprints=m.blueprints, menu=m.menu, forms=m.forms) for m in panels.values()]
    kept, known.modules = known.modules, bare
    try:
        browser = login_as("doctor")
        assert browser.get(page_url(visit)).status_code == 200
        for area in ("left", "middle", "right", "own"):
            assert browser.get(page_url(visit, "parts", area)).status_code == 200
    finally:
        known.modules = kept


def test_panels_one_may_not_read_are_left_out(login_as):
    visit = make_visit()
    seen = []

    def values(visit_id, actor):
        seen.append(actor.name)
        return {}

    known = registry()
    extra = Module(name="extra", visit_panels=(VisitPanel("x", "right", "examination/_empty.html", values, "nobody:may:read"),))
    known.add(extra)
    try:
        assert login_as("doctor").get(page_url(visit, "parts", "right")).status_code == 200
        assert seen == []
    finally:
        known.modules.remove(extra)


def test_a_panel_that_fails_says_so_and_leaves_the_others_alone(login_as, doctor):
    visit = make_visit()
    place(visit, doctor)

    def values(visit_id, actor):
        raise LookupError("broken on purpose")

    known = registry()
    extra = Module(name="extra", visit_panels=(VisitPanel("x", "middle", "none.html", values, "examination:note:read", order=1),))
    known.add(extra)
    try:
        page = login_as("doctor").get(page_url(visit, "parts", "middle"))
        assert page.status_code == 200
        assert "Chưa tải được phần này" in page.text
        assert page.headers["X-Request-Ref"] in page.text
        assert "Tổng phân tích tế bào máu" in page.text
    finally:
        known.modules.remove(extra)


def test_what_is_missing_before_signing_leads_to_its_field(login_as):
    visit = make_visit()
    browser = login_as("doctor")
    page = browser.get(page_url(visit)).text
    assert "data-blocks" in browser.get(page_url(visit, "parts", "own")).text
    ready = page.split('id="part-ready"')[1].split('id="note-form"')[0]
    for href, code in (("#main_icd", "main_missing"), ("#findings", "findings_missing"), ("#weight_kg", "weight_missing")):
        assert f'class="state bad" href="{href}" data-ready="{code}" data-blocks' in ready
        assert f'id="{href[1:]}"' in page


def test_the_version_moves_with_a_change_and_not_with_a_look(login_as, doctor):
    visit = make_visit()
    browser = login_as("doctor")
    first = browser.get(page_url(visit, "version")).json["version"]
    browser.get(page_url(visit))
    assert browser.get(page_url(visit, "version")).json["version"] == first
    measure(visit, doctor)
    assert browser.get(page_url(visit, "version")).json["version"] != first


# --- note and draft -----------------------------------------------------------------------------------------------


def packet(text, counter=1, page="page-1", base="", **more):
    return {"fields": {"findings": text, "version": "0", **more}, "counter": counter, "page": page, "base": base}


def test_a_typed_draft_comes_back_on_the_next_opening(login_as):
    visit = make_visit()
    browser = login_as("doctor")
    answer = browser.post(page_url(visit, "draft"), json=packet("Phổi ran ngáy hai bên", follow_up_on="2611"))
    assert answer.status_code == 200
    assert answer.json["saved_at"].count(":") == 2
    page = browser.get(page_url(visit)).text
    assert "Phổi ran ngáy hai bên" in page
    assert f"Đã khôi phục bản nháp lúc {answer.json['saved_at']}" in page
    assert 'value="2611"' in page, "a half-typed date is shown as typed"


def test_a_draft_equal_to_the_saved_note_is_not_announced(login_as):
    visit = make_visit()
    browser = login_as("doctor")
    browser.post(page_url(visit, "note"), data=note_form())
    browser.post(page_url(visit, "draft"), json=packet("Phổi ran ngáy hai bên.", history="Ho 4 ngày.", page="page-2", base="page-1:2147483647"))
    assert "Đã khôi phục bản nháp" not in browser.get(page_url(visit)).text


def test_a_late_packet_is_answered_calmly_and_ignored(login_as):
    visit = make_visit()
    browser = login_as("doctor")
    browser.post(page_url(visit, "draft"), json=packet("Phổi ran ngáy", 2))
    late = browser.post(page_url(visit, "draft"), json=packet("Phổi", 1))
    assert late.status_code == 200
    assert late.json["stored"] is False
    assert "Phổi ran ngáy" in browser.get(page_url(visit)).text


def test_another_page_is_shown_both_texts(login_as):
    visit = make_visit()
    browser = login_as("doctor")
    browser.post(page_url(visit, "draft"), json=packet("Phổi ran ngáy", 1, page="page-1"))
    answer = browser.post(page_url(visit, "draft"), json=packet("Tim đều", 1, page="page-2"))
    assert answer.status_code == 409
    assert answer.json["fields"]["findings"] == "Phổi ran ngáy"
    assert answer.json["token"] == "page-1:1"


@pytest.mark.parametrize("body", [None, [], {"fields": "x", "counter": 1}, {"fields": {}, "counter": "1"}, {"fields": {}}])
def test_a_broken_packet_is_refused(login_as, body):
    assert login_as("doctor").post(page_url(make_visit(), "draft"), json=body, headers=JSON).status_code == 400


def test_a_nurse_writes_no_note(login_as):
    visit = make_visit()
    browser = login_as("nurse")
    assert browser.post(page_url(visit, "draft"), json=packet("x"), headers=JSON).status_code == 403
    assert browser.post(page_url(visit, "note"), data=note_form()).status_code == 403
    page = browser.get(page_url(visit)).text
    assert 'id="note-form"' not in page
    assert "<textarea" not in page


def test_a_discarded_draft_does_not_come_back(login_as):
    visit = make_visit()
    browser = login_as("doctor")
    browser.post(page_url(visit, "draft"), json=packet("Phổi ran ngáy"))
    assert browser.post(page_url(visit, "draft", "discard"), data={"page_key": "page-1"}).status_code == 303
    assert "Phổi ran ngáy" not in browser.get(page_url(visit)).text


def test_a_saved_note_is_shown_again(login_as):
    visit = make_visit()
    browser = login_as("doctor")
    assert browser.post(page_url(visit, "note"), data=note_form(advice="Uống đủ nước.")).status_code == 303
    page = browser.get(page_url(visit)).text
    assert "Uống đủ nước." in page
    assert "Đã khôi phục" not in page


def test_a_wrong_date_keeps_every_typed_word(login_as):
    visit = make_visit()
    answer = login_as("doctor").post(page_url(visit, "note"), data=note_form(follow_up_on="31/02/2027", history="Ho ra máu"))
    assert answer.status_code == 422
    assert "Ngày không có thật" in answer.text
    assert "Ho ra máu" in answer.text
    assert 'value="31/02/2027"' in answer.text
    assert queries.note_of(visit.visit_id) is None


def test_a_conflict_shows_both_texts_who_and_when(login_as, doctor):
    visit = make_visit()
    write_note(visit, doctor, findings="Phổi ran ẩm")
    browser = login_as("doctor")
    answer = browser.post(page_url(visit, "note"), data=note_form(findings="Phổi không ran", history=""))
    assert answer.status_code == 409
    for text in ("Phổi ran ẩm", "Phổi không ran", doctor.name, "Lưu bản của tôi", f"Giữ bản của {doctor.name}"):
        assert text in answer.text, text
    assert queries.note_of(visit.visit_id).findings == "Phổi ran ẩm"
    version = queries.note_of(visit.visit_id).version
    mine = browser.post(page_url(visit, "note"), data=note_form(findings="Phổi không ran", history="", use_version=str(version)))
    assert mine.status_code == 303
    session().expire_all()
    assert queries.note_of(visit.visit_id).findings == "Phổi không ran"


@pytest.mark.parametrize("version", ["", "²", "abc", "9" * 30])
def test_a_form_without_its_version_never_overwrites_unseen(login_as, doctor, version):
    visit = make_visit()
    write_note(visit, doctor, findings="Phổi ran ẩm")
    answer = login_as("doctor").post(page_url(visit, "note"), data=note_form(findings="Phổi không ran", version=version))
    assert answer.status_code == 409
    assert "Phổi không ran" in answer.text
    session().expire_all()
    assert queries.note_of(visit.visit_id).findings == "Phổi ran ẩm"


def test_the_last_note_can_be_copied(login_as, doctor):
    child = make_child()
    old = examined(doctor, child)
    conclude(old, doctor)
    answer = login_as("doctor").get(page_url(make_visit(child), "last-note"))
    assert answer.json["fields"]["findings"] == "Phổi ran ngáy hai bên."
    first = login_as("doctor").get(page_url(make_visit(make_child("Bé Mới")), "last-note"))
    assert first.json["fields"] == {}
    assert "Chưa có lần khám trước" in first.json["message"]


def test_hostile_text_is_shown_as_text(login_as):
    visit = make_visit()
    browser = login_as("doctor")
    browser.post(page_url(visit, "note"), data=note_form(findings="<script>alert(1)</script> \u202engược"))
    page = browser.get(page_url(visit)).text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; ngược" in page


# --- diagnoses ----------------------------------------------------------------------------------------------------


def test_a_diagnosis_is_added_at_once(login_as):
    visit = make_visit()
    browser = login_as("doctor")
    answer = browser.post(page_url(visit, "diagnoses"), data={"action": "add", "code": "J20.9"}, headers=JSON)
    assert answer.json == {"ok": True, "notes": []}
    assert "Viêm phế quản cấp" in browser.get(page_url(visit, "parts", "own")).text


def test_a_barred_main_code_is_refused_with_the_rule(login_as):
    visit = make_visit()
    answer = login_as("doctor").post(page_url(visit, "diagnoses"), data={"action": "add", "code": "B95.1"}, headers=JSON)
    assert answer.status_code == 422
    assert "B95.1 không được làm bệnh chính" in answer.json["message"]
    assert answer.json["findings"][0]["field"] == "main_icd"


def test_a_warning_comes_along(login_as):
    answer = login_as("doctor").post(page_url(make_visit(), "diagnoses"), data={"action": "add", "code": "B90.9"}, headers=JSON)
    assert answer.status_code == 200
    assert "không khuyến khích làm bệnh chính" in answer.json["notes"][0]


def test_the_search_puts_used_codes_first_and_says_why_some_are_barred(login_as, doctor):
    child = make_child()
    conclude(examined(doctor, child), doctor)
    visit = make_visit(child)
    items = login_as("doctor").get(page_url(visit, "icd") + "?q=viem phe quan").json["items"]
    assert (items[0]["code"], items[0]["detail"]) == ("J20.9", "đã dùng 1 lần")
    barred = next(item for item in items if item["code"] == "J20")
    assert barred["disabled"]
    assert barred["detail"] == "có mã chi tiết hơn"


# --- ending -------------------------------------------------------------------------------------------------------


def test_signing_ends_the_visit_and_calls_the_next(login_as, doctor):
    visit = examined(doctor)
    waiting = make_visit(make_child("Trần Gia Hưng"))
    version = str(queries.note_of(visit.visit_id).version)
    browser = login_as("doctor")
    data = note_form(version=version, findings="Phổi còn ran ngáy.", history="")
    answer = browser.post(page_url(visit, "conclude"), data=data)
    assert answer.status_code == 303
    assert answer.location.endswith(f"visit={waiting.visit_id}")
    assert fresh(visit).state is VisitState.CONCLUDED
    assert queries.note_of(visit.visit_id).findings == "Phổi còn ran ngáy."
    assert state_of_ticket(waiting) is TicketState.CALLED
    again = browser.post(page_url(visit, "conclude"), data=data)
    assert again.location == answer.location, "pressed twice it happens once"
    other = browser.post(page_url(visit, "conclude"), data={**data, "advice": "Viết thêm sau khi ký."})
    assert other.status_code == 409, "sent again with other words it must not look saved"
    assert "Viết thêm sau khi ký." in other.text


def test_what_is_missing_is_listed_and_nothing_is_lost(login_as):
    visit = make_visit()
    answer = login_as("doctor").post(page_url(visit, "conclude"), data=note_form(findings="Phổi trong"))
    assert answer.status_code == 422
    assert 'href="#main_icd">Chưa có bệnh chính' in answer.text
    assert 'href="#weight_kg">Trẻ dưới 72 tháng chưa có cân nặng' in answer.text
    assert "Phổi trong" in answer.text
    assert fresh(visit).state is VisitState.OPEN
    assert queries.note_of(visit.visit_id) is None


def test_what_other_modules_miss_comes_with_the_live_part(login_as, doctor):
    visit = make_visit()
    place(visit, doctor)
    browser = login_as("doctor")
    for page in (browser.get(page_url(visit, "parts", "own")).text, browser.get(page_url(visit) + "?parts=all").text):
        assert 'class="state warn" href="#orders" data-ready="orders_open" data-blocks' in page
        assert "data-unchecked" not in page
    assert "data-unchecked" in browser.get(page_url(visit)).text


def test_open_orders_stop_signing(login_as, doctor):
    visit = examined(doctor)
    place(visit, doctor)
    data = note_form(version=str(queries.note_of(visit.visit_id).version))
    answer = login_as("doctor").post(page_url(visit, "conclude"), data=data)
    assert answer.status_code == 422
    assert 'href="#orders">Còn 1 chỉ định chưa có kết quả' in answer.text


def test_signing_needs_the_pin(login_as, doctor):
    visit = examined(doctor)
    data = note_form(version=str(queries.note_of(visit.visit_id).version))
    answer = login_as("doctor", proved=False).post(page_url(visit, "conclude"), data=data)
    assert answer.status_code == 403
    assert fresh(visit).state is VisitState.IN_EXAM


def test_pausing_saves_and_calls_another(login_as, doctor):
    visit = make_visit()
    waiting = make_visit(make_child("Lâm Hải Yến"))
    browser = login_as("doctor")
    browser.post("/examination/call-next", data={"idempotency_key": "k0"})
    answer = browser.post(page_url(visit, "pause"), data=note_form(findings="Phổi ran"))
    assert answer.location.endswith(f"visit={waiting.visit_id}")
    assert queries.note_of(visit.visit_id).findings == "Phổi ran"
    assert fresh(visit).state is VisitState.IN_EXAM


def test_an_ended_visit_is_read_only_until_it_is_reopened(login_as, doctor):
    visit = examined(doctor)
    conclude(visit, doctor)
    browser = login_as("doctor")
    page = browser.get(page_url(visit)).text
    assert "<textarea" not in page
    assert "Phổi ran ngáy hai bên." in page
    refused = browser.post(page_url(visit, "reopen"), data={"reason": ""})
    assert refused.status_code == 422
    assert "Ghi lý do mở lại" in refused.text
    assert browser.post(page_url(visit, "reopen"), data={"reason": "Bổ sung chẩn đoán"}).status_code == 303
    assert "<textarea" in browser.get(page_url(visit)).text


def test_a_nurse_does_not_reopen(login_as, doctor):
    visit = examined(doctor)
    conclude(visit, doctor)
    assert login_as("nurse").post(page_url(visit, "reopen"), data={"reason": "Bổ sung"}).status_code == 403


# --- measurements -------------------------------------------------------------------------------------------------


def numbers(**values):
    return {"temperature": "38,4", "pulse": "118", "weight_kg": "14.2", "idempotency_key": "k1", **values}


def test_a_nurse_measures_with_comma_or_point(login_as):
    visit = make_visit()
    answer = login_as("nurse").post(page_url(visit, "vitals"), data=numbers())
    assert answer.status_code == 303
    signs = queries.vitals_of(visit.visit_id)[0]
    assert (signs.temperature, signs.pulse, signs.weight_kg) == (Decimal("38.4"), 118, Decimal("14.2"))


def test_measuring_twice_by_a_double_press_is_once(login_as):
    visit = make_visit()
    browser = login_as("nurse")
    browser.post(page_url(visit, "vitals"), data=numbers())
    browser.post(page_url(visit, "vitals"), data=numbers())
    assert len(queries.vitals_of(visit.visit_id)) == 1


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"temperature": "384"}, "temperature", "từ 30 đến 45"),
        ({"weight_kg": "142"}, "weight_kg", "Ý là 14,2?"),
        ({"pulse": "-5"}, "pulse", "Chỉ gõ số không âm"),
        ({"pulse": "cao"}, "pulse", "Chỉ gõ số không âm"),
        ({"systolic": "95"}, "systolic", "đủ hai số"),
    ],
)
def test_an_impossible_number_is_said_at_its_field_and_kept(login_as, values, field, words):
    visit = make_visit()
    browser = login_as("nurse")
    answer = browser.post(page_url(visit, "vitals"), data=numbers(**values))
    assert answer.status_code == 422
    assert words in answer.text
    assert f'id="{field}-err"' in answer.text
    assert f'value="{values[field]}"' in answer.text
    assert list(queries.vitals_of(visit.visit_id)) == []
    scripted = browser.post(page_url(visit, "vitals"), data=numbers(**values), headers=JSON)
    assert scripted.json["findings"][0]["field"] == field


def test_the_page_tells_the_usual_range_of_the_age(login_as):
    page = login_as("nurse").get(page_url(make_visit(), "vitals")).text
    assert "Thường gặp ở tuổi này: 80–120" in page  # pulse at 3-5 years
    assert 'data-hard-high="40"' in page  # weight at 44 months


def test_a_wrong_set_is_taken_back(login_as, doctor):
    visit = make_visit()
    signs = measure(visit, doctor)
    assert login_as("nurse").post(page_url(visit, "vitals", str(signs.vitals_id), "void")).status_code == 303
    assert list(queries.vitals_of(visit.visit_id)) == []


def test_a_doctor_of_the_desk_does_not_measure(login_as):
    assert login_as("clerk").get(page_url(make_visit(), "vitals")).status_code == 403


# --- what a page costs --------------------------------------------------------------------------------------------


@pytest.fixture
def long_history(doctor):
    child = make_child("Nguyễn Ngọc Bảo An")
    make_old_visits(child, 200)
    for _n in range(3):
        old = examined(doctor, child)
        order = place(old, doctor)
        release(order, doctor)
        conclude(old, doctor)
    make_allergy(child)
    visit = make_visit(child)
    measure(visit, doctor)
    write_note(visit, doctor)
    diagnose(visit, doctor, "J20.9", "J45.0")
    place(visit, doctor)
    for n in range(12):
        make_visit(make_child(f"Bé Hàng Chờ {'ABCDEFGHIKLM'[n]}"))
    return visit


@pytest.mark.parametrize(
    "path",
    [
        "", "/version", "/quick", "/vitals", "/icd?q=viem", "/parts/own", "/parts/left", "/parts/middle", "/parts/right",
    ],
)  # fmt: skip
def test_no_screen_of_a_visit_takes_more_than_twelve_statements(login_as, count_statements, long_history, path):
    browser = login_as("doctor")
    with count_statements() as seen:
        assert browser.get(page_url(long_history) + path).status_code == 200
    assert seen.count <= 12, "\n".join(seen.texts)


@pytest.mark.parametrize("path", ["/examination/", "/examination/rows", "/examination/?tab=tests"])
def test_the_work_list_takes_at_most_twelve_statements(login_as, count_statements, long_history, path):
    browser = login_as("doctor")
    with count_statements() as seen:
        assert browser.get(path).status_code == 200
    assert seen.count <= 12, "\n".join(seen.texts)


def test_an_unchanged_poll_is_cheap(login_as, count_statements, long_history):
    browser = login_as("doctor")
    version = browser.get("/examination/rows").headers["X-Version"]
    with count_statements() as seen:
        assert browser.get(f"/examination/rows?version={version}").status_code == 204
    assert seen.count <= 5, "\n".join(seen.texts)
    with count_statements() as seen:
        browser.get(page_url(long_history, "version"))
    assert seen.count <= 5, "\n".join(seen.texts)


# --- papers -------------------------------------------------------------------------------------------------------


def test_the_slip_is_issued_once_and_reprinted_as_the_same_bytes(login_as, doctor):
    visit = examined(doctor, follow_up_on=clock.today() + timedelta(days=3))
    browser = login_as("doctor")
    assert browser.get(page_url(visit, "appointment"), headers=JSON).status_code == 409, "not before the end"
    conclude(visit, doctor)
    first = browser.get(page_url(visit, "appointment"))
    again = browser.get(page_url(visit, "appointment"))
    assert first.location == again.location
    one, two = browser.get(first.location), browser.get(again.location)
    assert one.mimetype == "application/pdf"
    assert one.data == two.data


def test_no_slip_without_a_day(login_as, doctor):
    visit = examined(doctor)
    conclude(visit, doctor)
    answer = login_as("doctor").get(page_url(visit, "appointment"), headers=JSON)
    assert answer.status_code == 409
    assert "không có ngày hẹn" in answer.json["message"]


def test_the_outpatient_record_is_a_paper(login_as, doctor):
    visit = examined(doctor)
    conclude(visit, doctor)
    browser = login_as("doctor")
    answer = browser.get(page_url(visit, "record"))
    assert browser.get(answer.location).data.startswith(b"%PDF")


def test_a_paper_after_reopening_replaces_the_former(login_as, doctor):
    from his.documents.models import Paper

    visit = examined(doctor, follow_up_on=clock.today() + timedelta(days=3))
    conclude(visit, doctor)
    browser = login_as("doctor")
    first = browser.get(page_url(visit, "appointment")).location
    with transaction():
        service.reopen(visit.visit_id, "Đổi ngày hẹn", actor=doctor)
    conclude(visit, doctor)
    assert browser.get(page_url(visit, "appointment")).location != first
    session().expire_all()
    papers = session().query(Paper).filter_by(visit_id=visit.visit_id).order_by(Paper.paper_id).all()
    assert papers[0].state.value == "replaced"
    assert papers[0].replaced_by_id == papers[1].paper_id
