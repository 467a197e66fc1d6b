"""The schema that migrations build is the one the models describe, on both databases, with the log's triggers."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import NullPool

from his.audit.ddl import TABLES
from his.core.db import Base
from his.core.migrate import differences
from tests.conftest import Databases
from tools.house import ROOT

COMMAND = "import sys; from his.app import main; sys.argv = ['his', *sys.argv[1:]]; main()"


@pytest.fixture
def migrated(databases: Databases, tmp_path: Any) -> Any:
    """An empty database brought up by `his db upgrade`."""
    url = databases.create(empty=True)
    environment = {**os.environ, "HIS_DATABASE_URL": url, "HIS_VAR_DIR": str(tmp_path), "HIS_ENV": "test",
                   "HIS_LOG_LEVEL": "ERROR", "PYTHONPATH": str(ROOT)}  # fmt: skip

    def his(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", COMMAND, *arguments], env=environment, cwd=tmp_path, capture_output=True, text=True,
            timeout=110, check=False,
        )  # fmt: skip

    done = his("db", "upgrade")
    assert done.returncode == 0, done.stderr
    engine = create_engine(url, poolclass=NullPool)
    yield engine, his
    engine.dispose()
    databases.drop(url)


def test_models_equal_the_migrated_schema(migrated: Any) -> None:
    engine, his = migrated
    with engine.connect() as connection:
        assert differences(connection) == []
        checks = {
            (table, check["name"]) for table in inspect(connection).get_table_names()
            for check in inspect(connection).get_check_constraints(table)
        }  # fmt: skip
    # Alembic does not compare CHECK constraints: the house does.
    wanted = {
        (table.name, str(constraint.name))
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if constraint.__class__.__name__ == "CheckConstraint" and constraint.name
    }
    if engine.dialect.name == "sqlite":
        wanted = {pair for pair in wanted if not pair[1].startswith("_")}
    assert wanted - checks == set()
    assert his("db", "check").returncode == 0
    assert his("db", "upgrade").returncode == 0, "a second upgrade changes nothing"


def test_the_log_is_append_only_after_migrating(migrated: Any) -> None:
    engine, _ = migrated
    with engine.connect() as connection:
        kind = "sqlite" if engine.dialect.name == "sqlite" else "postgresql"
        triggers = {
            "sqlite": "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'",
            "postgresql": "SELECT event_object_table FROM information_schema.triggers",
        }
        assert set(TABLES) <= set(connection.execute(text(triggers[kind])).scalars())


def test_there_is_one_head(migrated: Any) -> None:
    from alembic.script import ScriptDirectory

    from his.core.migrate import alembic_config

    assert len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1
