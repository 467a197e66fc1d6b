"""Imports of catalogues: all or nothing, dated, idempotent, with a truthful report."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any

import holidays as holiday_days
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from sqlalchemy import insert, select, update

from his.audit import service as audit
from his.catalogues import rules
from his.catalogues.enums import ACTION_DETAILS, Action
from his.catalogues.errors import ImportProblem, ImportRefused
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
from his.core import search
from his.core.actor import Actor
from his.core.db import session

audit.register_actions(Action, ACTION_DETAILS)

MODELS: dict[str, Any] = {
    "code_lists": CodeItem, "icd10": IcdCode, "provinces": Province, "communes": Commune,
    "commune_changes": CommuneChange, "facilities": Facility, "rooms": Room, "services": Service,
    "lab_indices": LabIndex, "drugs": Drug, "referral_diseases": ReferralDisease,
}  # fmt: skip
# Packaged file -> (first valid day, source document).
PACKAGED: dict[str, tuple[date, str]] = {
    "code_lists": (date(2024, 1, 1), "QĐ 1804/2026, QĐ 3276/2025, QĐ 130/4750/3176, QĐ 121-TCTK, QĐ 34/2020, CLDR"),
    "icd10": (date(2020, 11, 1), "QĐ 4469/QĐ-BYT (2020), cờ theo TT 06/2026"),
    "provinces": (date(2025, 7, 1), "QĐ 19/2025/QĐ-TTg"),
    "communes": (date(2025, 7, 1), "QĐ 19/2025/QĐ-TTg"),
    "commune_changes": (date(2025, 7, 1), "vietnamadminunits 1.0.4 (MIT), không chính thức"),
    "facilities": (date(2024, 1, 1), "danh sách mẫu, mã tự đặt"),
    "rooms": (date(2024, 1, 1), "bệnh viện mẫu"),
    "services": (date(2024, 1, 1), "QĐ 3467, QĐ 3500/QĐ-BYT (2024), TT 23/2024"),
    "lab_indices": (date(2024, 1, 1), "khoảng tham chiếu thông dụng, phòng xét nghiệm tự đặt lại"),
    "drugs": (date(2024, 1, 1), "danh sách mẫu, giá tự đặt"),
    "referral_diseases": (date(2025, 1, 1), "TT 01/2025 Phụ lục III (mầm, chưa thẩm định)"),
}
SEARCHED = {"icd10": "icd", "drugs": "drug", "services": "service", "communes": "commune", "facilities": "facility"}
MAX_BYTES = 30 * 1024 * 1024
MAX_UNPACKED = 200 * 1024 * 1024
MAX_PARTS = 1000


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did or would do."""

    catalogue: str
    added: int
    changed: int
    closed: int
    unchanged: int
    digest: str
    already_done: bool = False


def read_file(name: str, data: bytes) -> tuple[list[str], list[list[str]]]:
    """Return heading and rows of a CSV or XLSX file. Raises `ImportRefused` for a file of the wrong kind.

    The content decides, not the name; packed files are looked at before they are unpacked.
    """

    def refuse(message: str) -> ImportRefused:
        return ImportRefused([ImportProblem(1, "", name, message)])

    if len(data) > MAX_BYTES:
        raise refuse("Tệp lớn hơn 30 MB. Chia nhỏ rồi nhập từng phần.")
    if not data:
        raise refuse("Tệp rỗng. Chọn tệp khác.")
    if data[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            data = packed.read(MAX_UNPACKED + 1)
        if len(data) > MAX_UNPACKED:
            raise refuse("Tệp nén bung ra quá lớn. Chia nhỏ rồi nhập từng phần.")
    try:
        rows = _spreadsheet(data) if data[:4] == b"PK\x03\x04" else _comma_separated(name, data)
    except _WrongFileError as error:
        raise refuse(str(error)) from error
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, InvalidFileException, SyntaxError) as error:
        raise refuse("Tệp không phải bảng tính XLSX. Lưu lại từ Excel hoặc LibreOffice rồi nhập.") from error
    except csv.Error as error:
        raise refuse(
            "Tệp CSV hỏng: có ô quá dài hoặc dấu nháy không khép. Mở bằng bảng tính, lưu lại rồi nhập."
        ) from error
    if not rows or not any(cell.strip() for cell in rows[0]):
        raise refuse("Tệp không có dòng tiêu đề.")
    return rows[0], rows[1:]


