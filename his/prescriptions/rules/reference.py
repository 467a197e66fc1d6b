"""The dated data behind the checks, read once from packaged files (QĐ 5948/QĐ-BYT, TT 18/2026, TT 26/2025 PL VII …).

Dose limits, allergy groups and cautions are our words from labels and Dược thư: clinical sign-off before live use.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files

RULESET_VERSION = "2026-11-23"
SYNONYMS = {
    "acetaminophen": "paracetamol", "aspirin": "acetylsalicylic acid", "co-trimoxazole": "sulfamethoxazole/trimethoprim",
    "cotrimoxazole": "sulfamethoxazole/trimethoprim", "amoxicillin/clavulanate": "amoxicillin/clavulanic acid",
    "co-amoxiclav": "amoxicillin/clavulanic acid", "acyclovir": "aciclovir", "cephalexin": "cefalexin",
    "valproate": "valproic acid", "sodium valproate": "valproic acid", "natri valproat": "valproic acid",
    "albuterol": "salbutamol", "adrenaline": "epinephrine", "lignocaine": "lidocaine", "frusemide": "furosemide",
    "chlorpheniramine": "chlorphenamine", "amoxicilin": "amoxicillin", "penicillin": "benzylpenicillin",
    "penicillin g": "benzylpenicillin", "penicilin": "benzylpenicillin", "iron": "ferrous fumarate",
}  # fmt: skip
SALTS = (
    "hydrochloride", "hydroclorid", "hydrochlorid", "trihydrat", "monohydrat", "dihydrat", "maleat", "sulfat", "besilat", "besylat",
    "mesilat", "tartrat", "succinat", "phosphat", "acetat", "citrat", "fumarat", "bromid", "hydrobromid", "clorid", "hydrobromide", "sodium", "natri", "potassium", "kali", "sulfate", "sulphate",
    "maleate", "besylate", "mesylate", "tartrate", "succinate", "phosphate", "acetate", "citrate", "fumarate",
    "trihydrate", "monohydrate", "dihydrate", "dihydrochloride", "magnesium", "calcium", "axetil", "proxetil", "medoxomil",
)  # fmt: skip


def _table(name: str) -> list[dict[str, str]]:
    with files("his.prescriptions").joinpath(f"data/{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@lru_cache(maxsize=1)
def known() -> frozenset[str]:
    """Return every ingredient name the data speaks of."""
    names = {row["inn"].lower() for row in _table("ingredients")}
    names |= {row["ingredient"].lower() for row in _table("dose_limits")}
    for row in _table("interactions"):
        names |= {row["ingredient_a"].lower(), row["ingredient_b"].lower()}
    for row in _table("allergy_groups"):
        names |= {part.strip().lower() for part in row["ingredients"].split(";")}
    return frozenset(names)


@lru_cache(maxsize=1)
def aliases() -> dict[str, str]:
    """Return Vietnamese spellings, brand-like common names and official spellings -> the name used by the data."""
    return {row["alias"].lower(): row["ingredient"].lower() for row in _table("ingredient_names")} | SYNONYMS


@lru_cache(maxsize=4096)
def normal(name: str) -> str:
    """Return an ingredient name in the form of the data: lower case, synonyms resolved, salts dropped when unknown."""
    text = re.sub(r"\s*\+\s*", "/", re.sub(r"\s+", " ", name.strip().lower()))
    text = re.sub(r"\s*/\s*", "/", text)
    text = aliases().get(text, text)
    if text in known():
        return text
    return "/".join(_one(part) for part in text.split("/"))


def _one(part: str) -> str:
    """Return one ingredient under the data's name: as it is, by another name, or without its salt."""
    inns, names = known(), aliases()
    part = names.get(part, part)
    if part not in inns:
        # Vietnamese spelling drops the last letter and doubles none: sulfadiazin, ampicilin.
        plain = part.replace("cilin", "cillin")
        part = next((guess for guess in (plain, f"{part}e", f"{plain}e") if guess in inns), part)
    words = part.split(" ")
    while part not in inns and len(words) > 1:
        if words[-1] in SALTS:
            words = words[:-1]
        elif words[0] in SALTS:
            words = words[1:]
        else:
            break
        part = names.get(" ".join(words), " ".join(words))
    return part


