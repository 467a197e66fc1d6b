"""Ingredient names in one form: lower case INN, Vietnamese and other spellings resolved, salts dropped.

Known names are those of the packaged data; an unknown name is returned tidied, never refused.
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from importlib.resources import files

SALTS = frozenset(
    "hydrochloride hydroclorid hydrochlorid hydroclodrid hcl hydrobromide hydrobromid bromide bromid sodium natri potassium kali "
    "sulfate sulphate sulfat maleate maleat besylate besilate besilat mesylate mesilate mesilat tartrate tartrat bitartrate "
    "succinate succinat phosphate phosphat acetate acetat citrate citrat fumarate fumarat nitrate nitrat lactate lactat "
    "trihydrate trihydrat monohydrate monohydrat dihydrate dihydrat hemihydrate hemihydrat anhydrous khan dihydrochloride dihydroclorid "
    "magnesium magnesi calcium calci zinc axetil proxetil pivoxil stearate stearat ethylsuccinate ethylsuccinat estolate estolat "
    "erbumine erbumin arginine arginin embonate embonat pamoate pamoat xinafoate xinafoat propionate propionat valerate valerat "
    "furoate furoat dipropionate dipropionat disoproxil tromethamine tromethamin camphosulfonate camphosulfonat base".split()
)


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of a packaged table."""
    with files("his.prescriptions").joinpath(f"data/{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@lru_cache(maxsize=1)
def aliases() -> dict[str, str]:
    """Return other spellings of ingredients."""
    return {row["alias"]: row["ingredient"] for row in table("ingredient_names")}


@lru_cache(maxsize=1)
def known() -> frozenset[str]:
    """Return every name the data uses, combinations as written and each part of them."""
    names: set[str] = set()
    for file, columns in (
        ("ingredients", ("inn",)), ("dose_limits", ("ingredient",)), ("cautions", ("ingredient",)),
        ("interactions", ("ingredient_a", "ingredient_b")), ("ingredient_names", ("ingredient",)),
    ):  # fmt: skip
        for row in table(file):
            names.update(row[column].lower() for column in columns)
    for row in table("allergy_groups"):
        names.update(part.strip().lower() for part in row["ingredients"].split(";"))
    for row in table("controlled_substances"):
        for text in (row["name_printed"], row["also_known_as"]):
            names.update(part.strip().lower() for part in re.split(r"[;/]", text) if part.strip())
    return frozenset(names | {part for name in names for part in name.split("/")} - {""})


@lru_cache(maxsize=1)
def _combinations() -> dict[frozenset[str], str]:
    return {frozenset(name.split("/")): name for name in known() if "/" in name}


def _spellings(text: str) -> list[str]:
    """Return what a Vietnamese or older spelling may stand for: ``acid mefenamic``, ``omeprazol``, ``clorpromazin``."""
    found = [text]
    if text.startswith("acid "):
        found.append(f"{text[5:]} acid")
    found += [one + "e" for one in list(found)]
    found += [re.sub(r"cl(?=o)", "chl", one) for one in list(found)]
    found += [re.sub(r"cilin\b", "cillin", one) for one in list(found)]
    return found


def _single(part: str) -> str:
    """Return one ingredient in the form of the data."""
    for candidate in _spellings(part):
        resolved = aliases().get(candidate, candidate)
        if resolved in known():
            return resolved
    words = part.split(" ")
    for cut in range(1, len(words)):
        for rest in (words[:-cut], words[cut:]):
            if all(word in SALTS for word in (words[len(rest) :] if rest == words[: len(rest)] else words[:cut])):
                for candidate in _spellings(" ".join(rest)):
                    resolved = aliases().get(candidate, candidate)
                    if resolved in known():
                        return resolved
    while len(words) > 1 and words[-1] in SALTS:
        words.pop()
    return aliases().get(" ".join(words), " ".join(words))


@lru_cache(maxsize=8192)
def components(name: str) -> tuple[str, ...]:
    """Return the single ingredients of a product, in the order written (``ferrous fumarate/folic acid`` -> two)."""
    text = name.replace("\u2013", "-").strip().lower()
    text = re.sub(r"\((?:dưới dạng|as|tương đương|equivalent)[^()]*(?:\([^()]*\)[^()]*)*\)", " ", text)
    text = re.sub(r"\s+", " ", re.sub(r"\s*(?:\+|/|;|\bvà\b|\band\b)\s*", "/", text)).strip(" /")
    text = aliases().get(text, text)
    parts: list[str] = []
    for part in text.split("/"):
        for piece in _single(part.strip()).split("/"):
            if piece and piece not in parts:
                parts.append(piece)
    return tuple(parts)


@lru_cache(maxsize=8192)
def normal(name: str) -> str:
    """Return an ingredient or combination in the form of the data, whatever the order its parts are written in."""
    parts = components(name)
    return parts[0] if len(parts) == 1 else _combinations().get(frozenset(parts), "/".join(parts))
