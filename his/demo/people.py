"""Invented people of the demo hospital, and the texts a scanner reads from their cards.

Those with a card are the people the stand-in of the insurer's portal knows (`his/gateways/standin/people.json`), so
that a card check answers; the others have no insurance.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from importlib.resources import files

CARD_MADE_ON = "10062021"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One invented person. ``card`` is "" without insurance; days as the card says them."""

    name: str
    birth_on: date
    sex: str
    personal_number: str
    address: str
    phone: str
    card: str = ""
    registered: str = ""
    card_from: date | None = None
    card_to: date | None = None
    five_years_on: date | None = None
    guardian: str = ""


def _day(text: str) -> date:
    return datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007 - a calendar day, no time


@lru_cache(maxsize=1)
def known_to_insurer() -> tuple[DemoPerson, ...]:
    """Return the people of the stand-in portal in their order."""
    rows = json.loads(files("his.gateways.standin").joinpath("people.json").read_text("utf-8"))
    return tuple(
        DemoPerson(
            row["name"], _day(row["birth"]), row["sex"], row["national_id"], row["address"], row["phone"], row["card"],
            row["registered"], _day(row["from"]) if row["card"] else None, _day(row["to"]) if row["card"] else None,
            _day(row["five_years"]) if row.get("five_years") else None, row.get("guardian", ""),
        )
        for row in rows
    )  # fmt: skip


def person(name: str) -> DemoPerson:
    """Return a person of the stand-in portal by name."""
    return next(p for p in known_to_insurer() if p.name == name)


def id_card_text(who: DemoPerson) -> str:
    """Return the QR text of a chip identity card (seven fields, ``|`` between; interop standard §2.2)."""
    sex = "Nữ" if who.sex == "F" else "Nam"
    return f"{who.personal_number}||{who.name}|{who.birth_on:%d%m%Y}|{sex}|{who.address}|{CARD_MADE_ON}"


def insurance_card_text(who: DemoPerson) -> str:
    """Return the QR text of a health insurance card (name and address as UTF-8 in hexadecimal, ``$`` at the end)."""
    if who.card_from is None or who.card_to is None:
        raise ValueError(f"{who.name} has no insurance card")
    facility = f"{who.registered[:2]} - {who.registered[2:]}"
    five = f"{who.five_years_on:%d/%m/%Y}" if who.five_years_on else "-"
    parts = (
        who.card, who.name.encode().hex(), f"{who.birth_on:%d/%m/%Y}", "2" if who.sex == "F" else "1",
        who.address.encode().hex(), facility, f"{who.card_from:%d/%m/%Y}", f"{who.card_to:%d/%m/%Y}",
        f"{who.card_from:%d/%m/%Y}", "7900000000000001", "-", who.card[2:3], five, "1a2b3c4d5e6f7081-7102", "$",
    )  # fmt: skip
    return "|".join(parts)


@dataclass(frozen=True, slots=True)
class TrialCard:
    """A card to try the journey with: who it is, what to look at, and what to scan or paste."""

    title: str
    person: DemoPerson
    text: str


def trial_cards() -> tuple[TrialCard, ...]:
    """Return the three patients of the journey by hand, and two who make the desk think."""
    returning, adult, uninsured = person("Nguyễn Gia Khôi"), person("Đỗ Minh Khôi"), person("Lý Thanh Hương")
    new_child, replaced = person("Võ Đức Hưng"), person("Vũ Minh Phúc")
    return (
        TrialCard("Trẻ dưới 6 tuổi có thẻ, đã khám ở đây (hưởng 100%)", returning, insurance_card_text(returning)),
        TrialCard("Người lớn có thẻ, đúng nơi đăng ký (hưởng 80%)", adult, id_card_text(adult)),
        TrialCard("Không có bảo hiểm y tế", uninsured, id_card_text(uninsured)),
        TrialCard("Trẻ có thẻ, đến lần đầu", new_child, insurance_card_text(new_child)),
        TrialCard("Chỉ gõ số định danh", replaced, replaced.personal_number),
    )
