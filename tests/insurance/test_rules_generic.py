"""Each generic rule of the official list fires on the value it forbids, at the field it names, and not before."""

from __future__ import annotations

from functools import cache

import pytest

from his.insurance.rules import CheckCatalogue, CheckinDocument, ClaimDocument, ClaimSettings, check_checkin
from his.insurance.rules import check_claim as check
from his.insurance.rules.checks.conditions import CONDITIONS
from his.insurance.rules.findings import Finding
from his.insurance.rules.registry import RuleSpec, rule_specs
from his.insurance.tables import FieldSpec, FieldType, Requirement, table_spec
from tests.insurance.claim_samples import TODAY, adult_claim, changed, checkin, full_catalogue, having, inpatient_claim

STRICT = ClaimSettings(mahuyen_cu_tru_required=True, ma_ly_do_vnt_required=True, strict_sheet_2024=True)
KINDS = ("REQ", "LEN", "NUM", "DATE", "ENUM", "CODE")
GENERIC = [
    rule
    for rule in rule_specs().values()
    if rule.table.startswith("XML") and rule.kind in KINDS and rule.id != "XML3-MA_VAT_TU-DATE"
]
ADULT, INPATIENT = adult_claim(), inpatient_claim()
PLAIN = {
    FieldType.TEXT: "x",
    FieldType.NUMBER: "1",
    FieldType.DECIMAL_TEXT: "1",
    FieldType.TIME: "202611200800",
    FieldType.DATE: "20261120",
    FieldType.DATES: "20261120",
    FieldType.BIRTH: "198003050000",
    FieldType.DATE_OR_TIME: "20261120",
}


def plain_value(field: FieldSpec) -> str:
    allowed = field.allowed or field.allowed_items
    if allowed:
        return allowed[0]
    return PLAIN[field.type] if field.requirement is Requirement.ALWAYS else ""


@cache
def base(table: str) -> ClaimDocument:
    """A claim that has the table: a sample, or a sample with one plain row added."""
    for claim in (ADULT, INPATIENT):
        if table in claim.tables:
            return claim
    row = {field.name: plain_value(field) for field in table_spec(table, TODAY).fields}
    return having(ADULT, table, [{**row, "MA_LK": ADULT.tables["XML1"][0]["MA_LK"]}])


def findings(table: str, field: str, value: str) -> list[Finding]:
    catalogue = full_catalogue()
    if table == "XML0":
        document = CheckinDocument({**checkin().row, field: value})
        return list(check_checkin(document, catalogue, on=TODAY).findings)
    return list(check(changed(base(table), table, 1, **{field: value}), catalogue, on=TODAY).findings)


def forbidden_values(rule: RuleSpec) -> list[str]:
    field = table_spec(rule.table, TODAY).by_name[rule.field]
    match rule.kind:
        case "REQ":
            return ["", "  "]
        case "LEN":
            return ["ă" * ((field.max_length or 0) + 1)]
        case "NUM":
            return ["-1", "1,5", "1e3", "1.", ".5", "một", "²", f"1.{'1' * ((field.decimals or 0) + 1)}", "1 000"]
        case "DATE":
            return ["20261301", "202611312400", "2026-11-20", "20260230", "abcdefgh", "20261120080000"]
        case "ENUM":
            return ["99", "x", "1;99"]
        case _:
            return ["ZZ9"]


@pytest.mark.parametrize("rule", GENERIC, ids=lambda rule: rule.id)
def test_generic_rule_fires_where_it_should(rule: RuleSpec) -> None:
    for value in forbidden_values(rule):
        found = [finding for finding in findings(rule.table, rule.field, value) if finding.rule_id == rule.id]
        assert found, f"{rule.id} let {value!r} pass"
        assert {(finding.table, finding.field) for finding in found} == {(rule.table, rule.field)}
        assert found[0].severity is rule.severity
        assert found[0].message_vi == rule.message_vi
        assert found[0].suggestion


@pytest.mark.parametrize("rule", GENERIC, ids=lambda rule: rule.id)
def test_generic_rule_is_silent_on_a_plain_value(rule: RuleSpec) -> None:
    if rule.table == "XML0":
        found = check_checkin(checkin(), full_catalogue(), on=TODAY).findings
    else:
        catalogue = full_catalogue() if base(rule.table) in (ADULT, INPATIENT) else CheckCatalogue()
        found = check(base(rule.table), catalogue, on=TODAY).findings
    assert rule.id not in {finding.rule_id for finding in found}


@pytest.mark.parametrize("text", [" Nguyễn", "Nguyễn ", "Nguyễn\tVăn", "dòng 1\ndòng 2", "x\x85", "\u00a0x"])
def test_stray_blanks_and_control_characters_are_found(text: str) -> None:
    assert "ALL-ALL-TRIM" in {finding.rule_id for finding in findings("XML1", "HO_TEN", text)}


def test_lengths_count_characters_not_bytes() -> None:
    assert not [f for f in findings("XML1", "HO_TEN", "ễ" * 255) if f.rule_id.endswith("LEN")]


