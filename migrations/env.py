"""Alembic environment: one connection given by `his.core.migrate`, batch mode for SQLite."""

from __future__ import annotations

from typing import Any

from alembic import context

from his.core.db import Amount, Base, UtcDateTime


def render_item(kind: str, item: Any, autogen_context: Any) -> str | bool:
    """Write our own column types by their names."""
    if kind == "type" and isinstance(item, UtcDateTime):
        autogen_context.imports.add("from his.core.db import UtcDateTime")
        return "UtcDateTime()"
    if kind == "type" and isinstance(item, Amount):
        autogen_context.imports.add("from his.core.db import Amount")
        return f"Amount({item.scale})"
    return False


def run() -> None:
    """Run the migrations on the connection handed over."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
