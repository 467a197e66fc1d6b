"""Roles, states of accounts, audit actions."""

from __future__ import annotations

from enum import StrEnum


class RoleCode(StrEnum):
    """The roles of the security standard (§4)."""

    CLERK = "clerk"
    NURSE = "nurse"
    DOCTOR = "doctor"
    HEAD = "head"
    PHARMACIST = "pharmacist"
    CASHIER = "cashier"
    LAB_TECH = "lab_tech"
    IMAGING_TECH = "imaging_tech"
    INSURANCE_CLERK = "insurance_clerk"
    RECORDS_OFFICER = "records_officer"
    MANAGER = "manager"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class UserState(StrEnum):
    """State of an account."""

    ACTIVE = "active"
    DISABLED = "disabled"


class Action(StrEnum):
    """What this module writes into the audit log."""

    LOGIN = "identity.login"
    LOGIN_FAILED = "identity.login.failed"
    LOGOUT = "identity.logout"
    LOCK = "identity.lock"
    UNLOCK = "identity.unlock"
    PROVE = "identity.prove"
    PROVE_FAILED = "identity.prove.failed"
    PASSWORD = "identity.password.change"  # noqa: S105 - the name of an act
    PASSWORD_RESET = "identity.password.reset"  # noqa: S105 - the name of an act
    PIN = "identity.pin.change"
    TOTP = "identity.totp.change"
    USER_CREATE = "identity.user.create"
    USER_UPDATE = "identity.user.update"
    SESSION_END = "identity.session.end"
    DENIED = "identity.denied"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {
    Action.LOGIN: ("workplace",),
    Action.LOGIN_FAILED: ("username",),
    Action.LOGOUT: (),
    Action.TOTP: ("state",),
    Action.USER_CREATE: ("username", "roles"),
    Action.USER_UPDATE: ("changes",),
    Action.SESSION_END: ("count",),
    Action.DENIED: ("endpoint",),
    Action.PASSWORD_RESET: ("username",),
}
