"""A claim and a check-in as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from his.insurance.tables import Row


@dataclass(frozen=True)
class ClaimDocument:
    """One claim: one visit, one file.

    ``tables``: table code → rows in order; a table without rows is left out. XML7 has one row per paper.
    ``signature``: what a read file holds inside CHUKYDONVI, as bytes; the writer never writes it, because the
    signer works on the finished bytes.
    """

    facility_code: str
    made_on: date | None
    tables: Mapping[str, Sequence[Row]]
    claim_count: str = "1"
    signature: bytes = b""
    made_on_text: str = ""

    @property
    def summary(self) -> Row | None:
        """The one row of XML1."""
        rows = self.tables.get("XML1") or ()
        return rows[0] if rows else None

    @property
    def ended_on(self) -> date | None:
        """Day the visit ended, which chooses the layer of the standard (TT 06/2026/TT-BYT Đ6 k2 for codes)."""
        return day_of((self.summary or {}).get("NGAY_RA", ""))


@dataclass(frozen=True)
class CheckinDocument:
    """One check-in (XML0): one patient, one row per sending."""

    row: Row
    signature: bytes = b""


def day_of(text: str) -> date | None:
    """The day in the first eight digits of a claim value; None when it is no day."""
    if len(text) < 8 or not text.isdigit() or not text.isascii():
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None


def time_of(text: str) -> datetime | None:
    """The local time written yyyymmddHHMM; None when it is none."""
    if len(text) != 12:
        return None
    day = day_of(text)
    if day is None:
        return None
    hour, minute = int(text[8:10]), int(text[10:12])
    if hour > 23 or minute > 59:
        return None
    return datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - claim files carry wall-clock times
