"""What can go wrong at the desk."""

from __future__ import annotations

from his.core.errors import Conflict, InvalidState


class RoomClosed(InvalidState):
    """The clinic takes no more patients now."""

    code = "room_closed"


class AlreadyRegistered(Conflict):
    """The patient has an open visit today already."""

    code = "already_registered"

    def __init__(self, message: str, *, visit_id: int) -> None:
        super().__init__(message)
        self.visit_id = visit_id
