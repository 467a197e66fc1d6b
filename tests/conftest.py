"""The ground every test stands on: one application, one database, each test rolled back.

The suite runs on SQLite (a file) and on PostgreSQL: HIS_TEST_DATABASE_URL chooses.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from his.app import create_app
from his.core.actor import Actor
from his.core.config import Settings
from his.core.db import Base, db


def _database_url(folder: Path) -> str:
    url = os.environ.get("HIS_TEST_DATABASE_URL", "")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not url:
        return f"sqlite:///{folder / 'test.sqlite3'}"
    return f"{url}_{worker}" if worker else url


@pytest.fixture(scope="session")
def app() -> Iterator[Flask]:
    """The application on an empty schema with roles seeded."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(
            env="test",
            var_dir=folder,
            database_url=_database_url(folder),
            broker_url="memory://",
            log_level="ERROR",
            argon2_memory_kib=8,
            argon2_time=1,
        )
        application = create_app(settings)
        application.config["WTF_CSRF_ENABLED"] = False
        with application.app_context():
            Base.metadata.drop_all(db.engine)
            Base.metadata.create_all(db.engine)
            _seed_roles()
        yield application
        with application.app_context():
            db.session.remove()
            Base.metadata.drop_all(db.engine)
            db.engine.dispose()


def _seed_roles() -> None:
    from his.core.db import transaction
    from his.identity.service import seed_roles

    with transaction():
        seed_roles()


@pytest.fixture
def db_session(app: Flask) -> Iterator[Session]:
    """A session inside an outer transaction that is rolled back at the end of the test."""
    with app.app_context():
        engine = db.engine
        connection = engine.connect()
        outer = connection.begin()
        engines = db.engines
        original = engines[None]
        engines[None] = connection  # type: ignore[assignment]
        db.session.remove()
        db.session.configure(join_transaction_mode="create_savepoint", bind=None)
        try:
            yield db.session()
        finally:
            db.session.remove()
            outer.rollback()
            connection.close()
            engines[None] = original


@pytest.fixture
def client(app: Flask, db_session: Session) -> FlaskClient:
    """A browser that is not signed in."""
    return app.test_client()


@pytest.fixture
def actor(db_session: Session) -> Callable[..., Actor]:
    """Make a person with a role and return the actor, e.g. ``actor("doctor")``."""
    from tests.factories.identity import make_user

    def make(role: str, **kwargs: Any) -> Actor:
        return make_user(role, **kwargs).as_actor()

    return make


@pytest.fixture
def login_as(app: Flask, db_session: Session) -> Callable[..., FlaskClient]:
    """Return a browser signed in with a role, e.g. ``login_as("doctor")``."""
    from tests.factories.identity import login, make_user

    def make(role: str, **kwargs: Any) -> FlaskClient:
        browser = app.test_client()
        login(browser, make_user(role, **kwargs))
        return browser

    return make


@dataclass
class Statements:
    """SQL statements seen while counting."""

    texts: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.texts)


@pytest.fixture
def count_statements(app: Flask) -> Callable[[], Any]:
    """``with count_statements() as seen: …; assert seen.count <= 12``; savepoints do not count."""

    @contextmanager
    def counting() -> Iterator[Statements]:
        seen = Statements()

        def note(_c: Any, _cur: Any, statement: str, *_rest: Any) -> None:
            if not statement.lstrip().upper().startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "PRAGMA")):
                seen.texts.append(statement)

        with app.app_context():
            engine = app.extensions["sqlalchemy"].engines[None]
        target = getattr(engine, "engine", engine)
        event.listen(target, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(target, "before_cursor_execute", note)

    return counting
