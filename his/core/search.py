"""One search for patients, diagnoses, drugs and services alike, loved by a Vietnamese keyboard.

Without accents, by initials, by code, words in any order, one letter wrong; ranked; fast at a million rows on both
databases because no table is ever scanned:

* ``search_documents`` holds one row per findable thing: its folded name (``phrase``), all folded words (``folded``)
  and what a result row shows (``label``, ``extra``), so that a hit needs no further query;
* ``search_postings`` holds (kind, word, entity) for every word: the rarest word of a query is read as an index range,
  the other words are checked on the documents of that range;
* ``search_variants`` holds, for every word made of letters, its forms with one letter deleted (the SymSpell idea):
  a word with one wrong, missing, extra or swapped letter meets the right one there, by key look-ups only.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz.distance import OSA
from sqlalchemy import (
    JSON,
    Index,
    PrimaryKeyConstraint,
    String,
    Text,
    and_,
    delete,
    exists,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from his.core.db import Base, Id, session

MAX_RESULTS = 50
MAX_QUERY = 200
CANDIDATES = 200
# A word this frequent is not read to its end when choosing the rarest one.
COUNT_LIMIT = 4000
MIN_FUZZY = 3
HIGHEST = "\U0010ffff"


def _plain(length: int) -> Any:
    """Text compared byte by byte: prefix ranges mean the same on both databases."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def fold(text: str) -> str:
    """Return text without accents and case: ``Trần Văn Đức`` -> ``tran van duc``; other signs become blanks."""
    decomposed = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    letters = (c for c in decomposed if not unicodedata.combining(c))
    lowered = "".join(c if c.isalnum() else " " for c in letters).lower()
    return " ".join(lowered.split())


def fold_code(text: str) -> str:
    """Return a code as people type it: letters and digits only, lower case (``J20.9`` -> ``j209``)."""
    return fold(text).replace(" ", "")


def initials(text: str) -> str:
    """Return the first letters of the words (``Nguyễn Ngọc Bảo An`` -> ``nnba``)."""
    return "".join(word[0] for word in fold(text).split())


def deletions(word: str) -> set[str]:
    """Return the word and all its forms with one letter taken out."""
    return {word} | {word[:i] + word[i + 1 :] for i in range(len(word))}


class SearchDocument(Base):
    """One findable thing. ``weight`` orders equals (higher first)."""

    __tablename__ = "search_documents"
    __table_args__ = (PrimaryKeyConstraint("kind", "entity_id"), Index("ix_search_documents_phrase", "kind", "phrase"))

    kind: Mapped[str] = mapped_column(String(16))
    entity_id: Mapped[int] = mapped_column(Id, autoincrement=False)
    phrase: Mapped[str] = mapped_column(_plain(500))
    folded: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(String(500))
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    weight: Mapped[int] = mapped_column(default=0)


class SearchPosting(Base):
    """A word (or code, or initials) under which a thing is found."""

    __tablename__ = "search_postings"
    __table_args__ = (
        PrimaryKeyConstraint("kind", "word", "entity_id"),
        Index("ix_search_postings_entity", "kind", "entity_id", "word"),
    )

    kind: Mapped[str] = mapped_column(String(16))
    word: Mapped[str] = mapped_column(_plain(64))
    entity_id: Mapped[int] = mapped_column(Id, autoincrement=False)


class SearchVariant(Base):
    """A known word with one letter taken out, for words typed with one letter wrong."""

    __tablename__ = "search_variants"
    __table_args__ = (PrimaryKeyConstraint("kind", "variant", "word"),)

    kind: Mapped[str] = mapped_column(String(16))
    variant: Mapped[str] = mapped_column(_plain(64))
    word: Mapped[str] = mapped_column(_plain(64))


@dataclass(frozen=True, slots=True)
class Entry:
    """What to index: ``name`` is ranked as a phrase; ``words`` are further texts; ``codes`` are matched from the left."""

    entity_id: int
    name: str
    label: str
    words: Sequence[str] = ()
    codes: Sequence[str] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    weight: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """One result. ``score`` orders results (lower is better); ``corrected`` says a letter was forgiven."""

    entity_id: int
    label: str
    extra: dict[str, Any]
    score: int
    corrected: bool = False


