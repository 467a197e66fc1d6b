"""The door over HTTP: sign in and out, lock and resume, first password, own account, administrator's screens."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from his.core import clock
from his.core.actor import SYSTEM
from his.core.db import session, transaction
from his.identity import queries, service
from his.identity.models import User
from his.identity.views import safe_target
from his.identity.web import cookie_name
from tests.factories.catalogues import make_room
from tests.factories.identity import login, make_user

GOOD = "Xe-dap 7 mua ruoi!"
NEW = "Tram-Cau_92 khoi Sua"


@pytest.fixture
def person(db_session: Any) -> User:
    with transaction():
        return service.create_user(
            "lethuha", "Lê Thị Thu Hà", ["doctor"], password=GOOD, must_change=False, actor=SYSTEM
        )


def sign_in(browser: FlaskClient, password: str = GOOD, *, to: str = "", **more: str) -> Any:
    address = f"/identity/login?next={to}" if to else "/identity/login"
    return browser.post(address, data={"username": "lethuha", "password": password, **more})


# --- sign in ------------------------------------------------------------------------------------------------------------


def test_signing_in_leads_to_the_page_that_was_asked_for(client: Any, person: User) -> None:
    asked = client.get("/identity/profile?x=1")
    assert asked.status_code == 302
    answer = client.post(asked.headers["Location"], data={"username": "lethuha", "password": GOOD})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/identity/profile?x=1")
    assert client.get("/identity/profile").status_code == 200


def test_the_session_cookie_is_guarded(client: Any, person: User) -> None:
    cookies = sign_in(client).headers.getlist("Set-Cookie")
    (mine,) = [c for c in cookies if c.startswith(cookie_name())]
    assert "HttpOnly" in mine
    assert "SameSite=Lax" in mine
    assert "Max-Age" not in mine
    assert "Expires" not in mine


def test_a_session_starts_with_a_new_token(client: Any, person: User) -> None:
    client.set_cookie(cookie_name(), "planted-by-someone-else")
    sign_in(client)
    assert client.get_cookie(cookie_name()).value != "planted-by-someone-else"


def test_a_wrong_password_stays_on_the_page_with_what_was_typed(client: Any, person: User) -> None:
    answer = sign_in(client, "wrong")
    assert answer.status_code == 422
    assert "Tên đăng nhập hoặc mật khẩu chưa đúng. Còn 4 lần thử." in answer.text
    assert 'value="lethuha"' in answer.text
    assert "wrong" not in answer.text


@pytest.mark.parametrize(
    "fields", [{"username": ""}, {"password": ""}, {"username": "x" * 61}, {"password": "x" * 129}]
)
def test_an_incomplete_form_names_the_field(client: Any, person: User, fields: dict[str, str]) -> None:
    answer = client.post("/identity/login", data={"username": "lethuha", "password": GOOD, **fields})
    assert answer.status_code == 422
    assert "field-err" in answer.text


def test_a_signed_in_person_is_not_asked_again(login_as: Any) -> None:
    assert login_as("doctor").get("/identity/login").status_code == 302


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example/x", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "evil",
     "/\tx", "http:/evil", "/a\nb", "", None, "/ok\\..\\x"],
)  # fmt: skip
def test_the_next_page_is_one_of_ours(app: Flask, target: str | None) -> None:
    with app.test_request_context():
        assert safe_target(target) == "/"


@pytest.mark.parametrize("target", ["/", "/examination/", "/records/patients/5?tab=1", "/x#part"])
def test_own_pages_are_kept(app: Flask, target: str) -> None:
    with app.test_request_context():
        assert safe_target(target) == target


def test_the_second_factor_is_asked_for_and_no_path_skips_it(client: Any, person: User) -> None:
    secret = service.new_totp_secret()
    with transaction():
        service.set_totp(person.user_id, GOOD, secret, pyotp.TOTP(secret).now(), actor=SYSTEM)
    first = sign_in(client)
    assert first.status_code == 422
    assert 'name="code"' in first.text
    assert client.get("/identity/profile").status_code == 302
    code = pyotp.TOTP(secret).at(clock.now() + timedelta(seconds=30))
    assert sign_in(client, code=code).status_code == 303


def test_the_workplace_is_chosen_from_the_rooms_and_remembered(client: Any, person: User) -> None:
    make_room("214", name="Hô hấp 2", place="tầng 2, phòng 214")
    assert "Hô hấp 2 · tầng 2, phòng 214" in client.get("/identity/login").text
    sign_in(client, workplace="214")
    assert "214" in client.get("/identity/profile").text
    client.post("/identity/logout")
    assert sign_in(client, workplace="a room that is not there").status_code == 303
    assert "a room" not in client.get("/identity/profile").text
    client.post("/identity/logout")
    assert re.search(r'<option selected value="214"', client.get("/identity/login").text)


# --- sign out, copied cookies ---------------------------------------------------------------------------------------------


def test_a_copied_cookie_is_worth_nothing_after_signing_out(app: Flask, person: User) -> None:
    browser, thief = app.test_client(), app.test_client()
    sign_in(browser)
    token = browser.get_cookie(cookie_name()).value
    thief.set_cookie(cookie_name(), token)
    assert thief.get("/identity/profile").status_code == 200
    out = browser.post("/identity/logout")
    assert out.headers["Location"] == "/identity/login"
    assert out.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert thief.get("/identity/profile").status_code == 302
    assert browser.get("/identity/profile").status_code == 302


@pytest.mark.parametrize("token", ["", "x", "x" * 3900, "'; --", "ă" * 3])
def test_a_made_up_cookie_opens_nothing(client: Any, token: str) -> None:
    client.set_cookie(cookie_name(), token)
    assert client.get("/identity/profile").status_code == 302


def test_a_session_ended_by_the_administrator_is_over_at_once(login_as: Any, app: Flask) -> None:
    victim = make_user("doctor")
    browser = app.test_client()
    login(browser, victim)
    assert browser.get("/identity/profile").status_code == 200
    answer = login_as("administrator").post(f"/identity/users/{victim.user.user_id}/end-sessions")
    assert answer.status_code == 303
    assert browser.get("/identity/profile").status_code == 302


def test_a_script_is_told_that_the_session_is_over(client: Any) -> None:
    answer = client.post("/identity/lock", json={})
    assert (answer.status_code, answer.json["code"]) == (401, "signed_out")


# --- lock and resume --------------------------------------------------------------------------------------------------------


def test_locking_by_hand_stops_every_page_until_the_password(app: Flask, person: User) -> None:
    browser = app.test_client()
    sign_in(browser)
    assert browser.post("/identity/lock").json == {"locked": True}
    page = browser.get("/identity/profile?a=1")
    assert page.status_code == 423
    assert 'value="/identity/profile?a=1"' in page.text
    assert browser.post("/identity/sessions/end").status_code == 423
    wrong = browser.post("/identity/unlock", data={"password": "wrong", "next": "/identity/profile?a=1"})
    assert wrong.status_code == 422
    assert "Mật khẩu chưa đúng" in wrong.text
    right = browser.post("/identity/unlock", data={"password": GOOD, "next": "/identity/profile?a=1"})
    assert right.headers["Location"] == "/identity/profile?a=1"
    assert browser.get("/identity/profile").status_code == 200


def test_rest_locks_the_screen_and_the_dialog_opens_it(app: Flask, person: User) -> None:
    with time_machine.travel("2026-11-23T01:00:00Z", tick=False) as at:
        browser = app.test_client()
        sign_in(browser)
        at.shift(timedelta(minutes=14))
        assert browser.get("/identity/profile").status_code == 200
        at.shift(timedelta(minutes=14))
        assert browser.get("/identity/profile").status_code == 200, "work keeps it open"
        at.shift(timedelta(minutes=17))
        assert browser.post("/identity/lock", json={}).status_code == 423
        assert browser.post("/identity/unlock", json={"password": "wrong"}).status_code == 422
        assert browser.post("/identity/unlock", json={"password": GOOD}).json == {"unlocked": True}
        assert browser.get("/identity/profile").status_code == 200


def test_live_parts_do_not_keep_the_screen_open(app: Flask, person: User) -> None:
    with time_machine.travel("2026-11-23T01:00:00Z", tick=False) as at:
        browser = app.test_client()
        sign_in(browser)
        for _ in range(5):
            at.shift(timedelta(minutes=4))
            browser.get("/identity/profile", headers={"X-Background": "1"})
        assert browser.get("/identity/profile").status_code == 423


def test_administrators_lock_sooner(app: Flask, db_session: Any) -> None:
    with time_machine.travel("2026-11-23T01:00:00Z", tick=False) as at:
        browsers = {}
        for role in ("administrator", "doctor"):
            browsers[role] = app.test_client()
            login(browsers[role], make_user(role))
        at.shift(timedelta(minutes=12))
        assert browsers["administrator"].get("/identity/profile").status_code == 423
        assert browsers["doctor"].get("/identity/profile").status_code == 200


def test_a_locked_screen_can_still_sign_out(app: Flask, person: User) -> None:
    browser = app.test_client()
    sign_in(browser)
    browser.post("/identity/lock")
    assert browser.post("/identity/logout").status_code == 303


# --- proof --------------------------------------------------------------------------------------------------------------------


def test_the_signing_dialog_gets_a_plain_answer(app: Flask, person: User) -> None:
    with transaction():
        service.set_pin(person.user_id, GOOD, "482913", actor=SYSTEM)
    browser = app.test_client()
    sign_in(browser)
    assert browser.post("/identity/prove", json={"pin": "000000"}).status_code == 422
    assert browser.post("/identity/prove", json={"pin": "482913"}).status_code == 200
    for _ in range(5):
        browser.post("/identity/prove", json={"pin": "000000"})
    assert browser.post("/identity/prove", json={"pin": "482913"}).status_code in (403, 422)


# --- first password -----------------------------------------------------------------------------------------------------------


def test_a_first_password_is_changed_before_anything_else(app: Flask, person: User) -> None:
    with transaction():
        first = service.reset_password(person.user_id, actor=SYSTEM)
    browser = app.test_client()
    sign_in(browser, first)
    for place in ("/", "/catalogues/search/icd?q=sot"):
        assert browser.get(place).headers["Location"] == "/identity/password"
    page = browser.get("/identity/password")
    assert "mật khẩu lần đầu" in page.text
    weak = browser.post("/identity/password", data={"old": first, "new": "Benhvien@2026Benhvien"})
    assert weak.status_code == 422
    assert "dễ đoán" in weak.text
    wrong = browser.post("/identity/password", data={"old": "x", "new": NEW})
    assert "Mật khẩu hiện tại chưa đúng" in wrong.text
    done = browser.post("/identity/password", data={"old": first, "new": NEW})
    assert done.headers["Location"] == "/identity/profile"
    assert browser.get("/identity/profile").status_code == 200


def test_a_first_password_opens_no_other_write(app: Flask, person: User) -> None:
    with transaction():
        first = service.reset_password(person.user_id, actor=SYSTEM)
    browser = app.test_client()
    sign_in(browser, first)
    browser.post("/identity/profile/pin", data={"password": first, "pin": "739251"})
    assert queries.get_user(person.user_id).pin_hash == ""


# --- own account --------------------------------------------------------------------------------------------------------------


def test_the_own_account_shows_sessions_and_takes_preferences(app: Flask, person: User) -> None:
    browser, other = app.test_client(), app.test_client()
    sign_in(browser), sign_in(other)
    page = browser.get("/identity/profile").text
    assert page.count("máy này") == 1
    assert browser.post("/identity/profile/preferences", data={"language": "en", "theme": "dark"}).status_code == 303
    page = browser.get("/identity/profile").text
    assert 'lang="en"' in page
    assert 'data-bs-theme="dark"' in page
    browser.post("/identity/sessions/end")
    assert other.get("/identity/profile").status_code == 302
    assert browser.get("/identity/profile").status_code == 200


def test_a_poor_pin_says_why_at_the_field(app: Flask, person: User) -> None:
    browser = app.test_client()
    sign_in(browser)
    answer = browser.post("/identity/profile/pin", data={"password": GOOD, "pin": "111111"})
    assert answer.status_code == 422
    assert "Mã ký dễ đoán" in answer.text
    assert browser.post("/identity/profile/pin", data={"password": GOOD, "pin": "739251"}).status_code == 303


def test_the_second_factor_is_set_up_and_removed(app: Flask, person: User) -> None:
    browser = app.test_client()
    sign_in(browser)
    page = browser.get("/identity/totp").text
    secret = re.search(r'<p class="mono">([A-Z2-7]+)</p>', page)
    assert secret
    assert secret[1] in browser.get("/identity/totp").text, "the same secret until it is confirmed"
    wrong = browser.post("/identity/totp", data={"password": GOOD, "code": "000000"})
    assert wrong.status_code == 422
    done = browser.post("/identity/totp", data={"password": GOOD, "code": pyotp.TOTP(secret[1]).at(clock.now())})
    assert done.status_code == 303
    assert "Đang bật" in browser.get("/identity/totp").text
    assert browser.post("/identity/totp", data={"password": "x"}).status_code == 422
    assert browser.post("/identity/totp", data={"password": GOOD}).status_code == 303
    session().expire_all()
    assert queries.get_user(person.user_id).totp_secret == ""


# --- administrator ------------------------------------------------------------------------------------------------------------

NEW_PERSON = {"username": "phamvan", "display_name": "Phạm Văn Mới", "roles": ["nurse"], "is_active": "y"}


@pytest.mark.parametrize("role", ["doctor", "clerk", "auditor", "manager"])
def test_accounts_are_closed_to_others(login_as: Any, role: str) -> None:
    browser = login_as(role)
    for answer in (
        browser.get("/identity/users"),
        browser.get("/identity/users/1"),
        browser.post("/identity/users/new", data=NEW_PERSON),
        browser.post("/identity/users/1/reset"),
    ):
        assert answer.status_code == 403
    session().expire_all()
    assert queries.user_by_name("phamvan") is None


def test_a_new_account_shows_its_first_password_once(login_as: Any, app: Flask) -> None:
    answer = login_as("administrator").post("/identity/users/new", data=NEW_PERSON)
    assert answer.status_code == 200
    first = re.search(r'<p class="mono strong">([^<]+)</p>', answer.text)
    assert first
    browser = app.test_client()
    signed = browser.post("/identity/login", data={"username": "phamvan", "password": first[1]})
    assert signed.status_code == 303
    assert browser.get("/").headers["Location"] == "/identity/password"


@pytest.mark.parametrize(
    ("change", "says"),
    [({"username": ""}, "chưa nhập"), ({"display_name": ""}, "chưa nhập"), ({"roles": []}, "ít nhất một vai trò"),
     ({"roles": ["administrator", "doctor"]}, "không đi cùng"), ({"display_name": "x" * 121}, "nhiều nhất 120")],
)  # fmt: skip
def test_a_wrong_account_form_says_why_and_keeps_what_was_typed(
    login_as: Any, change: dict[str, Any], says: str
) -> None:
    answer = login_as("administrator").post("/identity/users/new", data={**NEW_PERSON, "title": "ĐD.", **change})
    assert answer.status_code == 422
    assert says in answer.text
    assert 'value="ĐD."' in answer.text


def test_a_taken_name_is_said(login_as: Any, person: User) -> None:
    answer = login_as("administrator").post("/identity/users/new", data={**NEW_PERSON, "username": "lethuha"})
    assert answer.status_code == 422
    assert "đã có" in answer.text


def test_an_account_is_changed_and_disabled(login_as: Any, person: User) -> None:
    admin = login_as("administrator")
    data = {
        "username": "lethuha",
        "display_name": "Lê Thị Thu Hà",
        "roles": ["doctor", "head"],
        "department_code": "K03",
    }
    page = admin.get(f"/identity/users/{person.user_id}").text
    assert re.findall(r'name="roles" value="(\w+)" checked', page) == ["doctor"], "what is held is ticked"
    assert re.search(r'name="is_active"[^>]* checked', page)
    assert admin.post(f"/identity/users/{person.user_id}", data=data).status_code == 303
    session().expire_all()
    changed = queries.get_user(person.user_id)
    assert (changed.department_code, changed.state.value) == ("K03", "disabled")
    assert [r.role_code for r in changed.roles] == ["doctor", "head"]
    assert changed.username == "lethuha"


def test_the_log_in_name_cannot_be_changed_by_a_crafted_form(login_as: Any, person: User) -> None:
    data = {"username": "root", "display_name": "Lê Thị Thu Hà", "roles": ["doctor"], "is_active": "y", "password_hash": "x",
            "must_change_password": ""}  # fmt: skip
    login_as("administrator").post(f"/identity/users/{person.user_id}", data=data)
    session().expire_all()
    assert queries.get_user(person.user_id).username == "lethuha"


def test_an_unknown_account_is_404(login_as: Any) -> None:
    admin = login_as("administrator")
    assert admin.get("/identity/users/999999").status_code == 404
    assert admin.post("/identity/users/999999/reset").status_code == 404


@pytest.mark.parametrize("place", ["/identity/users", "/identity/profile", "/identity/users/new", "/identity/password"])
def test_screens_cost_few_statements(login_as: Any, count_statements: Any, place: str) -> None:
    for _ in range(15):
        make_user("nurse")
    browser = login_as("administrator")
    with count_statements() as seen:
        assert browser.get(place).status_code == 200
    assert seen.count <= 12, seen.texts


def test_the_language_switch_of_the_top_bar_holds_for_the_person_signed_in(login_as: Callable[..., FlaskClient]) -> None:
    browser = login_as("clerk")
    assert '<html lang="vi"' in browser.get("/identity/profile").get_data(as_text=True)
    answer = browser.post("/language/en", data={"next": "/identity/profile"})
    assert answer.headers["Location"] == "/identity/profile"
    assert '<html lang="en"' in browser.get("/identity/profile").get_data(as_text=True)
    browser.delete_cookie("his_language")
    assert '<html lang="en"' in browser.get("/identity/profile").get_data(as_text=True), "kept with the account"
