"""Reading claim and check-in files, also those of other systems.

Everything outside is distrusted: the file and each Base64 document inside it go through the hardened reader of
`core/xml.py`. What is wrong becomes a finding with an official rule id; what can be read is read.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from lxml import etree

from his.core.errors import Severity
from his.core.xml import DEFAULT_LIMITS, XmlLimits, XmlRefused, parse_untrusted, strip_bom
from his.insurance.rules.document import CheckinDocument, ClaimDocument, day_of
from his.insurance.rules.findings import Finding
from his.insurance.rules.registry import make_finding
from his.insurance.tables import CHECKIN_TABLE, LAYER_1931, Row, TableSpec, table_specs

CLAIM_ROOT: Final = "GIAMDINHHS"
CHECKIN_ROOT: Final = "CHI_TIEU_TRANG_THAI_KCB"
_SIGNATURE: Final = "CHUKYDONVI"
_MOST_DOCUMENTS: Final = 50
_MOST_FAULTS: Final = 200
_NAME_SHOWN: Final = 60
_DECLARED: Final = re.compile(rb"^\s*<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']*)[\"']")
_SPACE: Final = re.compile(r"\s+")
_Element = etree._Element  # noqa: SLF001 - the only name lxml gives to the type


@dataclass(frozen=True)
class Reading:
    """What a file held. ``claims`` has one document per HOSO; a check-in file has ``checkins`` instead."""

    claims: tuple[ClaimDocument, ...] = ()
    checkins: tuple[CheckinDocument, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def claim(self) -> ClaimDocument | None:
        """The first claim, None when nothing could be read."""
        return self.claims[0] if self.claims else None


def read_file(data: bytes, *, limits: XmlLimits = DEFAULT_LIMITS) -> Reading:
    """Read a claim file or a check-in file, whichever it is. Never raises for a bad file: see ``findings``."""
    findings: list[Finding] = []
    root = _outer(data, limits, findings)
    if root is None:
        return Reading(findings=tuple(findings))
    if _name(root) == CHECKIN_ROOT:
        return _checkin(root, findings)
    return _claim(root, findings, limits)


def read_claim(data: bytes, *, limits: XmlLimits = DEFAULT_LIMITS) -> Reading:
    """Read a claim file; a check-in file or anything else is a finding."""
    findings: list[Finding] = []
    root = _outer(data, limits, findings)
    return Reading(findings=tuple(findings)) if root is None else _claim(root, findings, limits)


def read_checkin(data: bytes, *, limits: XmlLimits = DEFAULT_LIMITS) -> Reading:
    """Read a check-in file (XML0); anything else is a finding."""
    findings: list[Finding] = []
    root = _outer(data, limits, findings)
    return Reading(findings=tuple(findings)) if root is None else _checkin(root, findings)


def _outer(data: bytes, limits: XmlLimits, findings: list[Finding]) -> _Element | None:
    if data != strip_bom(data):
        findings.append(_file("ENV-ALL-ENC", "Bỏ dấu BOM ở đầu tệp.", severity=Severity.WARNING))
    _declared_utf8(data, findings)
    try:
        return parse_untrusted(data, limits=limits)
    except XmlRefused as error:
        findings.append(_file("ENV-ALL-ENC", error.message))
        return None


def _declared_utf8(data: bytes, findings: list[Finding]) -> None:
    declared = _DECLARED.match(strip_bom(data)[:200])
    if declared and declared[1].lower() not in (b"utf-8", b"utf8"):
        name = declared[1].decode("ascii", "replace")
        findings.append(_file("ENV-ALL-ENC", f'Tệp khai báo encoding="{name}", phải là utf-8.'))


def _claim(root: _Element, findings: list[Finding], limits: XmlLimits) -> Reading:
    if _name(root) != CLAIM_ROOT:
        findings.append(_file("ENV-ALL-ROOT", f"Thẻ gốc là {_name(root)}, phải là {CLAIM_ROOT}.", value=_name(root)))
        return Reading(findings=tuple(findings))
    parts = [_name(child) for child in _children(root)]
    if parts != ["THONGTINDONVI", "THONGTINHOSO", _SIGNATURE]:
        findings.append(
            _file(
                "ENV-ALL-ROOT",
                "Các phần phải theo thứ tự THONGTINDONVI, THONGTINHOSO, CHUKYDONVI; đang là: "
                f"{', '.join(parts[:10]) or 'trống'}.",
            )
        )
    facility = _text_at(root, "THONGTINDONVI", "MACSKCB")
    made_on = _text_at(root, "THONGTINHOSO", "NGAYLAP")
    count = _text_at(root, "THONGTINHOSO", "SOLUONGHOSO")
    listing = _at(root, "THONGTINHOSO", "DANHSACHHOSO")
    cases = [] if listing is None else [child for child in _children(listing) if _name(child) == "HOSO"]
    if not cases:
        findings.append(_file("ENV-ALL-ROOT", "Tệp không có HOSO nào trong DANHSACHHOSO."))
    if len(cases) > 1:
        findings.append(
            _file("ENV-SOLUONGHOSO-COUNT", f"Tệp có {len(cases)} HOSO; cổng chỉ nhận một hồ sơ một tệp.", value=count)
        )
    elif count != str(len(cases)):
        findings.append(
            _file(
                "ENV-SOLUONGHOSO-COUNT",
                f"SOLUONGHOSO ghi '{count[:_NAME_SHOWN]}' nhưng có {len(cases)} HOSO.",
                value=count,
            )
        )
    signature = _inner_xml(_at(root, _SIGNATURE))
    claims = tuple(
        ClaimDocument(
            facility_code=facility,
            made_on=day_of(made_on) if len(made_on) == 8 else None,
            tables=_tables(case, findings, limits),
            claim_count="1",
            signature=signature,
            made_on_text=made_on,
        )
        for case in cases
    )
    return Reading(claims=claims, findings=tuple(findings))


def _tables(case: _Element, findings: list[Finding], limits: XmlLimits) -> dict[str, list[Row]]:
    known = table_specs(LAYER_1931)
    documents: list[tuple[str, _Element]] = []
    seen: list[str] = []
    items = list(_children(case))
    if len(items) > _MOST_DOCUMENTS:
        findings.append(_file("ENV-LOAIHOSO-TYPE", f"HOSO có {len(items)} bảng, nhiều hơn {_MOST_DOCUMENTS}."))
    for item in items[:_MOST_DOCUMENTS]:
        code = _text_at(item, "LOAIHOSO").strip()
        if code == "XML12":
            findings.append(_file("ENV-LOAIHOSO-NO12", "Bỏ bảng XML12 khỏi tệp.", value=code))
            continue
        if code not in known or code == CHECKIN_TABLE:
            findings.append(
                _file("ENV-LOAIHOSO-TYPE", f"'{code[:_NAME_SHOWN]}' không phải XML1-XML11, XML13-XML15.", value=code)
            )
            continue
        repeated = code in seen and not known[code].may_repeat
        if repeated:
            findings.append(_file("ENV-LOAIHOSO-TYPE", f"Bảng {code} xuất hiện hơn một lần.", value=code))
        seen.append(code)
        document = _document(code, item, findings, limits)
        if document is not None and not repeated:
            documents.append((code, document))
    order = sorted(seen, key=list(known).index)
    if seen != order:
        findings.append(_file("ENV-LOAIHOSO-TYPE", f"Các bảng phải xếp tăng dần: {', '.join(order)}."))
    specs = table_specs(_ended_on(documents))
    tables: dict[str, list[Row]] = {}
    for code, document in documents:
        rows = _rows(specs[code], document, findings)
        if rows:
            tables.setdefault(code, []).extend(rows)
    return tables


def _document(code: str, item: _Element, findings: list[Finding], limits: XmlLimits) -> _Element | None:
    """The table document of a FILEHOSO, through the same hardened reader as the file itself."""
    text = _SPACE.sub("", _text_at(item, "NOIDUNGFILE"))
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        findings.append(_table("ENV-NOIDUNGFILE-B64", code, "Nội dung không giải mã được Base64."))
        return None
    if not data:
        findings.append(_table("ENV-NOIDUNGFILE-ROWS", code, f"Bảng {code} rỗng: bỏ khỏi tệp."))
        return None
    try:
        root = parse_untrusted(data, limits=limits)
    except XmlRefused as error:
        findings.append(_table("ENV-NOIDUNGFILE-B64", code, f"{code}: {error.message}"))
        return None
    expected = table_specs(LAYER_1931)[code].root
    if _name(root) != expected:
        findings.append(
            _table("ENV-NOIDUNGFILE-B64", code, f"Thẻ gốc của {code} là {_name(root)}, phải là {expected}.")
        )
        return None
    return root


def _ended_on(documents: list[tuple[str, _Element]]) -> date:
    summary = next((root for code, root in documents if code == "XML1"), None)
    ended = day_of(_text_at(summary, "NGAY_RA").strip()) if summary is not None else None
    return ended or LAYER_1931


def _rows(spec: TableSpec, root: _Element, findings: list[Finding]) -> list[Row]:
    if spec.is_single:
        records = [root] if len(root) else []
    else:
        listing = _at(root, spec.list_tag)
        if listing is None:
            findings.append(_table("ENV-NOIDUNGFILE-B64", spec.code, f"Thiếu thẻ {spec.list_tag} trong {spec.code}."))
            return []
        records = []
        for child in _children(listing):
            if _name(child) == spec.row_tag:
                records.append(child)
            else:
                findings.append(
                    _table(
                        "ENV-NOIDUNGFILE-B64",
                        spec.code,
                        f"Thẻ {_name(child)} trong {spec.list_tag}, phải là {spec.row_tag}.",
                    )
                )
    if not records:
        findings.append(_table("ENV-NOIDUNGFILE-ROWS", spec.code, f"Bảng {spec.code} không có dòng nào: bỏ khỏi tệp."))
        return []
    faults = _Faults(spec)
    rows = [faults.row(number, record) for number, record in enumerate(records, start=1)]
    findings.extend(faults.findings())
    return rows


class _Faults:
    """Collects what is wrong with the fields of a table: one finding per kind and field, at its first row."""

    def __init__(self, spec: TableSpec) -> None:
        self._spec = spec
        self._found: dict[tuple[str, str], tuple[int, int]] = {}

    def row(self, number: int, record: _Element) -> Row:
        """The record in official order; missing fields become empty, unknown ones are dropped."""
        values: dict[str, str] = {}
        known_order: list[str] = []
        for child in _children(record):
            name = _name(child)
            if name == _SIGNATURE and self._spec.code == CHECKIN_TABLE:
                continue
            if name not in self._spec.by_name:
                self._add("unknown", name, number)
                continue
            if name in values:
                self._add("twice", name, number)
                continue
            if any(True for _ in _children(child)):
                self._add("nested", name, number)
            text = child.text or ""
            # A pretty printer breaks an empty element over two lines; that is no value.
            values[name] = "" if "\n" in text and text.isspace() else text
            known_order.append(name)
        names = self._spec.names
        if tuple(known_order) != names:
            for name in names:
                if name not in values:
                    self._add("missing", name, number)
            present = [name for name in names if name in values]
            misplaced = next((a for a, b in zip(known_order, present, strict=True) if a != b), "")
            if misplaced:
                self._add("order", misplaced, number)
        return {name: values.get(name, "") for name in names}

    def _add(self, kind: str, name: str, number: int) -> None:
        if len(self._found) >= _MOST_FAULTS and (kind, name) not in self._found:
            return
        first, count = self._found.get((kind, name), (number, 0))
        self._found[(kind, name)] = (first, count + 1)

    def findings(self) -> Iterator[Finding]:
        words: Mapping[str, str] = {
            "unknown": "Trường {} không có trong bảng {}.",
            "twice": "Trường {} lặp lại trong một dòng của {}.",
            "nested": "Trường {} của {} chứa thẻ con.",
            "missing": "Thiếu trường {} trong bảng {} (không có giá trị vẫn phải ghi thẻ rỗng).",
            "order": "Trường {} của {} sai thứ tự.",
        }
        for (kind, name), (first, count) in self._found.items():
            text = words[kind].format(name, self._spec.code)
            if count > 1:
                text += f" Lặp lại ở {count} dòng."
            yield make_finding(
                "ALL-ALL-FIELDS", table=self._spec.code, row_number=first, field=name, value="", suggestion=text
            )


def _checkin(root: _Element, findings: list[Finding]) -> Reading:
    spec = table_specs(LAYER_1931)[CHECKIN_TABLE]
    if _name(root) != spec.root:
        text = f"Thẻ gốc là {_name(root)}, phải là {spec.root}."
        findings.append(make_finding("ENV-ALL-ROOT", table=CHECKIN_TABLE, suggestion=text, value=_name(root)))
        return Reading(findings=tuple(findings))
    rows = _rows(spec, root, findings)
    if len(rows) > 1:
        text = f"Tệp check-in có {len(rows)} dòng; mỗi lần gửi một dòng."
        findings.append(make_finding("ENV-SOLUONGHOSO-COUNT", table=CHECKIN_TABLE, suggestion=text))
    signature = _inner_xml(_at(root, _SIGNATURE))
    return Reading(checkins=tuple(CheckinDocument(row, signature) for row in rows), findings=tuple(findings))


def _file(rule_id: str, suggestion: str, *, value: str = "", severity: Severity | None = None) -> Finding:
    return make_finding(rule_id, value=value, suggestion=suggestion, severity=severity)


def _table(rule_id: str, code: str, suggestion: str) -> Finding:
    return make_finding(rule_id, table=code, value="", suggestion=suggestion)


def _children(element: _Element) -> Iterator[_Element]:
    """Child elements, without comments and processing instructions."""
    return (child for child in element if isinstance(child.tag, str))


def _name(element: _Element) -> str:
    return etree.QName(element).localname[:_NAME_SHOWN]


def _at(element: _Element, *path: str) -> _Element | None:
    place: _Element | None = element
    for name in path:
        if place is None:
            return None
        place = next((child for child in _children(place) if _name(child) == name), None)
    return place


def _text_at(element: _Element, *path: str) -> str:
    place = _at(element, *path)
    return (place.text or "") if place is not None else ""


def _inner_xml(element: _Element | None) -> bytes:
    if element is None:
        return b""
    text = (element.text or "").strip().encode()
    return text + b"".join(etree.tostring(child, with_tail=False) for child in element)
