"""Ready phrases for reports, chosen by the words of the service's name."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

PARTS = ("description", "conclusion")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A ready text: ``words`` are parts of service names it fits (none = every service); ``part`` is one of PARTS."""

    words: tuple[str, ...]
    part: str
    label: str
    text: str


@lru_cache(maxsize=1)
def all_phrases() -> tuple[Phrase, ...]:
    """Return the packaged phrases in their order."""
    text = files("his.imaging").joinpath("data/phrases.csv").read_text("utf-8")
    return tuple(
        Phrase(tuple(w for w in row["words"].split("|") if w), row["part"], row["label"], row["text"])
        for row in csv.DictReader(text.splitlines())
    )


def phrases_for(service_name: str, part: str) -> list[Phrase]:
    """Return the phrases of one part that fit a service: those with the longest fitting words; else the general ones."""
    name = service_name.lower()
    fitting = [
        (max(len(word) for word in phrase.words if word in name), phrase)
        for phrase in all_phrases()
        if phrase.part == part and any(word in name for word in phrase.words)
    ]
    if not fitting:
        return [phrase for phrase in all_phrases() if phrase.part == part and not phrase.words]
    # "x-quang ngực" is nearer than "x-quang"; an ultrasound phrase never fits a radiograph.
    nearest = max(length for length, _phrase in fitting)
    return [phrase for length, phrase in fitting if length == nearest]
