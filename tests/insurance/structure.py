"""An independent check of a claim file: lxml against this folder's own copy of `tables.json`, none of our code."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

from lxml import etree

TABLES: dict[str, Any] = {
    table["code"]: table for table in json.loads((Path(__file__).parent / "data" / "tables.json").read_text("utf-8"))["tables"]
}


def tables_in(data: bytes) -> dict[str, list[dict[str, str]]]:
    """The rows of a claim file by table, read field by field in the order of the file."""
    root = etree.fromstring(data)
    assert root.tag == "GIAMDINHHS"
    assert [child.tag for child in root] == ["THONGTINDONVI", "THONGTINHOSO", "CHUKYDONVI"]
    info = root.find("THONGTINHOSO")
    assert info is not None
    assert [child.tag for child in info] == ["NGAYLAP", "SOLUONGHOSO", "DANHSACHHOSO"]
    assert info.findtext("SOLUONGHOSO") == "1"
    found: dict[str, list[dict[str, str]]] = {}
    for item in info.iterfind("DANHSACHHOSO/HOSO/FILEHOSO"):
        assert [child.tag for child in item] == ["LOAIHOSO", "NOIDUNGFILE"]
        code = item.findtext("LOAIHOSO") or ""
        assert code not in found
        table = etree.fromstring(base64.b64decode(item.findtext("NOIDUNGFILE") or "", validate=True))
        shape = TABLES[code]["xml"]
        assert table.tag == shape["root"]
        if shape["list"]:
            assert [child.tag for child in table] == [shape["list"]]
            records = list(table[0])
            assert {record.tag for record in records} == {shape["row"]}
        else:
            records = [table]
        found[code] = [_record(code, record) for record in records]
    return found


def _record(code: str, record: Any) -> dict[str, str]:
    """One record: every field of the table, each once, in the official order."""
    names = [child.tag for child in record]
    assert names == [field["name"] for field in TABLES[code]["fields"]], code
    return {child.tag: child.text or "" for child in record}


def breaches(data: bytes) -> list[str]:
    """What is wrong with shape, need, length and codes of the fields, judged from the table list alone."""
    found = tables_in(data)
    order = list(TABLES)
    problems = [] if sorted(found, key=order.index) == list(found) else ["tables out of order"]
    key = found["XML1"][0]["MA_LK"]
    for code, rows in found.items():
        for number, row in enumerate(rows, start=1):
            if row["MA_LK"] != key:
                problems.append(f"{code} {number}: MA_LK")
            if "STT" in row and row["STT"] != str(number):
                problems.append(f"{code} {number}: STT {row['STT']}")
            for field in TABLES[code]["fields"]:
                problem = _breach(field, row[field["name"]])
                if problem:
                    problems.append(f"{code} {number} {field['name']}: {problem} ({row[field['name']]!r})")
    return problems


def _breach(field: dict[str, Any], value: str) -> str:
    if not value:
        return "required" if field["required"] == "always" else ""
    longest = field.get("max_length")
    if longest and len(value) > longest:
        return f"longer than {longest}"
    if value != value.strip() or "\n" in value:
        return "blanks"
    kind = field["type"]
    decimals = field.get("decimals") or 0
    shapes = {
        "number": rf"\d+(\.\d{{1,{decimals}}})?" if decimals else r"\d+",
        "datetime12": r"\d{12}(;\d{12})*",
        "date8": r"\d{8}",
        "date8list": r"\d{8}(;\d{8})*",
        "birth12": r"\d{12}",
    }
    if kind in shapes and not re.fullmatch(shapes[kind], value):
        return f"not a {kind}"
    if field.get("allowed") and value not in field["allowed"]:
        return "not an allowed code"
    return ""
