"""Celery tasks of the core: the outbox, and the worker's heartbeat."""

from __future__ import annotations

from datetime import datetime

from celery import shared_task
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from his.core import clock, jobs, outbox
from his.core.db import Base, transaction


class Heartbeat(Base):
    """When a background part of the house was last heard of."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)


@shared_task(name=outbox.DELIVER_TASK)
def outbox_deliver(message_id: int) -> None:
    """Send one outbox message."""
    outbox.deliver(message_id)


@shared_task(name=outbox.SWEEP_TASK)
def outbox_sweep() -> None:
    """Find messages that are due (a lost broker loses nothing, REL-10)."""
    for message_id in outbox.sweep():
        outbox.deliver(message_id)


@shared_task(name=jobs.HEARTBEAT_TASK)
def heartbeat() -> None:
    """Say that worker and beat are alive."""
    with transaction() as here:
        here.merge(Heartbeat(name="worker", at=clock.now()))
