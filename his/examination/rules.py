"""Pure decisions of an examination: vital signs by age, diagnoses under the coding flags, what a conclusion needs."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files

from his.core.errors import Finding, Severity

# VitalSigns column -> (name of the sign in the range table, Vietnamese name, unit on screen, decimals)
SIGNS: dict[str, tuple[str, str, str, int]] = {
    "pulse": ("heart_rate_awake", "Mạch", "lần/phút", 0),
    "temperature": ("body_temperature", "Nhiệt độ", "°C", 1),
    "respiration": ("respiratory_rate", "Nhịp thở", "lần/phút", 0),
    "spo2": ("spo2", "SpO₂", "%", 0),
    "systolic": ("systolic_bp", "Huyết áp tâm thu", "mmHg", 0),
    "diastolic": ("diastolic_bp", "Huyết áp tâm trương", "mmHg", 0),
    "weight_kg": ("weight", "Cân nặng", "kg", 2),
    "height_cm": ("height", "Chiều cao", "cm", 1),
}
# Beyond these a number is a slip of the hand, whatever the age.
PLAUSIBLE: dict[str, tuple[Decimal, Decimal]] = {
    "pulse": (Decimal(20), Decimal(300)),
    "temperature": (Decimal(30), Decimal(45)),
    "respiration": (Decimal(5), Decimal(120)),
    "spo2": (Decimal(40), Decimal(100)),
    "systolic": (Decimal(30), Decimal(300)),
    "diastolic": (Decimal(10), Decimal(200)),
    "weight_kg": (Decimal("0.3"), Decimal(200)),
    "height_cm": (Decimal(20), Decimal(250)),
}


@dataclass(frozen=True, slots=True)
class SignRange:
    """Normal and hard limits of one sign for one age band (general paediatric reference values, for warnings only)."""

    sign: str
    age_min_days: int
    age_max_days: int
    low: Decimal | None
    high: Decimal | None
    hard_low: Decimal | None
    hard_high: Decimal | None


@dataclass(frozen=True, slots=True)
class SignReading:
    """A measured sign against its range: ``tone`` is "", "warn"; ``arrow`` is "", "↑", "↓"."""

    name: str
    value: Decimal
    tone: str
    arrow: str
    low: Decimal | None
    high: Decimal | None


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None


@lru_cache(maxsize=1)
def ranges() -> tuple[SignRange, ...]:
    """Return the packaged range table."""
    with files("his.examination").joinpath("data/vital_sign_ranges.csv").open(encoding="utf-8") as file:
        return tuple(
            SignRange(
                row["sign"],
                int(row["age_min_days"]),
                int(row["age_max_days"] or 99_999),
                _number(row["normal_low"]),
                _number(row["normal_high"]),
                _number(row["hard_low"]),
                _number(row["hard_high"]),
            )
            for row in csv.DictReader(file)
        )


def range_of(column: str, age_days: int) -> SignRange | None:
    """Return the range of a sign at an age."""
    sign = SIGNS[column][0]
    return next((r for r in ranges() if r.sign == sign and r.age_min_days <= age_days <= r.age_max_days), None)


def read_sign(column: str, value: Decimal, age_days: int) -> SignReading:
    """Judge one measurement by age. Out of range is amber with an arrow, never red (UI guide §2)."""
    found = range_of(column, age_days)
    low, high = (found.low, found.high) if found else (None, None)
    arrow = "↑" if high is not None and value > high else "↓" if low is not None and value < low else ""
    return SignReading(SIGNS[column][1], value, "warn" if arrow else "", arrow, low, high)


def check_vitals(values: Mapping[str, Decimal | int | None]) -> tuple[Finding, ...]:
    """Refuse numbers that cannot be, naming the field and the limits."""
    findings = []
    for column, value in values.items():
        if value is None:
            continue
        low, high = PLAUSIBLE[column]
        if not low <= Decimal(value) <= high:
            name = SIGNS[column][1]
            findings.append(
                Finding("vital_implausible", column, f"{name}: {_text(value)} không có thật (từ {_text(low)} đến {_text(high)}). Đo và gõ lại.")
            )
    systolic, diastolic = values.get("systolic"), values.get("diastolic")
    if (systolic is None) != (diastolic is None):
        findings.append(Finding("pressure_half", "systolic", "Huyết áp cần đủ hai số, ví dụ 95/58."))
    elif systolic is not None and diastolic is not None and systolic <= diastolic:
        findings.append(Finding("pressure_order", "systolic", "Huyết áp tâm thu phải lớn hơn tâm trương. Kiểm tra thứ tự hai số."))
    return tuple(findings)


def _text(value: Decimal | int) -> str:
    return format(Decimal(value).normalize(), "f").replace(".", ",")


@dataclass(frozen=True, slots=True)
class IcdFacts:
    """A diagnosis code as the list was on the day (flags after TT 06/2026 columns 24-29)."""

    code: str
    name: str
    mark: str
    never_main: bool
    discouraged_main: bool
    never_used: bool
    finer_doubtful: bool
    death_only: bool
    sex_only: str
    age_min_days: int | None
    age_max_days: int | None


SOURCE_ICD = "TT 06/2026/TT-BYT"
MAX_OTHERS = 12


def check_diagnoses(main: IcdFacts | None, others: Sequence[IcdFacts], *, sex: str, age_days: int) -> tuple[Finding, ...]:
    """Check the codes of a visit; errors bar saving, warnings ask for a second look."""
    findings: list[Finding] = []

    def say(code: str, field: str, message: str, severity: Severity = Severity.ERROR, column: str = "") -> None:
        source = f"{SOURCE_ICD}, cột {column}" if column else SOURCE_ICD
        findings.append(Finding(code, field, message, severity, source))

    if main is None:
        if others:
            say("main_missing", "main_icd", "Chưa chọn bệnh chính. Chọn một mã làm bệnh chính.")
    else:
        if main.never_main or main.mark == "*":
            say("never_main", "main_icd",
                f"{main.code} không được làm bệnh chính. Chuyển {main.code} xuống bệnh kèm theo và chọn bệnh chính khác.",
                column="24")  # fmt: skip
        if main.discouraged_main:
            say("discouraged_main", "main_icd",
                f"{main.code} không khuyến khích làm bệnh chính. Kiểm tra lại trước khi ký.", Severity.WARNING, "25")  # fmt: skip
    seen: set[str] = set()
    for field, icd in [("main_icd", main), *(("other_icd", other) for other in others)]:
        if icd is None:
            continue
        if icd.code in seen:
            say("repeated", field, f"{icd.code} đã có trong danh sách. Bỏ một dòng.")
        seen.add(icd.code)
        if icd.never_used:
            say("never_used", field, f"{icd.code} có mã chi tiết hơn nên không được dùng. Chọn mã con của {icd.code}.", column="26")
        elif icd.finer_doubtful:
            say("finer_exists", field, f"{icd.code} có thể có mã chi tiết hơn. Kiểm tra lại.", Severity.WARNING, "26")
        if icd.death_only:
            say("death_only", field, f"{icd.code} chỉ dùng ghi nguyên nhân tử vong. Chọn mã khác.", column="27")
        if icd.sex_only and sex in ("M", "F") and icd.sex_only != sex:
            who = "nữ" if icd.sex_only == "F" else "nam"
            say("sex", field, f"{icd.code} thường chỉ dùng cho {who}. Kiểm tra lại mã hoặc giới tính.", Severity.WARNING,
                "28" if icd.sex_only == "F" else "29")  # fmt: skip
        if (icd.age_min_days is not None and age_days < icd.age_min_days) or (
            icd.age_max_days is not None and age_days > icd.age_max_days
        ):
            findings.append(
                Finding("age", field, f"{icd.code} không hợp với tuổi người bệnh. Kiểm tra lại mã.", Severity.WARNING,
                        "QĐ 4469/QĐ-BYT PL A3")  # fmt: skip
            )
    if len(others) > MAX_OTHERS:
        say("too_many", "other_icd", f"Bệnh kèm theo nhiều nhất {MAX_OTHERS} mã. Bỏ bớt {len(others) - MAX_OTHERS} mã.")
    return tuple(findings)


@dataclass(frozen=True, slots=True)
class ConclusionFacts:
    """What is known when the doctor wants to end a visit."""

    has_main: bool
    has_findings: bool
    needs_weight: bool
    has_weight: bool
    open_orders: int
    unsigned_prescription: bool
    discharge_code: str
    result_code: str
    follow_up_on: date | None
    today: date


def check_conclusion(facts: ConclusionFacts) -> tuple[Finding, ...]:
    """Say what is missing before a visit may end; each finding names the part of the page that mends it."""
    findings: list[Finding] = []
    if not facts.has_main:
        findings.append(Finding("main_missing", "main_icd", "Chưa có bệnh chính. Chọn mã ICD-10.", source="QĐ 4750, MA_BENH_CHINH"))
    if not facts.has_findings:
        findings.append(Finding("findings_missing", "findings", "Phần khám chưa ghi gì. Ghi dấu hiệu chính."))
    if facts.needs_weight and not facts.has_weight:
        findings.append(Finding("weight_missing", "weight_kg", "Trẻ dưới 72 tháng chưa có cân nặng. Cân rồi nhập.", source="TT 26/2025/TT-BYT Đ6 k4"))
    if facts.open_orders:
        findings.append(Finding("orders_open", "orders", f"Còn {facts.open_orders} chỉ định chưa có kết quả. Chờ kết quả hoặc hủy chỉ định."))
    if facts.unsigned_prescription:
        findings.append(Finding("rx_unsigned", "prescription", "Đơn thuốc chưa ký. Ký đơn hoặc bỏ đơn nháp."))
    if not facts.result_code:
        findings.append(Finding("result_missing", "result_code", "Chưa chọn kết quả điều trị.", source="QĐ 4750, KET_QUA_DTRI"))
    if not facts.discharge_code:
        findings.append(Finding("discharge_missing", "discharge_code", "Chưa chọn cách kết thúc lượt khám.", source="QĐ 4750, MA_LOAI_RV"))
    if facts.follow_up_on is not None and facts.follow_up_on <= facts.today:
        # XML14 NGAY_HEN_KL: the next day at the earliest (claims standard §7.3).
        findings.append(Finding("follow_up_past", "follow_up_on", "Ngày hẹn khám lại phải từ ngày mai trở đi.", source="QĐ 3176, NGAY_HEN_KL"))
    return tuple(findings)
