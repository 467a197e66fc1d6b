"""The English catalogue: ``python tools/translations.py update | list FILE | fill FILE | compile``.

* ``update``  reads every text of the screens out of the sources and merges it into messages.po (nothing is lost: texts
  that disappeared are kept as obsolete);
* ``list``    writes texts without English to a two-column file (Vietnamese TAB English), to be filled in;
* ``fill``    merges such a file back; placeholders must be the same on both sides;
* ``compile`` writes messages.mo next to it (not under version control; `make run` does it).
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = Path("his/core/translations/en/LC_MESSAGES/messages.po")
KEYWORDS = {**DEFAULT_KEYWORDS, "_l": None, "lazy_gettext": None}
METHODS = [("his/**.py", "python"), ("his/**/templates/**.html", "jinja2")]
OPTIONS = {"his/**/templates/**.html": {"extensions": "jinja2.ext.do", "silent": "false"}}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")
HEADER = """\
# English texts of the screens. Vietnamese is the source language; printed papers stay Vietnamese.
# Made and merged by tools/translations.py."""


def extract(root: Path = ROOT) -> dict[str, tuple[str, int]]:
    """Return every text of the screens with the first place it stands."""
    found: dict[str, tuple[str, int]] = {}
    rows = extract_from_dir(str(root), METHODS, OPTIONS, KEYWORDS, directory_filter=_is_ours)
    for file, line, text, _comments, _context in rows:
        for one in text if isinstance(text, tuple) else (text,):
            if one and "/print/" not in file:
                found.setdefault(one, (file, line))
    return found


def _is_ours(folder: str) -> bool:
    name = Path(folder).name
    return name not in (
        "node_modules",
        "static",
        "data",
        "tests",
        "bench",
        "var",
        "migrations",
    ) and not name.startswith(".")


def read_catalogue(path: Path) -> Catalog:
    """Read a catalogue."""
    with path.open("rb") as file:
        return read_po(file, locale="en", domain="messages")


def write_catalogue(catalogue: Catalog, path: Path) -> None:
    """Write a catalogue in a stable order and without changing dates, so that differences stay readable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue.header_comment = HEADER
    catalogue.revision_date = catalogue.creation_date
    with path.open("wb") as file:
        write_po(file, catalogue, width=0, sort_output=True, omit_header=False, no_location=True, ignore_obsolete=False)


def fresh() -> Catalog:
    """Return an empty English catalogue."""
    return Catalog(locale="en", domain="messages", project="his", version="1", fuzzy=False)


def update(root: Path = ROOT) -> tuple[int, int]:
    """Merge the texts of the sources into the catalogue; return (texts, of them without English)."""
    path = root / CATALOGUE
    old = read_catalogue(path) if path.is_file() else fresh()
    # Obsolete texts come back with their English when they are used again.
    known = {message.id: message.string for message in (*old.obsolete.values(), *old) if message.id}
    new = fresh()
    new.creation_date = old.creation_date
    texts = extract(root)
    for text in texts:
        new.add(text, known.get(text, ""), flags={"python-format"} if PLACEHOLDER.search(text) else ())
    for text, english in known.items():
        if text not in texts and english:
            new.obsolete[text] = old.obsolete.get(text) or old[text]
    write_catalogue(new, path)
    return len(texts), sum(1 for message in new if message.id and not message.string)


def empty(root: Path = ROOT) -> list[str]:
    """Return the texts that have no English yet."""
    return sorted(message.id for message in read_catalogue(root / CATALOGUE) if message.id and not message.string)


def fill(rows: dict[str, str], root: Path = ROOT) -> list[str]:
    """Put translations in; return what is wrong with refused ones (unknown text, other placeholders)."""
    path = root / CATALOGUE
    catalogue = read_catalogue(path)
    wrong = []
    for text, english in rows.items():
        message = catalogue.get(text)
        if message is None:
            wrong.append(f"not a text of the screens: {text!r}")
        elif set(PLACEHOLDER.findall(text)) != set(PLACEHOLDER.findall(english)):
            wrong.append(f"other placeholders: {text!r} / {english!r}")
        elif english.strip():
            message.string = english.strip()
    write_catalogue(catalogue, path)
    return wrong


def compile_catalogue(root: Path = ROOT) -> Path:
    """Write the binary catalogue that the application reads (it does so itself at start, too)."""
    from his.core.i18n import compile_catalogues

    compile_catalogues((root / CATALOGUE).parents[2])
    return (root / CATALOGUE).with_suffix(".mo")


def main(arguments: list[str]) -> int:
    """Run one command."""
    match arguments:
        case ["update"]:
            total, missing = update()
            print(f"{total} texts, {missing} without English")
        case ["list", name]:
            with Path(name).open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, delimiter="\t").writerows((text, "") for text in empty())
        case ["fill", name]:
            with Path(name).open(encoding="utf-8", newline="") as file:
                rows = {row[0]: row[1] for row in csv.reader(file, delimiter="\t") if len(row) == 2}
            wrong = fill(rows)
            print(*wrong, f"{len(empty())} still without English", sep="\n")
            return 1 if wrong else 0
        case ["compile"]:
            print(compile_catalogue())
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
