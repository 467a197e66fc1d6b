"""The table specifications, held against the published list by an independent reading of it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from lxml import etree

from his.insurance.rules import write_checkin, write_claim
from his.insurance.tables import (
    CLAIM_TABLES,
    SINGLE_RECORD_TABLES,
    BadValue,
    FieldType,
    format_number,
    make_row,
    table_spec,
    table_specs,
)
from tests.insurance.claim_samples import adult_claim, checkin, child_claim, inpatient_claim

PUBLISHED: dict[str, Any] = {
    table["code"]: table
    for table in json.loads((files("his.insurance") / "data" / "tables.json").read_text("utf-8"))["tables"]
}
NOW = date(2026, 11, 23)
COUNTS = {0: 26, 1: 66, 2: 39, 3: 47, 4: 12, 5: 9, 6: 47, 7: 26, 8: 22, 9: 35, 10: 13, 11: 23, 13: 37, 14: 22, 15: 20}


@pytest.mark.parametrize(("number", "count"), COUNTS.items())
def test_field_counts_are_those_of_the_published_tables(number: int, count: int) -> None:
    assert len(table_spec(f"XML{number}", NOW).fields) == count


def test_table_12_is_never_sent() -> None:
    assert "XML12" not in table_specs(NOW)
    assert "XML12" not in CLAIM_TABLES


def test_single_record_tables_hold_their_fields_under_the_root() -> None:
    assert {f"XML{n}" for n in (1, 7, 8, 10, 11, 13, 14)} == SINGLE_RECORD_TABLES


def test_order_and_length_are_the_published_ones() -> None:
    for code, spec in table_specs(NOW).items():
        published = PUBLISHED[code]["fields"]
        assert spec.names == tuple(field["name"] for field in published)
        assert [field.max_length for field in spec.fields] == [field["max_length"] for field in published]


def test_each_amendment_is_a_dated_layer() -> None:
    before, first, last = date(2024, 12, 31), date(2025, 1, 1), date(2026, 7, 1)
    assert len(table_spec("XML13", before).fields) == 39
    assert table_spec("XML13", before).names == tuple(PUBLISHED["XML13"]["fields_4750_order"])
    assert len(table_spec("XML13", first).fields) == 37
    assert table_spec("XML1", before).by_name["MA_TTDV"].max_length == 10
    assert table_spec("XML1", first).by_name["MA_TTDV"].max_length == 255
    assert table_spec("XML14", before).by_name["NGAY_HEN_KL"].type is FieldType.TIME
    assert table_spec("XML14", first).by_name["NGAY_HEN_KL"].type is FieldType.DATE
    assert table_spec("XML2", date(2026, 6, 30)).by_name["MUC_HUONG"].max_length == 3
    assert table_spec("XML2", last).by_name["MUC_HUONG"].max_length == 4


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (80, "80"),
        (Decimal("80.0"), "80"),
        (Decimal("47.5"), "47.5"),
        (Decimal("8E+1"), "80"),
        (Decimal("1E+6"), "1000000"),
        (Decimal("0.00"), "0"),
        (Decimal("-0"), "0"),
        (Decimal("1200.50"), "1200.5"),
        (Decimal(100), "100"),
        (Decimal("0.333"), "0.333"),
    ],
)
def test_numbers_are_plain(value: Decimal | int, text: str) -> None:
    assert format_number(value) == text


def test_a_value_that_does_not_fit_names_its_field() -> None:
    spec = table_spec("XML1", NOW)
    with pytest.raises(BadValue, match="T_BHTT"):
        make_row(spec, {"T_BHTT": Decimal("1.005")})
    with pytest.raises(BadValue, match="T_BHTT"):
        make_row(spec, {"T_BHTT": 1.5})
    with pytest.raises(BadValue, match="TEN_GOI"):
        make_row(spec, {"TEN_GOI": "x"})
    with pytest.raises(BadValue):
        make_row(spec, {"HO_TEN": object()})


def test_values_become_official_text() -> None:
    moment = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
    row = make_row(
        table_spec("XML1", NOW),
        {
            "NGAY_VAO": moment,
            "NGAY_SINH": date(1980, 3, 5),
            "NGAY_TAI_KHAM": [date(2026, 11, 27), date(2026, 12, 4)],
            "MA_BENH_KT": ("I10", "E11.9"),
            "CAN_NANG": Decimal("58.50"),
            "GIOI_TINH": 1,
        },
    )
    assert row["NGAY_VAO"] == "202611200800"
    assert row["NGAY_SINH"] == "198003050000"
    assert row["NGAY_TAI_KHAM"] == "20261127;20261204"
    assert row["MA_BENH_KT"] == "I10;E11.9"
    assert row["CAN_NANG"] == "58.5"
    assert row["GHI_CHU"] == ""
    assert tuple(row) == table_spec("XML1", NOW).names


@pytest.mark.parametrize(
    "claim", [adult_claim(), child_claim(), inpatient_claim()], ids=["adult", "child", "inpatient"]
)
def test_a_written_claim_has_every_field_in_official_order(claim: Any) -> None:
    """Reads the bytes with lxml and the published JSON only, by another road than the product's reader."""
    root = etree.fromstring(write_claim(claim))
    assert root.tag == "GIAMDINHHS"
    assert [child.tag for child in root] == ["THONGTINDONVI", "THONGTINHOSO", "CHUKYDONVI"]
    info = root.find("THONGTINHOSO")
    assert info is not None
    assert [child.tag for child in info] == ["NGAYLAP", "SOLUONGHOSO", "DANHSACHHOSO"]
    assert info.findtext("SOLUONGHOSO") == "1"
    codes = []
    for item in info.findall("DANHSACHHOSO/HOSO/FILEHOSO"):
        assert [child.tag for child in item] == ["LOAIHOSO", "NOIDUNGFILE"]
        code = item.findtext("LOAIHOSO") or ""
        codes.append(int(code.removeprefix("XML")))
        inner = base64.b64decode(item.findtext("NOIDUNGFILE") or "", validate=True)
        assert inner.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
        table, published = etree.fromstring(inner), PUBLISHED[code]
        assert table.tag == published["xml"]["root"]
        records = [table]
        if published["xml"]["list"]:
            assert [child.tag for child in table] == [published["xml"]["list"]]
            records = list(table[0])
            assert {record.tag for record in records} == {published["xml"]["row"]}
        assert records
        names = [field["name"] for field in published["fields"]]
        for record in records:
            assert [field.tag for field in record] == names
            for field, rule in zip(record, published["fields"], strict=True):
                if rule["required"] == "always":
                    assert field.text, f"{code}.{field.tag} is empty"
    assert codes == sorted(set(codes))


def test_a_written_checkin_has_every_field_in_official_order() -> None:
    root = etree.fromstring(write_checkin(checkin()))
    assert [child.tag for child in root] == ["DSACH_TRANG_THAI_KCB", "CHUKYDONVI"]
    record = root[0][0]
    assert record.tag == "TRANG_THAI_KCB"
    assert [field.tag for field in record] == [field["name"] for field in PUBLISHED["XML0"]["fields"]]
