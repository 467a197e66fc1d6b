"""Trying the rules on files of cases (columns of ``benefit-cases.csv``), with the same functions the screens use."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from his.billing.rules import cards, shares
from his.billing.rules.subject import ROUTES, BenefitSettings, SubjectFacts, decide_subject

INPUT_COLUMNS = (
    "id",
    "visit_end",
    "card_prefix",
    "level",
    "points",
    "old_tier",
    "visit_type",
    "route",
    "given",
    "priced_lines",
)
EXPECTED = {
    "expected_subject_code": "subject_code", "expected_rate": "rate", "total_bv": "total", "total_bh": "insured",
    "insurer": "fund", "copay": "copay", "outside": "outside", "other_source": "other",
}  # fmt: skip
AMOUNT = r"(\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+(?:,\d+)?)"


class BadCase(ValueError):
    """A row that cannot be read; the message says column, value and what to do."""


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """What was expected (only columns that were filled), what came, and the differences by column."""

    case_id: str
    confidence: str
    expected: dict[str, str]
    actual: dict[str, str]
    differences: tuple[str, ...]
    steps: tuple[str, ...]


def read_cases(path: Path) -> list[dict[str, str]]:
    """Read a case file. Raises `BadCase` when columns are missing."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in INPUT_COLUMNS if name not in (reader.fieldnames or [])]
        if missing:
            raise BadCase(f"Thiếu cột {', '.join(missing)} trong {path.name}. Thêm cột theo mẫu benefit-cases.csv.")
        return [{key: (value or "").strip() for key, value in row.items() if key} for row in reader]


def amount(text: str) -> Decimal:
    """Read ``15.600.000`` or ``1.396.758,5``."""
    return Decimal(text.replace(".", "").replace(",", "."))


