"""Reads of catalogues: every code is looked up at the date of service, never at today's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import or_, select

from his.catalogues.errors import CodeNotFound
from his.catalogues.models import (
    CatalogueImport,
    CodeItem,
    Commune,
    CommuneChange,
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
from his.core import clock, search
from his.core.db import session

Row = TypeVar("Row")


def _valid(model: Any, on: date) -> Any:
    return (model.valid_from <= on) & or_(model.valid_to.is_(None), model.valid_to >= on)


def _many(model: Any, codes: Iterable[str], on: date) -> dict[str, Any]:
    wanted = sorted({code for code in codes if code})
    if not wanted:
        return {}
    rows = session().execute(select(model).where(model.code.in_(wanted), _valid(model, on))).scalars()
    return {row.code: row for row in rows}


def icds(codes: Iterable[str], on: date) -> dict[str, IcdCode]:
    """Return diagnosis codes as they were on a day."""
    return _many(IcdCode, codes, on)


def services(codes: Iterable[str], on: date) -> dict[str, Service]:
    """Return services with the prices of a day."""
    return _many(Service, codes, on)


def drugs(codes: Iterable[str], on: date) -> dict[str, Drug]:
    """Return products with the prices of a day."""
    return _many(Drug, codes, on)


def facilities(codes: Iterable[str], on: date) -> dict[str, Facility]:
    """Return facilities by code."""
    return _many(Facility, codes, on)


def rooms_by_code(codes: Iterable[str], on: date) -> dict[str, Room]:
    """Return rooms by code."""
    return _many(Room, codes, on)


def _one(found: dict[str, Row], code: str, what: str) -> Row:
    if code not in found:
        raise CodeNotFound(f"Không có {what} «{code}» trong danh mục vào ngày đó.")
    return found[code]


def service(code: str, on: date) -> Service:
    """Return one service at a day's price. Raises `CodeNotFound`."""
    return _one(services([code], on), code, "dịch vụ")


def drug(code: str, on: date) -> Drug:
    """Return one product at a day's price. Raises `CodeNotFound`."""
    return _one(drugs([code], on), code, "thuốc")


def room(code: str, on: date) -> Room:
    """Return one room. Raises `CodeNotFound`."""
    return _one(rooms_by_code([code], on), code, "phòng")


def rooms(kind: str, on: date) -> Sequence[Room]:
    """Return the rooms of a kind in their order."""
    return (
        session().execute(select(Room).where(Room.kind == kind, _valid(Room, on)).order_by(Room.sort)).scalars().all()
    )


def workplaces() -> list[tuple[str, str]]:
    """Return the rooms people may choose as their workplace when they sign in: code, name with place."""
    rows = session().execute(
        select(Room.code, Room.name, Room.place).where(_valid(Room, clock.today())).order_by(Room.sort)
    )
    return [(row.code, f"{row.name} · {row.place}" if row.place else row.name) for row in rows]


def codes(list_name: str, on: date) -> Sequence[CodeItem]:
    """Return the values of a small list."""
    return (
        session()
        .execute(
            select(CodeItem).where(CodeItem.list_name == list_name, _valid(CodeItem, on)).order_by(CodeItem.item_id)
        )
        .scalars()
        .all()
    )


def names(pairs: Iterable[tuple[str, str]], on: date) -> dict[tuple[str, str], str]:
    """Return Vietnamese names of values of several small lists in one statement."""
    wanted = [(a, b) for a, b in set(pairs) if b]
    if not wanted:
        return {}
    rows = session().execute(
        select(CodeItem.list_name, CodeItem.code, CodeItem.name_vi).where(
            CodeItem.list_name.in_({a for a, _ in wanted}),
            CodeItem.code.in_({b for _, b in wanted}),
            _valid(CodeItem, on),
        )
    )
    return {(row.list_name, row.code): row.name_vi for row in rows}


def commune(code: str) -> Commune | None:
    """Return a commune in force."""
    return (
        session().execute(select(Commune).where(Commune.code == code, Commune.valid_to.is_(None))).scalar_one_or_none()
    )


