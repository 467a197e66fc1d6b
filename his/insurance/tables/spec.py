"""Frozen specifications of the claim tables, read from `data/tables.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

LAYER_4750: Final = date(2024, 7, 1)
LAYER_3176: Final = date(2025, 1, 1)
LAYER_1931: Final = date(2026, 7, 1)
_LAYERS: Final = (LAYER_4750, LAYER_3176, LAYER_1931)

CHECKIN_TABLE: Final = "XML0"
# XML12 is typed by assessment boards on the portal and is never in a hospital's file (QĐ 4750/QĐ-BYT).
CLAIM_TABLES: Final = tuple(f"XML{n}" for n in (*range(1, 12), 13, 14, 15))

# XML13 before QĐ 3176: fields later renamed, here with the name of their successor.
_RENAMED_4750: Final = {
    "MA_NOI_DI": "MA_CSKCB_DI",
    "MA_NOI_DEN": "MA_CSKCB_DEN",
    "PP_DIEU_TRI": "TINH_TRANG_CT",
}
# ... and dropped; free text without a stated limit.
_DROPPED_4750: Final = {"TEN_DICH_VU": "Tên dịch vụ", "TEN_THUOC": "Tên thuốc"}


class FieldType(StrEnum):
    """Shapes of values (`type_key` of the specification)."""

    TEXT = "text"
    NUMBER = "number"
    DECIMAL_TEXT = "decimal_text"
    TIME = "datetime12"
    DATE = "date8"
    DATES = "date8list"
    BIRTH = "birth12"
    DATE_OR_TIME = "date8_or_datetime12"


class Requirement(StrEnum):
    """Whether a field must hold a value."""

    ALWAYS = "always"
    CONDITIONAL = "conditional"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of one table on one day. ``max_length`` counts Unicode characters; None = no limit stated."""

    position: int
    name: str
    label: str
    type: FieldType
    max_length: int | None
    decimals: int | None
    requirement: Requirement
    condition: str = ""
    allowed: tuple[str, ...] = ()
    allowed_items: tuple[str, ...] = ()
    separator: str = ""
    code_list: str = ""
    meaning: str = ""
    since: str = ""


@dataclass(frozen=True)
class TableSpec:
    """One table on one day. Single-record tables hold their fields directly under the root."""

    code: str
    title: str
    root: str
    list_tag: str
    row_tag: str
    layer: date
    fields: tuple[FieldSpec, ...]

    @property
    def is_single(self) -> bool:
        """True when one document holds exactly one record."""
        return not self.list_tag

    @property
    def may_repeat(self) -> bool:
        """True when the table may occur more than once in a claim: one discharge paper per child of a birth."""
        return self.code == "XML7"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Field names in official order."""
        return tuple(field.name for field in self.fields)

    @cached_property
    def by_name(self) -> Mapping[str, FieldSpec]:
        """Fields by name, in official order."""
        return MappingProxyType({field.name: field for field in self.fields})


def layer_of(on: date) -> date:
    """First day of the layer of the standard in force on ``on`` (days before QĐ 4750 get that oldest layer)."""
    return max((layer for layer in _LAYERS if layer <= on), default=LAYER_4750)


def table_spec(code: str, on: date) -> TableSpec:
    """The table as in force on ``on``, the day the visit ended. KeyError for a table that is not sent as XML."""
    return table_specs(on)[code]


def table_specs(on: date) -> Mapping[str, TableSpec]:
    """All tables sent as XML, in ascending order, as in force on ``on``."""
    return _specs_of_layer(layer_of(on))


@cache
def _specs_of_layer(layer: date) -> Mapping[str, TableSpec]:
    specs: dict[str, TableSpec] = {}
    for table in _document()["tables"]:
        if table["code"] in (CHECKIN_TABLE, *CLAIM_TABLES):
            specs[table["code"]] = _table(table, layer)
    return MappingProxyType(specs)


@cache
def _document() -> Any:
    return json.loads((files("his.insurance") / "data" / "tables.json").read_text(encoding="utf-8"))


def _table(raw: dict[str, Any], layer: date) -> TableSpec:
    fields = tuple(_field(field, layer) for field in raw["fields"])
    if layer < LAYER_3176 and "fields_4750_order" in raw:
        fields = _before_3176(fields, raw["fields_4750_order"])
    xml = raw["xml"]
    return TableSpec(
        code=raw["code"],
        title=raw["title_vi"],
        root=xml["root"],
        list_tag=xml["list"] or "",
        row_tag=xml["row"],
        layer=layer,
        fields=fields,
    )


def _before_3176(fields: tuple[FieldSpec, ...], order: list[str]) -> tuple[FieldSpec, ...]:
    known = {field.name: field for field in fields}
    found = []
    for position, name in enumerate(order, start=1):
        if name in known:
            field = known[name]
        elif name in _RENAMED_4750:
            field = replace(known[_RENAMED_4750[name]], name=name)
            if name.startswith("MA_NOI"):  # one facility code before QĐ 3176 made it a list
                field = replace(field, max_length=5, separator="")
        else:
            field = FieldSpec(
                position, name, _DROPPED_4750[name], FieldType.TEXT, None, None, Requirement.OPTIONAL, since="QĐ 4750"
            )
        found.append(replace(field, position=position))
    return tuple(found)


def _field(raw: dict[str, Any], layer: date) -> FieldSpec:
    notes = raw.get("notes", "")
    changed = LAYER_1931 if "QĐ 1931" in notes else LAYER_3176
    length = raw["max_length"]
    kind = FieldType(raw["type"])
    if layer < changed and "max_length_4750" in raw:
        length = raw["max_length_4750"]
        if kind is FieldType.DATE and length == 12:  # NGAY_HEN_KL: 12 digits in QĐ 4750, 8 since QĐ 3176
            kind = FieldType.TIME
    return FieldSpec(
        position=raw["n"],
        name=raw["name"],
        label=raw["vi"],
        type=kind,
        max_length=length,
        decimals=raw.get("decimals", 2 if kind is FieldType.DECIMAL_TEXT else None),
        requirement=Requirement(raw["required"]),
        condition=raw.get("condition", ""),
        allowed=tuple(raw.get("allowed", ())),
        allowed_items=tuple(raw.get("allowed_items", ())),
        separator=raw.get("separator", ""),
        code_list=raw.get("code_list", ""),
        meaning=raw["meaning"],
        since=raw["since"],
    )


SINGLE_RECORD_TABLES: Final = frozenset(code for code, spec in _specs_of_layer(LAYER_1931).items() if spec.is_single)
