"""Valid claims of invented people, and the code lists they are checked against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from his.insurance.rules import CheckCatalogue, CheckinDocument, ClaimDocument
from his.insurance.rules.checks import ApprovedDrug, ApprovedService, ApprovedSupply, IcdEntry
from his.insurance.tables import make_row, table_spec

TODAY = date(2026, 11, 23)
FACILITY = "79999"
DOCTOR = "0001234/HCM-GPHN"
TECHNICIAN = "0005678/HCM-GPHN"
HEAD = "0000001/HCM-GPHN"
BID = "123/QĐ-BV;G1;N2;2026"

Values = dict[str, Any]


def row(table: str, values: Mapping[str, object], on: date = TODAY) -> dict[str, str]:
    return make_row(table_spec(table, on), values)


def money(bv: Decimal, bh: Decimal, level: Decimal) -> Values:
    fund = (bh * level / 100).quantize(Decimal("0.01"))
    return {
        "THANH_TIEN_BV": bv,
        "THANH_TIEN_BH": bh,
        "MUC_HUONG": level,
        "T_NGUONKHAC_NSNN": 0,
        "T_NGUONKHAC_VTNN": 0,
        "T_NGUONKHAC_VTTN": 0,
        "T_NGUONKHAC_CL": 0,
        "T_NGUONKHAC": 0,
        "T_BNTT": bv - bh,
        "T_BNCCT": bh - fund,
        "T_BHTT": fund,
    }


def drug(key: str, number: int, level: Decimal, **changes: Any) -> Values:
    quantity, price = changes.pop("SO_LUONG", Decimal(10)), changes.pop("DON_GIA", Decimal("1200.5"))
    bv = (quantity * price).quantize(Decimal("0.01"))
    values: Values = {
        "MA_LK": key,
        "STT": number,
        "MA_THUOC": "40.48",
        "MA_NHOM": 4,
        "TEN_THUOC": "Paracetamol Ví Dụ 500",
        "DON_VI_TINH": "Viên",
        "HAM_LUONG": "500mg",
        "DUONG_DUNG": "1.01",
        "LIEU_DUNG": "1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]",
        "CACH_DUNG": "Uống sau ăn",
        "SO_DANG_KY": "VD-00001-26",
        "TT_THAU": BID,
        "PHAM_VI": 1,
        "TYLE_TT_BH": 100,
        "SO_LUONG": quantity,
        "DON_GIA": price,
        **money(bv, bv, level),
        "MA_KHOA": "K01",
        "MA_BAC_SI": DOCTOR,
        "NGAY_YL": "202611200930",
        "NGAY_TH_YL": "202611200945",
        "MA_PTTT": 1,
        "NGUON_CTRA": 1,
    }
    return {**values, **changes}


def service(key: str, number: int, level: Decimal, **changes: Any) -> Values:
    price = changes.pop("price", Decimal(45000))
    quantity = changes.pop("SO_LUONG", Decimal(1))
    ratio = Decimal(changes.get("TYLE_TT_DV", 100))
    bv = (quantity * price * ratio / 100).quantize(Decimal("0.01"))
    values: Values = {
        "MA_LK": key,
        "STT": number,
        "MA_DICH_VU": "02.1896",
        "MA_NHOM": 13,
        "TEN_DICH_VU": "Khám Nội",
        "DON_VI_TINH": "Lần",
        "PHAM_VI": 1,
        "SO_LUONG": quantity,
        "DON_GIA_BV": price,
        "DON_GIA_BH": price,
        "TYLE_TT_DV": 100,
        "TYLE_TT_BH": 100,
        **money(bv, bv, level),
        "MA_KHOA": "K01",
        "MA_BAC_SI": DOCTOR,
        "MA_BENH": "J18.9",
        "NGAY_YL": "202611200805",
        "MA_PTTT": 1,
    }
    return {**values, **changes}


LAB = {
    "MA_DICH_VU": "22.0121.1369",
    "TEN_DICH_VU": "Tổng phân tích tế bào máu ngoại vi",
    "MA_NHOM": 1,
    "price": Decimal(49700),
    "NGAY_YL": "202611200815",
    "NGAY_TH_YL": "202611200820",
    "NGAY_KQ": "202611200850",
    "NGUOI_THUC_HIEN": TECHNICIAN,
    "MA_MAY": "HH.3.SN0001",
}
XRAY = {
    "MA_DICH_VU": "18.0119.0028",
    "TEN_DICH_VU": "Chụp Xquang ngực thẳng",
    "MA_NHOM": 2,
    "price": Decimal(73300),
    "NGAY_YL": "202611200815",
    "NGAY_TH_YL": "202611200830",
    "NGAY_KQ": "202611200900",
    "NGUOI_THUC_HIEN": f"{TECHNICIAN};{DOCTOR}",
    "MA_MAY": "XQ.1.SN0002",
}


def result(key: str, number: int, **changes: Any) -> Values:
    values: Values = {
        "MA_LK": key,
        "STT": number,
        "MA_DICH_VU": LAB["MA_DICH_VU"],
        "MA_CHI_SO": "WBC",
        "TEN_CHI_SO": "Số lượng bạch cầu",
        "GIA_TRI": "12.4",
        "DON_VI_DO": "G/L",
        "NGAY_KQ": "202611200850",
        "MA_BS_DOC_KQ": TECHNICIAN,
    }
    return {**values, **changes}


def summary(key: str, **changes: Any) -> Values:
    values: Values = {
        "MA_LK": key,
        "STT": 1,
        "MA_BN": "BN26000123",
        "HO_TEN": "Nguyễn Văn Ví Dụ",
        "SO_CCCD": "079000000001",
        "NGAY_SINH": "198003050000",
        "GIOI_TINH": 1,
        "MA_QUOCTICH": "000",
        "MA_DANTOC": "01",
        "MA_NGHE_NGHIEP": "00000",
        "DIA_CHI": "Số 1 đường Mẫu, Phường Mẫu, Thành phố Hồ Chí Minh",
        "MATINH_CU_TRU": "79",
        "MAXA_CU_TRU": "26734",
        "DIEN_THOAI": "0900000001",
        "MA_THE_BHYT": "GD4797900000001",
        "MA_DKBD": FACILITY,
        "GT_THE_TU": "20260101",
        "GT_THE_DEN": "20261231",
        "LY_DO_VV": "Ho, sốt",
        "CHAN_DOAN_VAO": "Theo dõi viêm phổi",
        "CHAN_DOAN_RV": "Viêm phổi, không đặc hiệu",
        "MA_BENH_CHINH": "J18.9",
        "MA_BENH_KT": "I10;E11.9",
        "MA_DOITUONG_KCB": "1.1",
        "NGAY_VAO": "202611200800",
        "NGAY_RA": "202611201100",
        "SO_NGAY_DTRI": 0,
        "KET_QUA_DTRI": 2,
        "MA_LOAI_RV": 1,
        "NGAY_TTOAN": "202611201105",
        "NAM_QT": 2026,
        "THANG_QT": 11,
        "MA_LOAI_KCB": "01",
        "MA_KHOA": "K01",
        "MA_CSKCB": FACILITY,
        "CAN_NANG": Decimal("58.5"),
        "MA_HSBA": "NT26000123",
        "MA_TTDV": HEAD,
    }
    return {**values, **changes}


def document(head: Values, **tables: Sequence[Values]) -> ClaimDocument:
    """A claim whose totals are the sums of its lines; the day of making is today."""
    lines = [*tables.get("XML2", ()), *tables.get("XML3", ())]

    def total(name: str, rows: Sequence[Values] = lines) -> Decimal:
        return sum((Decimal(line[name]) for line in rows), Decimal(0))

    supplies = [line for line in tables.get("XML3", ()) if line["MA_NHOM"] in (10, 11)]
    head = {
        **head,
        "T_THUOC": total("THANH_TIEN_BV", tables.get("XML2", ())),
        "T_VTYT": total("THANH_TIEN_BV", supplies),
        "T_TONGCHI_BV": total("THANH_TIEN_BV"),
        "T_TONGCHI_BH": total("THANH_TIEN_BH"),
        "T_BNTT": total("T_BNTT"),
        "T_BNCCT": total("T_BNCCT"),
        "T_BHTT": total("T_BHTT"),
        "T_NGUONKHAC": total("T_NGUONKHAC"),
        "T_BHTT_GDV": total("T_BHTT"),
    }
    rows = {"XML1": [row("XML1", head)]}
    rows.update({code: [row(code, values) for values in values_list] for code, values_list in tables.items()})
    return ClaimDocument(FACILITY, TODAY, rows)


def adult_claim() -> ClaimDocument:
    """Type 01, card at 80 %, laboratory, imaging, three drugs, an appointment and a referral."""
    key, level = "79999-26-000123", Decimal(80)
    head = summary(key, MA_LOAI_RV=2, MA_NOI_DEN="79001", NGAY_TAI_KHAM="20261127")
    return document(
        head,
        XML2=[
            drug(key, 1, level),
            drug(
                key,
                2,
                level,
                MA_THUOC="40.169",
                TEN_THUOC="Amoxicilin Ví Dụ",
                SO_DANG_KY="VD-00002-26",
                SO_LUONG=Decimal(14),
                DON_GIA=Decimal("2345.678"),
            ),
            drug(key, 3, level, MA_THUOC="40.998", TEN_THUOC="Bromhexin Ví Dụ", SO_DANG_KY="VD-00003-26"),
        ],
        XML3=[service(key, 1, level), service(key, 2, level, **LAB), service(key, 3, level, **XRAY)],
        XML4=[
            result(key, 1),
            result(key, 2, MA_CHI_SO="RBC", TEN_CHI_SO="Số lượng hồng cầu", GIA_TRI="4.7", DON_VI_DO="T/L"),
            result(
                key,
                3,
                MA_DICH_VU=XRAY["MA_DICH_VU"],
                MA_CHI_SO="",
                TEN_CHI_SO="",
                GIA_TRI="",
                DON_VI_DO="",
                MO_TA="Đám mờ đáy phổi phải",
                KET_LUAN="Viêm phổi phải",
                NGAY_KQ="202611200900",
                MA_BS_DOC_KQ=DOCTOR,
            ),
        ],
        XML13=[referral_paper(head)],
        XML14=[appointment_slip(head)],
    )


def child_claim() -> ClaimDocument:
    """Type 01, a child under 6 with a TE1 card at 100 %."""
    key, level = "79999-26-000456", Decimal(100)
    head = summary(
        key,
        MA_BN="BN26000456",
        HO_TEN="Trần Thị Bé Mẫu",
        SO_CCCD="079322000001",
        NGAY_SINH="202305020000",
        GIOI_TINH=2,
        MA_THE_BHYT="TE1797900000002",
        CAN_NANG=Decimal("13.2"),
        MA_BENH_KT="",
        NGAY_TAI_KHAM="20261123",
    )
    return document(
        head,
        XML2=[drug(key, 1, level)],
        XML3=[service(key, 1, level), service(key, 2, level, **LAB)],
        XML4=[result(key, 1)],
        XML14=[appointment_slip(head, NGAY_HEN_KL="20261123")],
    )


def inpatient_claim() -> ClaimDocument:
    """Type 03 with an operation, a supply, bed days, progress notes, discharge paper and summary."""
    key, level = "79999-26-000789", Decimal(80)
    ordered: Values = {"MA_KHOA": "K19", "NGAY_YL": "202611180900"}
    head = summary(
        key,
        NGAY_VAO="202611170700",
        NGAY_VAO_NOI_TRU="202611170800",
        NGAY_RA="202611191000",
        NGAY_TTOAN="202611191030",
        LY_DO_VNT="Đau hố chậu phải",
        PP_DIEU_TRI="Phẫu thuật cắt ruột thừa",
        MA_LOAI_KCB="03",
        SO_NGAY_DTRI=3,
        MA_KHOA="K01;K19",
        MA_BENH_CHINH="K35.8",
        CHAN_DOAN_RV="Viêm ruột thừa cấp",
        MA_PTTT_QT="47.01",
    )
    return document(
        head,
        XML2=[drug(key, 1, level, MA_KHOA="K19", NGAY_YL="202611171000", NGAY_TH_YL="202611171010")],
        XML3=[
            service(key, 1, level, NGAY_YL="202611170705", MA_BENH="K35.8"),
            service(
                key,
                2,
                level,
                **ordered,
                MA_DICH_VU="03.3327.0459",
                TEN_DICH_VU="Phẫu thuật nội soi cắt ruột thừa",
                MA_NHOM=8,
                MA_PTTT_QT="47.01",
                price=Decimal(2896000),
                NGUOI_THUC_HIEN=f"{DOCTOR};{TECHNICIAN}",
                NGAY_TH_YL="202611180930",
                NGAY_KQ="202611181030",
                PP_VO_CAM=1,
                MA_BENH="K35.8",
            ),
            service(
                key,
                3,
                level,
                **ordered,
                MA_DICH_VU="03.3327.0459",
                MA_VAT_TU="N07.04.010.1234.150.0001",
                TEN_VAT_TU="Chỉ khâu Ví Dụ",
                TEN_DICH_VU="Phẫu thuật nội soi cắt ruột thừa",
                MA_NHOM=10,
                DON_VI_TINH="Sợi",
                TT_THAU="456/QĐ-BV;G2;N0;2026",
                price=Decimal(85000),
                SO_LUONG=Decimal(2),
                MA_BENH="K35.8",
            ),
            *(
                service(
                    key,
                    4 + day,
                    level,
                    MA_DICH_VU="K19.1927",
                    TEN_DICH_VU="Ngày giường Ngoại khoa loại 2",
                    MA_NHOM=15,
                    price=Decimal(223800),
                    MA_KHOA="K19",
                    MA_GIUONG="H001",
                    MA_BENH="K35.8",
                    NGAY_YL=f"202611{17 + day}0800",
                    NGAY_KQ=f"202611{18 + day}0800",
                )
                for day in range(2)
            ),
        ],
        XML5=[
            {
                "MA_LK": key,
                "STT": 1,
                "DIEN_BIEN_LS": "Tỉnh, đau giảm. CSST<M75_T37_HA120/70_NT18>",
                "THOI_DIEM_DBLS": "202611180800",
                "NGUOI_THUC_HIEN": DOCTOR,
            }
        ],
        XML7=[
            {
                "MA_LK": key,
                "SO_LUU_TRU": "26/001234",
                "MA_YTE": head["MA_BN"],
                "MA_KHOA_RV": "K19",
                "NGAY_VAO": head["NGAY_VAO"],
                "NGAY_RA": head["NGAY_RA"],
                "CHAN_DOAN_RV": head["CHAN_DOAN_RV"],
                "PP_DIEUTRI": head["PP_DIEU_TRI"],
                "MA_TTDV": HEAD,
                "MA_BS": DOCTOR,
                "TEN_BS": "Lê Thị Mẫu",
                "NGAY_CT": "20261119",
            }
        ],
        XML8=[
            {
                "MA_LK": key,
                "MA_LOAI_KCB": "03",
                "NGAY_VAO": head["NGAY_VAO"],
                "NGAY_RA": head["NGAY_RA"],
                "CHAN_DOAN_VAO": head["CHAN_DOAN_VAO"],
                "CHAN_DOAN_RV": head["CHAN_DOAN_RV"],
                "QT_BENHLY": "Đau bụng 1 ngày",
                "TOMTAT_KQ": "Bạch cầu tăng",
                "PP_DIEUTRI": head["PP_DIEU_TRI"],
                "KET_QUA_DTRI": 2,
                "MA_TTDV": HEAD,
                "NGAY_CT": "20261119",
            }
        ],
    )


_COPIED_13 = (
    *("MA_LK", "HO_TEN", "NGAY_SINH", "GIOI_TINH", "MA_QUOCTICH", "MA_DANTOC", "MA_NGHE_NGHIEP", "DIA_CHI"),
    *("MA_THE_BHYT", "GT_THE_DEN", "NGAY_VAO", "NGAY_RA", "CHAN_DOAN_RV", "MA_BENH_CHINH", "MA_BENH_KT"),
    *("MA_LOAI_RV", "MA_CSKCB"),
)
_COPIED_14 = (
    *("MA_LK", "HO_TEN", "NGAY_SINH", "GIOI_TINH", "DIA_CHI", "MA_THE_BHYT", "GT_THE_DEN", "NGAY_VAO", "NGAY_RA"),
    *("CHAN_DOAN_RV", "MA_BENH_CHINH", "MA_BENH_KT", "MA_DOITUONG_KCB", "MA_CSKCB"),
)


def referral_paper(head: Values) -> Values:
    return {
        **{name: head[name] for name in _COPIED_13},
        "SO_HOSO": "26/000123",
        "SO_CHUYENTUYEN": "26/0045",
        "GIAY_CHUYEN_TUYEN": "79999.26.0045",
        "MA_CSKCB_DI": FACILITY,
        "MA_CSKCB_DEN": head["MA_NOI_DEN"],
        "DAU_HIEU_LS": "Ho đàm, sốt 38,5",
        "QT_BENHLY": "Sốt ba ngày",
        "TOMTAT_KQ": "Bạch cầu 12,4 G/L",
        "PP_DIEUTRI": "Kháng sinh",
        "TINH_TRANG_CT": "Tỉnh, mạch 90",
        "MA_LYDO_CT": 1,
        "HUONG_DIEU_TRI": "Điều trị nội trú",
        "PHUONGTIEN_VC": "Xe cứu thương",
        "MA_BAC_SI": DOCTOR,
        "MA_TTDV": HEAD,
    }


def appointment_slip(head: Values, **changes: Any) -> Values:
    values = {
        **{name: head[name] for name in _COPIED_14},
        "SO_GIAYHEN_KL": "26/0099",
        "NGAY_HEN_KL": "20261127",
        "MA_BAC_SI": DOCTOR,
        "MA_TTDV": HEAD,
        "NGAY_CT": "20261120",
    }
    return {**values, **changes}


def checkin() -> CheckinDocument:
    return CheckinDocument(
        row(
            "XML0",
            {
                "MA_LK": "79999-26-000123",
                "STT": 1,
                "MA_BN": "BN26000123",
                "HO_TEN": "Nguyễn Văn Ví Dụ",
                "SO_CCCD": "079000000001",
                "NGAY_SINH": "198003050000",
                "GIOI_TINH": 1,
                "MA_THE_BHYT": "GD4797900000001",
                "MA_DKBD": FACILITY,
                "GT_THE_TU": "20260101",
                "GT_THE_DEN": "20261231",
                "MA_DOITUONG_KCB": "1.1",
                "NGAY_VAO": "202611200800",
                "MA_LOAI_KCB": "01",
                "MA_CSKCB": FACILITY,
                "MA_DICH_VU": "02.1896",
                "TEN_DICH_VU": "Khám Nội",
                "NGAY_YL": "202611200805",
            },
        )
    )


def full_catalogue() -> CheckCatalogue:
    """Every list filled with exactly the codes of the samples."""
    services = {
        "02.1896": ("Khám Nội", Decimal(45000)),
        LAB["MA_DICH_VU"]: (LAB["TEN_DICH_VU"], LAB["price"]),
        XRAY["MA_DICH_VU"]: (XRAY["TEN_DICH_VU"], XRAY["price"]),
        "03.3327.0459": ("Phẫu thuật nội soi cắt ruột thừa", Decimal(2896000)),
        "K19.1927": ("Ngày giường Ngoại khoa loại 2", Decimal(223800)),
    }
    drugs = {
        "40.48": ("Paracetamol Ví Dụ 500", "VD-00001-26", Decimal("1200.5")),
        "40.169": ("Amoxicilin Ví Dụ", "VD-00002-26", Decimal("2345.678")),
        "40.998": ("Bromhexin Ví Dụ", "VD-00003-26", Decimal("1200.5")),
    }
    supply = "N07.04.010.1234.150.0001"
    return CheckCatalogue(
        icd10={
            **{code: IcdEntry() for code in ("J18.9", "I10", "E11.9", "K35.8", "Z00.0")},
            "B95.0": IcdEntry(barred_as_main="cột 24"),
            "O80.0": IcdEntry(sex="F"),
        },
        traditional_diseases={"U62.392"},
        procedures={"47.01"},
        nationalities={"000"},
        ethnicities={"01"},
        occupations={"00000"},
        provinces={"79"},
        communes={"26734"},
        services=set(services),
        drugs=set(drugs),
        supplies={supply},
        routes={"1.01"},
        processing_methods={"SC01"},
        fuels={"XD01"},
        lab_indices={"WBC", "RBC"},
        hiv_regimens={"1a"},
        facilities={FACILITY, "79001"},
        staff={DOCTOR, TECHNICIAN, HEAD},
        machines={"HH.3.SN0001", "XQ.1.SN0002"},
        approved_drugs={
            code: [ApprovedDrug(name, "500mg", number, BID, price)] for code, (name, number, price) in drugs.items()
        },
        approved_services={code: [ApprovedService(name, price)] for code, (name, price) in services.items()},
        approved_supplies={supply: [ApprovedSupply("Chỉ khâu Ví Dụ", "456/QĐ-BV;G2;N0;2026", Decimal(85000))]},
    )


def changed(claim: ClaimDocument, table: str, number: int = 1, /, **values: str) -> ClaimDocument:
    """The same claim with some values of one row replaced (row counts from 1)."""
    tables = {code: list(rows) for code, rows in claim.tables.items()}
    tables[table][number - 1] = {**tables[table][number - 1], **values}
    return ClaimDocument(claim.facility_code, claim.made_on, tables)


def without(claim: ClaimDocument, table: str) -> ClaimDocument:
    """The same claim without a table."""
    tables = {code: rows for code, rows in claim.tables.items() if code != table}
    return ClaimDocument(claim.facility_code, claim.made_on, tables)


def having(claim: ClaimDocument, table: str, rows: Sequence[Mapping[str, str]]) -> ClaimDocument:
    """The same claim with a table's rows replaced."""
    return ClaimDocument(claim.facility_code, claim.made_on, {**claim.tables, table: rows})
