"""Use cases of referrals: pre-filled, frozen when signed, numbered when issued, cancelled, replaced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from io import BytesIO

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from his.audit.models import AuditEvent
from his.core import clock
from his.core.actor import Actor
from his.core.db import session, transaction
from his.core.errors import Conflict, InvalidState, NotAllowed, RuleBroken
from his.documents import queries as documents_queries
from his.documents import service as documents
from his.documents.enums import PaperState
from his.examination import service as examination
from his.records import queries as records_queries
from his.records import service as records
from his.records.enums import VisitState
from his.referrals import queries, service
from his.referrals.enums import ReferralReason, ReferralState
from his.referrals.errors import ReferralClosed, ReferralNotFound
from tests.factories.catalogues import make_holiday, make_referral_disease
from tests.factories.examination import conclude, measure
from tests.factories.orders import place
from tests.factories.referrals import DESTINATION, data, drafted, issued, make_case, signed

Make = Callable[..., Actor]


@pytest.fixture
def doctor(actor: Make) -> Actor:
    return actor("doctor")


@pytest.fixture
def head(actor: Make) -> Actor:
    return actor("head")


# --- draft ----------------------------------------------------------------------------------------------------------


def test_a_draft_is_filled_from_the_record_and_invents_nothing(doctor: Actor) -> None:
    visit = make_case(doctor)
    measure(visit, doctor, pulse=96, systolic=150, diastolic=90, temperature=Decimal("37.2"), spo2=98)
    with transaction():
        referral = service.draft(visit.visit_id, actor=doctor)
    assert referral.clinical_signs == "Phổi ran ngáy hai bên."
    assert referral.condition == "Mạch 96 lần/phút, nhiệt độ 37,2 °C, huyết áp 150/90 mmHg, SpO2 98%."
    assert (referral.results_summary, referral.treatment_done, referral.procedures) == ("Không", "Không", "Không")
    assert (referral.destination_code, referral.result_code) == ("", "")
    assert referral.state is ReferralState.DRAFT


def test_the_one_year_list_only_suggests(doctor: Actor) -> None:
    make_referral_disease("J20")
    visit = make_case(doctor)
    with transaction():
        referral = service.draft(visit.visit_id, actor=doctor)
        assert referral.is_one_year
        service.save(referral.referral_id, data(is_one_year=False), None, actor=doctor)
    assert not queries.get(referral.referral_id).is_one_year


def test_a_second_draft_of_a_visit_is_the_first_one(doctor: Actor) -> None:
    visit = make_case(doctor)
    with transaction():
        first = service.draft(visit.visit_id, actor=doctor).referral_id
    with transaction():
        assert service.draft(visit.visit_id, actor=doctor).referral_id == first


def test_a_settled_visit_gets_no_referral(doctor: Actor) -> None:
    visit = make_case(doctor)
    conclude(visit, doctor)
    with transaction():
        records.close_visit(visit.visit_id, actor=doctor)
    with pytest.raises(InvalidState), transaction():
        service.draft(visit.visit_id, actor=doctor)


def test_an_unknown_destination_is_not_kept(doctor: Actor) -> None:
    referral = drafted(doctor, destination_code="00000")
    assert (referral.destination_code, referral.destination_name) == ("", "")
    with pytest.raises(RuleBroken) as refused, transaction():
        service.sign(referral.referral_id, actor=doctor)
    assert [f.field for f in refused.value.findings] == ["destination_code"]


def test_saving_over_someone_elses_change_is_refused(doctor: Actor) -> None:
    referral = drafted(doctor)
    seen = referral.version
    with transaction():
        service.save(referral.referral_id, data(plan="Mổ."), seen, actor=doctor)
    with pytest.raises(Conflict), transaction():
        service.save(referral.referral_id, data(plan="Theo dõi."), seen, actor=doctor)
    assert queries.get(referral.referral_id).plan == "Mổ."


def test_an_unknown_referral_is_not_found(doctor: Actor) -> None:
    with pytest.raises(ReferralNotFound), transaction():
        service.sign(9_999_999, actor=doctor)


# --- sign -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "discharge"),
    [(ReferralReason.PROPER_LEVEL, "2"), (ReferralReason.BEYOND_CAPACITY, "2"), (ReferralReason.ON_REQUEST, "5")],
)
def test_signing_ends_the_visit_by_the_reason(doctor: Actor, reason: ReferralReason, discharge: str) -> None:
    referral = signed(doctor, reason=reason, is_commitment_signed=True, result_code="4")
    visit = records_queries.get_visit(referral.visit_id)
    assert visit.state is VisitState.CONCLUDED
    assert (visit.discharge_code, visit.result_code, visit.destination_facility_code) == (discharge, "4", DESTINATION)
    assert visit.ended_at == referral.transferred_at


def test_a_visit_already_concluded_takes_the_way_of_the_referral(doctor: Actor) -> None:
    visit = make_case(doctor)
    conclude(visit, doctor)
    referral = signed(doctor, visit, result_code="2")
    visit = records_queries.get_visit(referral.visit_id)
    assert (visit.discharge_code, visit.result_code, visit.destination_facility_code) == ("2", "2", DESTINATION)


def test_the_result_of_treatment_is_never_implied(doctor: Actor) -> None:
    referral = drafted(doctor, result_code="")
    with pytest.raises(RuleBroken) as refused, transaction():
        service.sign(referral.referral_id, actor=doctor)
    assert [f.field for f in refused.value.findings] == ["result_code"]
    assert records_queries.get_visit(referral.visit_id).state is VisitState.IN_EXAM


def test_open_orders_stop_signing(doctor: Actor) -> None:
    visit = make_case(doctor)
    place(visit, doctor)
    referral = drafted(doctor, visit)
    with pytest.raises(RuleBroken) as refused, transaction():
        service.sign(referral.referral_id, actor=doctor)
    assert "orders" in [f.field for f in refused.value.findings]


def test_a_signed_referral_is_frozen(doctor: Actor) -> None:
    referral = signed(doctor)
    with pytest.raises(ReferralClosed), transaction():
        service.save(referral.referral_id, data(plan="Khác."), None, actor=doctor)
    with pytest.raises(ReferralClosed), transaction():
        service.sign(referral.referral_id, actor=doctor)


def test_what_is_signed_is_what_the_record_said_then(doctor: Actor, head: Actor) -> None:
    referral = signed(doctor)
    with transaction():
        patient = records_queries.get_visit(referral.visit_id).patient
        patient.full_name = "Tên Mới Sau Khi Ký"
    with transaction():
        service.issue(referral.referral_id, actor=head)
    assert "TÊN MỚI" not in queries.get(referral.referral_id).snapshot["paper"]["full_name"]
    signature = next(s for s in documents_queries.signatures_of("referral", referral.referral_id) if s.place == "treating_doctor")
    assert documents.digest_of(signature.canonical) == signature.digest


def test_only_the_doctor_who_saved_it_signs(doctor: Actor, actor: Make) -> None:
    referral = drafted(doctor)
    with pytest.raises(NotAllowed), transaction():
        service.sign(referral.referral_id, actor=actor("doctor"))


def test_signing_needs_the_pin(actor: Make) -> None:
    unproved = actor("doctor", proved=False)
    referral = drafted(unproved)
    with pytest.raises(NotAllowed), transaction():
        service.sign(referral.referral_id, actor=unproved)
    assert queries.get(referral.referral_id).state is ReferralState.DRAFT


def test_signing_something_else_than_was_seen_is_refused(doctor: Actor) -> None:
    referral = drafted(doctor)
    with pytest.raises(Conflict), transaction():
        service.sign(referral.referral_id, version=referral.version - 1, actor=doctor)


# --- issue ----------------------------------------------------------------------------------------------------------


def test_issuing_gives_number_register_and_paper(doctor: Actor, head: Actor) -> None:
    referral = issued(doctor, head)
    year = clock.today().year
    assert referral.number == f"000001/{year}/PCCSKBCB"
    assert referral.register_number == "1"
    paper = documents_queries.get(referral.paper_id or 0)
    assert (paper.form_code, paper.number, paper.valid_until) == ("referral", referral.number, referral.valid_until)
    kinds = [(s.place, s.kind.value) for s in documents_queries.signatures_of("referral", referral.referral_id)]
    assert kinds == [("treating_doctor", "person"), ("facility", "organisation")]


def test_numbers_never_repeat_even_after_a_cancelled_paper(doctor: Actor, head: Actor) -> None:
    first = issued(doctor, head)
    with transaction():
        service.cancel(first.referral_id, "Gia đình đổi ý", actor=doctor)
    second = issued(doctor, head)
    assert (first.number or "")[:6] == "000001"
    assert (second.number or "")[:6] == "000002"


def test_patients_without_insurance_have_their_own_form_and_series(doctor: Actor, head: Actor) -> None:
    insured = issued(doctor, head)
    uninsured = issued(doctor, head, make_case(doctor, insured=False))
    assert (uninsured.number or "").startswith("000001/")
    assert (uninsured.number or "").endswith("/PCCSKCB-DV")
    assert documents_queries.get(uninsured.paper_id or 0).form_code == "referral_dv"
    assert (insured.register_number, uninsured.register_number) == ("1", "2")


def test_a_new_year_starts_a_new_series(actor: Make) -> None:
    for day, number in ((date(2026, 12, 31), "000001/2026/PCCSKBCB"), (date(2027, 1, 4), "000001/2027/PCCSKBCB")):
        with clock.at(clock.from_local(day, time(9))):
            assert issued(actor("doctor"), actor("head")).number == number


def test_validity_skips_tet_by_the_holiday_table(actor: Make) -> None:
    for day in range(5, 12):
        make_holiday(date(2027, 2, day), "Tết Nguyên đán")
    with clock.at(clock.from_local(date(2027, 2, 4), time(9))):
        referral = issued(actor("doctor"), actor("head"))
    assert referral.valid_until == date(2027, 2, 25)


def test_validity_runs_from_the_day_the_facility_signs(actor: Make) -> None:
    with clock.at(clock.from_local(date(2026, 11, 20), time(16))):
        referral = signed(actor("doctor"))
        assert referral.valid_until == date(2026, 12, 4)
    with clock.at(clock.from_local(date(2026, 11, 23), time(8))), transaction():
        referral = service.issue(referral.referral_id, actor=actor("head"))
    assert referral.valid_until == date(2026, 12, 7)
    assert referral.snapshot["paper"]["signed_on"] == ["23", "11", "2026"]


def test_a_one_year_paper_says_so_and_lasts_a_year(actor: Make) -> None:
    with clock.at(clock.from_local(date(2026, 11, 23), time(9))):
        referral = issued(actor("doctor"), actor("head"), is_one_year=True)
    assert referral.valid_until == date(2027, 11, 23)
    assert referral.snapshot["paper"]["one_year"] == "có"


def test_issuing_twice_gives_the_first_paper(doctor: Actor, head: Actor) -> None:
    referral = issued(doctor, head)
    number, paper_id = referral.number, referral.paper_id
    with transaction():
        again = service.issue(referral.referral_id, actor=head)
    assert (again.number, again.paper_id) == (number, paper_id)


def test_only_an_authorised_signer_issues(doctor: Actor, actor: Make) -> None:
    referral = signed(doctor)
    with pytest.raises(NotAllowed), transaction():
        service.issue(referral.referral_id, actor=actor("head", is_authorised_signer=False))
    assert queries.get(referral.referral_id).number is None


def test_a_draft_cannot_be_issued(doctor: Actor, head: Actor) -> None:
    with pytest.raises(InvalidState), transaction():
        service.issue(drafted(doctor).referral_id, actor=head)


def test_a_reprint_gives_the_same_bytes_after_everything_changed(doctor: Actor, head: Actor) -> None:
    referral = issued(doctor, head)
    with transaction():
        first = documents.print_paper(referral.paper_id or 0, actor=doctor)[1]
    with transaction():
        records_queries.get_visit(referral.visit_id).patient.full_name = "Tên Khác"
    with transaction():
        paper, again = documents.print_paper(referral.paper_id or 0, actor=head)
    assert first == again
    assert paper.print_count == 2


def test_the_paper_says_what_was_signed(doctor: Actor, head: Actor) -> None:
    referral = issued(doctor, head)
    with transaction():
        content = documents.print_paper(referral.paper_id or 0, actor=doctor)[1]
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages).split())
    for words in (referral.number or "", "Bệnh viện Chợ Rẫy", "Truyền khối hồng cầu.", referral.doctor_name, head.name, "trong 01 năm: không"):
        assert words in text


# --- cancel and replace ---------------------------------------------------------------------------------------------


def test_cancelling_a_draft_needs_no_reason_and_frees_the_visit(doctor: Actor) -> None:
    referral = drafted(doctor)
    with transaction():
        service.cancel(referral.referral_id, "", actor=doctor)
    assert queries.of_visit(referral.visit_id) is None
    with transaction():
        assert service.draft(referral.visit_id, actor=doctor).referral_id != referral.referral_id


def test_cancelling_an_issued_paper_reopens_the_visit_and_keeps_the_number(doctor: Actor, head: Actor) -> None:
    referral = issued(doctor, head)
    with transaction():
        service.cancel(referral.referral_id, "Gia đình đổi ý", actor=head)
    assert records_queries.get_visit(referral.visit_id).state is VisitState.IN_EXAM
    paper = documents_queries.get(referral.paper_id or 0)
    assert paper.state is PaperState.CANCELLED
    assert queries.get(referral.referral_id).number == paper.number
    assert documents_queries.public_answer(paper.public_code, title_of={}, issuer="").answer == "cancelled"


def test_cancelling_without_a_reason_is_refused(doctor: Actor) -> None:
    referral = signed(doctor)
    with pytest.raises(InvalidState), transaction():
        service.cancel(referral.referral_id, "sai", actor=doctor)


def test_a_stranger_does_not_cancel(doctor: Actor, actor: Make) -> None:
    referral = signed(doctor)
    with pytest.raises(NotAllowed), transaction():
        service.cancel(referral.referral_id, "Không rõ lý do", actor=actor("doctor"))


def test_a_settled_visit_is_not_reopened_by_cancelling(doctor: Actor, head: Actor) -> None:
    referral = issued(doctor, head)
    with transaction():
        records.close_visit(referral.visit_id, actor=head)
    with pytest.raises(InvalidState), transaction():
        service.cancel(referral.referral_id, "Gia đình đổi ý", actor=doctor)
    assert documents_queries.get(referral.paper_id or 0).state is PaperState.ISSUED


def test_a_replacement_links_to_the_old_paper_which_lasts_until_then(doctor: Actor, head: Actor) -> None:
    old = issued(doctor, head)
    with transaction():
        fresh = service.replace(old.referral_id, "Sai hướng điều trị", actor=doctor)
        service.save(fresh.referral_id, data(plan="Phẫu thuật."), None, actor=doctor)
    assert documents_queries.get(old.paper_id or 0).state is PaperState.ISSUED
    with transaction():
        service.sign(fresh.referral_id, actor=doctor)
        service.issue(fresh.referral_id, actor=head)
    before, after = documents_queries.get(old.paper_id or 0), documents_queries.get(fresh.paper_id or 0)
    assert (before.state, before.replaced_by_id) == (PaperState.REPLACED, after.paper_id)
    assert after.number != before.number
    with transaction():
        content = documents.print_paper(after.paper_id, actor=doctor)[1]
    assert "CẤP LẠI" in PdfReader(BytesIO(content)).pages[0].extract_text()


def test_dropping_a_replacement_gives_the_old_paper_back(doctor: Actor, head: Actor) -> None:
    old = issued(doctor, head)
    with transaction():
        fresh = service.replace(old.referral_id, "Sai hướng điều trị", actor=doctor)
    with transaction():
        service.cancel(fresh.referral_id, "", actor=doctor)
    found = queries.of_visit(old.visit_id)
    assert found is not None
    assert found.referral_id == old.referral_id
    assert found.state is ReferralState.ISSUED


def test_after_payment_a_replacement_keeps_place_and_reason(doctor: Actor, head: Actor) -> None:
    old = issued(doctor, head)
    with transaction():
        records.close_visit(old.visit_id, actor=head)
        fresh = service.replace(old.referral_id, "Sai hướng điều trị", actor=doctor)
    with pytest.raises(InvalidState), transaction():
        service.save(fresh.referral_id, data(reason=ReferralReason.ON_REQUEST, is_commitment_signed=True), None, actor=doctor)
        service.sign(fresh.referral_id, actor=doctor)
    with transaction():
        service.save(fresh.referral_id, data(plan="Phẫu thuật."), None, actor=doctor)
        service.sign(fresh.referral_id, actor=doctor)
    assert records_queries.get_visit(old.visit_id).state is VisitState.CLOSED


def test_every_step_is_in_the_audit_log(doctor: Actor, head: Actor) -> None:
    referral = issued(doctor, head)
    with transaction():
        service.cancel(referral.referral_id, "Gia đình đổi ý", actor=doctor)
    found = session().execute(
        select(AuditEvent.action).where(AuditEvent.subject_type == "referral", AuditEvent.subject_id == referral.referral_id)
    ).scalars().all()  # fmt: skip
    assert {"referrals.draft", "referrals.save", "referrals.sign", "referrals.issue", "referrals.cancel"} <= set(found)


def test_what_stands_in_the_way_of_another_end_is_told_to_the_doctors_page(doctor: Actor) -> None:
    visit = make_case(doctor)
    assert queries.unsigned_draft(visit.visit_id) == ()
    referral = drafted(doctor, visit)
    assert [(f.field, f.severity.value) for f in queries.unsigned_draft(visit.visit_id)] == [("referral", "error")]
    with transaction():
        service.sign(referral.referral_id, actor=doctor)
    assert [f.severity.value for f in queries.unsigned_draft(visit.visit_id)] == ["warning"]


def test_a_doctor_may_conclude_otherwise_after_dropping_the_draft(doctor: Actor) -> None:
    referral = drafted(doctor)
    with transaction():
        service.cancel(referral.referral_id, "", actor=doctor)
        examination.conclude(referral.visit_id, examination.ConcludeData("1", "2"), actor=doctor)
    assert records_queries.get_visit(referral.visit_id).discharge_code == "1"
