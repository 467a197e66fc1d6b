"""Use cases of the door: signing in and out, locking, proving, changing passwords, managing accounts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pyotp
import segno
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import delete, select, update

from his.audit import service as audit
from his.audit.enums import Result
from his.core import clock
from his.core.actor import SYSTEM, Actor
from his.core.config import current
from his.core.db import session
from his.core.errors import Conflict, DomainError, NotAllowed
from his.identity import queries, rules
from his.identity.enums import ACTION_DETAILS, Action, UserState
from his.identity.errors import LoginRefused, ProofNeeded, WeakPassword
from his.identity.models import LoginFailure, Role, RolePermission, User, UserRole, UserSession

audit.register_actions(Action, ACTION_DETAILS)

WINDOW = timedelta(minutes=15)
ROLE_NAMES = rules.ROLE_NAMES
PROOF_TRIES = 5


def _hasher() -> PasswordHasher:
    settings = current()
    return PasswordHasher(
        time_cost=settings.argon2_time, memory_cost=settings.argon2_memory_kib, parallelism=2, hash_len=32
    )


def hash_secret(secret: str) -> str:
    """Return the Argon2id hash of a password or PIN."""
    return _hasher().hash(secret)


def _matches(stored: str, given: str) -> bool:
    try:
        return _hasher().verify(stored, given)
    except (VerificationError, InvalidHashError):
        return False


_dummy: list[str] = []


def _dummy_hash() -> str:
    """A hash nobody's password matches: unknown names cost the same time as known ones (SEC-22)."""
    if not _dummy:
        _dummy.append(hash_secret(secrets.token_urlsafe(16)))
    return _dummy[0]


def token_hash(token: str) -> str:
    """Return what the table keeps of a session token."""
    return hashlib.sha256(token.encode()).hexdigest()


def actor_of(user: User, permissions: frozenset[str], *, workplace: str = "", ip: str = "", port: Any = None,
             session_ref: str = "") -> Actor:  # fmt: skip
    """Return the actor of a person."""
    return Actor(
        user_id=user.user_id,
        name=f"{user.title} {user.display_name}".strip(),
        roles=frozenset(r.role_code for r in user.roles),
        permissions=permissions,
        workplace=workplace or user.default_room,
        department_code=user.department_code,
        licence_number=user.licence_number,
        insurer_code=user.insurer_code,
        ip=ip,
        port=int(port) if port else None,
        session_ref=session_ref,
    )


# --- signing in ---------------------------------------------------------------------------------------------------


def _failure(kind: str, subject: str) -> LoginFailure | None:
    key = hashlib.sha256(subject.encode()).hexdigest()
    row = (
        session()
        .execute(select(LoginFailure).where(LoginFailure.kind == kind, LoginFailure.subject == key).with_for_update())
        .scalar_one_or_none()
    )
    if row is not None and clock.now() - row.last_at > WINDOW:
        row.failure_count = 0
        row.first_at = clock.now()
    return row


def _count_failure(kind: str, subject: str) -> int:
    row = _failure(kind, subject)
    if row is None:
        key = hashlib.sha256(subject.encode()).hexdigest()
        row = LoginFailure(kind=kind, subject=key, failure_count=0)
        session().add(row)
    row.failure_count += 1
    row.last_at = clock.now()
    return row.failure_count


def _waiting(kind: str, subject: str, limit: int) -> int:
    row = _failure(kind, subject)
    if row is None:
        return 0
    wait = rules.wait_seconds(row.failure_count, limit)
    passed = int((clock.now() - row.last_at).total_seconds())
    return max(0, wait - passed)


@dataclass(frozen=True, slots=True)
class LoginResult:
    """What a log-in led to: a token for the cookie, or the reason why not (the failure is stored all the same)."""

    token: str = ""
    user_id: int | None = None
    refused: LoginRefused | None = None
    needs_code: bool = False


