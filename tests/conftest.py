"""The ground every test stands on.

* ``db_session``, ``client``, ``actor("doctor")``, ``login_as("doctor")``: one database per process, each test inside an
  outer transaction that is rolled back. Fast; right for nearly every test.
* ``committed``: a fresh database of its own with real commits, for what needs threads, locks, two connections or
  processes: ``committed.parallel(work, 20)`` runs ``work(i)`` at the same moment in 20 threads, each with its own
  session. ``actor`` and ``login_as`` work on it too (name ``committed`` before them).
* ``count_statements``: ``with count_statements() as seen: …; assert seen.count <= 12``.

The suite runs on SQLite (a file) and on PostgreSQL: HIS_TEST_DATABASE_URL=postgresql+psycopg://…/name chooses. Each
process makes databases of its own (``name_<worker>_<pid>``) and drops them, so runs never meet. The network is closed:
only the loopback address and unix sockets may be reached. Warnings are errors.
"""

from __future__ import annotations

import contextvars
import importlib
import itertools
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.engine import URL, Engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from his.app import MODULES, create_app
from his.audit.ddl import create_statements
from his.core.actor import Actor
from his.core.config import Settings
from his.core.db import Base, db, install_engine_hooks, transaction

LOCAL = ("127.0.0.1", "localhost", "::1", "0.0.0.0", "", None)
_names = itertools.count(1)


