"""Pure rules of the claim: writing, reading and checking claim files; no database, clock or web.

Source: claims per QĐ 130/QĐ-BYT with QĐ 4750, QĐ 3176 and QĐ 1931; envelope per letter 1245/BHXH-CNTT.
"""

from his.insurance.rules.checks import (
    CheckCatalogue,
    CheckReport,
    Coverage,
    check_checkin,
    check_claim,
    check_file,
    coverage,
)
from his.insurance.rules.document import CheckinDocument, ClaimDocument
from his.insurance.rules.findings import Anchor, Finding, NotChecked
from his.insurance.rules.reader import Reading, read_checkin, read_claim, read_file
from his.insurance.rules.registry import source_text
from his.insurance.rules.settings import ClaimSettings
from his.insurance.rules.visits import VisitFacts, sends_table, tables_for_visit, treatment_days
from his.insurance.rules.writer import (
    ClaimNotWritable,
    write_checkin,
    write_checkin_tree,
    write_claim,
    write_claim_tree,
)

__all__ = [
    "Anchor",
    "CheckCatalogue",
    "CheckReport",
    "CheckinDocument",
    "ClaimDocument",
    "ClaimNotWritable",
    "ClaimSettings",
    "Coverage",
    "Finding",
    "NotChecked",
    "Reading",
    "VisitFacts",
    "check_checkin",
    "check_claim",
    "check_file",
    "coverage",
    "read_checkin",
    "read_claim",
    "read_file",
    "sends_table",
    "source_text",
    "tables_for_visit",
    "treatment_days",
    "write_checkin",
    "write_checkin_tree",
    "write_claim",
    "write_claim_tree",
]
