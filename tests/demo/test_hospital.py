"""The demo hospital: whole, believable, the same each time, loaded once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, select

from his.catalogues.models import Drug
from his.core import clock
from his.core.config import activate, current
from his.core.db import db, install_engine_hooks, session
from his.core.i18n import select_locale
from his.demo import history, journey, loading, morning, people, staff
from his.identity import rules as identity_rules
from his.identity import service as identity
from his.identity.models import Role, User, UserSession
from his.insurance.enums import ClaimState
from his.insurance.models import ClaimFile
from his.orders.enums import OrderState
from his.orders.models import OrderLine
from his.pharmacy.models import Dispense
from his.prescriptions.enums import PrescriptionState
from his.prescriptions.models import Prescription
from his.records import queries as records_queries
from his.records.enums import VisitState
from his.records.models import Patient, Visit
from his.referrals.enums import ReferralState
from his.referrals.models import Referral
from his.registration import rules as registration_rules
from his.registration.enums import CheckState, TicketState
from his.registration.models import CardCheck, QueueTicket
from his.stock.models import StockLot

pytestmark = pytest.mark.timeout(400)  # the first test lives through two months


@pytest.fixture(scope="module")
def hospital(app: Flask, databases: object) -> Iterator[list[str]]:
    """The whole demo hospital in a database of its own, with a quieter past (two visits a day)."""
    url = databases.create()  # type: ignore[attr-defined]
    engine = create_engine(url)
    patch = pytest.MonkeyPatch()
    patch.setattr(history, "VISITS_A_DAY", 2)
    with app.app_context():
        install_engine_hooks(engine, web=False)
        engines = db.engines
        original = engines[None]
        engines[None] = engine
        db.session.remove()
        told: list[str] = []
        try:
            loading.load_ground(told.append)
            loading.load_patients(told.append)
            yield told
        finally:
            patch.undo()
            db.session.remove()
            engines[None] = original
            engine.dispose()
            databases.drop(url)  # type: ignore[attr-defined]


def _count(model: type, *conditions: object) -> int:
    return session().execute(select(func.count()).select_from(model).where(*conditions)).scalar_one()  # type: ignore[arg-type]


def test_every_role_has_a_login_that_works(hospital: list[str]) -> None:
    roles = {r.role_code for user in session().execute(select(User)).scalars() for r in user.roles}
    assert roles == set(session().execute(select(Role.role_code)).scalars()) == set(identity_rules.ROLE_NAMES)
    by_name = {person.username: person for person in staff.STAFF}
    assert {by_name[row["username"]].role for row in staff.logins()} == roles
    for row in staff.logins():
        found = identity.log_in(row["username"], row["password"], ip="127.0.0.1")
        assert found.token, row
        assert found.needs_code is False
        user = staff.user(row["username"])
        assert user.must_change_password is False


def test_the_published_password_keeps_the_policy() -> None:
    assert not identity_rules.check_password(
        staff.PASSWORD, username="tiepdon", display_name="Lê Thị Thu Hà", hospital=current().facility_name, second_factor=False
    )
    assert len(set(staff.PIN)) >= 3


def test_the_login_page_hides_the_logins_in_production(hospital: list[str]) -> None:
    before = current()
    activate(before.model_copy(update={"env": "production"}))
    try:
        assert staff.logins() == []
    finally:
        activate(before)


def test_every_drug_has_lots_with_several_expiries(hospital: list[str]) -> None:
    lots = session().execute(
        select(StockLot.drug_code, func.count(func.distinct(StockLot.expires_on))).group_by(StockLot.drug_code)
    ).all()
    assert len(lots) == _count(Drug, Drug.valid_to.is_(None))
    assert min(row[1] for row in lots) >= 2


def test_the_morning_has_patients_in_every_state(hospital: list[str]) -> None:
    today = clock.today()
    visits = session().execute(select(Visit).where(Visit.service_on == today)).scalars().all()
    assert {v.state for v in visits} == {VisitState.OPEN, VisitState.IN_EXAM, VisitState.CONCLUDED, VisitState.CLOSED}
    tickets = session().execute(select(QueueTicket).where(QueueTicket.day == today)).scalars().all()
    assert {t.state for t in tickets} == {TicketState.WAITING, TicketState.CALLED, TicketState.SKIPPED, TicketState.DONE}
    assert len({t.room_code for t in tickets if t.state is TicketState.WAITING}) >= 6
    ids = [v.visit_id for v in visits]
    rx = set(session().execute(select(Prescription.state).where(Prescription.visit_id.in_(ids))).scalars())
    assert {PrescriptionState.DRAFT, PrescriptionState.SIGNED, PrescriptionState.DISPENSED} <= rx
    assert set(session().execute(select(OrderLine.state)).scalars()) >= {OrderState.ORDERED, OrderState.STARTED, OrderState.RESULTED}
    assert any(v.paid_at and not v.dispensed_at for v in visits), "paid, medicines not handed out"
    assert any(v.state is VisitState.CONCLUDED and v.paid_at is None for v in visits), "waiting for the cashier"
    assert set(session().execute(select(Referral.state)).scalars()) == {ReferralState.SIGNED, ReferralState.ISSUED}
    assert any(v.subject_code == "9" for v in visits), "one without insurance"


def test_nothing_happens_in_the_future(hospital: list[str]) -> None:
    now = clock.now()
    for visit in session().execute(select(Visit)).scalars():
        times = [visit.arrived_at, visit.registered_at, visit.called_at, visit.seen_at, visit.ended_at, visit.paid_at, visit.dispensed_at]
        known = [t for t in times if t is not None]
        assert known == sorted(known), visit.code
        assert known[-1] <= now, visit.code
        assert clock.local(visit.registered_at).date() == visit.service_on


def test_the_past_was_lived_through_the_outside_systems(hospital: list[str]) -> None:
    assert _count(CardCheck, CardCheck.state == CheckState.VALID) > 50
    assert _count(CardCheck, CardCheck.state == CheckState.UNVERIFIED) == 0
    assert _count(Dispense) > 30
    first = clock.today().replace(day=1) - timedelta(days=1)
    assert _count(Visit, Visit.service_on < first.replace(day=1)) >= 4, "older visits of the named patients"


def test_last_month_has_claims_and_some_do_not_pass(hospital: list[str]) -> None:
    month = f"{clock.today().replace(day=1) - timedelta(days=1):%Y-%m}"
    claims = session().execute(select(ClaimFile).where(ClaimFile.settlement_month == month)).scalars().all()
    states = {claim.state for claim in claims}
    assert {ClaimState.PASSED, ClaimState.FAULTY, ClaimState.SENT} <= states
    faulty = [claim for claim in claims if claim.error_count]
    assert 2 <= len(faulty) <= len(claims) // 3


def test_planted_twins_are_found(hospital: list[str]) -> None:
    for twin in history.TWINS:
        rows = session().execute(select(Patient).where(Patient.full_name == twin.name)).scalars().all()
        assert len(rows) == 2, twin.name
        assert len({row.birth_on for row in rows}) == 1


def test_the_allergy_of_the_drawn_screens_is_recorded(hospital: list[str]) -> None:
    found = records_queries.by_identifier(people.person("Nguyễn Ngọc Bảo An").personal_number)
    assert found is not None
    assert [a.substance for a in records_queries.current_allergies(found.patient_id)] == ["amoxicillin"]


def test_trial_patients_are_free_today(hospital: list[str]) -> None:
    returning, adult, uninsured, *_more = people.trial_cards()
    for card in people.trial_cards():
        patient = records_queries.by_identifier(card.person.personal_number)
        if patient is not None:
            assert records_queries.open_visit_of(patient.patient_id, clock.today()) is None, card.title
    known = records_queries.by_identifier(returning.person.personal_number)
    assert known is not None
    assert _count(Visit, Visit.patient_id == known.patient_id) >= 2
    assert adult.person.card[:3] == "DN4"
    assert uninsured.person.card == ""


def test_a_second_loading_changes_nothing(hospital: list[str]) -> None:
    counts = {model: _count(model) for model in (User, StockLot, Patient, Visit, Prescription)}
    told: list[str] = []
    loading.load_ground(told.append)
    loading.load_patients(told.append)
    assert all(": 0 " in line for line in told), told
    assert {model: _count(model) for model in counts} == counts


def test_the_loader_leaves_no_open_session(hospital: list[str]) -> None:
    assert _count(UserSession, UserSession.ended_at.is_(None), UserSession.browser == "his demo load") == 0


def test_the_past_is_the_same_each_time(hospital: list[str]) -> None:
    today = date(2026, 11, 24)
    first, second = history.plans(today), history.plans(today)
    assert [(p.person.name, p.arrives_at, p.case and p.case.code) for p in first] == [
        (p.person.name, p.arrives_at, p.case and p.case.code) for p in second
    ]
    assert all(p.arrives_at.tzinfo for p in first)


@pytest.mark.parametrize("card", people.trial_cards(), ids=lambda card: card.person.name)
def test_each_trial_text_is_understood_at_the_desk(card: people.TrialCard) -> None:
    parsed = registration_rules.parse_identity(card.text, clock.today())
    assert parsed.ok, parsed.error
    assert not parsed.warnings
    if "full_name" in parsed.fields:
        assert parsed.fields["full_name"] == card.person.name
        assert parsed.fields["birth_date"] == card.person.birth_on.isoformat()


def test_every_morning_entry_names_a_known_person_once() -> None:
    names = [entry.name for entry in morning.TODAY]
    assert len(names) == len(set(names))
    assert {p.name for p in people.known_to_insurer()} >= set(names)
    assert not set(names) & {card.person.name for card in people.trial_cards()}


@pytest.mark.parametrize("months", [0, 3, 11, 12, 44, 71, 72, 150, 156, 480])
def test_weights_are_plausible(months: int) -> None:
    assert 3 <= journey.weight_at(months) <= 60
    assert select_locale() == "vi"
