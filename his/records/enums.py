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


class Action(StrEnum):
    """What this module writes into the audit log, with the detail keys below."""

    PATIENT_CREATE = "records.patient.create"
    PATIENT_UPDATE = "records.patient.update"
    IDENTIFIER_ADD = "records.identifier.add"
    GUARDIAN_SAVE = "records.guardian.save"
    ALLERGY_ADD = "records.allergy.add"
    ALLERGY_VOID = "records.allergy.void"
    ALLERGY_STATUS = "records.allergy.status"
    COVERAGE_SAVE = "records.coverage.save"
    VISIT_OPEN = "records.visit.open"
    VISIT_CHANGE = "records.visit.change"
    VISIT_CANCEL = "records.visit.cancel"
    VISIT_TIME = "records.visit.time"
    VISIT_CONCLUDE = "records.visit.conclude"
    VISIT_CLOSE = "records.visit.close"
    VISIT_REOPEN = "records.visit.reopen"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {
    Action.PATIENT_CREATE: ("code",),
    Action.PATIENT_UPDATE: ("changes",),
    Action.IDENTIFIER_ADD: ("type",),
    Action.GUARDIAN_SAVE: ("kind",),
    Action.ALLERGY_ADD: ("substance",),
    Action.ALLERGY_VOID: ("substance",),
    Action.ALLERGY_STATUS: ("status",),
    Action.COVERAGE_SAVE: ("source",),
    Action.VISIT_OPEN: ("code", "room", "subject_code"),
    Action.VISIT_CHANGE: ("changes",),
    Action.VISIT_CANCEL: ("code",),
    Action.VISIT_TIME: ("moment",),
    Action.VISIT_CONCLUDE: ("discharge_code", "result_code", "main_icd"),
    Action.VISIT_CLOSE: ("code",),
    Action.VISIT_REOPEN: ("code",),
}
