"""What the checks need to know of the hospital's and the national catalogues, as plain values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Final

from his.insurance.rules.registry import read_table

_EVER: Final = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class IcdEntry:
    """Coding flags of one ICD-10 code (TT 06/2026/TT-BYT). ``barred_as_main`` names the column that bars it."""

    barred_as_main: str = ""
    doubtful: bool = False
    sex: str = ""
    """"M" or "F" when the code is for one sex only."""


@dataclass(frozen=True, slots=True)
class ApprovedDrug:
    """One line of the facility's approved drugs. ``bid`` is TT_THAU; only its first four parts are compared."""

    name: str
    strength: str
    registration: str
    bid: str
    price: Decimal
    valid_from: date = _EVER
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class ApprovedService:
    """One approved service price."""

    name: str
    price: Decimal
    valid_from: date = _EVER
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class ApprovedSupply:
    """One line of the approved supplies."""

    name: str
    bid: str
    price: Decimal
    has_model: bool = False
    valid_from: date = _EVER
    valid_to: date | None = None


@dataclass(frozen=True)
class CheckCatalogue:
    """Code lists in force at the end of the visit, given by the service; None = not supplied.

    Rules that need a list which is None are reported as not checked. ``approved_*`` map a code to its lines over
    time; the others are plain sets of codes.
    """

    icd10: Mapping[str, IcdEntry] | None = None
    traditional_diseases: Collection[str] | None = None
    procedures: Collection[str] | None = None
    nationalities: Collection[str] | None = None
    ethnicities: Collection[str] | None = None
    occupations: Collection[str] | None = None
    provinces: Collection[str] | None = None
    communes: Collection[str] | None = None
    departments: Collection[str] | None = None
    services: Collection[str] | None = None
    drugs: Collection[str] | None = None
    supplies: Collection[str] | None = None
    routes: Collection[str] | None = None
    processing_methods: Collection[str] | None = None
    fuels: Collection[str] | None = None
    lab_indices: Collection[str] | None = None
    hiv_regimens: Collection[str] | None = None
    facilities: Collection[str] | None = None
    staff: Collection[str] | None = None
    machines: Collection[str] | None = None
    approved_drugs: Mapping[str, Sequence[ApprovedDrug]] | None = None
    approved_services: Mapping[str, Sequence[ApprovedService]] | None = None
    approved_supplies: Mapping[str, Sequence[ApprovedSupply]] | None = None

    def known_departments(self) -> Collection[str]:
        """The given departments, else the national list of QĐ 1804/QĐ-BYT 2026."""
        return self.departments if self.departments is not None else national_departments()


LABELS: Final[Mapping[str, str]] = {
    "icd10": "danh mục ICD-10",
    "traditional_diseases": "danh mục mã bệnh y học cổ truyền",
    "procedures": "danh mục ICD-9-CM",
    "nationalities": "danh mục quốc tịch",
    "ethnicities": "danh mục dân tộc",
    "occupations": "danh mục nghề nghiệp",
    "provinces": "danh mục tỉnh",
    "communes": "danh mục xã",
    "departments": "danh mục khoa",
    "services": "danh mục dịch vụ kỹ thuật dùng chung",
    "drugs": "danh mục thuốc dùng chung",
    "supplies": "danh mục vật tư do cổng cấp mã",
    "routes": "danh mục đường dùng",
    "processing_methods": "danh mục phương pháp chế biến",
    "fuels": "danh mục xăng dầu",
    "lab_indices": "danh mục chỉ số xét nghiệm",
    "hiv_regimens": "danh mục phác đồ HIV",
    "facilities": "danh mục cơ sở KBCB",
    "staff": "danh sách người hành nghề được duyệt",
    "machines": "danh sách máy của cơ sở",
    "approved_drugs": "danh mục thuốc được duyệt của cơ sở",
    "approved_services": "danh mục dịch vụ được duyệt của cơ sở",
    "approved_supplies": "danh mục vật tư được duyệt của cơ sở",
}


@cache
def national_departments() -> frozenset[str]:
    """MA_KHOA codes of QĐ 1804/QĐ-BYT 2026 annex 02."""
    return frozenset(row["MA_KHOA"] for row in read_table("departments.csv"))


@cache
def route_ratios() -> Mapping[str, str]:
    """Entry category → ratio text of `subject_codes.csv`."""
    return {row["MA_DOITUONG_KCB"]: row["route_percent"] for row in read_table("subject_codes.csv")}


@cache
def _card_groups() -> Mapping[str, tuple[int, int, date]]:
    return {
        row["group_code"]: (
            int(row["rate_percent"]),
            int(row["rate_from_change"]),
            date.fromisoformat(row["change_date"]) if row["change_date"] else _EVER,
        )
        for row in read_table("card_groups.csv")
    }


def card_rate(card: str, on: date) -> int | None:
    """Rate of the card's group on the day, in percent; None for an unknown group. Source: NQ 261/2025/QH15 etc."""
    group = _card_groups().get(card[:2])
    if group is None:
        return {"1": 100, "2": 100, "3": 95, "4": 80, "5": 100}.get(card[2:3])
    before, after, change = group
    return after if on >= change else before
