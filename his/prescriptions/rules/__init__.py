"""Pure rules of prescribing."""

from __future__ import annotations

from his.prescriptions.rules.checks import check_prescription, control_letter, limit_for, per_kg, top_alerts
from his.prescriptions.rules.dosing import (
    DoseHelp,
    DoseOption,
    Fix,
    dose_help,
    dose_units,
    fixes_for,
    is_systemic,
    quantity_of,
    suggested_dose,
)
from his.prescriptions.rules.national import NationalLine, NationalPrescription, must_hide_identity, national_payload
from his.prescriptions.rules.reference import RULESET_VERSION
from his.prescriptions.rules.values import Alert, AllergyFacts, PatientFacts, RxLine, dose_mg
from his.prescriptions.rules.writing import (
    dose_text,
    drug_text,
    is_code,
    number_text,
    prescription_code,
    quantity_text,
    usage_text,
)

__all__ = [
    "RULESET_VERSION", "Alert", "AllergyFacts", "DoseHelp", "DoseOption", "Fix", "NationalLine", "NationalPrescription", "PatientFacts", "RxLine", "check_prescription", "control_letter",
    "dose_help", "dose_mg", "dose_text", "dose_units", "drug_text", "fixes_for", "is_code", "is_systemic", "limit_for", "must_hide_identity", "national_payload", "number_text", "per_kg", "prescription_code",
    "quantity_of", "quantity_text", "suggested_dose", "top_alerts", "usage_text",
]  # fmt: skip
