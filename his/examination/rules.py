"""Pure decisions of an examination: vital signs by age, diagnoses under the coding flags, what a conclusion needs."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
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


# Weights beyond these are slips of the hand at that age (days from, kg low, kg high); far outside WHO growth ±5 SD.
WEIGHTS: tuple[tuple[int, Decimal, Decimal], ...] = (
    (0, Decimal("0.3"), Decimal(8)),
    (60, Decimal("1.2"), Decimal(14)),
    (180, Decimal(2), Decimal(20)),
    (365, Decimal(3), Decimal(26)),
    (730, Decimal(4), Decimal(40)),
    (1825, Decimal(6), Decimal(80)),
    (3650, Decimal(9), Decimal(150)),
    (5840, Decimal(15), Decimal(300)),
)


def limits_of(column: str, age_days: int | None = None) -> tuple[Decimal, Decimal]:
    """Return between which numbers a sign is taken for real (both included); the weight depends on the age."""
    if column == "weight_kg" and age_days is not None:
        _from, low, high = next(row for row in reversed(WEIGHTS) if row[0] <= max(age_days, 0))
        return low, high
    return PLAUSIBLE[column]


def check_vitals(values: Mapping[str, Decimal | int | None], age_days: int | None = None) -> tuple[Finding, ...]:
    """Refuse numbers that cannot be, naming the field and the limits."""
    findings = []
    for column, given in values.items():
        if given is None:
            continue
        value = Decimal(given)
        low, high = limits_of(column, age_days)
        name, decimals = SIGNS[column][1], SIGNS[column][3]
        if not low <= value <= high:
            slip = value / 10
            meant = f" Ý là {_text(slip)}?" if value > high and low <= slip <= high and column == "weight_kg" else ""
            findings.append(
                Finding("vital_implausible", column, f"{name}: {_text(value)} không có thật (từ {_text(low)} đến {_text(high)}).{meant} Đo và gõ lại.")
            )
        elif value != round(value, decimals):
            kind = "số nguyên" if decimals == 0 else f"nhiều nhất {decimals} chữ số lẻ"
            findings.append(Finding("vital_decimals", column, f"{name}: gõ {kind}."))
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
                        "QĐ 4469/QĐ-BYT PL A3")
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


# --- work list ----------------------------------------------------------------------------------------------------

EMERGENCY = 100  # weight of an emergency in the queue (registration rules)
LONG_WAIT_MINUTES = 30


class Stage(StrEnum):
    """Where a patient of a room's day stands, in the order of the work list."""

    CALLING = "calling"
    IN_EXAM = "in_exam"
    RESULTS = "results"
    WAITING = "waiting"
    TESTS = "tests"
    ABSENT = "absent"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class StageFacts:
    """States and times that decide the stage (values of the ticket and the visit)."""

    ticket_state: str
    visit_state: str
    called_at: datetime | None = None
    tests_ordered_at: datetime | None = None
    tests_done_at: datetime | None = None


def stage_of(facts: StageFacts) -> Stage:
    """Return the stage of a patient. Results count as back until the patient is called again."""
    if facts.visit_state in ("concluded", "closed") or facts.ticket_state == "done":
        return Stage.DONE
    if facts.ticket_state == "skipped":
        return Stage.ABSENT
    ordered, done = facts.tests_ordered_at, facts.tests_done_at
    if ordered is not None and (done is None or done < ordered):
        return Stage.TESTS
    if facts.visit_state == "in_exam":
        back = done is not None and (facts.called_at is None or done > facts.called_at)
        return Stage.RESULTS if back else Stage.IN_EXAM
    return Stage.CALLING if facts.ticket_state in ("called", "serving") else Stage.WAITING


def place_in_line(stage: Stage, priority: int, number: int, tests_done_at: datetime | None) -> tuple[int, int, float, int]:
    """Return the sorting key of a row: who is in the room, emergencies, returned results, then priority and number."""
    if stage in (Stage.CALLING, Stage.IN_EXAM):
        return (0, 0, 0.0, number)
    if stage is Stage.WAITING and priority >= EMERGENCY:
        return (1, -priority, 0.0, number)
    if stage is Stage.RESULTS:
        return (2, 0, tests_done_at.timestamp() if tests_done_at else 0.0, number)
    return (3, -priority, 0.0, number)


# --- weight over time ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WeightChart:
    """A small line of weights: ``points`` is the SVG polyline, in a box of 236 x 70; labels are texts."""

    points: str
    last_x: str
    last_y: str
    first_label: str
    last_label: str
    last_weight: str
    first_weight: str


def weight_chart(weights: Sequence[tuple[date, Decimal]], birth_on: date) -> WeightChart | None:
    """Draw weights (oldest first) against time; None with fewer than two days."""
    by_day = dict(weights)
    days = sorted(by_day)
    if len(days) < 2:
        return None
    span = max((days[-1] - days[0]).days, 1)
    low, high = min(by_day.values()), max(by_day.values())
    room = max(high - low, Decimal("0.5"))
    spots = [
        (8 + 216 * (day - days[0]).days / span, float(62 - 46 * (by_day[day] - low) / room)) for day in days
    ]

    def label(day: date) -> str:
        months = (day.year - birth_on.year) * 12 + day.month - birth_on.month - (day.day < birth_on.day)
        return f"{months} th" if months < 72 else f"{months // 12} t"

    return WeightChart(
        " ".join(f"{x:.1f},{y:.1f}" for x, y in spots), f"{spots[-1][0]:.1f}", f"{spots[-1][1]:.1f}",
        label(days[0]), label(days[-1]), f"{_text(by_day[days[-1]])} kg", f"{_text(by_day[days[0]])} kg",
    )  # fmt: skip


# --- ready-made texts ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoteTemplate:
    """A ready-made text per section of the note, for one kind of complaint, from an age in completed months."""

    name: str
    age_min_months: int
    texts: Mapping[str, str]


@lru_cache(maxsize=1)
def all_templates() -> tuple[NoteTemplate, ...]:
    """Return the packaged texts in their order."""
    with files("his.examination").joinpath("data/note_templates.csv").open(encoding="utf-8") as file:
        return tuple(
            NoteTemplate(
                row.pop("name"), int(row.pop("age_min_months")),
                {name: text.replace("\\n", "\n") for name, text in row.items() if text},
            )
            for row in csv.DictReader(file)
        )  # fmt: skip


def note_templates(age_months: int, limit: int = 4) -> tuple[NoteTemplate, ...]:
    """Return the texts for an age, the most particular first; the page has room for four."""
    fitting = [one for one in all_templates() if one.age_min_months <= age_months]
    return tuple(sorted(fitting, key=lambda one: -one.age_min_months)[:limit])
