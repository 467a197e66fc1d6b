"""Structured logs: one JSON line per event on standard error, without patient data (SEC-54)."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(level: str, *, human: bool) -> None:
    """Set up structlog: JSON lines, or readable lines in development."""
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    # What libraries tell of their daily work is noise to an operator; their warnings are not.
    for name in ("weasyprint", "fontTools", "alembic", "httpx", "httpcore", "kombu"):
        logging.getLogger(name).setLevel(logging.WARNING)
    renderer = (
        structlog.dev.ConsoleRenderer(colors=False) if human else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
