"""Reads of what was handed out."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from his.core.db import session
from his.pharmacy.models import Dispense


def dispense_of(prescription_id: int) -> Dispense | None:
    """Return the hand-over in force of a prescription."""
    return session().execute(
        select(Dispense)
        .where(Dispense.prescription_id == prescription_id, Dispense.voided_at.is_(None))
        .options(selectinload(Dispense.lines))
    ).scalar_one_or_none()
