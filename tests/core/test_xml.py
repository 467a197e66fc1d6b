"""What the one hardened XML reader refuses, and what it lets through (SEC-35, SEC-36)."""

from __future__ import annotations

import pytest

from his.core import xml

BILLION_LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY a "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<lolz>&c;</lolz>"""

HOSTILE = {
    "billion laughs": BILLION_LAUGHS,
    "external entity": b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>',
    "parameter entity": b'<!DOCTYPE r [<!ENTITY % p SYSTEM "http://example.invalid/x.dtd">%p;]><r/>',
    "external subset": b'<!DOCTYPE r SYSTEM "http://example.invalid/x.dtd"><r/>',
    "bare doctype": b"<!DOCTYPE r><r/>",
    "unparsed entity": b'<!DOCTYPE r [<!NOTATION n SYSTEM "n"><!ENTITY u SYSTEM "u" NDATA n>]><r/>',
}


@pytest.mark.parametrize("document", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_document_with_a_dtd_is_refused(document: bytes) -> None:
    with pytest.raises(xml.XmlHostile):
        xml.parse_untrusted(document)


@pytest.mark.parametrize("document", [b"", b"hello", b"<a>", b"<a></b>", b"<a/><b/>", b"<a>&nope;</a>", b"<a>\x00</a>"])
def test_a_broken_document_is_refused_with_a_sentence(document: bytes) -> None:
    with pytest.raises(xml.XmlBroken) as refused:
        xml.parse_untrusted(document)
    assert refused.value.message.startswith("Tệp")


def test_other_encodings_than_utf8_are_refused() -> None:
    with pytest.raises(xml.XmlBroken, match="UTF-8"):
        xml.parse_untrusted('<?xml version="1.0" encoding="utf-16"?><a>ă</a>'.encode("utf-16"))
    with pytest.raises(xml.XmlBroken, match="UTF-8"):
        xml.parse_untrusted('<?xml version="1.0" encoding="windows-1258"?><a>\xe2</a>'.encode("latin-1"))


def test_a_dtd_hidden_by_a_lying_encoding_is_still_refused() -> None:
    with pytest.raises(xml.XmlRefused):
        xml.parse_untrusted('<!DOCTYPE r [<!ENTITY x "y">]><r>&x;</r>'.encode("utf-16"))


def test_deep_nesting_is_refused_before_a_tree_is_built() -> None:
    deep = b"<a>" * 33 + b"</a>" * 33
    with pytest.raises(xml.XmlTooLarge, match="32 cấp"):
        xml.parse_untrusted(deep)
    assert xml.parse_untrusted(b"<a>" * 32 + b"</a>" * 32).tag == "a"


def test_too_many_bytes_or_elements_are_refused() -> None:
    limits = xml.XmlLimits(max_bytes=1000, max_elements=10)
    with pytest.raises(xml.XmlTooLarge):
        xml.parse_untrusted(b"<a>" + b" " * 1000 + b"</a>", limits=limits)
    with pytest.raises(xml.XmlTooLarge):
        xml.parse_untrusted(b"<a>" + b"<b/>" * 10 + b"</a>", limits=limits)


def test_byte_order_mark_cdata_and_namespaces_are_read() -> None:
    document = '\ufeff<?xml version="1.0" encoding="utf-8"?><a xmlns:xsi="urn:x"><b><![CDATA[Sốt & ho <3>]]></b></a>'
    root = xml.parse_untrusted(document.encode())
    assert root.findtext("b") == "Sốt & ho <3>"


def test_characters_no_xml_may_hold_are_named() -> None:
    assert xml.illegal_characters("a\x00b\x1fc\ufffed") == "\x00\x1f\ufffe"
    assert xml.illegal_characters("Nguyễn\tVăn\nVí\rDụ 😀") == ""