@pytest.mark.parametrize("value", ["198000000000", "198003050000", "202611190730"])
def test_birth_dates_may_have_unknown_parts(value: str) -> None:
    assert not [f for f in findings("XML1", "NGAY_SINH", value) if f.rule_id.endswith("DATE")]


@pytest.mark.parametrize("value", ["198013050000", "000000000000", "198000001200", "19800305", "198002300000"])
def test_impossible_birth_dates_are_found(value: str) -> None:
    assert [f for f in findings("XML1", "NGAY_SINH", value) if f.rule_id == "XML1-NGAY_SINH-DATE"]


def test_departments_may_be_joined_or_divided() -> None:
    for code in ("K02", "K0203", "K16.1", "K19.D01"):
        assert not [f for f in findings("XML2", "MA_KHOA", code) if f.rule_id == "XML2-MA_KHOA-CODE"]
    for code in ("K98", "K0298", "01"):
        assert [f for f in findings("XML2", "MA_KHOA", code) if f.rule_id == "XML2-MA_KHOA-CODE"]


def test_before_august_2026_only_ten_visit_types_existed() -> None:
    claim = changed(without_papers(), "XML1", NGAY_RA="202607311100", MA_LOAI_KCB="12")
    assert "XML1-MA_LOAI_KCB-ENUM" in {f.rule_id for f in check(claim, on=TODAY).findings}
    claim = changed(without_papers(), "XML1", NGAY_RA="202608011100", MA_LOAI_KCB="12")
    assert "XML1-MA_LOAI_KCB-ENUM" not in {f.rule_id for f in check(claim, on=TODAY).findings}


def without_papers() -> ClaimDocument:
    return ClaimDocument(ADULT.facility_code, TODAY, {"XML1": ADULT.tables["XML1"]})


# What makes the condition true; the field itself is then emptied.
TRUE_WHEN: dict[str, dict[str, str]] = {
    "XML0-NGAY_VAO_NOI_TRU-REQC": {"MA_LOAI_KCB": "03"},
    "XML0-LY_DO_VNT-REQC": {"NGAY_VAO_NOI_TRU": "202611200900"},
    "XML0-TEN_THUOC-REQC": {"MA_THUOC": "40.48"},
    "XML0-TEN_VAT_TU-REQC": {"MA_VAT_TU": "N07"},
    "XML0-MA_THUOC-REQC": {"MA_DICH_VU": ""},
    "XML0-MA_VAT_TU-REQC": {"MA_DICH_VU": ""},
    "XML1-LY_DO_VNT-REQC": {"MA_LOAI_KCB": "03"},
    "XML1-MA_LY_DO_VNT-REQC": {"MA_LOAI_KCB": "09"},
    "XML1-NGAY_VAO_NOI_TRU-REQC": {"MA_LOAI_KCB": "04"},
    "XML1-PP_DIEU_TRI-REQC": {"MA_LOAI_KCB": "03"},
    "XML1-MA_NOI_DI-REQC": {"MA_DOITUONG_KCB": "1.3"},
    "XML1-GIAY_CHUYEN_TUYEN-REQC": {"MA_NOI_DI": "79001"},
    "XML1-CAN_NANG_CON-REQC": {"MA_BENH_KT": "Z37.0"},
    "XML2-MA_PP_CHEBIEN-REQC": {"MA_THUOC": "05V.12"},
    "XML2-MA_DICH_VU-REQC": {"MA_CSKCB_THUOC": "K.79001"},
    "XML3-MA_PTTT_QT-REQC": {"MA_NHOM": "8"},
    "XML3-MA_VAT_TU-REQC": {"MA_NHOM": "10"},
    "XML3-GOI_VTYT-REQC": {"T_TRANTT": "113850000"},
    "XML3-TEN_VAT_TU-REQC": {"MA_VAT_TU": "N07"},
    "XML3-MA_XANG_DAU-REQC": {"MA_NHOM": "12"},
    "XML3-TT_THAU-REQC": {"MA_NHOM": "10"},
    "XML3-T_TRANTT-REQC": {"GOI_VTYT": "G1"},
    "XML3-MA_GIUONG-REQC": {"MA_NHOM": "15"},
    "XML3-NGUOI_THUC_HIEN-REQC": {"MA_NHOM": "1"},
    "XML3-NGAY_TH_YL-REQC": {"MA_NHOM": "18"},
    "XML3-NGAY_KQ-REQC": {"MA_NHOM": "8"},
    "XML3-PP_VO_CAM-REQC": {"MA_NHOM": "8"},
    "XML3-MA_MAY-REQC": {"MA_NHOM": "3"},
    "XML6-MA_BAC_PHAC_DO_BD-REQC": {"MA_PHAC_DO_DIEU_TRI_BD": "KHAC"},
    "XML6-MA_BAC_PHAC_DO-REQC": {"MA_PHAC_DO_DIEU_TRI": "KHAC"},
    "XML6-PHACDO_DTRI_LAO-REQC": {"LOAI_DTRI_LAO": "1"},
    "XML6-NGAYBD_DTRI_LAO-REQC": {"LOAI_DTRI_LAO": "1"},
    "XML6-NGAYKT_DTRI_LAO-REQC": {"LOAI_DTRI_LAO": "1", "KQ_DTRI_LAO": "1"},
    **{
        f"XML6-{name}-REQC": {"MA_TINH_TRANG_DK": "1;4"}
        for name in ("LAN_XN_PCR", "NGAY_XN_PCR", "NGAY_KQ_XN_PCR", "MA_KQ_XN_PCR")
    },
    **{
        f"XML6-{name}-REQC": {"MA_XU_TRI": "2;1"}
        for name in ("NGAY_BAT_DAU_XU_TRI", "NGAY_KET_THUC_XU_TRI", "SO_NGAY_CAP_THUOC_ARV")
    },
    **{
        f"XML7-{name}-REQC": {"MA_DINH_CHI_THAI": "1"}
        for name in ("NGUYENNHAN_DINHCHI", "THOIGIAN_DINHCHI", "TUOI_THAI")
    },
    "XML7-SO_NGAY_NGHI-REQC": {"NGOAITRU_TUNGAY": "20261120"},
    "XML7-NGOAITRU_TUNGAY-REQC": {"SO_NGAY_NGHI": "3"},
    "XML7-NGOAITRU_DENNGAY-REQC": {"SO_NGAY_NGHI": "3"},
    "XML8-NGAY_SINHCON-REQC": {"SO_CONCHET": "1"},
    "XML8-NGAY_CONCHET-REQC": {"SO_CONCHET": "1"},
    "XML8-SO_CONCHET-REQC": {"NGAY_CONCHET": "20261118"},
    "XML9-GHI_CHU-REQC": {"SINHCON_PHAUTHUAT": "1"},
    "XML11-NGUYENNHAN_DINHCHI-REQC": {"MA_DINH_CHI_THAI": "1"},
    "XML11-TUOI_THAI-REQC": {"MA_DINH_CHI_THAI": "1"},
}
ON_SUMMARY: dict[str, dict[str, str]] = {
    "XML2-MA_CSKCB_THUOC-REQC": {"MA_DOITUONG_KCB": "7.3"},
    "XML13-TOMTAT_KQ-REQC": {"MA_LOAI_KCB": "03"},
}
CONDITIONAL = [rule_id for rule_id in CONDITIONS if rule_id not in ("XML1-MA_PTTT_QT-REQC", "XML3-MA_HIEU_SP-REQC")]


