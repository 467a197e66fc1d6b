"""The claim as the rules see it: rows with parsed numbers and times, the settings, the day."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Final

from his.core.errors import Severity
from his.insurance.rules.checks.catalogue import CheckCatalogue
from his.insurance.rules.document import ClaimDocument, day_of, time_of
from his.insurance.rules.settings import ClaimSettings
from his.insurance.rules.visits import INPATIENT_TYPES
from his.insurance.tables import LAYER_1931, Row

NOT_INSURED: Final = "9"
MILITARY_GROUPS: Final = frozenset({"QN", "CA", "CY"})
OPEN_ENDED_GROUPS: Final = frozenset({"QN", "HC", "LS", "XK", "CY", "CA"})
BED_GROUPS: Final = frozenset({"14", "15", "16"})
RESULT_GROUPS: Final = frozenset({"1", "2", "3"})
SUPPLY_GROUPS: Final = frozenset({"10", "11"})
OPERATION_GROUPS: Final = frozenset({"8", "18"})
PERFORMED_GROUPS: Final = RESULT_GROUPS | OPERATION_GROUPS
_MOST_DIGITS: Final = 20


class RowView:
    """One row: text by field name, and the same read as number, time or list; parsed once."""

    __slots__ = ("_numbers", "number", "table", "values")

    def __init__(self, table: str, number: int, values: Row) -> None:
        self.table = table
        self.number = number
        self.values = values
        self._numbers: dict[str, Decimal | None] = {}

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def amount(self, name: str) -> Decimal | None:
        """The number in the field; None when it is empty or not a plain number."""
        if name not in self._numbers:
            self._numbers[name] = plain_number(self[name])
        return self._numbers[name]

    def time(self, name: str) -> datetime | None:
        """The time in the field."""
        return time_of(self[name])

    def day(self, name: str) -> date | None:
        """The day in the field, of a date or a time."""
        return day_of(self[name])

    def items(self, name: str) -> list[str]:
        """The parts of a ";" list, without empty ones."""
        return [part for part in self[name].split(";") if part]


@dataclass(frozen=True)
class Hit:
    """A rule says: this row, this field. Empty field = the rule's own."""

    row: RowView | None = None
    suggestion: str = ""
    field: str = ""
    severity: Severity | None = None
    table: str = ""
    value: str | None = None


@dataclass(frozen=True)
class Context:
    """All a rule may ask. ``on`` is the day (and ``now`` the moment) of checking."""

    document: ClaimDocument
    catalogue: CheckCatalogue
    settings: ClaimSettings
    on: date
    tables: Mapping[str, tuple[RowView, ...]]

    def rows(self, table: str) -> tuple[RowView, ...]:
        """Rows of a table, empty when it is absent."""
        return self.tables.get(table, ())

    @cached_property
    def summary(self) -> RowView:
        """XML1; an empty row when the claim has none, so that rules can ask without fear."""
        rows = self.rows("XML1") or self.rows("XML0")
        return rows[0] if rows else RowView("XML1", 0, {})

    @cached_property
    def ended_on(self) -> date:
        """Day that chooses the layer of every code list: the end of the visit."""
        return self.document.ended_on or self.document.made_on or LAYER_1931

    @cached_property
    def visit_type(self) -> str:
        """MA_LOAI_KCB."""
        return self.summary["MA_LOAI_KCB"]

    @cached_property
    def is_inpatient(self) -> bool:
        """Types 03, 04, 09."""
        return self.visit_type in INPATIENT_TYPES

    @cached_property
    def is_insured(self) -> bool:
        """Entry category other than 9 (QĐ 3276/QĐ-BYT 2025)."""
        return self.summary["MA_DOITUONG_KCB"] not in ("", NOT_INSURED)

    @cached_property
    def cards(self) -> tuple[str, ...]:
        """Card numbers of the visit."""
        return tuple(self.summary.items("MA_THE_BHYT"))

    @cached_property
    def is_military(self) -> bool:
        """A card of QN, CA or CY."""
        return any(card[:2] in MILITARY_GROUPS for card in self.cards)

    @cached_property
    def money_rows(self) -> tuple[RowView, ...]:
        """Rows of XML2 and XML3."""
        return (*self.rows("XML2"), *self.rows("XML3"))

    @cached_property
    def groups_by_service(self) -> Mapping[str, str]:
        """MA_NHOM of each MA_DICH_VU charged in XML3 (supplies left out)."""
        return {row["MA_DICH_VU"]: row["MA_NHOM"] for row in self.rows("XML3") if not row["MA_VAT_TU"]}

    @cached_property
    def stay_hours(self) -> Decimal | None:
        """Hours from admission (else arrival) to the end."""
        start = self.summary.time("NGAY_VAO_NOI_TRU") or self.summary.time("NGAY_VAO")
        end = self.summary.time("NGAY_RA")
        if start is None or end is None:
            return None
        return Decimal(int((end - start).total_seconds())) / 3600

    def tolerance_exceeded(self, found: Decimal, expected: Decimal, *, share: bool = False) -> bool:
        """Whether two amounts differ by more than the settings allow."""
        return abs(found - expected) > (self.settings.share_tolerance if share else self.settings.amount_tolerance)


Check = Callable[[Context], Iterable[Hit]]


@dataclass(frozen=True)
class Special:
    """A rule written as a function.

    ``needs``: attribute of the catalogue without which it cannot run; ``partly_needs``: runs without it, in part;
    ``setting``: switch of `ClaimSettings` that must be on; ``limit``: what it cannot see from a file, in words.
    """

    check: Check
    needs: str = ""
    partly_needs: str = ""
    setting: str = ""
    limit: str = ""


@dataclass
class RuleBook:
    """Rules of one subject, by official id."""

    rules: dict[str, Special] = field(default_factory=dict)

    def rule(
        self, rule_id: str, *, needs: str = "", partly_needs: str = "", setting: str = "", limit: str = ""
    ) -> Callable[[Check], Check]:
        """Enter a function under an official id."""

        def enter(check: Check) -> Check:
            if rule_id in self.rules:
                raise ValueError(f"{rule_id} is entered twice")
            self.rules[rule_id] = Special(check, needs, partly_needs, setting, limit)
            return check

        return enter


def plain_number(text: str) -> Decimal | None:
    """Digits with at most one point; anything else, also signs, blanks and exponents, is None."""
    whole, point, part = text.partition(".")
    if not whole.isdigit() or (point and not part.isdigit()) or not text.isascii() or len(text) > _MOST_DIGITS:
        return None
    return Decimal(text)


def plain(value: Decimal) -> str:
    """A number for a Vietnamese sentence, as it would stand in the file."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def fits_catalogue(code: str, known: Collection[str]) -> bool:
    """Whether a code, or the code without its mark or suffix, is in the list."""
    return code in known or code.rstrip("†*+") in known
