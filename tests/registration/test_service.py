"""The use cases of the desk: visit, fee and number together; papers, cards, undo, queues."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from his.audit.models import AuditEvent
from his.billing.models import Charge
from his.core import clock
from his.core.actor import SYSTEM, Actor
from his.core.config import current
from his.core.db import session, transaction
from his.core.errors import InvalidState, RuleBroken
from his.records import queries as records
from his.records.enums import CoverageSource, IdentifierType, VisitState
from his.records.models import Coverage, Patient, Visit
from his.registration import queries, service
from his.registration.enums import CheckState, TicketState
from his.registration.errors import AlreadyRegistered, RoomClosed
from tests.factories.records import make_child, make_coverage, make_patient, make_visit
from tests.factories.registration import make_clinic, register, tickets
from tests.registration.conftest import Portal

pytestmark = pytest.mark.usefixtures("db_session")
ELSEWHERE = "79901"


def charges(visit_id: int) -> list[Charge]:
    return list(session().execute(select(Charge).where(Charge.visit_id == visit_id, Charge.voided_at.is_(None))).scalars())


def actions(visit_id: int) -> set[str]:
    return set(session().execute(select(AuditEvent.action).where(AuditEvent.visit_id == visit_id)).scalars())


def test_registering_opens_visit_fee_and_number_at_once(actor: Callable[..., Actor]) -> None:
    patient = make_patient()
    done = register(patient, coverage=make_coverage(patient), actor=actor("clerk"), weight_kg=Decimal("61.5"))
    assert (done.visit.subject_code, done.visit.benefit_rate, done.visit.route) == ("1.1", "100", "DKBD")
    assert (done.ticket.text, done.ticket.state) == ("214-001", TicketState.WAITING)
    (fee,) = charges(done.visit.visit_id)
    assert (fee.hospital_price, fee.insurance_price, fee.service_rate) == (50_600, 50_600, 100)
    assert {"registration.register", "records.visit.open", "billing.charge.post"} <= actions(done.visit.visit_id)


def test_without_a_card_the_fund_pays_nothing() -> None:
    done = register()
    assert (done.visit.subject_code, done.visit.coverage_id, done.visit.benefit_rate) == ("9", None, "")
    assert charges(done.visit.visit_id)[0].insurance_price == 0


@pytest.mark.parametrize(
    ("route", "more", "code"),
    [
        ("", {}, "1.12"),
        ("", {"is_emergency": True}, "2"),
        ("CU_TRU", {}, "1.4"),
        ("HEN", {"incoming_paper_number": "HK-12", "incoming_facility_code": "79999"}, "1.5"),
        ("KHONG_BHYT", {}, "9"),
        ("DKBD", {}, "1.12"),  # nobody can talk a card into being registered here
        ("CHUYEN", {"paper_follows": True}, "1.3"),
    ],
)
def test_the_subject_code_follows_the_route(route: str, more: dict[str, Any], code: str) -> None:
    patient = make_patient()
    done = register(patient, coverage=make_coverage(patient, registered_facility_code=ELSEWHERE), route=route or "TU_DEN", **more)
    assert done.visit.subject_code == code
    assert done.visit.subject_reason


def test_a_valid_transfer_paper_gives_one_three_and_is_kept() -> None:
    patient = make_patient()
    paper = {
        "incoming_paper_number": "000482/2026/PCCSKBCB", "incoming_facility_code": ELSEWHERE,
        "incoming_signed_on": clock.today() - timedelta(days=2),
    }  # fmt: skip
    visit = register(patient, coverage=make_coverage(patient, registered_facility_code=ELSEWHERE), route="CHUYEN", **paper).visit
    assert (visit.subject_code, visit.incoming_paper_kind, visit.incoming_paper_number) == ("1.3", "transfer", "000482/2026/PCCSKBCB")


def test_the_same_paper_counts_for_one_visit_only() -> None:
    patient = make_patient()
    coverage = make_coverage(patient, registered_facility_code=ELSEWHERE)
    paper = {
        "incoming_paper_number": "000483/2026/PCCSKBCB", "incoming_facility_code": ELSEWHERE,
        "incoming_signed_on": clock.today() - timedelta(days=2),
    }  # fmt: skip
    make_visit(patient, incoming_paper_number=paper["incoming_paper_number"], incoming_paper_kind="transfer")
    with transaction():
        session().execute(Visit.__table__.update().values(state="closed", ended_at=clock.now()))
    session().expire_all()
    done = register(patient, coverage=coverage, route="CHUYEN", **paper)
    assert done.visit.subject_code == "1.12"
    assert "đã dùng" in done.note


def test_a_missing_paper_number_stops_with_the_field_named() -> None:
    patient = make_patient()
    with pytest.raises(RuleBroken) as caught:
        register(patient, coverage=make_coverage(patient, registered_facility_code=ELSEWHERE), route="CHUYEN")
    assert "incoming_paper_number" in {f.field for f in caught.value.findings}
    assert records.open_visit_of(patient.patient_id, clock.today()) is None


@pytest.mark.parametrize(("given", "field"), [({}, "guardian_name"), ({"guardian_name": "Lê Thị Châu"}, "guardian_phone"),
                                              ({"guardian_name": "Lê Thị Châu", "guardian_phone": "12"}, "guardian_phone")])  # fmt: skip
def test_a_child_under_six_needs_a_guardian(given: dict[str, Any], field: str) -> None:
    with pytest.raises(RuleBroken) as caught:
        register(make_child(guardian=""), **given)
    assert field in {f.field for f in caught.value.findings}


def test_an_emergency_is_never_stopped_by_a_missing_guardian() -> None:
    done = register(make_child(guardian=""), is_emergency=True)
    assert (done.ticket.priority, done.visit.is_emergency) == (100, True)


def test_the_guardian_is_remembered_for_the_next_time() -> None:
    child = make_child(guardian="")
    register(child, guardian_name="Lê Thị Châu", guardian_phone="0900118204", guardian_kind="mother")
    session().expire_all()
    (guardian,) = records.get_patient(child.patient_id).guardians
    assert (guardian.full_name, guardian.phone, guardian.kind.value) == ("Lê Thị Châu", "0900118204", "mother")


def test_the_same_patient_twice_gets_the_open_visit() -> None:
    patient = make_patient()
    first, second = register(patient), register(patient)
    assert second.was_open
    assert second.visit.visit_id == first.visit.visit_id
    assert len(charges(first.visit.visit_id)) == 1
    assert len(tickets()) == 1


def test_another_clinic_while_a_visit_is_open_is_refused_with_the_visit_named() -> None:
    patient = make_patient()
    first = register(patient)
    first.visit.registered_at = clock.now() - timedelta(minutes=5)
    make_clinic("101", "Nhi tổng quát 1")
    with pytest.raises(AlreadyRegistered) as caught:
        register(patient, room_code="101")
    assert caught.value.visit_id == first.visit.visit_id
    assert first.visit.code in caught.value.message


def test_a_closed_clinic_takes_nobody() -> None:
    make_clinic("220", "Thần kinh", is_open=False)
    with pytest.raises(RoomClosed, match="Chọn phòng khám khác"):
        register(room_code="220")


def test_numbers_are_in_order_per_clinic() -> None:
    make_clinic("101", "Nhi tổng quát 1")
    texts = [register().ticket.text, register().ticket.text, register(room_code="101").ticket.text, register().ticket.text]
    assert texts == ["214-001", "214-002", "101-001", "214-003"]


def test_the_second_examination_of_a_day_costs_less() -> None:
    patient = make_patient()
    first = register(patient)
    first.visit.state, first.visit.ended_at = VisitState.CONCLUDED, clock.now()
    make_clinic("101", "Nhi tổng quát 1")
    second = register(patient, room_code="101")
    assert [c.service_rate for c in charges(second.visit.visit_id)] == [30]


# --- undo and moving ------------------------------------------------------------------------------------------------


def test_undo_takes_visit_fee_and_number_back() -> None:
    done = register()
    with transaction():
        service.undo_registration(done.visit.visit_id, actor=SYSTEM)
    assert done.visit.state is VisitState.CANCELLED
    assert done.ticket.state is TicketState.VOID
    assert charges(done.visit.visit_id) == []
    with pytest.raises(InvalidState, match="đã được hoàn tác"), transaction():
        service.undo_registration(done.visit.visit_id, actor=SYSTEM)


def test_a_registration_taken_back_can_be_made_again() -> None:
    patient = make_patient()
    done = register(patient)
    with transaction():
        service.undo_registration(done.visit.visit_id, actor=SYSTEM)
    assert register(patient).ticket.text == "214-002"


@pytest.mark.parametrize("reason", ["late", "begun"])
def test_undo_is_refused_when_late_or_begun(reason: str) -> None:
    done = register()
    if reason == "late":
        done.visit.registered_at = clock.now() - timedelta(minutes=11)
    else:
        done.visit.state = VisitState.IN_EXAM
    with pytest.raises(InvalidState), transaction():
        service.undo_registration(done.visit.visit_id, actor=SYSTEM)


def test_moving_to_another_clinic_gives_a_new_number_and_that_clinics_fee() -> None:
    make_clinic("101", "Nhi tổng quát 1", exam_service="KB01", price=40_000)
    done = register(make_child(), guardian_name="Lê Thị Châu", guardian_phone="0900118204")
    with transaction():
        fresh = service.change_room(done.ticket.ticket_id, "101", actor=SYSTEM)
    assert (fresh.text, fresh.priority) == ("101-001", done.ticket.priority)
    assert done.ticket.state is TicketState.VOID
    assert [(c.item_code, c.hospital_price) for c in charges(done.visit.visit_id)] == [("KB01", 40_000)]
    assert records.get_visit(done.visit.visit_id).room_code == "101"


def test_moving_is_refused_once_the_examination_has_begun() -> None:
    make_clinic("101", "Nhi tổng quát 1")
    done = register()
    done.visit.state = VisitState.IN_EXAM
    with pytest.raises(InvalidState), transaction():
        service.change_room(done.ticket.ticket_id, "101", actor=SYSTEM)


# --- queues ----------------------------------------------------------------------------------------------------------


def test_the_most_urgent_is_called_first_then_by_number() -> None:
    plain, urgent, child = register(), register(is_emergency=True), register(make_child(months=10), guardian_name="A B", guardian_phone="0900118204")
    called = []
    for _ in range(4):
        with transaction():
            ticket = service.call_next("214", actor=SYSTEM)
            called.append(ticket.text if ticket else None)
    assert called == [urgent.ticket.text, child.ticket.text, plain.ticket.text, None]
    assert plain.visit.called_at is not None


def test_an_absent_patient_keeps_the_number_and_can_be_called_again() -> None:
    done = register()
    for work, state in ((service.call, TicketState.CALLED), (service.skip, TicketState.SKIPPED), (service.call, TicketState.CALLED)):
        with transaction():
            work(done.ticket.ticket_id, actor=SYSTEM)
        assert done.ticket.state is state
    assert done.ticket.call_count == 2


def test_a_finished_number_cannot_be_called() -> None:
    done = register()
    with transaction():
        service.finish_visit_ticket(done.visit.visit_id, actor=SYSTEM)
    with pytest.raises(InvalidState), transaction():
        service.call(done.ticket.ticket_id, actor=SYSTEM)
    with pytest.raises(InvalidState), transaction():
        service.skip(done.ticket.ticket_id, actor=SYSTEM)


def test_every_change_moves_the_version_the_screens_poll() -> None:
    day = clock.today()
    seen = [queries.board_version(day)]
    done = register()
    seen.append(queries.board_version(day))
    for work in (service.call, service.skip):
        with transaction():
            work(done.ticket.ticket_id, actor=SYSTEM)
        seen.append(queries.board_version(day))
    assert seen == sorted(set(seen))


# --- cards -----------------------------------------------------------------------------------------------------------


def ask(patient: Patient, number: str = "079085900001") -> service.CheckResult:
    return service.ask_insurer(number, patient.full_name, service.birth_text(patient), actor=SYSTEM)


def test_a_valid_answer_is_kept_whole_with_its_card(portal: Portal) -> None:
    patient = make_patient()
    portal.says(card="GD4797900000002")
    with transaction():
        check, coverage = service.keep_check(ask(patient), patient_id=patient.patient_id, actor=SYSTEM)
    assert check.state is CheckState.VALID
    assert check.answer["maThe"] == "GD4797900000002"
    assert coverage is not None
    assert (coverage.card_number, coverage.source, check.coverage_id) == ("GD4797900000002", CoverageSource.PORTAL, coverage.coverage_id)


def test_a_replaced_card_leads_to_the_new_one(portal: Portal) -> None:
    patient = make_patient()
    old = make_coverage(patient, "GD4797900000777")
    portal.says("003", card="GD4797900000777", maTheMoi="GD4797900000888", maDKBDMoi="79901", gtTheTuMoi="01/11/2026", gtTheDenMoi="31/12/2099")
    with transaction():
        check, fresh = service.keep_check(ask(patient, old.card_number), patient_id=patient.patient_id, actor=SYSTEM)
    assert fresh is not None
    assert (fresh.card_number, fresh.registered_facility_code) == ("GD4797900000888", "79901")
    cards = records.loaded(patient.patient_id).coverages
    chosen = service.choose_coverage(list(cards), check, clock.today())
    assert chosen is not None
    assert chosen.coverage_id == fresh.coverage_id


def test_a_portal_that_is_down_never_blocks(portal: Portal) -> None:
    patient = make_patient()
    known = make_coverage(patient)
    result = ask(patient)
    with transaction():
        check, _ = service.keep_check(result, patient_id=patient.patient_id, actor=SYSTEM)
    assert (check.state, check.code) == (CheckState.UNVERIFIED, "")
    assert "ConnectError" in check.error
    assert service.choose_coverage([known], check, clock.today()) is known
    assert register(patient, coverage=known).visit.subject_code == "1.1"


def test_the_printed_card_counts_while_the_portal_is_down(portal: Portal) -> None:
    patient = make_patient()
    text = (
        "GD4797900000001|5472e1baa76e2056c4836e205468e1bbad|15/03/1985|1|-|79 - 901|01/01/2026|31/12/2099|20/12/2025|"
        "7900000000000001|-|4|01/01/2029|1a2b3c4d5e6f7081-7102|$"
    )
    scanned = service.recognise(text, clock.today())
    assert scanned.kind == "bhyt", scanned.message
    with transaction():
        _, coverage = service.keep_check(ask(patient, scanned.value), patient_id=patient.patient_id, scanned=scanned, actor=SYSTEM)
    assert coverage is not None
    assert (coverage.source, coverage.registered_facility_code) == (CoverageSource.CARD_QR, "79901")


def test_a_refused_card_does_not_count_today(portal: Portal) -> None:
    patient = make_patient()
    known = make_coverage(patient)
    portal.says("110", card=known.card_number)
    with transaction():
        check, none = service.keep_check(ask(patient, known.card_number), patient_id=patient.patient_id, actor=SYSTEM)
    assert none is None
    assert check.state is CheckState.INVALID
    assert service.choose_coverage([known], check, clock.today()) is None


def test_a_fault_of_the_portal_is_not_a_bad_card(portal: Portal) -> None:
    patient = make_patient()
    portal.says("101")
    with transaction():
        check, _ = service.keep_check(ask(patient), patient_id=patient.patient_id, actor=SYSTEM)
    assert check.state is CheckState.UNVERIFIED


def test_of_two_cards_the_better_one_counts() -> None:
    patient = make_patient()
    better = make_coverage(patient, "HN2797900000123")
    make_coverage(patient, "GD4797900000123")
    old = make_coverage(patient, "TE1797900000124", valid_from=clock.today() - timedelta(days=400), valid_to=clock.today() - timedelta(days=1))
    chosen = service.choose_coverage(records.loaded(patient.patient_id).coverages, None, clock.today())
    assert chosen is not None
    assert chosen.coverage_id == better.coverage_id != old.coverage_id


def test_the_check_is_tied_to_the_visit_it_served(portal: Portal) -> None:
    patient = make_patient()
    portal.says()
    with transaction():
        check, coverage = service.keep_check(ask(patient), patient_id=patient.patient_id, actor=SYSTEM)
    done = register(patient, coverage=coverage, check_id=check.check_id)
    assert check.visit_id == done.visit.visit_id


def test_a_child_without_a_card_gets_a_temporary_number() -> None:
    child = make_child()
    with transaction():
        card = service.give_temporary_card(child.patient_id, actor=SYSTEM)
    province = current().facility_province
    assert card.card_number.startswith(f"TE1{province}")
    assert (len(card.card_number), card.registered_facility_code) == (15, f"{province}000")
    done = register(child, coverage=card, guardian_name="A B", guardian_phone="0900118204")
    assert (done.visit.subject_code, done.visit.benefit_rate) == ("1.12", "100")


# --- finding people ----------------------------------------------------------------------------------------------------


def found(text: str) -> service.Found:
    return service.find(service.recognise(text, clock.today()))


def test_people_are_found_by_everything_they_carry() -> None:
    patient = make_patient("Võ Thị Sáu", personal_number="079085900777", other_identifiers=((IdentifierType.OLD_ID, "024111222"),))
    make_coverage(patient, "GD4797900000555")
    done = register(patient)
    qr = "079085900777||Võ Thị Sáu|15031985|Nữ|1 Đường A, Phường Sài Gòn, Thành phố Hồ Chí Minh|10062021"
    for text in (qr, "079085900777", "024111222", "GD4797900000555", "4797900000555"[-10:], patient.code, done.visit.code, done.ticket.text,
                 patient.phone):  # fmt: skip
        who = found(text).patient
        assert who is not None, text
        assert who.patient_id == patient.patient_id
    assert [h.patient_id for h in found("sau vo thi").hits] == [patient.patient_id]


def test_a_card_with_a_new_number_is_found_by_the_old_one() -> None:
    patient = make_patient(other_identifiers=((IdentifierType.OLD_ID, "024111333"),))
    who = found("079085900888|024111333|Trần Văn Thử|15031985|Nam|x, y, z|10062021").patient
    assert who is not None
    assert who.patient_id == patient.patient_id


@pytest.mark.parametrize("text", ["26-999999", "79999-200101-0001", "999-001", "2345-ABCD-EFGH-JKMN", "0399999999", "khong co ai ten nay"])
def test_nobody_found_says_what_to_do(text: str) -> None:
    answer = found(text)
    assert answer.patient is None
    assert not answer.hits
    assert answer.message


def test_a_document_of_a_stranger_leads_to_a_new_record() -> None:
    answer = found("079085900999||Lạ Thị Người|15031985|Nữ|1 A, Phường B, Tỉnh C|10062021")
    assert (answer.patient, answer.hits, answer.message) == (None, (), "")


def test_a_scanned_number_can_be_given_to_somebody_known() -> None:
    patient = make_patient()
    with transaction():
        service.is_same_person(patient.patient_id, service.Scan("cccd", "079085900321"), actor=SYSTEM)
    assert found("079085900321").patient is not None


def test_a_new_patient_and_the_visit_are_made_together_or_not_at_all(db_session: Session) -> None:
    make_clinic()
    data = records_data(full_name="Người Mới Toanh")
    command = service.RegisterCommand(patient_id=0, room_code="nope", reason="ho")
    with pytest.raises(Exception, match="phòng"), transaction():
        service.register_new(service.NewPatient(data), command, actor=SYSTEM)
    assert not records.find("nguoi moi toanh")
    with transaction():
        done = service.register_new(service.NewPatient(data), service.RegisterCommand(0, "214", ""), actor=SYSTEM)
    assert done.visit.reason == service.DEFAULT_REASON
    assert [h.open_visit_id for h in records.find("nguoi moi toanh")] == [done.visit.visit_id]


def records_data(**data: Any) -> Any:
    from datetime import date

    from his.records.enums import Sex
    from his.records.service import PatientData

    return PatientData(**{"full_name": "A B", "birth_on": date(1990, 1, 1), "sex": Sex.MALE, **data})


def test_a_check_made_before_the_record_existed_is_adopted(portal: Portal) -> None:
    make_clinic()
    portal.says(card="GD4797900000432")
    result = service.ask_insurer("079085900432", "A B", "01/01/1990", actor=SYSTEM)
    with transaction():
        check, none = service.keep_check(result, patient_id=None, actor=SYSTEM)
    assert none is None
    with transaction():
        done = service.register_new(
            service.NewPatient(records_data()), service.RegisterCommand(0, "214", "ho", check_id=check.check_id), actor=SYSTEM
        )
    coverage = session().get(Coverage, done.visit.coverage_id)
    assert coverage is not None
    assert coverage.card_number == "GD4797900000432"
    assert (check.patient_id, check.visit_id) == (done.visit.patient_id, done.visit.visit_id)
