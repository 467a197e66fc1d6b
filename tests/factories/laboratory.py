"""Indices of the blood count, ordered tests and their results."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from his.catalogues.models import LabIndex
from his.core.actor import Actor
from his.core.db import session, transaction
from his.laboratory import service
from his.laboratory.models import LabResult
from his.orders.models import OrderLine
from his.records.models import Visit
from tests.factories.catalogues import make_lab_index
from tests.factories.orders import BLOOD, place

NOTE = "Đã báo BS. Khôi lúc 08:50"


def make_indices() -> None:
    """White cells by age, haemoglobin by sex, and a worded index of the blood count (made once per test)."""
    if session().query(LabIndex).filter_by(service_code=BLOOD).first() is None:
        same = {"male_low": Decimal(5), "male_high": Decimal(13), "female_low": Decimal(5), "female_high": Decimal(13),
                "critical_low": Decimal(1), "critical_high": Decimal(50)}  # fmt: skip
        make_lab_index(
            BLOOD, "WBC", name_vi="Số lượng bạch cầu", unit="G/L", decimals=2, age_max_days=2189, sort=0, **same
        )
        make_lab_index(
            BLOOD, "WBC", name_vi="Số lượng bạch cầu", unit="G/L", decimals=2, age_min_days=2190, sort=0,
            **{**same, "male_low": Decimal(4), "male_high": Decimal(10), "female_low": Decimal(4), "female_high": Decimal(10)},
        )  # fmt: skip
        make_lab_index(BLOOD, "HGB", sort=1)
        make_lab_index(
            BLOOD, "MAL", name_vi="Ký sinh trùng sốt rét", unit="", value_type="choice", sort=2, male_low=None, male_high=None,
            female_low=None, female_high=None, critical_low=None, critical_high=None,
        )  # fmt: skip


def ordered(visit: Visit, doctor: Actor, **more: Any) -> OrderLine:
    """Order a blood count for a visit."""
    make_indices()
    return place(visit, doctor, BLOOD, **more).lines[0]


def enter(line: OrderLine, actor: Actor, values: dict[str, str] | None = None, **more: Any) -> LabResult:
    """Enter a result; white cells 14,8 and haemoglobin 118 unless told otherwise."""
    with transaction():
        return service.enter(line.line_id, values or {"WBC": "14,8", "HGB": "118"}, actor=actor, **more)


def release(result: LabResult, actor: Actor) -> LabResult:
    """Release a result."""
    with transaction():
        return service.release(result.result_id, actor=actor)
