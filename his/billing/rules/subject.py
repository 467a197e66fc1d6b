"""The subject code MA_DOITUONG_KCB and the share of the route (QĐ 3276/QĐ-BYT 2025; Luật BHYT Đ22; NĐ 188/2025 Đ19).

The first code that fits wins, in the order of the decision, read as the standard explains: an emergency is not a
self-referral, and the ethnic-minority rule 3.6 is tested before 3.1 and 3.2 because the Law is higher than the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from his.billing.rules.reference import table

INPATIENT_TYPES = ("03", "04", "09")
DRUG_CODES = ("7", "7.2", "7.3", "7.4", "10")
HALF_SINCE = date(2026, 7, 1)
ROUTES = {
    "DKBD": ("1.1", "đăng ký khám chữa bệnh ban đầu tại đây", "Luật BHYT Đ22 k1"),
    "CHUYEN": ("1.3", "có phiếu chuyển cơ sở còn giá trị", "TT 01/2025 Đ9, Đ12"),
    "CU_TRU": ("1.4", "thay đổi nơi lưu trú, cư trú", "Luật BHYT Đ22 k3; TT 01/2025 Đ4"),
    "HEN": ("1.5", "theo phiếu hẹn khám lại", "TT 01/2025 Đ11"),
    "HIEN": ("1.6", "người hiến bộ phận cơ thể điều trị ngay sau khi hiến", "NĐ 188/2025 Đ50"),
    "SS": ("1.7", "trẻ sơ sinh điều trị ngay sau khi sinh", "QĐ 3276/QĐ-BYT"),
    "CAP_CUU": ("2", "cấp cứu", "Luật BHYT Đ22 k5"),
}


@dataclass(frozen=True, slots=True)
class BenefitSettings:
    """Points of the law that are in doubt (insurance standard §4.3, §5; claims standard §3)."""

    former_district_50_70: str = "3.3"
    zero_rate_as_outside_scope: bool = True
    package_cap_before_rate: bool = True
    four_hours_beds: int = 0


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """What decides the code.

    ``level`` BD_TYT, BD, CB or CS; ``old_tier`` none, H, T or TW; ``route`` see ROUTES, or TU_DEN, LINH_THUOC,
    KHONG_BHYT; ``living_area`` K1-K3 or "". ``drug_code`` for LINH_THUOC.
    """

    on: date
    level: str
    points: int | None
    old_tier: str
    visit_type: str
    route: str
    living_area: str = ""
    main_icd: str = ""
    age_years: int | None = None
    annex_two_disease: bool = False
    condition_confirmed: bool = True
    drug_code: str = "10"


@dataclass(frozen=True, slots=True)
class SubjectDecision:
    """The code, the share of the route in percent (100 = no reduction), and why."""

    code: str
    route_percent: int
    is_fixed: bool
    is_self_referred: bool
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class SeriousDisease:
    """A row of Annex I of TT 01/2025."""

    prefix: str
    mode: str
    age_under: int | None
    name: str
    condition: str


@lru_cache(maxsize=1)
def serious_diseases() -> tuple[SeriousDisease, ...]:
    """Return Annex I, longest prefix first."""
    rows = [
        SeriousDisease(
            r["icd10"].strip(), r["mode"], int(r["age_under"]) if r["age_under"] else None, r["ten_benh"],
            r["condition_not_in_code"],
        )
        for r in table("serious_diseases")
        if r["icd10"].strip()
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda d: -len(d.prefix)))


def is_serious(icd: str, age_years: int | None, *, condition_confirmed: bool = True) -> bool:
    """Tell whether a main diagnosis is in Annex I: longest prefix wins; a failing age or condition means no."""
    plain = icd.upper()
    for row in serious_diseases():
        if plain.startswith(row.prefix):
            if row.mode == "exclude":
                return False
            if row.age_under is not None and (age_years is None or age_years >= row.age_under):
                return False
            return condition_confirmed or not row.condition
    return False


def decide_subject(facts: SubjectFacts, settings: BenefitSettings = BenefitSettings()) -> SubjectDecision:
    """Return the subject code of a visit with the reason in words and its source."""
    if facts.route == "KHONG_BHYT":
        return SubjectDecision("9", 0, False, False, "Không khám theo bảo hiểm y tế.", "QĐ 3276/QĐ-BYT")
    if facts.route == "LINH_THUOC":
        return SubjectDecision(
            facts.drug_code, 100, False, False, "Chỉ lĩnh thuốc theo phiếu hẹn.", "QĐ 3276/QĐ-BYT; TT 37/2024"
        )
    if facts.level == "BD_TYT":
        return SubjectDecision(
            "1.2", 100, True, False, "Cơ sở cấp ban đầu (trạm y tế, y học gia đình…): quỹ trả 100%.",
            "TT 01/2025 Đ3; Luật BHYT Đ22 k1 c",
        )  # fmt: skip
    if facts.route in ROUTES:
        code, words, source = ROUTES[facts.route]
        return SubjectDecision(code, 100, False, False, f"Mã {code}: {words}.", source)
    return _self_referred(facts, settings)


def _self_referred(facts: SubjectFacts, settings: BenefitSettings) -> SubjectDecision:
    inpatient = facts.visit_type in INPATIENT_TYPES
    half = 50 if facts.on >= HALF_SINCE else 0

    def say(code: str, percent: int, words: str, source: str) -> SubjectDecision:
        return SubjectDecision(code, percent, False, True, f"Mã {code}: tự đến, {words}.", source)

    if facts.level == "BD":
        return say("1.11", 100, "cơ sở cấp ban đầu", "Luật BHYT Đ22 k4 c")
    if facts.level == "CB":
        if facts.annex_two_disease:
            return say("1.16", 100, "bệnh thuộc Phụ lục II TT 01/2025", "Luật BHYT Đ22 k4 a")
        if inpatient:
            return say("1.15", 100, "nội trú cấp cơ bản", "Luật BHYT Đ22 k4 d")
        if facts.old_tier in ("T", "TW"):
            return say("1.14", half, "ngoại trú cơ sở cấp cơ bản trước là tuyến tỉnh, trung ương", "NĐ 188/2025 Đ19 k3")
        if facts.points is None or facts.points < 50:
            return say("1.12", 100, "ngoại trú cấp cơ bản dưới 50 điểm", "NĐ 188/2025 Đ19 k1")
        if facts.old_tier == "H" and settings.former_district_50_70 == "3.3":
            return say("3.3", 100, "cơ sở trước là tuyến huyện", "Luật BHYT Đ22 k4 đ")
        return say("1.13", half, "ngoại trú cấp cơ bản từ 50 đến dưới 70 điểm", "NĐ 188/2025 Đ19 k2")
    if is_serious(facts.main_icd, facts.age_years, condition_confirmed=facts.condition_confirmed):
        return say("1.17", 100, "bệnh thuộc Phụ lục I TT 01/2025", "Luật BHYT Đ22 k4 a")
    if inpatient and facts.living_area in ("K1", "K2", "K3"):
        return say("3.6", 100, "nội trú, người sống ở khu vực K1–K3", "Luật BHYT Đ22 k4 b")
    if facts.old_tier == "H":
        return say("3.3", 100, "cơ sở trước là tuyến huyện", "Luật BHYT Đ22 k4 đ")
    if facts.old_tier == "T":
        if inpatient:
            return say("3.2", 100, "nội trú cấp chuyên sâu trước là tuyến tỉnh", "Luật BHYT Đ22 k4 h")
        return say("1.18", half, "ngoại trú cấp chuyên sâu trước là tuyến tỉnh", "NĐ 188/2025 Đ19 k4")
    # A specialised facility without a former tier is read like a formerly central one: no route pays it more.
    before = " trước là tuyến trung ương" if facts.old_tier == "TW" else ""
    return say("3.1", 40 if inpatient else 0, f"cấp chuyên sâu{before}", "Luật BHYT Đ22 k4 g")