def _rows(kind: str, entry: Entry) -> tuple[dict[str, Any], list[dict[str, Any]], set[str]]:
    name_words = fold(entry.name).split()
    words = {word[:64] for text in (entry.name, *entry.words) for word in fold(text).split()}
    codes = {fold_code(code)[:64] for code in entry.codes if code}
    short = initials(entry.name)
    postings = words | codes
    if len(name_words) > 1:
        postings.add(short[:64])
    document = {
        "kind": kind,
        "entity_id": entry.entity_id,
        "phrase": " ".join(name_words)[:500],
        "folded": " " + " ".join(sorted(postings)) + " ",
        "label": entry.label[:500],
        "extra": entry.extra,
        "weight": entry.weight,
    }
    return (
        document,
        [{"kind": kind, "word": word, "entity_id": entry.entity_id} for word in sorted(postings)],
        {word for word in words if word.isalpha() and len(word) >= MIN_FUZZY - 1},
    )


def put(kind: str, entries: Iterable[Entry]) -> int:
    """Index things of a kind, replacing what was indexed under the same ids. Returns their number."""
    here = session()
    batch: list[Entry] = []
    total = 0
    for entry in entries:
        batch.append(entry)
        if len(batch) >= 500:
            total += _put_batch(here, kind, batch)
            batch = []
    return total + (_put_batch(here, kind, batch) if batch else 0)


def _put_batch(here: Session, kind: str, batch: Sequence[Entry]) -> int:
    insert = sqlite_insert if here.get_bind().dialect.name == "sqlite" else postgres_insert
    ids = [entry.entity_id for entry in batch]
    here.execute(delete(SearchPosting).where(SearchPosting.kind == kind, SearchPosting.entity_id.in_(ids)))
    here.execute(delete(SearchDocument).where(SearchDocument.kind == kind, SearchDocument.entity_id.in_(ids)))
    documents, postings, vocabulary = [], [], set()
    for entry in batch:
        document, rows, words = _rows(kind, entry)
        documents.append(document)
        postings.extend(rows)
        vocabulary |= words
    here.execute(insert(SearchDocument), documents)
    for start in range(0, len(postings), 5000):
        here.execute(insert(SearchPosting), postings[start : start + 5000])
    # Known words need no new variants: names repeat, so this is nearly always empty after the first thousand.
    known: set[str] = set()
    ordered = sorted(vocabulary)
    for start in range(0, len(ordered), 500):
        part = ordered[start : start + 500]
        known.update(
            here.execute(
                select(SearchVariant.word).where(
                    SearchVariant.kind == kind,
                    SearchVariant.variant.in_(part),
                    SearchVariant.word == SearchVariant.variant,
                )
            ).scalars()
        )
    variants = [
        {"kind": kind, "variant": variant, "word": word}
        for word in sorted(vocabulary - known)
        for variant in sorted(deletions(word))
    ]
    for start in range(0, len(variants), 5000):
        here.execute(insert(SearchVariant).on_conflict_do_nothing(), variants[start : start + 5000])
    return len(batch)


def remove(kind: str, entity_ids: Sequence[int]) -> None:
    """Take things out of the index (a merged patient, a closed catalogue row)."""
    here = session()
    for model in (SearchPosting, SearchDocument):
        here.execute(delete(model).where(model.kind == kind, model.entity_id.in_(list(entity_ids))))


def find(kind: str, text: str, *, limit: int = 12) -> list[Hit]:
    """Return the best hits, best first; at most ``limit`` (≤ 50).

    The query is NFC or NFD, with or without accents; 2 letters or more. Three steps, the next one only when the one
    before left room: the name from its first letter; all words in any order (the last may be unfinished), initials
    and codes; the same with one letter forgiven per word of four letters or more.
    """
    limit = min(limit, MAX_RESULTS)
    words = list(dict.fromkeys(fold(text[:MAX_QUERY]).split()))[:8]
    joined = "".join(words)
    if len(joined) < 2:
        return []
    here = session()
    found: dict[int, Hit] = {}
    for row in _by_phrase(here, kind, " ".join(fold(text[:MAX_QUERY]).split()), limit):
        exact = row.phrase == " ".join(words)
        found[row.entity_id] = Hit(row.entity_id, row.label, row.extra, 0 if exact else 10)
    if len(found) < limit:
        for row in _by_words(here, kind, words, joined):
            found.setdefault(row.entity_id, Hit(row.entity_id, row.label, row.extra, _score(row, words, joined)))
    if not found and any(len(word) >= MIN_FUZZY and word.isalpha() for word in words):
        for row, distance in _by_variants(here, kind, words):
            found.setdefault(row.entity_id, Hit(row.entity_id, row.label, row.extra, 200 + distance, corrected=True))
    ordered = sorted(found.values(), key=lambda hit: (hit.score, -int(hit.extra.get("weight", 0)), hit.label))
    return ordered[:limit]