def province_name(code: str) -> str:
    """Return the name of a province, or ""."""
    return (
        session()
        .execute(select(Province.name).where(Province.code == code, Province.valid_to.is_(None)))
        .scalar_one_or_none()
        or ""
    )


def new_communes_for(old_text: str, limit: int = 8) -> Sequence[tuple[Commune, bool]]:
    """Return where an old three-level address went: (new commune, whether it is the likeliest part)."""
    parts = [part for part in old_text.split(",") if part.strip()]
    for start in range(max(0, len(parts) - 3), len(parts)):
        folded = search.fold(", ".join(parts[start:]))
        rows = (
            session()
            .execute(
                select(Commune, CommuneChange.is_default)
                .join(CommuneChange, CommuneChange.new_commune_code == Commune.code)
                .where(
                    CommuneChange.old_folded >= folded,
                    CommuneChange.old_folded < folded + "\U0010ffff",
                    Commune.valid_to.is_(None),
                )
                .order_by(CommuneChange.is_default.desc())
                .limit(limit)
            )
            .all()
        )
        if rows:
            return [(row[0], row[1]) for row in rows]
    return []


def commune_in_text(text: str) -> Commune | None:
    """Return the commune a new-style address names ("…, Phường Sài Gòn, Thành phố Hồ Chí Minh")."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) < 2:
        return None
    provinces = {
        search.fold(p.name): p.code
        for p in session().execute(select(Province).where(Province.valid_to.is_(None))).scalars()
    }
    folded = search.fold(parts[-1]).removeprefix("tinh ").removeprefix("thanh pho ").removeprefix("tp ")
    province = next(
        (code for name, code in provinces.items() if name.removeprefix("tinh ").removeprefix("thanh pho ") == folded),
        "",
    )
    if not province:
        return None
    return (
        session()
        .execute(
            select(Commune)
            .where(Commune.province_code == province, Commune.name == parts[-2], Commune.valid_to.is_(None))
            .limit(1)
        )
        .scalar_one_or_none()
    )


def holidays(first: date, last: date) -> frozenset[date]:
    """Return the days off in a period (both included)."""
    return frozenset(session().execute(select(Holiday.day).where(Holiday.day >= first, Holiday.day <= last)).scalars())


def lab_indices(service_codes: Iterable[str], on: date) -> dict[str, list[LabIndex]]:
    """Return the indices of laboratory services in their order (all age bands)."""
    found: dict[str, list[LabIndex]] = {}
    for row in (
        session()
        .execute(
            select(LabIndex)
            .where(LabIndex.service_code.in_(set(service_codes)), _valid(LabIndex, on))
            .order_by(LabIndex.sort, LabIndex.age_min_days)
        )
        .scalars()
    ):
        found.setdefault(row.service_code, []).append(row)
    return found


def is_one_year_disease(icd_code: str, on: date) -> bool:
    """Tell whether the one-year list suggests "có" for a main diagnosis (TT 01/2025 Phụ lục III, seed)."""
    prefixes = [icd_code[:n] for n in range(3, len(icd_code) + 1)]
    return (
        session()
        .execute(
            select(ReferralDisease.disease_id)
            .where(ReferralDisease.icd_prefix.in_(prefixes), _valid(ReferralDisease, on))
            .limit(1)
        )
        .first()
        is not None
    )


def imports(limit: int = 50) -> Sequence[CatalogueImport]:
    """Return the latest imports."""
    return (
        session()
        .execute(select(CatalogueImport).order_by(CatalogueImport.import_id.desc()).limit(limit))
        .scalars()
        .all()
    )


def history(catalogue_model: type[Any], code: str) -> Sequence[Any]:
    """Return all versions of a row, newest first (price history)."""
    return (
        session()
        .execute(
            select(catalogue_model).where(catalogue_model.code == code).order_by(catalogue_model.valid_from.desc())
        )
        .scalars()
        .all()
    )


def drug_rows() -> Sequence[Drug]:
    """Return all products in force."""
    return (
        session()
        .execute(select(Drug).where(Drug.valid_to.is_(None)).order_by(Drug.ingredient_vi, Drug.strength))
        .scalars()
        .all()
    )