def components(name: str) -> tuple[str, ...]:
    """Return the single ingredients of a product (``ferrous fumarate/folic acid`` -> two)."""
    return tuple(part for part in normal(name).split("/") if part)


@dataclass(frozen=True, slots=True)
class Interaction:
    """A pair that does not go together."""

    a: str
    b: str
    severity: str
    condition: str
    tier: int
    consequence: str
    management: str
    source: str
    name_a: str
    name_b: str


@lru_cache(maxsize=1)
def interactions() -> dict[frozenset[str], tuple[Interaction, ...]]:
    """Return the pairs by their two names (a side may be a fixed combination, ``lopinavir/ritonavir``)."""
    found: dict[frozenset[str], list[Interaction]] = {}
    for row in _table("interactions"):
        item = Interaction(
            normal(row["ingredient_a"]), normal(row["ingredient_b"]), row["severity"], row["condition"],
            int(row["tier"]), row["consequence"], row["management"], row["source"], row["name_vi_a"], row["name_vi_b"],
        )  # fmt: skip
        found.setdefault(frozenset((item.a, item.b)), []).append(item)
    return {pair: tuple(items) for pair, items in found.items()}


@dataclass(frozen=True, slots=True)
class Side:
    """An interaction seen from one of its two sides; both sides are sets of ingredients that must all be there."""

    own: frozenset[str]
    other: frozenset[str]
    item: Interaction


@lru_cache(maxsize=1)
def interaction_sides() -> dict[str, tuple[Side, ...]]:
    """Return, by ingredient, the interactions it takes part in."""
    found: dict[str, list[Side]] = {}
    for items in interactions().values():
        for item in items:
            a, b = frozenset(components(item.a)), frozenset(components(item.b))
            for own, other in ((a, b), (b, a)):
                found.setdefault(min(own), []).append(Side(own, other, item))
    return {name: tuple(sides) for name, sides in found.items()}


@dataclass(frozen=True, slots=True)
class AllergyGroup:
    """Medicines that share an allergen, with the tier of an alert."""

    group_id: str
    family: str
    ingredients: frozenset[str]
    tier: int
    relation: str
    note: str


