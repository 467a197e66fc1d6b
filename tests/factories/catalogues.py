"""Invented catalogue rows, valid by default from 2024-01-01 and findable by search like imported ones."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal
from typing import Any

from his.catalogues import service as catalogues
from his.catalogues.models import (
    CodeItem,
    Commune,
    Drug,
    Facility,
    Holiday,
    IcdCode,
    LabIndex,
    Province,
    ReferralDisease,
    Room,
    Service,
)
from his.core.db import session, transaction

FIRST = date(2024, 1, 1)
_counter = itertools.count(1)


def _add(row: Any, catalogue: str = "") -> Any:
    with transaction():
        session().add(row)
        session().flush()
        if catalogue:
            catalogues._index(catalogue, {(row.code,)}, [])
    return row


def make_icd(code: str = "J20.9", name_vi: str = "Viêm phế quản cấp, không xác định", **more: Any) -> IcdCode:
    """A diagnosis code; flags by keyword (``is_never_main=True``)."""
    return _add(IcdCode(**{"code": code, "name_vi": name_vi, "name_en": "", "valid_from": FIRST, **more}), "icd10")


def make_service(code: str | None = None, name: str = "Tổng phân tích tế bào máu ngoại vi", **more: Any) -> Service:
    """A service with its prices; by default an offered laboratory test of 50.600 đ."""
    values = {
        "code": code or f"XN{next(_counter):04d}", "name": name, "cost_group": "1", "kind": "laboratory", "unit": "lần",
        "hospital_price": Decimal(50600), "insurance_price": Decimal(50600), "insurance_rate": 100,
        "machine_code": "HH.1.XN0001", "is_offered": True, "valid_from": FIRST, **more,
    }  # fmt: skip
    return _add(Service(**values), "services")


def make_exam_service(code: str = "KB01", price: int = 50600, **more: Any) -> Service:
    """An examination."""
    return make_service(code, "Khám nhi", kind="exam", cost_group="13", machine_code="", hospital_price=Decimal(price),
                        insurance_price=Decimal(price), **more)  # fmt: skip


def make_drug(code: str | None = None, inn: str = "Paracetamol", **more: Any) -> Drug:
    """A product; by default an insured tablet of 900 đ."""
    number = next(_counter)
    values = {
        "code": code or f"TH{number:04d}", "ingredient_code": "40.48", "inn": inn, "ingredient_vi": inn, "brand": "",
        "strength": "500 mg", "form": "viên nén", "route_code": "1.01", "unit": "Viên", "control_class": "normal",
        "registration_no": f"VD-{number:05d}-24", "tender": "720/QĐ-SYT;G1;N2;2026", "atc": "N02BE01",
        "price": Decimal(900), "insurance_price": Decimal(900), "insurance_rate": 100, "valid_from": FIRST, **more,
    }  # fmt: skip
    return _add(Drug(**values), "drugs")


def make_room(code: str = "214", kind: str = "clinic", **more: Any) -> Room:
    """A room where people queue or work."""
    values = {
        "code": code, "name": f"Phòng {code}", "place": f"tầng 2, phòng {code}", "kind": kind, "department_code": "K01",
        "exam_service_code": "KB01" if kind == "clinic" else "", "valid_from": FIRST, **more,
    }  # fmt: skip
    return _add(Room(**values))


def make_code(list_name: str, code: str, name_vi: str = "", **more: Any) -> CodeItem:
    """A value of a small list."""
    return _add(
        CodeItem(
            **{
                "list_name": list_name,
                "code": code,
                "name_vi": name_vi or f"Giá trị {code}",
                "valid_from": FIRST,
                **more,
            }
        )
    )


def make_lab_index(service_code: str, code: str = "HGB", **more: Any) -> LabIndex:
    """A measured quantity; by default haemoglobin of adults."""
    values = {
        "code": code, "name_vi": "Huyết sắc tố", "service_code": service_code, "unit": "g/L", "decimals": 0,
        "male_low": Decimal(130), "male_high": Decimal(170), "female_low": Decimal(120), "female_high": Decimal(150),
        "critical_low": Decimal(70), "critical_high": Decimal(200), "valid_from": FIRST, **more,
    }  # fmt: skip
    return _add(LabIndex(**values))


def make_facility(code: str = "79010", name: str = "Bệnh viện Thử", **more: Any) -> Facility:
    """Another facility."""
    return _add(
        Facility(**{"code": code, "name": name, "level": "cơ bản", "province_code": "79", "valid_from": FIRST, **more}),
        "facilities",
    )


def make_place(
    province: tuple[str, str] = ("79", "Thành phố Hồ Chí Minh"), commune: tuple[str, str] = ("26740", "Phường Sài Gòn")
) -> Commune:
    """A province (made once) with a commune."""
    if not session().query(Province).filter_by(code=province[0]).first():
        _add(Province(code=province[0], name=province[1], valid_from=FIRST))
    return _add(Commune(code=commune[0], province_code=province[0], name=commune[1], valid_from=FIRST), "communes")


def make_holiday(day: date, name: str = "Nghỉ lễ") -> Holiday:
    """A day off."""
    return _add(Holiday(day=day, name=name, source="thử"))


def make_referral_disease(icd_prefix: str, scope: str = "all") -> ReferralDisease:
    """A diagnosis of the one-year list."""
    return _add(ReferralDisease(icd_prefix=icd_prefix, scope=scope, valid_from=FIRST))
