"""Pure parts of an import: what each catalogue's file looks like, and reading cells strictly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from his.catalogues.errors import ImportProblem

NUMBER = re.compile(r"^\d{1,12}(\.\d{1,3})?$", re.ASCII)
INTEGER = re.compile(r"^\d{1,9}$", re.ASCII)
MAX_ROWS = 200_000
MAX_PROBLEMS = 200


@dataclass(frozen=True, slots=True)
class Column:
    """One column: ``kind`` is text, code, int, amount, flag or extra; ``length`` in characters."""

    name: str
    kind: str = "text"
    length: int = 0
    required: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileSpec:
    """The file of one catalogue; ``key`` names the columns that identify a row."""

    catalogue: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ("code",)
    is_dated: bool = True


def _c(name: str, length: int, required: bool = True) -> Column:
    return Column(name, "code", length, required)


def _t(name: str, length: int, required: bool = False) -> Column:
    return Column(name, "text", length, required)


def _flag(name: str) -> Column:
    return Column(name, "flag")


def _amount(name: str, required: bool = False) -> Column:
    return Column(name, "amount", required=required)


def _signed(name: str) -> Column:
    return Column(name, "signed")


def _int(name: str, required: bool = False) -> Column:
    return Column(name, "int", required=required)


KINDS = ("exam", "laboratory", "imaging", "function", "procedure", "surgery", "bed", "other")
SPECS: dict[str, FileSpec] = {
    spec.catalogue: spec
    for spec in (
        FileSpec("code_lists", (_c("list_name", 40), _c("code", 20), _t("name_vi", 500, True), _t("name_en", 500),
                                Column("extra", "extra")), key=("list_name", "code")),
        FileSpec("icd10", (_c("code", 8), _t("mark", 1), _t("name_vi", 500, True), _t("name_en", 500), _t("chapter", 8),
                           _t("type3", 3), _flag("is_never_main"), _flag("is_discouraged_main"), _flag("is_never_used"),
                           _flag("is_finer_code_doubtful"), _flag("is_death_only"),
                           Column("sex_only", "text", 1, choices=("", "F", "M")), _int("age_min_days"), _int("age_max_days"))),
        FileSpec("provinces", (_c("code", 2), _t("name", 80, True))),
        FileSpec("communes", (_c("code", 5), _c("province_code", 2), _t("name", 80, True))),
        FileSpec("commune_changes", (_t("old_folded", 200, True), _c("old_province_code", 2), _t("old_name", 200, True),
                                     _c("new_commune_code", 5), _flag("is_split"), _flag("is_default")),
                 key=("old_folded", "new_commune_code"), is_dated=False),
        FileSpec("facilities", (_c("code", 5), _t("name", 200, True), _t("level", 20), _t("address", 300), _t("province_code", 2))),
        FileSpec("rooms", (_c("code", 12), _t("name", 120, True), _t("place", 120),
                           Column("kind", "text", 16, True, ("clinic", "laboratory", "imaging", "cashier", "pharmacy", "desk")),
                           _c("department_code", 20), _t("exam_service_code", 24), _flag("is_open"), _int("sort"))),
        FileSpec("services", (_c("code", 24), _t("name", 500, True), _c("cost_group", 2), Column("kind", "text", 16, True, KINDS),
                              _t("unit", 20, True), _amount("hospital_price", True), _amount("insurance_price", True),
                              _int("insurance_rate", True), _t("machine_code", 60), _t("price_basis", 60), _flag("is_offered"))),
        FileSpec("lab_indices", (_c("code", 24), _t("name_vi", 200, True), _t("name_en", 200), _c("service_code", 24),
                                 _t("unit", 24), _t("specimen", 80), _t("loinc", 12), _t("value_type", 8), _int("decimals"),
                                 _int("age_min_days"), _int("age_max_days"), _signed("male_low"), _signed("male_high"),
                                 _signed("female_low"), _signed("female_high"), _signed("critical_low"),
                                 _signed("critical_high"), _int("sort")), key=("code", "age_min_days")),
        FileSpec("drugs", (_c("code", 24), _t("ingredient_code", 40), _t("inn", 300, True), _t("ingredient_vi", 300, True),
                           _t("brand", 200), _t("strength", 120), _t("form", 120), _c("route_code", 8), _t("unit", 24, True),
                           _t("registration_no", 40), _t("tender", 120), _t("atc", 8), _t("control_class", 16, True),
                           _amount("price", True), _amount("insurance_price", True), _int("insurance_rate", True),
                           _c("cost_group", 2))),
        FileSpec("referral_diseases", (_c("icd_prefix", 8), _t("scope", 24, True), _t("note", 2000)), key=("icd_prefix",)),
    )
}  # fmt: skip


def _cell(column: Column, text: str) -> tuple[Any, str]:
    """Return (value, problem); problem is a Vietnamese sentence that says what to do."""
    text = text.strip()
    if text[:1] in ("=", "+", "@") and column.kind in ("text", "code"):
        return None, "Ô chứa công thức. Dán lại dưới dạng giá trị."
    if not text:
        if column.required:
            return None, "Ô bắt buộc đang trống. Điền giá trị."
        return {"int": None, "amount": None, "signed": None, "flag": False, "extra": {}}.get(column.kind, ""), ""
    if column.kind in ("text", "code"):
        if column.length and len(text) > column.length:
            return None, f"Dài {len(text)} ký tự, nhiều nhất {column.length}. Rút ngắn."
        if column.choices and text not in column.choices:
            return None, f"Chỉ nhận: {', '.join(c for c in column.choices if c)}."
        if column.kind == "code" and any(c.isspace() and c != " " for c in text):
            return None, "Mã có khoảng trắng lạ. Gõ lại mã."
        return text, ""
    if column.kind == "int":
        return (int(text), "") if INTEGER.match(text) else (None, "Cần số nguyên không âm.")
    if column.kind == "amount":
        plain = text.replace(",", ".")
        return (Decimal(plain), "") if NUMBER.match(plain) else (None, "Cần số không âm, ví dụ 50600 hoặc 14.2.")
    if column.kind == "signed":
        plain = text.replace(",", ".")
        good = NUMBER.match(plain.removeprefix("-"))
        return (Decimal(plain), "") if good else (None, "Cần số, ví dụ -2 hoặc 14.2.")
    if column.kind == "flag":
        return (text == "1", "") if text in ("0", "1") else (None, "Chỉ nhận 0 hoặc 1.")
    pairs = [part.split("=", 1) for part in text.split("|")]
    if any(len(pair) != 2 for pair in pairs):
        return None, "Cần dạng tên=giá trị, ngăn bằng dấu |."
    return dict(pairs), ""


def read_rows(
    spec: FileSpec, header: list[str], rows: Iterable[list[str]]
) -> tuple[list[tuple[int, dict[str, Any]]], list[ImportProblem]]:
    """Read a file strictly; returns (row number, values) and every problem (row, column, value, what to do).

    Rows are numbered as a spreadsheet shows them: the heading is 1.
    """
    problems: list[ImportProblem] = []
    names = [name.strip().lstrip("\ufeff") for name in header]
    missing = [c.name for c in spec.columns if c.name not in names and c.required]
    problems += [ImportProblem(1, name, "", f"Thiếu cột «{name}». Thêm cột này vào dòng tiêu đề.") for name in missing]
    unknown = [name for name in names if name and name not in {c.name for c in spec.columns}]
    problems += [
        ImportProblem(1, name, "", f"Cột «{name}» không có trong danh mục này. Xóa cột hoặc sửa tên.")
        for name in unknown
    ]
    if problems:
        return [], problems
    index = {name: i for i, name in enumerate(names)}
    found: list[tuple[int, dict[str, Any]]] = []
    seen: dict[tuple[Any, ...], int] = {}
    for number, cells in enumerate(rows, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if number > MAX_ROWS or len(problems) >= MAX_PROBLEMS:
            problems.append(
                ImportProblem(
                    number, "", "", "Quá nhiều dòng hoặc quá nhiều lỗi. Chia nhỏ tệp hoặc sửa các lỗi trên trước."
                )
            )
            break
        values: dict[str, Any] = {}
        for column in spec.columns:
            place = index.get(column.name)
            text = cells[place] if place is not None and place < len(cells) else ""
            value, problem = _cell(column, text)
            if problem:
                problems.append(ImportProblem(number, column.name, text[:60], problem))
            values[column.name] = value
        key = tuple(values.get(name) for name in spec.key)
        if key in seen:
            problems.append(
                ImportProblem(number, spec.key[-1], str(key[-1]), f"Mã này đã có ở dòng {seen[key]}. Xóa một dòng.")
            )
        seen[key] = number
        found.append((number, values))
    if not found and not problems:
        problems.append(ImportProblem(1, "", "", "Tệp không có dòng dữ liệu nào."))
    return found, problems


Check = Callable[[Mapping[str, Any]], tuple[str, str]]


def check_service(row: Mapping[str, Any]) -> tuple[str, str]:
    """Rates are percentages."""
    if row["insurance_rate"] is not None and row["insurance_rate"] > 100:
        return "insurance_rate", "Tỷ lệ thanh toán từ 0 đến 100."
    return "", ""


CHECKS: dict[str, Check] = {"services": check_service, "drugs": check_service}
