"""The web server: a few processes with threads; a page that waits for a gateway or a paper holds nobody else up."""

from __future__ import annotations

import sys

from his.core.config import load_settings
from his.core.errors import SetupError

try:
    _settings = load_settings()
except SetupError as error:
    sys.exit(error.message)

bind = f"{_settings.bind_address}:{_settings.port}"
workers = _settings.web_workers
worker_class = "gthread"
threads = 4
timeout = 60
graceful_timeout = 20
keepalive = 5
loglevel = "warning"
forwarded_allow_ips = ""  # the application itself trusts HIS_PROXY_HOPS proxies, nothing more
# The application and the paper engine (half a second of imports) are loaded once, before the processes split.
preload_app = True


def when_ready(server: object) -> None:
    """Tell whoever started us that pages are served."""
    del server
    import weasyprint  # noqa: F401, PLC0415 - shared by all processes

    print("his: ready", flush=True)  # noqa: T201 - read by tools/run.py


def post_fork(server: object, worker: object) -> None:
    """A connection to the database belongs to one process: none is inherited."""
    from flask import Flask  # noqa: PLC0415

    from his.core.db import db  # noqa: PLC0415

    del server
    app = getattr(worker, "app", None)
    made = app.wsgi() if app is not None else None
    if isinstance(made, Flask):
        with made.app_context():
            db.engine.dispose(close=False)
