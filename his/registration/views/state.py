"""What the desk remembers between two requests of one clerk, on the server: the scanned document, the last registration.

The address of a page never carries a name, a number or a scan; it carries an internal id or a random mark.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from flask import session

from his.core import clock
from his.registration import service

DESK = "desk"
LAST = "desk_last"


def keep(**values: Any) -> str:
    """Remember what was just scanned; returns the mark a page names it by."""
    token = secrets.token_urlsafe(6)
    session[DESK] = {"token": token, **values}
    return token


def change(**values: Any) -> None:
    """Add to what is remembered."""
    session[DESK] = {**session.get(DESK, {}), **values}


def of_token(token: str) -> dict[str, Any]:
    """Return what a mark names, or nothing when something else was scanned meanwhile."""
    found: dict[str, Any] = session.get(DESK) or {}
    return found if token and found.get("token") == token else {}


def of_patient(patient_id: int) -> dict[str, Any]:
    """Return what was scanned for a patient, or nothing."""
    found: dict[str, Any] = session.get(DESK) or {}
    return found if found.get("patient_id") == patient_id else {}


def forget() -> None:
    """The person has left the desk."""
    session.pop(DESK, None)


def keep_last(**values: Any) -> None:
    """Remember the registration just made, for reprint and undo."""
    session[LAST] = {"at": clock.now().isoformat(), **values}


def last() -> dict[str, Any]:
    """Return the last registration of this clerk; ``undo`` only within the window."""
    found: dict[str, Any] = dict(session.get(LAST) or {})
    if found:
        age = clock.now() - datetime.fromisoformat(found["at"])
        if age > timedelta(hours=12):
            return {}
        found["undo"] = bool(found.get("undo")) and age < service.UNDO_WINDOW
        found["undo_ms"] = max(0, int((service.UNDO_WINDOW - age).total_seconds() * 1000))
    return found


def take_print() -> bool:
    """Tell whether the slip of the last registration still has to be printed, once."""
    found = session.get(LAST) or {}
    if found.get("print"):
        session[LAST] = {**found, "print": False}
        return True
    return False


def no_undo() -> None:
    """The last registration was taken back."""
    session.pop(LAST, None)
