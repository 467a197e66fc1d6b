"""The claims of the demo hospital: last month and this one built and checked, a part of last month sent."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from his.core import clock
from his.core.db import session
from his.demo.journey import House, send_waiting, step
from his.insurance import service as insurance
from his.insurance import tasks
from his.insurance.enums import ClaimState
from his.insurance.models import ClaimFile

SENT_SHARE = 3  # one claim in so many was sent already


def load(house: House) -> int:
    """Build and check what is settled, send the first claims of last month; returns how many were built."""
    today = clock.today()
    last_month = f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"
    yesterday = clock.now() - timedelta(days=1)
    built = 0
    for month in (last_month, f"{today:%Y-%m}"):
        with clock.at(yesterday):
            done, _problems = tasks.build_missing(month)
        built += done
    passed = session().execute(
        select(ClaimFile.claim_id)
        .where(ClaimFile.settlement_month == last_month, ClaimFile.state == ClaimState.PASSED)
        .order_by(ClaimFile.claim_id)
    ).scalars().all()
    with step(yesterday + timedelta(hours=1)):
        for claim_id in passed[: len(passed) // SENT_SHARE]:
            insurance.submit(claim_id, actor=house.act("bhyt"))
    send_waiting(yesterday + timedelta(hours=1, minutes=1))
    return built
