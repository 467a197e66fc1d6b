"""The one place where the house reads XML that came from outside.

No DTD, no entities, no network, no huge trees; bytes, depth and element count are limited before a tree
is built (SEC-35, SEC-36). Everything is read as UTF-8: the claim standard knows no other encoding
(TT 48/2017/TT-BYT; letter 1245/BHXH-CNTT), and a second encoding is a way round every filter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

from lxml import etree

from his.core.errors import DomainError

_BOM: Final = b"\xef\xbb\xbf"
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """How much of a stranger's document we are ready to look at."""

    max_bytes: int = 32 * 1024 * 1024
    max_depth: int = 32
    max_elements: int = 1_000_000


DEFAULT_LIMITS: Final = XmlLimits()


class XmlRefused(DomainError):
    """Root of the reasons not to read a document. The message is Vietnamese and safe to show."""

    code = "xml_refused"


class XmlBroken(XmlRefused):
    """Not UTF-8 or not well-formed."""

    code = "xml_broken"


class XmlHostile(XmlRefused):
    """Carries a DTD or entities."""

    code = "xml_hostile"


class XmlTooLarge(XmlRefused):
    """Over a limit of `XmlLimits`."""

    code = "xml_too_large"


def hardened_parser(*, keep_comments: bool = False) -> etree.XMLParser[etree._Element]:
    """A parser that resolves nothing and fetches nothing. A parser is not shared between threads: make one per use.

    Comments and processing instructions are dropped, so that none can cut a value in two unseen; a signature is
    verified with ``keep_comments``.
    """
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        remove_comments=not keep_comments,
        remove_pis=not keep_comments,
        strip_cdata=True,
    )


def parse_untrusted(data: bytes, *, limits: XmlLimits = DEFAULT_LIMITS) -> etree._Element:
    """The root element of a document from outside; a leading byte order mark is tolerated.

    Raises `XmlTooLarge`, `XmlHostile` or `XmlBroken`.
    """
    scan(data, limits=limits)
    try:
        root = etree.fromstring(strip_bom(data), hardened_parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise XmlBroken(f"Tệp XML không hợp lệ: {_where(error)}") from error
    docinfo = root.getroottree().docinfo
    if docinfo.doctype or docinfo.internalDTD is not None:
        raise XmlHostile("Tệp XML chứa khai báo DTD, không được chấp nhận.")
    return root


def scan(data: bytes, *, limits: XmlLimits = DEFAULT_LIMITS) -> None:
    """Walk the document once without building anything; raises as `parse_untrusted`."""
    if len(data) > limits.max_bytes:
        raise XmlTooLarge(f"Tệp XML quá lớn ({len(data)} byte, tối đa {limits.max_bytes} byte).")
    body = strip_bom(data)
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise XmlBroken(f"Tệp không phải UTF-8 (byte thứ {error.start + 1}).") from error
    depth = 0
    count = 0

    def opened(_name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth += 1
        count += 1
        if depth > limits.max_depth:
            raise XmlTooLarge(f"Tệp XML lồng quá {limits.max_depth} cấp.")
        if count > limits.max_elements:
            raise XmlTooLarge(f"Tệp XML có quá {limits.max_elements} phần tử.")

    def closed(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def refused(*_args: object) -> None:
        raise XmlHostile("Tệp XML chứa khai báo DTD hoặc thực thể (entity), không được chấp nhận.")

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    # The document type comes before any element, so nothing of it is ever expanded.
    parser.StartDoctypeDeclHandler = refused
    parser.EntityDeclHandler = refused
    parser.UnparsedEntityDeclHandler = refused
    parser.ExternalEntityRefHandler = refused  # type: ignore[assignment]
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise XmlBroken(
            f"Tệp XML không hợp lệ: dòng {error.lineno}, cột {error.offset + 1} ({expat.errors.messages[error.code]})."
        ) from error


def strip_bom(data: bytes) -> bytes:
    """Without a UTF-8 byte order mark (the portal wants none, other exporters write one)."""
    return data.removeprefix(_BOM)


def illegal_characters(value: str) -> str:
    """The characters of ``value`` that no XML 1.0 document may hold, in order; "" when it is clean."""
    return "".join(_ILLEGAL.findall(value))


def _where(error: Exception) -> str:
    line = getattr(error, "lineno", None)
    return f"dòng {line}." if line else "không đọc được."
