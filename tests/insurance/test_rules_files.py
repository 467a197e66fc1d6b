"""Writing claim files, and reading them, also broken, foreign and hostile ones."""

from __future__ import annotations

import base64
import re
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from his.insurance.rules import (
    CheckinDocument,
    ClaimDocument,
    ClaimNotWritable,
    check_file,
    read_checkin,
    read_claim,
    read_file,
    write_checkin,
    write_checkin_tree,
    write_claim,
    write_claim_tree,
)
from tests.core.test_xml import HOSTILE
from tests.insurance.claim_samples import (
    TODAY,
    adult_claim,
    changed,
    checkin,
    child_claim,
    full_catalogue,
    having,
    inpatient_claim,
    without,
)

NASTY = st.text(
    alphabet=st.one_of(
        st.sampled_from("&<>\"'];[!\t\n\r /ăâđêôơưĂÂĐÊÔƠƯếộữỵ́̉\u200b\xa0\x7f\x85\u2028😀"),
        st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
    ),
    max_size=40,
)


def canonical(data: bytes) -> bytes:
    """C14N of a claim file with its inner documents opened, so that Base64 cannot hide a difference."""
    root = etree.fromstring(data)
    for content in root.iter("NOIDUNGFILE"):
        inner = etree.fromstring(base64.b64decode(content.text or "", validate=True))
        content.text = None
        content.append(inner)
    return etree.tostring(root, method="c14n")


@pytest.mark.parametrize("claim", [adult_claim(), child_claim(), inpatient_claim()])
def test_both_writers_write_the_same_claim(claim: ClaimDocument) -> None:
    assert canonical(write_claim(claim)) == canonical(write_claim_tree(claim))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=NASTY, note=NASTY, dose=NASTY, facility=st.text("0123456789&<>\"'", max_size=5))
def test_both_writers_agree_on_any_text(name: str, note: str, dose: str, facility: str) -> None:
    claim = changed(adult_claim(), "XML1", HO_TEN=name, GHI_CHU=note)
    claim = changed(claim, "XML2", 2, LIEU_DUNG=dose)
    claim = ClaimDocument(facility, TODAY, claim.tables)
    data = write_claim(claim)
    assert canonical(data) == canonical(write_claim_tree(claim))
    read = read_claim(data).claim
    assert read is not None
    assert read.tables["XML1"][0]["HO_TEN"] == name
    assert read.tables["XML2"][1]["LIEU_DUNG"] == dose
    assert read.facility_code == facility


@settings(max_examples=30, deadline=None)
@given(name=NASTY)
def test_both_writers_write_the_same_checkin(name: str) -> None:
    document = CheckinDocument({**checkin().row, "HO_TEN": name})
    data = write_checkin(document)
    tree = write_checkin_tree(document)
    assert etree.tostring(etree.fromstring(data), method="c14n") == etree.tostring(
        etree.fromstring(tree), method="c14n"
    )
    assert read_checkin(data).checkins[0].row == document.row


@pytest.mark.parametrize("bad", ["\x00", "\x08", "\x1f", "\ufffe", "\ud800"])
@pytest.mark.parametrize("write", [write_claim, write_claim_tree])
def test_characters_xml_cannot_hold_are_refused_with_the_field_named(write: object, bad: str) -> None:
    claim = changed(adult_claim(), "XML2", 2, CACH_DUNG=f"uống{bad}")
    with pytest.raises(ClaimNotWritable, match=r"XML2 dòng 2: trường CACH_DUNG .*U\+"):
        write(claim)  # type: ignore[operator]


def test_what_cannot_be_a_claim_is_not_written() -> None:
    claim = adult_claim()
    row = dict(claim.tables["XML1"][0])
    with pytest.raises(ClaimNotWritable, match="XML12"):
        write_claim(having(claim, "XML12", [{}]))
    with pytest.raises(ClaimNotWritable, match="XML1"):
        write_claim(without(claim, "XML1"))
    with pytest.raises(ClaimNotWritable, match="XML13"):
        write_claim(having(claim, "XML13", [*claim.tables["XML13"]] * 2))
    with pytest.raises(ClaimNotWritable, match="HO_TEN"):
        write_claim(having(claim, "XML1", [{k: v for k, v in row.items() if k != "HO_TEN"}]))
    with pytest.raises(ClaimNotWritable, match="LA_LUNG"):
        write_claim(having(claim, "XML1", [{**row, "LA_LUNG": ""}]))
    with pytest.raises(ClaimNotWritable, match="NGAYLAP"):
        write_claim(ClaimDocument("79999", None, claim.tables))


