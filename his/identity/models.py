"""Accounts, roles, staff profiles, server-side sessions, wrong log-ins."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from his.core import clock
from his.core.db import Base, Id, enum_column
from his.identity.enums import UserState


class User(Base):
    """One account of one person (SOD-8)."""

    __tablename__ = "users"

    user_id: Mapped[int] = mapped_column(Id, primary_key=True)
    username: Mapped[str] = mapped_column(String(60), unique=True)
    display_name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str] = mapped_column(String(200))
    must_change_password: Mapped[bool] = mapped_column(default=True)
    password_changed_at: Mapped[datetime] = mapped_column(default=clock.now)
    pin_hash: Mapped[str] = mapped_column(String(200), default="")
    totp_secret: Mapped[str] = mapped_column(String(200), default="")  # encrypted; "" = no second factor
    totp_used_step: Mapped[int] = mapped_column(default=0)  # half-minute of the last code taken: each is taken once
    state: Mapped[UserState] = mapped_column(enum_column(UserState), default=UserState.ACTIVE)
    language: Mapped[str] = mapped_column(String(2), default="vi")
    theme: Mapped[str] = mapped_column(String(8), default="light")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_login_at: Mapped[datetime | None]
    # Staff profile.
    title: Mapped[str] = mapped_column(String(20), default="")  # BS., ĐD., DS.
    licence_number: Mapped[str] = mapped_column(String(60), default="")  # practice licence (GPHN)
    insurer_code: Mapped[str] = mapped_column(String(20), default="")  # staff number registered with the insurer
    personal_number: Mapped[str] = mapped_column(String(12), default="")  # cccdCb of the card check
    department_code: Mapped[str] = mapped_column(String(20), default="")  # MA_KHOA
    default_room: Mapped[str] = mapped_column(String(12), default="")
    is_authorised_signer: Mapped[bool] = mapped_column(default=False)  # signs for the facility

    roles: Mapped[list[UserRole]] = relationship(
        lazy="selectin", order_by="UserRole.role_code", cascade="all, delete-orphan"
    )


class UserRole(Base):
    """A role of a user."""

    __tablename__ = "user_roles"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.user_id"), primary_key=True)
    role_code: Mapped[str] = mapped_column(ForeignKey("roles.role_code"), primary_key=True)


class Role(Base):
    """A role with a Vietnamese name."""

    __tablename__ = "roles"

    role_code: Mapped[str] = mapped_column(String(24), primary_key=True)
    name_vi: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))


class RolePermission(Base):
    """A permission of a role: seeded from the standard, editable."""

    __tablename__ = "role_permissions"

    role_code: Mapped[str] = mapped_column(ForeignKey("roles.role_code"), primary_key=True)
    permission: Mapped[str] = mapped_column(String(80), primary_key=True)


class UserSession(Base):
    """A signed-in browser (SEC-20). The cookie holds a random token, the table its SHA-256."""

    __tablename__ = "user_sessions"
    __table_args__ = (Index("ix_user_sessions_user", "user_id", "ended_at"),)

    session_id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.user_id"))
    workplace: Mapped[str] = mapped_column(String(12), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_seen_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    locked_at: Mapped[datetime | None]
    proved_at: Mapped[datetime | None]
    proof_failures: Mapped[int] = mapped_column(default=0)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    ip: Mapped[str] = mapped_column(String(45), default="")
    browser: Mapped[str] = mapped_column(String(200), default="")


class LoginFailure(Base):
    """Wrong log-ins counted per account or address in a window; one row each, so a flood cannot fill the table."""

    __tablename__ = "login_failures"
    __table_args__ = (UniqueConstraint("kind", "subject"),)

    failure_id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))  # account, address
    subject: Mapped[str] = mapped_column(String(64))  # SHA-256: unknown names are not kept in clear
    failure_count: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_at: Mapped[datetime] = mapped_column(default=clock.now)
