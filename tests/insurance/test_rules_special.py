"""Each rule written as a function fires on a claim broken for it, and on no valid claim."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from his.core.errors import Severity
from his.identity.enums import RoleCode
from his.insurance.enums import AnchorKind, Fixer, FundTotal
from his.insurance.rules import (
    CheckCatalogue,
    CheckinDocument,
    ClaimDocument,
    ClaimSettings,
    check_checkin,
    check_claim,
    coverage,
)
from his.insurance.rules.checks import ApprovedSupply
from his.insurance.rules.checks.envelope import READER_RULES
from his.insurance.rules.registry import rule_specs
from his.insurance.tables import table_spec
from tests.insurance.claim_samples import (
    TODAY,
    adult_claim,
    changed,
    checkin,
    child_claim,
    full_catalogue,
    having,
    inpatient_claim,
    row,
    without,
)
from tests.insurance.test_rules_generic import CONDITIONAL, GENERIC

ADULT, CHILD, INPATIENT = adult_claim(), child_claim(), inpatient_claim()
KEY = ADULT.tables["XML1"][0]["MA_LK"]


def one(**values: str) -> ClaimDocument:
    return changed(ADULT, "XML1", **values)


def stay(**values: str) -> ClaimDocument:
    return changed(INPATIENT, "XML1", **values)


def med(**values: str) -> ClaimDocument:
    return changed(ADULT, "XML2", **values)


def line(number: int = 1, /, **values: str) -> ClaimDocument:
    return changed(ADULT, "XML3", number, **values)


def bed(**values: str) -> ClaimDocument:
    return changed(INPATIENT, "XML3", 4, **values)


def operation(**values: str) -> ClaimDocument:
    return changed(INPATIENT, "XML3", 2, **values)


def supply(**values: str) -> ClaimDocument:
    return changed(INPATIENT, "XML3", 3, **values)


def more(claim: ClaimDocument, number: int, **values: str) -> ClaimDocument:
    """The claim with a copy of one XML3 row appended, changed."""
    rows = claim.tables["XML3"]
    extra = {**rows[number - 1], "STT": str(len(rows) + 1), **values}
    return having(claim, "XML3", [*rows, extra])


def paper(table: str, base: ClaimDocument = ADULT, **values: str) -> ClaimDocument:
    """The claim with a sparse row of a rarer table."""
    return having(base, table, [row(table, {"MA_LK": base.tables["XML1"][0]["MA_LK"], **values})])


def typed(kind: str, **values: str) -> ClaimDocument:
    return one(MA_LOAI_KCB=kind, **values)


BROKEN: dict[str, ClaimDocument] = {
    "ENV-MACSKCB-FMT": replace(ADULT, facility_code="79001"),
    "ENV-NGAYLAP-DATE": replace(ADULT, made_on=None),
    "ENV-SOLUONGHOSO-COUNT": replace(ADULT, claim_count="2"),
    "ENV-LOAIHOSO-TYPE": without(ADULT, "XML1"),
    "ENV-NOIDUNGFILE-ROWS": having(ADULT, "XML5", []),
    "ENV-CHUKYDONVI-SIGN": ADULT,
    "ALL-ALL-FIELDS": having(ADULT, "XML1", [{**ADULT.tables["XML1"][0], "LA": ""}]),
    "ALL-MA_LK-KEY": med(MA_LK="khac"),
    "ALL-STT-SEQ": changed(ADULT, "XML2", 2, STT="5"),
    "XML1-SO_CCCD-FMT": one(SO_CCCD="12345"),
    "XML1-MA_THE_BHYT-FMT": one(MA_THE_BHYT="GD479790000001"),
    "XML1-MA_THE_BHYT-TEMP": changed(CHILD, "XML1", MA_DKBD="79000", MA_THE_BHYT="TE1010000000002"),
    "XML1-MA_THE_BHYT-COUNT": one(MA_THE_BHYT="GD4797900000001;DN4797900000001"),
    "XML1-MA_THE_BHYT-PAYER": one(MA_THE_BHYT=""),
    "XML1-GT_THE_DEN-RANGE": one(GT_THE_DEN="20251231"),
    "XML1-GT_THE_DEN-VALID": one(GT_THE_DEN="20261119"),
    "XML1-MA_DKBD-FMT": one(MA_DKBD="7999"),
    "XML1-MA_BENH_CHINH-ONE": one(MA_BENH_CHINH="J18.9;I10"),
    "XML1-MA_BENH_CHINH-PRIM": one(MA_BENH_CHINH="B95.0"),
    "XML1-MA_BENH_CHINH-SEX": one(MA_BENH_CHINH="O80.0"),
    "XML1-MA_BENH_CHINH-YHCT": one(MA_BENH_CHINH="U62.392"),
    "XML1-MA_BENH_CHINH-VAGUE": one(MA_BENH_CHINH="Z00.0"),
    "XML1-MA_BENH_KT-MAX12": one(MA_BENH_KT=";".join(f"A0{n}" if n < 10 else f"B{n}" for n in range(13))),
    "XML1-MA_BENH_KT-DUP": one(MA_BENH_KT="I10;J18.9"),
    "XML1-MA_DOITUONG_KCB-LEVEL": one(MA_DOITUONG_KCB="3.1"),
    "XML1-MA_NOI_DI-LIST": one(MA_NOI_DI="00000"),
    "XML1-MA_NOI_DEN-LIST": one(MA_NOI_DEN="00000"),
    "XML1-MA_NOI_DEN-REF": one(MA_NOI_DEN=""),
    "XML1-GIAY_CHUYEN_TUYEN-REF": one(MA_NOI_DI="79001"),
    "XML1-NGAY_RA-TIME": one(NGAY_RA="202611200759"),
    "XML1-NGAY_VAO_NOI_TRU-TIME": stay(NGAY_VAO_NOI_TRU="202611191001"),
    "XML1-NGAY_RA-END2359": typed("02"),
    "XML1-NGAY_VAO-FUT": one(NGAY_VAO="202611240000"),
    "XML1-NGAY_VAO-BIRTH": one(NGAY_SINH="202611200801"),
    "XML1-NGAY_SINH-NEWBORN": one(NGAY_SINH="202611010000"),
    "XML1-NGAY_TTOAN-TIME": one(NGAY_TTOAN="202611201059"),
    "XML1-NGAY_TTOAN-RESEND": one(NGAY_TTOAN=""),
    "XML1-SO_NGAY_DTRI-ZERO": one(SO_NGAY_DTRI="1"),
    "XML1-SO_NGAY_DTRI-DAYS": stay(SO_NGAY_DTRI="2"),
    "XML1-SO_NGAY_DTRI-DRUG": typed("05", SO_NGAY_DTRI="6"),
    "XML1-MA_LOAI_KCB-UNDER4": stay(NGAY_VAO_NOI_TRU="202611190700"),
    "XML1-MA_LOAI_KCB-T05": typed("05"),
    "XML1-MA_LOAI_KCB-LONG": one(NGAY_RA="202611210801"),
    "XML1-LY_DO_VNT-INP": stay(PP_DIEU_TRI=""),
    "XML1-MA_TTDV-FMT": one(MA_TTDV="giám đốc"),
    "XML1-MA_KHOA-FMT": one(MA_KHOA="K1"),
    "XML1-CAN_NANG-MAX": one(CAN_NANG="200.5"),
    "XML1-CAN_NANG_CON-FMT": one(CAN_NANG_CON="3,2 kg"),
    "XML1-THANG_QT-MON": one(THANG_QT="13"),
    "XML1-T_THUOC-SUM": one(T_THUOC="1"),
    "XML1-T_VTYT-SUM": one(T_VTYT="1"),
    "XML1-T_TONGCHI_BV-SUM": one(T_TONGCHI_BV="1"),
    "XML1-T_TONGCHI_BH-SUM": one(T_TONGCHI_BH="1"),
    "XML1-T_BNTT-SUM": one(T_BNTT="1"),
    "XML1-T_BNCCT-SUM": one(T_BNCCT="1"),
    "XML1-T_BHTT-SUM": one(T_BHTT="1"),
    "XML1-T_NGUONKHAC-SUM": one(T_NGUONKHAC="1"),
    "XML1-T_BHTT_GDV-SUM": one(T_BHTT_GDV="1"),
    "XML2-THANH_TIEN_BV-CALC": med(THANH_TIEN_BV="12006"),
    "XML2-THANH_TIEN_BH-CALC": med(THANH_TIEN_BH="12004.99"),
    "XML2-T_NGUONKHAC-CALC": med(T_NGUONKHAC="5"),
    "XML2-T_BHTT-CALC": med(T_BHTT="9604.03"),
    "XML2-T_BNCCT-CALC": med(T_BNCCT="2401.5"),
    "XML2-T_BNTT-CALC": med(T_BNTT="1"),
    "XML2-T_BNTT-BAL": med(T_BNTT="0.01"),
    "XML2-TYLE_TT_BH-RANGE": med(TYLE_TT_BH="101"),
    "XML2-MUC_HUONG-RANGE": med(MUC_HUONG="95"),
    "XML2-PHAM_VI-MIL": med(PHAM_VI="3"),
    "XML2-PHAM_VI-OUT": med(PHAM_VI="2"),
    "XML2-MA_NHOM-DRUG": med(MA_NHOM="1"),
    "XML2-MA_THUOC-CAT": med(MA_THUOC="40.1"),
    "XML2-TEN_THUOC-CAT": med(TEN_THUOC="Tên khác"),
    "XML2-HAM_LUONG-CAT": med(HAM_LUONG="500 mg"),
    "XML2-SO_DANG_KY-CAT": med(SO_DANG_KY="VD-9"),
    "XML2-TT_THAU-FMT": med(TT_THAU="123;G100;N2;2026"),
    "XML2-TT_THAU-CAT": med(TT_THAU="124/QĐ-BV;G1;N2;2026"),
    "XML2-DON_GIA-CAP": med(DON_GIA="1200.501"),
    "XML2-NGAY_YL-STAY": med(NGAY_YL="202611200759"),
    "XML2-NGAY_TH_YL-TIME": med(NGAY_TH_YL="202611200929"),
    "XML2-MA_BAC_SI-CAT": med(MA_BAC_SI="0009999/HCM-GPHN"),
    "XML2-MA_KHOA-EXAM": changed(stay(MA_DOITUONG_KCB="3.2", MA_DKBD="79001"), "XML2", MA_KHOA="K01"),
    "XML2-MA_CSKCB_THUOC-FMT": med(MA_CSKCB_THUOC="X.79001"),
    "XML3-MA_DICH_VU-ONE": line(MA_DICH_VU=""),
    "XML3-MA_DICH_VU-CAT": line(MA_DICH_VU="02.1897"),
    "XML3-MA_DICH_VU-SUFFIX": line(MA_DICH_VU="02.1896_XX"),
    "XML3-TEN_DICH_VU-CAT": line(TEN_DICH_VU="Khám khác"),
    "XML3-DON_GIA_BH-CAP": line(DON_GIA_BH="45001"),
    "XML3-DON_GIA_BV-TB": operation(MA_DICH_VU="03.3327.0459_TB"),
    "XML3-DON_GIA_BV-REUSE": supply(TAI_SU_DUNG="1", DON_GIA_BV="90000"),
    "XML3-THANH_TIEN_BV-CALC": line(THANH_TIEN_BV="45001"),
    "XML3-THANH_TIEN_BH-CALC": line(THANH_TIEN_BH="44999"),
    "XML3-T_NGUONKHAC-CALC": line(T_NGUONKHAC="5"),
    "XML3-T_BHTT-CALC": line(T_BHTT="36000.03"),
    "XML3-T_BHTT-CAP": line(T_TRANTT="35999"),
    "XML3-T_BNCCT-CALC": line(T_BNCCT="8999"),
    "XML3-T_BNTT-CALC": line(T_BNTT="1"),
    "XML3-T_BNTT-BAL": line(T_BNTT="0.01"),
    "XML3-TYLE_TT_DV-EXAM": line(TYLE_TT_DV="30"),
    "XML3-TYLE_TT_DV-BED": bed(TYLE_TT_DV="60"),
    "XML3-TYLE_TT_DV-SURG": more(INPATIENT, 2, MA_DICH_VU="03.3328.0459"),
    "XML3-SO_LUONG-BEDHALF": more(
        bed(NGAY_KQ="202611172000"), 4, MA_KHOA="K01", DON_GIA_BH="1", NGAY_KQ="202611172000", MA_GIUONG="H002"
    ),
    "XML3-SO_LUONG-BED1": bed(SO_LUONG="2"),
    "XML3-SO_LUONG-ONE": operation(SO_LUONG="2"),
    "XML3-MA_NHOM-BEDOUT": line(MA_NHOM="15"),
    "XML3-MA_NHOM-BED4H": stay(NGAY_VAO_NOI_TRU="202611190700"),
    "XML3-MA_NHOM-BED24": stay(NGAY_VAO_NOI_TRU="202611181500"),
    "XML3-MA_NHOM-BEDSUM": bed(SO_LUONG="5"),
    "XML3-MA_NHOM-EXAM1": more(INPATIENT, 1),
    "XML3-MA_GIUONG-FMT": bed(MA_GIUONG="B01"),
    "XML3-MA_GIUONG-OVER": bed(NGAY_KQ="202611181200"),
    "XML3-MA_GIUONG-DEPT": bed(MA_KHOA="K03"),
    "XML3-GOI_VTYT-FMT": supply(GOI_VTYT="G0"),
    "XML3-MA_VAT_TU-GROUP": supply(MA_NHOM="8"),
    "XML3-MA_VAT_TU-CAT": supply(TT_THAU="999/QĐ;G2;N0;2026"),
    "XML3-MA_VAT_TU-DATE": supply(NGAY_YL="202611190900"),
    "XML3-TT_THAU-FMT": supply(TT_THAU="456;G2;2026"),
    "XML3-NGUOI_THUC_HIEN-GROUP": line(2, NGUOI_THUC_HIEN=""),
    "XML3-NGUOI_THUC_HIEN-CAT": line(2, NGUOI_THUC_HIEN="1/X"),
    "XML3-NGAY_TH_YL-TIME": line(2, NGAY_TH_YL="202611200814"),
    "XML3-NGAY_KQ-TIME": line(2, NGAY_KQ="202611200819"),
    "XML3-NGAY_KQ-STAY": line(2, NGAY_KQ="202611201101"),
    "XML3-NGAY_YL-STAY": line(NGAY_YL="202611200700"),
    "XML3-PP_VO_CAM-OP": operation(MA_DICH_VU="03.3327.0459_GT"),
    "XML3-MA_MAY-FMT": line(2, MA_MAY="máy 1"),
    "XML3-MA_XANG_DAU-TR": line(MA_NHOM="12"),
    "XML3-MA_BENH-CUT": line(MA_BENH=";".join(["J18.9"] * 16) + ";J1"),
    "XML3-MA_DICH_VU-DUPPTTT": more(INPATIENT, 2),
    "XML3-MA_DICH_VU-SENT": line(2, MA_DICH_VU="22.0121.1369.K.7900"),
    "XML3-MA_DICH_VU-MOVE": line(MA_NHOM="12", MA_DICH_VU="VC.790"),
    "XML4-MA_DICH_VU-LINK": changed(ADULT, "XML4", MA_DICH_VU="22.9999.0001"),
    "XML4-NGAY_KQ-VAL": changed(ADULT, "XML4", NGAY_KQ=""),
    "XML4-KET_LUAN-IMG": changed(ADULT, "XML4", 3, MO_TA=""),
    "XML4-KET_LUAN-NUMRES": changed(ADULT, "XML4", KET_LUAN="Tăng"),
    "XML4-MA_BS_DOC_KQ-CAT": changed(ADULT, "XML4", MA_BS_DOC_KQ="1/X"),
    "XML4-ALL-SEND": having(ADULT, "XML3", ADULT.tables["XML3"][:1]),
    "XML5-ALL-SEND": paper("XML5", DIEN_BIEN_LS="CSST<M75>"),
    "XML5-THOI_DIEM_DBLS-STAY": changed(INPATIENT, "XML5", THOI_DIEM_DBLS="202611191001"),
    "XML5-DIEN_BIEN_LS-CSST": changed(INPATIENT, "XML5", DIEN_BIEN_LS="Mạch 75, nhiệt độ 37"),
    "XML5-NGUOI_THUC_HIEN-CAT": changed(INPATIENT, "XML5", NGUOI_THUC_HIEN="1/X"),
    "XML6-NGAY_SINH-SAME": paper("XML6", NGAY_SINH="198003060000"),
    "XML6-SO_NGAY_CAP_THUOC_ARV-DAYS": paper(
        "XML6", SO_NGAY_CAP_THUOC_ARV="31", NGAY_BAT_DAU_XU_TRI="20261101", NGAY_KET_THUC_XU_TRI="20261130"
    ),
    "XML6-NGAY_KQ_XN_TLVR-TIME": paper("XML6", NGAY_XN_TLVR="20261110", NGAY_KQ_XN_TLVR="20261109"),
    "XML7-MA_YTE-SAME": changed(INPATIENT, "XML7", MA_YTE="BN0"),
    "XML7-NGAY_RA-SAME": changed(INPATIENT, "XML7", NGAY_RA="202611191001"),
    "XML7-NGAY_CT-SAME": changed(INPATIENT, "XML7", NGAY_CT="20261120"),
    "XML7-TUOI_THAI-RANGE": changed(INPATIENT, "XML7", TUOI_THAI="43"),
    "XML7-SO_NGAY_NGHI-THREE": changed(INPATIENT, "XML7", SO_NGAY_NGHI="5"),
    "XML7-ALL-NEED": without(INPATIENT, "XML7"),
    "XML7-MA_CHA-CHILD": changed(INPATIENT, "XML7", HO_TEN_ME="Lê Thị Mẫu"),
    "XML8-ALL-SEND": paper("XML8"),
    "XML8-NGAY_SINHCON-THREE": changed(INPATIENT, "XML8", SO_CONCHET="1"),
    "XML8-TOMTAT_KQ-LEN4000": changed(INPATIENT, "XML8", TOMTAT_KQ="ă" * 4001),
    "XML9-MA_BHXH_NND-FMT": paper("XML9", MA_BHXH_NND="0000000000"),
    "XML9-GHI_CHU-TEXT": paper("XML9", SINHCON_PHAUTHUAT="1", SINHCON_DUOI32TUAN="0", GHI_CHU="mổ"),
    "XML9-NGAYCAP_CCCD_NND-FUT": paper("XML9", NGAYCAP_CCCD_NND="20261124"),
    "XML9-SO_CON-MIN": paper("XML9", SO_CON="0"),
    "XML10-SO_NGAY-DAYS": paper("XML10", SO_NGAY="9", TU_NGAY="20261101", DEN_NGAY="20261110"),
    "XML10-SO_NGAY-MAX": paper("XML10", SO_NGAY="181"),
    "XML10-CHAN_DOAN_RV-WORD": paper("XML10", CHAN_DOAN_RV="Thai 12 tuần"),
    "XML11-MA_BHXH-FMT": paper("XML11", MA_BHXH="123"),
    "XML11-SO_NGAY_NGHI-MAX": paper("XML11", SO_NGAY_NGHI="31"),
    "XML11-DEN_NGAY-RANGE": paper("XML11", TU_NGAY="20261120", DEN_NGAY="20261119"),
    "XML11-MAU_SO-CT07": paper("XML11", MAU_SO="CT08"),
    "XML13-ALL-SEND": without(ADULT, "XML13"),
    "XML13-HO_TEN-SAME": changed(ADULT, "XML13", HO_TEN="Nguyễn Văn Khác"),
    "XML13-MA_CSKCB_DEN-SAME": changed(ADULT, "XML13", MA_CSKCB_DEN="79002"),
    "XML13-MA_CSKCB_DI-FMT": changed(ADULT, "XML13", MA_CSKCB_DI="79999, 79001"),
    "XML14-ALL-SEND": one(NGAY_TAI_KHAM=""),
    "XML14-NGAY_HEN_KL-TIME": changed(ADULT, "XML14", NGAY_HEN_KL="20261119"),
    "XML14-NGAY_CT-TIME": changed(ADULT, "XML14", NGAY_CT="20261119"),
    "XML14-HO_TEN-SAME": changed(ADULT, "XML14", MA_BENH_CHINH="J15"),
    "XML15-HO_TEN-SAME": paper("XML15", HO_TEN="Khác"),
    "XML15-NGAYKT_DTRI_LAO-TIME": paper("XML15", NGAYBD_DTRI_LAO="20261110", NGAYKT_DTRI_LAO="20261109"),
}
BROKEN_CHECKIN: dict[str, dict[str, str]] = {
    "XML0-MA_DICH_VU-ONE": {"MA_DICH_VU": ""},
    "XML0-NGAY_VAO_NOI_TRU-TIME": {"NGAY_VAO_NOI_TRU": "202611200759"},
    "XML0-MA_DOITUONG_KCB-EMG": {"MA_DOITUONG_KCB": "2"},
    "XML0-MA_THE_BHYT-ONECARD": {"MA_THE_BHYT": "GD4797900000001;DN4797900000001"},
}


def ids(
    claim: ClaimDocument, settings: ClaimSettings | None = None, catalogue: CheckCatalogue | None = None
) -> set[str]:
    report = check_claim(claim, catalogue or full_catalogue(), settings, on=TODAY)
    return {finding.rule_id for finding in report.findings}


@pytest.mark.parametrize("claim", [ADULT, CHILD, INPATIENT], ids=["adult", "child", "inpatient"])
def test_a_valid_claim_has_no_error_and_only_lacks_its_signature(claim: ClaimDocument) -> None:
    report = check_claim(claim, full_catalogue(), on=TODAY)
    assert [finding.rule_id for finding in report.findings] == ["ENV-CHUKYDONVI-SIGN"]
    assert report.errors == ()


def test_a_valid_checkin_has_no_error() -> None:
    assert check_checkin(checkin(), full_catalogue(), on=TODAY).errors == ()


@pytest.mark.parametrize(("rule_id", "claim"), BROKEN.items(), ids=BROKEN.keys())
def test_special_rule_fires(rule_id: str, claim: ClaimDocument) -> None:
    report = check_claim(claim, full_catalogue(), on=TODAY)
    found = [finding for finding in report.findings if finding.rule_id == rule_id]
    assert found, sorted({finding.rule_id for finding in report.findings})
    rule = rule_specs()[rule_id]
    assert found[0].message_vi == rule.message_vi
    assert found[0].suggestion
    assert found[0].table in (rule.table, *(("XML1", "XML2", "XML5") if rule.table in ("ENV", "ALL") else ()))


@pytest.mark.parametrize(("rule_id", "values"), BROKEN_CHECKIN.items(), ids=BROKEN_CHECKIN.keys())
def test_special_rule_of_the_checkin_fires(rule_id: str, values: dict[str, str]) -> None:
    document = CheckinDocument({**checkin().row, **values})
    assert rule_id in {f.rule_id for f in check_checkin(document, full_catalogue(), on=TODAY).findings}


# A sum or an amount may be wrong in exactly one way.
ALONE = [rule_id for rule_id in BROKEN if rule_id.endswith("-SUM")] + [
    *("ALL-STT-SEQ", "XML1-SO_CCCD-FMT", "XML1-NGAY_TTOAN-TIME", "XML1-SO_NGAY_DTRI-ZERO"),
    *("XML1-SO_NGAY_DTRI-DAYS", "XML1-MA_TTDV-FMT", "XML1-CAN_NANG-MAX", "XML2-TEN_THUOC-CAT"),
    *("XML2-SO_DANG_KY-CAT", "XML2-TT_THAU-CAT", "XML2-NGAY_TH_YL-TIME", "XML2-MA_BAC_SI-CAT", "XML3-TEN_DICH_VU-CAT"),
    *("XML3-MA_GIUONG-OVER", "XML3-MA_VAT_TU-CAT", "XML3-NGUOI_THUC_HIEN-CAT", "XML3-NGAY_TH_YL-TIME"),
    *("XML4-KET_LUAN-NUMRES", "XML4-KET_LUAN-IMG", "XML7-NGAY_CT-SAME", "XML7-TUOI_THAI-RANGE", "XML13-HO_TEN-SAME"),
    *("XML13-MA_CSKCB_DEN-SAME", "XML13-MA_CSKCB_DI-FMT", "XML13-ALL-SEND", "XML14-NGAY_CT-TIME", "XML7-ALL-NEED"),
]


@pytest.mark.parametrize("rule_id", ALONE)
def test_one_fault_gives_one_finding(rule_id: str) -> None:
    assert ids(BROKEN[rule_id]) - {"ENV-CHUKYDONVI-SIGN"} == {rule_id}


def test_every_official_rule_is_built_or_named_as_not_built() -> None:
    found = coverage()
    assert {*found.built, *found.not_built} == set(rule_specs())
    assert not {*found.built} & {*found.not_built}
    assert len(rule_specs()) == 1102
    assert not found.not_built
    assert set(found.partial) <= set(found.built)


def test_every_built_rule_has_a_test_that_breaks_it() -> None:
    tested = {*BROKEN, *BROKEN_CHECKIN, *CONDITIONAL, *(rule.id for rule in GENERIC), *READER_RULES}
    tested |= {"ALL-ALL-TRIM", "XML1-MA_PTTT_QT-REQC", "XML3-MA_HIEU_SP-REQC"}
    assert tested == set(coverage().built)


def test_rules_without_their_catalogue_are_named_not_passed() -> None:
    report = check_claim(BROKEN["XML2-MA_THUOC-CAT"], CheckCatalogue(), on=TODAY)
    assert "XML2-MA_THUOC-CAT" not in {finding.rule_id for finding in report.findings}
    unjudged = {entry.rule_id: entry.reason_vi for entry in report.not_checked}
    assert unjudged["XML2-MA_THUOC-CAT"] == "Chưa có danh mục thuốc được duyệt của cơ sở."
    assert unjudged["XML1-MA_BENH_CHINH-CODE"] == "Chưa có danh mục ICD-10."
    assert unjudged["XML1-MA_DKBD-FMT"].startswith("Chỉ kiểm một phần")
    assert "XML1-MA_KHOA-CODE" not in unjudged  # the national list of departments is ours
    assert "XML5-NGUOI_THUC_HIEN-CAT" not in unjudged  # the claim has no XML5
    assert "XML1-MAHUYEN_CU_TRU-REQC" in unjudged


def test_a_supply_with_a_model_demands_it() -> None:
    code = INPATIENT.tables["XML3"][2]["MA_VAT_TU"]
    known = {code: [ApprovedSupply("Chỉ khâu Ví Dụ", "456/QĐ-BV;G2;N0;2026", Decimal(85000), has_model=True)]}
    assert "XML3-MA_HIEU_SP-REQC" in ids(INPATIENT, catalogue=replace(full_catalogue(), approved_supplies=known))
    assert "XML3-MA_HIEU_SP-REQC" not in ids(INPATIENT)


def test_fixers_are_roles_of_the_house() -> None:
    assert {fixer.value for fixer in Fixer} <= {role.value for role in RoleCode}


def test_who_can_fix_it_and_where() -> None:
    def finding(rule_id: str) -> tuple[Fixer, AnchorKind, str]:
        found = check_claim(BROKEN[rule_id], full_catalogue(), on=TODAY).findings
        hit = next(f for f in found if f.rule_id == rule_id)
        return hit.who, hit.anchor.kind, hit.anchor.key

    assert finding("XML1-MA_THE_BHYT-FMT") == (Fixer.CLERK, AnchorKind.VISIT, KEY)
    assert finding("XML1-MA_BENH_KT-DUP") == (Fixer.DOCTOR, AnchorKind.EXAM, KEY)
    assert finding("XML2-TEN_THUOC-CAT") == (Fixer.PHARMACIST, AnchorKind.PRICE, "40.48")
    assert finding("XML3-NGAY_KQ-TIME") == (Fixer.LABORATORY_TECHNICIAN, AnchorKind.RESULT, "22.0121.1369")
    assert finding("XML4-KET_LUAN-IMG") == (Fixer.IMAGING_TECHNICIAN, AnchorKind.RESULT, "18.0119.0028")
    assert finding("XML3-MA_DICH_VU-CAT")[0] is Fixer.ADMINISTRATOR
    assert finding("XML1-NGAY_TTOAN-TIME")[0] is Fixer.CASHIER
    assert finding("XML1-T_BHTT-SUM") == (Fixer.INSURANCE_CLERK, AnchorKind.CLAIM, KEY)
    assert finding("XML13-MA_CSKCB_DEN-SAME")[1] is AnchorKind.REFERRAL


# Money


def paid_by_others(
    kind: str, bv: str, bh: str, level: str, other: str, own: str, copay: str, fund: str
) -> Callable[[ClaimDocument], ClaimDocument]:
    def build(claim: ClaimDocument) -> ClaimDocument:
        values = {
            "THANH_TIEN_BV": bv,
            "THANH_TIEN_BH": bh,
            "MUC_HUONG": level,
            "T_NGUONKHAC_NSNN": other,
            "T_NGUONKHAC": other,
            "T_BNTT": own,
            "T_BNCCT": copay,
            "T_BHTT": fund,
            "SO_LUONG": "1",
            "DON_GIA": bv,
            "TYLE_TT_BH": "50" if kind == "half" else "100",
        }
        return changed(claim, "XML2", 1, **values)

    return build


@pytest.mark.parametrize(
    "build",
    [
        paid_by_others("patient", "100000", "100000", "80", "15000", "0", "5000", "80000"),
        paid_by_others("patient deep", "100000", "100000", "80", "30000", "0", "0", "70000"),
        paid_by_others("arv", "100000", "100000", "80", "20000", "0", "0", "80000"),
        paid_by_others("half", "10000000", "3500000", "80", "3000000", "3500000", "700000", "2800000"),
        paid_by_others("half", "10000000", "5000000", "80", "3000000", "2000000", "1000000", "4000000"),
    ],
)
def test_the_three_ways_other_sources_pay_are_accepted(build: Callable[[ClaimDocument], ClaimDocument]) -> None:
    assert not {rule_id for rule_id in ids(build(ADULT)) if rule_id.endswith(("CALC", "BAL"))}


def test_shares_that_mix_two_ways_are_refused() -> None:
    mixed = paid_by_others("patient", "100000", "100000", "80", "15000", "0", "20000", "65000")(ADULT)
    assert {"XML2-T_BNCCT-CALC", "XML2-T_BHTT-CALC"} <= ids(mixed)


def test_a_service_priced_above_the_fund_may_be_reduced_by_the_fund_part_only() -> None:
    values = {
        "DON_GIA_BV": "100000",
        "DON_GIA_BH": "40000",
        "TYLE_TT_DV": "30",
        "THANH_TIEN_BV": "72000",
        "THANH_TIEN_BH": "12000",
        "T_BNTT": "60000",
        "T_BNCCT": "2400",
        "T_BHTT": "9600",
    }
    claim = more(ADULT, 1, **values)
    assert not {rule_id for rule_id in ids(claim) if rule_id.endswith(("CALC", "BAL", "EXAM"))}


def test_the_total_of_the_fund_follows_the_setting() -> None:
    claim = paid_by_others("arv", "100000", "100000", "80", "20000", "0", "0", "80000")(without(ADULT, "XML3"))
    claim = having(claim, "XML2", claim.tables["XML2"][:1])
    by_sum = changed(claim, "XML1", T_BHTT="80000")
    by_formula = changed(claim, "XML1", T_BHTT="100000")
    formula = ClaimSettings(xml1_t_bhtt=FundTotal.FORMULA)
    assert "XML1-T_BHTT-SUM" not in ids(by_sum)
    assert "XML1-T_BHTT-SUM" in ids(by_formula)
    assert "XML1-T_BHTT-SUM" not in ids(by_formula, formula)
    assert "XML1-T_BHTT-SUM" in ids(by_sum, formula)


@pytest.mark.parametrize(
    ("category", "card", "level", "ended", "fits"),
    [
        ("1.1", "GD4797900000001", "80", "202611201100", True),
        ("1.1", "GD4797900000001", "100", "202611201100", True),
        ("1.1", "GD4797900000001", "95", "202611201100", False),
        ("1.1", "HT3797900000001", "95", "202611201100", True),
        ("1.1", "TE1797900000001", "100", "202611201100", True),
        ("1.1", "CN3797900000001", "95", "202611201100", False),
        ("1.1", "CN3797900000001", "100", "202611201100", True),
        ("1.13", "HT3797900000001", "47.5", "202611201100", True),
        ("1.13", "HT3797900000001", "50", "202611201100", True),
        ("1.13", "HT3797900000001", "95", "202611201100", False),
        ("1.13", "GD4797900000001", "40", "202606301100", False),
        ("1.2", "GD4797900000001", "80", "202611201100", False),
        ("3.1", "GD4797900000001", "32", "202611201100", False),
        ("9", "GD4797900000001", "80", "202611201100", False),
    ],
)
def test_benefit_level_fits_card_and_entry_category(
    category: str, card: str, level: str, ended: str, fits: bool
) -> None:
    claim = changed(ADULT, "XML1", MA_DOITUONG_KCB=category, MA_THE_BHYT=card, NGAY_RA=ended)
    claim = changed(claim, "XML2", MUC_HUONG=level)
    report = check_claim(claim, full_catalogue(), on=TODAY)
    rows = {finding.row for finding in report.findings if finding.rule_id == "XML2-MUC_HUONG-RANGE"}
    assert (1 not in rows) is fits


def test_a_route_without_payment_is_written_outside_the_scope_unless_the_setting_says_otherwise() -> None:
    claim = changed(ADULT, "XML1", MA_DOITUONG_KCB="3.1", MA_DKBD="79001")
    claim = changed(claim, "XML2", MUC_HUONG="0", T_BHTT="0", T_BNCCT="12005")
    assert "XML2-MUC_HUONG-RANGE" in ids(claim)
    literal = ClaimSettings(zero_rate_as_outside_scope=False)
    report = check_claim(claim, full_catalogue(), literal, on=TODAY)
    rows = {finding.row for finding in report.findings if finding.rule_id == "XML2-MUC_HUONG-RANGE"}
    assert 1 not in rows


# Doubtful points and limits


def test_an_appointment_on_the_day_of_leaving_is_only_a_warning() -> None:
    claim = changed(ADULT, "XML14", NGAY_HEN_KL="20261120")
    found = [
        f for f in check_claim(claim, full_catalogue(), on=TODAY).findings if f.rule_id == "XML14-NGAY_HEN_KL-TIME"
    ]
    assert [finding.severity for finding in found] == [Severity.WARNING]


def test_an_unsigned_claim_is_an_error_only_when_a_signature_is_required() -> None:
    report = check_claim(ADULT, full_catalogue(), ClaimSettings(signature_required=True), on=TODAY)
    assert [finding.rule_id for finding in report.errors] == ["ENV-CHUKYDONVI-SIGN"]


def test_a_doubtful_icd_flag_only_warns() -> None:
    from his.insurance.rules.checks import IcdEntry

    icd = {"J18.9": IcdEntry(barred_as_main="cột 26", doubtful=True)}
    report = check_claim(ADULT, replace(full_catalogue(), icd10=icd), on=TODAY)
    found = [f for f in report.findings if f.rule_id == "XML1-MA_BENH_CHINH-PRIM"]
    assert [finding.severity for finding in found] == [Severity.WARNING]


def test_stays_of_a_referral_paper_may_be_a_list() -> None:
    claim = changed(ADULT, "XML13", NGAY_VAO="202611190800;202611200800", NGAY_RA="202611191000;202611201100")
    assert "XML13-HO_TEN-SAME" in ids(claim)
    assert "XML13-HO_TEN-SAME" not in ids(claim, ClaimSettings(xml13_stay_list=True))


def test_military_cards_may_lack_an_end() -> None:
    claim = one(MA_THE_BHYT="QN5977900000001", GT_THE_DEN="")
    assert not {"XML1-GT_THE_DEN-REQC", "XML1-GT_THE_DEN-VALID"} & ids(claim)


def test_an_absconded_inpatient_needs_no_discharge_paper() -> None:
    assert "XML7-ALL-NEED" not in ids(changed(without(INPATIENT, "XML7"), "XML1", MA_LOAI_RV="3"))


def test_staff_of_another_facility_may_read_results() -> None:
    claim = changed(ADULT, "XML4", MA_BS_DOC_KQ="0009999/HCM-GPHN.TX.79001")
    assert "XML4-MA_BS_DOC_KQ-CAT" not in ids(claim)


def test_a_price_is_judged_by_the_day_of_the_order() -> None:
    catalogue = full_catalogue()
    drugs = dict(catalogue.approved_drugs or {})
    old = replace(drugs["40.48"][0], valid_to=date(2026, 11, 19))
    new = replace(old, price=Decimal(1000), valid_from=date(2026, 11, 20), valid_to=None)
    drugs["40.48"] = [old, new]
    assert "XML2-DON_GIA-CAP" in ids(ADULT, catalogue=replace(catalogue, approved_drugs=drugs))
    drugs["40.48"] = [replace(old, valid_to=TODAY - timedelta(days=4))]
    assert "XML2-MA_THUOC-CAT" in ids(ADULT, catalogue=replace(catalogue, approved_drugs=drugs))


def test_checks_never_crash_on_a_row_of_nonsense() -> None:
    for nonsense in (
        "",
        " ",
        "-1",
        "9" * 400,
        "²²²²²²²²",
        "٢٠٢٦١١٢٠",
        ";;;",
        "20261399",
        "NaN",
        "1e999",
        "\x00",
        "U5²",
        "1.²",
    ):
        tables = {
            code: [dict.fromkeys(table_spec(code, TODAY).names, nonsense)] * 2
            for code in ("XML1", "XML2", "XML3", "XML4", "XML5", *(f"XML{n}" for n in (6, 7, 8, 9, 10, 11, 13, 14, 15)))
        }
        assert check_claim(ClaimDocument(nonsense, None, tables), full_catalogue(), on=TODAY).errors
