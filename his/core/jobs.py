"""Background work: Celery, told by task name after commit. The database row is the truth, never the queue."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import structlog
from celery import Celery, Task
from flask import Flask
from kombu.transport.sqlalchemy import Transport as EmbeddedTransport

from his.core.config import Settings
from his.core.db import after_commit

log = structlog.get_logger(__name__)


class ContextTask(Task):
    """Gives each task an application context: its own session, closed afterwards."""

    abstract = True
    flask_app: ClassVar[Flask | None] = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.flask_app is None:
            return self.run(*args, **kwargs)
        with self.flask_app.app_context():
            return self.run(*args, **kwargs)


celery = Celery("his", task_cls=ContextTask)
celery.set_default()

# Task name prefix -> queue. A month export never delays a bedside print.
QUEUES = {"core": "default", "audit": "default", "insurance": "reports", "documents": "papers"}
DEFAULT_QUEUE = "default"
HEARTBEAT_TASK = "core.heartbeat"
TASK_LIMIT = 3600  # seconds


def queue_of(task: str) -> str:
    """Return the queue a task runs in."""
    return QUEUES.get(task.split(".", 1)[0], DEFAULT_QUEUE)


def _transport_options(broker: str) -> dict[str, Any]:
    if broker.startswith("sqla+sqlite"):
        return {"connect_args": {"timeout": 15}}  # seconds to wait for another writer
    if broker.startswith("redis"):
        return {"visibility_timeout": 2 * TASK_LIMIT}  # longer than the longest task (REL-09)
    return {}


def configure(settings: Settings) -> Celery:
    """Point the Celery application at the configured broker (REL-09: late acknowledgement, one at a time)."""
    if settings.broker.startswith("sqla+sqlite:///"):
        Path(settings.broker.removeprefix("sqla+sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        # How often an idle worker looks; this transport hands its options to the database, so it is told here.
        EmbeddedTransport.polling_interval = 0.25
    celery.conf.update(
        broker_url=settings.broker,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_default_queue=DEFAULT_QUEUE,
        task_create_missing_queues=True,
        task_routes=lambda name, *_args, **_kwargs: {"queue": queue_of(name)},
        broker_connection_retry_on_startup=True,
        broker_transport_options=_transport_options(settings.broker),
        timezone="Asia/Ho_Chi_Minh",
        enable_utc=True,
        worker_hijack_root_logger=False,
        beat_schedule_filename=str(settings.var_dir / "beat-schedule"),
        task_time_limit=TASK_LIMIT,
        task_soft_time_limit=TASK_LIMIT - 300,
        task_always_eager=settings.env == "test",
    )
    return celery


def enqueue(task: str, **kwargs: Any) -> None:
    """Start a task after the present transaction commits. Arguments are ids and codes only."""
    after_commit(lambda: enqueue_quietly(task, **kwargs))


def enqueue_quietly(task: str, **kwargs: Any) -> None:
    """Start a task now; a lost broker is logged and loses nothing: the sweeper finds the row again."""
    if celery.conf.task_always_eager:
        return
    try:
        celery.send_task(task, kwargs=kwargs, queue=queue_of(task), retry=False)
    except Exception as error:  # noqa: BLE001 - any transport raises its own kind; the row stays and the sweeper comes back
        log.warning("broker_unreachable", task=task, error=type(error).__name__)


def schedule(entries: dict[str, timedelta]) -> None:
    """Set the periodic tasks (task name -> period)."""
    celery.conf.beat_schedule = {
        name: {
            "task": name,
            "schedule": period,
            "options": {"queue": queue_of(name), "expires": period.total_seconds()},
        }
        for name, period in entries.items()
    }
