"""Rules of the envelope and rules over all tables, for a claim already read or about to be written.

What only a file can show (encoding, Base64, order of tables and fields) is judged while reading it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from his.core.errors import Severity
from his.insurance.rules.checks.context import Context, Hit, RuleBook
from his.insurance.rules.document import day_of
from his.insurance.tables import CHECKIN_TABLE, table_specs

book: Final = RuleBook()
rule = book.rule

READER_RULES: Final = frozenset({"ENV-ALL-ROOT", "ENV-ALL-ENC", "ENV-LOAIHOSO-NO12", "ENV-NOIDUNGFILE-B64"})
"""Judged while reading; a claim not yet written cannot break them."""
_FACILITY: Final = re.compile(r"[0-9A-Z]{5}")
_COUNTED: Final = ("XML2", "XML3", "XML4", "XML5", "XML15")
_SHA256: Final = b"2001/04/xmlenc#sha256"


@rule("ENV-MACSKCB-FMT")
def _facility(context: Context) -> Iterator[Hit]:
    code, inside = context.document.facility_code, context.summary["MA_CSKCB"]
    if CHECKIN_TABLE in context.tables:
        return
    if not _FACILITY.fullmatch(code):
        yield Hit(value=code, suggestion="MACSKCB có 5 ký tự.")
    elif context.rows("XML1") and code != inside:
        yield Hit(value=code, suggestion=f"XML1 ghi MA_CSKCB {inside or '(trống)'}.")


@rule("ENV-NGAYLAP-DATE")
def _made_on(context: Context) -> Iterator[Hit]:
    document = context.document
    text = document.made_on_text
    if CHECKIN_TABLE not in context.tables and (document.made_on is None or (text and day_of(text) is None)):
        yield Hit(value=text, suggestion="Dạng yyyymmdd.")


@rule("ENV-SOLUONGHOSO-COUNT")
def _count(context: Context) -> Iterator[Hit]:
    if context.document.claim_count != "1":
        yield Hit(value=context.document.claim_count, suggestion="Một tệp một hồ sơ.")


@rule("ENV-LOAIHOSO-TYPE")
def _types(context: Context) -> Iterator[Hit]:
    if CHECKIN_TABLE in context.tables:
        return
    specs = table_specs(context.ended_on)
    for code, rows in context.document.tables.items():
        if code not in specs or code == CHECKIN_TABLE:
            yield Hit(value=code, suggestion=f"{code} không gửi trong hồ sơ giám định.")
        elif specs[code].is_single and not specs[code].may_repeat and len(rows) > 1:
            yield Hit(value=code, suggestion=f"{code} chỉ có một bản ghi, đang có {len(rows)}.")
    if not context.rows("XML1"):
        yield Hit(value="", suggestion="Thiếu bảng XML1.")


@rule("ENV-NOIDUNGFILE-ROWS")
def _empty_tables(context: Context) -> Iterator[Hit]:
    for code, rows in context.document.tables.items():
        if not rows:
            yield Hit(table=code, suggestion=f"Bảng {code} không có dòng: bỏ khỏi tệp.")


@rule("ENV-CHUKYDONVI-SIGN", limit="chứng thư số đã đăng ký trên cổng hay chưa chỉ cổng biết")
def _signature(context: Context) -> Iterator[Hit]:
    signature = context.document.signature
    if not signature:
        severity = None if context.settings.signature_required else Severity.WARNING
        yield Hit(suggestion="Ký số hồ sơ trước khi gửi.", severity=severity)
    elif _SHA256 not in signature:
        yield Hit(suggestion="Chữ ký phải dùng SHA-256.")


@rule("ALL-ALL-FIELDS")
def _fields(context: Context) -> Iterator[Hit]:
    specs = table_specs(context.ended_on)
    for code, rows in context.tables.items():
        if code not in specs:
            continue
        names = specs[code].by_name
        for row in rows:
            if len(row.values) == len(names) and all(name in row.values for name in names):
                continue
            for name in (name for name in names if name not in row.values):
                yield Hit(row, f"Thiếu trường {name}.", field=name)
            for name in (name for name in row.values if name not in names):
                yield Hit(row, f"Trường {name} không có trong bảng {code}.", field=name)


@rule("ALL-MA_LK-KEY")
def _same_key(context: Context) -> Iterator[Hit]:
    expected = context.summary["MA_LK"]
    for rows in context.tables.values():
        for row in rows:
            if row["MA_LK"] != expected:
                yield Hit(row, f"Phải là {expected} như XML1.")


@rule("ALL-STT-SEQ")
def _sequence(context: Context) -> Iterator[Hit]:
    for code in _COUNTED:
        for row in context.rows(code):
            if row["STT"] and row["STT"] != str(row.number):
                yield Hit(row, f"Phải là {row.number}.")
                break