def log_in(
    username: str, password: str, *, ip: str, browser: str = "", workplace: str = "", code: str = ""
) -> LoginResult:
    """Check name, password and second factor; open a session.

    Wrong tries slow the account and the address down (5 and 30 in 15 minutes), they never lock for ever (326 Đ8).
    Never tells whether the name or the password was wrong.
    """
    settings = current()
    name = username.strip().lower()[:60]
    wait = max(
        _waiting("account", name, settings.login_attempts), _waiting("address", ip, settings.login_attempts_per_address)
    )
    if wait:
        return LoginResult(
            refused=LoginRefused(f"Đã thử quá nhiều lần. Chờ {wait} giây rồi thử lại.", wait_seconds=wait)
        )
    user = queries.user_by_name(name)
    right = _matches(user.password_hash if user else _dummy_hash(), password)
    if user is None or not right or user.state is not UserState.ACTIVE:
        failures = _count_failure("account", name)
        _count_failure("address", ip)
        audit.record(replace(SYSTEM, ip=ip), Action.LOGIN_FAILED, subject_type="user", subject_id=user.user_id if user else None,
                     details={"username": name if user else "?"}, result=Result.DENIED)  # fmt: skip
        left = max(0, settings.login_attempts - failures)
        text = (
            f"Tên đăng nhập hoặc mật khẩu chưa đúng. Còn {left} lần thử."
            if left
            else "Tên đăng nhập hoặc mật khẩu chưa đúng. Chờ 30 giây rồi thử lại."
        )
        return LoginResult(refused=LoginRefused(text, tries_left=left))
    if user.totp_secret:
        if not code:
            return LoginResult(needs_code=True)
        if not _totp_matches(user, code):
            _count_failure("account", name)
            return LoginResult(
                needs_code=True, refused=LoginRefused("Mã xác thực chưa đúng. Mở ứng dụng và gõ mã mới.")
            )
    session().execute(
        delete(LoginFailure).where(
            LoginFailure.kind == "account", LoginFailure.subject == hashlib.sha256(name.encode()).hexdigest()
        )
    )
    if _hasher().check_needs_rehash(user.password_hash):
        user.password_hash = hash_secret(password)
    token = open_session(user, ip=ip, browser=browser, workplace=workplace or user.default_room)
    return LoginResult(token=token, user_id=user.user_id)


def open_session(user: User, *, ip: str, browser: str = "", workplace: str = "") -> str:
    """Open a server-side session and return its secret token (256 bits)."""
    settings = current()
    admin = any(r.role_code == "administrator" for r in user.roles)
    now = clock.now()
    token = secrets.token_urlsafe(32)
    user.last_login_at = now
    opened = UserSession(
        token_hash=token_hash(token), user_id=user.user_id, workplace=workplace,
        expires_at=now + timedelta(hours=settings.admin_session_hours if admin else settings.session_hours),
        ip=ip, browser=browser[:200], proved_at=None, data={"csrf_token": secrets.token_hex(20)},
    )  # fmt: skip
    session().add(opened)
    audit.record(actor_of(user, frozenset(), workplace=workplace, ip=ip), Action.LOGIN, subject_type="user",
                 subject_id=user.user_id, details={"workplace": workplace})  # fmt: skip
    return token


def idle_seconds(roles: Sequence[str]) -> int:
    """Return after how many seconds of rest a screen locks."""
    settings = current()
    return 60 * (settings.admin_idle_minutes if "administrator" in roles else settings.idle_minutes)


def log_out(found: UserSession, *, actor: Actor) -> None:
    """End a session; its cookie is worth nothing from now on."""
    found.ended_at = clock.now()
    audit.record(actor, Action.LOGOUT, subject_type="user", subject_id=actor.user_id)


def lock(found: UserSession, *, actor: Actor) -> None:
    """Lock the screen; the page stays as it is."""
    if found.locked_at is None:
        found.locked_at = clock.now()
        audit.record(actor, Action.LOCK, subject_type="user", subject_id=actor.user_id)


