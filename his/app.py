"""The application: the one place that knows every module.

``create_app()`` builds the web application, ``cli`` is the command ``his``.
"""

from __future__ import annotations

import importlib
from datetime import timedelta
from importlib.util import find_spec
from typing import Any

import click
from flask import Flask
from flask.cli import FlaskGroup
from werkzeug.middleware.proxy_fix import ProxyFix

from his.core import checks, i18n, jobs, logs, migrate, outbox, shell, web
from his.core import tasks as core_tasks
from his.core.config import PROJECT_ROOT, Settings, activate, load_settings
from his.core.db import db, install_engine_hooks
from his.core.errors import SetupError
from his.core.module import Registry
from his.core.permissions import check_request

# Bottom layer first.
MODULES = (
    "audit",
    "identity",
    "gateways",
    "documents",
    "catalogues",
    "records",
    "stock",
    "billing",
    "registration",
    "examination",
    "orders",
    "prescriptions",
    "imaging",
    "laboratory",
    "pharmacy",
    "referrals",
    "insurance",
    "dashboards",
    "demo",
)


def create_app(settings: Settings | None = None, *, part: str = "web") -> Flask:
    """Build the application. ``part`` is "web", "worker" or "cli" (it sets the database waiting times).

    Raises `SetupError` with one sentence per wrong setting.
    """
    settings = settings or load_settings()
    activate(settings)
    logs.configure(settings.log_level, human=not settings.is_production)
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    app = Flask("his", static_folder="core/static", template_folder="core/templates", root_path=str(PROJECT_ROOT / "his"))
    app.config.from_mapping(_flask_config(settings))
    app.extensions["his"] = Registry()
    app.extensions["his_settings"] = settings
    if settings.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxy_hops, x_proto=settings.proxy_hops, x_host=settings.proxy_hops)  # type: ignore[method-assign]
    i18n.install(app)
    db.init_app(app)
    web.install(app)
    jobs.configure(settings)
    app.cli.add_command(migrate.cli)
    app.cli.add_command(checks.cli)
    _add_modules(app)
    app.before_request(check_request)
    shell.install(app)
    with app.app_context():
        install_engine_hooks(db.engine, web=part == "web")
    return app


def _flask_config(settings: Settings) -> dict[str, Any]:
    config: dict[str, Any] = {
        "SECRET_KEY": settings.secret_key,
        "SECRET_KEY_FALLBACKS": [key for key in settings.secret_key_fallbacks.split(",") if key],
        "SQLALCHEMY_DATABASE_URI": settings.database,
        "MAX_CONTENT_LENGTH": settings.max_body_mib * 1024 * 1024,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.secure_cookies,
        "WTF_CSRF_TIME_LIMIT": None,
        "SEND_FILE_MAX_AGE_DEFAULT": timedelta(days=30),
        "TESTING": settings.env == "test",
    }
    if settings.database.startswith("postgresql"):
        config["SQLALCHEMY_ENGINE_OPTIONS"] = {
            "pool_pre_ping": True, "pool_size": 5, "max_overflow": 5, "pool_timeout": 3,
            # A statement prepared after its fifth use gets a generic plan: a thousand times slower for some searches.
            "connect_args": {"prepare_threshold": None},
        }  # fmt: skip
    if settings.trusted_hosts:
        config["TRUSTED_HOSTS"] = [host.strip() for host in settings.trusted_hosts.split(",")]
    return config


def _add_modules(app: Flask) -> None:
    registry: Registry = app.extensions["his"]
    periods = {jobs.HEARTBEAT_TASK: timedelta(seconds=15), outbox.SWEEP_TASK: timedelta(seconds=60)}
    for name in MODULES:
        if find_spec(f"his.{name}") is None:
            continue
        if find_spec(f"his.{name}.models"):
            importlib.import_module(f"his.{name}.models")
        if find_spec(f"his.{name}.module") is None:
            continue
        module = importlib.import_module(f"his.{name}.module").module
        registry.add(module)
        if module.install is not None:
            module.install(app)
        if module.tasks:
            importlib.import_module(module.tasks)
        for blueprint in module.blueprints:
            app.register_blueprint(blueprint)
        for command in module.cli:
            app.cli.add_command(command)
        for entry in module.schedules:
            periods[entry.task] = timedelta(seconds=entry.every_seconds)
    jobs.schedule(periods)


def _cli_app() -> Flask:
    try:
        return create_app(part="cli")
    except SetupError as error:
        raise click.ClickException(error.message) from error


cli = FlaskGroup(
    name="his", create_app=_cli_app, add_default_commands=False, load_dotenv=False, help="Hospital information system."
)


def main() -> None:
    """Run the command ``his``."""
    cli(prog_name="his")


__all__ = ["cli", "core_tasks", "create_app", "main"]
