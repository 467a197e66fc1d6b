"""When a conditional field is required: one condition per REQC rule.

The words of the list ("required when: ...") are kept beside the rule in the data; here is what can be decided
from a claim alone. Where a file cannot show the whole condition, `LIMITS` says what is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from his.insurance.rules.checks.context import (
    BED_GROUPS,
    OPEN_ENDED_GROUPS,
    OPERATION_GROUPS,
    PERFORMED_GROUPS,
    RESULT_GROUPS,
    SUPPLY_GROUPS,
    Context,
    RowView,
)
from his.insurance.rules.checks.services import LOCAL_ANAESTHESIA, SURGERY, TRANSPORT, is_sent_out
from his.insurance.rules.visits import INPATIENT_TYPES, REFERRAL_ENDS

Condition = Callable[[Context, RowView], bool]

_OXYGEN: Final = ("40.17", "40.573")
_BLOOD: Final = frozenset({"7", "17"})
_UNCAPPED: Final = frozenset({"CC", "TE", "CK", "CB", "KC", "QN", "CA", "CY"})
_FROM_ELSEWHERE: Final = "7.3"
_UNVERIFIED: Final = "strict_sheet_2024"


def _insured(context: Context, row: RowView) -> bool:  # noqa: ARG001 - all conditions have one signature
    return row["MA_DOITUONG_KCB"] not in ("", "9")


def _filled(*names: str) -> Condition:
    return lambda _context, row: all(row[name] for name in names)


def _any_filled(*names: str) -> Condition:
    return lambda _context, row: any(row[name] for name in names)


def _all_empty(*names: str) -> Condition:
    return lambda _context, row: not any(row[name] for name in names)


def _equals(name: str, *values: str) -> Condition:
    return lambda _context, row: row[name] in values


def _other_than(name: str, *values: str) -> Condition:
    return lambda _context, row: bool(row[name]) and row[name] not in values


def _contains(name: str, item: str) -> Condition:
    return lambda _context, row: item in row[name].split(";")


def _always(_context: Context, _row: RowView) -> bool:
    return True


def _ends_later(_context: Context, row: RowView) -> bool:
    cards = row["MA_THE_BHYT"].split(";")
    return bool(row["MA_THE_BHYT"]) and any(card[:2] not in OPEN_ENDED_GROUPS for card in cards)


def _checkin_end(context: Context, row: RowView) -> bool:
    return _insured(context, row) and row["MA_THE_BHYT"][:2] not in OPEN_ENDED_GROUPS


def _admitted(_context: Context, row: RowView) -> bool:
    return row["MA_LOAI_KCB"] in INPATIENT_TYPES


def _operated(context: Context, _row: RowView) -> bool:
    return any(line["MA_NHOM"] in OPERATION_GROUPS for line in context.rows("XML3"))


def _came_from_elsewhere(context: Context, row: RowView) -> bool:
    wanted = {"1.3", _FROM_ELSEWHERE, *(("1.5",) if context.settings.noi_di_for_1_5 else ())}
    return row["MA_DOITUONG_KCB"] in wanted


def _birth(context: Context, row: RowView) -> bool:
    codes = (row["MA_BENH_CHINH"], *row.items("MA_BENH_KT"))
    return bool(context.rows("XML9")) or any(code.startswith("Z37") for code in codes)


def _registered_drug(_context: Context, row: RowView) -> bool:
    code = row["MA_THUOC"]
    return not (code in _OXYGEN or row["MA_NHOM"] in _BLOOD or code.startswith(("VM.", "BB.", "05V")))


def _needs_service_code(_context: Context, row: RowView) -> bool:
    return bool(row["MA_NHOM"]) and row["MA_NHOM"] not in SUPPLY_GROUPS


def _in_groups(groups: frozenset[str], *, sent_out: bool) -> Condition:
    return lambda _context, row: row["MA_NHOM"] in groups and (sent_out or not is_sent_out(row))


def _capped_package(context: Context, row: RowView) -> bool:
    return bool(row["GOI_VTYT"]) and not any(card[:2] in _UNCAPPED for card in context.cards)


def _result_known(context: Context, row: RowView) -> bool:
    if row["MA_NHOM"] == SURGERY or row["MA_NHOM"] in BED_GROUPS:
        return True
    return row["MA_NHOM"] in RESULT_GROUPS and any(
        line["MA_DICH_VU"] == row["MA_DICH_VU"] and (line["GIA_TRI"] or line["KET_LUAN"])
        for line in context.rows("XML4")
    )


def _with_anaesthesia(_context: Context, row: RowView) -> bool:
    return row["MA_NHOM"] == SURGERY or row["MA_DICH_VU"].endswith(LOCAL_ANAESTHESIA)


def _has_model(context: Context, row: RowView) -> bool:
    known = (context.catalogue.approved_supplies or {}).get(row["MA_VAT_TU"], ())
    return any(line.has_model for line in known)


def _inpatient(context: Context, _row: RowView) -> bool:
    return context.is_inpatient


def _sick_child(_context: Context, row: RowView) -> bool:
    return any(row[name] for name in ("NGAY_SINHCON", "NGAY_CONCHET", "SO_CONCHET"))


_LEAVE: Final = _any_filled("SO_NGAY_NGHI", "NGOAITRU_TUNGAY", "NGOAITRU_DENNGAY")
_LOST: Final = _equals("MA_DINH_CHI_THAI", "1")
_CHILD_OF_HIV: Final = _contains("MA_TINH_TRANG_DK", "1")
_ARV: Final = _contains("MA_XU_TRI", "1")
_ON_TB: Final = _other_than("LOAI_DTRI_LAO", "0")

CONDITIONS: Final[Mapping[str, Condition]] = {
    "XML0-MA_THE_BHYT-REQC": _insured,
    "XML0-MA_DKBD-REQC": _insured,
    "XML0-GT_THE_TU-REQC": _insured,
    "XML0-GT_THE_DEN-REQC": _checkin_end,
    "XML0-NGAY_VAO_NOI_TRU-REQC": _equals("MA_LOAI_KCB", "03", "04", "09"),
    "XML0-LY_DO_VNT-REQC": _filled("NGAY_VAO_NOI_TRU"),
    "XML0-MA_DICH_VU-REQC": _all_empty("MA_THUOC", "MA_VAT_TU"),
    "XML0-TEN_DICH_VU-REQC": _filled("MA_DICH_VU"),
    "XML0-MA_THUOC-REQC": _all_empty("MA_DICH_VU", "MA_VAT_TU"),
    "XML0-TEN_THUOC-REQC": _filled("MA_THUOC"),
    "XML0-MA_VAT_TU-REQC": _all_empty("MA_DICH_VU", "MA_THUOC"),
    "XML0-TEN_VAT_TU-REQC": _filled("MA_VAT_TU"),
    "XML1-SO_CCCD-REQC": _always,
    "XML1-MAHUYEN_CU_TRU-REQC": _always,
    "XML1-MA_THE_BHYT-REQC": _insured,
    "XML1-MA_DKBD-REQC": _filled("MA_THE_BHYT"),
    "XML1-GT_THE_TU-REQC": _filled("MA_THE_BHYT"),
    "XML1-GT_THE_DEN-REQC": _ends_later,
    "XML1-LY_DO_VNT-REQC": _admitted,
    "XML1-MA_LY_DO_VNT-REQC": _admitted,
    "XML1-MA_PTTT_QT-REQC": _operated,
    "XML1-MA_NOI_DI-REQC": _came_from_elsewhere,
    "XML1-MA_NOI_DEN-REQC": _equals("MA_LOAI_RV", *REFERRAL_ENDS),
    "XML1-NGAY_VAO_NOI_TRU-REQC": _admitted,
    "XML1-GIAY_CHUYEN_TUYEN-REQC": _filled("MA_NOI_DI"),
    "XML1-PP_DIEU_TRI-REQC": _admitted,
    "XML1-CAN_NANG_CON-REQC": _birth,
    "XML2-MA_PP_CHEBIEN-REQC": lambda _context, row: row["MA_THUOC"].startswith("05V"),
    "XML2-MA_CSKCB_THUOC-REQC": lambda context, _row: context.summary["MA_DOITUONG_KCB"] == _FROM_ELSEWHERE,
    "XML2-SO_DANG_KY-REQC": _registered_drug,
    "XML2-TT_THAU-REQC": _other_than("MA_NHOM", *_BLOOD),
    "XML2-MA_DICH_VU-REQC": lambda _context, row: row["MA_CSKCB_THUOC"].startswith("K."),
    "XML3-MA_DICH_VU-REQC": _needs_service_code,
    "XML3-MA_PTTT_QT-REQC": _in_groups(OPERATION_GROUPS, sent_out=True),
    "XML3-MA_VAT_TU-REQC": _in_groups(SUPPLY_GROUPS, sent_out=True),
    "XML3-GOI_VTYT-REQC": _filled("T_TRANTT"),
    "XML3-TEN_VAT_TU-REQC": _filled("MA_VAT_TU"),
    "XML3-TEN_DICH_VU-REQC": _filled("MA_DICH_VU"),
    "XML3-MA_XANG_DAU-REQC": _equals("MA_NHOM", TRANSPORT),
    "XML3-TT_THAU-REQC": _equals("MA_NHOM", "10"),
    "XML3-T_TRANTT-REQC": _capped_package,
    "XML3-MA_GIUONG-REQC": _in_groups(BED_GROUPS, sent_out=True),
    "XML3-NGUOI_THUC_HIEN-REQC": _in_groups(PERFORMED_GROUPS, sent_out=False),
    "XML3-NGAY_TH_YL-REQC": _in_groups(PERFORMED_GROUPS, sent_out=False),
    "XML3-NGAY_KQ-REQC": _result_known,
    "XML3-PP_VO_CAM-REQC": _with_anaesthesia,
    "XML3-MA_MAY-REQC": _in_groups(RESULT_GROUPS, sent_out=False),
    "XML3-MA_HIEU_SP-REQC": _has_model,
    "XML4-MA_DICH_VU-REQC": _always,
    "XML4-TEN_CHI_SO-REQC": _any_filled("MA_CHI_SO", "GIA_TRI"),
    "XML4-NGAY_KQ-REQC": _filled("GIA_TRI"),
    "XML4-MA_BS_DOC_KQ-REQC": lambda _context, row: not is_sent_out(row),
    "XML6-NOI_LAY_MAU_XN-REQC": _always,
    "XML6-NOI_XN_KD-REQC": _always,
    "XML6-NOI_BDDT_ARV-REQC": _always,
    "XML6-MA_BAC_PHAC_DO_BD-REQC": _equals("MA_PHAC_DO_DIEU_TRI_BD", "KHAC"),
    "XML6-PHACDO_DTRI_LAO-REQC": _ON_TB,
    "XML6-NGAYBD_DTRI_LAO-REQC": _ON_TB,
    "XML6-NGAYKT_DTRI_LAO-REQC": lambda context, row: _ON_TB(context, row) and bool(row["KQ_DTRI_LAO"]),
    "XML6-KQ_DTRI_LAO-REQC": _always,
    "XML6-LAN_XN_PCR-REQC": _CHILD_OF_HIV,
    "XML6-NGAY_XN_PCR-REQC": _CHILD_OF_HIV,
    "XML6-NGAY_KQ_XN_PCR-REQC": _CHILD_OF_HIV,
    "XML6-MA_KQ_XN_PCR-REQC": _CHILD_OF_HIV,
    "XML6-NGAY_BAT_DAU_XU_TRI-REQC": _ARV,
    "XML6-NGAY_KET_THUC_XU_TRI-REQC": _ARV,
    "XML6-MA_BAC_PHAC_DO-REQC": _equals("MA_PHAC_DO_DIEU_TRI", "KHAC"),
    "XML6-SO_NGAY_CAP_THUOC_ARV-REQC": _ARV,
    "XML6-NGAY_CHUYEN_PHAC_DO-REQC": _always,
    "XML6-LY_DO_CHUYEN_PHAC_DO-REQC": _always,
    "XML7-NGUYENNHAN_DINHCHI-REQC": _LOST,
    "XML7-THOIGIAN_DINHCHI-REQC": _LOST,
    "XML7-TUOI_THAI-REQC": _LOST,
    "XML7-SO_NGAY_NGHI-REQC": _LEAVE,
    "XML7-NGOAITRU_TUNGAY-REQC": _LEAVE,
    "XML7-NGOAITRU_DENNGAY-REQC": _LEAVE,
    "XML8-NGAY_SINHCON-REQC": _sick_child,
    "XML8-NGAY_CONCHET-REQC": _sick_child,
    "XML8-SO_CONCHET-REQC": _sick_child,
    "XML9-MAHUYEN_CU_TRU-REQC": _always,
    "XML9-GHI_CHU-REQC": lambda _context, row: "1" in (row["SINHCON_PHAUTHUAT"], row["SINHCON_DUOI32TUAN"]),
    "XML11-NGUYENNHAN_DINHCHI-REQC": _LOST,
    "XML11-TUOI_THAI-REQC": _LOST,
    "XML13-TOMTAT_KQ-REQC": _inpatient,
    "XML15-PHANLOAI_LAO_KT-REQC": _always,
    "XML15-KET_QUA_DTRI_LAO-REQC": _always,
    "XML15-BDDT_ARV-REQC": _always,
    "XML15-NGAY_BAT_DAU_DT_CTX-REQC": _always,
}

SETTINGS: Final[Mapping[str, str]] = {
    "XML1-MAHUYEN_CU_TRU-REQC": "mahuyen_cu_tru_required",
    "XML9-MAHUYEN_CU_TRU-REQC": "mahuyen_cu_tru_required",
    "XML1-MA_LY_DO_VNT-REQC": "ma_ly_do_vnt_required",
    **dict.fromkeys(("XML6-NOI_LAY_MAU_XN-REQC", "XML6-NOI_XN_KD-REQC", "XML6-NOI_BDDT_ARV-REQC", "XML6-KQ_DTRI_LAO-REQC", "XML6-NGAY_CHUYEN_PHAC_DO-REQC", "XML6-LY_DO_CHUYEN_PHAC_DO-REQC", "XML15-PHANLOAI_LAO_KT-REQC", "XML15-KET_QUA_DTRI_LAO-REQC", "XML15-BDDT_ARV-REQC", "XML15-NGAY_BAT_DAU_DT_CTX-REQC"), _UNVERIFIED),
}
"""Conditions that hold only while a switch of `ClaimSettings` is on."""

NEEDS: Final[Mapping[str, str]] = {"XML3-MA_HIEU_SP-REQC": "approved_supplies"}
"""Conditions that ask a catalogue."""

LIMITS: Final[Mapping[str, str]] = {
    "XML0-NGAY_VAO_NOI_TRU-REQC": "điều trị ngoại trú chỉ biết khi khoa tiếp nhận: chỉ đòi với 03, 04, 09",
    "XML1-SO_CCCD-REQC": "không biết người bệnh có giấy tờ hay không: luôn cảnh báo khi trống",
    "XML1-CAN_NANG_CON-REQC": "nhận biết có sinh con qua XML9 hoặc mã Z37",
    "XML2-MA_PP_CHEBIEN-REQC": "chỉ đòi với vị thuốc (mã 05V)",
    "XML2-MA_CSKCB_THUOC-REQC": "chỉ đòi với đối tượng 7.3; kit máu, hội chẩn từ xa không nhận ra được từ tệp",
    "XML2-SO_DANG_KY-REQC": "thuốc phóng xạ chưa có số đăng ký không nhận ra được từ tệp",
    "XML2-MA_DICH_VU-REQC": "chỉ đòi khi MA_CSKCB_THUOC bắt đầu bằng K.",
    "XML3-MA_DICH_VU-REQC": "vật tư dùng trong thủ thuật không nhận ra được từ tệp",
    "XML3-GOI_VTYT-REQC": "nhận biết gói vật tư qua T_TRANTT",
    "XML3-T_TRANTT-REQC": "không đòi với nhóm thẻ không áp trần (CC, TE, CK, CB, KC, QN, CA, CY)",
    "XML3-NGAY_KQ-REQC": "kết quả được coi là đã có khi XML4 có kết quả; phẫu thuật, giường luôn đòi",
    "XML6-NGAYKT_DTRI_LAO-REQC": "coi là đã kết thúc điều trị khi có KQ_DTRI_LAO",
}
"""What a file cannot show."""
