"""Code values of the insurance module."""

from __future__ import annotations

from enum import StrEnum


class FundTotal(StrEnum):
    """How T_BHTT of XML1 is formed when other sources paid part of the insured shares (not settled: a setting)."""

    SUM = "sum"
    """Σ T_BHTT of the lines, so that the four shares add up to T_TONGCHI_BV."""
    FORMULA = "formula"
    """T_TONGCHI_BH - T_BNCCT, the words of the annex of QĐ 4750/QĐ-BYT."""


class SignatureScope(StrEnum):
    """What the facility's signature on a claim covers (portal practice and guide differ: a setting)."""

    DOCUMENT = "document"
    PART = "part"


class Fixer(StrEnum):
    """The role that can put a finding right; values are role codes of `identity`."""

    CLERK = "clerk"
    NURSE = "nurse"
    DOCTOR = "doctor"
    LABORATORY_TECHNICIAN = "lab_tech"
    IMAGING_TECHNICIAN = "imaging_tech"
    PHARMACIST = "pharmacist"
    CASHIER = "cashier"
    INSURANCE_CLERK = "insurance_clerk"
    RECORDS_OFFICER = "records_officer"
    ADMINISTRATOR = "administrator"


class AnchorKind(StrEnum):
    """The kind of screen on which a finding is put right."""

    VISIT = "visit"
    EXAM = "exam"
    ORDER = "order"
    RESULT = "result"
    PRESCRIPTION = "prescription"
    PRICE = "price"
    REFERRAL = "referral"
    CLAIM = "claim"


class ClaimState(StrEnum):
    """Life of one version of a claim."""

    BUILT = "built"
    FAULTY = "faulty"  # the checks found errors
    PASSED = "passed"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    SUPERSEDED = "superseded"


class ExportState(StrEnum):
    """Life of a month export."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
