"""Invented staff."""

from __future__ import annotations

import itertools
from typing import Any

from flask.testing import FlaskClient

from his.core import clock
from his.core.actor import SYSTEM, Actor
from his.core.db import session, transaction
from his.identity import queries, service
from his.identity.models import User, UserSession
from his.identity.web import cookie_name

_counter = itertools.count(1)


class TestUser:
    """A user with helpers for tests."""

    __test__ = False

    def __init__(self, user: User, session_id: int, token: str) -> None:
        self.user, self.session_id, self.token = user, session_id, token

    def as_actor(self) -> Actor:
        return service.actor_of(
            self.user, queries.permissions_of(self.user.user_id), ip="127.0.0.1", session_ref=str(self.session_id)
        )


def make_user(role: str, *, proved: bool = True, **profile: Any) -> TestUser:
    """Make an active person with a role, an open session and (by default) a freshly proven PIN."""
    number = next(_counter)
    defaults: dict[str, Any] = {
        "title": "BS." if role in ("doctor", "head") else "",
        "licence_number": f"{number:06d}/HCM-GPHN",
        "insurer_code": f"79{number:08d}",
        "department_code": "K01",
        "default_room": "214" if role in ("doctor", "head", "nurse") else "",
        "is_authorised_signer": role in ("head", "manager"),
    }
    defaults.update(profile)
    roles = [role] if isinstance(role, str) else list(role)
    with transaction():
        user = service.create_user(
            f"{role}{number}",
            f"Người Thử {number}",
            roles,
            password="unused",
            must_change=False,
            actor=SYSTEM,
            **defaults,
        )
        token = service.open_session(user, ip="127.0.0.1", workplace=defaults["default_room"])
        session().flush()
        row = session().query(UserSession).filter_by(token_hash=service.token_hash(token)).one()
        if proved:
            row.proved_at = clock.now()
        session_id = row.session_id
    return TestUser(user, session_id, token)


def login(browser: FlaskClient, person: TestUser) -> None:
    """Sign a test browser in."""
    browser.set_cookie(cookie_name(), person.token)
