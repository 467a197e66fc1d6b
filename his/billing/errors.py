"""What can go wrong with money."""

from __future__ import annotations

from his.core.errors import Conflict, DomainError, InvalidState


class AlreadySettled(Conflict):
    """The visit is paid already."""

    code = "already_settled"


class NothingToSettle(InvalidState):
    """There is no charge."""

    code = "nothing_to_settle"


class TenderedTooLittle(DomainError):
    """Less cash than the family has to pay."""

    code = "tendered_too_little"


class BillChanged(Conflict):
    """The bill is not the one the screen showed."""

    code = "bill_changed"
