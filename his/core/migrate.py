"""Schema changes: `his db upgrade`, `his db revision -m …`, and the comparison of models with the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask.cli import with_appcontext
from sqlalchemy.engine import Connection

from his.core.config import PROJECT_ROOT
from his.core.db import Base, db


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for the packaged migrations."""
    config = Config()
    config.set_main_option("script_location", str(PROJECT_ROOT / "migrations"))
    config.set_main_option("path_separator", "os")
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def upgrade(target: str = "head") -> None:
    """Bring the schema of the configured database up to date."""
    with db.engine.connect() as connection:
        command.upgrade(alembic_config(connection), target)
        connection.commit()


def current_and_head() -> tuple[str | None, str | None]:
    """Return the revision of the database and the newest one."""
    with db.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory.from_config(alembic_config()).get_current_head()


def differences(connection: Connection) -> list[Any]:
    """Return what differs between the models and the schema behind a connection (empty = equal)."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Base.metadata))


@click.group("db")
def cli() -> None:
    """Schema of the database."""


@cli.command("upgrade")
@with_appcontext
def upgrade_command() -> None:
    """Bring the schema up to date."""
    upgrade()
    click.echo("Cơ sở dữ liệu đã ở phiên bản mới nhất.")


@cli.command("revision")
@click.option("-m", "--message", required=True, help="what changes, in a few words")
@with_appcontext
def revision_command(message: str) -> None:
    """Write a new migration by comparing models and schema; read the file it made."""
    number = len(list((Path(PROJECT_ROOT) / "migrations" / "versions").glob("[0-9]*.py"))) + 1
    with db.engine.connect() as connection:
        command.revision(alembic_config(connection), message=message, autogenerate=True, rev_id=f"{number:04d}")


@cli.command("check")
@with_appcontext
def check_command() -> None:
    """Fail when models and schema differ."""
    with db.engine.connect() as connection:
        found = differences(connection)
    for item in found:
        click.echo(str(item))
    if found:
        raise SystemExit(1)
    click.echo("Mô hình và cơ sở dữ liệu khớp nhau.")
