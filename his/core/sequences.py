"""Running numbers: one row per series and period, taken in the caller's transaction.

The row lock is held until commit, so numbers of a series are given out in order and without gaps (REL-21): a rolled
back transaction gives its number back.
"""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, mapped_column

from his.core.db import Base, in_transaction, session


class Sequence(Base):
    """The last number given out in a series (``name``) and period (a year, a day, or "")."""

    __tablename__ = "sequences"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    period: Mapped[str] = mapped_column(String(16), primary_key=True, default="")
    value: Mapped[int] = mapped_column(default=0)


def next_number(name: str, period: str = "") -> int:
    """Return the next number (1, 2, 3 …) of a series; needs an open transaction."""
    if not in_transaction():
        raise RuntimeError("a number is taken inside transaction(), together with the row that bears it")
    here = session()
    insert = sqlite_insert if here.get_bind().dialect.name == "sqlite" else postgres_insert
    statement = (
        insert(Sequence)
        .values(name=name, period=period, value=1)
        .on_conflict_do_update(index_elements=[Sequence.name, Sequence.period], set_={"value": Sequence.value + 1})
        .returning(Sequence.value)
    )
    return int(here.execute(statement).scalar_one())
