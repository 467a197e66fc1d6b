"""What the one field of the desk was given: a document, a number of ours, a telephone, or a name.

The documents are read by the parser contract (`identity.py`); this file adds what only a desk meets: hospital numbers,
tickets, telephones, names, and a sentence for what is nearly a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from his.registration.rules.identity import ParsedIdentity, looks_garbled, parse_identity
from his.registration.rules.messages import ERRORS

PATIENT_CODE = re.compile(r"^(\d{2})-?(\d{6})$", re.ASCII)
VISIT_CODE = re.compile(r"^[0-9A-Z]{5}-\d{6}-\d{4,}$", re.ASCII)
TICKET = re.compile(r"^([0-9A-Z]{1,8})-(\d{3,4})$", re.ASCII)
PAPER_CODE = re.compile(r"(?:^|/v/)((?:[2-9A-HJ-NP-Z]{4}-?){3}[2-9A-HJ-NP-Z]{4})$", re.ASCII)
MOBILE = re.compile(r"^0[35789]\d{8}$", re.ASCII)
LANDLINE = re.compile(r"^02\d{8,9}$", re.ASCII)
MAX_NAME = 120


@dataclass(frozen=True, slots=True)
class Scan:
    """What was recognised.

    ``kind``: cccd, bhyt, passport_mrz, national_id, old_id, bhxh_number, bhyt_card, passport,
    patient_code, visit_code, ticket, paper_code, phone, name, or "" with ``message`` saying what to do next.

    ``value`` is the number or name to look up; ``parsed`` is the document, when it was one.
    """

    kind: str
    value: str = ""
    parsed: ParsedIdentity | None = None
    message: str = ""

    @property
    def is_document(self) -> bool:
        """Whether a whole document was read: name, birth date and sex are known."""
        return self.kind in ("cccd", "bhyt", "passport_mrz")


# The field of each kind under which the person is looked up.
LOOKUP = {
    "cccd": "national_id", "bhyt": "card_number", "passport_mrz": "passport_number", "national_id": "national_id",
    "old_id": "old_id", "bhxh_number": "bhxh_number", "bhyt_card": "card_number", "passport": "passport_number",
}  # fmt: skip


def recognise(text: str, today: date) -> Scan:
    """Tell what a scan or a typed text is. Never raises, never guesses a person."""
    plain = text.strip()
    if looks_garbled(plain):
        return Scan("", message=ERRORS["GARBLED"])
    short = _own_number(plain)
    if short is not None:
        return short
    parsed = parse_identity(text, today)
    if parsed.ok:
        return Scan(parsed.type, parsed.fields.get(LOOKUP[parsed.type]) or "", parsed)
    if parsed.error == "UNKNOWN_FORMAT":
        return _name_or_nearly(plain)
    return Scan("", message=ERRORS[parsed.error])


def _own_number(plain: str) -> Scan | None:
    upper = plain.upper()
    for kind, pattern in (("patient_code", PATIENT_CODE), ("visit_code", VISIT_CODE), ("ticket", TICKET)):
        match = pattern.match(upper)
        if match:
            return Scan(kind, "-".join(match.groups()) if kind == "patient_code" else upper)
    paper = PAPER_CODE.search(upper.replace("/V/", "/v/"))
    if paper and (len(plain) > 19 or any(c.isdigit() for c in paper[1])):
        return Scan("paper_code", paper[1].replace("-", ""))
    digits = "".join(c for c in plain if c.isascii() and c.isdigit())
    if digits.startswith("84") and len(digits) == 11 and plain.startswith("+"):
        digits = "0" + digits[2:]
    looks_like_phone = all(c in "0123456789 .-+()" for c in plain) and (MOBILE.match(digits) or LANDLINE.match(digits))
    return Scan("phone", digits) if looks_like_phone else None


def _name_or_nearly(plain: str) -> Scan:
    """A name, or a number that is one sign too long or too short: each with its own sentence."""
    compact = "".join(c for c in plain.upper() if c.isalnum())
    digits = sum(c.isdigit() for c in compact)
    if re.match(r"^[A-Z]{2}\d{8,}$", compact, re.ASCII):
        return Scan("", message=(
            f"Số thẻ BHYT có {len(compact)} ký tự, cần đúng 15 (2 chữ, 13 số). Gõ lại số thẻ hoặc quét mã trên thẻ."
            if len(compact) != 15
            else "Số thẻ BHYT sai ký tự thứ 3 (mức hưởng từ 1 đến 5). Xem lại số trên thẻ."
        ))  # fmt: skip
    if compact.isascii() and compact.isdigit() and len(compact) >= 7:
        return Scan("", message=(
            f"Số này có {len(compact)} chữ số. Số định danh cần 12, mã số BHXH 10, chứng minh cũ 9, điện thoại 10 chữ số. Gõ lại."
        ))  # fmt: skip
    if "|" in plain or digits > 8:
        return Scan("", message=ERRORS["UNKNOWN_FORMAT"])
    if len(plain) > MAX_NAME:
        return Scan("", message=(
            f"Nội dung dài {len(plain)} ký tự, không phải tên hay mã giấy tờ. Kiểm tra máy quét, hoặc gõ họ tên (nhiều nhất {MAX_NAME} ký tự)."
        ))  # fmt: skip
    if sum(c.isalpha() for c in plain) < 2:
        return Scan("", message="Gõ thêm: tên từ 2 chữ cái, hoặc đủ số của giấy tờ.")
    return Scan("name", " ".join(plain.split()))
