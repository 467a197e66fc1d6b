"""What this module contributes: the command ``his demo`` and the log-ins shown on the log-in page."""

from __future__ import annotations

from flask import Flask

from his.core.module import Module
from his.demo import staff
from his.demo.cli import cli, prepare


def install(app: Flask) -> None:
    """Offer the demo log-ins on the log-in page (never in production: the page does not ask then)."""
    app.extensions["his_demo_logins"] = staff.logins


module = Module(name="demo", cli=(cli, prepare), install=install)
