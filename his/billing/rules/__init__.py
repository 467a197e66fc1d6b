"""Pure rules of money: who pays what, by dated data."""

from __future__ import annotations

from his.billing.rules.cards import CardBenefit, benefit, best, is_card_number
from his.billing.rules.reference import copay_year_limit, level_on
from his.billing.rules.shares import BenefitContext, BenefitResult, BillLine, LineShare, rate_text, split_benefit
from his.billing.rules.stays import exam_rate
from his.billing.rules.subject import BenefitSettings, SubjectDecision, SubjectFacts, decide_subject

__all__ = [
    "BenefitContext", "BenefitResult", "BenefitSettings", "BillLine", "CardBenefit", "LineShare", "SubjectDecision",
    "SubjectFacts", "benefit", "best", "copay_year_limit", "decide_subject", "exam_rate", "is_card_number", "level_on",
    "rate_text", "split_benefit",
]  # fmt: skip
