"""What every staff page shows around its content: menu, gateway state, person, language; and the health pages."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, current_app, g, jsonify, redirect, request, url_for
from flask_login import current_user
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from his.core import once
from his.core.config import Settings
from his.core.db import session
from his.core.i18n import LANGUAGES, select_locale
from his.core.i18n import gettext as _
from his.core.module import registry
from his.core.permissions import SIGNED_IN, may, public, require

bp = Blueprint("core", __name__)


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One entry of the rail, ready to draw."""

    label: str
    icon: str
    url: str
    active: bool


@dataclass(frozen=True, slots=True)
class Shell:
    """Everything the layout needs, as plain values."""

    hospital_name: str
    user_name: str
    user_initials: str
    user_sub: str
    menu: tuple[MenuEntry, ...]
    gateway_state: str
    gateway_text: str
    lang: str
    theme: str
    idle_seconds: int
    search_url: str
    undo: Any = None


def settings() -> Settings:
    """Return the settings of the present application."""
    found: Settings = current_app.extensions["his_settings"]
    return found


def build_shell() -> Shell | None:
    """Return the shell of the signed-in person, once per request; None when nobody is signed in."""
    if not getattr(current_user, "is_authenticated", False):
        return None
    if "his_shell" in g:
        found: Shell = g.his_shell
        return found
    items = [item for item in registry().menu() if may(item.permission)]
    here = _active_endpoint([item.endpoint for item in items])
    menu = tuple(MenuEntry(str(item.label), item.icon, url_for(item.endpoint), item.endpoint == here) for item in items)
    state = g.get("gateway_state", "ok")
    g.his_shell = Shell(
        hospital_name=settings().facility_short_name,
        user_name=current_user.display_name,
        user_initials="".join(w[0] for w in current_user.display_name.split()[-2:]).upper(),
        user_sub=current_user.role_text,
        menu=menu,
        gateway_state=state,
        gateway_text=_("Cổng BHYT: tốt") if state == "ok" else _("Cổng BHYT: mất kết nối"),
        lang=select_locale(),
        theme=getattr(current_user, "theme", "light"),
        idle_seconds=getattr(current_user, "idle_seconds", settings().idle_minutes * 60),
        search_url=_search_url(),
    )
    shell: Shell = g.his_shell
    return shell


def _active_endpoint(endpoints: list[str]) -> str:
    """Return the menu entry this page belongs to: its own, else the first one of its module."""
    if request.endpoint in endpoints:
        return request.endpoint or ""
    return next((e for e in endpoints if e.split(".")[0] == request.blueprint), "")


def _search_url() -> str:
    return url_for("records.find") if "records.find" in current_app.view_functions else ""


@lru_cache(maxsize=1)
def asset_version(static_folder: str) -> str:
    """Return a short mark of our own scripts and styles, so that browsers keep them until they change."""
    digest = hashlib.sha256()
    for part in ("css", "js", "icons"):
        for path in sorted((Path(static_folder) / part).rglob("*")):
            if path.is_file():
                digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


@bp.get("/")
@require(SIGNED_IN)
def home() -> Any:
    """Send each person to the first page of the own menu."""
    shell = build_shell()
    if shell is not None and shell.menu:
        return redirect(shell.menu[0].url)
    return redirect(url_for("identity.profile"))


@bp.post("/language/<code>")
@public("the sign-in page offers the language switch too")
def language(code: str) -> Any:
    """Switch between Vietnamese and English."""
    target = request.form.get("next", "/")
    response = redirect(target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/")
    if code in LANGUAGES:
        response.set_cookie(
            "his_language", code, max_age=31_536_000, samesite="Lax", httponly=True, secure=settings().secure_cookies
        )
        # People signed in have their language in the database; the layer above keeps it there.
        keep = current_app.extensions.get("his_keep_language")
        if keep is not None:
            keep(code)
    return response


@bp.get("/healthz")
@public("for machines: the process answers")
def healthz() -> Any:
    """Tell that the process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
@public("for machines: database and migrations answer")
def readyz() -> Any:
    """Tell whether the house can serve (REL-35); holds no data."""
    try:
        session().execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    except SQLAlchemyError:
        return jsonify(status="unavailable"), 503
    return jsonify(status="ok")


def install(app: Flask) -> None:
    """Register the blueprint and the template globals."""
    app.register_blueprint(bp)
    if not app.extensions["his_settings"].is_production:
        from his.core.design import create_blueprint  # noqa: PLC0415 - the sample page exists in development only

        app.register_blueprint(create_blueprint())

    @app.context_processor
    def _globals() -> dict[str, Any]:
        return {
            "shell": build_shell(),
            "may": may,
            "new_key": once.new_key,
            "asset_version": asset_version(app.static_folder or ""),
            "facility": app.extensions["his_settings"],
            "lang": select_locale(),
        }
