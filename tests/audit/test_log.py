"""The log is append-only, and any change to it is found (SEC-50, SEC-51, SEC-52)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from his.audit import queries, service
from his.audit.ddl import TABLES, drop_statements
from his.audit.enums import Action, Result
from his.audit.models import AuditEvent, AuditSeal, AuditSealedEvent
from his.core.actor import Actor
from his.core.config import current
from his.core.db import session, transaction
from his.core.tasks import Heartbeat

DOCTOR = Actor(user_id=7, name="BS. Người Thử", roles=frozenset({"doctor"}), ip="10.0.0.5", port=50123, workplace="214")


def record(patient_id: int = 1, **more: Any) -> int:
    with transaction():
        event = service.record(DOCTOR, Action.VIEW, patient_id=patient_id, details={"what": "hồ sơ"}, **more)
        session().flush()
        return event.event_id


@pytest.fixture(autouse=True)
def _no_old_heads(app: Flask) -> None:
    """Each test starts without heads kept by the one before."""
    for path in (current().var_dir / "audit-heads").glob("*.txt"):
        path.unlink()


def tamper(*statements: str) -> None:
    """What an owner of the database could do: take the triggers away, then change rows."""
    here = session()
    dialect = here.get_bind().dialect.name
    with transaction():
        for statement in (*drop_statements(dialect), *statements):
            here.execute(text(statement))
    here.expire_all()


# --- writing ------------------------------------------------------------------------------------------------------------


def test_an_event_says_who_what_when_and_from_where(db_session: Any) -> None:
    event = session().get_one(AuditEvent, record(visit_id=9, subject_type="patient", subject_id=1, reason="khám"))
    assert (event.user_id, event.user_name, event.roles, event.ip, event.port) == (
        7,
        "BS. Người Thử",
        "doctor",
        "10.0.0.5",
        50123,
    )
    assert (event.action, event.patient_id, event.visit_id, event.workplace) == ("audit.view", 1, 9, "214")
    assert (event.result, event.reason, event.details) == (Result.OK, "khám", {"what": "hồ sơ"})
    assert len(event.digest) == 64


def test_an_unregistered_action_or_detail_is_a_mistake(db_session: Any) -> None:
    with pytest.raises(LookupError, match="not registered"), transaction():
        service.record(DOCTOR, "made.up")
    with pytest.raises(ValueError, match="surprise"), transaction():
        service.record(DOCTOR, Action.VIEW, details={"surprise": 1})


def test_without_its_event_a_change_does_not_happen(committed: Any) -> None:
    with pytest.raises(DBAPIError), transaction() as here:
        here.add(Heartbeat(name="change"))
        event = service.record(DOCTOR, Action.VIEW)
        event.user_name = None  # type: ignore[assignment]
    assert session().get(Heartbeat, "change") is None
    assert session().execute(select(func.count()).select_from(AuditEvent)).scalar_one() == 0


def test_an_undone_change_leaves_no_event(committed: Any) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        service.record(DOCTOR, Action.VIEW)
        session().flush()
        raise ZeroDivisionError
    assert queries.events(queries.EventFilter()) == []


def test_the_same_page_within_a_minute_is_one_event(db_session: Any) -> None:
    with time_machine.travel("2026-11-23T01:00:00Z", tick=False) as at:
        for _ in range(3):
            service.viewed(DOCTOR, 5, "hồ sơ")
        assert len(queries.access_log(5)) == 1
        service.viewed(DOCTOR, 5, "hồ sơ", visit_id=8)
        service.viewed(Actor(user_id=8, name="Khác"), 5, "hồ sơ")
        assert len(queries.access_log(5)) == 3
        at.shift(timedelta(seconds=61))
        service.viewed(DOCTOR, 5, "hồ sơ")
        assert len(queries.access_log(5)) == 4


# --- append-only ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
def test_the_database_itself_refuses_changes(committed: Any, table: str, verb: str) -> None:
    record()
    service.seal()
    statements = {"UPDATE": f"UPDATE {table} SET {'digest' if table != 'audit_seals' else 'hash'} = 'x'",
                  "DELETE": f"DELETE FROM {table}", "TRUNCATE": f"TRUNCATE {table} CASCADE"}  # fmt: skip
    with pytest.raises(DBAPIError), transaction() as here:
        here.execute(text(statements[verb]))
    assert service.verify().problems == ()
    assert service.verify().events == 1


def test_the_session_cannot_change_an_event_either(committed: Any) -> None:
    number = record()
    with pytest.raises(DBAPIError, match="append-only"), transaction() as here:
        here.get_one(AuditEvent, number).user_name = "Người Khác"


# --- sealing and proving ----------------------------------------------------------------------------------------------------


def test_an_empty_log_is_whole(committed: Any) -> None:
    assert service.seal() == 0
    assert service.verify() == service.Verification(0, 0, 0)


def test_batches_form_a_chain(committed: Any) -> None:
    for i in range(7):
        record(i)
    assert [service.seal(limit=3) for _ in range(4)] == [3, 3, 1, 0]
    seals = session().execute(select(AuditSeal).order_by(AuditSeal.seal_id)).scalars().all()
    assert [s.previous_hash for s in seals[1:]] == [s.hash for s in seals[:-1]]
    found = service.verify()
    assert (found.events, found.seals, found.unsealed, found.problems) == (7, 3, 0, ())


def test_unsealed_events_are_counted_and_checked(committed: Any) -> None:
    record()
    assert service.verify().unsealed == 1
    tamper("UPDATE audit_events SET reason = 'khác'")
    assert "đã bị sửa trước khi niêm" in service.verify().problems[0]


@pytest.fixture
def sealed(committed: Any) -> Callable[[], str]:
    """Nine events in three batches; returns what verify says, joined."""
    for i in range(9):
        record(i)
        if i % 3 == 2:
            service.seal()
    assert service.verify().problems == ()
    return lambda: " ".join(service.verify().problems)


PLANTED = [
    ("UPDATE audit_events SET user_name = 'Người Khác' WHERE event_id = 5", "Sự kiện 5"),
    ("UPDATE audit_events SET patient_id = 99 WHERE event_id = 2", "Sự kiện 2"),
    ("UPDATE audit_events SET reason = 'x' WHERE event_id = 9", "Sự kiện 9"),
    ("UPDATE audit_events SET digest = 'x' WHERE event_id = 4", "Sự kiện 4"),
    ("UPDATE audit_sealed_events SET digest = 'x' WHERE event_id = 4", "Dấu niêm 2"),
    ("UPDATE audit_sealed_events SET position = 7 WHERE event_id = 4", "Dấu niêm 2"),
    ("UPDATE audit_sealed_events SET seal_id = 3 WHERE event_id = 4", "Dấu niêm 2"),
    ("UPDATE audit_seals SET hash = 'x' WHERE seal_id = 2", "Dấu niêm 2"),
    ("UPDATE audit_seals SET previous_hash = 'x' WHERE seal_id = 2", "Dấu niêm 2"),
    ("DELETE FROM audit_sealed_events WHERE event_id = 5", "Dấu niêm 2"),
]


@pytest.mark.parametrize(("statement", "named"), PLANTED)
def test_a_planted_change_is_found_and_named(sealed: Callable[[], str], statement: str, named: str) -> None:
    tamper(statement)
    assert named in sealed()


def test_a_deleted_event_is_found(sealed: Callable[[], str]) -> None:
    tamper("DELETE FROM audit_sealed_events WHERE event_id = 5", "DELETE FROM audit_events WHERE event_id = 5")
    assert "Dấu niêm 2" in sealed()


def test_a_deleted_batch_is_found(sealed: Callable[[], str]) -> None:
    tamper(
        "DELETE FROM audit_sealed_events WHERE seal_id = 2",
        "DELETE FROM audit_events WHERE event_id IN (4, 5, 6)",
        "DELETE FROM audit_seals WHERE seal_id = 2",
    )
    assert "không nối tiếp" in sealed()


def test_a_cut_off_tail_is_found_by_the_heads_kept_outside(sealed: Callable[[], str]) -> None:
    tamper(
        "DELETE FROM audit_sealed_events WHERE seal_id = 3",
        "DELETE FROM audit_events WHERE event_id > 6",
        "DELETE FROM audit_seals WHERE seal_id = 3",
    )
    assert "phần cuối bị cắt" in sealed()


def test_an_event_slipped_into_a_batch_is_found(sealed: Callable[[], str]) -> None:
    number = record(77)
    tamper(f"INSERT INTO audit_sealed_events (event_id, seal_id, position, digest) "
           f"SELECT event_id, 2, 3, digest FROM audit_events WHERE event_id = {number}")  # fmt: skip
    assert "Dấu niêm 2 thiếu hoặc thừa" in sealed()


def test_an_exchanged_event_with_a_fitting_digest_is_found(sealed: Callable[[], str]) -> None:
    """Changing the row and computing its digest anew does not help: the batch binds the old one."""
    from his.audit.rules import event_digest

    event = session().get_one(AuditEvent, 5)
    values = {**service.values_for_digest(event), "user_name": "Người Khác"}
    session().expire_all()
    digest = event_digest(values)
    tamper(f"UPDATE audit_events SET user_name = 'Người Khác', digest = '{digest}' WHERE event_id = 5")
    assert "Sự kiện 5" in sealed()


def test_many_writers_do_not_wait_for_the_chain(committed: Any) -> None:
    def write(number: int) -> int:
        done = 0
        for _ in range(5):
            record(number)
            done += 1
        if number % 5 == 0:
            service.seal(limit=7)
        return done

    assert committed.parallel(write, 20) == [5] * 20
    while service.seal():
        continue
    found = service.verify()
    assert (found.events, found.unsealed, found.problems) == (100, 0, ())
    assert session().execute(select(func.count()).select_from(AuditSealedEvent)).scalar_one() == 100


def test_two_sealers_bind_each_event_once(committed: Any) -> None:
    for i in range(40):
        record(i)
    results = committed.parallel(lambda _: service.seal(limit=15), 4)
    while service.seal():
        continue
    assert all(isinstance(count, int) for count in results), results
    found = service.verify()
    assert (found.events, found.problems) == (40, ())


# --- the commands --------------------------------------------------------------------------------------------------------------


def test_the_command_proves_the_log_and_fails_on_a_change(committed: Any, app: Flask) -> None:
    record()
    run = app.test_cli_runner()
    assert "Đã niêm 1 sự kiện" in run.invoke(args=["audit", "seal"]).output
    good = run.invoke(args=["audit", "verify"])
    assert (good.exit_code, "Nhật ký nguyên vẹn." in good.output) == (0, True)
    tamper("UPDATE audit_events SET user_name = 'Người Khác'")
    bad = run.invoke(args=["audit", "verify"])
    assert bad.exit_code == 1
    assert "SAI: Sự kiện 1 (audit.view) đã bị sửa." in bad.output


# --- the auditor's screen ------------------------------------------------------------------------------------------------------


def test_only_the_auditor_reads_the_log(login_as: Any, actor: Any) -> None:
    assert login_as("auditor").get("/audit/").status_code == 200
    for role in ("administrator", "doctor", "manager", "records_officer"):
        assert login_as(role).get("/audit/").status_code == 403


def test_events_are_filtered_and_paged(login_as: Any, db_session: Any) -> None:
    for i in range(130):
        record(500 + i % 2)
    auditor = login_as("auditor")
    page = auditor.get("/audit/?patient_id=500").text
    assert page.count("audit.view") >= 65
    assert 'patient_id=501"' not in page
    first = auditor.get("/audit/?action=audit.view").text
    assert "before=" in first
    assert "Không có sự kiện khớp bộ lọc" in auditor.get("/audit/?patient_id=999999").text


@pytest.mark.parametrize(
    "query",
    ["patient_id=abc", "day=31/02/2026", "day=x", "before=-5", "action=%27%3B--", "user_id=9999999999999999999999"],
)
def test_odd_filters_do_not_break_the_page(login_as: Any, query: str) -> None:
    assert login_as("auditor").get(f"/audit/?{query}").status_code in (200, 422)


def test_the_screen_costs_few_statements(login_as: Any, db_session: Any, count_statements: Any) -> None:
    for i in range(120):
        record(i)
    auditor = login_as("auditor")
    with count_statements() as seen:
        auditor.get("/audit/")
    assert seen.count <= 12
