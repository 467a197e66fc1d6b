"""Which way the patient came: the facts behind the subject code, judged on the day of arrival.

TT 01/2025/TT-BYT Đ9-Đ12 (papers), Luật BHYT Đ22 (routes), QĐ 3276/QĐ-BYT (the first code that fits wins).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from his.core.errors import Finding
from his.core.i18n import date_text
from his.core.workdays import one_year_after, working_day_after

PAPER_WORKING_DAYS = 10
CHOICES = ("", "CHUYEN", "HEN", "CU_TRU", "KHONG_BHYT")
SELF_PAYING = "KHONG_BHYT"
DEFAULT_REASON = "Khám bệnh"
RETURN_REASON = "Khám lại theo hẹn"


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """What the clerk sees and asks. ``chosen`` is one of CHOICES ("" = by the card)."""

    on: date
    has_card: bool
    registered_here: bool
    chosen: str = ""
    is_emergency: bool = False
    paper_number: str = ""
    paper_facility: str = ""
    paper_signed_on: date | None = None
    paper_is_one_year: bool = False
    paper_was_used: bool = False
    paper_follows: bool = False  # the family brings it before the visit ends


@dataclass(frozen=True, slots=True)
class RouteDecision:
    """The route that counts, why the clerk's paper does not count (""), and the paper's last valid day."""

    route: str
    note: str = ""
    valid_until: date | None = None
    findings: tuple[Finding, ...] = ()


def paper_valid_until(signed_on: date, holidays: Collection[date], *, one_year: bool) -> date:
    """Return the last day of a transfer paper: the tenth working day after signing, or one year (TT 01/2025 Đ12)."""
    return one_year_after(signed_on) if one_year else working_day_after(signed_on, PAPER_WORKING_DAYS, holidays)


def decide_route(facts: RouteFacts, holidays: Collection[date]) -> RouteDecision:
    """Return the route that counts. A lapsed or used paper never stops the patient: it counts as self-referred.

    An emergency is not a self-referral; a patient registered here needs no paper.
    """
    if not facts.has_card or facts.chosen == SELF_PAYING:
        return RouteDecision(SELF_PAYING)
    if facts.registered_here:
        return RouteDecision("DKBD")
    fallback = "CAP_CUU" if facts.is_emergency else "TU_DEN"
    if facts.chosen == "CHUYEN":
        return _transfer(facts, holidays, fallback)
    if facts.chosen == "HEN":
        if not facts.paper_number:
            return RouteDecision(fallback, findings=(
                Finding("slip_number", "incoming_paper_number", "Phiếu hẹn khám lại: chưa nhập số phiếu. Xem góc trên của phiếu.", source="QĐ 3276/QĐ-BYT, mã 1.5"),
            ))  # fmt: skip
        return RouteDecision("HEN")
    if facts.chosen == "CU_TRU":
        return RouteDecision("CU_TRU")
    return RouteDecision(fallback)


def _transfer(facts: RouteFacts, holidays: Collection[date], fallback: str) -> RouteDecision:
    findings = []
    source = "TT 01/2025/TT-BYT Đ12"
    if not facts.paper_number:
        findings.append(Finding("paper_number", "incoming_paper_number", "Phiếu chuyển: chưa nhập số phiếu.", source=source))
    if not facts.paper_facility:
        findings.append(Finding("paper_facility", "incoming_facility_code", "Phiếu chuyển: chưa chọn nơi chuyển đến. Gõ tên cơ sở để chọn.", source=source))
    if facts.paper_signed_on is None:
        findings.append(Finding("paper_date", "incoming_signed_on", "Phiếu chuyển: chưa nhập ngày ký.", source=source))
    elif facts.paper_signed_on > facts.on:
        findings.append(Finding("paper_future", "incoming_signed_on", "Ngày ký phiếu chuyển ở tương lai. Xem lại phiếu.", source=source))
    if findings and facts.paper_follows:
        return RouteDecision("CHUYEN", "Phiếu chuyển nộp sau: ghi số phiếu trước khi kết thúc lượt khám.")
    if findings:
        return RouteDecision(fallback, findings=tuple(findings))
    signed = facts.paper_signed_on or facts.on
    until = paper_valid_until(signed, holidays, one_year=facts.paper_is_one_year)
    if until < facts.on:
        return RouteDecision(fallback, f"Phiếu chuyển hết giá trị từ ngày {date_text(until)}, tính như tự đến.", until)
    if facts.paper_was_used and not facts.paper_is_one_year:
        return RouteDecision(fallback, "Phiếu chuyển này đã dùng cho một đợt khám trước, tính như tự đến.", until)
    return RouteDecision("CHUYEN", valid_until=until)
