"""`his check` tells the truth about what the installation stands on."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask
from sqlalchemy.orm import Session

from his.core import checks, clock, outbox
from his.core.config import activate, current
from his.core.db import transaction
from his.core.errors import Finding, Severity
from his.core.module import Module, registry
from his.core.tasks import Heartbeat


@pytest.fixture
def with_settings(app: Flask) -> Any:
    before = current()

    def change(**values: Any) -> None:
        activate(before.model_copy(update=values))

    yield change
    activate(before)


def _certificate(path: Path, days: int) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "his.example.vn")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now - timedelta(days=400)).not_valid_after(now + timedelta(days=days)).sign(key, hashes.SHA256())
    )  # fmt: skip
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


def test_the_database_answers(db_session: Session) -> None:
    assert checks.database()[0] == checks.OK


def test_a_schema_without_migrations_is_bad(db_session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.migrate, "current_and_head", lambda: (None, "0001"))
    state, words = checks.migrations()
    assert state == checks.BAD
    assert "his db upgrade" in words


def test_a_silent_worker_is_bad_and_a_living_one_good(db_session: Session) -> None:
    assert checks.worker()[0] == checks.BAD
    with transaction() as here:
        here.merge(Heartbeat(name="worker", at=clock.now() - timedelta(minutes=5)))
    state, words = checks.worker()
    assert state == checks.BAD
    assert "Khởi động lại" in words
    with transaction() as here:
        here.merge(Heartbeat(name="worker", at=clock.now() - timedelta(seconds=5)))
    assert checks.worker()[0] == checks.OK


def test_old_and_stuck_messages_want_attention(db_session: Session) -> None:
    assert checks.messages()[0] == checks.OK
    with transaction():
        message = outbox.put("t", dedup_key="old")
        message.created_at = clock.now() - timedelta(hours=1)
    assert checks.messages()[0] == checks.WARN
    with transaction():
        message.state = outbox.OutboxState.UNKNOWN
    state, words = checks.messages()
    assert (state, words[0]) == (checks.WARN, "1")


@pytest.mark.parametrize(("free", "state"), [(100 * 1024**2, "bad"), (1024**3, "warn"), (50 * 1024**3, "ok")])
def test_a_full_disk_is_told(db_session: Session, monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda _path: type("Usage", (), {"free": free})())
    assert checks.disk()[0] == state


@pytest.mark.parametrize(("days", "state"), [(-1, "bad"), (10, "warn"), (200, "ok")])
def test_an_ending_certificate_is_told(with_settings: Callable[..., None], tmp_path: Path, days: int, state: str) -> None:
    with_settings(certificate_files=str(_certificate(tmp_path / "web.pem", days)))
    found, words = checks.certificates()
    assert found == state
    assert "web.pem" in words


def test_no_certificate_and_an_unreadable_one(with_settings: Callable[..., None], tmp_path: Path) -> None:
    with_settings(certificate_files="")
    assert checks.certificates() == (checks.OK, "Chưa khai báo chứng thư nào để theo dõi (HIS_CERTIFICATE_FILES).")
    (tmp_path / "bad.pem").write_text("nothing")
    with_settings(certificate_files=str(tmp_path / "bad.pem"))
    assert checks.certificates()[0] == checks.BAD


def test_a_broker_that_is_away_is_bad(app: Flask, db_session: Session, with_settings: Callable[..., None]) -> None:
    before = checks.jobs.celery.conf.broker_url
    checks.jobs.celery.conf.broker_url = "redis://127.0.0.1:1/0"
    try:
        result = checks._safely("broker", "Hàng đợi", checks.broker)
    finally:
        checks.jobs.celery.conf.broker_url = before
    assert result.state == checks.BAD


def test_modules_contribute_and_a_warning_is_no_failure(app: Flask, db_session: Session) -> None:
    extra = Module(
        name="extra",
        checks={
            "fine": list,
            "soft": lambda: [Finding("soft", "", "Chú ý một chút.", Severity.WARNING)],
            "hard": lambda: ["Hỏng hẳn."],
            "broken": lambda: 1 / 0,  # type: ignore[dict-item, return-value]
        },
    )
    registry().modules.append(extra)
    try:
        found = {result.name: result for result in checks.run()}
    finally:
        registry().modules.remove(extra)
    assert [found[name].state for name in ("fine", "soft", "hard", "broken")] == ["ok", "warn", "bad", "bad"]
    assert "ZeroDivisionError" in found["broken"].text


def test_the_command_prints_a_table_or_json_and_its_exit_code_tells(app: Flask, db_session: Session) -> None:
    runner = app.test_cli_runner()
    table = runner.invoke(args=["check"])
    assert table.exit_code == 1, "the worker never ran in this database"
    assert "HỎNG    Worker" in table.output
    answer = json.loads(runner.invoke(args=["check", "--json"]).output)
    assert answer["ok"] is False
    assert {"database", "migrations", "broker", "worker", "fonts", "disk", "clock", "certificates", "insurer"} <= {
        check["name"] for check in answer["checks"]
    }
