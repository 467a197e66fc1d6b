"""Reading identity documents: chip-ID QR, insurance-card QR, passport MRZ, typed numbers.

The contract is the interop standard §2.8 (Luật Căn cước 26/2023, NĐ 70/2024; BHYT card layout as seen in use). Text from
a card is data: it is read by a strict grammar, never opened, never trusted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

MAX_LENGTH = 4096
CARD_15 = re.compile(r"^[A-Z]{2}[1-5]\d{2}[0-9A-Z]{10}$", re.ASCII)
PASSPORT = re.compile(r"^[A-Z]{1,2}\d{6,8}$", re.ASCII)
MRZ_LINE = re.compile(r"^[A-Z0-9<]{44}$", re.ASCII)
SLASH_DATE = re.compile(r"^(\d{1,2}/)?(\d{1,2}/)?\d{4}$", re.ASCII)
DIGITS = re.compile(r"^[0-9]+$", re.ASCII)
OLD_UNITS = ("quận ", "q. ", "q.", "huyện ", "h. ", "h.", "thị xã ", "tx. ", "tx.", "thị trấn ", "tt. ", "tt.")


class _Refused(Exception):
    """Carries the error code out of the parser."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class ParsedIdentity:
    """The result of reading a document: either ``ok`` with ``type``, ``fields`` and ``warnings``, or an ``error``."""

    ok: bool
    type: str = ""
    fields: Mapping[str, str | None] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form of the contract."""
        if not self.ok:
            return {"ok": False, "error": self.error}
        return {"ok": True, "type": self.type, "fields": dict(self.fields), "warnings": list(self.warnings)}


def parse_identity(text: str, today: date) -> ParsedIdentity:
    """Recognise and read what a scanner or a keyboard gave. Never raises; never guesses."""
    try:
        return _parse(text, today)
    except _Refused as refused:
        return ParsedIdentity(ok=False, error=refused.code)


def _parse(text: str, today: date) -> ParsedIdentity:
    if len(text) > MAX_LENGTH:
        raise _Refused("TOO_LONG")
    text = text.strip()
    if not text:
        raise _Refused("EMPTY")
    text = unicodedata.normalize("NFC", text).replace("｜", "|").replace("¦", "|")
    lines = text.replace("\r\n", "\n").split("\n")
    is_mrz = len(lines) == 2 and all(MRZ_LINE.match(line) for line in lines) and lines[0].startswith("P")
    if not is_mrz and any(unicodedata.category(c) in ("Cc", "Cf") for c in text):
        # A line feed is at home in an MRZ only; two broken MRZ lines are an unknown form, not hostile text.
        rest = text.replace("\r\n", "").replace("\n", "")
        looks_mrz = len(lines) == 2 and all(re.match(r"^[A-Z0-9<]+$", line) for line in lines)
        if not looks_mrz or any(unicodedata.category(c) in ("Cc", "Cf") for c in rest):
            raise _Refused("CONTROL_CHARS")
    if is_mrz:
        return _mrz(lines[0], lines[1], today)
    if "|" in text:
        parts = [part.strip() for part in text.split("|")]
        if text.endswith("$") or _looks_like_card(parts):
            return _bhyt(parts, today)
        if len(parts) < 7:
            raise _Refused("BAD_FIELD_COUNT")
        return _cccd(parts, today)
    return _typed(text)


def _looks_like_card(parts: list[str]) -> bool:
    first = parts[0]
    return (
        first.isascii()
        and first.isalnum()
        and (len(first) == 10 or 14 <= len(first) <= 16)
        and len(parts) > 2
        and bool(SLASH_DATE.match(parts[2]) and ("/" in parts[2] or len(parts[2]) == 4))
    )


def _typed(text: str) -> ParsedIdentity:
    plain = "".join(c for c in text if not c.isspace() and c not in ".-").upper()
    if DIGITS.match(plain):
        kind = {12: "national_id", 10: "bhxh_number", 9: "old_id"}.get(len(plain))
        if kind:
            return ParsedIdentity(ok=True, type=kind, fields={kind: plain})
    if CARD_15.match(plain):
        return ParsedIdentity(ok=True, type="bhyt_card", fields={"card_number": plain})
    if PASSPORT.match(plain):
        return ParsedIdentity(ok=True, type="passport", fields={"passport_number": plain})
    raise _Refused("UNKNOWN_FORMAT")


# --- fields -------------------------------------------------------------------------------------------------------


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= 255:
        raise _Refused("BAD_NAME")
    for c in name:
        if unicodedata.category(c)[0] not in ("L", "M") and c not in " '’.-‐":
            raise _Refused("BAD_NAME")
    if not any(unicodedata.category(c)[0] == "L" for c in name):
        raise _Refused("BAD_NAME")
    return name


def _real(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise _Refused("BAD_DATE") from None


def _birth(year: str, month: str, day: str, today: date) -> tuple[str, str]:
    """Return (ISO text cut to its precision, precision)."""
    if not (DIGITS.match(year) and len(year) == 4 and int(year) >= 1):
        raise _Refused("BAD_DATE")
    if month in ("", "00"):
        if day not in ("", "00"):
            raise _Refused("BAD_DATE")
        if int(year) > today.year:
            raise _Refused("FUTURE_DATE")
        return year, "year"
    if day in ("", "00"):
        first = _real(int(year), int(month), 1)
        if (first.year, first.month) > (today.year, today.month):
            raise _Refused("FUTURE_DATE")
        return f"{year}-{int(month):02d}", "month"
    full = _real(int(year), int(month), int(day))
    if full > today:
        raise _Refused("FUTURE_DATE")
    return full.isoformat(), "day"


def _eight(text: str) -> tuple[str, str, str]:
    if not (len(text) == 8 and DIGITS.match(text)):
        raise _Refused("BAD_DATE")
    return text[4:], text[2:4], text[:2]


def _slash(text: str) -> tuple[str, str, str]:
    if not SLASH_DATE.match(text):
        raise _Refused("BAD_DATE")
    parts = text.split("/")
    return parts[-1], parts[-2] if len(parts) > 1 else "", parts[0] if len(parts) == 3 else ""


def _full_slash(text: str) -> date | None:
    if text in ("", "-"):
        return None
    year, month, day = _slash(text)
    if not (month and day):
        raise _Refused("BAD_DATE")
    return _real(int(year), int(month), int(day))


def _address(text: str) -> str | None:
    if len(text) > 1024 or "<" in text or ">" in text:
        raise _Refused("BAD_ADDRESS")
    return text or None


def _address_warnings(address: str | None) -> list[str]:
    if address is None:
        return ["NO_ADDRESS"]
    found = []
    if any(part.strip().lower().startswith(OLD_UNITS) for part in address.split(",")):
        found.append("ADDRESS_PRE_2025")
    if address[:1] in "=+-@":
        found.append("ADDRESS_SUSPECT")
    return found


# --- chip ID card -------------------------------------------------------------------------------------------------


def _cccd(parts: list[str], today: date) -> ParsedIdentity:
    number, old, name, birth, gender, address, issued = parts[:7]
    warnings: list[str] = []
    if not (len(number) == 12 and DIGITS.match(number)):
        raise _Refused("BAD_ID")
    if old and not (DIGITS.match(old) and len(old) in (9, 12)):
        raise _Refused("BAD_ID")
    full_name = _name(name)
    birth_text, precision = _birth(*_eight(birth), today)
    sex = {"nam": "M", "nữ": "F"}.get(gender.lower())
    if sex is None:
        raise _Refused("BAD_GENDER")
    address_text = _address(address)
    issue: str | None = None
    if issued:
        year, month, day = _eight(issued)
        when = _real(int(year), int(month), int(day))
        if when > today:
            raise _Refused("FUTURE_DATE")
        if when.isoformat() < birth_text:
            raise _Refused("BAD_DATE")
        issue = when.isoformat()
    if len(parts) > 7:
        warnings.append("EXTRA_FIELDS")
    if precision != "day":
        warnings.append("DOB_PARTIAL")
    warnings += _address_warnings(address_text)
    warnings += _number_warnings(number, sex, birth_text)
    return ParsedIdentity(
        ok=True,
        type="cccd",
        fields={
            "national_id": number, "old_id": old or None, "full_name": full_name, "birth_date": birth_text,
            "birth_precision": precision, "gender": sex, "address_text": address_text, "issue_date": issue,
        },
        warnings=tuple(sorted(warnings)),
    )  # fmt: skip


def _number_warnings(number: str, sex: str, birth: str) -> list[str]:
    """Digit 4 tells sex and century, digits 5-6 the year; a re-issued number may disagree: a warning, never a refusal."""
    found = []
    digit = int(number[3])
    if (sex == "M") != (digit % 2 == 0):
        found.append("ID_GENDER_MISMATCH")
    century = 19 + digit // 2
    if f"{century}{number[4:6]}" != birth[:4]:
        found.append("ID_YEAR_MISMATCH")
    return found


# --- insurance card -----------------------------------------------------------------------------------------------


def _hex(text: str) -> str:
    if len(text) % 2 or not re.match(r"^[0-9A-Fa-f]*$", text, re.ASCII):
        raise _Refused("BAD_HEX")
    try:
        decoded = bytes.fromhex(text).decode("utf-8")
    except UnicodeDecodeError:
        raise _Refused("BAD_UTF8") from None
    decoded = unicodedata.normalize("NFC", decoded)
    if any(unicodedata.category(c) in ("Cc", "Cf") for c in decoded):
        raise _Refused("CONTROL_CHARS")
    return decoded.strip()


def _bhyt(parts: list[str], today: date) -> ParsedIdentity:
    warnings: list[str] = []
    if parts[-1] == "$":
        parts = parts[:-1]
    elif parts[-1].endswith("$"):
        parts = [*parts[:-1], parts[-1][:-1]]
    else:
        warnings.append("MISSING_TERMINATOR")
    if len(parts) < 9:
        raise _Refused("BAD_FIELD_COUNT")

    def part(index: int) -> str:
        return parts[index] if index < len(parts) else ""

    card = part(0).upper()
    if len(card) == 10 and DIGITS.match(card):
        form = "10"
    elif CARD_15.match(card):
        form = "15"
    else:
        raise _Refused("BAD_CARD")
    full_name = _name(_hex(part(1)))
    birth_text, precision = _birth(*_slash(part(2)), today)
    sex = {"1": "M", "2": "F"}.get(part(3))
    if sex is None:
        raise _Refused("BAD_GENDER")
    address_text = None if part(4) in ("", "-") else _address(_hex(part(4)))
    facility = "".join(c for c in part(5) if not c.isspace() and c != "-")
    if len(facility) != 5 or not (facility.isascii() and facility.isalnum()):
        raise _Refused("BAD_FACILITY")
    valid_from, valid_to = _full_slash(part(6)), _full_slash(part(7))
    if valid_from and valid_to and valid_to < valid_from:
        raise _Refused("PERIOD_INVERTED")
    issued = _full_slash(part(8))
    if issued and issued > today:
        raise _Refused("FUTURE_DATE")
    if issued and issued.isoformat() < birth_text:
        raise _Refused("BAD_DATE")
    five_years = _full_slash(part(12))
    if valid_to and valid_to < today:
        warnings.append("CARD_EXPIRED")
    if valid_from and valid_from > today:
        warnings.append("CARD_NOT_YET_VALID")
    if precision != "day":
        warnings.append("DOB_PARTIAL")
    warnings += _address_warnings(address_text)
    return ParsedIdentity(
        ok=True,
        type="bhyt",
        fields={
            "card_number": card, "card_form": form, "full_name": full_name, "birth_date": birth_text,
            "birth_precision": precision, "gender": sex, "address_text": address_text, "facility_code5": facility,
            "valid_from": valid_from.isoformat() if valid_from else None,
            "valid_to": valid_to.isoformat() if valid_to else None,
            "issue_date": issued.isoformat() if issued else None,
            "living_area": {"5": "K1", "6": "K2", "7": "K3"}.get(part(11)),
            "five_years_from": five_years.isoformat() if five_years else None,
        },
        warnings=tuple(sorted(warnings)),
    )  # fmt: skip


# --- passport -----------------------------------------------------------------------------------------------------


def check_digit(text: str) -> int:
    """Return the ICAO 9303 check digit (weights 7, 3, 1)."""
    total = 0
    for index, c in enumerate(text):
        value = 0 if c == "<" else int(c) if c.isdigit() else ord(c) - 55
        total += value * (7, 3, 1)[index % 3]
    return total % 10


def _mrz(first: str, second: str, today: date) -> ParsedIdentity:
    def right(text: str, digit: str, *, optional: bool = False) -> bool:
        if optional and digit == "<" and not text.strip("<"):
            return True
        return digit.isdigit() and check_digit(text) == int(digit)

    if not (
        right(second[:9], second[9])
        and right(second[13:19], second[19])
        and right(second[21:27], second[27])
        and right(second[28:42], second[42], optional=True)
        and right(second[:10] + second[13:20] + second[21:43], second[43])
    ):
        raise _Refused("BAD_CHECK_DIGIT")
    surname, _, given = first[5:].partition("<<")
    names = [" ".join(part.replace("<", " ").split()) for part in (surname, given)]
    _name(" ".join(n for n in names if n))
    sex = {"M": "M", "F": "F", "<": None, "X": None}.get(second[20], "?")
    if sex == "?":
        raise _Refused("BAD_GENDER")
    birth = _mrz_date(second[13:19], today, future=False)
    expiry = _mrz_date(second[21:27], today, future=True)
    warnings = ["DOCUMENT_EXPIRED"] if expiry < today else []
    return ParsedIdentity(
        ok=True,
        type="passport_mrz",
        fields={
            "passport_number": second[:9].replace("<", ""), "issuing_country": first[2:5].replace("<", ""),
            "nationality": second[10:13].replace("<", ""), "surname": names[0], "given_names": names[1] or None,
            "birth_date": birth.isoformat(), "gender": sex, "expiry_date": expiry.isoformat(),
        },
        warnings=tuple(warnings),
    )  # fmt: skip


def _mrz_date(text: str, today: date, *, future: bool) -> date:
    if not DIGITS.match(text):
        raise _Refused("BAD_DATE")
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
    if future:
        return _real(2000 + year, month, day)
    full = _real(2000 + year, month, day) if 2000 + year <= today.year else _real(1900 + year, month, day)
    return full if full <= today else _real(full.year - 100, month, day)


def looks_garbled(text: str) -> bool:
    """Tell whether a scan came through a Vietnamese input method (``Trafn Vawn``, ``079085900001ơ…``).

    Keyboard-wedge scanners cannot send accents; an input method turns ``aa`` into ``â`` and eats digits and signs.
    """
    if "|" not in text:
        return False
    parts = text.split("|")
    number = parts[0]
    if any(not c.isascii() and c.isalpha() for c in number):
        return True
    name = parts[2] if len(parts) > 2 else ""
    return bool(re.search(r"[aeiouyd][wfrxj]n?\b|[a-z]*[fjwrx](?=\s|$)", name, re.IGNORECASE)) and name.isascii()
