"""Celery entry: ``celery -A his.worker worker`` and ``celery -A his.worker beat``."""

from __future__ import annotations

from his.app import create_app
from his.core import jobs

jobs.ContextTask.flask_app = create_app(part="worker")
celery = jobs.celery
