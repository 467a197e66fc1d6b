"""Claim and check-in files as bytes.

Two writers of the same file: a tree writer (the reference) and an escaping writer (the one in use, about four
times as fast); tests prove them equal under C14N. The signature is put into CHUKYDONVI afterwards, by a signer
that works on the finished bytes.

Source: envelope per letter 1245/BHXH-CNTT; one HOSO per file, as the insurer's service takes it; tables ascending,
each once (XML7 once per child), absent without rows; inside a table every field in official order, an empty
element for no value; NOIDUNGFILE is Base64 of the UTF-8 table document.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from his.core.errors import DomainError
from his.core.xml import illegal_characters
from his.insurance.rules.document import CheckinDocument, ClaimDocument
from his.insurance.tables import CHECKIN_TABLE, LAYER_1931, Row, TableSpec, table_specs

_DECLARATION: Final = b'<?xml version="1.0" encoding="utf-8"?>'
_NAMESPACES: Final = {
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsd": "http://www.w3.org/2001/XMLSchema",
}
_OPENING: Final = (
    "<GIAMDINHHS"
    + "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in _NAMESPACES.items())
    + "><THONGTINDONVI><MACSKCB>{}</MACSKCB></THONGTINDONVI>"
    "<THONGTINHOSO><NGAYLAP>{}</NGAYLAP><SOLUONGHOSO>1</SOLUONGHOSO><DANHSACHHOSO><HOSO>"
)
_CLOSING: Final = b"</HOSO></DANHSACHHOSO></THONGTINHOSO><CHUKYDONVI></CHUKYDONVI></GIAMDINHHS>"
# Anything but characters that can be copied as they are: markup, carriage return, what XML cannot hold.
_SPECIAL: Final = re.compile("[^\t\n\x20-%'-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_RETURN: Final = {"\r": "&#13;"}


class ClaimNotWritable(DomainError):
    """The values cannot be written as a claim file; names table, row and field."""

    code = "claim_not_writable"


def write_claim(claim: ClaimDocument) -> bytes:
    """The claim file. Raises `ClaimNotWritable`."""
    parts = [_DECLARATION, _OPENING.format(escape(_facility(claim)), _made_on(claim)).encode()]
    for spec, rows in _documents(claim):
        parts.append(f"<FILEHOSO><LOAIHOSO>{spec.code}</LOAIHOSO><NOIDUNGFILE>".encode())
        parts.append(b64encode(_table_bytes(spec, rows)))
        parts.append(b"</NOIDUNGFILE></FILEHOSO>")
    parts.append(_CLOSING)
    return b"".join(parts)


def write_claim_tree(claim: ClaimDocument) -> bytes:
    """The same file by the tree API: the reference `write_claim` is measured against."""
    root = etree.Element("GIAMDINHHS", nsmap=_NAMESPACES)
    etree.SubElement(etree.SubElement(root, "THONGTINDONVI"), "MACSKCB").text = _facility(claim)
    info = etree.SubElement(root, "THONGTINHOSO")
    etree.SubElement(info, "NGAYLAP").text = _made_on(claim)
    etree.SubElement(info, "SOLUONGHOSO").text = "1"
    case = etree.SubElement(etree.SubElement(info, "DANHSACHHOSO"), "HOSO")
    for spec, rows in _documents(claim):
        item = etree.SubElement(case, "FILEHOSO")
        etree.SubElement(item, "LOAIHOSO").text = spec.code
        table = etree.Element(spec.root)
        _grow(table, spec, rows)
        etree.SubElement(item, "NOIDUNGFILE").text = b64encode(_serialise(table)).decode("ascii")
    etree.SubElement(root, "CHUKYDONVI")
    return _serialise(root)


def write_checkin(checkin: CheckinDocument) -> bytes:
    """The check-in file (XML0): one patient, one row, CHUKYDONVI last. Raises `ClaimNotWritable`."""
    spec = table_specs(LAYER_1931)[CHECKIN_TABLE]
    return _table_bytes(spec, [checkin.row], tail="<CHUKYDONVI></CHUKYDONVI>")


def write_checkin_tree(checkin: CheckinDocument) -> bytes:
    """The same file by the tree API."""
    spec = table_specs(LAYER_1931)[CHECKIN_TABLE]
    root = etree.Element(spec.root)
    _grow(root, spec, [checkin.row])
    etree.SubElement(root, "CHUKYDONVI")
    return _serialise(root)


def _documents(claim: ClaimDocument) -> Iterable[tuple[TableSpec, Sequence[Row]]]:
    specs = table_specs(claim.ended_on or claim.made_on or LAYER_1931)
    unknown = [code for code in claim.tables if code not in specs or code == CHECKIN_TABLE]
    if unknown:
        raise ClaimNotWritable(f"Bảng {', '.join(unknown)} không gửi trong hồ sơ giám định.")
    if not claim.tables.get("XML1"):
        raise ClaimNotWritable("Hồ sơ không có bảng XML1.")
    for code, spec in specs.items():
        rows = claim.tables.get(code)
        if not rows:
            continue
        if not spec.is_single:
            yield spec, rows
        elif len(rows) == 1 or spec.may_repeat:
            for row in rows:
                yield spec, [row]
        else:
            raise ClaimNotWritable(f"Bảng {code} chỉ có một bản ghi, đang có {len(rows)}.")


def _facility(claim: ClaimDocument) -> str:
    _refuse_illegal("GIAMDINHHS", 0, "MACSKCB", claim.facility_code)
    return claim.facility_code


def _made_on(claim: ClaimDocument) -> str:
    if claim.made_on is None:
        raise ClaimNotWritable("Hồ sơ chưa có ngày lập (NGAYLAP).")
    return f"{claim.made_on:%Y%m%d}"


def _table_bytes(spec: TableSpec, rows: Sequence[Row], tail: str = "") -> bytes:
    template, names = _template(spec.code, spec.layer)
    parts = []
    for number, row in enumerate(rows, start=1):
        values = _values(spec, number, row, names)
        if _SPECIAL.search("".join(values)):
            values = [_escaped(spec, number, name, value) for name, value in zip(names, values, strict=True)]
        parts.append(template % tuple(values))
    body = "".join(parts)
    if not spec.is_single:
        body = f"<{spec.list_tag}>{body}</{spec.list_tag}>"
    return _DECLARATION + f"<{spec.root}>{body}{tail}</{spec.root}>".encode()


@cache
def _template(code: str, layer: date) -> tuple[str, tuple[str, ...]]:
    spec = table_specs(layer)[code]
    fields = "".join(f"<{name}>%s</{name}>" for name in spec.names)
    return (fields if spec.is_single else f"<{spec.row_tag}>{fields}</{spec.row_tag}>"), spec.names


def _values(spec: TableSpec, number: int, row: Row, names: tuple[str, ...]) -> list[str]:
    try:
        values = [row[name] for name in names]
    except KeyError as error:
        raise ClaimNotWritable(f"{spec.code} dòng {number}: thiếu trường {error.args[0]}.") from error
    if len(row) != len(names):
        extra = [name for name in row if name not in spec.by_name]
        raise ClaimNotWritable(f"{spec.code} dòng {number}: thừa trường {', '.join(extra)}.")
    return values


def _escaped(spec: TableSpec, number: int, name: str, value: str) -> str:
    _refuse_illegal(spec.code, number, name, value)
    return escape(value, _RETURN)


def _refuse_illegal(table: str, number: int, name: str, value: str) -> None:
    bad = illegal_characters(value)
    if bad:
        codes = ", ".join(f"U+{ord(character):04X}" for character in dict.fromkeys(bad))
        raise ClaimNotWritable(f"{table} dòng {number}: trường {name} có ký tự điều khiển không hợp lệ ({codes}).")


def _grow(root: etree._Element, spec: TableSpec, rows: Sequence[Row]) -> None:
    parent = root if spec.is_single else etree.SubElement(root, spec.list_tag)
    for number, row in enumerate(rows, start=1):
        record = parent if spec.is_single else etree.SubElement(parent, spec.row_tag)
        for name, value in zip(spec.names, _values(spec, number, row, spec.names), strict=True):
            _refuse_illegal(spec.code, number, name, value)
            etree.SubElement(record, name).text = value


def _serialise(root: etree._Element) -> bytes:
    return _DECLARATION + etree.tostring(root, encoding="utf-8", xml_declaration=False)
