"""The same code with each broker: a task sent here is done by a real worker, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.journeys.stack import ROOT, wait_for
from tools.services import Services

pytestmark = pytest.mark.server


def _environment(folder: Path, **settings: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HIS_")}
    return {**kept, "HIS_VAR_DIR": str(folder), "HIS_LOG_LEVEL": "WARNING", "PYTHONPATH": str(ROOT), **settings}


def _his(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from his.app import main; main()", *arguments], cwd=ROOT, env=dict(environment),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@contextmanager
def _worker(environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-q", "-A", "his.worker", "worker", "--pool", "threads", "--concurrency", "2",
             "-Q", "default,reports,papers", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"],
            cwd=ROOT, env=dict(environment), stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


SEND = """
import sys
from his.app import create_app
from his.core import jobs
app = create_app(part="cli")
with app.app_context():
    jobs.enqueue_quietly(jobs.HEARTBEAT_TASK)
"""


def _heard(url: str) -> bool:
    """Tell whether a worker has done its task: the row is the truth."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM heartbeats")).scalar_one() == 1


def _broker_state(environment: Mapping[str, str]) -> str:
    answer = json.loads(_his(environment, "check", "--json").stdout)
    return next(check["state"] for check in answer["checks"] if check["name"] == "broker")


def _does_a_task(environment: Mapping[str, str], folder: Path) -> float:
    """Send one task through the broker to a real worker; return the seconds from start of the worker to its answer."""
    assert _his(environment, "db", "upgrade").returncode == 0
    url = environment.get("HIS_DATABASE_URL") or f"sqlite:///{folder / 'his.sqlite3'}"
    assert not _heard(url)
    subprocess.run([sys.executable, "-c", SEND], cwd=ROOT, env=dict(environment), check=True, timeout=60)
    started = time.monotonic()
    with _worker(environment, folder / "worker.log"):
        wait_for(f"a task done; worker says: {(folder / 'worker.log').read_text()}", lambda: _heard(url), 60)
    assert _broker_state(environment) == "ok"
    return time.monotonic() - started


def test_embedded_broker_with_sqlite(tmp_path: Path) -> None:
    assert _does_a_task(_environment(tmp_path), tmp_path) < 60


@pytest.fixture
def postgres(services: Services, request: pytest.FixtureRequest) -> Iterator[str]:
    url = services.postgres()
    name = f"his_broker_{os.getpid()}"
    server = url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    yield f"{url.rsplit('/', 1)[0]}/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.mark.parametrize("kind", ["redis", "rabbitmq"])
def test_other_brokers_with_postgresql(kind: str, services: Services, postgres: str, tmp_path: Path) -> None:
    url: Callable[[], str] = getattr(services, kind)
    environment = _environment(tmp_path, HIS_DATABASE_URL=postgres, HIS_BROKER_URL=url())
    assert _does_a_task(environment, tmp_path) < 60