def test_tables_without_rows_are_left_out_and_twins_get_two_discharge_papers() -> None:
    claim = inpatient_claim()
    papers = [*claim.tables["XML7"]] * 2
    data = write_claim(having(having(claim, "XML4", []), "XML7", papers))
    kinds = re.findall(rb"<LOAIHOSO>(XML\d+)</LOAIHOSO>", data)
    assert kinds == [b"XML1", b"XML2", b"XML3", b"XML5", b"XML7", b"XML7", b"XML8"]
    read = read_claim(data)
    assert not read.findings
    assert read.claim is not None
    assert len(read.claim.tables["XML7"]) == 2


@pytest.mark.parametrize("claim", [adult_claim(), child_claim(), inpatient_claim()])
def test_what_is_written_is_read_back_unchanged(claim: ClaimDocument) -> None:
    reading = read_claim(write_claim(claim))
    assert not reading.findings
    assert reading.claim is not None
    assert reading.claim.tables == claim.tables
    assert reading.claim.made_on == claim.made_on
    assert reading.claim.facility_code == claim.facility_code


def test_an_older_visit_is_written_in_the_layer_of_its_time() -> None:
    claim = changed(child_claim(), "XML1", NGAY_VAO="202412200800", NGAY_RA="202412201100")
    data = write_claim(without(claim, "XML14"))
    assert read_claim(data).findings == ()
    paper = dict.fromkeys(_names_13_of_2024(), "x")
    assert b"XML13" in write_claim(having(claim, "XML13", [paper]))


def _names_13_of_2024() -> tuple[str, ...]:
    from his.insurance.tables import table_spec

    return table_spec("XML13", date(2024, 12, 20)).names


# Files of other systems


def inner(data: bytes, code: str) -> str:
    pattern = rf"<LOAIHOSO>{code}</LOAIHOSO><NOIDUNGFILE>([^<]*)<".encode()
    found = re.search(pattern, data)
    assert found
    return base64.b64decode(found[1]).decode()


def with_inner(data: bytes, code: str, document: str | bytes) -> bytes:
    raw = document.encode() if isinstance(document, str) else document
    pattern = rf"(<LOAIHOSO>{code}</LOAIHOSO><NOIDUNGFILE>)[^<]*(<)".encode()
    return re.sub(pattern, lambda m: m[1] + base64.b64encode(raw) + m[2], data)


def rule_ids(data: bytes) -> set[str]:
    return {finding.rule_id for finding in read_file(data).findings}


VALID = write_claim(adult_claim())


def test_cdata_pretty_printing_and_bom_of_other_exporters_are_read() -> None:
    document = inner(VALID, "XML1").replace("><", ">\n  <")
    document = document.replace("<HO_TEN>Nguyễn Văn Ví Dụ<", "<HO_TEN><![CDATA[Nguyễn & <Ví> Dụ]]><")
    data = b"\xef\xbb\xbf" + with_inner(VALID, "XML1", "\ufeff" + document)
    data = re.sub(rb"(<NOIDUNGFILE>.{20})", rb"\1\r\n  ", data)
    reading = read_claim(data)
    assert {(f.rule_id, f.severity.value) for f in reading.findings} == {("ENV-ALL-ENC", "warning")}
    assert reading.claim is not None
    assert reading.claim.tables["XML1"][0]["HO_TEN"] == "Nguyễn & <Ví> Dụ"


def test_namespaces_are_tolerated() -> None:
    data = VALID.replace(b"<GIAMDINHHS ", b'<GIAMDINHHS xmlns="urn:other" ')
    reading = read_claim(data)
    assert reading.claim is not None
    assert reading.claim.tables == adult_claim().tables


