"""Patients, numbers, guardians, allergies, cards, and the life of a visit."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from his.audit.models import AuditEvent
from his.core import clock
from his.core.actor import SYSTEM
from his.core.db import session, transaction
from his.core.errors import InvalidState, RuleBroken
from his.records import queries, service
from his.records.enums import AllergyStatus, CoverageSource, GuardianKind, IdentifierType, Sex, VisitState
from his.records.errors import ChangedByAnother, PatientNotFound, PersonalNumberTaken, VisitAlreadyClosed, VisitNotFound
from his.records.models import Patient
from tests.factories.records import (
    make_allergy,
    make_child,
    make_coverage,
    make_old_visits,
    make_patient,
    make_visit,
    reload,
)

pytestmark = pytest.mark.usefixtures("db_session")


def events(patient_id: int) -> list[str]:
    return list(session().execute(select(AuditEvent.action).where(AuditEvent.patient_id == patient_id)).scalars())


def test_a_new_patient_has_a_code_and_is_found_at_once() -> None:
    patient = make_patient("Đặng  Thị   Ước", phone="0912 345 678", personal_number="079085900123")
    assert patient.full_name == "Đặng Thị Ước"
    assert patient.code.startswith(f"{clock.today():%y}-")
    for words in ("dang thi uoc", "uoc dang", "dtu", "0912345678", "079085900123", patient.code, "dang thi uoc 1985", "dang thi uooc"):
        assert [h.patient_id for h in queries.find(words)] == [patient.patient_id], words
    assert "records.patient.create" in events(patient.patient_id)


def test_two_people_never_bear_one_personal_number() -> None:
    first = make_patient(personal_number="079085900123")
    with pytest.raises(PersonalNumberTaken, match=first.code):
        make_patient("Người Thứ Hai", personal_number="079085900123")
    assert queries.find("nguoi thu hai") == []


def test_a_reissued_number_ends_the_former_one_which_stays_readable() -> None:
    patient = make_patient(personal_number="079085900123")
    with transaction():
        service.set_personal_number(patient.patient_id, "079085900124", actor=SYSTEM)
    fresh = reload(patient)
    assert queries.personal_number_of(fresh) == "079085900124"
    assert {(i.value, i.valid_to is None) for i in fresh.identifiers} == {("079085900123", False), ("079085900124", True)}
    with pytest.raises(RuleBroken, match="12 chữ số"), transaction():
        service.set_personal_number(patient.patient_id, "123", actor=SYSTEM)


def test_the_same_identifier_twice_is_kept_once() -> None:
    patient = make_patient()
    for _ in range(2):
        with transaction():
            service.add_identifier(patient, IdentifierType.PASSPORT, "C1234567", "desk", actor=SYSTEM)
    assert [i.value for i in reload(patient).identifiers] == ["C1234567"]


def test_a_correction_is_audited_old_to_new_and_found_under_the_new_name() -> None:
    patient = make_patient("Trần Văn Cũ")
    with transaction():
        service.update_patient(patient.patient_id, {"full_name": "Trần Văn Mới", "phone": "0900000009"}, patient.version, actor=SYSTEM)
    assert queries.find("tran van moi")
    assert queries.find("tran van cu") == []
    event = session().execute(select(AuditEvent).where(AuditEvent.action == "records.patient.update")).scalar_one()
    assert event.details["changes"]["full_name"] == ["Trần Văn Cũ", "Trần Văn Mới"]


def test_a_stale_form_is_refused() -> None:
    patient = make_patient()
    old = patient.version
    with transaction():
        service.update_patient(patient.patient_id, {"phone": "0900000009"}, old, actor=SYSTEM)
    with pytest.raises(ChangedByAnother), transaction():
        service.update_patient(patient.patient_id, {"phone": "0900000008"}, old, actor=SYSTEM)
    assert reload(patient).phone == "0900000009"


@pytest.mark.parametrize("changes", [{"full_name": ""}, {"birth_on": date(2999, 1, 1)}, {"full_name": "N" * 200}])
def test_a_wrong_correction_saves_nothing(changes: dict[str, Any]) -> None:
    patient = make_patient("Trần Văn Đúng")
    with pytest.raises(RuleBroken), transaction():
        service.update_patient(patient.patient_id, changes, patient.version, actor=SYSTEM)
    assert reload(patient).full_name == "Trần Văn Đúng"


def test_fields_nobody_may_set_are_refused_loudly() -> None:
    patient = make_patient()
    with pytest.raises(TypeError), transaction():
        service.update_patient(patient.patient_id, {"code": "x"}, patient.version, actor=SYSTEM)


def test_a_guardian_is_one_row_per_kind_and_leads_to_the_child() -> None:
    child = make_child(guardian="Lê Thị Cũ")
    with transaction():
        service.save_guardian(child.patient_id, kind=GuardianKind.MOTHER, full_name="Lê Thị Mới", phone="0987654321", actor=SYSTEM)
    assert [g.full_name for g in reload(child).guardians] == ["Lê Thị Mới"]
    assert [h.patient_id for h in queries.find("0987654321")] == [child.patient_id]


def test_unknown_patients_and_visits_are_not_found() -> None:
    for work in (queries.get_patient, queries.loaded, queries.lock_patient):
        with pytest.raises(PatientNotFound):
            work(999_999)
    for work in (queries.get_visit, queries.visit_for_update):
        with pytest.raises(VisitNotFound):
            work(999_999)


# --- allergies ------------------------------------------------------------------------------------------------------


def test_allergies_are_recorded_and_taken_back_but_stay_readable() -> None:
    patient = make_patient()
    allergy = make_allergy(patient)
    assert reload(patient).allergy_status is AllergyStatus.RECORDED
    with transaction():
        service.void_allergy(patient.patient_id, allergy.allergy_id, "nhập nhầm người", actor=SYSTEM)
    fresh = reload(patient)
    assert (fresh.allergy_status, fresh.allergies[0].void_reason) == (AllergyStatus.UNKNOWN, "nhập nhầm người")
    with pytest.raises(InvalidState), transaction():
        service.void_allergy(patient.patient_id, allergy.allergy_id, "", actor=SYSTEM)


def test_no_allergy_cannot_be_said_beside_a_recorded_one() -> None:
    patient = make_patient()
    with transaction():
        service.state_no_known_allergies(patient.patient_id, actor=SYSTEM)
    assert reload(patient).allergy_status is AllergyStatus.NONE_KNOWN
    make_allergy(patient)
    with pytest.raises(InvalidState), transaction():
        service.state_no_known_allergies(patient.patient_id, actor=SYSTEM)


# --- cards ------------------------------------------------------------------------------------------------------------


def test_the_same_card_is_one_row_and_learns_what_becomes_known() -> None:
    patient = make_patient()
    first = make_coverage(patient, "GD4797900000001")
    again = make_coverage(patient, "GD4797900000001", living_area="K1", five_years_on=date(2024, 1, 1))
    assert again.coverage_id == first.coverage_id
    assert (again.living_area, again.five_years_on) == ("K1", date(2024, 1, 1))
    other = make_coverage(patient, "GD4797900000001", registered_facility_code="79901")
    assert other.coverage_id != first.coverage_id


def test_a_card_makes_its_owner_findable_by_both_numbers() -> None:
    patient = make_patient()
    make_coverage(patient, "GD4797900000321")
    for number in ("GD4797900000321", "7900000321"):
        found = queries.by_identifier(number)
        assert found is not None
        assert found.patient_id == patient.patient_id


def test_a_card_typed_by_hand_is_checked() -> None:
    patient = make_patient()
    with pytest.raises(RuleBroken, match="14 ký tự"), transaction():
        service.type_card(patient.patient_id, service.CardData("GD479790000000", "79999", clock.today(), None), actor=SYSTEM)
    with transaction():
        card = service.type_card(patient.patient_id, service.CardData("GD4797900000001", "79999", clock.today(), None), actor=SYSTEM)
    assert card.source is CoverageSource.TYPED


# --- duplicates ----------------------------------------------------------------------------------------------------------


def test_likely_duplicates_are_found_with_reasons_and_strangers_are_not() -> None:
    patient = make_patient("Trần Gia Hưng", phone="0900111222")
    make_patient("Trần Gia Hưng", birth_on=date(1950, 1, 1))
    (found,) = queries.likely_duplicates(
        full_name="tran gia hung", birth_on=date(1985, 3, 15), birth_precision="day", sex=Sex.MALE.value, phones=["0900 111 222"]
    )
    assert (found.patient_id, set(found.same)) == (patient.patient_id, {"tên", "ngày sinh", "giới tính", "điện thoại"})
    assert queries.likely_duplicates(
        full_name="Trần Gia Hưng", birth_on=date(1985, 3, 15), birth_precision="day", sex="M", except_id=patient.patient_id
    ) == []


# --- banner --------------------------------------------------------------------------------------------------------------


def test_the_banner_is_drawn_from_one_or_two_statements(count_statements: Any) -> None:
    child = make_child(personal_number="079325900777")
    make_allergy(child)
    coverage = make_coverage(child, "TE1797900000777")
    visit = make_visit(child, coverage=coverage, weight_kg=Decimal("14.20"))
    session().expire_all()
    visit = queries.get_visit(visit.visit_id)
    with count_statements() as seen:
        banner = queries.banner(child.patient_id, visit)
    assert seen.count == 1
    assert (banner.name, banner.weight, banner.rate, banner.is_child) == ("NGUYỄN NGỌC BẢO AN", "14,2 kg", "80", True)
    assert (banner.allergies[0].substance, banner.guardian_label, banner.guardian_name) == ("Amoxicilin", "Mẹ", "Lê Thị Minh Châu")
    patient_id = child.patient_id
    session().expire_all()
    with count_statements() as seen:
        assert queries.banner(patient_id).weight == "14,2 kg"
    assert seen.count == 2


# --- visits ----------------------------------------------------------------------------------------------------------------


def test_visit_codes_are_one_per_visit_and_start_with_the_facility() -> None:
    codes = [make_visit().code for _ in range(3)]
    assert len(set(codes)) == 3
    assert all(code.startswith(f"79999-{clock.today():%y%m%d}-") for code in codes)


def test_a_visit_lives_open_examined_concluded_closed_and_back() -> None:
    visit = make_visit()
    steps = (
        (lambda: service.mark_seen(visit.visit_id, actor=SYSTEM), VisitState.IN_EXAM),
        (lambda: service.conclude_visit(visit.visit_id, actor=SYSTEM, discharge_code="1", result_code="2", main_icd="J20.9",
                                        main_icd_name="Viêm phế quản cấp"), VisitState.CONCLUDED),
        (lambda: service.close_visit(visit.visit_id, actor=SYSTEM), VisitState.CLOSED),
        (lambda: service.reopen_visit(visit.visit_id, "nhầm bệnh chính", actor=SYSTEM), VisitState.IN_EXAM),
    )  # fmt: skip
    for work, state in steps:
        with transaction():
            work()
        assert queries.get_visit(visit.visit_id).state is state
    assert visit.ended_at is None


def test_a_closed_visit_is_not_changed_concluded_or_cancelled() -> None:
    visit = make_visit()
    visit.state, visit.ended_at = VisitState.CLOSED, clock.now()
    session().commit()
    with pytest.raises(VisitAlreadyClosed), transaction():
        service.change_visit(visit.visit_id, {"reason": "x"}, None, actor=SYSTEM)
    with pytest.raises(VisitAlreadyClosed), transaction():
        service.conclude_visit(visit.visit_id, actor=SYSTEM, discharge_code="1", result_code="1", main_icd="A00", main_icd_name="")
    with pytest.raises(InvalidState), transaction():
        service.cancel_visit(visit.visit_id, "nhầm", actor=SYSTEM)
    with pytest.raises(InvalidState, match="ít nhất 5 ký tự"), transaction():
        service.reopen_visit(visit.visit_id, "ab", actor=SYSTEM)


def test_a_stale_change_of_a_visit_is_refused() -> None:
    visit = make_visit()
    old = visit.version
    with transaction():
        service.change_visit(visit.visit_id, {"reason": "sốt"}, old, actor=SYSTEM)
    with pytest.raises(ChangedByAnother), transaction():
        service.change_visit(visit.visit_id, {"reason": "ho"}, old, actor=SYSTEM)


def test_old_visits_are_closed_to_the_care_team_but_not_to_the_records_office(actor: Any) -> None:
    visit = make_visit()
    visit.state, visit.ended_at = VisitState.CLOSED, clock.now() - timedelta(days=31)
    session().commit()
    with pytest.raises(VisitNotFound):
        queries.get_for(actor("doctor"), visit.visit_id)
    assert queries.get_for(actor("records_officer"), visit.visit_id).visit_id == visit.visit_id


def test_history_is_read_in_stretches_newest_first() -> None:
    patient = make_patient()
    make_old_visits(patient, 90)
    first = queries.visit_rows(patient.patient_id, 40)
    second = queries.visit_rows(patient.patient_id, 40, first[-1].visit.registered_at)
    third = queries.visit_rows(patient.patient_id, 40, second[-1].visit.registered_at)
    ids = [row.visit.visit_id for row in (*first, *second, *third)]
    assert (len(first), len(second), len(third), len(set(ids))) == (40, 40, 10, 90)
    assert {row.total for row in (*first, *third)} == {90}


def test_every_patient_row_keeps_a_name_of_its_own() -> None:
    make_patient("Một Hai")
    assert session().execute(select(Patient.full_name)).scalars().all() == ["Một Hai"]
