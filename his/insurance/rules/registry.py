"""The official list of checks as data, and who can fix what."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from his.core.errors import Severity
from his.insurance.enums import AnchorKind, Fixer
from his.insurance.rules.findings import Anchor, Finding

_SHOWN: Final = 120
_BY_GROUP: Final = "by_group"
_GROUP_OWNER: Final = {
    "1": Fixer.LABORATORY_TECHNICIAN,
    "2": Fixer.IMAGING_TECHNICIAN,
    "3": Fixer.IMAGING_TECHNICIAN,
    "8": Fixer.DOCTOR,
    "13": Fixer.DOCTOR,
    "14": Fixer.NURSE,
    "15": Fixer.NURSE,
    "16": Fixer.NURSE,
    "18": Fixer.DOCTOR,
    "10": Fixer.PHARMACIST,
    "11": Fixer.PHARMACIST,
}


# The list's sources are kept as received; these words of theirs are English.
_SOURCE_WORDS: Final = (
    ("insurer sheet 4750", "bảng kiểm của BHXH theo QĐ 4750"),
    ("public 3176 checker", "bộ kiểm tra QĐ 3176 công khai"),
    ("QĐ 3176 reading", "QĐ 3176"),
    ("BHXH letter", "công văn BHXH"),
    ("BHXH 3176 guide", "hướng dẫn QĐ 3176 của BHXH"),
    ("administrative units after 01/07/2025", "đơn vị hành chính từ 01/07/2025"),
    ("traditional-medicine codes of the common code set", "danh mục mã y học cổ truyền dùng chung"),
    ("route-of-use list of the common code set", "danh mục đường dùng dùng chung"),
    ("common drug code set", "danh mục thuốc dùng chung"),
    ("type changed from number to text by", "đổi kiểu theo"),
    ("changed by", "sửa theo"),
    ("issued by the portal", "mã do cổng cấp"),
    ("derived", "suy ra từ công thức"),
    ("practice", "thực tế áp dụng"),
    ("and amendments", "và các sửa đổi"),
    ("annex", "phụ lục"),
    ("Art.", "Điều"),
    ("in force", "hiệu lực"),
    ("until", "đến"),
)


def source_text(source: str) -> str:
    """Where a rule comes from, in Vietnamese."""
    for english, vietnamese in _SOURCE_WORDS:
        source = source.replace(english, vietnamese)
    return source.partition("; labels")[0]


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One official check. ``table`` is XML0..XML15, ENV (envelope) or ALL; ``text`` is the rule in English."""

    id: str
    table: str
    field: str
    text: str
    severity: Severity
    message_vi: str
    source: str

    @property
    def kind(self) -> str:
        """The last part of the id: REQ, LEN, NUM, DATE, ENUM, CODE, REQC or the name of a special rule."""
        return self.id.rpartition("-")[2]


@dataclass(frozen=True, slots=True)
class _Owner:
    who: str
    anchor: AnchorKind
    key: str


@cache
def rule_specs() -> Mapping[str, RuleSpec]:
    """Every official check by id, in the order of the list."""
    return MappingProxyType(
        {
            row["id"]: RuleSpec(
                id=row["id"],
                table=row["table"],
                field=row["field"],
                text=row["rule"],
                severity=Severity(row["severity"]),
                message_vi=row["message_vi"],
                source=row["source"],
            )
            for row in read_table("validation-rules.csv")
        }
    )


def read_table(name: str) -> list[dict[str, str]]:
    """Rows of a CSV file of this module's data."""
    text = (files("his.insurance") / "data" / name).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def make_finding(
    rule_id: str,
    *,
    table: str = "",
    row_number: int = 0,
    row: Mapping[str, str] | None = None,
    field: str = "",
    value: str | None = None,
    suggestion: str = "",
    severity: Severity | None = None,
    group: str = "",
) -> Finding:
    """A finding with the official message. ``group`` is MA_NHOM of the service, when ``row`` does not carry it."""
    rule = rule_specs()[rule_id]
    place = table or rule.table
    shown_field = field or rule.field
    owner = _owner(rule_id, place, shown_field)
    values = row or {}
    shown = values.get(shown_field, "") if value is None else value
    return Finding(
        rule_id=rule_id,
        table=place,
        row=row_number,
        field=shown_field,
        value=shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…",
        message_vi=rule.message_vi,
        severity=severity or rule.severity,
        source=rule.source,
        suggestion=suggestion,
        who=_who(owner.who, values.get("MA_NHOM") or group),
        anchor=Anchor(owner.anchor, _key(owner, values)),
        rule_text=rule.text,
    )


def _who(name: str, group: str) -> Fixer:
    if name == _BY_GROUP:
        return _GROUP_OWNER.get(group, Fixer.LABORATORY_TECHNICIAN)
    return Fixer(name)


def _key(owner: _Owner, values: Mapping[str, str]) -> str:
    wanted = [owner.key]
    if owner.key in ("MA_DICH_VU", "MA_VAT_TU"):  # a line of XML3 carries one or the other
        wanted += ["MA_DICH_VU", "MA_VAT_TU"]
    return next((values[name] for name in (*wanted, "MA_LK") if values.get(name)), "")


@cache
def _owner(rule_id: str, table: str, field: str) -> _Owner:
    by_rule, by_field = _owners()
    return by_rule.get(rule_id) or by_field.get((table, field)) or by_field.get((table, "")) or by_field[("ALL", "")]


@cache
def _owners() -> tuple[dict[str, _Owner], dict[tuple[str, str], _Owner]]:
    by_rule = {}
    by_field = {}
    for row in read_table("owners.csv"):
        owner = _Owner(row["who"], AnchorKind(row["anchor"]), row["key"])
        if row["rule"]:
            by_rule[row["rule"]] = owner
        else:
            by_field[(row["table"], row["field"])] = owner
    return by_rule, by_field
