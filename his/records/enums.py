"""States and code values of patients and visits."""

from __future__ import annotations

from enum import StrEnum


class PatientStatus(StrEnum):
    """How well we know who this is (interop standard §2.6)."""

    KNOWN = "known"
    TEMPORARY = "temporary"
    UNKNOWN = "unknown"
    NEWBORN = "newborn"


class Sex(StrEnum):
    """Sex; the claim writes 1, 2, 3 (GIOI_TINH)."""

    MALE = "M"
    FEMALE = "F"
    UNKNOWN = "U"


class BirthPrecision(StrEnum):
    """How much of the birth date is known."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class IdentifierType(StrEnum):
    """Kinds of identifiers (interop standard §2.7)."""

    PERSONAL_NUMBER = "SDDCN"
    OLD_ID = "CMND9"
    CANCELLED_NUMBER = "SDDCN_DA_HUY"
    PASSPORT = "HO_CHIEU"
    CARD_NUMBER = "MA_THE_BHYT"
    INSURANCE_NUMBER = "MA_SO_BHXH"
    BIRTH_PAPER = "GIAY_CHUNG_SINH"
    TEMPORARY = "MA_TAM"


class GuardianKind(StrEnum):
    """Who brings or represents the patient."""

    MOTHER = "mother"
    FATHER = "father"
    GUARDIAN = "guardian"
    COMPANION = "companion"


class AllergyStatus(StrEnum):
    """What was asked about allergies."""

    UNKNOWN = "unknown"
    NONE_KNOWN = "none_known"
    RECORDED = "recorded"


class VisitState(StrEnum):
    """Life of a visit."""

    OPEN = "open"  # registered, waiting
    IN_EXAM = "in_exam"  # the doctor called
    CONCLUDED = "concluded"  # the doctor closed it; money and medicines may be open
    CLOSED = "closed"  # settled
    CANCELLED = "cancelled"


class CoverageSource(StrEnum):
    """Where card data came from; the insurer's answer overrules the card."""

    CARD_QR = "card_qr"
    PORTAL = "portal"
    TYPED = "typed"
    TEMPORARY = "temporary"
