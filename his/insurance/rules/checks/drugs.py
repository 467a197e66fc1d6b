"""Rules of XML2 other than amounts: catalogue, bid, order, prescriber."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Final, TypeVar

from his.insurance.rules.checks.catalogue import ApprovedDrug, ApprovedService, ApprovedSupply
from his.insurance.rules.checks.context import Check, Context, Hit, RowView, RuleBook, plain

book: Final = RuleBook()
rule = book.rule
_Line = TypeVar("_Line", ApprovedDrug, ApprovedService, ApprovedSupply)

DRUG_GROUPS: Final = frozenset({"4", "5", "6", "7", "17", "19"})
UNLISTED_PREFIXES: Final = ("VM.", "BB.", "00.0000")
"""Codes the standard writes itself: blood transport, packing of herbal packs, drugs outside the insured list."""
_BID_PARTS: Final = 4
_PACKAGE: Final = re.compile(r"G[1-9][0-9]?")
_GROUP: Final = re.compile(r"N[0-9]{1,2}")
_YEAR: Final = re.compile(r"(19|20)[0-9]{2}")
_OTHER_FACILITY: Final = re.compile(r"(C|K|M|HC)\.[0-9A-Z]{5}")
_REMOTE: Final = re.compile(r"\.(TX|CG|HD)\.[0-9A-Z]{5}$")


def bid_is_well_formed(text: str, *, group_zero: bool) -> bool:
    """decision;package;group;year[;extra], or decision;year of a self-made product. Source: QĐ 4750/QĐ-BYT."""
    parts = text.split(";")
    if len(parts) == 2:
        return bool(parts[0]) and bool(_YEAR.fullmatch(parts[1]))
    if len(parts) < _BID_PARTS or not parts[0]:
        return False
    group_fits = bool(_GROUP.fullmatch(parts[2])) and (group_zero or int(parts[2][1:]) > 0)
    return bool(_PACKAGE.fullmatch(parts[1])) and group_fits and bool(_YEAR.fullmatch(parts[3]))


def same_bid(left: str, right: str) -> bool:
    """Whether the first four parts agree."""
    return left.split(";")[:_BID_PARTS] == right.split(";")[:_BID_PARTS]


def unknown_licences(context: Context, row: RowView, name: str) -> list[str]:
    """Licence numbers not in the approved list; staff of another facility carry its code behind .TX./.CG./.HD."""
    staff = context.catalogue.staff or ()
    return [item for item in row.items(name) if item not in staff and not _REMOTE.search(item)]


def lines_on(lines: Sequence[_Line], on: date | None) -> list[_Line]:
    """Approved lines in force on the day of the order."""
    return [
        line
        for line in lines
        if on is None or (line.valid_from <= on and (line.valid_to is None or on <= line.valid_to))
    ]


def outside_stay(context: Context, row: RowView, name: str) -> bool:
    """Whether a time of the row lies outside NGAY_VAO..NGAY_RA."""
    moment = row.time(name)
    start, end = context.summary.time("NGAY_VAO"), context.summary.time("NGAY_RA")
    return bool(moment and ((start and moment < start) or (end and moment > end)))


def stay_rule(table: str, name: str, *, advice: str = "Phải nằm giữa NGAY_VAO và NGAY_RA.") -> Check:
    """A rule that every row's time lies within the stay."""

    def check(context: Context) -> Iterator[Hit]:
        for row in context.rows(table):
            if outside_stay(context, row, name):
                yield Hit(row, advice)

    return check


def not_before_rule(table: str, later: str, *earlier: str) -> Check:
    """A rule that one time of a row is not before others of it."""

    def check(context: Context) -> Iterator[Hit]:
        for row in context.rows(table):
            moment = row.day(later) if len(row[later]) == 8 else row.time(later)
            for name in earlier:
                if moment and row[name] and row[later] < row[name]:
                    yield Hit(row, f"Phải từ {name} ({row[name]}) trở đi.")
                    break

    return check


def staff_rule(table: str, name: str) -> Check:
    """A rule that every licence number of a field is approved."""

    def check(context: Context) -> Iterator[Hit]:
        for row in context.rows(table):
            unknown = unknown_licences(context, row, name)
            if unknown:
                yield Hit(row, f"Số {', '.join(unknown)} chưa có trong danh sách được duyệt.")

    return check


def _approved(context: Context, row: RowView) -> list[ApprovedDrug]:
    known = (context.catalogue.approved_drugs or {}).get(row["MA_THUOC"], ())
    return lines_on(known, row.day("NGAY_YL"))


