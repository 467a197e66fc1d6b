"""The ground of the tests themselves: who is signed in never leaks from one browser to the next."""

from __future__ import annotations

from typing import Any

import pytest

from his.core.db import session, transaction
from his.core.tasks import Heartbeat
from tests.factories.catalogues import make_drug, make_icd, make_place, make_service


def test_two_browsers_are_two_people(login_as: Any) -> None:
    admin, doctor = login_as("administrator"), login_as("doctor")
    assert admin.get("/identity/users").status_code == 200
    assert doctor.get("/identity/users").status_code == 403
    assert admin.get("/identity/users").status_code == 200


def test_a_browser_without_sign_in_is_sent_to_the_door(client: Any) -> None:
    answer = client.get("/identity/users")
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/identity/login")


@pytest.mark.parametrize("time", [1, 2])
def test_what_one_test_wrote_the_next_does_not_see(db_session: Any, time: int) -> None:
    assert session().get(Heartbeat, "left") is None
    with transaction() as here:
        here.add(Heartbeat(name="left"))


def test_statements_are_counted_on_both_grounds(db_session: Any, count_statements: Any) -> None:
    with count_statements() as seen:
        session().get(Heartbeat, "x")
    assert seen.count == 1


def test_statements_are_counted_with_real_commits(committed: Any, count_statements: Any) -> None:
    with count_statements() as seen:
        session().get(Heartbeat, "x")
    assert seen.count == 1


def test_people_work_on_the_committed_ground(committed: Any, login_as: Any) -> None:
    assert login_as("administrator").get("/identity/users").status_code == 200


def test_catalogue_rows_are_found(db_session: Any, login_as: Any) -> None:
    make_icd("J20.9"), make_service(), make_drug(), make_place()
    browser = login_as("doctor")
    for kind, text in (
        ("icd", "viem phe quan"),
        ("service", "tong phan tich"),
        ("drug", "paracet"),
        ("commune", "sai gon"),
    ):
        assert browser.get(f"/catalogues/search/{kind}?q={text}").json["items"], kind
