"""The code lists of the checks: only the codes the claims name, with their days, read once for a whole batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import select

from his.catalogues.models import CodeItem, Commune, Drug, Facility, IcdCode, LabIndex, Province, Service
from his.core.config import current
from his.core.db import session
from his.identity import queries as identity
from his.insurance.rules import CheckCatalogue, ClaimDocument
from his.insurance.rules.checks import ApprovedDrug, ApprovedService, IcdEntry

_KINDS: Final = {
    "MA_BENH_CHINH": "icd",
    "MA_BENH_KT": "icd",
    "MA_BENH": "icd",
    "MA_DICH_VU": "service",
    "MA_THUOC": "drug",
    "MA_CHI_SO": "index",
    "MA_DKBD": "facility",
    "MA_NOI_DI": "facility",
    "MA_NOI_DEN": "facility",
    "MA_CSKCB": "facility",
    "MA_CSKCB_DI": "facility",
    "MA_CSKCB_DEN": "facility",
    "MATINH_CU_TRU": "province",
    "MAXA_CU_TRU": "commune",
}
_LISTS: Final = ("nationality", "ethnicity", "occupation", "route")
_SIGNS: Final = "†*+"
_MOST: Final = 400
"""Codes in one IN list."""


class CheckFacts:
    """Code lists for claims, cut to a day.

    ``own`` claims are also held against this hospital's approved lists; of other hospitals' claims only the national
    lists are known here, the rest is reported as not checked.
    """

    def __init__(self, rows: Mapping[str, Sequence[Any]], staff: frozenset[str]) -> None:
        self._rows = rows
        self._staff = staff
        self._made: dict[tuple[date, bool], CheckCatalogue] = {}

    def on(self, day: date, *, own: bool = True) -> CheckCatalogue:
        """The lists in force on ``day``, the end of the visit (TT 06/2026/TT-BYT Đ6 k2)."""
        if (day, own) not in self._made:
            self._made[day, own] = self._make(day, own=own)
        return self._made[day, own]

    def _valid(self, kind: str, day: date) -> list[Any]:
        return [r for r in self._rows[kind] if r.valid_from <= day and (r.valid_to is None or r.valid_to >= day)]

    def _codes(self, kind: str, day: date) -> frozenset[str]:
        return frozenset(row.code for row in self._valid(kind, day))

    def _list(self, name: str, day: date) -> frozenset[str]:
        return frozenset(row.code for row in self._valid("list", day) if row.list_name == name)

    def _make(self, day: date, *, own: bool) -> CheckCatalogue:
        national: dict[str, Any] = {
            "icd10": {row.code: icd_entry(row) for row in self._valid("icd", day)},
            "ethnicities": self._list("ethnicity", day),
            "routes": self._list("route", day),
        }
        if day >= _NEW_PLACES:  # older places are not kept
            national |= {"provinces": self._codes("province", day), "communes": self._codes("commune", day)}
        if not own:
            return CheckCatalogue(**national)
        drugs: dict[str, list[ApprovedDrug]] = defaultdict(list)
        for row in self._rows["drug"]:
            drugs[row.ingredient_code].append(
                ApprovedDrug(
                    row.brand or row.ingredient_vi,
                    row.strength,
                    row.registration_no,
                    row.tender,
                    row.insurance_price,
                    row.valid_from,
                    row.valid_to,
                )
            )
        services: dict[str, list[ApprovedService]] = defaultdict(list)
        for row in self._rows["service"]:
            services[row.code].append(ApprovedService(row.name, row.insurance_price, row.valid_from, row.valid_to))
        return CheckCatalogue(
            **national,
            nationalities=frozenset(
                str(r.extra.get("ma_quoctich_xml") or r.extra.get("iso3") or r.code)
                for r in self._valid("list", day)
                if r.list_name == "nationality"
            ),
            occupations=self._list("occupation", day),
            services=self._codes("service", day),
            lab_indices=self._codes("index", day),
            facilities=self._codes("facility", day),
            staff=self._staff,
            approved_drugs=drugs,
            approved_services=services,
        )


_NEW_PLACES: Final = date(2025, 7, 1)


def icd_entry(row: IcdCode) -> IcdEntry:
    """The coding flags of TT 06/2026/TT-BYT, columns 24 to 29, as the checks want them."""
    barred, doubtful = "", False
    if row.is_never_main or row.mark == "*":
        barred = "cột 24"
    elif row.is_never_used:
        barred = "cột 26"
    elif row.is_death_only:
        barred = "cột 27"
    elif row.is_discouraged_main or row.is_finer_code_doubtful:
        barred, doubtful = ("cột 25" if row.is_discouraged_main else "cột 26"), True
    return IcdEntry(barred, doubtful, row.sex_only)


def check_facts(documents: Iterable[ClaimDocument]) -> CheckFacts:
    """Read the lists for these claims (10 statements, whatever the number of claims)."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for document in documents:
        for rows in document.tables.values():
            for row in rows:
                for name, kind in _KINDS.items():
                    value = row.get(name)
                    if value:
                        wanted[kind].update(part.rstrip(_SIGNS) for part in value.split(";"))
    return CheckFacts(
        {
            "icd": _by_code(IcdCode, IcdCode.code, wanted["icd"]),
            "service": _by_code(Service, Service.code, wanted["service"]),
            "drug": _by_code(Drug, Drug.ingredient_code, wanted["drug"]),
            "index": _by_code(LabIndex, LabIndex.code, wanted["index"]),
            "facility": _by_code(Facility, Facility.code, wanted["facility"] | {current().facility_code}),
            "province": _by_code(Province, Province.code, wanted["province"]),
            "commune": _by_code(Commune, Commune.code, wanted["commune"]),
            "list": session().execute(select(CodeItem).where(CodeItem.list_name.in_(_LISTS))).scalars().all(),
        },
        frozenset(identity.licences()),
    )


def _by_code(model: Any, column: Any, codes: set[str]) -> list[Any]:
    ordered = sorted(code for code in codes if code)
    return [
        row
        for start in range(0, len(ordered), _MOST)
        for row in session().execute(select(model).where(column.in_(ordered[start : start + _MOST]))).scalars()
    ]
