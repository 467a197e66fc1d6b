"""Background sealing of the log."""

from __future__ import annotations

from celery import shared_task

from his.audit import service

SEAL_TASK = "audit.seal"


@shared_task(name=SEAL_TASK)
def seal() -> None:
    """Bind unsealed events into the chain until none is left."""
    while service.seal() == service.BATCH:
        pass