@pytest.fixture(autouse=True, scope="session")
def _network_is_closed() -> Iterator[None]:
    """Names of other hosts are not even looked up (pytest-socket refuses the connections themselves)."""
    real = socket.getaddrinfo

    def local_only(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in LOCAL:
            raise OSError(f"tests may not reach {name!r}")
        return real(host, *args, **kwargs)

    socket.getaddrinfo = local_only  # type: ignore[assignment]
    yield
    socket.getaddrinfo = real


# --- databases ----------------------------------------------------------------------------------------------------


class Databases:
    """Makes and drops databases of this process, on SQLite files or a PostgreSQL server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        given = os.environ.get("HIS_TEST_DATABASE_URL", "")
        self.server: URL | None = make_url(given) if given.startswith("postgresql") else None
        self.template = ""

    def _run(self, statement: str) -> None:
        assert self.server is not None
        engine = create_engine(self.server.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def create(self, *, empty: bool = False) -> str:
        """Return the address of a fresh database: a copy of the finished schema, or an empty one."""
        if not empty and not self.template:
            self.template = self._make_template()
        number = next(_names)
        if self.server is None:
            path = self.folder / f"test{number}.sqlite3"
            if not empty:
                shutil.copyfile(make_url(self.template).database or "", path)
            return f"sqlite:///{path}"
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        name = f"{self.server.database}_{worker}_{os.getpid()}_{number}"
        source = "template0" if empty else make_url(self.template).database
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
        return self.server.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drop a database."""
        if self.server is None:
            Path(make_url(url).database or "").unlink(missing_ok=True)
        else:
            self._run(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def _make_template(self) -> str:
        for name in MODULES:
            if find_spec(f"his.{name}") and find_spec(f"his.{name}.models"):
                importlib.import_module(f"his.{name}.models")
        url = self.create(empty=True)
        engine = create_engine(url, poolclass=NullPool)
        with engine.begin() as connection:
            Base.metadata.create_all(connection)
            for statement in create_statements(connection.dialect.name):
                connection.exec_driver_sql(statement)
        engine.dispose()
        return url


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """The maker of this process's databases."""
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    if made.template:
        made.drop(made.template)


class Browser(FlaskClient):
    """A test browser: each request starts with nothing of the test's own context, as on a real server."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        return contextvars.Context().run(super().open, *args, **kwargs)


@pytest.fixture(scope="session")
def app(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on a finished schema (with the append-only triggers of the log) and roles seeded."""
    url = databases.create()
    settings = Settings(
        env="test",
        var_dir=tmp_path_factory.mktemp("var"),
        database_url=url,
        broker_url="memory://",
        log_level="ERROR",
        argon2_memory_kib=16,
        argon2_time=1,
        # Nobody listens there: a test that needs an outside system starts a stand-in and says so.
        insurer_url="http://127.0.0.1:9/insurer",
        national_rx_url="http://127.0.0.1:9/national-rx",
    )
    application = create_app(settings)
    application.config["WTF_CSRF_ENABLED"] = False
    application.test_client_class = Browser
    with application.app_context():
        _seed_roles()
    yield application
    with application.app_context():
        db.session.remove()
        db.engine.dispose()
    databases.drop(url)


def _seed_roles() -> None:
    from his.identity.service import seed_roles

    with transaction():
        seed_roles()


@pytest.fixture
def db_session(app: Flask) -> Iterator[Session]:
    """A session inside an outer transaction that is rolled back at the end of the test."""
    with app.app_context():
        engines = db.engines
        original = engines[None]
        connection = original.connect()
        outer = connection.begin()
        engines[None] = connection  # type: ignore[assignment]
        db.session.remove()
        db.session.configure(join_transaction_mode="create_savepoint")
        try:
            yield db.session()
        finally:
            db.session.remove()
            outer.rollback()
            connection.close()
            engines[None] = original


@dataclass
class Committed:
    """A database of its own with real commits."""

    app: Flask
    url: str

    def parallel(self, work: Callable[[int], Any], count: int) -> list[Any]:
        """Run ``work(0) … work(count - 1)`` at the same moment, each in a thread with its own session.

        Returns the results in order; an exception of one of them is returned in its place.
        """
        results: list[Any] = [None] * count
        gate = threading.Barrier(count)

        def run(number: int) -> None:
            with self.app.app_context():
                gate.wait(timeout=30)
                try:
                    results[number] = work(number)
                except Exception as error:  # noqa: BLE001 - the test looks at it
                    results[number] = error

        threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results


@pytest.fixture
def committed(app: Flask, databases: Databases) -> Iterator[Committed]:
    """A fresh database with real commits (schema, triggers and roles in place), dropped afterwards."""
    url = databases.create()
    engine = create_engine(url, pool_size=60, pool_timeout=30)
    with app.app_context():
        install_engine_hooks(engine, web=False)
        engines = db.engines
        original = engines[None]
        engines[None] = engine
        db.session.remove()
        try:
            _seed_roles()
            yield Committed(app, url)
        finally:
            db.session.remove()
            engines[None] = original
            engine.dispose()
            databases.drop(url)


@pytest.fixture
def _database(request: pytest.FixtureRequest) -> Any:
    """The test's database: ``committed`` when the test names it, else the rolled-back one."""
    return request.getfixturevalue("committed" if "committed" in request.fixturenames else "db_session")


# --- people -------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(app: Flask, _database: Any) -> FlaskClient:
    """A browser that is not signed in."""
    return app.test_client()


@pytest.fixture
def actor(_database: Any) -> Callable[..., Actor]:
    """Make a person with a role and return the actor, e.g. ``actor("doctor")``."""
    from tests.factories.identity import make_user

    def make(role: str, **kwargs: Any) -> Actor:
        return make_user(role, **kwargs).as_actor()

    return make


@pytest.fixture
def login_as(app: Flask, _database: Any) -> Callable[..., FlaskClient]:
    """Return a browser signed in with a role, e.g. ``login_as("doctor")``."""
    from tests.factories.identity import login, make_user

    def make(role: str, **kwargs: Any) -> FlaskClient:
        browser = app.test_client()
        login(browser, make_user(role, **kwargs))
        return browser

    return make


# --- counting -----------------------------------------------------------------------------------------------------


@dataclass
class Statements:
    """SQL statements seen while counting."""

    texts: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many there were."""
        return len(self.texts)


@pytest.fixture
def count_statements(app: Flask) -> Callable[[], Any]:
    """``with count_statements() as seen: …; assert seen.count <= 12``; savepoints and BEGIN do not count."""

    @contextmanager
    def counting() -> Iterator[Statements]:
        seen = Statements()

        def note(_c: Any, _cur: Any, statement: str, *_rest: Any) -> None:
            if (
                not statement.lstrip()
                .upper()
                .startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "PRAGMA", "SET "))
            ):
                seen.texts.append(statement)

        with app.app_context():
            # The rolled-back ground is a Connection, the committed one an Engine: both take the listener.
            target: Engine | Any = db.engines[None]
        event.listen(target, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(target, "before_cursor_execute", note)

    return counting