def unlock(found: UserSession, password: str, *, actor: Actor) -> bool:
    """Open a locked screen with the password; the page goes on where it was."""
    user = queries.get_user(found.user_id)
    name = user.username
    if _waiting("account", name, current().login_attempts):
        return False
    if not _matches(user.password_hash, password):
        _count_failure("account", name)
        return False
    found.locked_at = None
    found.last_seen_at = clock.now()
    audit.record(actor, Action.UNLOCK, subject_type="user", subject_id=actor.user_id)
    return True


def end_sessions(user_id: int, *, except_id: int | None = None, actor: Actor) -> int:
    """End a person's sessions (all others when one is excepted)."""
    statement = (
        update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
        .values(ended_at=clock.now())
        .execution_options(synchronize_session="fetch")
    )
    if except_id is not None:
        statement = statement.where(UserSession.session_id != except_id)
    count = int(session().execute(statement).rowcount)  # type: ignore[attr-defined]
    audit.record(actor, Action.SESSION_END, subject_type="user", subject_id=user_id, details={"count": count})
    return count


# --- proof for signing --------------------------------------------------------------------------------------------


def prove(found: UserSession, pin: str, *, actor: Actor) -> bool:
    """Check the signing PIN; it stays proven for some minutes (SEC-26). Five wrong tries need a new log-in."""
    user = queries.get_user(found.user_id)
    if found.proof_failures >= PROOF_TRIES:
        raise NotAllowed("Gõ sai mã ký nhiều lần. Đăng xuất rồi đăng nhập lại.")
    if not user.pin_hash:
        raise DomainError("Bạn chưa đặt mã ký. Mở Tài khoản của tôi để đặt mã ký 6 số.")
    if not _matches(user.pin_hash, pin):
        found.proof_failures += 1
        audit.record(actor, Action.PROVE_FAILED, subject_type="user", subject_id=actor.user_id, result=Result.DENIED)
        return False
    found.proof_failures = 0
    found.proved_at = clock.now()
    audit.record(actor, Action.PROVE, subject_type="user", subject_id=actor.user_id)
    return True


def has_proof(actor: Actor) -> bool:
    """Tell whether this person proved the PIN in this session a short while ago."""
    if actor.kind == "system":
        return False
    if not actor.session_ref:
        return False
    row = (
        session()
        .execute(
            select(UserSession.proved_at).where(
                UserSession.session_id == int(actor.session_ref), UserSession.user_id == actor.user_id
            )
        )
        .scalar_one_or_none()
    )
    return row is not None and clock.now() - row <= timedelta(minutes=current().proof_minutes)


def require_proof(actor: Actor) -> None:
    """Raise `ProofNeeded` unless the signing PIN was proven a short while ago."""
    if not has_proof(actor):
        raise ProofNeeded("Nhập mã ký để tiếp tục.")


# --- passwords, PIN, second factor --------------------------------------------------------------------------------


def change_password(user_id: int, old: str, new: str, *, keep_session: int | None, actor: Actor) -> None:
    """Change the own password; all other sessions end (SEC-21). Raises `WeakPassword`, `LoginRefused`."""
    user = queries.get_user(user_id)
    if not _matches(user.password_hash, old):
        raise LoginRefused("Mật khẩu hiện tại chưa đúng.")
    problem = rules.check_password(
        new, username=user.username, display_name=user.display_name, hospital=current().facility_name,
        second_factor=bool(user.totp_secret),
    )  # fmt: skip
    if problem:
        raise WeakPassword(problem)
    if new == old:
        raise WeakPassword("Mật khẩu mới phải khác mật khẩu cũ.")
    user.password_hash = hash_secret(new)
    user.must_change_password = False
    user.password_changed_at = clock.now()
    end_sessions(user_id, except_id=keep_session, actor=actor)
    audit.record(actor, Action.PASSWORD, subject_type="user", subject_id=user_id)


