"""Rules of XML3 about bed days. Source: annex of QĐ 4750/QĐ-BYT; TT 39/2024/TT-BYT."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from his.insurance.rules.checks.context import BED_GROUPS, Context, Hit, RowView, RuleBook, plain

book: Final = RuleBook()
rule = book.rule

_RATIOS: Final = (100, 50, 33)
_BED: Final = re.compile(r"[HTCK][0-9]{3}")
_BED_FEE: Final = re.compile(r"(K[0-9]{2})\.")
_WITHOUT_BED: Final = frozenset({"01", "02", "05", "07", "08", *(str(n) for n in range(10, 17))})
_HALF: Final = Decimal("0.5")
_FOUR_HOURS: Final = 4
_DAY_HOURS: Final = 24


def _beds(context: Context) -> list[RowView]:
    return [row for row in context.rows("XML3") if row["MA_NHOM"] in BED_GROUPS]


def _days(rows: list[RowView]) -> Decimal:
    return sum((row.amount("SO_LUONG") or Decimal(0) for row in rows), Decimal(0))


@rule("XML3-TYLE_TT_DV-BED")
def _bed_ratio(context: Context) -> Iterator[Hit]:
    for row in _beds(context):
        ratio = row.amount("TYLE_TT_DV")
        if ratio is not None and ratio not in _RATIOS:
            yield Hit(row, "100 nằm một mình, 50 nằm hai, 33 nằm ba trở lên.")


@rule("XML3-SO_LUONG-BEDHALF", limit="chỉ xét dòng giường trong một ngày (NGAY_YL và NGAY_KQ cùng ngày)")
def _transfer_day(context: Context) -> Iterator[Hit]:
    by_day: dict[str, list[RowView]] = defaultdict(list)
    for row in _beds(context):
        if row["NGAY_YL"][:8] and row["NGAY_YL"][:8] == row["NGAY_KQ"][:8]:
            by_day[row["NGAY_YL"][:8]].append(row)
    for rows in by_day.values():
        if len({row["MA_KHOA"] for row in rows}) < 2:
            continue
        prices = [row.amount("DON_GIA_BH") or Decimal(0) for row in rows]
        halves = {prices.index(max(prices)), len(prices) - 1 - prices[::-1].index(min(prices))}
        for place, row in enumerate(rows):
            expected = _HALF if place in halves else Decimal(0)
            if row.amount("SO_LUONG") not in (None, expected):
                yield Hit(row, f"Ngày chuyển khoa: số lượng {plain(expected)}.")


@rule("XML3-SO_LUONG-BED1")
def _bed_day_rows(context: Context) -> Iterator[Hit]:
    for row in _beds(context):
        if (row.amount("SO_LUONG") or 0) > 1:
            yield Hit(row, "Có nơi yêu cầu mỗi dòng giường tối đa một ngày.")


@rule("XML3-MA_NHOM-BEDOUT")
def _no_bed_outpatient(context: Context) -> Iterator[Hit]:
    if context.visit_type in _WITHOUT_BED:
        for row in _beds(context):
            yield Hit(row, "Bỏ dòng ngày giường, hoặc sửa loại hình KCB.")


@rule("XML3-MA_NHOM-BED4H")
def _no_bed_under_four_hours(context: Context) -> Iterator[Hit]:
    hours = context.stay_hours
    if hours is not None and 0 <= hours < _FOUR_HOURS and context.visit_type not in _WITHOUT_BED:
        for row in _beds(context):
            yield Hit(row, "Nằm dưới 4 giờ: bỏ dòng ngày giường.")


@rule("XML3-MA_NHOM-BED24")
def _under_two_days(context: Context) -> Iterator[Hit]:
    hours = context.stay_hours
    beds = _beds(context)
    if beds and hours is not None and _FOUR_HOURS <= hours <= _DAY_HOURS and _days(beds) >= 2:
        yield Hit(beds[-1], f"Nằm {hours:.0f} giờ mà tính {plain(_days(beds))} ngày giường.")


@rule("XML3-MA_NHOM-BEDSUM")
def _days_fit_stay(context: Context) -> Iterator[Hit]:
    beds = _beds(context)
    start = context.summary.day("NGAY_VAO_NOI_TRU") or context.summary.day("NGAY_VAO")
    end = context.summary.day("NGAY_RA")
    if not beds or start is None or end is None:
        return
    longest = (end - start).days + 1
    if _days(beds) > longest:
        yield Hit(beds[-1], f"Tổng {plain(_days(beds))} ngày giường, thời gian nằm {longest} ngày.")


@rule("XML3-MA_GIUONG-FMT")
def _bed_code(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML3"):
        bad = [code for code in row["MA_GIUONG"].split(";") if row["MA_GIUONG"] and not _BED.fullmatch(code)]
        if bad:
            yield Hit(row, f"{bad[0] or '(trống)'}: H, T, C hoặc K và 3 chữ số.")


@rule("XML3-MA_GIUONG-OVER", limit="chỉ thấy các dòng trong cùng hồ sơ")
def _bed_used_twice(context: Context) -> Iterator[Hit]:
    used: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for row in _beds(context):
        start, end = row["NGAY_TH_YL"] or row["NGAY_YL"], row["NGAY_KQ"]
        for code in row.items("MA_GIUONG"):
            periods = used[(row["MA_KHOA"], code)]
            if end and any(start < other_end and other_start < end for other_start, other_end in periods):
                yield Hit(row, f"Giường {code} đã tính ở dòng khác trong cùng thời gian.")
            periods.append((start, end))


@rule("XML3-MA_GIUONG-DEPT", limit="chỉ xét mã tiền giường có dạng Kxx.")
def _bed_fee_department(context: Context) -> Iterator[Hit]:
    for row in _beds(context):
        fee = _BED_FEE.match(row["MA_DICH_VU"])
        if fee and row["MA_KHOA"] and row["MA_KHOA"][:3] != fee[1]:
            yield Hit(row, f"Mã tiền giường thuộc {fee[1]}, khoa ghi {row['MA_KHOA']}.")
