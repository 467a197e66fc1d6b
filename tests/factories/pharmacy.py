"""Prescriptions ready to hand out."""

from __future__ import annotations

from his.core.actor import Actor
from his.core.db import transaction
from his.core.once import new_key
from his.pharmacy import service
from his.pharmacy.models import Dispense
from his.prescriptions.models import Prescription
from his.prescriptions.service import LineData
from tests.factories.prescriptions import make_drug, make_rx_visit, make_signed, pay


def make_ready(*lines: LineData, actor: Actor, paid: bool = True) -> Prescription:
    """Make a signed prescription of a child, paid unless told otherwise."""
    make_drug("PRED")
    visit = make_rx_visit()
    rx = make_signed(visit, *lines, actor=actor)
    if paid:
        pay(visit)
    return rx


def make_dispense(rx: Prescription, *, actor: Actor, key: str = "", **facts: str) -> Dispense:
    """Hand a prescription out."""
    with transaction():
        return service.dispense(rx.prescription_id, receiver_name=facts.get("receiver_name", "Lê Thị Minh Châu"),
                                receiver_id_number=facts.get("receiver_id_number", ""), key=key or new_key(), actor=actor)  # fmt: skip
