"""The door: sign in and out, lock, prove, own account; and accounts for the administrator."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    current_app,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_login import current_user

from his.core.config import current
from his.core.db import transaction
from his.core.errors import Conflict, DomainError
from his.core.i18n import gettext as _
from his.core.i18n import select_locale
from his.core.permissions import SIGNED_IN, current_actor, public, require
from his.core.shell import settings
from his.identity import queries, service
from his.identity.enums import UserState
from his.identity.errors import LoginRefused
from his.identity.forms import LoginForm, PasswordForm, PinForm, PreferencesForm, TotpForm, UserForm
from his.identity.permissions import Permission
from his.identity.web import clear_cookie, set_cookie

bp = Blueprint("identity", __name__, url_prefix="/identity", template_folder="templates")


def safe_target(target: str | None) -> str:
    """Return an own relative path, or the home page (SEC-24)."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return url_for("core.home")
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or any(ord(c) < 32 for c in target):
        return url_for("core.home")
    return target


def _workplaces() -> list[tuple[str, str]]:
    provider = current_app.extensions.get("his_workplaces")
    return list(provider()) if provider else []


@bp.route("/login", methods=["GET", "POST"])
@public("people sign in here")
def login() -> Any:
    """Sign in."""
    if current_user.is_authenticated:
        return redirect(safe_target(request.args.get("next")))
    form = LoginForm()
    form.workplace.choices = [("", _("Theo tài khoản")), *_workplaces()]
    if request.method == "GET":
        form.workplace.data = request.cookies.get("his_workplace", "")
    if form.workplace.data not in dict(form.workplace.choices):
        form.workplace.data = ""
    refused: LoginRefused | None = None
    needs_code = False
    status = 200
    if form.validate_on_submit():
        with transaction():
            result = service.log_in(
                form.username.data or "", form.password.data or "", ip=request.remote_addr or "",
                browser=request.headers.get("User-Agent", ""), workplace=form.workplace.data or "",
                code=form.code.data or "",
            )  # fmt: skip
        if result.token:
            session.clear()
            response = redirect(safe_target(request.args.get("next")), 303)
            set_cookie(response, result.token)
            if form.workplace.data:
                response.set_cookie("his_workplace", form.workplace.data, max_age=31_536_000, samesite="Lax",
                                    httponly=True, secure=settings().secure_cookies)  # fmt: skip
            return response
        refused, needs_code = result.refused, result.needs_code
        status = 422
    elif request.method == "POST":
        status = 422
    demo = current_app.extensions.get("his_demo_logins") if not current().is_production else None
    return render_template(
        "identity/login.html", form=form, refused=refused, needs_code=needs_code, demo=demo() if demo else []
    ), status


@bp.post("/logout")
@require(SIGNED_IN)
def logout() -> Any:
    """Sign out; a copied cookie is worth nothing afterwards."""
    with transaction():
        service.log_out(current_user.facts.session, actor=current_actor())
    response = redirect(url_for("identity.login"), 303)
    clear_cookie(response)
    return response


@bp.post("/lock")
@require(SIGNED_IN)
def lock() -> Any:
    """Lock the screen."""
    with transaction():
        service.lock(current_user.facts.session, actor=current_actor())
    return jsonify(locked=True)


@bp.post("/unlock")
@require(SIGNED_IN)
def unlock() -> Any:
    """Open a locked screen: JSON for the dialog, a redirect for the full page."""
    data = request.get_json(silent=True) or request.form
    with transaction():
        opened = service.unlock(current_user.facts.session, str(data.get("password", "")), actor=current_actor())
    if request.is_json:
        if opened:
            return jsonify(unlocked=True)
        return jsonify(code="wrong", message=_("Mật khẩu chưa đúng. Gõ lại hoặc đăng xuất.")), 422
    target = safe_target(data.get("next"))
    if opened:
        return redirect(target, 303)
    return render_template("identity/locked.html", target=target, wrong=True), 422