def set_pin(user_id: int, password: str, pin: str, *, actor: Actor) -> None:
    """Set the six-digit signing PIN under the password."""
    user = queries.get_user(user_id)
    if not _matches(user.password_hash, password):
        raise LoginRefused("Mật khẩu chưa đúng.")
    if not (pin.isascii() and pin.isdigit() and len(pin) == 6):
        raise WeakPassword("Mã ký gồm đúng 6 chữ số.")
    if len(set(pin)) < 3 or pin in "01234567890" or pin in "09876543210":
        raise WeakPassword("Mã ký dễ đoán. Không dùng số lặp hoặc số liền nhau.")
    user.pin_hash = hash_secret(pin)
    audit.record(actor, Action.PIN, subject_type="user", subject_id=user_id)


def _cipher() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"totp:" + current().secret_key.encode()).digest()))


def _totp_matches(user: User, code: str) -> bool:
    try:
        secret = _cipher().decrypt(user.totp_secret.encode()).decode()
    except InvalidToken:
        return False
    return _takes_code(user, secret, code)


def _takes_code(user: User, secret: str, code: str) -> bool:
    """Take a code of the present half-minute or a neighbour (clocks differ), each at most once (SEC-25)."""
    generator = pyotp.TOTP(secret)
    now = generator.timecode(clock.now())
    typed = "".join(code.split()).encode()
    for step in (now, now - 1, now + 1):
        if step > user.totp_used_step and hmac.compare_digest(generator.generate_otp(step).encode(), typed):
            user.totp_used_step = step
            return True
    return False


def new_totp_secret() -> str:
    """Return a fresh secret for an authenticator application."""
    return pyotp.random_base32()


