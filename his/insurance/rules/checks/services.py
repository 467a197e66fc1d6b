"""Rules of XML3 other than amounts: services, supplies, exam fees, operations, tests."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

from his.core.errors import Severity
from his.insurance.rules.checks.context import (
    OPERATION_GROUPS,
    PERFORMED_GROUPS,
    SUPPLY_GROUPS,
    Context,
    Hit,
    RowView,
    RuleBook,
    plain,
)
from his.insurance.rules.checks.drugs import (
    bid_is_well_formed,
    lines_on,
    not_before_rule,
    same_bid,
    staff_rule,
    stay_rule,
)
from his.insurance.rules.visits import INPATIENT_TYPES

book: Final = RuleBook()
rule = book.rule

EXAM: Final = "13"
TRANSPORT: Final = "12"
SURGERY: Final = "8"
ABANDONED: Final = "_TB"
LOCAL_ANAESTHESIA: Final = "_GT"
EXAM_RATIOS: Final = (100, 30, 30, 30, 10)
_SUFFIXES: Final = frozenset({"GT", "TB", "TT"})
_SENT_OUT: Final = re.compile(r"[0-9]{2}\.[0-9]{4}\.[0-9]{4}(_[A-Z]{2})?\.K\.[0-9A-Z]{5}")
_MOVED: Final = re.compile(r"VC\.[0-9A-Z]{5}")
_PACKAGE: Final = re.compile(r"G[1-9][0-9]{0,2}")
_MACHINE: Final = re.compile(r"[0-9A-Z]{2,3}\.[0-9](\.[0-9A-Z]{5})?\.[^.;\s][^;\s]*")
_ICD: Final = re.compile(r"[A-Z][0-9]{2}(\.[0-9]{1,2})?[†*+]?")
_MOST_CODES: Final = 100


def is_sent_out(row: RowView) -> bool:
    """A test done by another facility: its code ends with .K. and that facility's code."""
    return ".K." in row["MA_DICH_VU"]


def _services(context: Context) -> Iterator[RowView]:
    return (row for row in context.rows("XML3") if not row["MA_VAT_TU"])