def _range(column: Any, prefix: str) -> Any:
    return and_(column >= prefix, column < prefix + HIGHEST)


def _documents(kind: str) -> Any:
    """What a result needs, as plain columns: two hundred rows are read for each question."""
    return select(
        SearchDocument.entity_id, SearchDocument.phrase, SearchDocument.folded, SearchDocument.label,
        SearchDocument.extra, SearchDocument.weight,
    ).where(SearchDocument.kind == kind)  # fmt: skip


def _by_phrase(here: Session, kind: str, phrase: str, limit: int) -> Sequence[Any]:
    statement = _documents(kind).where(_range(SearchDocument.phrase, phrase)).order_by(SearchDocument.phrase)
    return here.execute(statement.limit(limit)).all()


def _has(kind: str, condition: Callable[[Any], Any]) -> Any:
    """The same thing also has a word that fits: answered by the index of the postings, never by reading documents."""
    other = aliased(SearchPosting)
    return exists(
        select(other.entity_id).where(
            other.kind == kind, other.entity_id == SearchPosting.entity_id, condition(other.word)
        )
    )


def _starts(word: str) -> Callable[[Any], Any]:
    return lambda column: _range(column, word)


def _is_one_of(words: Sequence[str]) -> Callable[[Any], Any]:
    return lambda column: column.in_(words)


def _by_words(here: Session, kind: str, words: Sequence[str], joined: str) -> Sequence[Any]:
    """All words, each from its first letter, read along the rarest one; else the pieces of one code or of the initials.

    Two statements rather than one with OR: an index range each, never a scan.
    """
    anchor = words[0] if len(words) == 1 else _rarest(here, kind, words)
    others = [_has(kind, _starts(word)) for word in words if word != anchor]
    found = _read(here, kind, _range(SearchPosting.word, anchor), *others)
    if len(words) > 1 and len(found) < CANDIDATES:
        # "j20 9" or "n n b a"
        found = [*_read(here, kind, SearchPosting.word == joined), *found]
    return found


def _read(here: Session, kind: str, *conditions: Any) -> Sequence[Any]:
    """Find ids in the postings first, then fetch just their documents: the planner is never tempted to scan them."""
    ids = select(SearchPosting.entity_id).where(SearchPosting.kind == kind, *conditions).distinct().limit(CANDIDATES)
    wanted = here.execute(ids).scalars().all()
    return here.execute(_documents(kind).where(SearchDocument.entity_id.in_(wanted))).all() if wanted else ()


def _rarest(here: Session, kind: str, words: Sequence[str]) -> str:
    counts = [
        select(literal(i).label("i"), func.count().label("n")).select_from(
            select(SearchPosting.entity_id)
            .where(SearchPosting.kind == kind, _range(SearchPosting.word, word))
            .limit(COUNT_LIMIT)
            .subquery()
        )
        for i, word in enumerate(words)
    ]
    rows = here.execute(union_all(*counts)).all()
    best = min(rows, key=lambda row: (row.n, -len(words[row.i])))
    return words[best.i]


def _score(row: Any, words: Sequence[str], joined: str) -> int:
    """Lower is better: code typed whole, words in the order of the name, whole words, then the rest."""
    own = row.folded.split()
    if joined in own:
        return 1 if not joined.isalpha() or len(words) == 1 else 5
    whole = sum(word in own for word in words)
    in_order = " ".join(words) in row.phrase
    starts = row.phrase.split()[:1] == list(words[:1])
    return 100 - 40 * in_order - 30 * (whole == len(words)) - 5 * whole - 3 * starts - min(row.weight, 9)


def _by_variants(here: Session, kind: str, words: Sequence[str]) -> list[tuple[Any, int]]:
    choices: list[list[str]] = []
    for word in words:
        if len(word) < MIN_FUZZY or not word.isalpha():
            choices.append([word])
            continue
        near = (
            here.execute(
                select(SearchVariant.word)
                .where(SearchVariant.kind == kind, SearchVariant.variant.in_(sorted(deletions(word))))
                .distinct()
            )
            .scalars()
            .all()
        )
        good = [w for w in near if OSA.distance(w, word) <= 1]
        choices.append(good[:12] or [word])
    anchor_index = max(range(len(words)), key=lambda i: (len(words[i]), words[i].isalpha()))
    conditions = [_has(kind, _is_one_of(options)) for i, options in enumerate(choices) if i != anchor_index]
    rows = _read(here, kind, SearchPosting.word.in_(choices[anchor_index]), *conditions)
    return [
        (row, sum(min((OSA.distance(own, word) for own in row.folded.split()), default=9) for word in words))
        for row in rows
    ]
