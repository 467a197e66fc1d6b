"""The safety and legal checks of a prescription (rule ids and tiers: prescription standard §8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import combinations
from typing import Any

from his.prescriptions.rules import reference as ref
from his.prescriptions.rules.values import Alert, PatientFacts, RxLine, dose_amount, dose_mg, mg_per_unit

SAFETY = (
    "drug_drug", "allergy", "allergy_status_unknown", "duplicate_therapy", "dose_max_kg", "dose_max_dose",
    "dose_max_day", "frequency", "age_contraindication", "pregnancy", "lactation", "renal", "disease_contraindication",
    "quantity_mismatch",
)  # fmt: skip
LEGAL = (
    "max_days", "diagnosis_missing", "child_under_72_months_fields", "not_a_medicine", "form_class",
    "split_by_control_class", "narcotic_facility", "narcotic_commitment", "narcotic_periods",
)  # fmt: skip
# Life-cycle rules live where the rows are: signing, dispensing and stock services.
ELSEWHERE = ("immutable_after_sign", "validity_expired", "lot_expired", "stock_short", "narcotic_period_dispensed")
BUILT = frozenset(SAFETY + LEGAL)
NSAID_LEVEL = "NSAID"
Ingredients = list[tuple[str, ...]]


def check_prescription(patient: PatientFacts, lines: Sequence[RxLine]) -> list[Alert]:
    """Run every check; the most serious alerts first. The same rule about the same drugs is said once."""
    names: Ingredients = [ref.components(line.ingredient) for line in lines]
    found: dict[tuple[str, tuple[str, ...]], Alert] = {}
    for check in (
        _interactions, _allergies, _duplicates, _doses, _frequency, _ages, _pregnancy, _lactation, _renal, _diseases,
        _quantity, _days, _identity, _forms,
    ):  # fmt: skip
        for alert in check(patient, lines, names):
            key = (alert.rule, tuple(sorted(alert.about)))
            if key not in found or alert.tier < found[key].tier:
                found[key] = alert
    return sorted(found.values(), key=lambda a: (a.tier, a.lines, a.rule))


def top_alerts(alerts: Sequence[Alert], position: int) -> list[Alert]:
    """Return the alerts of one line: only those of its highest tier are shown at the line."""
    own = [a for a in alerts if position in a.lines]
    best = min((a.tier for a in own), default=9)
    return [a for a in own if a.tier == best]


# --- interactions -------------------------------------------------------------------------------------------------


def _condition(condition: str, patient: PatientFacts) -> bool | None:
    """Tell whether the condition of a pair is true in the record, false, or unknown."""
    context: Mapping[str, Any] = patient.context
    if condition in context:
        return bool(context[condition])
    days = patient.age_days if patient.age_days is not None else patient.age_months * 30
    egfr = patient.egfr if patient.egfr is not None else context.get("egfr")
    if condition == "age_lt_28_days":
        return days < 28
    if condition == "congenital_or_acquired_long_qt":
        if (
            any(code.startswith("I45.8") for code in patient.diagnoses)
            or context.get("long_qt")
            or context.get("qtc_gt_450")
        ):
            return True
        qtc = context.get("qtc") or context.get("qtc_ms")
        return (int(qtc) > 450) if qtc else None
    if condition == "qtc_gt_450":
        qtc = context.get("qtc") or context.get("qtc_ms")
        return (int(qtc) > 450) if qtc else None
    if condition == "hepatic_or_renal_impairment":
        if any(code.startswith(("K70", "K72", "K74", "N17", "N18", "N19")) for code in patient.diagnoses):
            return True
        return True if egfr is not None and Decimal(str(egfr)) < 60 else None
    if condition == "diabetes_or_egfr_lt_60":
        if any(code.startswith(("E10", "E11", "E12", "E13", "E14")) for code in patient.diagnoses):
            return True
        return (Decimal(str(egfr)) < 60) if egfr is not None else None
    if condition == "egfr_or_acute_kidney_injury_or_arterial_contrast":
        if any(code.startswith("N17") for code in patient.diagnoses):
            return True
        return (Decimal(str(egfr)) < 30) if egfr is not None else None
    return None


SEVERITY_TEXT = {
    "contraindicated": "chống chỉ định phối hợp",
    "contraindicated_conditional": "chống chỉ định phối hợp có điều kiện",
}


def _interactions(patient: PatientFacts, _lines: Sequence[RxLine], names: Ingredients) -> Iterator[Alert]:
    """Every pair of products, line against line and line against current medicine, by ingredient and in both orders."""
    products: list[tuple[frozenset[str], int | None]] = [(frozenset(parts), i) for i, parts in enumerate(names)]
    products += [(frozenset(ref.components(drug)), None) for drug in patient.current_medicines]
    for (one, i), (two, j) in combinations(products, 2):
        if i is None and j is None:
            continue
        positions = tuple(sorted(n for n in (i, j) if n is not None))
        for side in (side for name in sorted(one) for side in ref.interaction_sides().get(name, ())):
            # What both products hold is a duplicate, not an interaction.
            if side.own <= one and side.other <= two and not side.own & two and not side.other & one:
                alert = _interaction_alert(side.item, patient, positions)
                if alert is not None:
                    yield alert


def _interaction_alert(item: ref.Interaction, patient: PatientFacts, positions: tuple[int, ...]) -> Alert | None:
    tier = item.tier
    if item.condition:
        known = _condition(item.condition, patient)
        if known is False:
            return None
        if item.severity == "contraindicated_conditional":
            tier = 1 if known else 2
    question = " Kiểm tra điều kiện kèm theo." if item.condition and tier == 2 else ""
    return Alert(
        "drug_drug", tier, (item.a, item.b),
        f"{item.name_a or item.a} + {item.name_b or item.b}: {SEVERITY_TEXT.get(item.severity, 'tương tác cần theo dõi')}. "
        f"Bỏ một thuốc hoặc đổi thuốc khác nhóm.{question}",
        item.source, item.management, lines=positions,
    )  # fmt: skip


# --- allergies ----------------------------------------------------------------------------------------------------


# How families say it in Vietnamese or by class; matched as parts of the recorded substance.
CLASS_WORDS = {
    "penicilin": "penicillin", "penicillin": "penicillin", "cephalosporin": "cephalosporin", "cefalosporin": "cephalosporin",
    "beta-lactam": "penicillin", "betalactam": "penicillin", "nsaid": "nsaid", "không steroid": "nsaid", "sulfamid": "sulfonamide_antibiotic",
    "sulfonamid": "sulfonamide_antibiotic", "sulfa": "sulfonamide_antibiotic", "macrolid": "macrolide", "quinolon": "fluoroquinolone",
    "tetracyclin": "tetracycline", "aminosid": "aminoglycoside", "aminoglycosid": "aminoglycoside", "opioid": "opioid_phenanthrene",
    "cản quang": "iodinated_contrast", "statin": "statin", "ức chế men chuyển": "ace_inhibitor_angioedema",
}  # fmt: skip
# Class words that are also the tail of a single substance (atorvastatin) count only when they stand alone.
WHOLE_WORDS = frozenset({"statin", "sulfa"})


def class_families(recorded: str) -> set[str]:
    """Return the families named when somebody recorded a class ("nhóm penicillin") instead of one medicine."""
    text = " ".join(recorded.lower().replace("nhóm", " ").split())
    if text in ref.known() or (text in ref.aliases() and text not in CLASS_WORDS):
        return set()
    words = set(text.split())
    found = {f for word, f in CLASS_WORDS.items() if (word in words if word in WHOLE_WORDS else word in text)}
    return found | ({"cephalosporin"} if "beta-lactam" in text or "betalactam" in text else set())


def _families(substance: str) -> set[str]:
    """Return the allergen families a substance belongs to (own family of the group that holds it)."""
    parts = {substance, *ref.components(substance)}
    found = set()
    for group in ref.allergy_groups():
        if group.relation in (
            "same_group",
            "same_mechanism_COX1",
            "same_group_severe_cutaneous",
            "same_drug",
            "same_mechanism_bradykinin",
            "intolerance",
        ) and (parts & group.ingredients):
            found.add(group.family)
        if substance in (group.family, group.group_id, group.family.replace("_", " "), group.group_id.rstrip("s")):
            found.add(group.family)
    return found


def _allergies(patient: PatientFacts, lines: Sequence[RxLine], names: Ingredients) -> Iterator[Alert]:
    if patient.allergy_status == "unknown" and not patient.allergies and lines:
        yield Alert(
            "allergy_status_unknown",
            2,
            ("allergy_status",),
            "Chưa hỏi tiền sử dị ứng. Hỏi gia đình rồi ghi vào hồ sơ.",
            "Luật KCB 15/2023 Đ62",
        )
    for allergy in patient.allergies:
        substance = ref.normal(allergy.substance)
        parts = {substance, *ref.components(substance)}
        classes = class_families(allergy.substance)
        families = _families(substance) | classes
        for position, (line, own) in enumerate(zip(lines, names, strict=True)):
            drug = ref.normal(line.ingredient)
            alert = _allergy_of(allergy.is_severe, classes, parts, families, {drug, *own})
            if alert is not None:
                tier, note = alert
                words = {1: "cùng nhóm với", 2: "có thể phản ứng chéo với", 3: "ít phản ứng chéo với"}.get(
                    tier, "khác nhóm với"
                )
                yield Alert(
                    "allergy", tier, (drug if len(own) != 1 else own[0],),
                    f"{line.ingredient} {words} {allergy.substance}: hồ sơ ghi {allergy.reaction or 'dị ứng'}. Bỏ thuốc hoặc đổi khác nhóm.",
                    note, lines=(position,),
                )  # fmt: skip


def _allergy_of(
    severe: bool, classes: set[str], parts: set[str], families: set[str], own: set[str]
) -> tuple[int, str] | None:
    if own & parts:
        return 1, "hồ sơ dị ứng"
    best: tuple[int, str] | None = None
    for group in ref.allergy_groups():
        if not own & group.ingredients:
            continue
        if group.family not in families:
            continue
        tier = group.tier
        if (
            group.relation in ("identical_or_similar_R1", "same_group", "same_group_severe_cutaneous")
            and group.family == "cephalosporin"
        ):
            if group.group_id == "cephalosporins" and not severe and not classes and not _same_side_chain(parts, own):
                tier = 2
            elif group.group_id in ("ceph_methoxyimino_R1", "aztreonam") and not parts & group.ingredients:
                continue
        if (
            group.relation == "identical_or_similar_R1"
            and group.family == "penicillin"
            and not parts & group.ingredients
            and not classes
        ):
            tier = 2 if severe else 3  # another penicillin than the one with this side chain
        if (
            severe
            and tier == 3
            and group.relation in ("class_low_cross_reactivity", "low_cross_reactivity", "different_subgroup")
        ):
            tier = 2
        if best is None or tier < best[0]:
            best = (tier, group.note)
    if "beta_lactam" not in families and families & {"penicillin", "cephalosporin"}:
        for group in ref.allergy_groups():
            if group.family == "beta_lactam" and own & group.ingredients and (best is None or best[0] > group.tier):
                best = (2 if severe else group.tier, group.note)
    return best


def _same_side_chain(parts: set[str], own: set[str]) -> bool:
    return any(
        parts & group.ingredients and own & group.ingredients
        for group in ref.allergy_groups()
        if group.relation == "identical_or_similar_R1"
    )


# --- duplicates ---------------------------------------------------------------------------------------------------


def _duplicates(patient: PatientFacts, lines: Sequence[RxLine], names: Ingredients) -> Iterator[Alert]:
    own = [(component, i, ref.normal(lines[i].ingredient)) for i, parts in enumerate(names) for component in parts]
    current = [(c, None, ref.normal(d)) for d in patient.current_medicines for c in ref.components(d)]
    groups = ref.route_groups()
    systemic = ("oral", "injection", "rectal", "")
    everything: list[tuple[str, int | None, str]] = [*own, *current]
    for (a, i, whole_a), (b, j, whole_b) in combinations(everything, 2):
        if (i is None and j is None) or (i is not None and i == j):
            continue
        positions = tuple(sorted(n for n in (i, j) if n is not None))
        routes = {groups.get(lines[n].route, "oral") for n in positions}
        if a == b:
            yield Alert(
                "duplicate_therapy",
                2,
                (a,),
                f"{a}: kê hai lần cùng hoạt chất. Bỏ một dòng hoặc gộp liều.",
                "TT 26/2025 Đ4",
                lines=positions,
            )
            continue
        if not all(any(route.startswith(s) for s in systemic if s) for route in routes):
            continue
        if a in ref.nsaids() and b in ref.nsaids():
            if _low_aspirin(a, b, lines, i, j):
                continue
            if frozenset((a, b)) not in ref.interactions():
                yield Alert(
                    "duplicate_therapy",
                    2,
                    (a, b),
                    f"{a} + {b}: hai thuốc NSAID. Bỏ một thuốc.",
                    "Dược thư QG VN 2022",
                    lines=positions,
                )
            continue
        atc = ref.atc_codes()
        code_a, code_b = atc.get(a) or atc.get(whole_a, ""), atc.get(b) or atc.get(whole_b, "")
        if code_a and code_a[:5] == code_b[:5]:
            yield Alert(
                "duplicate_therapy",
                3,
                (a, b),
                f"{a} + {b}: cùng nhóm tác dụng. Cân nhắc giữ một thuốc.",
                "ATC",
                lines=positions,
            )


def _low_aspirin(a: str, b: str, lines: Sequence[RxLine], i: int | None, j: int | None) -> bool:
    for name, n in ((a, i), (b, j)):
        if name == "acetylsalicylic acid" and n is not None:
            mass = dose_mg(lines[n])
            return mass is not None and mass <= 100
    return False


# --- doses --------------------------------------------------------------------------------------------------------


def limit_for(line: RxLine, name: str, patient: PatientFacts) -> ref.DoseLimit | None:
    """Return the dose limits that fit the ingredient, the route and the age."""
    group = ref.route_groups().get(line.route, "oral")
    best = None
    for limit in ref.dose_limits().get(name, ()):
        if not group.startswith(limit.route_group[:5]) and not limit.route_group.startswith(group[:5]):
            continue
        if patient.age_months < limit.age_min_months and not (
            limit.population == "child" and limit.hard_age_min_months
        ):
            continue
        if limit.age_max_months is not None and patient.age_months > limit.age_max_months:
            continue
        if (
            limit.weight_max_kg is not None
            and patient.weight_kg is not None
            and patient.weight_kg > limit.weight_max_kg
            and limit.population == "child"
        ):
            continue
        if best is None or limit.age_min_months > best.age_min_months:
            best = limit
    return best


def per_kg(mass: Decimal, weight: Decimal) -> Decimal:
    """Return mg per kg with one decimal."""
    return (mass / weight).quantize(Decimal("0.1"))


def _vi(value: Decimal) -> str:
    return format(value.normalize(), "f").replace(".", ",")


def _doses(patient: PatientFacts, lines: Sequence[RxLine], names: Ingredients) -> Iterator[Alert]:
    daily: dict[str, list[tuple[Decimal, int, ref.DoseLimit]]] = {}
    for position, (line, parts) in enumerate(zip(lines, names, strict=True)):
        whole = ref.normal(line.ingredient)
        name = whole if whole in ref.dose_limits() else parts[0] if parts else whole
        limit = limit_for(line, name, patient)
        mass = dose_mg(line)
        if limit is None or mass is None:
            continue
        if limit.hard_age_min_months is not None and patient.age_months < limit.hard_age_min_months:
            continue  # the age alert says it already
        single = list(_single_dose(patient, position, name, limit, mass))
        yield from single
        if single:
            continue  # one alert about the dose of a line: the single dose comes first
        times = line.times_per_day or (1 if line.frequency in ("daily", "once") else 0)
        if times and line.frequency != "weekly":
            daily.setdefault(name, []).append((mass * times, position, limit))
    for name, items in daily.items():
        total = sum((mass for mass, _, _ in items), Decimal(0))
        limit = items[0][2]
        positions = tuple(position for _, position, _ in items)
        yield from _daily_dose(patient, name, limit, total, positions)


def _single_dose(
    patient: PatientFacts, position: int, name: str, limit: ref.DoseLimit, mass: Decimal
) -> Iterator[Alert]:
    weight = patient.weight_kg
    tier = limit.tier if limit.tier in (1, 2, 3) else 2
    over_kg = False
    if limit.max_mg_per_kg_dose is not None and weight and (limit.population == "child" or weight < 50):
        each = mass / weight
        if each > limit.max_mg_per_kg_dose * Decimal("1.05"):
            over_kg = True
            hard = each > 3 * limit.max_mg_per_kg_dose
            yield Alert(
                "dose_max_kg", 1 if hard else min(tier, 2), (name,),
                f"{name}: {_vi(per_kg(mass, weight))} mg/kg/lần, vượt {_vi(limit.max_mg_per_kg_dose)} mg/kg/lần "
                f"(tối đa {_vi((limit.max_mg_per_kg_dose * weight).quantize(Decimal(1)))} mg). Giảm liều hoặc đổi hàm lượng.",
                limit.source, lines=(position,),
            )  # fmt: skip
    if limit.max_mg_dose is not None and mass > limit.max_mg_dose and not over_kg:
        hard = mass > 3 * limit.max_mg_dose
        yield Alert(
            "dose_max_dose", 1 if hard else min(tier, 2), (name,),
            f"{name}: {_vi(mass)} mg/lần, tối đa {_vi(limit.max_mg_dose)} mg/lần. Giảm liều.", limit.source, lines=(position,),
        )  # fmt: skip


def _daily_dose(
    patient: PatientFacts, name: str, limit: ref.DoseLimit, total: Decimal, positions: tuple[int, ...]
) -> Iterator[Alert]:
    weight = patient.weight_kg
    caps = []
    if limit.max_mg_day is not None:
        caps.append(limit.max_mg_day)
    if limit.max_mg_per_kg_day is not None and weight and limit.population == "child":
        caps.append(limit.max_mg_per_kg_day * weight)
    if not caps:
        return
    cap = min(caps)
    if total <= cap * (Decimal("1.02") if weight and limit.population == "child" else 1):
        return
    hard = total > 3 * cap
    if name == "paracetamol" and weight and limit.population == "child" and total / weight > 90:
        hard = True
    by_weight = f" ({_vi(per_kg(total, weight))} mg/kg/ngày)" if weight and limit.population == "child" else ""
    tier = 1 if hard else min(limit.tier if limit.tier in (1, 2, 3) else 2, 2)
    yield Alert(
        "dose_max_day", tier, (name,),
        f"{name}: {_vi(total)} mg/ngày{by_weight}, tối đa {_vi(cap.quantize(Decimal(1)))} mg/ngày. Giảm liều hoặc số lần.",
        limit.source, lines=positions,
    )  # fmt: skip


def _frequency(patient: PatientFacts, lines: Sequence[RxLine], names: Ingredients) -> Iterator[Alert]:
    for position, (line, parts) in enumerate(zip(lines, names, strict=True)):
        if "methotrexate" in parts and ref.route_groups().get(line.route, "oral").startswith("oral"):
            cancer = any(code.startswith("C") for code in patient.diagnoses)
            if line.frequency != "weekly" and not cancer:
                yield Alert(
                    "frequency",
                    1,
                    ("methotrexate",),
                    "Methotrexat uống chỉ dùng mỗi tuần một lần. Đổi sang mỗi tuần và ghi thứ trong tuần.",
                    "ISMP; nhãn thuốc",
                    lines=(position,),
                )
            continue
        for name in parts:
            limit = limit_for(line, name, patient)
            if limit is None or limit.max_doses_day is None or not line.times_per_day or line.frequency != "daily":
                continue
            if line.times_per_day > limit.max_doses_day:
                yield Alert("frequency", 2 if line.times_per_day > limit.max_doses_day + 1 else 3, (name,),
                            f"{name}: {line.times_per_day} lần/ngày, tối đa {limit.max_doses_day} lần/ngày. Giảm số lần.", limit.source, lines=(position,))  # fmt: skip


def _ages(patient: PatientFacts, lines: Sequence[RxLine], names: Ingredients) -> Iterator[Alert]:
    for position, (line, parts) in enumerate(zip(lines, names, strict=True)):
        group = ref.route_groups().get(line.route, "oral")
        for name in {ref.normal(line.ingredient), *parts}:
            for limit in ref.dose_limits().get(name, ()):
                if limit.hard_age_min_months is None or patient.age_months >= limit.hard_age_min_months:
                    continue
                if not group.startswith(limit.route_group[:5]):
                    continue
                if name == "acetylsalicylic acid" and any(code.startswith("M30.3") for code in patient.diagnoses):
                    continue
                years = limit.hard_age_min_months // 12
                age = f"{years} tuổi" if limit.hard_age_min_months >= 24 else f"{limit.hard_age_min_months} tháng"
                yield Alert("age_contraindication", limit.tier if limit.tier in (1, 2, 3) else 2, (name,),
                            f"{name}: không dùng cho trẻ dưới {age}. Đổi thuốc khác.", limit.source, lines=(position,))  # fmt: skip


def _caution(
    rule: str, value: int | None, patient: PatientFacts, lines: Sequence[RxLine], names: Ingredients
) -> Iterator[Alert]:
    for position, (line, parts) in enumerate(zip(lines, names, strict=True)):
        for name in {ref.normal(line.ingredient), *parts}:
            for caution in ref.cautions().get(name, ()):
                if caution.rule != rule:
                    continue
                if value is not None and caution.low is not None and value < caution.low:
                    continue
                if value is not None and caution.high is not None and value > caution.high:
                    continue
                if caution.prefixes and not any(code.startswith(caution.prefixes) for code in patient.diagnoses):
                    continue
                yield Alert(
                    rule,
                    caution.tier,
                    (name,),
                    f"{name}: {caution.message}. Đổi thuốc khác.",
                    caution.source,
                    lines=(position,),
                )


def _pregnancy(patient: PatientFacts, lines: Sequence[RxLine], names: Ingredients) -> Iterator[Alert]:
    if patient.pregnant_weeks is not None:
        yield from _caution("pregnancy", patient.pregnant_weeks, patient, lines, names)


def _lactation(patient: PatientFacts, lines: Sequence[RxLine], names: Ingredients) -> Iterator[Alert]:
    if patient.lactating:
        yield from _caution("lactation", None, patient, lines, names)


def _renal(patient: PatientFacts, lines: Sequence[RxLine], names: Ingredients) -> Iterator[Alert]:
    if patient.egfr is not None:
        yield from _caution("renal", int(patient.egfr), patient, lines, names)


def _diseases(patient: PatientFacts, lines: Sequence[RxLine], names: Ingredients) -> Iterator[Alert]:
    yield from _caution("disease_contraindication", None, patient, lines, names)


# --- quantity and law ---------------------------------------------------------------------------------------------


def _quantity(_patient: PatientFacts, lines: Sequence[RxLine], _names: Ingredients) -> Iterator[Alert]:
    for position, line in enumerate(lines):
        amount = dose_amount(line)
        if amount is None or line.quantity is None or not line.days:
            continue
        if line.frequency == "weekly":
            needed = amount * ((line.days + 6) // 7)
        elif line.times_per_day and line.frequency == "daily":
            needed = amount * line.times_per_day * line.days
        else:
            continue
        if line.dose.strip().lower().split(" ")[-1] in ("nhát", "giọt", "xịt"):
            continue
        rounded = needed.to_integral_value(rounding="ROUND_CEILING")
        if line.quantity not in (needed, rounded):
            yield Alert("quantity_mismatch", 2, (ref.normal(line.ingredient),),
                        f"{line.ingredient}: số lượng {_vi(line.quantity)} khác liều × lần × ngày = {_vi(rounded)}. Sửa số lượng hoặc liều.",
                        "TT 26/2025 Đ6", lines=(position,))  # fmt: skip


def control_letter(line: RxLine) -> str:
    """Return the legal form of a product: N, H or C (TT 18/2026 PL VII: combinations at or below the limit are ordinary)."""
    if line.control_class:
        return {"N": "N", "H": "H"}.get(line.control_class, "C")
    parts = ref.components(line.ingredient)
    listed = [(part, ref.controlled()[part]) for part in parts if part in ref.controlled()]
    if not listed:
        return "C"
    if len(parts) == 1:
        return listed[0][1].letter or "C"
    strengths = [mg_per_unit(piece) for piece in line.strength.replace("/", "+").split("+")]
    for part, item in listed:
        index = parts.index(part)
        mass = strengths[index] if index < len(strengths) else None
        if item.limit_mg is None or (mass is not None and mass > item.limit_mg):
            return item.letter or "C"
    return "C"


def _is_cancer(patient: PatientFacts) -> bool:
    return any(code.startswith(("C", "D0")) for code in patient.diagnoses)


def _days(patient: PatientFacts, lines: Sequence[RxLine], _names: Ingredients) -> Iterator[Alert]:
    acute = patient.context.get("acute")
    for position, line in enumerate(lines):
        if not line.days:
            continue
        letter = control_letter(line)
        name = ref.components(line.ingredient)[0] if ref.components(line.ingredient) else line.ingredient
        if letter == "N":
            limit = 30 if _is_cancer(patient) else 7
        elif letter == "H":
            long_term = acute is False or (
                acute is None
                and any(
                    code.startswith(("F", "G40", "G41")) or ref.allows_long(code) > 30 for code in patient.diagnoses
                )
            )
            limit = 30 if long_term else 10
        else:
            codes = (line.diagnosis,) if line.diagnosis else patient.diagnoses
            limit = max((ref.allows_long(code) for code in codes), default=30)
        if line.days > limit:
            yield Alert("max_days", 1, (name,), f"{line.ingredient}: {line.days} ngày, tối đa {limit} ngày với chẩn đoán này. Giảm số ngày.",
                        "TT 26/2025/TT-BYT Đ6 k8, PL VII", limit=limit, lines=(position,))  # fmt: skip


def _identity(patient: PatientFacts, lines: Sequence[RxLine], _names: Ingredients) -> Iterator[Alert]:
    if lines and not patient.diagnoses:
        yield Alert(
            "diagnosis_missing",
            1,
            ("diagnosis",),
            "Chưa có chẩn đoán. Chọn mã ICD-10 trước khi kê đơn.",
            "TT 26/2025 Đ6",
        )
    if patient.age_months < 72 and lines:
        if patient.weight_kg is None:
            yield Alert(
                "child_under_72_months_fields",
                1,
                ("weight_kg",),
                "Trẻ dưới 72 tháng chưa có cân nặng. Cân rồi nhập.",
                "TT 26/2025 Đ6 k4",
            )
        if not patient.guardian_name.strip():
            yield Alert(
                "child_under_72_months_fields",
                1,
                ("guardian_name",),
                "Trẻ dưới 72 tháng chưa có tên người đưa trẻ đến khám. Nhập tên.",
                "TT 26/2025 Đ6 k4",
            )
    for position, line in enumerate(lines):
        if not line.is_medicine:
            yield Alert(
                "not_a_medicine",
                1,
                (line.ingredient.lower(),),
                f"{line.ingredient}: thực phẩm chức năng, mỹ phẩm không được ghi trong đơn. Bỏ dòng này.",
                "Luật KCB 15/2023 Đ62",
                lines=(position,),
            )


def _forms(patient: PatientFacts, lines: Sequence[RxLine], _names: Ingredients) -> Iterator[Alert]:
    context = patient.context
    letters = [control_letter(line) for line in lines]
    kinds = set(letters)
    wanted = context.get("form") or context.get("form_class")
    for position, (line, letter) in enumerate(zip(lines, letters, strict=True)):
        chosen = line.form_class or wanted
        name = (ref.components(line.ingredient) or (line.ingredient,))[0]
        if chosen and letter != chosen and len(kinds) == 1:
            yield Alert(
                "form_class",
                1,
                (name,),
                f"{line.ingredient}: phải kê trên đơn «{letter}». Chọn đúng mẫu đơn.",
                "TT 26/2025 Đ7, Đ9",
                lines=(position,),
            )
        if letter != "N":
            continue
        if context.get("facility_has_beds") is False:
            yield Alert(
                "narcotic_facility",
                1,
                (name,),
                f"{line.ingredient}: cơ sở không có giường bệnh không được kê thuốc gây nghiện.",
                "TT 26/2025 Đ7 k1",
                lines=(position,),
            )
        if context.get("commitment_signed") is False:
            yield Alert(
                "narcotic_commitment",
                1,
                (name,),
                f"{line.ingredient}: chưa có cam kết sử dụng thuốc gây nghiện. In và ký cam kết.",
                "TT 26/2025 PL IV",
                lines=(position,),
            )
        periods = context.get("periods")
        if line.days and line.days > 10 and _is_cancer(patient) and not _good_periods(periods):
            yield Alert(
                "narcotic_periods",
                1,
                (name,),
                f"{line.ingredient}: trên 10 ngày phải chia tối đa 3 đợt liên tiếp, mỗi đợt tối đa 10 ngày, ghi rõ ngày.",
                "TT 26/2025 Đ8",
                lines=(position,),
            )
    if len(kinds) > 1 and not wanted:
        special = tuple(
            (ref.components(line.ingredient) or (line.ingredient,))[0]
            for line, letter in zip(lines, letters, strict=True)
            if letter != "C"
        )
        yield Alert("split_by_control_class", 0, special, "Thuốc gây nghiện, hướng thần được tách sang đơn riêng.", "TT 26/2025 Đ7, Đ9",
                    lines=tuple(i for i, letter in enumerate(letters) if letter != "C"))  # fmt: skip


def _good_periods(periods: Any) -> bool:
    if not isinstance(periods, Sequence) or isinstance(periods, str) or not 1 <= len(periods) <= 3:
        return False
    return all((p.get("days", 10) if isinstance(p, Mapping) else int(p)) <= 10 for p in periods)
