"""Use cases of orders: placing with charges, taking back, results, what stops a visit from ending."""

from __future__ import annotations

from decimal import Decimal

import pytest

from his.audit.models import AuditEvent
from his.billing.models import Charge
from his.core.db import session, transaction
from his.core.errors import InvalidState, RuleBroken
from his.orders import queries, rules, service
from his.orders.enums import OrderKind, OrderState
from his.orders.module import check
from his.records.enums import VisitState
from his.records.models import Visit
from tests.factories.examination import conclude, examined, make_visit
from tests.factories.orders import BLOOD, CHEST, INHALATION, make_services, place, release


@pytest.fixture
def doctor(actor):
    return actor("doctor")


def charges(visit):
    return {
        c.item_code: c for c in session().query(Charge).filter_by(visit_id=visit.visit_id, source_kind="order_line", voided_at=None)
    }


def the_visit(visit):
    return session().get(Visit, visit.visit_id, populate_existing=True)


def test_an_order_has_its_lines_its_rooms_and_its_charges(doctor):
    visit = make_visit()
    order = place(visit, doctor, BLOOD, CHEST, indication="J20.9 Viêm phế quản cấp", is_urgent=True)
    assert [(line.kind, line.room_code, line.state) for line in order.lines] == [
        (OrderKind.LABORATORY, "XN1", OrderState.ORDERED), (OrderKind.IMAGING, "CDHA1", OrderState.ORDERED),
    ]
    assert (order.ordered_by_name, order.ordered_by_licence, order.is_urgent) == (doctor.name, doctor.licence_number, True)
    posted = charges(visit)
    assert {code: c.hospital_price for code, c in posted.items()} == {BLOOD: Decimal(49700), CHEST: Decimal(73300)}
    assert posted[BLOOD].source_id == order.lines[0].line_id
    event = session().query(AuditEvent).filter_by(action="orders.place").one()
    assert event.details == {"code": order.code, "services": [BLOOD, CHEST]}


def test_ordering_begins_the_examination_and_the_wait_for_results(doctor):
    visit = make_visit()
    place(visit, doctor)
    now = the_visit(visit)
    assert now.state is VisitState.IN_EXAM
    assert now.tests_ordered_at is not None
    assert now.tests_done_at is None


def test_a_procedure_keeps_nobody_waiting_for_results(doctor):
    visit = make_visit()
    place(visit, doctor, INHALATION)
    assert the_visit(visit).tests_ordered_at is None


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (["00.0000.0000"], "Không có dịch vụ «00.0000.0000» để chỉ định. Gõ tên để chọn."),
        (["KB03"], "Không có dịch vụ «KB03» để chỉ định"),
        (["99.9999.9999"], "«Chụp PET/CT» chưa có ở bệnh viện này"),
        ([""], "Chưa chọn dịch vụ nào"),
    ],
)
def test_what_cannot_be_ordered_is_named_and_nothing_is_ordered(doctor, codes, message):
    visit = make_visit()
    with pytest.raises(RuleBroken) as refused:
        place(visit, doctor, *codes)
    assert message in refused.value.message
    assert queries.panel_rows(visit.visit_id) == []
    assert charges(visit) == {}


def test_a_service_still_awaited_is_not_ordered_twice(doctor):
    visit = make_visit()
    place(visit, doctor)
    with pytest.raises(RuleBroken, match="«Tổng phân tích tế bào máu» đã chỉ định, đang chờ kết quả"):
        place(visit, doctor)
    assert len(charges(visit)) == 1


def test_the_same_code_twice_in_one_order_is_one_line(doctor):
    order = place(make_visit(), doctor, BLOOD, BLOOD)
    assert len(order.lines) == 1


def test_a_service_with_its_result_may_be_ordered_again(doctor):
    visit = make_visit()
    release(place(visit, doctor), doctor)
    place(visit, doctor)
    assert len(queries.panel_rows(visit.visit_id)) == 2


def test_nothing_is_ordered_for_an_ended_visit(doctor):
    visit = examined(doctor)
    conclude(visit, doctor)
    with pytest.raises(InvalidState, match="Mở lại lượt khám trước khi chỉ định"):
        place(visit, doctor)


def test_a_cancelled_line_takes_its_charge_along_and_nobody_waits(doctor):
    visit = make_visit()
    order = place(visit, doctor)
    with transaction():
        line = service.cancel_line(order.lines[0].line_id, "", actor=doctor)
    assert (line.state, line.cancel_reason) == (OrderState.CANCELLED, "bác sĩ hủy")
    assert charges(visit) == {}
    assert the_visit(visit).tests_ordered_at is None
    # And the same service can be ordered anew, with a charge of its own.
    place(visit, doctor)
    assert list(charges(visit)) == [BLOOD]


