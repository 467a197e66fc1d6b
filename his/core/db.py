"""The database: one metadata, one session, one way to change anything.

`transaction()` is opened by the outermost caller only (view, task, command); nested use joins. Services never commit.
On leaving: commit, then the `after_commit` callbacks; on any error: roll back, drop the callbacks, let the error go on.

SQLite takes its write lock at the start of a writing transaction (BEGIN IMMEDIATE): a reader that becomes a writer
half-way would otherwise fail with "database is locked" instead of waiting its turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, Enum, Integer, MetaData, Numeric, event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator, TypeEngine

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite gives out row ids for INTEGER keys only.
Id = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, stored in UTC. A naive value is a mistake and is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime: use his.core.clock")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Amount(TypeDecorator[Decimal]):
    """An exact decimal (đồng with 2 places, quantities with 3). Never a float.

    PostgreSQL: NUMERIC. SQLite has no exact decimal: a whole number of the smallest unit.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, scale: int = 2) -> None:
        super().__init__(precision=18, scale=scale, asdecimal=True)
        self.scale = scale

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(Numeric(18, self.scale))

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if isinstance(value, float):
            raise TypeError("money and quantities are Decimal or int, never float")
        exact = Decimal(value)
        scaled = exact.scaleb(self.scale)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than {self.scale} decimals")
        return int(scaled) if dialect.name == "sqlite" else exact

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return Decimal(int(value)).scaleb(-self.scale)
        return Decimal(value)


def enum_column(kind: type[StrEnum]) -> Enum:
    """A short string with a CHECK, holding the values of a StrEnum."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=32,
        name=_snake(kind.__name__),
        values_callable=lambda members: [member.value for member in members],
    )


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class Base(DeclarativeBase):
    """Root of every model. Tables are named by hand, constraints by the convention."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {datetime: UtcDateTime(), Decimal: Amount(2)}


db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False, "autoflush": True})

_writing: ContextVar[bool] = ContextVar("his_writing", default=False)
_callbacks: ContextVar[list[Callable[[], None]] | None] = ContextVar("his_after_commit", default=None)


def session() -> Session:
    """Return the session of the present request, task or command."""
    return db.session()


@contextmanager
def transaction() -> Iterator[Session]:
    """Run one unit of work; commit at the end. Nested use joins the outer one.

    Raises whatever the body raises, after rolling back. `IntegrityError` from a unique constraint is left to the
    caller, who knows what it means.
    """
    if _callbacks.get() is not None:
        yield session()
        return
    current = session()
    # What was read before belongs to an older snapshot; writing starts from a fresh one.
    current.commit()
    writing = _writing.set(True)
    pending: list[Callable[[], None]] = []
    token = _callbacks.set(pending)
    try:
        yield current
        current.commit()
    except BaseException:
        current.rollback()
        raise
    finally:
        _callbacks.reset(token)
        _writing.reset(writing)
    for callback in pending:
        callback()


def in_transaction() -> bool:
    """Tell whether a unit of work is open."""
    return _callbacks.get() is not None


def after_commit(callback: Callable[[], None]) -> None:
    """Call this after the present unit of work has been committed. For things we can afford to lose."""
    pending = _callbacks.get()
    if pending is None:
        raise RuntimeError("after_commit needs an open transaction()")
    pending.append(callback)


def is_unique_violation(error: IntegrityError, *names: str) -> bool:
    """Tell whether an integrity error is about one of these unique constraints (or any, when none is named).

    SQLite names columns ("table.column") instead of constraints: pass both spellings.
    """
    text = str(error.orig)
    if "UNIQUE" not in text.upper() and "duplicate key" not in text:
        return False
    return not names or any(name in text for name in names)


def install_engine_hooks(engine: Engine, *, web: bool = True) -> None:
    """Set what each connection needs: foreign keys, waiting times, and real BEGINs on SQLite."""
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _sqlite_connect(connection: Any, _record: Any) -> None:
            connection.isolation_level = None
            cursor = connection.cursor()
            for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        @event.listens_for(engine, "begin")
        def _sqlite_begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")

    else:
        statement, lock, idle = ("5s", "3s", "30s") if web else ("60s", "10s", "300s")

        @event.listens_for(engine, "connect")
        def _postgres_connect(connection: Any, _record: Any) -> None:
            # REL-30: PostgreSQL's own default is to wait for ever.
            autocommit = connection.autocommit
            connection.autocommit = True
            connection.execute(f"SET statement_timeout='{statement}'")
            connection.execute(f"SET lock_timeout='{lock}'")
            connection.execute(f"SET idle_in_transaction_session_timeout='{idle}'")
            connection.execute("SET TIME ZONE 'UTC'")
            connection.autocommit = autocommit
