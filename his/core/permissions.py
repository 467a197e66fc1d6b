"""Closed unless opened: every route names its permission or says why it is public.

The decorator answers "may this role do this kind of thing"; the service answers "may this person do it to this row".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, has_request_context, request
from flask_login import current_user

from his.core.actor import SYSTEM, Actor
from his.core.errors import NotAllowed

View = TypeVar("View", bound=Callable[..., Any])

PERMISSION_ATTRIBUTE = "__his_permission__"
PUBLIC_ATTRIBUTE = "__his_public__"
# Pages every signed-in person may open (own profile, log-out, search box shell).
SIGNED_IN = "*"


def require(*permissions: str) -> Callable[[View], View]:
    """Open a route to people whose roles carry one of these permissions (`SIGNED_IN` = anyone signed in)."""
    if not permissions:
        raise TypeError("require() needs a permission")

    def mark(view: View) -> View:
        setattr(view, PERMISSION_ATTRIBUTE, tuple(str(p) for p in permissions))
        return view

    return mark


def public(reason: str) -> Callable[[View], View]:
    """Open a route to everyone, and say why."""
    if not reason:
        raise TypeError("public() needs a reason")

    def mark(view: View) -> View:
        setattr(view, PUBLIC_ATTRIBUTE, reason)
        return view

    return mark


def check_request() -> Any:
    """Run before every request: refuse what is not opened, before anything is loaded (SEC-07)."""
    if request.endpoint is None or request.endpoint == "static":
        return None
    view = current_app.view_functions[request.endpoint]
    if hasattr(view, PUBLIC_ATTRIBUTE):
        return None
    needed: tuple[str, ...] | None = getattr(view, PERMISSION_ATTRIBUTE, None)
    if needed is None:
        raise NotAllowed("Trang này chưa được mở quyền. Báo quản trị hệ thống.", code="closed")
    if not current_user.is_authenticated:
        return current_app.login_manager.unauthorized()  # type: ignore[attr-defined]
    if SIGNED_IN in needed or any(p in current_user.permissions for p in needed):
        return None
    raise NotAllowed("Vai trò của bạn không có quyền làm việc này. Nhờ người có quyền hoặc báo quản trị hệ thống.")


def current_actor() -> Actor:
    """Return who acts in this request (for views only)."""
    if not has_request_context() or not current_user.is_authenticated:
        return SYSTEM
    actor: Actor = current_user.as_actor(ip=request.remote_addr or "", port=request.environ.get("REMOTE_PORT"))
    return actor


def may(permission: str) -> bool:
    """Tell whether the signed-in person may do something (for menus and buttons)."""
    return bool(current_user.is_authenticated and permission in current_user.permissions)
