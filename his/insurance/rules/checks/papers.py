"""Rules of the papers in a claim: XML6 to XML15."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from his.core.errors import Severity
from his.insurance.rules.checks.context import Check, Context, Hit, RowView, RuleBook, plain_number
from his.insurance.rules.checks.drugs import not_before_rule
from his.insurance.rules.visits import ABSCONDED, REFERRAL_ENDS, SUMMARY_TYPES

book: Final = RuleBook()
rule = book.rule

_SOCIAL: Final = re.compile(r"(?!0{10})[0-9]{10}")
_FACILITIES: Final = re.compile(r"[0-9A-Z]{5}(;[0-9A-Z]{5})*")
_MOST_WEEKS: Final = 42
_MOST_LEAVE: Final = 180
_LEAVE: Final = 30
_LEAVE_AFTER_LOSS: Final = 50
_LOSS_WEEKS: Final = 13
_CHILD_YEARS: Final = 16
_PORTAL_TEXT: Final = 4000
_BIRTH_NOTES: Final = {
    ("1", "0"): "Sinh con phải phẫu thuật",
    ("0", "1"): "Sinh con dưới 32 tuần tuổi",
    ("1", "1"): "Phẫu thuật, sinh con dưới 32 tuần tuổi",
}
# Copied fields; the signer, keys and each paper's own numbers are its own.
_OWN_FIELDS: Final = frozenset({"MA_LK", "STT", "MA_TTDV", "DU_PHONG", "GIAY_CHUYEN_TUYEN"})
_STAY_FIELDS: Final = frozenset({"NGAY_VAO", "NGAY_RA"})


def _same_rule(table: str, *names: str) -> Check:
    """Copied fields equal XML1; an optional field that was left empty is no contradiction."""

    def check(context: Context) -> Iterator[Hit]:
        for row in context.rows(table):
            for name in names or _copied(context, row):
                found, expected = row[name], context.summary[name]
                if table == "XML13" and name in _STAY_FIELDS and context.settings.xml13_stay_list:
                    found = found.rpartition(";")[2]
                if found and found != expected:
                    yield Hit(row, f"XML1 ghi: {expected[:80] or '(trống)'}.", field=name)

    return check


def _copied(context: Context, row: RowView) -> list[str]:
    return [name for name in row.values if name in context.summary.values and name not in _OWN_FIELDS]


rule("XML6-NGAY_SINH-SAME")(
    _same_rule(
        "XML6",
        *("NGAY_SINH", "GIOI_TINH", "DIA_CHI", "MATINH_CU_TRU", "MAHUYEN_CU_TRU", "MAXA_CU_TRU", "MA_CSKCB"),
    )
)
rule("XML6-NGAY_KQ_XN_TLVR-TIME")(not_before_rule("XML6", "NGAY_KQ_XN_TLVR", "NGAY_XN_TLVR"))


@rule("XML6-SO_NGAY_CAP_THUOC_ARV-DAYS")
def _arv_days(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML6"):
        days = row.amount("SO_NGAY_CAP_THUOC_ARV")
        length = _days_between(row, "NGAY_BAT_DAU_XU_TRI", "NGAY_KET_THUC_XU_TRI")
        if days is not None and length is not None and days > length:
            yield Hit(row, f"Kỳ xử trí dài {length} ngày.")


def _days_between(row: RowView, start: str, end: str) -> int | None:
    first, last = row.day(start), row.day(end)
    return None if first is None or last is None else (last - first).days


@rule("XML7-MA_YTE-SAME")
def _patient_number(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML7"):
        if row["MA_YTE"] and row["MA_YTE"] != context.summary["MA_BN"]:
            yield Hit(row, f"XML1 ghi MA_BN {context.summary['MA_BN']}.")


rule("XML7-NGAY_RA-SAME")(_same_rule("XML7", "NGAY_VAO", "NGAY_RA"))


@rule("XML7-NGAY_CT-SAME")
def _paper_day(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML7"):
        if row["NGAY_CT"] and row["NGAY_RA"] and row["NGAY_CT"] != row["NGAY_RA"][:8]:
            yield Hit(row, f"Ngày ra viện {row['NGAY_RA'][:8]}.")


@rule("XML7-TUOI_THAI-RANGE")
def _weeks(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML7"):
        weeks = row.amount("TUOI_THAI")
        if weeks is not None and not 1 <= weeks <= _MOST_WEEKS:
            yield Hit(row, "Từ 1 đến 42 tuần.")


@rule("XML7-SO_NGAY_NGHI-THREE")
def _leave_after_discharge(context: Context) -> Iterator[Hit]:
    names = ("SO_NGAY_NGHI", "NGOAITRU_TUNGAY", "NGOAITRU_DENNGAY")
    for row in context.rows("XML7"):
        missing = [name for name in names if not row[name]]
        if missing and len(missing) < len(names):
            yield Hit(row, f"Bổ sung {', '.join(missing)} hoặc để trống cả ba.", field=missing[0])


@rule("XML7-ALL-NEED")
def _discharge_paper(context: Context) -> Iterator[Hit]:
    if context.rows("XML7") or context.summary["MA_LOAI_RV"] == ABSCONDED:
        return
    if context.visit_type in ("03", "04"):
        yield Hit(table="XML7", suggestion="Cấp giấy ra viện rồi lập lại hồ sơ.")
    elif context.visit_type == "09":
        yield Hit(table="XML7", suggestion="Loại 09: gửi khi có cấp giấy ra viện.", severity=Severity.WARNING)


@rule("XML7-MA_CHA-CHILD")
def _parents_of_a_child(context: Context) -> Iterator[Hit]:
    born, left = plain_number(context.summary["NGAY_SINH"][:8]), plain_number(context.summary["NGAY_RA"][:8])
    if born is None or left is None:
        return
    is_adult = left - born >= _CHILD_YEARS * 10000  # yyyymmdd: a difference of 16 in the year
    for row in context.rows("XML7"):
        filled = [name for name in ("MA_CHA", "MA_ME", "HO_TEN_CHA", "HO_TEN_ME") if row[name]]
        if is_adult and filled:
            yield Hit(row, "Người bệnh từ 16 tuổi: để trống cha mẹ.", field=filled[0])


@rule("XML8-ALL-SEND")
def _summary_by_type(context: Context) -> Iterator[Hit]:
    if context.rows("XML8") and context.visit_type not in SUMMARY_TYPES:
        yield Hit(table="XML8", suggestion=f"Loại hình {context.visit_type} không gửi XML8 (chỉ 03, 04, 06).")


@rule("XML8-NGAY_SINHCON-THREE")
def _child_death(context: Context) -> Iterator[Hit]:
    names = ("NGAY_SINHCON", "NGAY_CONCHET", "SO_CONCHET")
    for row in context.rows("XML8"):
        missing = [name for name in names if not row[name]]
        length = _days_between(row, "NGAY_SINHCON", "NGAY_CONCHET")
        if missing and len(missing) < len(names):
            yield Hit(row, f"Bổ sung {', '.join(missing)} hoặc để trống cả ba.", field=missing[0])
        elif length is not None and length < 0:
            yield Hit(row, "Ngày con chết trước ngày sinh.", field="NGAY_CONCHET")


@rule("XML8-TOMTAT_KQ-LEN4000")
def _summary_length(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML8"):
        if len(row["TOMTAT_KQ"]) > _PORTAL_TEXT:
            yield Hit(row, f"Rút còn {_PORTAL_TEXT} ký tự (đang {len(row['TOMTAT_KQ'])}).")


def _social_number_rule(table: str, name: str) -> Check:
    def check(context: Context) -> Iterator[Hit]:
        for row in context.rows(table):
            if row[name] and not _SOCIAL.fullmatch(row[name]):
                yield Hit(row, "10 chữ số, không phải toàn số 0.")

    return check


rule("XML9-MA_BHXH_NND-FMT")(_social_number_rule("XML9", "MA_BHXH_NND"))
rule("XML11-MA_BHXH-FMT")(_social_number_rule("XML11", "MA_BHXH"))


@rule("XML9-GHI_CHU-TEXT")
def _birth_note(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML9"):
        expected = _BIRTH_NOTES.get((row["SINHCON_PHAUTHUAT"], row["SINHCON_DUOI32TUAN"]))
        if row["GHI_CHU"] and row["GHI_CHU"] != expected:
            yield Hit(row, f"Ghi: {expected}." if expected else "Để trống khi sinh thường, đủ 32 tuần.")


@rule("XML9-NGAYCAP_CCCD_NND-FUT")
def _issue_day(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML9"):
        day = row.day("NGAYCAP_CCCD_NND")
        if day and day > context.on:
            yield Hit(row, f"Hôm nay là {context.on:%d/%m/%Y}.")


@rule("XML9-SO_CON-MIN")
def _children_count(context: Context) -> Iterator[Hit]:
    rows = context.rows("XML9")
    for row in rows:
        count = row.amount("SO_CON")
        if count is not None and (count < 1 or count != len(rows)):
            yield Hit(row, f"Mỗi con một dòng: có {len(rows)} dòng, SO_CON ghi {row['SO_CON']}.")


@rule("XML10-SO_NGAY-DAYS")
def _pregnancy_leave_days(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML10"):
        days, length = row.amount("SO_NGAY"), _days_between(row, "TU_NGAY", "DEN_NGAY")
        if days is not None and length is not None and days != length + 1:
            yield Hit(row, f"Tính cả hai đầu: {length + 1} ngày.")


@rule("XML10-SO_NGAY-MAX")
def _pregnancy_leave_limit(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML10"):
        if (row.amount("SO_NGAY") or 0) > _MOST_LEAVE:
            yield Hit(row, "Tối đa 180 ngày.")


@rule("XML10-CHAN_DOAN_RV-WORD")
def _pregnancy_leave_word(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML10"):
        if row["CHAN_DOAN_RV"] and "dưỡng thai" not in row["CHAN_DOAN_RV"].lower():
            yield Hit(row, "Ghi cụm từ “dưỡng thai” trong chẩn đoán.")


@rule("XML11-SO_NGAY_NGHI-MAX", limit="lao: nhận theo mã A15-A19 của bệnh chính")
def _sick_leave_limit(context: Context) -> Iterator[Hit]:
    is_tb = context.summary["MA_BENH_CHINH"][:3] in {f"A{n}" for n in range(15, 20)}
    for row in context.rows("XML11"):
        days = row.amount("SO_NGAY_NGHI")
        is_loss = row["MA_DINH_CHI_THAI"] == "1" and (row.amount("TUOI_THAI") or 0) >= _LOSS_WEEKS
        most = _MOST_LEAVE if is_tb else _LEAVE_AFTER_LOSS if is_loss else _LEAVE
        if days is not None and days > most:
            yield Hit(row, f"Tối đa {most} ngày.")


@rule("XML11-DEN_NGAY-RANGE")
def _sick_leave_period(context: Context) -> Iterator[Hit]:
    arrived, left = context.summary.day("NGAY_VAO"), context.summary.day("NGAY_RA")
    for row in context.rows("XML11"):
        start, end = row.day("TU_NGAY"), row.day("DEN_NGAY")
        if start and end and end < start:
            yield Hit(row, "DEN_NGAY không trước TU_NGAY.")
        elif start and left and start > left:
            yield Hit(row, "TU_NGAY không sau NGAY_RA.", field="TU_NGAY")
        elif end and arrived and end < arrived:
            yield Hit(row, "DEN_NGAY không trước NGAY_VAO.")


@rule("XML11-MAU_SO-CT07")
def _sick_leave_form(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML11"):
        if row["MAU_SO"] not in ("", "CT07"):
            yield Hit(row, "Ghi CT07 hoặc để trống.")


@rule("XML13-ALL-SEND")
def _referral_paper(context: Context) -> Iterator[Hit]:
    is_referred = context.summary["MA_LOAI_RV"] in REFERRAL_ENDS
    if context.rows("XML13") and not is_referred:
        yield Hit(table="XML13", suggestion="Bỏ XML13, hoặc sửa loại ra viện thành 2 hoặc 5.")
    elif is_referred and context.is_insured and not context.rows("XML13"):
        yield Hit(table="XML13", suggestion="Lập giấy chuyển cơ sở KBCB cho người bệnh BHYT.")


rule("XML13-HO_TEN-SAME")(_same_rule("XML13"))
rule("XML14-HO_TEN-SAME")(_same_rule("XML14"))
rule("XML15-HO_TEN-SAME")(_same_rule("XML15", "HO_TEN", "SO_CCCD", "MA_CSKCB"))
rule("XML15-NGAYKT_DTRI_LAO-TIME")(not_before_rule("XML15", "NGAYKT_DTRI_LAO", "NGAYBD_DTRI_LAO"))


@rule("XML13-MA_CSKCB_DEN-SAME")
def _referred_to(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML13"):
        name = "MA_CSKCB_DEN" if "MA_CSKCB_DEN" in row.values else "MA_NOI_DEN"
        if row[name] and row[name] != context.summary["MA_NOI_DEN"]:
            yield Hit(row, f"XML1 ghi nơi đến: {context.summary['MA_NOI_DEN'] or '(trống)'}.", field=name)


@rule("XML13-MA_CSKCB_DI-FMT")
def _came_from(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML13"):
        if row["MA_CSKCB_DI"] and not _FACILITIES.fullmatch(row["MA_CSKCB_DI"]):
            yield Hit(row, "Các mã cơ sở 5 ký tự, cách nhau dấu ;.")


@rule("XML14-ALL-SEND")
def _slip_without_appointment(context: Context) -> Iterator[Hit]:
    if context.rows("XML14") and not context.summary["NGAY_TAI_KHAM"]:
        yield Hit(table="XML14", suggestion="Ghi ngày tái khám ở XML1, hoặc bỏ giấy hẹn.")


@rule("XML14-NGAY_HEN_KL-TIME")
def _appointment_day(context: Context) -> Iterator[Hit]:
    left: date | None = context.summary.day("NGAY_RA")
    listed = context.summary.items("NGAY_TAI_KHAM")
    for row in context.rows("XML14"):
        day = row.day("NGAY_HEN_KL")
        if day is None:
            continue
        if left and day < left:
            yield Hit(row, f"Ngày hẹn phải sau ngày ra ({left:%d/%m/%Y}).")
        elif left and day == left:
            yield Hit(row, "Hẹn sớm nhất vào ngày hôm sau.", severity=Severity.WARNING)
        elif listed and row["NGAY_HEN_KL"][:8] not in listed:
            yield Hit(row, f"Ngày hẹn phải có trong NGAY_TAI_KHAM của XML1 ({context.summary['NGAY_TAI_KHAM']}).")


@rule("XML14-NGAY_CT-TIME")
def _slip_day(context: Context) -> Iterator[Hit]:
    arrived = context.summary.day("NGAY_VAO")
    for row in context.rows("XML14"):
        day = row.day("NGAY_CT")
        if day and arrived and day < arrived:
            yield Hit(row, "Không trước ngày vào.")
