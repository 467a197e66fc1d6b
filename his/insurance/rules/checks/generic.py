"""Rules that need no function: emptiness, length, shape, code values, membership, conditions, blanks.

Compiled once per table, layer and catalogue shape from the specification and the official list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from his.insurance.rules.checks.catalogue import CheckCatalogue
from his.insurance.rules.checks.conditions import CONDITIONS, NEEDS, SETTINGS, Condition
from his.insurance.rules.checks.context import Context, RowView, fits_catalogue
from his.insurance.rules.document import day_of, time_of
from his.insurance.rules.findings import Finding
from his.insurance.rules.registry import make_finding, rule_specs
from his.insurance.tables import FieldSpec, FieldType, Requirement, table_spec

Shape = Callable[[str], bool]

TRIM_RULE: Final = "ALL-ALL-TRIM"
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_TYPES_SINCE: Final = date(2026, 8, 1)
_OLD_VISIT_TYPES: Final = frozenset(f"{n:02}" for n in range(1, 11))
_CODE_PREFIX: Final = "every code exists and is in force in: "
_ITEM_PREFIX: Final = 'each ";" item one of '
_SERVICE_TAIL: Final = re.compile(r"(_(GT|TB|TT))?(\.K\.[0-9A-Z]{5})?$")
# Beginning of the name of a code list → attribute of the catalogue.
_LISTS: Final = (
    ("QĐ 2010/", "services"),
    ("common drug code set", "drugs"),
    ("issued by the portal", "supplies"),
    ("TT 07/2016", "nationalities"),
    ("QĐ 121-TCTK", "ethnicities"),
    ("QĐ 34/2020", "occupations"),
    ("ICD-10", "icd10"),
    ("traditional-medicine", "traditional_diseases"),
    ("ICD-9-CM", "procedures"),
    ("QĐ 1804/QĐ-BYT 2026 annex 02", "departments"),
    ("QĐ 824/QĐ-BYT 2023 annex 3", "processing_methods"),
    ("route-of-use", "routes"),
    ("QĐ 3276/QĐ-BYT 2025 annex 2", "fuels"),
    ("QĐ 1227/", "lab_indices"),
    ("QĐ 5937 annex 10", "hiv_regimens"),
)
_PLACES: Final = {"MATINH_CU_TRU": "provinces", "MAXA_CU_TRU": "communes"}
_SELF_WRITTEN: Final = ("VM.", "BB.", "VC.", "00.0000")


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to ask of one field; "" = no such rule."""

    field: FieldSpec
    required: str
    length: str
    shape_rule: str
    shape: Shape | None
    enum: str
    allowed: frozenset[str]
    allowed_each: bool
    code: str
    catalogue: str


def check_row(context: Context, row: RowView) -> Iterator[Finding]:
    """Findings of the generic rules of one row."""
    for plan in _plans(row.table, context.ended_on >= _TYPES_SINCE, context.ended_on):
        name = plan.field.name
        value = row.values.get(name, "")
        if not value or value.isspace():
            if plan.required:
                yield _finding(plan.required, row, name, f"Nhập {plan.field.label}.")
            if not value:
                continue
        if value != value.strip() or _CONTROL.search(value):
            yield _finding(TRIM_RULE, row, name, "Bỏ khoảng trắng đầu, cuối và ký tự xuống dòng, điều khiển.")
        longest = plan.field.max_length
        if plan.length and longest is not None and len(value) > longest:
            yield _finding(plan.length, row, name, f"Rút còn tối đa {longest} ký tự (đang {len(value)}).")
        if plan.shape is not None and not plan.shape(value):
            yield _finding(plan.shape_rule, row, name, _shape_advice(plan.field))
        if plan.enum and not _is_allowed(plan, value):
            yield _finding(plan.enum, row, name, f"Chọn một trong: {' '.join(sorted(plan.allowed, key=_code_order))}.")
        if plan.code:
            unknown = _unknown_codes(context.catalogue, plan, value)
            if unknown:
                yield _finding(plan.code, row, name, f"Không có trong danh mục: {', '.join(unknown[:5])}.")
    for rule_id, condition in _conditions(row.table):
        name = rule_specs()[rule_id].field
        if not row.values.get(name) and _is_on(context, rule_id) and condition(context, row):
            label = table_spec(row.table, context.ended_on).by_name[name].label
            yield _finding(rule_id, row, name, f"Nhập {label}.")


def generic_rule_ids() -> frozenset[str]:
    """Official ids judged by this module."""
    found = {TRIM_RULE}
    for rule in rule_specs().values():
        if rule.table.startswith("XML") and (
            rule.id in CONDITIONS or any(rule.id in _ids(plan) for plan in _plans_of(rule.table))
        ):
            found.add(rule.id)
    return frozenset(found)


def catalogue_of(rule_id: str) -> str:
    """Attribute of the catalogue a generic rule needs, "" when it needs none."""
    if rule_id in NEEDS:
        return NEEDS[rule_id]
    rule = rule_specs()[rule_id]
    if not rule.text.startswith(_CODE_PREFIX):
        return ""
    return _list_attribute(rule.field, rule.text.removeprefix(_CODE_PREFIX))


def _ids(plan: _Plan) -> tuple[str, ...]:
    return plan.required, plan.length, plan.shape_rule, plan.enum, plan.code


def _plans_of(table: str) -> tuple[_Plan, ...]:
    return _plans(table, True, date(2026, 12, 31))


def _plans(table: str, new_types: bool, on: date) -> tuple[_Plan, ...]:
    return _compiled(table, new_types, table_spec(table, on).layer)