@pytest.mark.parametrize("rule_id", CONDITIONAL)
def test_conditional_field_is_demanded_when_its_condition_holds(rule_id: str) -> None:
    rule = rule_specs()[rule_id]
    values = {**TRUE_WHEN.get(rule_id, {}), rule.field: ""}
    if rule.table == "XML0":
        row = {**checkin().row, **values}
        found = check_checkin(CheckinDocument(row), full_catalogue(), STRICT, on=TODAY).findings
    else:
        claim = changed(base(rule.table), rule.table, 1, **values)
        if rule_id in ON_SUMMARY:
            claim = changed(claim, "XML1", 1, **ON_SUMMARY[rule_id])
        found = check(claim, full_catalogue(), STRICT, on=TODAY).findings
    hits = [finding for finding in found if finding.rule_id == rule_id]
    assert hits
    assert hits[0].field == rule.field


def test_an_operation_demands_its_codes_and_a_supply_its_model() -> None:
    claim = changed(INPATIENT, "XML1", MA_PTTT_QT="")
    assert "XML1-MA_PTTT_QT-REQC" in {f.rule_id for f in check(claim, full_catalogue(), on=TODAY).findings}


@pytest.mark.parametrize(
    ("rule_id", "table", "values"),
    [
        ("XML2-SO_DANG_KY-REQC", "XML2", {"MA_THUOC": "40.17", "SO_DANG_KY": ""}),
        ("XML2-SO_DANG_KY-REQC", "XML2", {"MA_NHOM": "7", "SO_DANG_KY": ""}),
        ("XML2-TT_THAU-REQC", "XML2", {"MA_NHOM": "17", "TT_THAU": ""}),
        ("XML1-MA_THE_BHYT-REQC", "XML1", {"MA_DOITUONG_KCB": "9", "MA_THE_BHYT": ""}),
        ("XML1-GT_THE_DEN-REQC", "XML1", {"MA_THE_BHYT": "QN5977900000001", "GT_THE_DEN": ""}),
        ("XML3-MA_MAY-REQC", "XML3", {"MA_NHOM": "1", "MA_DICH_VU": "22.0121.1369.K.79001", "MA_MAY": ""}),
        ("XML1-MAHUYEN_CU_TRU-REQC", "XML1", {"MAHUYEN_CU_TRU": ""}),
    ],
)
def test_conditional_field_may_stay_empty_otherwise(rule_id: str, table: str, values: dict[str, str]) -> None:
    found = check(changed(ADULT, table, 1, **values), full_catalogue(), on=TODAY).findings
    assert rule_id not in {finding.rule_id for finding in found}
