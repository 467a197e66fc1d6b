"""Pure rules of prescribing."""

from __future__ import annotations

from his.prescriptions.rules.checks import check_prescription, control_letter, limit_for, per_kg, top_alerts
from his.prescriptions.rules.reference import RULESET_VERSION
from his.prescriptions.rules.values import Alert, AllergyFacts, PatientFacts, RxLine, dose_mg
from his.prescriptions.rules.writing import (
    dose_text,
    drug_text,
    is_code,
    number_text,
    prescription_code,
    quantity_of,
    quantity_text,
    usage_text,
)

__all__ = [
    "RULESET_VERSION", "Alert", "AllergyFacts", "PatientFacts", "RxLine", "check_prescription", "control_letter",
    "dose_mg", "dose_text", "drug_text", "is_code", "limit_for", "number_text", "per_kg", "prescription_code",
    "quantity_of", "quantity_text", "top_alerts", "usage_text",
]  # fmt: skip