class _WrongFileError(Exception):
    """A file that is not what it should be; the message is for the user."""


def _spreadsheet(data: bytes) -> list[list[str]]:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        parts = packed.infolist()
        if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
            raise _WrongFileError("Bảng tính bung ra quá lớn. Chia nhỏ hoặc lưu thành CSV rồi nhập.")
    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    try:
        return [[_text(cell) for cell in row] for row in book.worksheets[0].iter_rows(values_only=True)]
    finally:
        book.close()


def _comma_separated(name: str, data: bytes) -> list[list[str]]:
    packed = (".csv", ".csv.gz")
    if not name.lower().endswith(packed) or b"\x00" in data[:4096] or data[:4] == b"%PDF":
        raise _WrongFileError("Chỉ nhận tệp CSV (UTF-8) hoặc XLSX. Xuất lại đúng loại tệp.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _WrongFileError("Tệp không phải UTF-8. Lưu lại với mã hóa UTF-8 rồi nhập.") from error
    heading = text.split("\n", 1)[0]
    delimiter = max((",", ";", "\t"), key=heading.count)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def import_catalogue(
    catalogue: str, name: str, data: bytes, *, valid_from: date, source: str, full: bool = False, dry_run: bool = False,
    actor: Actor,
) -> ImportReport:  # fmt: skip
    """Import a catalogue: all rows or none.

    An unchanged row stays; a changed one is closed on the day before ``valid_from`` and opened anew; with ``full``
    rows missing in the file are closed too. The same file for the same day twice changes nothing.
    Raises `ImportRefused` with every problem.
    """
    spec = rules.SPECS[catalogue]
    digest = hashlib.sha256(data).hexdigest()
    here = session()
    done = here.execute(
        select(CatalogueImport.import_id).where(
            CatalogueImport.catalogue == catalogue,
            CatalogueImport.digest == digest,
            CatalogueImport.valid_from == valid_from,
            CatalogueImport.is_applied,
        )
    ).first()
    if done is not None:
        return ImportReport(catalogue, 0, 0, 0, 0, digest, already_done=True)
    header, rows = read_file(name, data)
    numbered, problems = rules.read_rows(spec, header, rows)
    check = rules.CHECKS.get(catalogue)
    if check is not None and not problems:
        for number, row in numbered:
            column, message = check(row)
            if message:
                problems.append(ImportProblem(number, column, str(row.get(column)), message))
    problems += _check_references(catalogue, numbered) if not problems else []
    problems += _check_days(spec, numbered, valid_from) if not problems else []
    if problems:
        raise ImportRefused(problems)
    values = [row for _, row in numbered]
    return _apply(spec, values, valid_from, source, digest, full=full, dry_run=dry_run, actor=actor)


def _check_references(catalogue: str, numbered: list[tuple[int, dict[str, Any]]]) -> list[ImportProblem]:
    """Codes that point to other catalogues must exist there."""
    here = session()
    wanted: dict[str, tuple[str, Any]] = {
        "communes": ("province_code", select(Province.code)),
        "lab_indices": ("service_code", select(Service.code)),
        "commune_changes": ("new_commune_code", select(Commune.code)),
    }
    if catalogue not in wanted:
        return []
    column, statement = wanted[catalogue]
    known = set(here.execute(statement).scalars())
    return [
        ImportProblem(
            number, column, str(row[column]), "Mã này chưa có trong danh mục gốc. Nhập danh mục gốc trước hoặc sửa mã."
        )
        for number, row in numbered
        if row[column] not in known
    ][: rules.MAX_PROBLEMS]


def _check_days(
    spec: rules.FileSpec, numbered: list[tuple[int, dict[str, Any]]], valid_from: date
) -> list[ImportProblem]:
    """A day before the row in force would rewrite what bills of the days between were made with."""
    if not spec.is_dated:
        return []
    model = MODELS[spec.catalogue]
    keys = [getattr(model, name) for name in spec.key]
    later = {
        tuple(row[:-1]): row.valid_from
        for row in session().execute(
            select(*keys, model.valid_from).where(model.valid_to.is_(None), model.valid_from > valid_from)
        )
    }
    return [
        ImportProblem(
            number, spec.key[-1], str(row[spec.key[-1]]),
            f"Mã này đã có bản hiệu lực từ {later[key]:%d/%m/%Y}. Chọn ngày bắt đầu từ ngày đó trở đi.",
        )
        for number, row in numbered
        if (key := tuple(row[name] for name in spec.key)) in later
    ][: rules.MAX_PROBLEMS]  # fmt: skip


def _apply(
    spec: rules.FileSpec, values: list[dict[str, Any]], valid_from: date, source: str, digest: str, *, full: bool,
    dry_run: bool, actor: Actor,
) -> ImportReport:  # fmt: skip
    model = MODELS[spec.catalogue]
    here = session()
    names = [column.name for column in spec.columns]

    def key_of(row: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(row[name] for name in spec.key)

    primary = next(iter(model.__table__.primary_key.columns)).name
    current: dict[tuple[Any, ...], Any] = {}
    statement = select(model)
    if spec.is_dated:
        statement = statement.where(model.valid_to.is_(None))
    for row in here.execute(statement).scalars():
        current[tuple(getattr(row, name) for name in spec.key)] = row
    added: list[dict[str, Any]] = []
    replaced: list[Any] = []
    unchanged = 0
    for row in values:
        old = current.pop(key_of(row), None)
        if old is None:
            added.append(row)
        elif all(_same(getattr(old, name), row[name]) for name in names):
            unchanged += 1
        elif not spec.is_dated or old.valid_from >= valid_from:
            for name in names:
                setattr(old, name, row[name])
            replaced.append(old)
        else:
            replaced.append(old)
            added.append(row)
    closed = list(current.values()) if full and spec.is_dated else []
    report = ImportReport(
        spec.catalogue, len(added) - sum(1 for o in replaced if spec.is_dated and o.valid_from < valid_from), len(replaced),
        len(closed), unchanged, digest,
    )  # fmt: skip
    if dry_run:
        here.expire_all()
        return report
    run = CatalogueImport(
        catalogue=spec.catalogue, source=source[:300], digest=digest, valid_from=valid_from, user_id=actor.user_id,
        added_count=len(added), closed_count=len(closed) + len(replaced), unchanged_count=unchanged, is_applied=True,
    )  # fmt: skip
    here.add(run)
    here.flush()  # rows carry the import's id
    gone: list[int] = []
    if spec.is_dated:
        gone = [getattr(row, primary) for row in (*closed, *(r for r in replaced if r.valid_from < valid_from))]
        for start in range(0, len(gone), 500):
            here.execute(
                update(model)
                .where(getattr(model, primary).in_(gone[start : start + 500]))
                .values(valid_to=valid_from - timedelta(days=1))
                .execution_options(synchronize_session=False)
            )
    more = {"valid_from": valid_from, "valid_to": None, "import_id": run.import_id} if spec.is_dated else {}
    for start in range(0, len(added), 1000):
        here.execute(insert(model), [_defaults(model, {**row, **more}) for row in added[start : start + 1000]])
    here.flush()  # replaced rows are written before they are indexed
    here.expire_all()
    _index(spec.catalogue, {key_of(row) for row in values}, gone)
    audit.record(
        actor, Action.IMPORT, subject_type="catalogue_import", subject_id=run.import_id,
        details={"catalogue": spec.catalogue, "digest": digest, "added": len(added), "closed": len(closed)},
    )  # fmt: skip
    return report


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, Decimal) or isinstance(new, Decimal):
        return old is not None and new is not None and Decimal(old) == Decimal(new)
    return bool(old == new)


def _defaults(model: Any, row: dict[str, Any]) -> dict[str, Any]:
    """A missing whole number becomes 0 where the column wants one."""
    for column in model.__table__.columns:
        if column.name in row and row[column.name] is None and not column.nullable:
            row[column.name] = 0
    return row


def _index(catalogue: str, keys: set[tuple[Any, ...]], closed_ids: list[int]) -> None:
    kind = SEARCHED.get(catalogue)
    if kind is None:
        return
    model = MODELS[catalogue]
    here = session()
    if closed_ids:
        search.remove(kind, closed_ids)
    makers: dict[str, Callable[[Any, dict[str, str]], search.Entry]] = {
        "icd": _icd_entry, "drug": _drug_entry, "service": _service_entry, "commune": _commune_entry,
        "facility": _facility_entry,
    }  # fmt: skip
    make = makers[kind]
    provinces = {p.code: p.name for p in here.execute(select(Province)).scalars()} if kind == "commune" else {}
    rows = here.execute(select(model).where(model.valid_to.is_(None))).scalars()
    search.put(kind, (make(row, provinces) for row in rows if (row.code,) in keys))


def _icd_entry(row: IcdCode, _more: dict[str, str]) -> search.Entry:
    return search.Entry(
        row.icd_id, row.name_vi, row.name_vi, words=(row.name_en,), codes=(row.code,), weight=5 if len(row.code) > 3 else 0,
        extra={"code": row.code, "never_main": row.is_never_main, "discouraged": row.is_discouraged_main,
               "never_used": row.is_never_used, "death_only": row.is_death_only, "sex": row.sex_only},
    )  # fmt: skip


def _drug_entry(row: Drug, _more: dict[str, str]) -> search.Entry:
    label = f"{row.ingredient_vi} {row.strength}".strip() + (f" ({row.brand})" if row.brand else "")
    return search.Entry(
        row.drug_id, row.ingredient_vi, label, words=(row.inn, row.brand, row.strength, row.form),
        codes=(row.code, row.registration_no),
        extra={"code": row.code, "inn": row.inn, "strength": row.strength, "form": row.form, "unit": row.unit,
               "price": str(row.price), "insured": row.insurance_price > 0, "control_class": row.control_class},
    )  # fmt: skip


# What people type for what the price list spells out.
SHORT_FORMS = {
    "x quang": ("xquang", "xq"), "sieu am": ("sa",), "cat lop vi tinh": ("ct", "clvt"), "cong huong tu": ("mri", "cht"),
    "tong phan tich te bao mau": ("cong thuc mau", "ctm"), "tong phan tich nuoc tieu": ("tpt nuoc tieu", "tptnt"),
    "dien tim": ("ecg", "dien tam do"), "dien nao": ("eeg",), "chuc nang ho hap": ("do ho hap ky",),
}  # fmt: skip


def short_forms(name: str) -> tuple[str, ...]:
    """Return the short forms under which a service is asked for (``xq nguc``, ``ctm``)."""
    folded = search.fold(name)
    return tuple(short for long, shorts in SHORT_FORMS.items() if long in folded for short in shorts)


def _service_entry(row: Service, _more: dict[str, str]) -> search.Entry:
    return search.Entry(
        row.service_id, row.name, row.name, words=short_forms(row.name), codes=(row.code,), weight=9 if row.is_offered else 0,
        extra={"code": row.code, "kind": row.kind, "price": str(row.hospital_price), "offered": row.is_offered},
    )  # fmt: skip


def _commune_entry(row: Commune, provinces: dict[str, str]) -> search.Entry:
    label = f"{row.name}, {provinces.get(row.province_code, '')}"
    return search.Entry(row.commune_id, row.name, label, words=(provinces.get(row.province_code, ""),), codes=(row.code,),
                        extra={"code": row.code, "province": row.province_code})  # fmt: skip


def _facility_entry(row: Facility, _more: dict[str, str]) -> search.Entry:
    return search.Entry(row.facility_id, row.name, row.name, words=(row.address,), codes=(row.code,),
                        extra={"code": row.code, "level": row.level})  # fmt: skip


def load_packaged(*, actor: Actor) -> list[ImportReport]:
    """Import every packaged file that is not in yet; a second run changes nothing."""
    reports = []
    folder = files("his.catalogues").joinpath("data")
    for name, (first, source) in PACKAGED.items():
        path = folder.joinpath(f"{name}.csv")
        if not path.is_file():
            path = folder.joinpath(f"{name}.csv.gz")
        reports.append(
            import_catalogue(name, path.name, path.read_bytes(), valid_from=first, source=source, actor=actor)
        )
    _seed_holidays()
    return reports


def _seed_holidays() -> None:
    here = session()
    known = set(here.execute(select(Holiday.day)).scalars())
    seeded = holiday_days.country_holidays("VN", years=range(2024, 2031), language="vi")
    rows = [
        {"day": day, "name": name[:200], "source": "gói holidays 0.109; Bộ luật Lao động 2019 Đ112"}
        for day, name in sorted(seeded.items())
        if day not in known
    ]
    if rows:
        here.execute(insert(Holiday), rows)
