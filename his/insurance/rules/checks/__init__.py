"""The check runner: every rule of `data/validation-rules.csv`, generic ones driven by the list itself."""

from his.insurance.rules.checks.catalogue import (
    ApprovedDrug,
    ApprovedService,
    ApprovedSupply,
    CheckCatalogue,
    IcdEntry,
)
from his.insurance.rules.checks.runner import (
    CheckReport,
    Coverage,
    check_checkin,
    check_claim,
    check_file,
    coverage,
)

__all__ = [
    "ApprovedDrug",
    "ApprovedService",
    "ApprovedSupply",
    "CheckCatalogue",
    "CheckReport",
    "Coverage",
    "IcdEntry",
    "check_checkin",
    "check_claim",
    "check_file",
    "coverage",
]
