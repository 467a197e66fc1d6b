"""Invented people in bulk, with the name distribution of the country (family names are few, given names many)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from sqlalchemy import insert, select

from his.core import clock, search
from his.core.db import transaction
from his.records.models import Patient, PatientIdentifier
from his.records.queries import KIND

FAMILY = (
    ["Nguyễn"] * 31 + ["Trần"] * 11 + ["Lê"] * 10 + ["Phạm"] * 7 + ["Huỳnh"] * 5 + ["Phan"] * 5 + ["Võ"] * 5
    + ["Đặng"] * 2 + ["Bùi"] * 2 + ["Đỗ", "Hồ", "Ngô", "Dương", "Lý", "Đinh", "Trịnh", "Mai", "Tô", "Lâm", "Vương"]
)  # fmt: skip
MIDDLE = ("Văn", "Thị", "Ngọc", "Minh", "Thanh", "Hoàng", "Gia", "Bảo", "Quốc", "Hữu", "Đức", "Thu", "Kim", "Phương", "Hồng", "Anh", "Xuân", "Quang", "Tuấn", "Thùy", "Khánh")  # fmt: skip
GIVEN = ("An", "Anh", "Ánh", "Bảo", "Bình", "Châu", "Chi", "Cường", "Dũng", "Duy", "Dương", "Đạt", "Đức", "Giang", "Hà", "Hải", "Hạnh", "Hân", "Hiếu", "Hiền", "Hòa", "Hoa", "Hùng", "Huy", "Hương", "Khang", "Khánh", "Khoa", "Khôi", "Kiên", "Lan", "Lâm", "Linh", "Loan", "Long", "Ly", "Mai", "Minh", "My", "Nam", "Nga", "Ngân", "Nghĩa", "Ngọc", "Nhân", "Nhi", "Như", "Phát", "Phong", "Phú", "Phúc", "Phương", "Quân", "Quang", "Quỳnh", "Sơn", "Tâm", "Tân", "Thành", "Thảo", "Thắng", "Thiên", "Thịnh", "Thư", "Thủy", "Tiên", "Tiến", "Toàn", "Trang", "Trâm", "Trí", "Trinh", "Trung", "Tú", "Tuấn", "Tùng", "Uyên", "Vân", "Việt", "Vinh", "Vy", "Xuân", "Yến")


def people(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Yield columns of invented patients; the same seed gives the same people."""
    rng = random.Random(seed)
    today = clock.today()
    for number in range(1, count + 1):
        name = f"{rng.choice(FAMILY)} {rng.choice(MIDDLE)} {rng.choice(GIVEN)}"
        if rng.random() < 0.4:
            name = f"{name.rsplit(' ', 1)[0]} {rng.choice(GIVEN)} {rng.choice(GIVEN)}"
        yield {
            "facility_code": "79999",
            "code": f"20-{number:06d}",
            "full_name": name,
            "birth_on": today - timedelta(days=rng.randrange(1, 80 * 365)),
            "birth_precision": "day",
            "sex": rng.choice(["M", "F"]),
            "phone": f"09{rng.randrange(10**8):08d}",
            "address_text": f"{rng.randrange(1, 400)} Đường Hoa Sen, Phường Sài Gòn, Thành phố Hồ Chí Minh",
        }


def fill(count: int, seed: int = 1) -> None:
    """Write patients with a personal number each, and index them, through the house's own index."""
    batch: list[dict[str, Any]] = []
    for row in people(count, seed):
        batch.append(row)
        if len(batch) == 2000:
            _write(batch)
            batch = []
    if batch:
        _write(batch)


def _write(batch: list[dict[str, Any]]) -> None:
    with transaction() as here:
        ids = here.execute(
            insert(Patient).returning(Patient.patient_id, sort_by_parameter_order=True),
            [_columns(row) for row in batch],
        ).scalars().all()
        identifiers = [
            {"patient_id": patient_id, "type": "SDDCN", "value": _number(row), "valid_from": date(2021, 1, 1), "source": "bench"}
            for patient_id, row in zip(ids, batch, strict=True)
        ]
        here.execute(insert(PatientIdentifier), identifiers)
        search.put(KIND, [
            search.Entry(
                patient_id, row["full_name"], row["full_name"],
                words=(str(row["birth_on"].year), f"{row['birth_on']:%d%m%Y}"), codes=(row["code"], row["phone"], _number(row)),
            )
            for patient_id, row in zip(ids, batch, strict=True)
        ])  # fmt: skip


def _columns(row: dict[str, Any]) -> dict[str, Any]:
    from his.records.enums import BirthPrecision, Sex

    return {
        **row, "sex": Sex(row["sex"]), "birth_precision": BirthPrecision.DAY, "version": 1,
    }  # fmt: skip


def _number(row: dict[str, Any]) -> str:
    return f"079{row['code'].replace('-', ''):0>9}"


def sample_ids(count: int) -> list[int]:
    """Return ids of patients spread over the table."""
    with transaction() as here:
        ids = here.execute(select(Patient.patient_id).order_by(Patient.patient_id)).scalars().all()
    step = max(1, len(ids) // count)
    return list(ids[::step][:count])
