"""Celery entry: ``celery -A his.worker worker`` and ``celery -A his.worker beat``."""

from __future__ import annotations

from his.app import create_app
from his.core import jobs
from his.core.errors import SetupError

try:
    jobs.ContextTask.flask_app = create_app(part="worker")
except SetupError as error:
    raise SystemExit(error.message) from error
celery = jobs.celery
