"""Pure rules of referral papers (TT 01/2025/TT-BYT Đ9-Đ12, Phụ lục VI; forms standard R1-R13)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
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
    reason: str
    clinical_signs: str
    course: str
    results_summary: str
    procedures: str
    treatment_done: str
    condition: str
    plan: str
    transport: str
    has_main_diagnosis: bool
    main_allowed: bool
    open_orders: int
    has_result: bool  # KET_QUA_DTRI chosen
    is_commitment_signed: bool


ON_REQUEST = "3"
SOURCE = "TT 01/2025 Phụ lục VI"
# Words of hospital shorthand; written out on every paper that leaves the house (TT 32/2023 Đ52 k2 c).
ABBREVIATIONS = frozenset({
    "BN", "NB", "XN", "CĐ", "SA", "XQ", "TDCN", "BC", "HC", "TC", "BCĐNTT", "VPQ", "VP", "VTPQ", "NKH", "SHH", "THA", "ĐTĐ",
    "CLVT", "NMCT", "TBMMN", "RLLP", "HA",
})  # fmt: skip
REQUIRED = {
    "clinical_signs": "Tóm tắt dấu hiệu lâm sàng",
    "results_summary": "Tóm tắt kết quả xét nghiệm, cận lâm sàng",
    "treatment_done": "Kỹ thuật, thuốc điều trị chính đã sử dụng",
    "condition": "Tình trạng người bệnh lúc chuyển",
    "plan": "Hướng điều trị",
    "transport": "Phương tiện vận chuyển",
}
WRITTEN = (*REQUIRED, "course", "procedures")


def abbreviations_in(text: str) -> tuple[str, ...]:
    """Return hospital abbreviations in a text: papers for patients and other hospitals have none (TT 32/2023 Đ52)."""
    words = {word.strip(".,;:()/") for word in text.replace("/", " ").split()}
    return tuple(sorted(words & ABBREVIATIONS))


def check_referral(facts: ReferralFacts) -> tuple[Finding, ...]:
    """Say what is missing before the doctor may sign; each finding names its field."""
    return (*_check_way(facts), *_check_texts(facts), *_check_visit(facts))


def _check_way(facts: ReferralFacts) -> Iterator[Finding]:
    """Where to and why."""
    if not facts.destination_code:
        yield Finding("missing", "destination_code", "Chưa chọn nơi nhận. Gõ tên cơ sở rồi chọn trong danh sách.", source=SOURCE)
    elif facts.destination_code == facts.own_code:
        yield Finding("own", "destination_code", "Nơi nhận trùng cơ sở này. Chọn cơ sở khác.", source=SOURCE)
    if facts.reason == ON_REQUEST and not facts.is_commitment_signed:
        yield Finding(
            "commitment", "is_commitment_signed",
            "Chuyển theo yêu cầu: giải thích quyền lợi BHYT, cho ký cam kết 45/BV2 rồi đánh dấu.",
            source="Luật BHYT Đ22; TT 32/2023 Phụ lục XXIX",
        )  # fmt: skip


def _check_texts(facts: ReferralFacts) -> Iterator[Finding]:
    """No field of the form is empty, no field has shorthand."""
    for field, words in REQUIRED.items():
        if not getattr(facts, field).strip():
            yield Finding("missing", field, f"{words}: chưa ghi. Không có thì ghi «Không».", source=SOURCE)
    for field in WRITTEN:
        short = abbreviations_in(getattr(facts, field))
        if short:
            yield Finding(
                "abbreviation", field, f"Giấy chuyển không viết tắt: {', '.join(short)}. Viết đủ chữ.",
                source="TT 32/2023 Đ52 k2 c",
            )  # fmt: skip


def _check_visit(facts: ReferralFacts) -> Iterator[Finding]:
    """The record the paper is made from is finished."""
    if not facts.has_main_diagnosis:
        yield Finding("diagnosis", "main_icd", "Chưa có bệnh chính. Chọn mã ICD-10 ở phần khám.", source=SOURCE)
    elif not facts.main_allowed:
        yield Finding(
            "diagnosis", "main_icd", "Mã bệnh chính không được dùng làm bệnh chính. Sửa ở phần khám.",
            source="TT 06/2026, cột 24",
        )  # fmt: skip
    if facts.open_orders:
        yield Finding(
            "orders", "orders", f"Còn {facts.open_orders} chỉ định chưa có kết quả. Chờ hoặc hủy chỉ định.",
            source="QĐ 4750, NGAY_RA",
        )  # fmt: skip
    if not facts.has_result:
        yield Finding("result", "result_code", "Chưa chọn kết quả điều trị.", source="QĐ 4750, KET_QUA_DTRI")
