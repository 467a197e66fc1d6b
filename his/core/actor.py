"""Who acts. Services are told; they never look at the web request."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Actor:
    """The person (or the system) on whose behalf a use case runs.

    ``user_id`` is None for the system only. ``licence_number`` is the practice licence (số giấy phép hành nghề),
    ``insurer_code`` the staff code registered with the insurer, ``department_code`` the insurer's MA_KHOA of the
    workplace, ``workplace`` the room code the person works at today.
    """

    user_id: int | None
    name: str
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    workplace: str = ""
    department_code: str = ""
    licence_number: str = ""
    insurer_code: str = ""
    ip: str = ""
    port: int | None = None
    session_ref: str = ""
    kind: str = field(default="person")

    def may(self, permission: str) -> bool:
        """Tell whether this actor's roles carry a permission (`module:resource:action`)."""
        return self.kind == "system" or permission in self.permissions


SYSTEM = Actor(user_id=None, name="Hệ thống", kind="system")
