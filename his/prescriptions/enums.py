"""Kinds and states of prescriptions."""

from __future__ import annotations

from enum import StrEnum


class PrescriptionKind(StrEnum):
    """The legal form; the value is the last letter of the code (TT 26/2025 PL I note 1)."""

    BASIC = "C"
    NARCOTIC = "N"
    PSYCHOTROPIC = "H"
    DECOCTION = "T"


class PrescriptionState(StrEnum):
    """Life of a prescription (prescription standard §5)."""

    DRAFT = "draft"
    SIGNED = "signed"
    DISPENSED = "dispensed"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class SentState(StrEnum):
    """What the national prescription system said about a signed prescription (national-api §7)."""

    WAITING = "waiting"  # not sent yet, or the system was away
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # may have arrived: a person looks before sending again
    HELD = "held"  # identity must not be shown (QĐ 425 Đ9 k5): never sent in plain
    SKIPPED = "skipped"  # cancelled before it was sent


class OverrideReason(StrEnum):
    """Coded reasons for prescribing in spite of an alert (prescription standard §8)."""

    BENEFIT = "benefit"
    TOLERATED = "tolerated"
    MONITORED = "monitored"
    SHORT_COURSE = "short_course"
    SPECIALIST = "specialist"
    DATA_WRONG = "data_wrong"


OVERRIDE_TEXT: dict[OverrideReason, str] = {
    OverrideReason.BENEFIT: "Lợi ích lớn hơn nguy cơ",
    OverrideReason.TOLERATED: "Đã dùng, dung nạp tốt",
    OverrideReason.MONITORED: "Có theo dõi",
    OverrideReason.SHORT_COURSE: "Đợt ngắn ngày",
    OverrideReason.SPECIALIST: "Đã hội chẩn",
    OverrideReason.DATA_WRONG: "Dữ liệu cảnh báo chưa đúng",
}


class Action(StrEnum):
    """What this module writes into the audit log."""

    DRAFT = "prescriptions.draft"
    SET_LINES = "prescriptions.lines"
    OVERRIDE = "prescriptions.override"
    SIGN = "prescriptions.sign"
    CANCEL = "prescriptions.cancel"
    SPLIT = "prescriptions.split"
    RESEND = "prescriptions.resend"
    SENT = "prescriptions.sent"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {
    Action.DRAFT: (),
    Action.SET_LINES: ("drugs",),
    Action.OVERRIDE: ("rule", "tier", "about", "reason_code"),
    Action.SIGN: ("code", "digest"),
    Action.CANCEL: ("code",),
    Action.SPLIT: ("drugs",),
    Action.RESEND: ("code",),
    Action.SENT: ("code", "state"),
}
