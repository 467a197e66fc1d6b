"""Trying the checks on files of cases (format of ``prescriptions/cases.json``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from his.prescriptions.rules import reference as ref
from his.prescriptions.rules.checks import BUILT, check_prescription
from his.prescriptions.rules.values import Alert, AllergyFacts, PatientFacts, RxLine


class BadCase(ValueError):
    """A case that cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """What came, what was missing or too much, and rules that are not built."""

    case_id: str
    title: str
    expected: tuple[str, ...]
    actual: tuple[str, ...]
    differences: tuple[str, ...]
    not_built: tuple[str, ...]


def read_cases(path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the cases and the defaults of a file. Raises `BadCase`."""
    try:
        data = json.loads(path.read_text("utf-8"))
        return list(data["cases"]), dict(data.get("defaults", {}))
    except (ValueError, KeyError, TypeError) as error:
        raise BadCase(
            f"{path.name} không đúng mẫu cases.json ({type(error).__name__}). Sửa tệp rồi chạy lại."
        ) from error


def _decimal(value: Any, what: str) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise BadCase(f"{what}: «{value}» không phải số.") from None


def _patient(case: Mapping[str, Any], defaults: Mapping[str, Any]) -> PatientFacts:
    patient = case.get("patient", {})
    context = dict(case.get("context", {}))
    if patient.get("age_months") is not None:
        months = int(patient["age_months"])
    elif patient.get("age_years") is not None:
        months = int(Decimal(str(patient["age_years"])) * 12)
    elif patient.get("age_days") is not None:
        months = int(patient["age_days"]) // 30
    else:
        raise BadCase("patient: cần age_months, age_years hoặc age_days.")
    allergies = tuple(
        AllergyFacts(str(a["substance"]), str(a.get("reaction", "")), str(a.get("severity", "")))
        for a in case.get("allergies", [])
    )
    status = (
        patient.get("allergy_status")
        or context.get("allergy_status")
        or case.get("allergy_status")
        or defaults.get("allergy_status", "none_known")
    )
    guardian = context.get(
        "guardian_name", patient.get("guardian_name", case.get("guardian_name", defaults.get("guardian_name", "x")))
    )
    current = tuple(str(m["ingredient"] if isinstance(m, Mapping) else m) for m in case.get("current_medicines", []))
    days = patient.get("age_days")
    return PatientFacts(
        age_months=months, age_days=int(days) if days is not None else None,
        weight_kg=_decimal(patient.get("weight_kg"), "weight_kg"), sex=str(patient.get("sex", "")),
        pregnant_weeks=patient.get("pregnant_weeks", context.get("pregnant_weeks")),
        lactating=bool(patient.get("lactating") or patient.get("breastfeeding") or context.get("lactating")),
        egfr=_decimal(patient.get("egfr", context.get("egfr")), "egfr"), allergy_status=str(status), allergies=allergies,
        diagnoses=tuple(case.get("diagnoses", [])), current_medicines=current,
        guardian_name=str(guardian or ""), context=context,
    )  # fmt: skip


def _line(row: Mapping[str, Any]) -> RxLine:
    if "ingredient" not in row:
        raise BadCase("prescription: mỗi dòng cần ingredient.")
    return RxLine(
        ingredient=str(row["ingredient"]), strength=str(row.get("strength", "")), route=str(row.get("route", "1.01")),
        dose=str(row.get("dose", "")), times_per_day=row.get("times_per_day"), days=row.get("days"),
        quantity=_decimal(row.get("quantity"), "quantity"), frequency=str(row.get("frequency", "daily")),
        form_class=str(row.get("form", row.get("form_class", ""))), diagnosis=str(row.get("diagnosis", "")),
        is_medicine=not (row.get("not_a_medicine") or row.get("kind") in ("food_supplement", "supplement", "cosmetic", "device")),
    )  # fmt: skip


def _matches(expected: Mapping[str, Any], alert: Alert) -> bool:
    tiers = {expected["tier"]}
    if "or_tier" in expected:
        tiers |= set(expected["or_tier"]) if isinstance(expected["or_tier"], list) else {expected["or_tier"]}
    about = {ref.normal(str(a)) for a in expected.get("about", [])}
    said = {ref.normal(a) for a in alert.about}
    parts = {part for a in said for part in ref.components(a)} | said
    if alert.rule != expected["rule"] or alert.tier not in tiers:
        return False
    if about and not (about == said or about <= parts or said <= {p for a in about for p in ref.components(a)} | about):
        return False
    return "limit" not in expected or alert.limit == expected["limit"]


def run_case(case: Mapping[str, Any], defaults: Mapping[str, Any]) -> CaseOutcome:
    """Run one case: every expected alert must come, and no other of tier 1 or 2. Raises `BadCase`."""
    lines = [_line(row) for row in case.get("prescription", [])]
    alerts = check_prescription(_patient(case, defaults), lines)
    expected = list(case.get("expected", []))
    not_built = tuple(sorted({e["rule"] for e in expected if e["rule"] not in BUILT}))
    differences = []
    used: set[int] = set()
    for wanted in expected:
        if wanted["rule"] not in BUILT:
            continue
        hit = next((i for i, alert in enumerate(alerts) if _matches(wanted, alert)), None)
        if hit is not None:
            used.add(hit)
        elif not wanted.get("optional"):
            differences.append(f"thiếu {wanted['rule']} mức {wanted['tier']} về {', '.join(wanted.get('about', []))}")
    for i, alert in enumerate(alerts):
        if i not in used and alert.tier in (1, 2):
            differences.append(f"thừa {alert.rule} mức {alert.tier} về {', '.join(alert.about)}")
    return CaseOutcome(
        str(case.get("id", "?")), str(case.get("title", "")),
        tuple(f"{e['rule']}/{e['tier']}" for e in expected), tuple(f"{a.rule}/{a.tier}/{'+'.join(a.about)}" for a in alerts),
        tuple(differences), not_built,
    )  # fmt: skip
