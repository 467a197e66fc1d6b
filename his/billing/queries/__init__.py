"""Reads of money: bills and settlements, the cashier's list."""

from __future__ import annotations

from his.billing.queries.bills import (
    SECTIONS,
    Bill,
    BilledCharge,
    Sheet,
    SheetRow,
    SheetSection,
    bill_of,
    charges_of,
    exam_charges,
    exam_count,
    is_settled,
    payments_of,
    settlement_by_id,
    settlement_of,
    settlements_of,
    sheet_of,
    split,
    subject_of,
    takings,
)
from his.billing.queries.worklist import CashierRow, counts, find_on_list, worklist, worklist_version

__all__ = [
    "SECTIONS",
    "Bill",
    "BilledCharge",
    "CashierRow",
    "Sheet",
    "SheetRow",
    "SheetSection",
    "bill_of",
    "charges_of",
    "counts",
    "exam_charges",
    "exam_count",
    "find_on_list",
    "is_settled",
    "payments_of",
    "settlement_by_id",
    "settlement_of",
    "settlements_of",
    "sheet_of",
    "split",
    "subject_of",
    "takings",
    "worklist",
    "worklist_version",
]