def totp_uri(user: User, secret: str) -> str:
    """Return what the QR for the authenticator application holds."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=current().facility_short_name)


def set_totp(user_id: int, password: str, secret: str, code: str, *, actor: Actor) -> None:
    """Switch the second factor on after one right code."""
    user = queries.get_user(user_id)
    if not _matches(user.password_hash, password):
        raise LoginRefused("Mật khẩu chưa đúng.")
    if not _takes_code(user, secret, code):
        raise LoginRefused("Mã xác thực chưa đúng. Kiểm tra giờ trên điện thoại rồi gõ mã mới.")
    user.totp_secret = _cipher().encrypt(secret.encode()).decode()
    audit.record(actor, Action.TOTP, subject_type="user", subject_id=user_id, details={"state": "on"})


def remove_totp(user_id: int, password: str, *, actor: Actor) -> None:
    """Switch the second factor off under the password."""
    user = queries.get_user(user_id)
    if not _matches(user.password_hash, password):
        raise LoginRefused("Mật khẩu chưa đúng.")
    user.totp_secret = ""
    audit.record(actor, Action.TOTP, subject_type="user", subject_id=user_id, details={"state": "off"})


# --- accounts -----------------------------------------------------------------------------------------------------

PROFILE_FIELDS = (
    "display_name", "title", "licence_number", "insurer_code", "personal_number", "department_code", "default_room",
    "is_authorised_signer",
)  # fmt: skip


def create_user(
    username: str, display_name: str, roles: Sequence[str], *, password: str, must_change: bool = True, pin: str = "",
    actor: Actor, **profile: Any,
) -> User:  # fmt: skip
    """Create an account. Raises `Conflict` (name taken), `DomainError` (roles that exclude each other)."""
    problem = rules.check_roles(roles)
    if problem:
        raise DomainError(problem)
    name = username.strip().lower()
    if queries.user_by_name(name) is not None:
        raise Conflict(f"Tên đăng nhập «{name}» đã có. Chọn tên khác.")
    user = User(
        username=name, display_name=display_name, password_hash=hash_secret(password), must_change_password=must_change,
        pin_hash=hash_secret(pin) if pin else "", **{key: profile[key] for key in PROFILE_FIELDS if key in profile},
    )  # fmt: skip
    user.roles = [UserRole(role_code=role) for role in sorted(set(roles))]
    session().add(user)
    session().flush()  # the audit entry names the row
    audit.record(actor, Action.USER_CREATE, subject_type="user", subject_id=user.user_id,
                 details={"username": name, "roles": sorted(roles)})  # fmt: skip
    return user


def update_user(user_id: int, *, roles: Sequence[str], state: UserState, actor: Actor, **profile: Any) -> User:
    """Change roles, state and staff profile; nobody changes the own account here (SEC-11)."""
    if actor.user_id == user_id:
        raise NotAllowed("Không tự đổi vai trò của mình. Nhờ quản trị viên khác.")
    problem = rules.check_roles(roles)
    if problem:
        raise DomainError(problem)
    user = queries.get_user(user_id)
    changes: dict[str, list[str]] = {}
    held = sorted(r.role_code for r in user.roles)
    if held != sorted(set(roles)):
        changes["roles"] = [",".join(held), ",".join(sorted(set(roles)))]
        user.roles = [r for r in user.roles if r.role_code in roles] + [
            UserRole(role_code=role) for role in sorted(set(roles) - set(held))
        ]
    for key in PROFILE_FIELDS:
        if key in profile and getattr(user, key) != profile[key]:
            changes[key] = [str(getattr(user, key)), str(profile[key])]
            setattr(user, key, profile[key])
    if user.state is not state:
        changes["state"] = [user.state.value, state.value]
        user.state = state
        if state is UserState.DISABLED:
            end_sessions(user_id, actor=actor)
    if changes:
        audit.record(actor, Action.USER_UPDATE, subject_type="user", subject_id=user_id, details={"changes": changes})
    return user


def reset_password(user_id: int, *, actor: Actor) -> str:
    """Give a first password, shown once; the person must change it at the next log-in."""
    user = queries.get_user(user_id)
    words = [secrets.choice(("Sen", "Mai", "Lua", "Bien", "Nui", "Song", "May", "Nang")) for _ in range(2)]
    password = f"{words[0]}-{words[1]}-{secrets.randbelow(90000) + 10000}-{secrets.token_hex(2)}"
    user.password_hash = hash_secret(password)
    user.must_change_password = True
    end_sessions(user_id, actor=actor)
    audit.record(
        actor, Action.PASSWORD_RESET, subject_type="user", subject_id=user_id, details={"username": user.username}
    )
    return password


def set_preferences(user_id: int, *, language: str, theme: str) -> None:
    """Keep a person's language and colours."""
    user = queries.get_user(user_id)
    user.language = language if language in ("vi", "en") else "vi"
    user.theme = theme if theme in ("light", "dark") else "light"


def seed_roles() -> None:
    """Bring roles and their permissions to what the standard says; roles' own additions stay."""
    here = session()
    known = {role.role_code for role in here.execute(select(Role)).scalars()}
    here.add_all(
        Role(role_code=code, name_vi=names[0], name_en=names[1])
        for code, names in ROLE_NAMES.items()
        if code not in known
    )
    here.flush()  # permissions point to roles
    held = {(p.role_code, p.permission) for p in here.execute(select(RolePermission)).scalars()}
    here.add_all(
        RolePermission(role_code=role, permission=permission)
        for role, permissions in rules.ROLE_PERMISSIONS.items()
        for permission in permissions
        if (role, permission) not in held
    )


def random_secret() -> str:
    """Return a secret nobody needs to know (replaced by a first password at once)."""
    return secrets.token_urlsafe(24)


def totp_qr(user: User, secret: str) -> str:
    """Return the QR of the second factor as a data address."""
    return str(segno.make(totp_uri(user, secret), error="m").svg_data_uri(scale=4))
