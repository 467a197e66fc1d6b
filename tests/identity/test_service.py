"""Use cases of the door: signing in, locking, proving, passwords, second factor, accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from sqlalchemy import func, select

from his.audit.models import AuditEvent
from his.core import clock
from his.core.actor import SYSTEM
from his.core.db import session, transaction
from his.core.errors import Conflict, DomainError, NotAllowed, NotFound
from his.identity import queries, service
from his.identity.enums import Action, UserState
from his.identity.errors import LoginRefused, ProofNeeded, WeakPassword
from his.identity.models import LoginFailure, Role, RolePermission, User, UserSession
from tests.factories.identity import make_user

GOOD = "Xe-dap 7 mua ruoi!"
NEW = "Tram-Cau_92 khoi Sua"
START = "2026-11-23T01:00:00Z"


@pytest.fixture
def person(db_session: Any) -> User:
    with transaction():
        return service.create_user(
            "lethuha", "Lê Thị Thu Hà", ["doctor"], password=GOOD, must_change=False, pin="482913", actor=SYSTEM
        )


def sign_in(name: str = "lethuha", password: str = GOOD, **more: Any) -> service.LoginResult:
    with transaction():
        return service.log_in(name, password, ip=more.pop("ip", "10.0.0.5"), **more)


def acts(action: Action) -> list[AuditEvent]:
    return list(session().execute(select(AuditEvent).where(AuditEvent.action == action.value)).scalars())


# --- signing in -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lethuha", " LeThuHa ", "LETHUHA"])
def test_name_and_password_open_a_session(person: User, name: str) -> None:
    result = sign_in(name, workplace="214")
    facts = queries.session_by_token(service.token_hash(result.token))
    assert facts is not None
    assert (facts.user.user_id, facts.session.workplace) == (person.user_id, "214")
    assert len(result.token) >= 43
    assert facts.session.token_hash != result.token
    assert [e.user_id for e in acts(Action.LOGIN)] == [person.user_id]


def test_nothing_tells_whether_name_or_password_was_wrong(person: User) -> None:
    wrong, unknown = sign_in(password="x" * 20), sign_in("nobody", "x" * 20, ip="10.0.0.6")
    assert wrong.refused is not None
    assert unknown.refused is not None
    assert wrong.refused.message == unknown.refused.message == "Tên đăng nhập hoặc mật khẩu chưa đúng. Còn 4 lần thử."


def test_a_wrong_try_is_logged_with_its_address(person: User) -> None:
    sign_in(password="x" * 20, ip="10.0.0.77")
    (event,) = acts(Action.LOGIN_FAILED)
    assert (event.ip, event.subject_id, event.result.value) == ("10.0.0.77", person.user_id, "denied")


def test_a_disabled_account_looks_like_a_wrong_password(person: User) -> None:
    with transaction():
        person.state = UserState.DISABLED
    result = sign_in()
    assert result.refused is not None
    assert "chưa đúng" in result.refused.message


def test_unknown_names_are_hashed_too(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    monkeypatch.setattr(service, "_matches", lambda stored, _given: bool(checked.append(stored)))
    sign_in("nobody", "x")
    sign_in(password="x")
    assert len(checked) == 2
    assert all(stored.startswith("$argon2id$") for stored in checked)


def test_the_sixth_try_waits_and_the_wait_grows(person: User) -> None:
    with time_machine.travel(START, tick=False) as at:
        left = [sign_in(password="wrong").refused for _ in range(5)]
        assert [r.tries_left for r in left if r] == [4, 3, 2, 1, 0]
        refused = sign_in().refused
        assert refused is not None, "even the right password waits"
        assert refused.wait_seconds == 30
        at.shift(31)
        assert sign_in(password="wrong").token == ""
        refused = sign_in().refused
        assert refused is not None
        assert refused.wait_seconds == 60
        at.shift(61)
        assert sign_in().token
        at.shift(1)
        refused = sign_in(password="wrong").refused
        assert refused is not None
        assert refused.tries_left == 4, "a right password starts counting anew"


def test_wrong_tries_are_forgotten_after_a_quarter_of_an_hour(person: User) -> None:
    with time_machine.travel(START, tick=False) as at:
        for _ in range(4):
            sign_in(password="wrong")
        at.shift(timedelta(minutes=16))
        refused = sign_in(password="wrong").refused
        assert refused is not None
        assert refused.tries_left == 4


def test_one_address_may_not_try_many_names(person: User) -> None:
    with time_machine.travel(START, tick=False):
        for i in range(30):
            sign_in(f"nobody{i}", "x")
        refused = sign_in().refused
        assert refused is not None
        assert refused.wait_seconds > 0
        assert sign_in(ip="10.0.0.9").token, "others are not held up"


def test_a_flood_of_names_fills_one_row_per_name_and_keeps_none_in_clear(person: User) -> None:
    for _ in range(3):
        sign_in("secretname", "x")
    rows = session().execute(select(LoginFailure)).scalars().all()
    assert len(rows) == 2
    assert all(len(row.subject) == 64 and "secretname" not in row.subject for row in rows)


def test_a_hash_of_older_strength_is_renewed_at_sign_in(person: User) -> None:
    from argon2 import PasswordHasher

    with transaction():
        person.password_hash = PasswordHasher(time_cost=2, memory_cost=32, parallelism=2).hash(GOOD)
    before = person.password_hash
    assert sign_in().token
    assert person.password_hash != before


# --- second factor -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def secret(person: User) -> str:
    made = service.new_totp_secret()
    with transaction():
        service.set_totp(person.user_id, GOOD, made, pyotp.TOTP(made).now(), actor=SYSTEM)
    return made


def code_of(secret: str, at: timedelta = timedelta()) -> str:
    return pyotp.TOTP(secret).at(clock.now() + at)


def test_the_secret_is_stored_encrypted(person: User, secret: str) -> None:
    assert secret not in person.totp_secret


def test_without_a_code_no_session_opens(person: User, secret: str) -> None:
    result = sign_in()
    assert (result.token, result.needs_code) == ("", True)


def test_a_right_code_opens_a_session(person: User, secret: str) -> None:
    assert sign_in(code=code_of(secret, timedelta(seconds=30))).token


def test_a_code_is_used_once(person: User, secret: str) -> None:
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        code = code_of(secret)
        assert sign_in(code=code).token
        again = sign_in(code=code)
        assert again.token == ""
        assert again.refused is not None


@pytest.mark.parametrize("code", ["000000", "abcdef", "12345", "１２３４５６", " "])
def test_a_wrong_code_is_refused_and_counted(person: User, secret: str, code: str) -> None:
    result = sign_in(code=code)
    assert result.token == ""
    assert session().execute(select(func.max(LoginFailure.failure_count))).scalar_one_or_none() in (1, None)


def test_guessing_codes_slows_down(person: User, secret: str) -> None:
    with time_machine.travel(START, tick=False):
        for i in range(5):
            sign_in(code=f"{i:06d}")
        refused = sign_in(code=code_of(secret)).refused
        assert refused is not None
        assert refused.wait_seconds > 0


def test_setting_the_second_factor_needs_password_and_code(person: User) -> None:
    made = service.new_totp_secret()
    with pytest.raises(LoginRefused, match="Mật khẩu"), transaction():
        service.set_totp(person.user_id, "wrong", made, pyotp.TOTP(made).now(), actor=SYSTEM)
    with pytest.raises(LoginRefused, match="Mã xác thực"), transaction():
        service.set_totp(person.user_id, GOOD, made, "000000", actor=SYSTEM)


def test_removing_it_needs_the_password(person: User, secret: str) -> None:
    with pytest.raises(LoginRefused), transaction():
        service.remove_totp(person.user_id, "wrong", actor=SYSTEM)
    with transaction():
        service.remove_totp(person.user_id, GOOD, actor=SYSTEM)
    assert person.totp_secret == ""
    assert [e.details["state"] for e in acts(Action.TOTP)] == ["on", "off"]


# --- sessions ------------------------------------------------------------------------------------------------------------------


def living(token: str) -> UserSession | None:
    facts = queries.session_by_token(service.token_hash(token))
    return facts.session if facts else None


def test_a_session_ends_after_its_hours(person: User) -> None:
    with time_machine.travel(START, tick=False) as at:
        token = sign_in().token
        at.shift(timedelta(hours=12) - timedelta(seconds=1))
        assert living(token)
        at.shift(2)
        assert living(token) is None


def test_logging_out_makes_the_token_worthless(person: User) -> None:
    token = sign_in().token
    found = living(token)
    assert found
    with transaction():
        service.log_out(found, actor=SYSTEM)
    assert living(token) is None


def test_disabling_an_account_ends_its_sessions_at_once(person: User, actor: Any) -> None:
    token = sign_in().token
    with transaction():
        service.update_user(person.user_id, roles=["doctor"], state=UserState.DISABLED, actor=actor("administrator"))
    assert living(token) is None


def test_a_changed_role_counts_on_the_next_request(person: User, actor: Any) -> None:
    token = sign_in().token
    with transaction():
        service.update_user(person.user_id, roles=["nurse"], state=UserState.ACTIVE, actor=actor("administrator"))
    facts = queries.session_by_token(service.token_hash(token))
    assert facts
    assert "prescriptions:prescription:sign" not in facts.permissions
    assert "examination:vitals:write" in facts.permissions


def test_unlocking_needs_the_password_and_slows_down(person: User) -> None:
    with time_machine.travel(START, tick=False):
        found = living(sign_in().token)
        assert found
        with transaction():
            service.lock(found, actor=SYSTEM)
            for _ in range(5):
                assert not service.unlock(found, "wrong", actor=SYSTEM)
            assert not service.unlock(found, GOOD, actor=SYSTEM), "too many tries: wait"
            assert found.locked_at


def test_unlocking_goes_on_with_the_same_session(person: User) -> None:
    found = living(sign_in().token)
    assert found
    with transaction():
        service.lock(found, actor=SYSTEM)
        assert service.unlock(found, GOOD, actor=SYSTEM)
    assert found.locked_at is None


# --- proof for signing -----------------------------------------------------------------------------------------------------------


def test_a_right_pin_stays_proven_for_ten_minutes(person: User) -> None:
    with time_machine.travel(START, tick=False) as at:
        found = living(sign_in().token)
        assert found
        who = service.actor_of(person, frozenset(), session_ref=str(found.session_id))
        with pytest.raises(ProofNeeded):
            service.require_proof(who)
        with transaction():
            assert service.prove(found, "482913", actor=who)
        service.require_proof(who)
        at.shift(timedelta(minutes=10, seconds=1))
        with pytest.raises(ProofNeeded):
            service.require_proof(who)


def test_five_wrong_pins_need_a_new_sign_in(person: User) -> None:
    found = living(sign_in().token)
    assert found
    for _ in range(5):
        with transaction():
            assert not service.prove(found, "111111", actor=SYSTEM)
    with pytest.raises(NotAllowed, match="Đăng xuất"), transaction():
        service.prove(found, "482913", actor=SYSTEM)
    fresh = living(sign_in().token)
    assert fresh
    with transaction():
        assert service.prove(fresh, "482913", actor=SYSTEM)
    assert len(acts(Action.PROVE_FAILED)) == 5


def test_proof_of_one_browser_does_not_serve_another(person: User) -> None:
    first, second = living(sign_in().token), living(sign_in().token)
    assert first
    assert second
    with transaction():
        service.prove(first, "482913", actor=SYSTEM)
    assert service.has_proof(service.actor_of(person, frozenset(), session_ref=str(first.session_id)))
    assert not service.has_proof(service.actor_of(person, frozenset(), session_ref=str(second.session_id)))
    assert not service.has_proof(service.actor_of(person, frozenset()))
    assert not service.has_proof(SYSTEM)


def test_without_a_pin_one_is_told_where_to_set_it(person: User) -> None:
    with transaction():
        person.pin_hash = ""
    found = living(sign_in().token)
    assert found
    with pytest.raises(DomainError, match="đặt mã ký"), transaction():
        service.prove(found, "482913", actor=SYSTEM)


@pytest.mark.parametrize(
    "pin", ["12345", "1234567", "abcdef", "111111", "121212", "123456", "654321", "１２３４５６", ""]
)
def test_a_poor_pin_is_refused(person: User, pin: str) -> None:
    with pytest.raises(WeakPassword), transaction():
        service.set_pin(person.user_id, GOOD, pin, actor=SYSTEM)


def test_the_pin_is_set_under_the_password(person: User) -> None:
    with pytest.raises(LoginRefused), transaction():
        service.set_pin(person.user_id, "wrong", "739251", actor=SYSTEM)
    with transaction():
        service.set_pin(person.user_id, GOOD, "739251", actor=SYSTEM)
    assert person.pin_hash.startswith("$argon2id$")


# --- passwords -----------------------------------------------------------------------------------------------------------------


def test_a_changed_password_ends_the_other_sessions(person: User) -> None:
    here, there = sign_in().token, sign_in().token
    mine = living(here)
    assert mine
    with transaction():
        service.change_password(person.user_id, GOOD, NEW, keep_session=mine.session_id, actor=SYSTEM)
    assert living(here)
    assert living(there) is None
    assert sign_in(password=NEW).token
    assert not sign_in(password=GOOD).token


@pytest.mark.parametrize(
    ("old", "new", "error"), [("wrong", NEW, LoginRefused), (GOOD, "short", WeakPassword), (GOOD, GOOD, WeakPassword)]
)
def test_a_bad_change_is_refused(person: User, old: str, new: str, error: type[Exception]) -> None:
    with pytest.raises(error), transaction():
        service.change_password(person.user_id, old, new, keep_session=None, actor=SYSTEM)


def test_a_reset_password_must_be_changed_and_ends_all_sessions(person: User) -> None:
    token = sign_in().token
    with transaction():
        first = service.reset_password(person.user_id, actor=SYSTEM)
    assert living(token) is None
    assert person.must_change_password
    assert sign_in(password=first).token
    assert first not in str([e.details for e in acts(Action.PASSWORD_RESET)])


# --- accounts ------------------------------------------------------------------------------------------------------------------


def test_a_name_is_taken_once(person: User) -> None:
    with pytest.raises(Conflict, match="lethuha"), transaction():
        service.create_user("LeThuHa", "Người Khác", ["nurse"], password=GOOD, actor=SYSTEM)


@pytest.mark.parametrize("roles", [[], ["wizard"], ["administrator", "doctor"], ["auditor", "manager"]])
def test_impossible_roles_are_refused(person: User, actor: Any, roles: list[str]) -> None:
    with pytest.raises(DomainError), transaction():
        service.create_user("moi", "Người Mới", roles, password=GOOD, actor=SYSTEM)
    with pytest.raises(DomainError), transaction():
        service.update_user(person.user_id, roles=roles, state=UserState.ACTIVE, actor=actor("administrator"))


def test_nobody_changes_the_own_roles(db_session: Any) -> None:
    admin = make_user("administrator")
    with pytest.raises(NotAllowed, match="Nhờ quản trị viên khác"), transaction():
        service.update_user(admin.user.user_id, roles=["doctor"], state=UserState.ACTIVE, actor=admin.as_actor())


def test_a_change_is_recorded_old_and_new(person: User, actor: Any) -> None:
    with transaction():
        service.update_user(
            person.user_id,
            roles=["doctor", "head"],
            state=UserState.ACTIVE,
            actor=actor("administrator"),
            title="BS. CKI",
        )
    (event,) = acts(Action.USER_UPDATE)
    assert event.details["changes"] == {"roles": ["doctor", "doctor,head"], "title": ["", "BS. CKI"]}


def test_an_unchanged_account_writes_nothing(person: User, actor: Any) -> None:
    with transaction():
        service.update_user(person.user_id, roles=["doctor"], state=UserState.ACTIVE, actor=actor("administrator"))
    assert acts(Action.USER_UPDATE) == []


def test_an_unknown_account_is_not_found(db_session: Any) -> None:
    with pytest.raises(NotFound):
        queries.get_user(999_999)


def test_seeding_twice_changes_nothing_and_keeps_own_additions(db_session: Any) -> None:
    def counted() -> tuple[int, int]:
        return tuple(
            session().execute(select(func.count()).select_from(m)).scalar_one() for m in (Role, RolePermission)
        )  # type: ignore[return-value]

    with transaction() as here:
        here.add(RolePermission(role_code="manager", permission="records:patient:find"))
    before = counted()
    with transaction():
        service.seed_roles()
    assert counted() == before
    assert len(set(service.ROLE_NAMES)) == before[0]


def test_preferences_take_known_values_only(person: User) -> None:
    with transaction():
        service.set_preferences(person.user_id, language="en", theme="dark")
    assert (person.language, person.theme) == ("en", "dark")
    with transaction():
        service.set_preferences(person.user_id, language="xx", theme="<b>")
    assert (person.language, person.theme) == ("vi", "light")


def test_no_secret_reaches_the_log(person: User, secret: str) -> None:
    sign_in(password="a wrong guess 1!")
    text = str([(e.details, e.reason, e.user_name) for e in session().execute(select(AuditEvent)).scalars()])
    assert all(word not in text for word in (GOOD, "a wrong guess 1!", secret, "482913"))