def test_cancelling_the_last_open_one_of_several_means_results_are_there(doctor):
    visit = make_visit()
    order = place(visit, doctor, BLOOD, CHEST)
    with transaction():
        service.complete_line(order.lines[0].line_id, actor=doctor)
    assert the_visit(visit).tests_done_at is None
    with transaction():
        service.cancel_line(order.lines[1].line_id, "", actor=doctor)
    assert the_visit(visit).tests_done_at is not None


@pytest.mark.parametrize("state", ["started", "resulted"])
def test_what_was_begun_is_not_cancelled(doctor, state):
    visit = make_visit()
    order = place(visit, doctor, BLOOD, CHEST)
    with transaction():
        (service.start_line if state == "started" else service.complete_line)(order.lines[0].line_id, actor=doctor)
    with pytest.raises(InvalidState, match="đã thực hiện"), transaction():
        service.cancel_line(order.lines[0].line_id, "", actor=doctor)
    with pytest.raises(InvalidState, match="Hủy từng dòng"), transaction():
        service.cancel_order(order.order_id, "", actor=doctor)
    assert len(charges(visit)) == 2


def test_a_whole_order_is_taken_back(doctor):
    visit = make_visit()
    order = place(visit, doctor, BLOOD, CHEST)
    with transaction():
        service.cancel_order(order.order_id, "chọn nhầm người bệnh", actor=doctor)
    assert queries.panel_rows(visit.visit_id) == []
    assert {line.cancel_reason for line in queries.get_order(order.order_id).lines} == {"chọn nhầm người bệnh"}


def test_the_last_result_marks_the_visit(doctor, actor):
    visit = make_visit()
    order = place(visit, doctor, BLOOD, CHEST)
    technician = actor("lab_tech")
    with transaction():
        service.complete_line(order.lines[0].line_id, actor=technician)
    assert the_visit(visit).tests_done_at is None
    with transaction():
        done = service.complete_line(order.lines[1].line_id, actor=technician)
    assert (done.state, done.performer_licence) == (OrderState.RESULTED, technician.licence_number)
    assert done.started_at is not None
    now = the_visit(visit)
    assert now.tests_done_at >= now.tests_ordered_at


def test_a_procedure_is_done_on_the_spot_and_a_test_is_not(doctor):
    visit = make_visit()
    order = place(visit, doctor, INHALATION, BLOOD)
    with transaction():
        assert service.perform(order.lines[0].line_id, actor=doctor).state is OrderState.RESULTED
    with pytest.raises(InvalidState, match="đã thực hiện hoặc đã hủy"), transaction():
        service.perform(order.lines[0].line_id, actor=doctor)
    with pytest.raises(InvalidState, match="phòng xét nghiệm"), transaction():
        service.perform(order.lines[1].line_id, actor=doctor)


def test_open_orders_stop_the_end_of_a_visit(doctor):
    visit = make_visit()
    assert check(visit.visit_id) == ()
    order = place(visit, doctor, BLOOD, CHEST)
    (finding,) = check(visit.visit_id)
    assert (finding.code, finding.field) == ("orders_open", "orders")
    assert finding.message.startswith("Còn 2 chỉ định chưa có kết quả")
    release(order, doctor)
    assert check(visit.visit_id) == ()


def test_ready_made_sets_name_services_of_the_packaged_catalogue():
    import csv
    import gzip
    from importlib.resources import files

    with files("his.catalogues").joinpath("data/services.csv.gz").open("rb") as packed, gzip.open(packed, "rt", encoding="utf-8") as text:
        offered = {row["code"]: row for row in csv.DictReader(text) if row["is_offered"] == "1"}
    with files("his.catalogues").joinpath("data/lab_indices.csv").open(encoding="utf-8") as text:
        measured = {row["service_code"] for row in csv.DictReader(text)}
    for one in rules.all_sets():
        assert one.codes
        for code in one.codes:
            assert code in offered, (one.name, code)
            assert offered[code]["kind"] in service.KINDS
            assert offered[code]["kind"] != "laboratory" or code in measured, (one.name, code)


@pytest.mark.parametrize(("months", "name", "is_there"), [(44, "Khò khè dưới 5 tuổi", True), (72, "Khò khè dưới 5 tuổi", False), (44, "Tăng huyết áp", False), (600, "Tăng huyết áp", True)])
def test_sets_fit_the_age(months, name, is_there):
    assert (name in {one.name for one in rules.order_sets(months)}) is is_there


def test_services_of_the_set_are_findable(doctor):
    make_services()
    from his.core import search

    assert search.find("service", "cong thuc mau") or search.find("service", "tong phan tich")
