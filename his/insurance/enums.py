"""Code values of the insurance module."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from his.core.i18n import lazy_gettext as _l


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
    REPORT = "report"
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


class Action(StrEnum):
    """What this module writes into the audit log."""

    BUILD = "insurance.claim.build"
    REBUILD = "insurance.claim.rebuild"
    CHECK = "insurance.claim.check"
    SUBMIT = "insurance.claim.submit"
    SUBMIT_MONTH = "insurance.month.submit"
    ANSWER = "insurance.claim.answer"
    EXPORT_START = "insurance.export.start"
    EXPORT_DONE = "insurance.export.done"
    DOWNLOAD = "insurance.export.download"


ACTION_DETAILS: dict[Action, tuple[str, ...]] = {
    Action.BUILD: ("code", "version", "total", "fund", "errors", "warnings"),
    Action.REBUILD: ("code", "version", "changed", "errors", "warnings"),
    Action.CHECK: ("code", "errors", "warnings"),
    Action.SUBMIT: ("code", "version", "digest"),
    Action.SUBMIT_MONTH: ("month", "count"),
    Action.ANSWER: ("code", "state", "answer_code", "receipt"),
    Action.EXPORT_START: ("month",),
    Action.EXPORT_DONE: ("month", "count"),
    Action.DOWNLOAD: ("month", "code"),
}


FIXER_LABELS: dict[str, Any] = {
    Fixer.DOCTOR: _l("Bác sĩ"),
    Fixer.NURSE: _l("Điều dưỡng"),
    Fixer.CLERK: _l("Tiếp đón"),
    Fixer.LABORATORY_TECHNICIAN: _l("Xét nghiệm"),
    Fixer.IMAGING_TECHNICIAN: _l("Chẩn đoán hình ảnh"),
    Fixer.PHARMACIST: _l("Dược sĩ"),
    Fixer.CASHIER: _l("Thu ngân"),
    Fixer.RECORDS_OFFICER: _l("Phòng hồ sơ"),
    Fixer.ADMINISTRATOR: _l("Quản trị danh mục"),
    Fixer.INSURANCE_CLERK: _l("Tổ giám định"),
}
"""Who can fix, in words; the order is the order of the groups on the workbench."""

STATE_LABELS: dict[ClaimState, tuple[Any, str, str]] = {
    ClaimState.BUILT: (_l("Mới lập"), "", "clock"),
    ClaimState.FAULTY: (_l("Còn lỗi"), "bad", "alert-triangle"),
    ClaimState.PASSED: (_l("Đạt kiểm tra"), "ok", "check"),
    ClaimState.SENDING: (_l("Đang gửi"), "info", "send"),
    ClaimState.SENT: (_l("Cổng đã nhận"), "ok", "cloud-check"),
    ClaimState.REFUSED: (_l("Cổng từ chối"), "bad", "circle-x"),
    ClaimState.UNKNOWN: (_l("Chưa rõ"), "warn", "help-circle"),
    ClaimState.SUPERSEDED: (_l("Đã thay"), "", "history"),
}
"""Text, tone and icon of a claim's state."""

EXPORT_LABELS: dict[ExportState, tuple[Any, str, str]] = {
    ExportState.WAITING: (_l("Đang chờ"), "", "clock"),
    ExportState.RUNNING: (_l("Đang xuất"), "info", "progress"),
    ExportState.DONE: (_l("Đã xong"), "ok", "check"),
    ExportState.FAILED: (_l("Dừng vì lỗi"), "bad", "circle-x"),
}

PLACE_LABELS: dict[str, Any] = {
    AnchorKind.VISIT: _l("Mở hồ sơ người bệnh"),
    AnchorKind.EXAM: _l("Mở phiếu khám"),
    AnchorKind.ORDER: _l("Mở chỉ định"),
    AnchorKind.RESULT: _l("Mở kết quả xét nghiệm"),
    AnchorKind.REPORT: _l("Mở kết quả hình ảnh"),
    AnchorKind.PRESCRIPTION: _l("Mở đơn thuốc"),
    AnchorKind.PRICE: _l("Mở bảng giá, chi phí"),
    AnchorKind.REFERRAL: _l("Mở phiếu chuyển cơ sở"),
    AnchorKind.CLAIM: _l("Mở hồ sơ giám định"),
}
"""The button that leads to the screen where a finding is put right."""

TABLE_LABELS: dict[str, Any] = {
    "XML1": _l("Tổng hợp"),
    "XML2": _l("Thuốc"),
    "XML3": _l("Dịch vụ, vật tư"),
    "XML4": _l("Kết quả cận lâm sàng"),
    "XML5": _l("Diễn biến"),
    "XML13": _l("Chuyển cơ sở"),
    "XML14": _l("Giấy hẹn"),
}
"""Short names of the tables we send, for lists; the full title stands on the claim page."""
