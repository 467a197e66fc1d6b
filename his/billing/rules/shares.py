"""Who pays what: the one pure function that the desk, the cashier and the claim all use.

Sources: Luật BHYT Đ22; NĐ 188/2025 Đ18-Đ21; QĐ 4750/QĐ-BYT, QĐ 3176/QĐ-BYT (formulas), QĐ 1931/QĐ-BYT.
Lines are rounded to two decimals half up: BV, BH and the fund's share are rounded, the other shares are differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from his.billing.rules import cards
from his.billing.rules.reference import copay_year_limit, level_on
from his.billing.rules.subject import BenefitSettings, SubjectDecision
from his.core.money import round2

ZERO = Decimal(0)
DRUG_GROUPS = ("4", "5", "6", "7", "17")


@dataclass(frozen=True, slots=True)
class BillLine:
    """One item as charged. Prices in đồng; rates in percent. ``insurance_price`` 0 = outside the fund's scope.

    ``card`` names the card of this line when cards changed within the stay; ``benefit_rate`` forces a rate.
    ``facility_aid`` is support given to the hospital for this line (taken off before the fund's share).
    """

    ref: str
    cost_group: str
    quantity: Decimal
    hospital_price: Decimal
    insurance_price: Decimal
    service_rate: int = 100
    insurance_rate: int = 100
    card: str = ""
    benefit_rate: Decimal | None = None
    is_arv: bool = False
    facility_aid: Decimal = ZERO
    is_special_scope: bool = False


@dataclass(frozen=True, slots=True)
class BenefitContext:
    """The visit as the rules see it. ``card`` "" = no insurance; ``on`` is the end of the visit.

    ``five_years_on``: from when five continuous years are reached; ``copaid_this_year`` what was co-paid before this
    visit; ``copaid_before_change`` the part of it before the salary changed; ``patient_aid`` support for this patient.
    """

    on: date
    card: str
    subject: SubjectDecision
    five_years_on: date | None = None
    copaid_this_year: Decimal | None = None
    copaid_before_change: Decimal | None = None
    recurrent_wound: bool = False
    patient_aid: Decimal = ZERO
    is_exempt: bool = False


@dataclass(frozen=True, slots=True)
class LineShare:
    """One line split: official names BV, BH, T_BHTT, T_BNCCT, T_BNTT, T_NGUONKHAC; and how the claim writes it."""

    ref: str
    total: Decimal
    insured: Decimal
    fund: Decimal
    copay: Decimal
    outside: Decimal
    other: Decimal
    benefit_rate: str
    scope_code: str
    insurance_rate: int
    insurance_price: Decimal


@dataclass(frozen=True, slots=True)
class BenefitResult:
    """The whole bill split; ``rate`` is MUC_HUONG of the first line ("" = none); ``steps`` say why, in words."""

    lines: tuple[LineShare, ...]
    rate: str
    total: Decimal
    insured: Decimal
    fund: Decimal
    copay: Decimal
    outside: Decimal
    other: Decimal
    steps: tuple[str, ...] = field(default=())

    @property
    def payable(self) -> Decimal:
        """What the family pays (đồng, two decimals)."""
        return self.copay + self.outside


def rate_text(rate: Decimal) -> str:
    """Write MUC_HUONG as the claim wants it: ``80``, ``47.5``, never ``80.0``."""
    return format(rate.normalize(), "f")


def split_benefit(
    lines: Sequence[BillLine], context: BenefitContext, settings: BenefitSettings = BenefitSettings()
) -> BenefitResult:
    """Split a bill between the fund, the co-payment, what is outside, and other sources.

    The four shares of every line add up to its total. Returns the steps in Vietnamese for the screen.
    """
    if not context.card or context.subject.code == "9":
        words = ["Không khám theo bảo hiểm y tế: người bệnh trả toàn bộ."]
        return _aided([_uninsured(line) for line in lines], "", words, context)
    subject = context.subject
    own = cards.benefit(context.card, context.on, recurrent_wound=context.recurrent_wound)
    steps = [subject.reason]
    if subject.route_percent == 0 and not subject.is_fixed:
        steps.append("Tuyến này quỹ không chi trả: người bệnh trả toàn bộ.")
        if settings.zero_rate_as_outside_scope:
            return _aided([replace(_uninsured(line), benefit_rate="0") for line in lines], "0", steps, context)
    amounts = [_amounts(line, context, own) for line in lines]
    insured = sum((a.insured for a in amounts), ZERO)
    level = level_on(context.on)
    small = insured < level.small_bill_limit
    exempt = context.is_exempt or _reached_year_limit(context)
    shares: list[LineShare] = []
    for line, amount in zip(lines, amounts, strict=True):
        rate = _rate(line, context, own, small=small, exempt=exempt)
        fund = round2(amount.insured * rate / 100)
        shares.append(
            LineShare(
                line.ref,
                amount.total,
                amount.insured,
                fund,
                amount.insured - fund,
                amount.total - amount.facility_aid - amount.insured,
                amount.facility_aid,
                rate_text(rate),
                amount.scope_code,
                amount.insurance_rate,
                amount.insurance_price,
            )
        )
    first = _rate(BillLine("", "", ZERO, ZERO, ZERO), context, own, small=small, exempt=exempt)
    steps += _explain(context, own, insured, level.small_bill_limit, small=small, exempt=exempt, rate=first)
    if not exempt:
        shares, note = _cap_copay(shares, context)
        steps += note
    shares = [_arv(line, share) for line, share in zip(lines, shares, strict=True)] if _has_arv(lines) else shares
    rate_word = (
        shares[0].benefit_rate if shares and any(line.benefit_rate is not None for line in lines) else rate_text(first)
    )
    return _aided(shares, rate_word, steps, context)


def _aided(shares: list[LineShare], rate: str, steps: list[str], context: BenefitContext) -> BenefitResult:
    """Take support for this patient off, whoever pays the rest: also without insurance and on a route at 0 %."""
    if context.patient_aid > 0:
        shares = _patient_aid(shares, context.patient_aid)
        steps = [*steps, "Nguồn hỗ trợ người bệnh trừ vào phần tự trả, rồi cùng chi trả, rồi phần quỹ."]
    return _result(tuple(shares), rate, tuple(steps))


@dataclass(frozen=True, slots=True)
class _Amounts:
    total: Decimal
    insured: Decimal
    facility_aid: Decimal
    scope_code: str
    insurance_rate: int
    insurance_price: Decimal


def _uninsured(line: BillLine) -> LineShare:
    total = _total(line, ZERO)
    aid = min(line.facility_aid, total)
    return LineShare(line.ref, total, ZERO, ZERO, ZERO, total - aid, aid, "", "2", 0, ZERO)


def _total(line: BillLine, insurance_price: Decimal) -> Decimal:
    """BV: services priced above the fund's price lose only the fund's part of the reduction (QĐ 3176)."""
    if line.cost_group in DRUG_GROUPS or line.service_rate == 100:
        return round2(line.quantity * line.hospital_price)
    if ZERO < insurance_price < line.hospital_price:
        return round2(
            line.quantity * line.hospital_price - line.quantity * insurance_price * (100 - line.service_rate) / 100
        )
    return round2(line.quantity * line.hospital_price * line.service_rate / 100)


def _amounts(line: BillLine, context: BenefitContext, own: cards.CardBenefit) -> _Amounts:
    card = cards.benefit(line.card, context.on, recurrent_wound=context.recurrent_wound) if line.card else own
    price = line.insurance_price
    total = _total(line, price)
    if price <= 0 or line.insurance_rate == 0:
        return _Amounts(total, ZERO, min(line.facility_aid, total), "2", 0, ZERO)
    paid_rate = 100 if card.is_unlimited else line.insurance_rate
    scope = "3" if line.is_special_scope and card.pays_outside_scope else "1"
    aid = min(line.facility_aid, total)
    if line.cost_group in DRUG_GROUPS:
        base = line.quantity * price
    else:
        base = line.quantity * price * line.service_rate / 100
    # Support for the facility is taken off the total first, then the rest is split (claims standard §3 b).
    insured = round2((base - aid) * paid_rate / 100) if aid else round2(base * paid_rate / 100)
    return _Amounts(total, max(min(insured, total - aid), ZERO), aid, scope, paid_rate, price)


def _rate(line: BillLine, context: BenefitContext, own: cards.CardBenefit, *, small: bool, exempt: bool) -> Decimal:
    subject = context.subject
    if subject.is_fixed:
        return Decimal(100)
    if subject.route_percent == 0:
        return ZERO
    card = cards.benefit(line.card, context.on) if line.card else own
    level = line.benefit_rate if line.benefit_rate is not None else Decimal(card.rate)
    if small or (exempt and subject.route_percent == 100):
        # Strictly below 15 %: the card's own share falls away; a self-referral keeps the share of its route.
        return Decimal(subject.route_percent)
    return level * subject.route_percent / 100


def _reached_year_limit(context: BenefitContext) -> bool:
    if context.five_years_on is None or context.five_years_on > context.on or context.copaid_this_year is None:
        return False
    return context.copaid_this_year > copay_year_limit(context.on, context.copaid_before_change)


def _cap_copay(shares: list[LineShare], context: BenefitContext) -> tuple[list[LineShare], list[str]]:
    """The facility must not collect beyond the year's limit (§5.2)."""
    if context.five_years_on is None or context.five_years_on > context.on or context.copaid_this_year is None:
        return shares, []
    if context.subject.route_percent != 100:
        return shares, []
    left = max(ZERO, copay_year_limit(context.on, context.copaid_before_change) - context.copaid_this_year)
    raw = sum((share.copay for share in shares), ZERO)
    if raw <= left:
        return shares, []
    excess = raw - left
    capped = []
    for share in reversed(shares):
        cut = min(share.copay, excess)
        excess -= cut
        capped.append(replace(share, copay=share.copay - cut, fund=share.fund + cut))
    return capped[::-1], [
        f"Đủ 5 năm liên tục, cùng chi trả trong năm chạm 6 tháng lương cơ sở: chỉ thu thêm {left:f} đồng."
    ]


def _has_arv(lines: Sequence[BillLine]) -> bool:
    return any(line.is_arv for line in lines)


def _arv(_line: BillLine, share: LineShare) -> LineShare:
    """Antiretroviral treatment: another source pays the co-payment of the visit (§5.7 c)."""
    return replace(share, other=share.other + share.copay, copay=ZERO)


def _patient_aid(shares: list[LineShare], aid: Decimal) -> list[LineShare]:
    """Take support for this patient off what is outside, then the co-payments, then the fund: all lines in that order."""
    left = aid
    for name in ("outside", "copay", "fund"):
        for index, share in enumerate(shares):
            cut = min(getattr(share, name), left)
            if cut > 0:
                shares[index] = replace(share, **{name: getattr(share, name) - cut, "other": share.other + cut})
                left -= cut
    return shares


def _explain(
    context: BenefitContext, own: cards.CardBenefit, insured: Decimal, limit: Decimal, *, small: bool, exempt: bool,
    rate: Decimal,
) -> list[str]:  # fmt: skip
    if context.subject.is_fixed:
        return []
    percent = rate_text(rate).replace(".", ",")
    if small:
        return [f"Chi phí trong phạm vi {_dong(insured)} dưới 15% lương cơ sở ({_dong(limit)}): mức hưởng {percent}%."]
    if exempt:
        return ["Đủ 5 năm liên tục và vượt 6 tháng lương cơ sở: miễn cùng chi trả đến 31/12."]
    if context.subject.route_percent != 100:
        return [f"Thẻ nhóm {own.group} hưởng {own.rate}% × tuyến {context.subject.route_percent}% = {percent}%."]
    return [f"Thẻ nhóm {own.group}, mức {own.digit}: hưởng {percent}%."]


def _dong(amount: Decimal) -> str:
    return f"{int(amount):,}".replace(",", ".") + " đ"


def _result(shares: tuple[LineShare, ...], rate: str, steps: tuple[str, ...]) -> BenefitResult:
    def total(name: str) -> Decimal:
        return sum((getattr(share, name) for share in shares), ZERO)

    return BenefitResult(
        shares,
        rate,
        total("total"),
        total("insured"),
        total("fund"),
        total("copay"),
        total("outside"),
        total("other"),
        steps,
    )
