"""Amounts of the lines (XML2, XML3) and their totals in XML1.

Source: annex of QĐ 4750/QĐ-BYT as read with QĐ 3176/QĐ-BYT: exact decimals, each product rounded half up to two
decimals, the shares as differences; `claims` standard note section 3 for the three ways other sources pay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from his.core.errors import Severity
from his.insurance.enums import FundTotal
from his.insurance.rules.checks.catalogue import card_rate, route_ratios
from his.insurance.rules.checks.context import SUPPLY_GROUPS, Check, Context, Hit, RowView, RuleBook, plain

book: Final = RuleBook()
rule = book.rule

_CENT: Final = Decimal("0.01")
_HUNDRED: Final = Decimal(100)
_ZERO: Final = Decimal(0)
_OTHER_SOURCES: Final = ("T_NGUONKHAC_NSNN", "T_NGUONKHAC_VTNN", "T_NGUONKHAC_VTTN", "T_NGUONKHAC_CL")
_SHARES: Final = ("T_BNTT", "T_BNCCT", "T_BHTT")


def round2(value: Decimal) -> Decimal:
    """Two decimals, half up."""
    return value.quantize(_CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Shares:
    """Who pays what of a line: own, co-payment, fund."""

    own: Decimal
    copay: Decimal
    fund: Decimal

    def by_field(self) -> tuple[Decimal, Decimal, Decimal]:
        """In the order T_BNTT, T_BNCCT, T_BHTT."""
        return self.own, self.copay, self.fund


def possible_shares(bv: Decimal, bh: Decimal, level: Decimal, other: Decimal) -> tuple[Shares, ...]:
    """The splits of a line the standard knows, the usual one first.

    (a) support for the patient: taken off the own part, then the co-payment, then the fund's part;
    (b) support for the facility: taken off BV before BH was computed, so off the own part here;
    (c) ARV: the support is the co-payment.
    """
    fund = round2(bh * level / _HUNDRED)
    copay, own = bh - fund, bv - bh
    left = other
    paid = []
    for part in (own, copay, fund):
        taken = min(part, left)
        left -= taken
        paid.append(part - taken)
    found = [Shares(*paid)]
    if other and other == copay:
        found.append(Shares(own, _ZERO, fund))
    return tuple(found)


def _amounts(row: RowView, *names: str) -> list[Decimal] | None:
    values = [row.amount(name) for name in names]
    return None if None in values else [value for value in values if value is not None]


def _line_bv(row: RowView) -> tuple[Decimal, ...]:
    if row.table == "XML2":
        values = _amounts(row, "SO_LUONG", "DON_GIA")
        return (round2(values[0] * values[1]),) if values else ()
    values = _amounts(row, "SO_LUONG", "DON_GIA_BV", "DON_GIA_BH", "TYLE_TT_DV")
    if not values:
        return ()
    quantity, price, price_bh, ratio = values
    usual = round2(quantity * price * ratio / _HUNDRED)
    no_extra = round2(quantity * price - quantity * price_bh * (_HUNDRED - ratio) / _HUNDRED)
    return usual, no_extra


def _line_bh(row: RowView) -> tuple[Decimal, ...]:
    ratio = row.amount("TYLE_TT_BH")
    other = row.amount("T_NGUONKHAC") or _ZERO
    bv = row.amount("THANH_TIEN_BV")
    if row.table == "XML2":
        values = _amounts(row, "SO_LUONG", "DON_GIA")
        base = values[0] * values[1] if values else None
    else:
        values = _amounts(row, "SO_LUONG", "DON_GIA_BH", "TYLE_TT_DV")
        base = values[0] * values[1] * values[2] / _HUNDRED if values else None
    if base is None or ratio is None:
        return ()
    found = [round2(base * ratio / _HUNDRED)]
    if other and bv is not None:  # (b): the fund's share is computed on what the support left
        found.append(round2(min(base, max(bv - other, _ZERO)) * ratio / _HUNDRED))
    return tuple(found)


def _is_wrong(context: Context, found: Decimal | None, expected: tuple[Decimal, ...]) -> bool:
    return found is not None and bool(expected) and all(context.tolerance_exceeded(found, e) for e in expected)


def _line_rule(table: str, name: str) -> Check:
    compute = _line_bv if name == "THANH_TIEN_BV" else _line_bh

    def check(context: Context) -> Iterator[Hit]:
        for row in context.rows(table):
            expected = compute(row)
            if _is_wrong(context, row.amount(name), expected):
                yield Hit(row, f"Tính lại theo công thức: {plain(expected[0])}.")

    return check


def _other_rule(table: str) -> Check:
    def check(context: Context) -> Iterator[Hit]:
        for row in context.rows(table):
            values = _amounts(row, "T_NGUONKHAC", *_OTHER_SOURCES)
            bv = row.amount("THANH_TIEN_BV")
            if values is None:
                continue
            expected = sum(values[1:], _ZERO)
            if context.tolerance_exceeded(values[0], expected):
                yield Hit(row, f"Bằng tổng bốn nguồn: {plain(expected)}.")
            elif bv is not None and values[0] > bv:
                yield Hit(row, f"Không được lớn hơn THANH_TIEN_BV ({plain(bv)}).")

    return check


def _share_rule(table: str, name: str) -> Check:
    place = _SHARES.index(name)

    def check(context: Context) -> Iterator[Hit]:
        for row in context.rows(table):
            values = _amounts(row, "THANH_TIEN_BV", "THANH_TIEN_BH", "MUC_HUONG", "T_NGUONKHAC", *_SHARES)
            if values is None:
                continue
            found = values[4:]

            def misses(shares: Shares, found: list[Decimal] = found) -> int:
                return sum(
                    context.tolerance_exceeded(a, b, share=True) for a, b in zip(found, shares.by_field(), strict=True)
                )

            expected = min(possible_shares(*values[:4]), key=misses).by_field()[place]
            if context.tolerance_exceeded(found[place], expected, share=True):
                yield Hit(row, f"Tính lại: {plain(expected)}.")

    return check


def _balance_rule(table: str) -> Check:
    def check(context: Context) -> Iterator[Hit]:
        for row in context.rows(table):
            values = _amounts(row, "THANH_TIEN_BV", "T_NGUONKHAC", *_SHARES)
            if values is None:
                continue
            total = sum(values[1:], _ZERO)
            if context.tolerance_exceeded(total, values[0]):
                yield Hit(
                    row,
                    f"Bốn nguồn cộng lại {plain(total)}, thành tiền {plain(values[0])}.",
                    value=plain(total),
                )

    return check


for _table in ("XML2", "XML3"):
    for _field in ("THANH_TIEN_BV", "THANH_TIEN_BH"):
        rule(f"{_table}-{_field}-CALC")(_line_rule(_table, _field))
    rule(f"{_table}-T_NGUONKHAC-CALC")(_other_rule(_table))
    for _field in _SHARES:
        rule(f"{_table}-{_field}-CALC")(_share_rule(_table, _field))
    rule(f"{_table}-T_BNTT-BAL")(_balance_rule(_table))


def _total(rows: tuple[RowView, ...], name: str) -> Decimal:
    return sum((row.amount(name) or _ZERO for row in rows), _ZERO)


def _total_hit(
    context: Context, name: str, expected: Decimal, from_what: str, severity: Severity | None = None
) -> Iterator[Hit]:
    found = context.summary.amount(name)
    if context.rows("XML1") and found is not None and context.tolerance_exceeded(found, expected):
        yield Hit(
            context.summary,
            f"{name} ghi {plain(found)}, tổng {from_what} là {plain(expected)}.",
            severity=severity,
        )


@rule("XML1-T_THUOC-SUM")
def _drugs_total(context: Context) -> Iterator[Hit]:
    yield from _total_hit(context, "T_THUOC", _total(context.rows("XML2"), "THANH_TIEN_BV"), "XML2")


@rule("XML1-T_VTYT-SUM")
def _supplies_total(context: Context) -> Iterator[Hit]:
    rows = tuple(row for row in context.rows("XML3") if row["MA_NHOM"] in SUPPLY_GROUPS)
    yield from _total_hit(context, "T_VTYT", _total(rows, "THANH_TIEN_BV"), "vật tư của XML3")


def _sum_rule(name: str, line: str) -> Check:
    def check(context: Context) -> Iterator[Hit]:
        yield from _total_hit(context, name, _total(context.money_rows, line), "XML2 và XML3")

    return check


for _name, _line in (
    ("T_TONGCHI_BV", "THANH_TIEN_BV"),
    ("T_TONGCHI_BH", "THANH_TIEN_BH"),
    ("T_BNTT", "T_BNTT"),
    ("T_BNCCT", "T_BNCCT"),
    ("T_NGUONKHAC", "T_NGUONKHAC"),
):
    rule(f"XML1-{_name}-SUM")(_sum_rule(_name, _line))


@rule("XML1-T_BHTT-SUM")
def _fund_total(context: Context) -> Iterator[Hit]:
    expected = _total(context.money_rows, "T_BHTT")
    if context.settings.xml1_t_bhtt is FundTotal.FORMULA:
        expected = _total(context.money_rows, "THANH_TIEN_BH") - _total(context.money_rows, "T_BNCCT")
    yield from _total_hit(context, "T_BHTT", expected, "XML2 và XML3")


@rule("XML1-T_BHTT_GDV-SUM")
def _fund_by_service(context: Context) -> Iterator[Hit]:
    rows = tuple(row for row in context.money_rows if row["MA_PTTT"] == "1")
    severity = Severity.WARNING if context.is_military else None
    yield from _total_hit(context, "T_BHTT_GDV", _total(rows, "T_BHTT"), "các dòng MA_PTTT 1", severity)


@rule("XML2-TYLE_TT_BH-RANGE")
def _ratio_range(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML2"):
        ratio = row.amount("TYLE_TT_BH")
        if ratio is None:
            continue
        if ratio > _HUNDRED:
            yield Hit(row, "Tỷ lệ từ 0 đến 100.")
        elif row["PHAM_VI"] == "2" and ratio:
            yield Hit(row, "Ngoài phạm vi (PHAM_VI 2) thì TYLE_TT_BH là 0.")


@rule("XML2-PHAM_VI-OUT")
def _outside_scope(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML2"):
        filled = [n for n in ("THANH_TIEN_BH", "T_BNCCT", "T_BHTT") if row["PHAM_VI"] == "2" and row.amount(n)]
        if filled:
            yield Hit(row, f"PHAM_VI 2 thì {', '.join(filled)} phải là 0.")


@rule("XML2-PHAM_VI-MIL")
def _military_scope(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML2"):
        if row["PHAM_VI"] == "3" and not context.is_military:
            yield Hit(row, "PHAM_VI 3 chỉ dùng cho thẻ QN, CA, CY.")
        elif row["PHAM_VI"] == "2" and context.is_military:
            yield Hit(row, "Thẻ QN, CA, CY: thuốc ngoài danh mục ghi PHAM_VI 3 (NĐ 70/2015 Đ10).")


@rule(
    "XML2-MUC_HUONG-RANGE",
    limit="không biết chi phí cả đợt của hồ sơ khác và lũy kế cùng chi trả: chấp nhận 100 khi có thể được miễn",
)
def _benefit_level(context: Context) -> Iterator[Hit]:
    allowed = possible_levels(context)
    for row in context.rows("XML2"):
        level = row.amount("MUC_HUONG")
        if level is None:
            continue
        if level > _HUNDRED:
            yield Hit(row, "Mức hưởng từ 0 đến 100.")
        elif row["PHAM_VI"] in ("1", "3") and row.amount("THANH_TIEN_BH") and level not in allowed:
            shown = ", ".join(plain(value) for value in sorted(allowed))
            yield Hit(row, f"Thẻ và mã đối tượng này chỉ có thể hưởng: {shown or 'không có mức nào'}.")


def possible_levels(context: Context) -> frozenset[Decimal]:
    """MUC_HUONG a line inside the scope may carry: card rate × route ratio, or the ratio alone when exempt.

    Source: Luật BHYT Đ22; NĐ 188/2025/NĐ-CP Đ18-19; QĐ 3276/QĐ-BYT 2025; ratio by the day the visit ended.
    """
    category = context.summary["MA_DOITUONG_KCB"]
    ratio = _route_ratio(context, category)
    if not context.cards or ratio is None:
        return frozenset()
    if ratio == 0:
        return frozenset() if context.settings.zero_rate_as_outside_scope else frozenset({_ZERO})
    if category == "1.2":
        return frozenset({_HUNDRED})
    rates = {card_rate(card, context.ended_on) for card in context.cards}
    levels = {ratio * rate / _HUNDRED for rate in rates if rate is not None}
    return frozenset({*levels, ratio})


def _route_ratio(context: Context, category: str) -> Decimal | None:
    if category in ("1.13", "1.14", "1.18"):
        return Decimal(50) if f"{context.ended_on}" >= "2026-07-01" else _ZERO
    if category == "3.1":
        return Decimal(40) if context.is_inpatient else _ZERO
    text = route_ratios().get(category)
    if text is None:
        return None
    return Decimal(text) if text.isdigit() else _HUNDRED  # drug pick-up and withdrawal: by the case
