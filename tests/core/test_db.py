"""One way to change anything: units of work, callbacks, exact amounts, aware times; on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from his.core.db import Amount, UtcDateTime, after_commit, db, in_transaction, is_unique_violation, session, transaction
from his.core.sequences import Sequence
from his.core.tasks import Heartbeat


def stored() -> set[str]:
    return set(session().execute(select(Heartbeat.name)).scalars())


def test_leaving_a_unit_of_work_commits(committed: Any) -> None:
    with transaction() as here:
        here.add(Heartbeat(name="one"))
    assert committed.parallel(lambda _: stored(), 1) == [{"one"}]


def test_an_error_rolls_everything_back_and_goes_on(committed: Any) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as here:
        here.add(Heartbeat(name="half"))
        here.flush()
        raise ZeroDivisionError
    assert stored() == set()
    assert not in_transaction()


def test_nothing_is_seen_by_others_before_the_commit(committed: Any) -> None:
    with transaction() as here:
        here.add(Heartbeat(name="hidden"))
        here.flush()
        assert committed.parallel(lambda _: stored(), 1) == [set()]


def test_nested_use_joins_the_outer_unit(db_session: Any) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        with transaction() as inner:
            inner.add(Heartbeat(name="inner"))
        raise ZeroDivisionError
    assert stored() == set()


def test_callbacks_run_after_the_commit_in_order(db_session: Any) -> None:
    seen: list[Any] = []
    with transaction() as here:
        here.add(Heartbeat(name="x"))
        after_commit(lambda: seen.append(in_transaction()))
        after_commit(lambda: seen.append("second"))
        assert seen == []
    assert seen == [False, "second"]


def test_callbacks_are_dropped_on_an_error(db_session: Any) -> None:
    seen: list[str] = []
    with pytest.raises(ZeroDivisionError), transaction():
        after_commit(lambda: seen.append("never"))
        raise ZeroDivisionError
    with transaction():
        pass
    assert seen == []


def test_a_callback_needs_an_open_unit(db_session: Any) -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        after_commit(lambda: None)


def test_a_writer_sees_what_others_committed_before_it_began(committed: Any) -> None:
    assert stored() == set()  # opens a read snapshot

    def write(_: int) -> None:
        with transaction() as here:
            here.add(Heartbeat(name="other"))

    committed.parallel(write, 1)
    with transaction():
        assert stored() == {"other"}


def test_writers_wait_for_each_other_and_none_fails(committed: Any) -> None:
    def write(number: int) -> str:
        with transaction() as here:
            here.execute(select(Heartbeat)).all()
            here.add(Heartbeat(name=f"w{number}"))
        return "done"

    assert committed.parallel(write, 20) == ["done"] * 20
    assert len(stored()) == 20


def test_foreign_keys_are_checked(db_session: Any) -> None:
    with pytest.raises(IntegrityError), transaction() as here:
        here.execute(text("INSERT INTO user_roles (user_id, role_code) VALUES (999999, 'doctor')"))


def test_a_unique_violation_is_recognised_by_name(db_session: Any) -> None:
    with pytest.raises(IntegrityError) as caught, transaction() as here:
        here.execute(text("INSERT INTO roles (role_code, name_vi, name_en) VALUES ('doctor', 'x', 'x')"))
    assert is_unique_violation(caught.value)
    assert is_unique_violation(caught.value, "pk_roles", "roles.role_code")
    assert not is_unique_violation(caught.value, "uq_users_username")


# --- column types ---------------------------------------------------------------------------------------------------

DIALECTS = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}


@pytest.fixture(params=sorted(DIALECTS))
def dialect(request: pytest.FixtureRequest) -> Any:
    return DIALECTS[request.param]


@pytest.mark.parametrize("value", ["0", "0.01", "50600", "999999999999.99", "-0.60"])
def test_amounts_come_back_exact(dialect: Any, value: str) -> None:
    kind = Amount(2)
    assert kind.process_result_value(kind.process_bind_param(Decimal(value), dialect), dialect) == Decimal(value)


def test_an_amount_is_never_a_float(dialect: Any) -> None:
    with pytest.raises(TypeError):
        Amount(2).process_bind_param(0.1, dialect)  # type: ignore[arg-type]


def test_an_amount_is_never_rounded_silently(dialect: Any) -> None:
    with pytest.raises(ValueError, match="decimals"):
        Amount(2).process_bind_param(Decimal("0.005"), dialect)


def test_nothing_stays_nothing(dialect: Any) -> None:
    assert Amount(2).process_bind_param(None, dialect) is None
    assert Amount(2).process_result_value(None, dialect) is None
    assert UtcDateTime().process_bind_param(None, dialect) is None
    assert UtcDateTime().process_result_value(None, dialect) is None


def test_a_naive_time_is_refused(dialect: Any) -> None:
    with pytest.raises(ValueError, match="clock"):
        UtcDateTime().process_bind_param(datetime(2026, 11, 23, 8, 0), dialect)


def test_times_come_back_aware_and_in_utc(dialect: Any) -> None:
    kind = UtcDateTime()
    at = datetime(2026, 11, 23, 8, 42, 7, 123456, tzinfo=timezone(timedelta(hours=7)))
    back = kind.process_result_value(kind.process_bind_param(at, dialect), dialect)
    assert back == at
    assert back is not None
    assert back.tzinfo is UTC


def test_the_database_keeps_times_and_numbers(db_session: Any) -> None:
    at = datetime(2026, 11, 23, 1, 42, 7, 123456, tzinfo=UTC)
    with transaction() as here:
        here.add(Heartbeat(name="t", at=at))
        here.add(Sequence(name="s", period="2026", value=2**31 - 1))
    db.session.expire_all()
    assert db_session.get_one(Heartbeat, "t").at == at
    assert db_session.get_one(Sequence, ("s", "2026")).value == 2**31 - 1
