"""Visits ready to be paid, charges, settlements."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

from his.billing import queries, service
from his.billing.enums import ItemKind, PaymentMethod
from his.billing.models import Charge, Settlement
from his.core import clock
from his.core.actor import SYSTEM, Actor
from his.core.db import transaction
from his.core.once import new_key
from his.examination import service as examination
from his.records import queries as records_queries
from his.records.models import Coverage, Patient, Visit
from tests.factories.examination import conclude, diagnose, make_visit, measure, write_note
from tests.factories.records import make_coverage, make_patient

_counter = itertools.count(9_000_001)


def charge(visit: Visit, price: int = 500_000, *, actor: Actor = SYSTEM, **more: Any) -> Charge:
    """Put an item on the bill: a CT of 500.000 đ in scope unless told otherwise."""
    values: dict[str, Any] = {
        "visit_id": visit.visit_id, "source_kind": "order_line", "source_id": next(_counter), "kind": ItemKind.SERVICE,
        "item_code": "18.0149.0040", "item_name": "Chụp CLVT", "cost_group": "2", "unit": "lần", "quantity": Decimal(1),
        "hospital_price": Decimal(price), "insurance_price": Decimal(price), "ordered_at": clock.now(),
        "department_code": "K01", **more,
    }  # fmt: skip
    with transaction():
        return service.post_charge(service.ChargeData(**values), actor=actor)


def adult(card: str = "GD4") -> tuple[Patient, Coverage | None]:
    """An adult with a card of a group and digit registered here, or without insurance (``card=""``)."""
    patient = make_patient()
    return patient, make_coverage(patient, f"{card}79{next(_counter):010d}") if card else None


def examined_adult(doctor: Actor, patient: Patient, **more: Any) -> Visit:
    """A visit of an adult with everything a conclusion needs, not concluded yet."""
    visit = make_visit(patient, **more)
    with transaction():
        examination.begin(visit.visit_id, actor=doctor)
    measure(visit, doctor, weight_kg=Decimal(60))
    write_note(visit, doctor)
    diagnose(visit, doctor)
    return visit


def to_pay(doctor: Actor, *, card: str = "GD4", extra: int = 500_000, **more: Any) -> Visit:
    """A concluded visit: the examination fee of 50.600 đ, and a further item of ``extra`` đ (0 = none)."""
    patient, coverage = adult(card)
    visit = examined_adult(doctor, patient, coverage=coverage, **more)
    if extra:
        charge(visit, extra)
    return conclude(visit, doctor)


def settle(visit: Visit, cashier: Actor, *, key: str = "", **more: Any) -> Settlement:
    """Pay a visit in cash, exactly, unless told otherwise."""
    bill = queries.bill_of(records_queries.get_visit(visit.visit_id))
    values = {"method": PaymentMethod.CASH, "tendered": None, "expected": bill.payable, **more}
    with transaction():
        return service.settle(visit.visit_id, key=key or new_key(), actor=cashier, **values)