@bp.post("/prove")
@require(SIGNED_IN)
def prove() -> Any:
    """Check the signing PIN for the dialog."""
    data = request.get_json(silent=True) or request.form
    try:
        with transaction():
            right = service.prove(current_user.facts.session, str(data.get("pin", "")), actor=current_actor())
    except DomainError as error:
        return jsonify(code=error.code, message=error.message), error.http_status
    if right:
        return jsonify(proved=True)
    return jsonify(code="wrong", message=_("Mã ký chưa đúng. Gõ lại.")), 422


@bp.get("/prove/fresh")
@require(SIGNED_IN)
def proof_is_fresh() -> Any:
    """Tell the signing dialog whether the PIN is still proven."""
    return jsonify(fresh=service.has_proof(current_actor()))


@bp.get("/profile")
@require(SIGNED_IN)
def profile() -> Any:
    """The own account: sessions, language, PIN, password, second factor."""
    return _profile_page()


def _profile_page(status: int = 200, **forms: Any) -> Any:
    user = queries.get_user(current_user.user_id)
    preferences = PreferencesForm(language=user.language, theme=user.theme)
    context = {
        "password_form": PasswordForm(formdata=None),
        "pin_form": PinForm(formdata=None),
        "totp_form": TotpForm(formdata=None),
        "preferences": preferences,
        **forms,
    }
    return render_template(
        "identity/profile.html", user=user, sessions=queries.living_sessions(user.user_id),
        this_session=current_user.facts.session.session_id, **context,
    ), status  # fmt: skip


@bp.post("/profile/preferences")
@require(SIGNED_IN)
def preferences() -> Any:
    """Keep language and colours."""
    form = PreferencesForm()
    with transaction():
        service.set_preferences(
            current_user.user_id, language=form.language.data or "vi", theme=form.theme.data or "light"
        )
    if request.is_json or request.headers.get("X-Background"):
        return jsonify(saved=True)
    return redirect(url_for("identity.profile"), 303)


@bp.route("/password", methods=["GET", "POST"])
@require(SIGNED_IN)
def change_password() -> Any:
    """Change the own password."""
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            with transaction():
                service.change_password(
                    current_user.user_id, form.old.data or "", form.new.data or "",
                    keep_session=current_user.facts.session.session_id, actor=current_actor(),
                )  # fmt: skip
        except DomainError as error:
            field = form.old if isinstance(error, LoginRefused) else form.new
            field.errors = [*field.errors, error.message]
        else:
            flash(_("Đã đổi mật khẩu. Các phiên khác đã đăng xuất."), "success")
            return redirect(url_for("identity.profile"), 303)
    return render_template("identity/password.html", form=form), 422 if request.method == "POST" else 200


@bp.post("/profile/pin")
@require(SIGNED_IN)
def set_pin() -> Any:
    """Set the signing PIN."""
    form = PinForm()
    if form.validate_on_submit():
        try:
            with transaction():
                service.set_pin(
                    current_user.user_id, form.password.data or "", form.pin.data or "", actor=current_actor()
                )
        except DomainError as error:
            field = form.password if isinstance(error, LoginRefused) else form.pin
            field.errors = [*field.errors, error.message]
        else:
            flash(_("Đã đặt mã ký."), "success")
            return redirect(url_for("identity.profile"), 303)
    return _profile_page(422, pin_form=form)


@bp.route("/totp", methods=["GET", "POST"])
@require(SIGNED_IN)
def totp() -> Any:
    """Set up or remove the second factor."""
    user = queries.get_user(current_user.user_id)
    form = TotpForm()
    secret = session.get("totp_secret") or service.new_totp_secret()
    if form.validate_on_submit():
        try:
            with transaction():
                if user.totp_secret:
                    service.remove_totp(user.user_id, form.password.data or "", actor=current_actor())
                else:
                    service.set_totp(
                        user.user_id, form.password.data or "", secret, form.code.data or "", actor=current_actor()
                    )
        except DomainError as error:
            form.password.errors = [*form.password.errors, error.message]
        else:
            session.pop("totp_secret", None)
            flash(_("Đã lưu xác thực hai lớp."), "success")
            return redirect(url_for("identity.profile"), 303)
    session["totp_secret"] = secret
    qr = service.totp_qr(user, secret) if not user.totp_secret else ""
    return render_template("identity/totp.html", form=form, user=user, secret=secret, qr=qr), (
        422 if request.method == "POST" else 200
    )


