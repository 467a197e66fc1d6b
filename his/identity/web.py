"""How a request becomes a person: server-side sessions and Flask-Login.

Visitors get Flask's signed cookie (nothing stored, so a flood cannot fill the database). A signed-in browser holds a
random token; everything else is a row that can be ended at once (SEC-20, SEC-21).
"""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

from flask import Flask, Request, Response, g, jsonify, redirect, render_template, request, session, url_for
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_login import LoginManager, UserMixin, current_user
from sqlalchemy import update
from werkzeug.wrappers import Response as BaseResponse

from his.core import clock
from his.core.actor import Actor
from his.core.config import current
from his.core.db import transaction
from his.core.i18n import gettext as _
from his.core.i18n import select_locale
from his.core.web import wants_fragment, wants_json
from his.identity import queries, service
from his.identity.models import UserSession

TOUCH_EVERY = timedelta(seconds=60)
OPEN_WHILE_LOCKED = ("identity.unlock", "identity.logout", "identity.locked", "static", "core.language")


class ServerSession(dict[str, Any], SessionMixin):
    """Session data of a signed-in browser; written back only when changed."""

    def __init__(self, facts: queries.SessionFacts) -> None:
        super().__init__(facts.session.data)
        self.facts = facts
        # Whole, not shallow: flashed messages are appended to a list that is in here already.
        self._before = deepcopy(dict(self))

    @property
    def changed(self) -> bool:
        """Whether something was put in, taken out or replaced."""
        return dict(self) != self._before


class SignedInUser(UserMixin):  # type: ignore[misc]
    """The person behind a request, as the core wants it."""

    def __init__(self, facts: queries.SessionFacts) -> None:
        self.facts = facts
        user = facts.user
        self.user_id = user.user_id
        self.permissions = facts.permissions
        self.display_name = f"{user.title} {user.display_name}".strip()
        self.theme = user.theme
        self.roles = tuple(role.role_code for role in user.roles)
        self.workplace = facts.session.workplace
        self.idle_seconds = service.idle_seconds(self.roles)
        self.must_change_password = user.must_change_password

    def get_id(self) -> str:
        return str(self.user_id)

    @property
    def role_text(self) -> str:
        """The role and the workplace, for the top bar."""
        index = 1 if select_locale() == "en" else 0
        names = " · ".join(service.ROLE_NAMES[r][index] for r in self.roles[:1])
        return f"{names} · {self.workplace}" if self.workplace else names

    @property
    def is_locked(self) -> bool:
        """Whether the screen is locked, by hand or by rest."""
        row = self.facts.session
        rest = clock.now() - row.last_seen_at
        return row.locked_at is not None or rest > timedelta(seconds=self.idle_seconds + 60)

    def as_actor(self, ip: str = "", port: Any = None) -> Actor:
        return service.actor_of(
            self.facts.user, self.permissions, workplace=self.workplace, ip=ip, port=port,
            session_ref=str(self.facts.session.session_id),
        )  # fmt: skip


class HouseSessions(SecureCookieSessionInterface):
    """Signed cookie for visitors, database row for people."""

    def open_session(self, app: Flask, request: Request) -> Any:
        if request.path.startswith("/static/"):
            return super().open_session(app, request)
        token = request.cookies.get(cookie_name())
        if token and len(token) <= 100:
            facts = queries.session_by_token(service.token_hash(token))
            if facts is not None:
                g.language = facts.user.language
                return ServerSession(facts)
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: Any, response: Response) -> None:
        if not isinstance(session, ServerSession):
            super().save_session(app, session, response)
            return
        now = clock.now()
        row = session.facts.session
        values: dict[str, Any] = {}
        if session.changed:
            values["data"] = dict(session)
        background = request.headers.get("X-Background") == "1"
        if not background and row.locked_at is None and now - row.last_seen_at > TOUCH_EVERY:
            values["last_seen_at"] = now
        if values and row.ended_at is None:
            with transaction() as here:
                here.execute(
                    update(UserSession)
                    .where(UserSession.session_id == row.session_id)
                    .values(**values)
                    .execution_options(synchronize_session=False)
                )


def cookie_name() -> str:
    """Return the cookie's name; the ``__Host-`` form binds it to this very host over TLS."""
    return "__Host-his" if current().secure_cookies else "his_session"


def set_cookie(response: BaseResponse, token: str) -> None:
    """Hand the session token to the browser; it ends with the browser."""
    response.set_cookie(cookie_name(), token, httponly=True, samesite="Lax", secure=current().secure_cookies, path="/")


def clear_cookie(response: BaseResponse) -> None:
    """Take the session token back and let the browser forget pages and storage (SEC-28)."""
    response.delete_cookie(cookie_name(), path="/", httponly=True, samesite="Lax", secure=current().secure_cookies)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


def _load(_request: Request) -> SignedInUser | None:
    real = session._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - the proxy hides the kind
    return SignedInUser(real.facts) if isinstance(real, ServerSession) else None


def _unauthorized() -> Any:
    if wants_json() or wants_fragment():
        return jsonify(
            code="signed_out", message=_("Phiên làm việc đã hết. Đăng nhập lại, chữ đã gõ vẫn được giữ.")
        ), 401
    target = request.full_path.rstrip("?") if request.method == "GET" else ""
    return redirect(url_for("identity.login", next=target or None))


def _guard() -> Any:
    """Stop a locked screen and a first password that was not changed yet."""
    if request.endpoint in OPEN_WHILE_LOCKED or not current_user.is_authenticated:
        return None
    if current_user.is_locked:
        if wants_json() or wants_fragment() or request.method != "GET":
            return jsonify(code="locked", message=_("Màn hình đang khóa. Gõ mật khẩu để tiếp tục.")), 423
        return render_template("identity/locked.html", target=request.full_path.rstrip("?")), 423
    if current_user.must_change_password and request.endpoint not in ("identity.change_password", "identity.profile"):
        return redirect(url_for("identity.change_password"))
    return None


def _keep_language(code: str) -> None:
    """Make the switch in the top bar the preference of the person who pressed it."""
    if not current_user.is_authenticated or current_user.is_locked:
        return
    with transaction():
        service.set_preferences(current_user.user_id, language=code, theme=current_user.theme)


def _role_names(codes: str) -> str:
    """Return the names of roles stored as codes with commas."""
    spoken = 1 if select_locale() == "en" else 0
    return ", ".join(service.ROLE_NAMES[c][spoken] if c in service.ROLE_NAMES else c for c in codes.split(",") if c)


def install(app: Flask) -> None:
    """Fit sessions and Flask-Login to an application."""
    app.session_interface = HouseSessions()
    manager = LoginManager()
    manager.init_app(app)
    manager.request_loader(_load)
    manager.unauthorized_handler(_unauthorized)
    manager.session_protection = None
    app.before_request(_guard)
    app.extensions["his_keep_language"] = _keep_language
    # The log, a layer below, shows the roles it stored by their names.
    app.add_template_global(_role_names, "role_names")
