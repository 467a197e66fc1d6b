"""The drug store of the demo hospital: every product in several lots with different expiry days."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from decimal import Decimal

from his.catalogues import queries as catalogues
from his.core import clock
from his.core.actor import Actor
from his.stock import queries as stock_queries
from his.stock import service as stock

# Days until a lot expires; the first one is issued first. One product in ten has a lot that ends within the month.
SHELF_LIVES = (120, 300, 620)
LARGE_UNITS = ("Viên", "Gói", "Ống")


def load(*, actor: Actor) -> int:
    """Bring the products that have no lot yet into the store; returns the number of lots."""
    received = 0
    known = {row.drug_code for row in stock_queries.rows()}
    for drug in catalogues.drug_rows():
        if drug.code in known:
            continue
        mark = hashlib.sha256(drug.code.encode()).digest()
        lives = SHELF_LIVES if mark[0] % 10 else (21, *SHELF_LIVES[1:])
        for place, days in enumerate(lives[: 2 + mark[1] % 2]):
            size = 1200 if drug.unit in LARGE_UNITS else 90
            stock.receive(
                drug_code=drug.code, lot_number=f"{drug.code[2:]}{chr(65 + place)}{mark[2] % 90 + 10}",
                expires_on=clock.today() + timedelta(days=days + mark[3] % 25),
                quantity=Decimal(size + mark[4] % 60 * (10 if size > 1000 else 1)), actor=actor,
                reason="nhập kho đầu kỳ (mẫu)",
            )  # fmt: skip
            received += 1
    return received