@bp.post("/sessions/end")
@require(SIGNED_IN)
def end_own_sessions() -> Any:
    """End all other sessions of the own account."""
    with transaction():
        service.end_sessions(
            current_user.user_id, except_id=current_user.facts.session.session_id, actor=current_actor()
        )
    flash(_("Đã đăng xuất các phiên khác."), "success")
    return redirect(url_for("identity.profile"), 303)


# --- administrator ------------------------------------------------------------------------------------------------


@bp.get("/users")
@require(Permission.USER_READ)
def users() -> Any:
    """All accounts."""
    return render_template("identity/users.html", users=queries.users(), role_names=service.ROLE_NAMES)


def _user_form(**data: Any) -> UserForm:
    form = UserForm(**data)
    spoken = 1 if select_locale() == "en" else 0
    form.roles.choices = [(code, names[spoken]) for code, names in service.ROLE_NAMES.items()]
    return form


@bp.route("/users/new", methods=["GET", "POST"])
@require(Permission.USER_WRITE)
def new_user() -> Any:
    """Create an account; the first password is shown once."""
    form = _user_form()
    if form.validate_on_submit():
        try:
            with transaction():
                user = service.create_user(
                    form.username.data or "", form.display_name.data or "", form.roles.data or [],
                    password=service.random_secret(), actor=current_actor(), **_profile_of(form, but="display_name"),
                )  # fmt: skip
                first = service.reset_password(user.user_id, actor=current_actor())
        except DomainError as error:
            field = form.username if isinstance(error, Conflict) else form.roles
            field.errors = [*field.errors, error.message]
        else:
            return render_template("identity/first_password.html", user=user, password=first)
    return render_template("identity/user.html", form=form, user=None), 422 if request.method == "POST" else 200


def _profile_of(form: UserForm, *, but: str = "") -> dict[str, Any]:
    return {key: getattr(form, key).data for key in service.PROFILE_FIELDS if key != but}


@bp.route("/users/<int:user_id>", methods=["GET", "POST"])
@require(Permission.USER_WRITE)
def user(user_id: int) -> Any:
    """Change an account."""
    found = queries.get_user(user_id)
    form = _user_form(obj=found)
    if request.method == "GET":
        # The row holds roles and a state; the fields want codes and a tick.
        form.roles.data = [role.role_code for role in found.roles]
        form.is_active.data = found.state is UserState.ACTIVE
    if form.validate_on_submit():
        try:
            with transaction():
                service.update_user(
                    user_id, roles=form.roles.data or [],
                    state=UserState.ACTIVE if form.is_active.data else UserState.DISABLED,
                    actor=current_actor(), **_profile_of(form),
                )  # fmt: skip
        except DomainError as error:
            form.roles.errors = [*form.roles.errors, error.message]
        else:
            flash(_("Đã lưu tài khoản."), "success")
            return redirect(url_for("identity.users"), 303)
    return render_template("identity/user.html", form=form, user=found), 422 if request.method == "POST" else 200


@bp.post("/users/<int:user_id>/reset")
@require(Permission.USER_WRITE)
def reset(user_id: int) -> Any:
    """Give a first password, shown once."""
    with transaction():
        first = service.reset_password(user_id, actor=current_actor())
    return make_response(
        render_template("identity/first_password.html", user=queries.get_user(user_id), password=first)
    )


@bp.post("/users/<int:user_id>/end-sessions")
@require(Permission.SESSION_END)
def end_sessions(user_id: int) -> Any:
    """End all sessions of an account."""
    with transaction():
        count = service.end_sessions(user_id, actor=current_actor())
    flash(_("Đã kết thúc %(n)d phiên.", n=count), "success")
    return redirect(url_for("identity.users"), 303)