@rule("XML3-MA_DICH_VU-ONE")
def _service_or_supply(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        if not row["MA_DICH_VU"] and not row["MA_VAT_TU"]:
            yield Hit(row, "Nhập mã dịch vụ hoặc mã vật tư.")


@rule("XML3-MA_DICH_VU-CAT", needs="approved_services")
def _service_approved(context: Context) -> Iterator[Hit]:
    for row in _services(context):
        code = row["MA_DICH_VU"]
        known = (context.catalogue.approved_services or {}).get(code, ())
        if code and not _MOVED.fullmatch(code) and not is_sent_out(row) and not lines_on(known, row.day("NGAY_YL")):
            yield Hit(row, "Bổ sung dịch vụ vào danh mục được duyệt (đúng thời gian hiệu lực) hoặc sửa mã.")


@rule("XML3-MA_DICH_VU-SUFFIX")
def _suffix(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        _, mark, suffix = row["MA_DICH_VU"].partition("_")
        if mark and suffix.partition(".")[0] not in _SUFFIXES:
            yield Hit(row, "Chỉ dùng _GT, _TB, _TT.")


@rule("XML3-TEN_DICH_VU-CAT", needs="approved_services")
def _service_name(context: Context) -> Iterator[Hit]:
    for row in _services(context):
        known = (context.catalogue.approved_services or {}).get(row["MA_DICH_VU"], ())
        lines = lines_on(known, row.day("NGAY_YL"))
        if row["TEN_DICH_VU"] and lines and all(line.name != row["TEN_DICH_VU"] for line in lines):
            yield Hit(row, f"Danh mục ghi: {lines[0].name}.")


@rule("XML3-DON_GIA_BH-CAP", partly_needs="approved_services")
def _price(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        price, cap = row.amount("DON_GIA_BH"), row.amount("T_TRANTT")
        if price is None:
            continue
        known = () if row["MA_VAT_TU"] else (context.catalogue.approved_services or {}).get(row["MA_DICH_VU"], ())
        highest = max((line.price for line in lines_on(known, row.day("NGAY_YL"))), default=None)
        if highest is not None and price > highest:
            yield Hit(row, f"Giá được duyệt: {plain(highest)}.")
        elif cap is not None and price > cap:
            yield Hit(row, f"Hạ DON_GIA_BH xuống trần {plain(cap)}; phần còn lại người bệnh tự trả.")


@rule("XML3-DON_GIA_BV-TB")
def _abandoned_is_free(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        if row["MA_DICH_VU"].endswith(ABANDONED) and (row.amount("DON_GIA_BV") or row.amount("DON_GIA_BH")):
            yield Hit(row, "Dịch vụ dừng kỹ thuật (_TB): DON_GIA_BV và DON_GIA_BH là 0.")


@rule("XML3-DON_GIA_BV-REUSE")
def _reused_price(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        if row["TAI_SU_DUNG"] == "1" and row.amount("DON_GIA_BV") != row.amount("DON_GIA_BH"):
            yield Hit(row, "Vật tư tái sử dụng: DON_GIA_BV bằng DON_GIA_BH.")


@rule("XML3-T_BHTT-CAP")
def _package_cap(context: Context) -> Iterator[Hit]:
    spent: dict[str, Decimal] = defaultdict(Decimal)
    for row in context.rows("XML3"):
        cap, fund = row.amount("T_TRANTT"), row.amount("T_BHTT")
        if cap is None or fund is None:
            continue
        spent[row["GOI_VTYT"]] += fund
        if fund > cap or (row["GOI_VTYT"] and spent[row["GOI_VTYT"]] > cap):
            yield Hit(row, f"Quỹ trả cho gói vật tư không quá {plain(cap)}.")


@rule("XML3-TYLE_TT_DV-EXAM", limit="chỉ thấy các lần khám trong cùng hồ sơ")
def _exam_ratios(context: Context) -> Iterator[Hit]:
    by_day: dict[str, list[RowView]] = defaultdict(list)
    for row in context.rows("XML3"):
        if row["MA_NHOM"] == EXAM and row["PHAM_VI"] != "2" and row.amount("TYLE_TT_DV") is not None:
            by_day[row["NGAY_YL"][:8]].append(row)
    for rows in by_day.values():
        # Which clinic comes first is not settled, so the ratios of the day are compared as a set.
        ranked = sorted(rows, key=lambda row: row.amount("TYLE_TT_DV") or 0, reverse=True)
        for place, row in enumerate(ranked):
            expected = EXAM_RATIOS[place] if place < len(EXAM_RATIOS) else 0
            if row.amount("TYLE_TT_DV") != expected:
                yield Hit(row, f"Lần khám thứ {place + 1} trong ngày: {expected}.")


@rule("XML3-TYLE_TT_DV-SURG", limit="cùng một lần phẫu thuật = trùng NGAY_TH_YL hoặc giao nhau đến NGAY_KQ")
def _operation_ratios(context: Context) -> Iterator[Hit]:
    rows = [row for row in context.rows("XML3") if row["MA_NHOM"] == SURGERY and row.time("NGAY_TH_YL")]
    for session in _sessions(rows):
        ranked = sorted(session, key=lambda row: row.amount("TYLE_TT_DV") or 0, reverse=True)
        if len(ranked) == 1 and ranked[0].amount("TYLE_TT_DV") not in (None, 100):
            yield Hit(ranked[0], "Phẫu thuật duy nhất của lần mổ: 100.")
        main = ranked[0].items("NGUOI_THUC_HIEN")[:1]
        for row in ranked[1:]:
            expected = 50 if row.items("NGUOI_THUC_HIEN")[:1] == main else 80
            if row.amount("TYLE_TT_DV") != expected:
                yield Hit(row, f"Phẫu thuật thứ hai trở đi: {expected} (50 cùng kíp, 80 khác kíp).")


def _sessions(rows: list[RowView]) -> list[list[RowView]]:
    sessions: list[list[RowView]] = []
    last_end: datetime | None = None
    for row in sorted(rows, key=lambda row: row["NGAY_TH_YL"]):
        start = row.time("NGAY_TH_YL")
        end = row.time("NGAY_KQ") or start
        if start is None or end is None:
            continue
        if sessions and last_end is not None and (start < last_end or start == sessions[-1][0].time("NGAY_TH_YL")):
            sessions[-1].append(row)
            last_end = max(last_end, end)
        else:
            sessions.append([row])
            last_end = end
    return sessions


@rule("XML3-SO_LUONG-ONE")
def _one_operation_a_row(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        if row["MA_NHOM"] == SURGERY and (row.amount("SO_LUONG") or 0) > 1:
            yield Hit(row, "Mỗi phẫu thuật một dòng.")


@rule("XML3-MA_NHOM-EXAM1")
def _one_exam_inpatient(context: Context) -> Iterator[Hit]:
    exams = [row for row in context.rows("XML3") if row["MA_NHOM"] == EXAM]
    if context.visit_type in INPATIENT_TYPES:
        for row in exams[1:]:
            yield Hit(row, "Hồ sơ nội trú chỉ có một công khám.")


@rule("XML3-GOI_VTYT-FMT")
def _package(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        if row["GOI_VTYT"] and not _PACKAGE.fullmatch(row["GOI_VTYT"]):
            yield Hit(row, "G và số từ 1 đến 999.")


@rule("XML3-MA_VAT_TU-GROUP")
def _supply_group(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        if row["MA_NHOM"] and bool(row["MA_VAT_TU"]) != (row["MA_NHOM"] in SUPPLY_GROUPS):
            yield Hit(row, "MA_VAT_TU đi với nhóm 10 (hoặc 11), các nhóm khác để trống.")


@rule("XML3-MA_VAT_TU-CAT", needs="approved_supplies")
def _supply_approved(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        if not row["MA_VAT_TU"]:
            continue
        known = (context.catalogue.approved_supplies or {}).get(row["MA_VAT_TU"], ())
        lines = lines_on(known, row.day("NGAY_YL"))
        if not lines:
            yield Hit(row, "Bổ sung vật tư vào danh mục được duyệt hoặc sửa mã.")
        elif row["TEN_VAT_TU"] and all(line.name != row["TEN_VAT_TU"] for line in lines):
            yield Hit(row, f"Danh mục ghi: {lines[0].name}.", field="TEN_VAT_TU")
        elif row["TT_THAU"] and not any(same_bid(line.bid, row["TT_THAU"]) for line in lines):
            yield Hit(row, f"Danh mục ghi: {lines[0].bid}.", field="TT_THAU")


@rule("XML3-MA_VAT_TU-DATE")
def _supply_with_its_service(context: Context) -> Iterator[Hit]:
    ordered: dict[str, set[str]] = defaultdict(set)
    for row in _services(context):
        ordered[row["MA_DICH_VU"]].add(row["NGAY_YL"][:8])
    for row in context.rows("XML3"):
        days = ordered.get(row["MA_DICH_VU"]) if row["MA_VAT_TU"] and row["MA_DICH_VU"] else None
        if days and row["NGAY_YL"][:8] not in days:
            yield Hit(row, f"Dịch vụ {row['MA_DICH_VU']} chỉ định ngày {', '.join(sorted(days))}.")


@rule("XML3-TT_THAU-FMT")
def _bid_form(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        if row["TT_THAU"] and not bid_is_well_formed(row["TT_THAU"], group_zero=True):
            yield Hit(row, "Dạng: số quyết định;Gn;Nn;năm (hoặc số quyết định;năm khi tự sản xuất).")


@rule("XML3-NGUOI_THUC_HIEN-GROUP")
def _performer(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        if row["MA_NHOM"] in PERFORMED_GROUPS and not row["NGUOI_THUC_HIEN"] and not is_sent_out(row):
            yield Hit(row, "Nhập số giấy phép hành nghề của người thực hiện.")


rule("XML3-NGUOI_THUC_HIEN-CAT", needs="staff")(staff_rule("XML3", "NGUOI_THUC_HIEN"))
rule("XML3-NGAY_TH_YL-TIME")(not_before_rule("XML3", "NGAY_TH_YL", "NGAY_YL"))
rule("XML3-NGAY_KQ-TIME")(not_before_rule("XML3", "NGAY_KQ", "NGAY_YL", "NGAY_TH_YL"))
rule("XML3-NGAY_KQ-STAY")(stay_rule("XML3", "NGAY_KQ", advice="Kết quả sau khi ra: bổ sung trên cổng trong 60 ngày."))
rule("XML3-NGAY_YL-STAY")(stay_rule("XML3", "NGAY_YL"))


@rule("XML3-PP_VO_CAM-OP")
def _anaesthesia(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        if row["MA_DICH_VU"].endswith(LOCAL_ANAESTHESIA) and row["PP_VO_CAM"] != "2":
            yield Hit(row, "Mã _GT (gây tê): PP_VO_CAM là 2.")
        elif row["MA_NHOM"] == SURGERY and not row["PP_VO_CAM"]:
            yield Hit(row, "Nhập phương pháp vô cảm của phẫu thuật.")


@rule("XML3-MA_MAY-FMT", partly_needs="machines")
def _machine(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        for code in row.items("MA_MAY"):
            if not _MACHINE.fullmatch(code):
                yield Hit(row, f"{code}: dạng nhóm.nguồn.số sê-ri.")
            elif context.catalogue.machines is not None and code not in context.catalogue.machines:
                yield Hit(row, f"{code} không có trong danh sách máy của cơ sở.")


@rule("XML3-MA_XANG_DAU-TR")
def _fuel(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        if row["MA_NHOM"] == TRANSPORT and not row["MA_XANG_DAU"]:
            yield Hit(row, "Vận chuyển (nhóm 12): nhập mã xăng dầu.")


@rule("XML3-MA_BENH-CUT")
def _diseases_cut(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        text = row["MA_BENH"]
        last = text.rpartition(";")[2]
        cut_short = len(text) > _MOST_CODES - 8 and not _ICD.fullmatch(last)
        if len(text) > _MOST_CODES or cut_short:
            yield Hit(row, "Bỏ trọn các mã cuối để còn tối đa 100 ký tự, không cắt giữa mã.")


@rule("XML3-MA_DICH_VU-DUPPTTT")
def _same_operation_twice(context: Context) -> Iterator[Hit]:
    seen: set[tuple[str, str]] = set()
    for row in _services(context):
        if row["MA_NHOM"] not in OPERATION_GROUPS:
            continue
        key = (row["MA_DICH_VU"], row["NGAY_YL"])
        if key in seen:
            yield Hit(row, "Cùng dịch vụ, cùng giờ y lệnh: xóa dòng trùng.")
        seen.add(key)


@rule("XML3-MA_DICH_VU-SENT")
def _sent_out_code(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        if (".K." in row["MA_DICH_VU"] or row["MA_DICH_VU"].endswith(".K")) and not _SENT_OUT.fullmatch(
            row["MA_DICH_VU"]
        ):
            yield Hit(row, "Dạng XX.YYYY.ZZZZ.K. và mã 5 ký tự của cơ sở thực hiện.")


@rule("XML3-MA_DICH_VU-MOVE")
def _transport_code(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        code = row["MA_DICH_VU"]
        if (row["MA_NHOM"] == TRANSPORT or code.startswith("VC.")) and not _MOVED.fullmatch(code):
            yield Hit(row, "Dạng VC. và mã 5 ký tự của cơ sở nhận.")
        elif code.startswith("VC.") and context.summary["MA_NOI_DEN"] not in ("", code[3:]):
            yield Hit(row, f"Nơi nhận phải là {context.summary['MA_NOI_DEN']}.", severity=Severity.WARNING)