def _is_listed_by_facility(row: RowView) -> bool:
    return bool(row["MA_THUOC"]) and not row["MA_THUOC"].startswith(UNLISTED_PREFIXES)


@rule("XML2-MA_NHOM-DRUG")
def _drug_group(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML2"):
        if row["MA_NHOM"] and row["MA_NHOM"] not in DRUG_GROUPS:
            yield Hit(row, "Thuốc 4, 5, 6; máu 7; chế phẩm máu 17; khác 19.")


@rule("XML2-MA_THUOC-CAT", needs="approved_drugs")
def _drug_approved(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML2"):
        if _is_listed_by_facility(row) and not _approved(context, row):
            yield Hit(row, "Bổ sung thuốc vào danh mục được duyệt (đúng thời gian hiệu lực) hoặc sửa mã.")


def _equals_catalogue(name: str, read: Callable[[ApprovedDrug], str]) -> Check:
    def check(context: Context) -> Iterator[Hit]:
        for row in context.rows("XML2"):
            lines = _approved(context, row) if _is_listed_by_facility(row) else []
            if not lines or not row[name]:
                continue
            matched = [line for line in lines if line.registration == row["SO_DANG_KY"]] or lines
            if all(read(line) != row[name] for line in matched):
                yield Hit(row, f"Danh mục ghi: {read(matched[0])}.")

    return check


rule("XML2-TEN_THUOC-CAT", needs="approved_drugs")(_equals_catalogue("TEN_THUOC", lambda line: line.name))
rule("XML2-HAM_LUONG-CAT", needs="approved_drugs")(_equals_catalogue("HAM_LUONG", lambda line: line.strength))


@rule("XML2-SO_DANG_KY-CAT", partly_needs="approved_drugs")
def _registration(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML2"):
        number = row["SO_DANG_KY"]
        lines = _approved(context, row) if _is_listed_by_facility(row) else []
        if " " in number:
            yield Hit(row, "Bỏ dấu cách trong số đăng ký.")
        elif number and lines and all(line.registration != number for line in lines):
            yield Hit(row, f"Danh mục ghi: {lines[0].registration}.")


@rule("XML2-TT_THAU-FMT")
def _bid_form(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML2"):
        if row["TT_THAU"] and not bid_is_well_formed(row["TT_THAU"], group_zero=False):
            yield Hit(row, "Dạng: số quyết định;G1-G99;N1-N99;năm (hoặc số quyết định;năm với thuốc tự bào chế).")


@rule("XML2-TT_THAU-CAT", needs="approved_drugs")
def _bid(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML2"):
        lines = _approved(context, row) if _is_listed_by_facility(row) else []
        if row["TT_THAU"] and lines and not any(same_bid(row["TT_THAU"], line.bid) for line in lines):
            yield Hit(row, f"Danh mục ghi: {lines[0].bid}.")


@rule("XML2-DON_GIA-CAP", needs="approved_drugs")
def _price(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML2"):
        price = row.amount("DON_GIA")
        lines = _approved(context, row) if _is_listed_by_facility(row) else []
        matched = [
            line for line in lines if line.registration == row["SO_DANG_KY"] and same_bid(line.bid, row["TT_THAU"])
        ] or lines
        highest = max((line.price for line in matched), default=None)
        if price is not None and highest is not None and price > highest:
            yield Hit(row, f"Giá được duyệt: {plain(highest)}.")


rule("XML2-NGAY_YL-STAY")(stay_rule("XML2", "NGAY_YL"))
rule("XML2-NGAY_TH_YL-TIME")(not_before_rule("XML2", "NGAY_TH_YL", "NGAY_YL"))
rule("XML2-MA_BAC_SI-CAT", needs="staff")(staff_rule("XML2", "MA_BAC_SI"))


@rule("XML2-MA_KHOA-EXAM")
def _not_from_exam_department(context: Context) -> Iterator[Hit]:
    if context.visit_type != "03" or not context.summary["MA_DOITUONG_KCB"].startswith("3."):
        return
    for row in context.rows("XML2"):
        if row["MA_KHOA"].startswith("K01"):
            yield Hit(row, "Nội trú trái tuyến: thuốc phải do khoa điều trị chỉ định, không phải K01.")


@rule("XML2-MA_CSKCB_THUOC-FMT")
def _other_facility(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML2"):
        if row["MA_CSKCB_THUOC"] and not _OTHER_FACILITY.fullmatch(row["MA_CSKCB_THUOC"]):
            yield Hit(row, "Dạng C., K., M. hoặc HC. và mã cơ sở 5 ký tự.")