def test_a_comment_cannot_cut_a_value_in_two() -> None:
    document = inner(VALID, "XML1").replace("<MA_BENH_CHINH>J18.9<", "<MA_BENH_CHINH>J18<!-- -->.9<")
    claim = read_claim(with_inner(VALID, "XML1", document)).claim
    assert claim is not None
    assert claim.tables["XML1"][0]["MA_BENH_CHINH"] == "J18.9"


BROKEN = {
    "not XML": (b"Kinh gui BHXH", "ENV-ALL-ENC"),
    "empty": (b"", "ENV-ALL-ENC"),
    "cut off": (VALID[: len(VALID) // 2], "ENV-ALL-ENC"),
    "wrong root": (b"<HOSO/>", "ENV-ALL-ROOT"),
    "no HOSO": (re.sub(rb"<HOSO>.*</HOSO>", b"", VALID), "ENV-ALL-ROOT"),
    "parts in the wrong order": (
        VALID.replace(b"<CHUKYDONVI></CHUKYDONVI>", b"").replace(b"<THONGTINDONVI>", b"<CHUKYDONVI/><THONGTINDONVI>"),
        "ENV-ALL-ROOT",
    ),
    "wrong count": (VALID.replace(b"<SOLUONGHOSO>1<", b"<SOLUONGHOSO>2<"), "ENV-SOLUONGHOSO-COUNT"),
    "two cases": (re.sub(rb"(<HOSO>.*</HOSO>)", rb"\1\1", VALID), "ENV-SOLUONGHOSO-COUNT"),
    "bad Base64": (VALID.replace(b"<LOAIHOSO>XML2</LOAIHOSO><NOIDUNGFILE>", b"<LOAIHOSO>XML2</LOAIHOSO><NOIDUNGFILE>*"),
                   "ENV-NOIDUNGFILE-B64"),
    "inner not XML": (with_inner(VALID, "XML2", "thuốc"), "ENV-NOIDUNGFILE-B64"),
    "inner UTF-16": (with_inner(VALID, "XML2", inner(VALID, "XML2").encode("utf-16")), "ENV-NOIDUNGFILE-B64"),
    "inner wrong root": (with_inner(VALID, "XML2", "<TONG_HOP/>"), "ENV-NOIDUNGFILE-B64"),
    "inner without list": (with_inner(VALID, "XML2", "<CHITIEU_CHITIET_THUOC/>"), "ENV-NOIDUNGFILE-B64"),
    "inner wrong row": (
        with_inner(VALID, "XML2", inner(VALID, "XML2").replace("CHI_TIET_THUOC>", "THUOC>")),
        "ENV-NOIDUNGFILE-B64",
    ),
    "no rows": (
        with_inner(
            VALID, "XML2", "<CHITIEU_CHITIET_THUOC><DSACH_CHI_TIET_THUOC/></CHITIEU_CHITIET_THUOC>"
        ),
        "ENV-NOIDUNGFILE-ROWS",
    ),
    "empty content": (with_inner(VALID, "XML2", ""), "ENV-NOIDUNGFILE-ROWS"),
    "XML12": (VALID.replace(b"<LOAIHOSO>XML14<", b"<LOAIHOSO>XML12<"), "ENV-LOAIHOSO-NO12"),
    "unknown table": (VALID.replace(b"<LOAIHOSO>XML14<", b"<LOAIHOSO>XML99<"), "ENV-LOAIHOSO-TYPE"),
    "table twice": (re.sub(rb"(<FILEHOSO><LOAIHOSO>XML2<.*?</FILEHOSO>)", rb"\1\1", VALID), "ENV-LOAIHOSO-TYPE"),
    "tables out of order": (
        re.sub(rb"(<FILEHOSO><LOAIHOSO>XML2<.*?</FILEHOSO>)(<FILEHOSO>.*?</FILEHOSO>)", rb"\2\1", VALID),
        "ENV-LOAIHOSO-TYPE",
    ),
    "missing field": (with_inner(VALID, "XML1", re.sub("<HO_TEN>.*</HO_TEN>", "", inner(VALID, "XML1"))),
                      "ALL-ALL-FIELDS"),
    "unknown field": (with_inner(VALID, "XML1", inner(VALID, "XML1").replace("<HO_TEN>", "<LA/><HO_TEN>")),
                      "ALL-ALL-FIELDS"),
    "field twice": (with_inner(VALID, "XML1", inner(VALID, "XML1").replace("<HO_TEN>", "<HO_TEN/><HO_TEN>", 1)),
                    "ALL-ALL-FIELDS"),
    "wrong order": (
        with_inner(VALID, "XML1", re.sub("(<MA_BN>.*</MA_BN>)(<HO_TEN>.*</HO_TEN>)", r"\2\1", inner(VALID, "XML1"))),
        "ALL-ALL-FIELDS",
    ),
    "nested field": (
        with_inner(VALID, "XML1", inner(VALID, "XML1").replace("<GHI_CHU></GHI_CHU>", "<GHI_CHU><B/></GHI_CHU>")),
        "ALL-ALL-FIELDS",
    ),
    "lying encoding": (VALID.replace(b'encoding="utf-8"', b'encoding="utf-16"', 1), "ENV-ALL-ENC"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_named_and_never_crashes(data: bytes, expected: str) -> None:
    reading = read_file(data)
    found = [finding for finding in reading.findings if finding.rule_id == expected]
    assert found
    assert all(finding.message_vi and finding.suggestion for finding in found)
    assert check_file(data, full_catalogue(), on=TODAY).errors


def test_the_valid_file_has_none_of_these_findings() -> None:
    assert rule_ids(VALID) == set()
    assert not check_file(VALID, full_catalogue(), on=TODAY).errors


@pytest.mark.parametrize("document", HOSTILE.values(), ids=HOSTILE.keys())
def test_entities_are_refused_outside_and_inside_base64(document: bytes) -> None:
    assert rule_ids(document) == {"ENV-ALL-ENC"}
    reading = read_claim(with_inner(VALID, "XML2", document))
    assert {finding.rule_id for finding in reading.findings} == {"ENV-NOIDUNGFILE-B64"}
    assert reading.claim is not None
    assert "XML2" not in reading.claim.tables


def test_deep_and_oversized_documents_are_refused_at_both_levels() -> None:
    deep = b"<a>" * 5000 + b"</a>" * 5000
    assert rule_ids(deep) == {"ENV-ALL-ENC"}
    assert rule_ids(with_inner(VALID, "XML2", deep)) == {"ENV-NOIDUNGFILE-B64"}
    huge = b"<GIAMDINHHS>" + b" " * (33 * 1024 * 1024) + b"</GIAMDINHHS>"
    assert rule_ids(huge) == {"ENV-ALL-ENC"}


def test_a_flood_of_tables_or_tags_gives_few_findings() -> None:
    flood = b"<FILEHOSO><LOAIHOSO>X</LOAIHOSO></FILEHOSO>" * 5000
    assert len(read_file(VALID.replace(b"</HOSO>", flood + b"</HOSO>")).findings) < 100
    tags = "".join(f"<T{n}/>" for n in range(3000))
    document = inner(VALID, "XML1").replace("<HO_TEN>", f"{tags}<HO_TEN>")
    assert len(read_file(with_inner(VALID, "XML1", document)).findings) < 500


def test_a_signed_file_is_recognised() -> None:
    digest = b"http://www.w3.org/2001/04/xmlenc#sha256"
    signature = b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><D Algorithm="' + digest + b'"/></Signature>'
    data = VALID.replace(b"<CHUKYDONVI></CHUKYDONVI>", b"<CHUKYDONVI>" + signature + b"</CHUKYDONVI>")
    assert "ENV-CHUKYDONVI-SIGN" not in {f.rule_id for f in check_file(data, on=TODAY).findings}
    weak = data.replace(digest, b"http://www.w3.org/2000/09/xmldsig#sha1")
    assert "ENV-CHUKYDONVI-SIGN" in {f.rule_id for f in check_file(weak, on=TODAY).errors}
