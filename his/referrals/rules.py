"""Pure rules of referral papers (TT 01/2025/TT-BYT Đ9-Đ12, Phụ lục VI; forms standard R1-R13)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from his.core.errors import Finding

WORKING_DAYS = 10


def is_working_day(day: date, holidays: Collection[date]) -> bool:
    """Tell whether a day counts: no Saturday, Sunday, public holiday or swapped day off."""
    return day.weekday() < 5 and day not in holidays


def valid_until(signed_on: date, holidays: Collection[date], *, one_year: bool) -> date:
    """Return the last day of validity: the tenth working day after signing (R1), or one year (R2)."""
    if one_year:
        try:
            return signed_on.replace(year=signed_on.year + 1)
        except ValueError:  # 29 February
            return date(signed_on.year + 1, 2, 28)
    day, counted = signed_on, 0
    while counted < WORKING_DAYS:
        day += timedelta(days=1)
        counted += is_working_day(day, holidays)
    return day


def is_usable(
    arrived_on: date, signed_on: date, holidays: Collection[date], *, one_year: bool, already_used: bool = False
) -> bool:
    """Tell whether an incoming paper counts on the day of arrival (R9)."""
    if already_used and not one_year:
        return False
    return signed_on <= arrived_on <= valid_until(signed_on, holidays, one_year=one_year)


def number_text(number: int, year: int, suffix: str = "PCCSKBCB") -> str:
    """Write the number of a paper: ``000123/2026/PCCSKBCB`` (R8)."""
    return f"{number:06d}/{year}/{suffix}"


@dataclass(frozen=True, slots=True)
class ReferralFacts:
    """What must be complete before signing (F-02: all fields of the form)."""

    destination_code: str
    own_code: str
    clinical_signs: str
    results_summary: str
    treatment_done: str
    condition: str
    plan: str
    transport: str
    has_main_diagnosis: bool
    main_allowed: bool
    open_orders: int
    is_request: bool
    abbreviations: tuple[str, ...] = ()


ABBREVIATIONS = ("BN", "XN", "CĐ", "SA", "XQ", "TDCN", "BC", "HC", "TC", "VPQ", "VP", "NKH", "SHH", "THA", "ĐTĐ", "CLVT")


def abbreviations_in(text: str) -> tuple[str, ...]:
    """Return hospital abbreviations in a text: papers for patients and other hospitals have none (TT 32/2023 Đ52)."""
    words = {word.strip(".,;:()") for word in text.split()}
    return tuple(sorted(words & set(ABBREVIATIONS)))


def check_referral(facts: ReferralFacts) -> tuple[Finding, ...]:
    """Say what is missing before the doctor may sign; each finding names its field."""
    source = "TT 01/2025 Phụ lục VI"
    findings = []

    def need(value: str, field: str, words: str) -> None:
        if not value.strip():
            findings.append(Finding("missing", field, f"{words}: chưa ghi. Không có thì ghi «Không».", source=source))

    if not facts.destination_code:
        findings.append(Finding("missing", "destination_code", "Chưa chọn nơi nhận. Gõ tên cơ sở để chọn.", source=source))
    elif facts.destination_code == facts.own_code:
        findings.append(Finding("own", "destination_code", "Nơi nhận trùng cơ sở này. Chọn cơ sở khác.", source=source))
    need(facts.clinical_signs, "clinical_signs", "Tóm tắt dấu hiệu lâm sàng")
    need(facts.results_summary, "results_summary", "Tóm tắt kết quả xét nghiệm, cận lâm sàng")
    need(facts.treatment_done, "treatment_done", "Kỹ thuật, thuốc điều trị chính đã sử dụng")
    need(facts.condition, "condition", "Tình trạng người bệnh lúc chuyển")
    need(facts.plan, "plan", "Hướng điều trị")
    need(facts.transport, "transport", "Phương tiện vận chuyển")
    if not facts.has_main_diagnosis:
        findings.append(Finding("diagnosis", "main_icd", "Chưa có bệnh chính. Chọn mã ICD-10 ở phần khám.", source=source))
    elif not facts.main_allowed:
        findings.append(Finding("diagnosis", "main_icd", "Mã bệnh chính không được dùng làm bệnh chính. Sửa ở phần khám.", source="TT 06/2026, cột 24"))
    if facts.open_orders:
        findings.append(Finding("orders", "orders", f"Còn {facts.open_orders} chỉ định chưa có kết quả. Chờ hoặc hủy chỉ định.", source="QĐ 4750, NGAY_RA"))
    if facts.abbreviations:
        findings.append(Finding("abbreviation", "clinical_signs", f"Giấy chuyển không viết tắt: {', '.join(facts.abbreviations)}. Viết đủ chữ.", source="TT 32/2023 Đ52 k2 c"))
    return tuple(findings)
