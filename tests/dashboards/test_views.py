"""The management page: figures, comparison, who may, how many statements."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from his.core import clock
from his.core.db import session, transaction
from his.dashboards import queries
from his.insurance.enums import ClaimState
from his.insurance.models import ClaimFile
from his.records.models import Visit
from his.registration import service as registration
from tests.factories import billing as money
from tests.factories.records import make_old_visits, make_patient
from tests.factories.registration import make_clinic, register


@pytest.mark.parametrize(
    ("role", "status"), [("manager", 200), ("head", 200), ("doctor", 403), ("cashier", 403), ("auditor", 403)]
)
def test_who_may_see_the_figures(login_as, role: str, status: int) -> None:
    assert login_as(role).get("/dashboard/").status_code == status


def test_an_empty_hospital_has_a_page_too(login_as, db_session) -> None:
    for path in ("/dashboard/", "/dashboard/?day=yesterday"):
        page = login_as("manager").get(path).text
        assert "Chưa có lượt khám nào" in page
        assert "số liệu lúc" in page


def test_visits_waits_and_rooms(actor) -> None:
    make_clinic("213", "Hô hấp 1", sort=2)
    for _ in range(3):
        register()
    called = register().visit
    with transaction():
        row = session().get(Visit, called.visit_id)
        row.called_at = row.registered_at + timedelta(minutes=24)
    with clock.at(clock.now() + timedelta(minutes=40)):
        board = queries.board(clock.today())
    assert (board.visits.count, board.visits.median_wait) == (4, 24)
    assert {room.code: room.waiting for room in board.rooms} == {"213": 0, "214": 4}
    assert (board.waiting, board.longest.code, board.longest.longest) == (4, "214", 40)


def test_a_cancelled_visit_is_not_counted(actor) -> None:
    visit = register().visit
    with transaction():
        registration.undo_registration(visit.visit_id, actor=actor("clerk"))
    assert queries.board(clock.today()).visits.count == 0


def test_the_same_weekday_before_is_compared_to_the_same_time(actor) -> None:
    now = clock.from_local(clock.today()) + timedelta(hours=10)
    for hours in (8, 9, 15):
        with clock.at(now - timedelta(days=7) + timedelta(hours=hours - 10)):
            register(make_patient())
    with clock.at(now):
        register(make_patient())
        board = queries.board(clock.today())
    assert (board.visits.count, board.visits_before.count) == (1, 2)
    with clock.at(now + timedelta(days=1)):
        assert queries.board(clock.today() - timedelta(days=1)).visits_before.count == 3


def test_money_counts_what_was_given_back(actor) -> None:
    from his.billing import service as billing

    visit, other = money.to_pay(actor("doctor")), money.to_pay(actor("doctor"))
    money.settle(visit, actor("cashier"))
    money.settle(other, actor("cashier"))
    with transaction():
        billing.void_settlement(other.visit_id, "thu nhầm người", actor=actor("cashier"))
    found = queries.board(clock.today()).money
    assert (found.taken, found.fund, found.copay, found.outside) == (
        Decimal(110_120),
        Decimal(440_480),
        Decimal(110_120),
        0,
    )


def test_faulty_claims_of_the_month(actor) -> None:
    today, doctor, cashier = clock.today(), actor("doctor"), actor("cashier")
    for n, state in enumerate((ClaimState.FAULTY, ClaimState.PASSED, ClaimState.SENT, ClaimState.SUPERSEDED)):
        visit = money.to_pay(doctor)
        settlement = money.settle(visit, cashier)
        with transaction() as here:
            here.add(
                ClaimFile(
                    visit_id=visit.visit_id, visit_code=visit.code, state=state, settlement_month=f"{today:%Y-%m}", rows={},
                    settlement_id=settlement.settlement_id, digest="0", total_amount=Decimal(100), fund_amount=Decimal(80 + n),
                )
            )  # fmt: skip
    claims = queries.board(today).claims
    assert (claims.total, claims.faulty, claims.passed, claims.sent, claims.faulty_amount) == (3, 1, 1, 1, Decimal(80))


def test_sheets_nobody_printed_are_saved(actor) -> None:
    from his.billing import service as billing
    from his.documents import service as documents

    visit, cashier = money.to_pay(actor("doctor")), actor("cashier")
    payment = money.settle(visit, cashier).payments[0]
    with transaction():
        billing.issue_receipt(payment.payment_id, actor=cashier)
        bill = billing.issue_bill(visit.visit_id, actor=cashier)
    before = queries.board(clock.today()).sheets
    with transaction():
        documents.print_paper(bill.paper_id, actor=cashier)
    after = queries.board(clock.today()).sheets
    assert before.day - after.day == bill.page_count
    assert (after.day, after.month) == (1, 1)


def test_the_page_shows_figures_tables_and_links(login_as, actor) -> None:
    money.settle(money.to_pay(actor("doctor")), actor("cashier"))
    page = login_as("head").get("/dashboard/").text
    for text in ("110.120", 'id="arrivals-table"', 'id="queue-table"', "J20.9", "/registration/queue", "<svg"):
        assert text in page, text
    assert "style=" not in page.split("<main", 1)[1]


def test_numbers_link_only_to_lists_the_person_may_open(login_as, db_session) -> None:
    page = login_as("manager").get("/dashboard/").text
    assert "/billing/" not in page
    assert "/registration/queue" not in page


def test_the_page_takes_at_most_twelve_statements(login_as, actor, count_statements) -> None:
    doctor = actor("doctor")
    for _ in range(6):
        money.settle(money.to_pay(doctor), actor("cashier"))
    make_old_visits(make_patient(), 80)
    browser = login_as("head")
    for path in ("/dashboard/", "/dashboard/?day=yesterday"):
        session().expire_all()
        with count_statements() as seen:
            assert browser.get(path).status_code == 200
        assert seen.count <= 12, (path, seen.count, seen.texts)
