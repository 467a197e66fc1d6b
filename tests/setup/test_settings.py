"""A wrong setting stops the start with one sentence that names the variable and what it may be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from his.core.config import Settings, load_settings, may_be
from his.core.errors import SetupError

ROOT = Path(__file__).resolve().parents[2]
LONG_KEY = "k" * 40
PRODUCTION = {
    "HIS_ENV": "production", "HIS_SECRET_KEY": LONG_KEY, "HIS_TRUSTED_HOSTS": "his.example.vn",
    "HIS_INSURER_PASSWORD": "own", "HIS_NATIONAL_RX_PASSWORD": "own",
}  # fmt: skip
WRONG = [
    ({"HIS_PORT": "abc"}, "HIS_PORT", "from 1 up to 65535"),
    ({"HIS_PORT": "0"}, "HIS_PORT", "from 1 up to 65535"),
    ({"HIS_ENV": "prod"}, "HIS_ENV", "development, production, test"),
    ({"HIS_DATABASE_URL": "mysql://a:hush@b/c"}, "HIS_DATABASE_URL", "postgresql+psycopg://"),
    ({"HIS_BROKER_URL": "kafka://a:hush@b"}, "HIS_BROKER_URL", "redis://"),
    ({"HIS_FACILITY_CODE": "7999"}, "HIS_FACILITY_CODE", "[0-9A-Z]{5}"),
    ({"HIS_FACILITY_LEVEL": "TW"}, "HIS_FACILITY_LEVEL", "BD_TYT, BD, CB, CS"),
    ({"HIS_FACILITY_POINTS": "101"}, "HIS_FACILITY_POINTS", "up to 100"),
    ({"HIS_COOKIE_SECURE": "maybe"}, "HIS_COOKIE_SECURE", "true or false"),
    ({"HIS_GATEWAY_TOTAL_SECONDS": "0"}, "HIS_GATEWAY_TOTAL_SECONDS", "above 0 up to 120"),
    ({"HIS_LOG_LEVEL": "LOUD"}, "HIS_LOG_LEVEL", "DEBUG, INFO, WARNING, ERROR"),
    ({"HIS_PUBLIC_BASE_URL": "his.example.vn"}, "HIS_PUBLIC_BASE_URL", "https://"),
    ({"HIS_BIND_ADDRESS": "everywhere"}, "HIS_BIND_ADDRESS", "IP address"),
    ({"HIS_ARGON2_MEMORY_KIB": "8"}, "HIS_ARGON2_MEMORY_KIB", "from 16"),
    ({"HIS_DATABSE_URL": "sqlite:///x"}, "HIS_DATABSE_URL", "did you mean HIS_DATABASE_URL"),
    ({**PRODUCTION, "HIS_SECRET_KEY": ""}, "HIS_SECRET_KEY", "32 or more"),
    ({**PRODUCTION, "HIS_SECRET_KEY": "short"}, "HIS_SECRET_KEY", "32 or more"),
    ({**PRODUCTION, "HIS_TRUSTED_HOSTS": ""}, "HIS_TRUSTED_HOSTS", "hosts served"),
    ({**PRODUCTION, "HIS_INSURER_PASSWORD": "demo"}, "HIS_INSURER_PASSWORD", "not the demo's"),
]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("HIS_") and not name.startswith("HIS_TEST_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(("environment", "name", "words"), WRONG, ids=lambda v: v if isinstance(v, str) else "")
def test_a_wrong_setting_is_one_sentence(
    environment: dict[str, str], name: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    with pytest.raises(SetupError) as caught:
        load_settings()
    sentence = caught.value.message
    assert sentence.startswith(name)
    assert words in sentence
    assert "\n" not in sentence
    assert "hush" not in sentence, "a password in an address is not repeated"


def test_two_wrong_settings_are_two_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIS_PORT", "abc")
    monkeypatch.setenv("HIS_IDLE_MINUTES", "0")
    with pytest.raises(SetupError) as caught:
        load_settings()
    assert {line.split()[0] for line in caught.value.message.splitlines()} == {"HIS_PORT", "HIS_IDLE_MINUTES"}


def test_production_starts_with_its_own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in PRODUCTION.items():
        monkeypatch.setenv(key, value)
    settings = load_settings()
    assert settings.is_production
    assert settings.secure_cookies


def test_every_setting_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert may_be(name)


@pytest.mark.server
@pytest.mark.parametrize(
    "command",
    [
        ["-c", "from his.app import main; main()", "demo", "logins"],
        ["tools/run.py"],
        ["-m", "gunicorn", "-c", "gunicorn.conf.py", "his.app:create_app()"],
        ["-m", "celery", "-A", "his.worker", "worker"],
    ],
    ids=["command", "make run", "web server", "worker"],
)
def test_every_process_stops_with_the_sentence(command: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "HIS_PORT": "abc", "HIS_VAR_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    printed = done.stdout + done.stderr
    assert done.returncode != 0
    assert "HIS_PORT is 'abc'" in printed
    assert "Traceback" not in printed
