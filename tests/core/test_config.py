"""One validated Settings object: a wrong value stops the start with a sentence naming the variable."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from his.core.config import DEVELOPMENT_SECRET, PROJECT_ROOT, Settings, load_settings
from his.core.errors import SetupError

PRODUCTION = {
    "env": "production", "secret_key": "k" * 40, "trusted_hosts": "his.example.vn", "insurer_password": "own one",
    "national_rx_password": "own two",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HIS_")]:
        monkeypatch.delenv(name)


def refusal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SetupError) as caught:
        load_settings()
    return caught.value.message


WRONG = [
    ("HIS_ENV", "staging", "kind of installation"),
    ("HIS_PORT", "0", "local port"),
    ("HIS_PORT", "70000", "local port"),
    ("HIS_PORT", "eighty", "local port"),
    ("HIS_DATABASE_URL", "mysql://x/y", "must start with sqlite:/// or postgresql+psycopg://"),
    ("HIS_DATABASE_URL", "postgresql://x/y", "must start with sqlite:/// or postgresql+psycopg://"),
    ("HIS_BROKER_URL", "http://x", "must start with redis://"),
    ("HIS_LOG_LEVEL", "LOUD", "least level logged"),
    ("HIS_FACILITY_CODE", "7999", "5 characters"),
    ("HIS_FACILITY_CODE", "79 99", "5 characters"),
    ("HIS_FACILITY_PROVINCE", "HCM", "two-digit province code"),
    ("HIS_FACILITY_LEVEL", "III", "BD_TYT, BD, CB, CS"),
    ("HIS_FACILITY_POINTS", "101", "from 0 up to 100"),
    ("HIS_FACILITY_OLD_TIER", "X", "one of none, H, T, TW"),
    ("HIS_GATEWAY_CONNECT_SECONDS", "0", "above 0 up to 30"),
    ("HIS_DESK_GATEWAY_SECONDS", "9", "above 0 up to 5"),
    ("HIS_IDLE_MINUTES", "0", "minutes before the screen locks"),
    ("HIS_SESSION_HOURS", "48", "hours before a new log-in"),
    ("HIS_LOGIN_ATTEMPTS", "1", "wrong log-ins per account"),
    ("HIS_MAX_BODY_MIB", "1000", "largest request body"),
    ("HIS_PROXY_HOPS", "-1", "number of trusted reverse proxies"),
    ("HIS_COOKIE_SECURE", "perhaps", "true or false"),
    ("HIS_PUBLIC_BASE_URL", "his.example", "must start with http:// or https://"),
    ("HIS_INSURER_URL", "ftp://x", "must start with http:// or https://"),
    ("HIS_BIND_ADDRESS", "everywhere", "must be an IP address"),
    ("HIS_IDLE_MINUTS", "15", "did you mean HIS_IDLE_MINUTES"),
]


@pytest.mark.parametrize(("name", "value", "says"), WRONG)
def test_a_wrong_value_is_named_with_what_it_may_be(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    message = refusal(monkeypatch, **{name: value})
    assert name in message
    assert says in message
    assert len(message.splitlines()) == 1


def test_every_wrong_variable_has_its_own_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, HIS_PORT="x", HIS_LOG_LEVEL="y")
    assert [line.split()[0] for line in message.splitlines()] == ["HIS_PORT", "HIS_LOG_LEVEL"]


@pytest.mark.parametrize("key", ["", "short", DEVELOPMENT_SECRET])
def test_production_refuses_a_default_or_short_key(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    assert "HIS_SECRET_KEY" in refusal(monkeypatch, HIS_ENV="production", HIS_SECRET_KEY=key)


def test_production_starts_with_a_good_key_and_secure_cookies() -> None:
    settings = load_settings(**PRODUCTION)
    assert settings.is_production
    assert settings.secure_cookies


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("trusted_hosts", "HIS_TRUSTED_HOSTS"),
        ("insurer_password", "HIS_INSURER_PASSWORD"),
        ("secret_key", "HIS_SECRET_KEY"),
    ],
)
def test_production_refuses_what_only_the_demo_may_leave_open(missing: str, named: str) -> None:
    with pytest.raises(SetupError, match=named):
        load_settings(**{name: value for name, value in PRODUCTION.items() if name != missing})


@pytest.mark.parametrize("name", ["HIS_SECRET_KEY", "HIS_DATABASE_URL", "HIS_INSURER_URL"])
def test_a_value_that_may_hold_a_password_is_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert "hunter2" not in refusal(monkeypatch, HIS_ENV="production", **{name: "x://u:hunter2@h"})


def test_defaults_are_embedded_and_complete(tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path)
    assert settings.database == f"sqlite:///{tmp_path}/his.sqlite3"
    assert settings.broker == f"sqla+sqlite:///{tmp_path}/broker.sqlite3"
    assert not settings.secure_cookies


def test_a_relative_folder_is_below_the_project() -> None:
    assert Settings(var_dir=Path("var2")).var_dir == PROJECT_ROOT / "var2"


def test_settings_do_not_change_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_command_stops_with_the_sentence_and_no_stack_trace() -> None:
    environment: dict[str, Any] = {**os.environ, "HIS_PORT": "eighty", "PYTHONPATH": str(PROJECT_ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from his.app import main; sys.argv = ['his', 'db', 'check']; main()"],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "HIS_PORT is 'eighty'" in done.stderr
    assert "Traceback" not in done.stderr