@lru_cache(maxsize=1)
def allergy_groups() -> tuple[AllergyGroup, ...]:
    """Return the allergy groups."""

    def members(text: str) -> frozenset[str]:
        names = {normal(part) for part in text.split(";") if part.strip()}
        # The allergen of a fixed combination is its first ingredient (sulfamethoxazole/trimethoprim).
        return frozenset(names | {components(name)[0] for name in names if "/" in name})

    return tuple(
        AllergyGroup(
            row["group_id"], row["allergen_family"], members(row["ingredients"]),
            int(row["tier"]), row["relation"], row["note"],
        )
        for row in _table("allergy_groups")
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class DoseLimit:
    """Dose limits of one ingredient, route group and age band; amounts in mg."""

    ingredient: str
    route_group: str
    population: str
    age_min_months: int
    age_max_months: int | None
    weight_min_kg: Decimal | None
    weight_max_kg: Decimal | None
    min_mg_per_kg_dose: Decimal | None
    max_mg_per_kg_dose: Decimal | None
    max_mg_per_kg_day: Decimal | None
    max_mg_dose: Decimal | None
    max_mg_day: Decimal | None
    max_doses_day: int | None
    hard_age_min_months: int | None
    tier: int
    note: str
    source: str


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None


@lru_cache(maxsize=1)
def dose_limits() -> dict[str, tuple[DoseLimit, ...]]:
    """Return the limits by ingredient."""
    found: dict[str, list[DoseLimit]] = {}
    for row in _table("dose_limits"):
        item = DoseLimit(
            normal(row["ingredient"]), row["route_group"], row["population"], int(row["age_min_months"] or 0),
            int(row["age_max_months"]) if row["age_max_months"] else None, _number(row["weight_min_kg"]),
            _number(row["weight_max_kg"]), _number(row["min_mg_per_kg_dose"]), _number(row["max_mg_per_kg_dose"]), _number(row["max_mg_per_kg_day"]),
            _number(row["max_mg_dose"]), _number(row["max_mg_day"]),
            int(row["max_doses_day"]) if row["max_doses_day"] else None,
            int(row["hard_age_min_months"]) if row["hard_age_min_months"] else None, int(row["alert_tier"] or 2),
            row["note"], row["source"],
        )  # fmt: skip
        found.setdefault(item.ingredient, []).append(item)
    return {name: tuple(items) for name, items in found.items()}


@dataclass(frozen=True, slots=True)
class Controlled:
    """A controlled substance (TT 18/2026) with the content below which a combination counts as ordinary."""

    name: str
    letter: str
    kind: str
    limit_mg: Decimal | None


@lru_cache(maxsize=1)
def controlled() -> dict[str, Controlled]:
    """Return controlled substances by every printed and other name."""
    found: dict[str, Controlled] = {}
    for row in _table("controlled_substances"):
        item = Controlled(
            row["name_printed"].lower(), row["form_letter"], row["kind"], _number(row["combination_limit_mg_per_unit"])
        )
        for name in [row["name_printed"], *row["also_known_as"].split(";")]:
            if name.strip():
                found[normal(name)] = item
    return found


@dataclass(frozen=True, slots=True)
class LongDisease:
    """A disease for which a prescription may last longer than 30 days (TT 26/2025 PL VII)."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]
    max_days: int


@lru_cache(maxsize=1)
def long_diseases() -> tuple[LongDisease, ...]:
    """Return PL VII."""

    def codes(text: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in text.split(";") if part.strip())

    return tuple(
        LongDisease(codes(row["icd10_include"]), codes(row["icd10_exclude"]), int(row["max_days"] or 90))
        for row in _table("chronic_diseases_over_30_days")
        if row["icd10_include"].strip()
    )


def allows_long(icd: str) -> int:
    """Return the days a diagnosis allows: 90 when PL VII names it (or a longer code under a printed 3-character one)."""
    for row in long_diseases():
        if any(
            icd == code or icd.startswith(code + ".") or (len(code) == 3 and icd.startswith(code))
            for code in row.include
        ):
            if any(icd.startswith(code) for code in row.exclude):
                continue
            return row.max_days
    return 30


@dataclass(frozen=True, slots=True)
class Caution:
    """A pregnancy, lactation, kidney or disease caution."""

    rule: str
    tier: int
    low: int | None
    high: int | None
    prefixes: tuple[str, ...]
    message: str
    source: str


@lru_cache(maxsize=1)
def cautions() -> dict[str, tuple[Caution, ...]]:
    """Return cautions by ingredient."""
    found: dict[str, list[Caution]] = {}
    for row in _table("cautions"):
        found.setdefault(normal(row["ingredient"]), []).append(
            Caution(
                row["rule"],
                int(row["tier"]),
                int(row["from_value"]) if row["from_value"] else None,
                int(row["to_value"]) if row["to_value"] else None,
                tuple(p for p in row["prefixes"].split(";") if p),
                row["message"],
                row["source"],
            )
        )
    return {name: tuple(items) for name, items in found.items()}


@lru_cache(maxsize=1)
def atc_codes() -> dict[str, str]:
    """Return the ATC code of an ingredient or combination."""
    return {normal(row["inn"]): row["atc"] for row in _table("ingredients") if row["atc"]}


# The code list calls them insertion; what is given this way acts in the whole body and has dose limits of its own.
RECTAL = ("4.02", "4.03", "4.06")


@lru_cache(maxsize=1)
def route_groups() -> dict[str, str]:
    """Return the group of a route code: oral, rectal, injection, inhalation, topical and others."""
    return {row["code"]: "rectal" if row["code"] in RECTAL else row["group"] for row in _table("routes")}


@lru_cache(maxsize=1)
def nsaids() -> frozenset[str]:
    """Return the COX-1 inhibitors and coxibs."""
    names: set[str] = set()
    for group in allergy_groups():
        if group.group_id in ("nsaids", "coxibs_from_nsaid"):
            names |= group.ingredients
    return frozenset(names)
