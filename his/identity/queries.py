"""Reads of accounts and sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from his.core import clock
from his.core.db import session
from his.core.errors import NotFound
from his.identity.enums import UserState
from his.identity.models import RolePermission, User, UserRole, UserSession


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A living session with its person and permissions, read in one statement."""

    session: UserSession
    user: User
    permissions: frozenset[str]


def session_by_token(token_hash: str) -> SessionFacts | None:
    """Return a session that is neither ended nor over, with user, roles and permissions (2 statements)."""
    now = clock.now()
    row = (
        session()
        .execute(
            select(UserSession, User)
            .join(User, User.user_id == UserSession.user_id)
            .where(
                UserSession.token_hash == token_hash,
                UserSession.ended_at.is_(None),
                UserSession.expires_at > now,
                User.state == UserState.ACTIVE,
            )
        )
        .one_or_none()
    )
    if row is None:
        return None
    permissions = (
        session()
        .execute(
            select(RolePermission.permission)
            .join(UserRole, UserRole.role_code == RolePermission.role_code)
            .where(UserRole.user_id == row.User.user_id)
        )
        .scalars()
    )
    return SessionFacts(row.UserSession, row.User, frozenset(permissions))


def user_by_name(username: str) -> User | None:
    """Return an account by its log-in name (case does not matter)."""
    return session().execute(select(User).where(User.username == username.strip().lower())).scalar_one_or_none()


def get_user(user_id: int) -> User:
    """Return an account."""
    user = session().get(User, user_id)
    if user is None:
        raise NotFound("Không tìm thấy tài khoản.")
    return user


def users(limit: int = 500) -> Sequence[User]:
    """Return all accounts by name."""
    return session().execute(select(User).order_by(User.display_name).limit(limit)).scalars().all()


def permissions_of(user_id: int) -> frozenset[str]:
    """Return the permissions a person's roles carry."""
    return frozenset(
        session()
        .execute(
            select(RolePermission.permission)
            .join(UserRole, UserRole.role_code == RolePermission.role_code)
            .where(UserRole.user_id == user_id)
        )
        .scalars()
    )


def living_sessions(user_id: int) -> Sequence[UserSession]:
    """Return a person's signed-in browsers, newest first."""
    return (
        session()
        .execute(
            select(UserSession)
            .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None), UserSession.expires_at > clock.now())
            .order_by(UserSession.last_seen_at.desc())
        )
        .scalars()
        .all()
    )


def licences() -> dict[str, str]:
    """Return practice licence number -> name of all staff (for the claim checks)."""
    rows = session().execute(select(User.licence_number, User.display_name).where(User.licence_number != ""))
    return {row.licence_number: row.display_name for row in rows}


def authorised_signer() -> User | None:
    """Return a person who signs for the facility."""
    return (
        session()
        .execute(
            select(User)
            .where(User.is_authorised_signer, User.state == UserState.ACTIVE)
            .order_by(User.user_id)
            .limit(1)
        )
        .scalar_one_or_none()
    )


def last_seen(user_id: int) -> datetime | None:
    """Return when a person last used the system."""
    return (
        session()
        .execute(
            select(UserSession.last_seen_at)
            .where(UserSession.user_id == user_id)
            .order_by(UserSession.last_seen_at.desc())
            .limit(1)
        )
        .scalar_one_or_none()
    )
