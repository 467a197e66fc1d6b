"""Patient search at 100,000 patients, beside one keyed read and one indexed prefix read of the same run."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select, text

from bench.measure import Figure, Record, p50_p95, times
from his.core import search
from his.core.db import db, session
from his.records import queries
from his.records.models import Patient

ASKED, WARM = 150, 5

def run(record: Record, database: str, count: int) -> None:
    """Measure each way of asking."""
    rng = random.Random(7)
    ids = list(session().execute(select(Patient.patient_id).limit(20000)).scalars())
    picked = rng.sample(ids, 200)
    patients = [session().get(Patient, i) for i in picked]
    group = f"search {database}"

    def keyed() -> None:
        session().expunge_all()
        session().execute(select(Patient).where(Patient.patient_id == rng.choice(picked))).scalar_one()

    floor = p50_p95(times(keyed, 300, 20))
    record.add(Figure(group, "floor: one keyed ORM read", *floor))
    asks = {
        "full name without accents": lambda p: search.fold(p.full_name),
        "words in another order": lambda p: " ".join(reversed(search.fold(p.full_name).split())),
        "two words and birth year": lambda p: f"{' '.join(search.fold(p.full_name).split()[-2:])} {p.birth_on.year}",
        "family name and unfinished given name": lambda p: f"{search.fold(p.full_name).split()[0]} {search.fold(p.full_name).split()[-1][:2]}",
        "one letter wrong": lambda p: _typo(search.fold(p.full_name), rng),
        "initials": lambda p: search.initials(p.full_name),
        "phone": lambda p: p.phone,
        "hospital code": lambda p: p.code,
    }
    for name, make in asks.items():
        figures, found = _ask(make, rng.choices(patients, k=ASKED + WARM))
        record.add(Figure(group, name, *figures, floor="keyed read", ratio=figures[0] / floor[0],
                          note=f"{count:,} patients; wanted person among the 12: {found:.0%}"))  # fmt: skip


def _ask(make: Callable[[Any], str], wanted: Sequence[Any]) -> tuple[tuple[float, float], float]:
    """Ask for each person in turn; returns (p50, p95) and the share found."""
    order = iter(wanted)
    found = 0

    def ask() -> None:
        nonlocal found
        person = next(order)
        session().expunge_all()
        hits = queries.find(make(person))
        found += any(hit.patient_id == person.patient_id for hit in hits)

    return p50_p95(times(ask, ASKED, WARM)), found / len(wanted)


def _typo(name: str, rng: random.Random) -> str:
    words = name.split()
    longest = max(range(len(words)), key=lambda i: len(words[i]))
    word = words[longest]
    at = rng.randrange(1, len(word)) if len(word) > 1 else 0
    words[longest] = word[:at] + word[at + 1 :] if len(word) > 3 else word
    return " ".join(words)


def analyse() -> None:
    """Let the database know its own sizes (a hospital's nightly job does)."""
    with db.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()