def _decimal(text: str, what: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise BadCase(f"{what}: «{text}» không phải số. Dùng chữ số và dấu chấm thập phân.") from None
    if value < 0 or not value.is_finite():
        raise BadCase(f"{what}: «{text}» phải là số không âm.")
    return value


def parse_lines(text: str) -> list[shares.BillLine]:
    """Read ``name|MA_NHOM|SL|DON_GIA_BV|DON_GIA_BH|TYLE_TT_DV|TYLE_TT_BH[@MUC_HUONG]`` separated by ``; ``."""
    lines = []
    for part in (p.strip() for p in text.split(";")):
        if not part:
            continue
        cells = [c.strip() for c in part.split("|")]
        if len(cells) != 7:
            raise BadCase(f"priced_lines: «{part}» có {len(cells)} phần, cần 7 phần ngăn bằng |.")
        name, group, quantity, hospital, insurance, service_rate, insurance_rate = cells
        forced = None
        if "@" in insurance_rate:
            insurance_rate, rate = insurance_rate.split("@", 1)
            forced = _decimal(rate, f"{name} MUC_HUONG")
        lines.append(
            shares.BillLine(
                name,
                group,
                _decimal(quantity, f"{name} SL"),
                _decimal(hospital, f"{name} DON_GIA_BV"),
                _decimal(insurance, f"{name} DON_GIA_BH"),
                int(_decimal(service_rate, f"{name} TYLE_TT_DV")),
                int(_decimal(insurance_rate, f"{name} TYLE_TT_BH")),
                benefit_rate=forced,
                is_arv="ARV" in name.upper().split(),
                is_special_scope="PV3" in name.upper(),
            )
        )
    if not lines:
        raise BadCase("priced_lines: chưa có dòng nào.")
    return lines


def _drug_code(given: str) -> str:
    low = given.lower()
    for code in ("7.2", "7.3", "7.4"):
        if re.search(rf"(?<![\d.]){re.escape(code)}(?![\d.])", low):
            return code
    if any(
        word in low
        for word in ("authoris", "authoriz", "on behalf", "another person", "ủy quyền", "uy quyen", "relative collects")
    ):
        return "7.2"
    if any(
        word in low for word in ("other facility", "another facility", "different facility", "cơ sở khác", "co so khac")
    ):
        return "7.3"
    if any(word in low for word in ("delivered", "delivery", "brought to", "sent to the patient", "chuyển thuốc")):
        return "7.4"
    if any(word in low for word in ("epidemic", "force majeure", "bất khả kháng", "dịch nhóm", "pandemic")):
        return "7"
    return "10"


def context_of(
    row: Mapping[str, str], settings: BenefitSettings
) -> tuple[shares.BenefitContext, list[shares.BillLine]]:
    """Turn a row into facts."""
    given = row["given"]
    low = given.lower()
    try:
        on = date.fromisoformat(row["visit_end"])
    except ValueError:
        raise BadCase(f"visit_end: «{row['visit_end']}» không phải ngày. Gõ dạng 2026-09-10.") from None
    if row["route"] not in (*ROUTES, "TU_DEN", "LINH_THUOC", "KHONG_BHYT"):
        raise BadCase(
            f"route: «{row['route']}» chưa biết. Dùng một trong {', '.join(ROUTES)}, TU_DEN, LINH_THUOC, KHONG_BHYT."
        )
    if row["level"] not in ("BD_TYT", "BD", "CB", "CS"):
        raise BadCase(f"level: «{row['level']}» chưa biết. Dùng BD_TYT, BD, CB hoặc CS.")
    held = [card.strip().upper() for card in re.split(r"[+;]", row["card_prefix"]) if card.strip()]
    for card in held:
        if not cards.PREFIX.match(card[:3]):
            raise BadCase(f"card_prefix: «{card}» không phải mã thẻ. Gõ 2 chữ và số 1–5, ví dụ GD4.")
    if not held and row["route"] != "KHONG_BHYT":
        raise BadCase("card_prefix: chưa có thẻ mà route không phải KHONG_BHYT. Điền thẻ hoặc đổi route.")
    icd = re.search(r"\b([A-Z]\d\d(?:\.\d{1,2})?)\b", given)
    age = re.search(r"\bage[d]?\s+(\d{1,3})\b|\b(\d{1,3})\s*(?:years?|tuổi)\b|child of (\d{1,2})", low)
    area = re.search(r"\bK[123]\b", given)
    facts = SubjectFacts(
        on=on, level=row["level"], points=int(row["points"]) if row["points"].isdigit() else None,
        old_tier=row["old_tier"] or "none", visit_type=row["visit_type"], route=row["route"],
        living_area=area.group(0) if area else "",
        main_icd="" if icd is None or "no annex i" in low else icd.group(1),
        age_years=int(next(g for g in age.groups() if g)) if age else None,
        annex_two_disease=bool(re.search(r"annex ii\b|phụ lục ii\b|pl ?ii\b|pl2\b", low)) and "no annex ii" not in low,
        condition_confirmed=not re.search(r"not indicated|condition not|no specific treatment", low),
        drug_code=_drug_code(given),
    )  # fmt: skip
    lines = parse_lines(row["priced_lines"])
    patient_aid = Decimal(0)
    aid = re.search(rf"(?:gives|pays|supports?)\s*(?:the (?:hospital|facility))?\s*{AMOUNT}", low)
    if aid and any(word in low for word in ("hospital", "facility")):
        lines = _spread_facility_aid(lines, amount(aid.group(1)))
    elif aid:
        patient_aid = amount(aid.group(1))
    copaid, before = _copaid(low)
    return (
        shares.BenefitContext(
            on=on, card=cards.best(held, on) if held else "", subject=decide_subject(facts, settings),
            five_years_on=_five_years(low, on), copaid_this_year=copaid, copaid_before_change=before,
            recurrent_wound=bool(re.search(r"vet_thuong_tp\s*=\s*1", low)), patient_aid=patient_aid,
        ),
        lines,
    )  # fmt: skip


def _spread_facility_aid(lines: list[shares.BillLine], aid: Decimal) -> list[shares.BillLine]:
    """Support for the facility goes to the dearest line first."""
    left = aid
    done = {}
    for index in sorted(range(len(lines)), key=lambda i: -(lines[i].quantity * lines[i].hospital_price)):
        part = min(left, lines[index].quantity * lines[index].hospital_price)
        done[index] = replace(lines[index], facility_aid=part)
        left -= part
    return [done[i] for i in range(len(lines))]


def _five_years(low: str, on: date) -> date | None:
    day = re.search(r"ngaydu5nam\s+(\d{4}-\d{2}-\d{2})", low)
    if day:
        return date.fromisoformat(day.group(1))
    if re.search(r"not (?:yet )?five years|under five years|no five years", low):
        return None
    return on if "five years" in low or "5 năm" in low else None


def _copaid(low: str) -> tuple[Decimal | None, Decimal | None]:
    both = re.search(rf"co-?paid[^\d]*{AMOUNT}\s*before\s*[\d/.-]+\s*and\s*{AMOUNT}\s*after", low)
    if both:
        first, second = amount(both.group(1)), amount(both.group(2))
        return first + second, first
    once = re.search(rf"co-?paid[^\d]*{AMOUNT}", low)
    return (amount(once.group(1)), None) if once else (None, None)


def plain(value: Decimal) -> str:
    """Write a figure without trailing zeros."""
    return format(value.normalize(), "f") if value else "0"


def run_case(row: Mapping[str, str], settings: BenefitSettings = BenefitSettings()) -> CaseOutcome:
    """Run one row; empty expected columns are only computed. Raises `BadCase`."""
    context, lines = context_of(row, settings)
    result = shares.split_benefit(lines, context, settings)
    actual = {
        "subject_code": context.subject.code, "rate": result.rate, "total": plain(result.total),
        "insured": plain(result.insured), "fund": plain(result.fund), "copay": plain(result.copay),
        "outside": plain(result.outside), "other": plain(result.other),
    }  # fmt: skip
    has_expectation = any(row.get(column, "") for column in EXPECTED)
    expected: dict[str, str] = {}
    differences = []
    for column, name in EXPECTED.items():
        wanted = row.get(column, "")
        if not wanted and not (column == "expected_rate" and has_expectation and row["route"] == "KHONG_BHYT"):
            continue
        expected[name] = wanted
        same = wanted == actual[name]
        if not same and name != "subject_code" and wanted and actual[name]:
            same = _decimal(wanted, column) == Decimal(actual[name])
        if not same:
            differences.append(f"{column}: chờ {wanted or '(trống)'}, ra {actual[name] or '(trống)'}")
    return CaseOutcome(row["id"], row.get("confidence", ""), expected, actual, tuple(differences), result.steps)


def write_results(path: Path, outcomes: list[CaseOutcome]) -> None:
    """Write what came as CSV, one row per case."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", *EXPECTED, "differences"])
        for outcome in outcomes:
            writer.writerow(
                [
                    outcome.case_id,
                    *(outcome.actual[name] for name in EXPECTED.values()),
                    " | ".join(outcome.differences),
                ]
            )