@cache
def _compiled(table: str, new_types: bool, layer: date) -> tuple[_Plan, ...]:
    return tuple(_plan(table, field, new_types) for field in table_spec(table, layer).fields)


def _plan(table: str, field: FieldSpec, new_types: bool) -> _Plan:
    rules = rule_specs()

    def known(kind: str) -> str:
        rule_id = f"{table}-{field.name}-{kind}"
        return rule_id if rule_id in rules else ""

    shape_rule, shape = "", None
    if field.type in (FieldType.NUMBER, FieldType.DECIMAL_TEXT):
        shape_rule, shape = known("NUM"), _number_shape(field.decimals or 0)
    elif field.type is not FieldType.TEXT:
        shape_rule, shape = known("DATE"), _date_shape(field)
    allowed = frozenset(field.allowed or field.allowed_items)
    if field.name == "MA_LOAI_KCB" and not new_types:  # QĐ 824/QĐ-BYT 2023 until 31/07/2026
        allowed = _OLD_VISIT_TYPES
    code = known("CODE")
    enum = known("ENUM")
    return _Plan(
        field=field,
        required=known("REQ") if field.requirement is Requirement.ALWAYS else "",
        length=known("LEN"),
        shape_rule=shape_rule,
        shape=shape if shape_rule else None,
        enum=enum,
        allowed=allowed,
        allowed_each=bool(enum) and rules[enum].text.startswith(_ITEM_PREFIX),
        code=code,
        catalogue=_list_attribute(field.name, field.code_list) if code else "",
    )


def _list_attribute(name: str, code_list: str) -> str:
    if name in _PLACES:
        return _PLACES[name]
    return next(attribute for beginning, attribute in _LISTS if code_list.startswith(beginning))


def _number_shape(decimals: int) -> Shape:
    tail = rf"(\.[0-9]{{1,{decimals}}})?" if decimals else ""
    match = re.compile(rf"[0-9]+{tail}").fullmatch
    return lambda value: match(value) is not None


def _date_shape(field: FieldSpec) -> Shape:
    match field.type:
        case FieldType.TIME if (field.max_length or 0) > 12:
            return lambda value: all(time_of(part) for part in value.split(";"))
        case FieldType.TIME:
            return lambda value: time_of(value) is not None
        case FieldType.DATE:
            return _is_day
        case FieldType.DATES:
            blank = field.name == "GT_THE_DEN"  # cards of the army and police may have no end
            return lambda value: all(_is_day(part) or (blank and not part) for part in value.split(";"))
        case FieldType.BIRTH:
            return _is_birth
        case _:
            return lambda value: _is_day(value) or time_of(value) is not None


def _is_day(value: str) -> bool:
    return len(value) == 8 and day_of(value) is not None


def _is_birth(value: str) -> bool:
    """Tell whether a text is yyyymmddHHMM, with mmdd and HHMM 0000 when unknown."""
    if len(value) != 12 or not value.isdigit() or not value.isascii():
        return False
    if value[4:8] == "0000":
        return value[:4] != "0000" and value[8:] == "0000"
    return time_of(value) is not None


def _shape_advice(field: FieldSpec) -> str:
    match field.type:
        case FieldType.NUMBER | FieldType.DECIMAL_TEXT if field.decimals:
            return f"Chỉ ghi chữ số và dấu chấm thập phân, tối đa {field.decimals} số lẻ."
        case FieldType.NUMBER:
            return "Chỉ ghi chữ số."
        case FieldType.DATE | FieldType.DATES:
            return "Ghi ngày có thật, dạng yyyymmdd."
        case _:
            return "Ghi ngày giờ có thật, dạng yyyymmddHHMM."


def _is_allowed(plan: _Plan, value: str) -> bool:
    if plan.allowed_each:
        return all(item in plan.allowed for item in value.split(";"))
    return value in plan.allowed


def _code_order(code: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in code.split("."))


def _unknown_codes(catalogue: CheckCatalogue, plan: _Plan, value: str) -> list[str]:
    known: Collection[str] | None
    if plan.catalogue == "departments":
        known = catalogue.known_departments()
    else:
        known = getattr(catalogue, plan.catalogue)
    if known is None:
        return []
    listed = plan.field.separator or plan.field.code_list.startswith(("ICD", "traditional"))
    codes = [code for code in (value.split(";") if listed else [value]) if code]
    return [code for code in codes if not _is_known(plan.catalogue, code, known)]


def _is_known(attribute: str, code: str, known: Collection[str]) -> bool:
    if attribute == "departments":
        # Kxxyy joins two departments, Kxx.n and Kxx.Dnn are parts of one (QĐ 1804/QĐ-BYT 2026).
        parts = (f"K{code[1:3]}", *((f"K{code[3:5]}",) if code[3:5].isdigit() else ()))
        return code in known or all(part in known for part in parts)
    if attribute in ("services", "drugs"):
        return code.startswith(_SELF_WRITTEN) or code in known or _SERVICE_TAIL.sub("", code) in known
    return fits_catalogue(code, known)


@cache
def _conditions(table: str) -> tuple[tuple[str, Condition], ...]:
    return tuple((rule_id, test) for rule_id, test in CONDITIONS.items() if rule_specs()[rule_id].table == table)


def _is_on(context: Context, rule_id: str) -> bool:
    switch = SETTINGS.get(rule_id)
    return switch is None or bool(getattr(context.settings, switch))


def _finding(rule_id: str, row: RowView, name: str, advice: str) -> Finding:
    return make_finding(rule_id, table=row.table, row_number=row.number, row=row.values, field=name, suggestion=advice)
