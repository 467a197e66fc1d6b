"""`make run` starts the real thing, a second start harms nothing, Ctrl-C stops everything."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.stack import ROOT, free_port, wait_for

pytestmark = pytest.mark.server


def _plain() -> dict[str, str]:
    return {**{k: v for k, v in os.environ.items() if not k.startswith("HIS_")}, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="session")
def staffed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's staff and no patients, made once."""
    folder = tmp_path_factory.mktemp("staffed")
    for arguments in (["db", "upgrade"], ["demo", "load", "--staff-only"]):
        subprocess.run(
            [sys.executable, "-c", "from his.app import main; main()", *arguments], cwd=ROOT, check=True,
            env={**_plain(), "HIS_VAR_DIR": str(folder)}, capture_output=True, timeout=180,
        )  # fmt: skip
    return folder


@pytest.fixture
def environment(staffed: Path, tmp_path: Path) -> dict[str, str]:
    """A folder and ports of its own."""
    shutil.copytree(staffed, tmp_path / "var")
    standins = f"http://127.0.0.1:{free_port()}"
    return {
        **_plain(), "HIS_VAR_DIR": str(tmp_path / "var"), "HIS_PORT": str(free_port()),
        "HIS_INSURER_URL": f"{standins}/insurer", "HIS_NATIONAL_RX_URL": f"{standins}/national-rx",
    }  # fmt: skip


@pytest.fixture
def started(environment: dict[str, str], tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    log = tmp_path / "run.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "tools/run.py"], cwd=ROOT, env=environment, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    yield process, log
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _get(port: str, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=3) as answer:
            return int(answer.status)
    except OSError:
        return 0


def test_start_second_start_and_stop(environment: dict[str, str], started: tuple[subprocess.Popen[bytes], Path]) -> None:
    process, log = started
    port = environment["HIS_PORT"]
    wait_for("the welcome", lambda: f"http://127.0.0.1:{port}" in log.read_text("utf-8"), 60)
    assert "tiepdon" in log.read_text("utf-8")
    assert _get(port, "/readyz") == 200
    assert _get(port, "/identity/login") == 200

    def check() -> int:
        return subprocess.run(
            [sys.executable, "-c", "from his.app import main; main()", "check"], cwd=ROOT, env=environment, check=False,
            capture_output=True, timeout=60,
        ).returncode  # fmt: skip

    wait_for("worker and beat", lambda: check() == 0, 60)

    again = subprocess.run(
        [sys.executable, "tools/run.py"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert again.returncode == 0
    assert "đang chạy" in again.stdout
    assert _get(port, "/readyz") == 200, "the first one goes on"

    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert _get(port, "/readyz") == 0
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert environment["HIS_VAR_DIR"] not in left
    assert "tiepdon" in (Path(environment["HIS_VAR_DIR"]) / "prepared").read_text("utf-8"), "a later start need not prepare"


def test_a_busy_port_is_told(environment: dict[str, str]) -> None:
    import socket

    with socket.socket() as busy:
        busy.bind(("127.0.0.1", int(environment["HIS_PORT"])))
        busy.listen()
        done = subprocess.run(
            [sys.executable, "tools/run.py"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert "HIS_PORT" in done.stderr


def test_no_demo_hospital_in_production(environment: dict[str, str]) -> None:
    production = {
        **environment, "HIS_ENV": "production", "HIS_SECRET_KEY": "k" * 40, "HIS_TRUSTED_HOSTS": "127.0.0.1",
        "HIS_INSURER_PASSWORD": "own", "HIS_NATIONAL_RX_PASSWORD": "own",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", "from his.app import main; main()", "demo", "load"], cwd=ROOT, env=production,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "production" in done.stderr
