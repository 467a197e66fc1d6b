"""Queue tickets and the stored answers of card checks."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from his.core import clock
from his.core.db import Base, Id, enum_column
from his.registration.enums import CheckState, TicketState


class QueueTicket(Base):
    """A place in the queue of one room on one day; numbers are unique, in order, without gaps (REL-20)."""

    __tablename__ = "queue_tickets"
    __table_args__ = (
        UniqueConstraint("room_code", "day", "number"),
        Index("ix_queue_tickets_room", "room_code", "day", "state"),
    )

    ticket_id: Mapped[int] = mapped_column(Id, primary_key=True)
    room_code: Mapped[str] = mapped_column(String(12))
    day: Mapped[date]
    number: Mapped[int]
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.visit_id"), index=True)
    priority: Mapped[int] = mapped_column(default=0)  # higher is called first
    priority_reason: Mapped[str] = mapped_column(String(40), default="")
    state: Mapped[TicketState] = mapped_column(enum_column(TicketState), default=TicketState.WAITING)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expected_at: Mapped[datetime | None]
    called_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    call_count: Mapped[int] = mapped_column(default=0)

    @property
    def text(self) -> str:
        """The number as people see it: room and running number, ``214-043``."""
        return f"{self.room_code}-{self.number:03d}"


class QueueState(Base):
    """A counter per room that grows with every change, so that an unchanged poll costs one keyed read."""

    __tablename__ = "queue_states"
    __table_args__ = (Index("ix_queue_states_day", "day"),)

    room_code: Mapped[str] = mapped_column(String(12), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=0)


class CardCheck(Base):
    """One question to the insurer about a card and the whole answer (or why there was none)."""

    __tablename__ = "card_checks"

    check_id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patients.patient_id"), index=True)
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visits.visit_id"), index=True)  # the visit it served
    coverage_id: Mapped[int | None] = mapped_column(ForeignKey("coverages.coverage_id"))  # the card the answer named
    asked_number: Mapped[str] = mapped_column(String(15))
    asked_name: Mapped[str] = mapped_column(String(255), default="")
    asked_birth: Mapped[str] = mapped_column(String(10), default="")
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by_id: Mapped[int | None]
    state: Mapped[CheckState] = mapped_column(enum_column(CheckState))
    code: Mapped[str] = mapped_column(String(10), default="")
    message: Mapped[str] = mapped_column(String(500), default="")
    answer: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    error: Mapped[str] = mapped_column(String(300), default="")
    duration_ms: Mapped[int] = mapped_column(default=0)
