"""Rules of XML1: card, diagnoses, route, times, days, places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from his.core.errors import Severity
from his.insurance.rules.checks.context import (
    NOT_INSURED,
    OPEN_ENDED_GROUPS,
    Check,
    Context,
    Hit,
    RuleBook,
)
from his.insurance.rules.visits import INPATIENT_TYPES, REFERRAL_ENDS, treatment_days

book: Final = RuleBook()
rule = book.rule

_CITIZEN: Final = re.compile(r"[0-9]{9}|[0-9]{12}|[A-Z][0-9]{7}")
_CARD: Final = re.compile(r"[A-Z]{2}[0-9]{13}")
_TRADITIONAL: Final = re.compile(r"U[5-9][0-9]\.[0-9]{3}(\.[0-9]+)?")
_DEPARTMENT: Final = re.compile(r"K[0-9]{2}([0-9]{2}|\.[0-9]{1,2}|\.D[0-9]{2})?")
_FACILITY: Final = re.compile(r"[0-9A-Z]{5}")
_DAYS_OF_DOSE: Final = re.compile(r"\*\s*([0-9]{1,3})\s*ngày", re.IGNORECASE)
_GRAMS: Final = re.compile(r"[0-9]{2,5}(;[0-9]{2,5})*")
_SIGNER_4750: Final = re.compile(r"[0-9]{10}")
_SIGNER_3176: Final = re.compile(r"[0-9]{4,7}/[\wĐđ-]+(\.[\w.]+)?|[0-9]{10}")
_LAYER_3176: Final = date(2025, 1, 1)
_FOUR_HOURS: Final = 4
_NEWBORN_DAYS: Final = 28


@rule("XML1-SO_CCCD-FMT")
def _citizen_number(context: Context) -> Iterator[Hit]:
    value = context.summary["SO_CCCD"]
    if value and not _CITIZEN.fullmatch(value):
        yield Hit(context.summary, "9 hoặc 12 chữ số, hoặc một chữ in hoa và 7 chữ số; kiểm tra nếu là giấy tờ khác.")


@rule("XML1-MA_THE_BHYT-FMT")
def _card_number(context: Context) -> Iterator[Hit]:
    bad = [card for card in context.summary["MA_THE_BHYT"].split(";") if not _CARD.fullmatch(card)]
    if context.summary["MA_THE_BHYT"] and bad:
        yield Hit(context.summary, f"Thẻ {bad[0] or '(trống)'} phải có 2 chữ in hoa và 13 chữ số.")


@rule("XML1-MA_THE_BHYT-TEMP")
def _temporary_card(context: Context) -> Iterator[Hit]:
    province = context.summary["MATINH_CU_TRU"].lstrip("0")
    registered = context.summary["MA_DKBD"].split(";")
    for card, place in zip(context.cards, registered, strict=False):
        if place[2:] == "000" and card[:3] == "TE1" and card[3:5].lstrip("0") != province:
            yield Hit(context.summary, f"Thẻ tạm: TE1 + mã tỉnh cư trú + 10 chữ số; thẻ ghi tỉnh {card[3:5]}.")


@rule("XML1-MA_THE_BHYT-COUNT")
def _card_lists(context: Context) -> Iterator[Hit]:
    wanted = len(context.cards)
    if not wanted:
        return
    for name in ("MA_DKBD", "GT_THE_TU", "GT_THE_DEN"):
        text = context.summary[name]
        if text and len(text.split(";")) != wanted:
            yield Hit(context.summary, f"{name} có {len(text.split(';'))} giá trị cho {wanted} thẻ.")


@rule("XML1-MA_THE_BHYT-PAYER")
def _payer(context: Context) -> Iterator[Hit]:
    category = context.summary["MA_DOITUONG_KCB"]
    if context.cards or not context.rows("XML1"):
        return
    if category and category != NOT_INSURED:
        yield Hit(context.summary, "Nhập thẻ BHYT, hoặc chuyển đối tượng thành 9 (không KCB BHYT).")
    elif context.summary.amount("T_BHTT"):
        yield Hit(context.summary, "Không có thẻ thì T_BHTT phải là 0.")


@rule("XML1-GT_THE_DEN-RANGE")
def _card_period(context: Context) -> Iterator[Hit]:
    for start, end in zip(*_card_dates(context), strict=False):
        if start and end and end < start:
            yield Hit(context.summary, f"Thẻ bắt đầu {start} nhưng hết hạn {end}.")


@rule("XML1-GT_THE_DEN-VALID")
def _card_valid(context: Context) -> Iterator[Hit]:
    if not context.cards:
        return
    starts, ends = _card_dates(context)
    # Types 02, 05, 07, 08 end with the last day of medicine, when the card may be over.
    names = ["NGAY_VAO"] if context.visit_type in ("02", "05", "07", "08") else ["NGAY_VAO", "NGAY_RA"]
    for name in names:
        day = context.summary[name][:8]
        covered = any(
            start and start <= day and (day <= end or (not end and card[:2] in OPEN_ENDED_GROUPS))
            for card, start, end in zip(context.cards, starts, ends, strict=False)
        )
        if day and not covered:
            yield Hit(context.summary, f"Không thẻ nào có giá trị ngày {day}: kiểm tra lại thẻ trên cổng.")
            return


def _card_dates(context: Context) -> tuple[list[str], list[str]]:
    return context.summary["GT_THE_TU"].split(";"), context.summary["GT_THE_DEN"].split(";")


@rule("XML1-MA_DKBD-FMT", partly_needs="facilities")
def _registered_at(context: Context) -> Iterator[Hit]:
    for place in context.summary.items("MA_DKBD"):
        known = context.catalogue.facilities
        if not _FACILITY.fullmatch(place):
            yield Hit(context.summary, f"{place}: mã nơi đăng ký có 5 ký tự.")
        elif known is not None and place not in known and place[2:] != "000":
            yield Hit(context.summary, f"{place} không có trong danh mục cơ sở KBCB.")


@rule("XML1-MA_BENH_CHINH-ONE")
def _one_main_disease(context: Context) -> Iterator[Hit]:
    value = context.summary["MA_BENH_CHINH"]
    if any(mark in value for mark in ";, "):
        yield Hit(context.summary, "Giữ một mã; chuyển các mã còn lại sang MA_BENH_KT.")


@rule("XML1-MA_BENH_CHINH-PRIM", needs="icd10")
def _main_disease_allowed(context: Context) -> Iterator[Hit]:
    entry = (context.catalogue.icd10 or {}).get(context.summary["MA_BENH_CHINH"])
    if entry is not None and entry.barred_as_main:
        yield Hit(
            context.summary,
            f"Chọn mã khác làm bệnh chính ({entry.barred_as_main}).",
            severity=Severity.WARNING if entry.doubtful else None,
        )


@rule("XML1-MA_BENH_CHINH-SEX", needs="icd10")
def _disease_fits_sex(context: Context) -> Iterator[Hit]:
    entry = (context.catalogue.icd10 or {}).get(context.summary["MA_BENH_CHINH"])
    sex = {"1": "M", "2": "F"}.get(context.summary["GIOI_TINH"])
    if entry is not None and entry.sex and sex and entry.sex != sex:
        yield Hit(context.summary, f"Mã chỉ dùng cho {'nam' if entry.sex == 'M' else 'nữ'}.")


@rule("XML1-MA_BENH_CHINH-YHCT", partly_needs="traditional_diseases")
def _main_disease_is_modern(context: Context) -> Iterator[Hit]:
    value = context.summary["MA_BENH_CHINH"]
    known = context.catalogue.traditional_diseases
    if value and (_TRADITIONAL.fullmatch(value) or (known is not None and value in known)):
        yield Hit(context.summary, "Ghi mã ICD-10; mã y học cổ truyền ghi ở MA_BENH_YHCT.")


@rule("XML1-MA_BENH_CHINH-VAGUE")
def _vague_disease(context: Context) -> Iterator[Hit]:
    if context.summary["MA_BENH_CHINH"].startswith(("Z00", "R53")):
        yield Hit(context.summary, "Xem lại: mã này thường bị hỏi khi giám định.")


@rule("XML1-MA_BENH_KT-MAX12")
def _at_most_twelve(context: Context) -> Iterator[Hit]:
    count = len(context.summary.items("MA_BENH_KT"))
    if count > 12:
        yield Hit(context.summary, f"Đang có {count} mã; giữ 12 mã quan trọng nhất.")


@rule("XML1-MA_BENH_KT-DUP")
def _no_repeats(context: Context) -> Iterator[Hit]:
    codes = [context.summary["MA_BENH_CHINH"], *context.summary.items("MA_BENH_KT")]
    repeated = sorted({code for code in codes if code and codes.count(code) > 1})
    if repeated:
        yield Hit(context.summary, f"Bỏ mã lặp: {', '.join(repeated)}.")


@rule("XML1-MA_DOITUONG_KCB-LEVEL")
def _wrong_level(context: Context) -> Iterator[Hit]:
    own = context.summary["MA_CSKCB"]
    if context.summary["MA_DOITUONG_KCB"].startswith("3.") and own in context.summary.items("MA_DKBD"):
        yield Hit(context.summary, "Thẻ đăng ký tại cơ sở này: xem lại mã đối tượng (1.1).")


def _in_facilities(name: str) -> Check:
    def check(context: Context) -> Iterator[Hit]:
        value = context.summary[name]
        if value and name == "MA_NOI_DEN" and context.summary["MA_LOAI_RV"] not in REFERRAL_ENDS:
            yield Hit(context.summary, "Chỉ ghi nơi đến khi MA_LOAI_RV là 2 hoặc 5.")
        elif value and context.catalogue.facilities is not None and value not in context.catalogue.facilities:
            yield Hit(context.summary, f"{value} không có trong danh mục cơ sở KBCB.")

    return check


rule("XML1-MA_NOI_DI-LIST", needs="facilities")(_in_facilities("MA_NOI_DI"))
rule("XML1-MA_NOI_DEN-LIST", partly_needs="facilities")(_in_facilities("MA_NOI_DEN"))


@rule("XML1-MA_NOI_DEN-REF")
def _referred_where(context: Context) -> Iterator[Hit]:
    if context.summary["MA_LOAI_RV"] in REFERRAL_ENDS and not context.summary["MA_NOI_DEN"]:
        yield Hit(context.summary, "Nhập mã cơ sở nơi chuyển đến trên giấy chuyển.")


@rule("XML1-GIAY_CHUYEN_TUYEN-REF")
def _referral_number(context: Context) -> Iterator[Hit]:
    if context.summary["MA_NOI_DI"] and not context.summary["GIAY_CHUYEN_TUYEN"]:
        yield Hit(context.summary, "Nhập số giấy chuyển (hoặc số giấy hẹn khám lại).")


@rule("XML1-NGAY_RA-TIME")
def _end_after_start(context: Context) -> Iterator[Hit]:
    start, end = context.summary.time("NGAY_VAO"), context.summary.time("NGAY_RA")
    if start and end and end < start:
        yield Hit(context.summary, "Giờ ra không được trước giờ vào.")


@rule("XML1-NGAY_VAO_NOI_TRU-TIME")
def _admission_inside(context: Context) -> Iterator[Hit]:
    admitted = context.summary.time("NGAY_VAO_NOI_TRU")
    start, end = context.summary.time("NGAY_VAO"), context.summary.time("NGAY_RA")
    if admitted and ((start and admitted < start) or (end and admitted > end)):
        yield Hit(context.summary, "Phải nằm giữa NGAY_VAO và NGAY_RA.")


@rule("XML1-NGAY_RA-END2359")
def _ends_at_2359(context: Context) -> Iterator[Hit]:
    end = context.summary["NGAY_RA"]
    if context.visit_type in ("02", "05", "07") and end and not end.endswith("2359"):
        yield Hit(context.summary, "Loại 02, 05, 07 kết thúc lúc 23:59 của ngày thuốc hoặc dịch vụ cuối cùng.")


@rule("XML1-NGAY_VAO-FUT")
def _not_in_future(context: Context) -> Iterator[Hit]:
    arrived = context.summary.day("NGAY_VAO")
    if arrived and arrived > context.on:
        yield Hit(context.summary, f"Hôm nay là {context.on:%d/%m/%Y}.")


@rule("XML1-NGAY_VAO-BIRTH")
def _after_birth(context: Context) -> Iterator[Hit]:
    born, arrived = context.summary["NGAY_SINH"], context.summary["NGAY_VAO"]
    # Unknown parts of a birth date are zeros, so the texts compare as the dates do.
    if len(born) == len(arrived) == 12 and arrived < born:
        yield Hit(context.summary, "Ngày vào trước ngày sinh: sửa một trong hai.")


@rule("XML1-NGAY_SINH-NEWBORN")
def _newborn_time(context: Context) -> Iterator[Hit]:
    born, arrived = context.summary.day("NGAY_SINH"), context.summary.day("NGAY_VAO")
    is_newborn = born and arrived and timedelta(0) <= arrived - born <= timedelta(days=_NEWBORN_DAYS)
    if is_newborn and context.summary["NGAY_SINH"].endswith("0000"):
        yield Hit(context.summary, "Trẻ đến 28 ngày tuổi: ghi cả giờ, phút sinh.")


@rule("XML1-NGAY_TTOAN-TIME")
def _settled_after_end(context: Context) -> Iterator[Hit]:
    settled, end = context.summary.time("NGAY_TTOAN"), context.summary.time("NGAY_RA")
    if settled and end and settled < end and context.visit_type not in ("02", "05", "07", "08"):
        yield Hit(context.summary, "Thanh toán sau khi kết thúc đợt KCB.")


@rule("XML1-NGAY_TTOAN-RESEND")
def _not_settled(context: Context) -> Iterator[Hit]:
    if context.rows("XML1") and not context.summary["NGAY_TTOAN"]:
        yield Hit(context.summary, "Thanh toán xong, gửi lại hồ sơ.")


def _days_rule(types: tuple[str, ...]) -> Check:
    def check(context: Context) -> Iterator[Hit]:
        found = context.summary.amount("SO_NGAY_DTRI")
        start, end = context.summary.day("NGAY_VAO"), context.summary.day("NGAY_RA")
        if context.visit_type not in types or found is None or start is None or end is None:
            return
        medicine = _medicine_days(context) or (end - start).days + 1
        service = len({row["NGAY_TH_YL"][:8] or row["NGAY_YL"][:8] for row in context.rows("XML3")})
        expected = treatment_days(context.visit_type, start, end, medicine_days=medicine, service_days=service)
        if found != expected:
            yield Hit(context.summary, f"Phải là {expected}.")

    return check


rule("XML1-SO_NGAY_DTRI-ZERO")(_days_rule(("01", "07", "09")))
rule("XML1-SO_NGAY_DTRI-DAYS")(_days_rule(("02", "03", "04", "06")))
rule(
    "XML1-SO_NGAY_DTRI-DRUG",
    limit="số ngày thuốc lấy từ LIEU_DUNG (“* n ngày”), không có thì từ khoảng vào - ra",
)(_days_rule(("05", "08")))


def _medicine_days(context: Context) -> int:
    found = [int(m[1]) for row in context.rows("XML2") if (m := _DAYS_OF_DOSE.search(row["LIEU_DUNG"]))]
    return max(found, default=0)


@rule("XML1-MA_LOAI_KCB-UNDER4")
def _under_four_hours(context: Context) -> Iterator[Hit]:
    hours = context.stay_hours
    if context.visit_type in ("03", "04") and hours is not None and 0 <= hours < _FOUR_HOURS:
        yield Hit(context.summary, f"Thời gian nội trú {hours:.1f} giờ: dùng mã 09.")


@rule("XML1-MA_LOAI_KCB-T05")
def _type_05_has_no_services(context: Context) -> Iterator[Hit]:
    if context.visit_type == "05" and any(row["MA_NHOM"] != "13" for row in context.rows("XML3")):
        yield Hit(context.summary, "Có dịch vụ ngoài công khám: dùng mã 08.")


@rule("XML1-MA_LOAI_KCB-LONG")
def _exam_in_a_day(context: Context) -> Iterator[Hit]:
    start, end = context.summary.time("NGAY_VAO"), context.summary.time("NGAY_RA")
    if context.visit_type == "01" and start and end and end - start > timedelta(days=1):
        yield Hit(context.summary, "Kiểm tra giờ kết thúc khám hoặc loại hình KCB.")


@rule("XML1-LY_DO_VNT-INP")
def _admission_data(context: Context) -> Iterator[Hit]:
    if context.visit_type in INPATIENT_TYPES:
        missing = [n for n in ("LY_DO_VNT", "NGAY_VAO_NOI_TRU", "PP_DIEU_TRI") if not context.summary[n]]
        if missing:
            yield Hit(context.summary, f"Bổ sung {', '.join(missing)}.", field=missing[0])


@rule("XML1-MA_TTDV-FMT", limit="dạng số giấy phép hành nghề chỉ được kiểm tra sơ bộ")
def _signer_number(context: Context) -> Iterator[Hit]:
    value = context.summary["MA_TTDV"]
    form = _SIGNER_3176 if context.ended_on >= _LAYER_3176 else _SIGNER_4750
    if value and not form.fullmatch(value):
        yield Hit(context.summary, "Ghi số giấy phép hành nghề của người đứng đầu (trước 2025: 10 chữ số).")


@rule("XML1-MA_KHOA-FMT")
def _departments(context: Context) -> Iterator[Hit]:
    listed = context.summary["MA_KHOA"].split(";") if context.summary["MA_KHOA"] else []
    bad = [code for code in listed if not _DEPARTMENT.fullmatch(code)]
    if bad:
        yield Hit(context.summary, f"{bad[0] or '(trống)'}: dạng Kxx, Kxxyy, Kxx.n hoặc Kxx.Dnn.")
        return
    absent = sorted({row["MA_KHOA"] for row in context.money_rows if row["MA_KHOA"]} - set(listed))
    if listed and absent:
        yield Hit(context.summary, f"Bổ sung khoa của các dòng chi phí: {', '.join(absent)}.")


@rule("XML1-CAN_NANG-MAX")
def _weight(context: Context) -> Iterator[Hit]:
    weight = context.summary.amount("CAN_NANG")
    if weight is not None and not 0 < weight <= Decimal(200):
        yield Hit(context.summary, "Cân nặng từ trên 0 đến 200 kg.")


@rule("XML1-CAN_NANG_CON-FMT")
def _birth_weight(context: Context) -> Iterator[Hit]:
    value = context.summary["CAN_NANG_CON"]
    if value and not _GRAMS.fullmatch(value):
        yield Hit(context.summary, "Ghi gam, mỗi con một số, cách nhau dấu ;.")


@rule("XML1-THANG_QT-MON")
def _claim_month(context: Context) -> Iterator[Hit]:
    year, month = context.summary.amount("NAM_QT"), context.summary.amount("THANG_QT")
    if month is None or year is None:
        return
    settled = context.summary.time("NGAY_TTOAN") or context.summary.time("NGAY_RA")
    if not 1 <= month <= 12:
        yield Hit(context.summary, "Tháng từ 1 đến 12.")
    elif settled and (int(year), int(month)) < _month(settled):
        yield Hit(context.summary, f"Không trước tháng {settled:%m/%Y}.")


def _month(moment: datetime) -> tuple[int, int]:
    return moment.year, moment.month
