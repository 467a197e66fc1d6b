"""Pure decisions about patients: likeness of two people, names on public screens, checks on what was typed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rapidfuzz.distance import OSA

from his.core.errors import Finding
from his.core.search import fold


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What is compared when two records may be one person. ``phones`` hold digits only."""

    full_name: str
    birth_on: date
    birth_precision: str
    sex: str
    phones: frozenset[str]
    commune_code: str
    personal_number: str = ""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two people are: 0-100, with what agrees and what differs in words."""

    score: int
    same: tuple[str, ...]
    different: tuple[str, ...]


LIKELY = 60


def likeness(one: PersonFacts, other: PersonFacts) -> Likeness:
    """Compare two people. 60 and more is a likely duplicate; different personal numbers rule it out."""
    if one.personal_number and other.personal_number:
        if one.personal_number == other.personal_number:
            return Likeness(100, ("số định danh",), ())
        return Likeness(0, (), ("số định danh",))
    score = 0
    same: list[str] = []
    different: list[str] = []

    def count(agrees: bool, points: int, name: str) -> None:
        nonlocal score
        if agrees:
            score += points
        (same if agrees else different).append(name)

    mine, theirs = fold(one.full_name), fold(other.full_name)
    if mine == theirs:
        count(True, 40, "tên")
    elif sorted(mine.split()) == sorted(theirs.split()) or OSA.distance(mine, theirs) <= 1:
        score += 30
        same.append("tên gần giống")
    else:
        different.append("tên")
    if one.birth_on == other.birth_on:
        count(True, 30, "ngày sinh")
    elif one.birth_on.year == other.birth_on.year and "year" in (one.birth_precision, other.birth_precision):
        count(True, 20, "năm sinh")
    elif {one.birth_on.day, one.birth_on.month} == {other.birth_on.day, other.birth_on.month} and (
        one.birth_on.year == other.birth_on.year
    ):
        score += 20
        same.append("ngày tháng sinh đảo nhau")
    else:
        different.append("ngày sinh")
    count(one.sex == other.sex, 5, "giới tính")
    if one.phones and other.phones:
        count(bool(one.phones & other.phones), 20, "điện thoại")
    if one.commune_code and other.commune_code:
        count(one.commune_code == other.commune_code, 10, "địa chỉ")
    # Without the name or without any birth agreement it is another person, whatever else agrees.
    if "tên" in different or "ngày sinh" in different:
        score = min(score, LIKELY - 1)
    return Likeness(min(score, 99), tuple(same), tuple(different))


def check_patient(
    *, full_name: str, birth_on: date | None, today: date, sex: str, is_child_without_guardian: bool = False
) -> tuple[Finding, ...]:
    """Return what is wrong with the data of a person, field by field, in words that say what to do."""
    findings: list[Finding] = []
    name = " ".join(full_name.split())
    if not name:
        findings.append(Finding("name_missing", "full_name", "Họ và tên: chưa nhập."))
    elif len(name) > 120:
        findings.append(
            Finding(
                "name_long",
                "full_name",
                f"Họ và tên dài {len(name)} ký tự, nhiều nhất 120. Kiểm tra có dán nhầm nội dung khác không.",
            )
        )
    elif not _is_name(name):
        findings.append(
            Finding("name_signs", "full_name", "Họ và tên chỉ gồm chữ, dấu cách, dấu nháy, gạch nối. Gõ lại tên.")
        )
    if birth_on is None:
        findings.append(Finding("birth_missing", "birth_on", "Ngày sinh: chưa nhập. Chỉ biết năm thì gõ năm sinh."))
    elif birth_on > today:
        findings.append(Finding("birth_future", "birth_on", "Ngày sinh ở tương lai. Kiểm tra lại năm."))
    elif today.year - birth_on.year > 130:
        findings.append(Finding("birth_old", "birth_on", "Ngày sinh quá xa (trên 130 tuổi). Kiểm tra lại năm."))
    if sex not in ("M", "F", "U"):
        findings.append(Finding("sex_missing", "sex", "Giới tính: chưa chọn."))
    if is_child_without_guardian:
        findings.append(
            Finding(
                "guardian_missing",
                "guardian_name",
                "Trẻ dưới 72 tháng cần tên người đưa trẻ đến khám (TT 26/2025/TT-BYT Điều 6). Nhập tên mẹ, cha hoặc người đi cùng.",
                source="TT 26/2025/TT-BYT Đ6 k4",
            )
        )
    return tuple(findings)


PHONE = re.compile(r"^\+?[0-9 ().-]+$", re.ASCII)
BIRTH_TIME = re.compile(r"^([01]\d|2[0-3])[0-5]\d$", re.ASCII)


def check_phone(text: str, field: str) -> tuple[Finding, ...]:
    """Return what is wrong with a telephone number: digits (8 to 15) with the usual signs between, or none at all."""
    digits = sum(c.isdigit() for c in text)
    if not text or (PHONE.match(text) and 8 <= digits <= 15):
        return ()
    return (Finding("phone_shape", field, "Số điện thoại chỉ gồm chữ số, từ 8 đến 15 số. Gõ lại, hoặc để trống."),)


def check_birth_time(text: str) -> tuple[Finding, ...]:
    """Return what is wrong with a time of birth: hour and minute in four digits, or none at all."""
    if not text or BIRTH_TIME.match(text):
        return ()
    return (Finding("birth_time", "birth_time", "Giờ sinh gồm 4 chữ số giờ và phút, ví dụ 0830. Gõ lại, hoặc để trống."),)


def check_guardian(full_name: str, phone: str) -> tuple[Finding, ...]:
    """Return what is wrong with the person who brings or represents a patient."""
    findings = list(check_phone(phone, "guardian_phone"))
    if len(full_name) > 120 or not _is_name(full_name):
        findings.append(
            Finding("guardian_signs", "guardian_name", "Họ tên người thân chỉ gồm chữ, dấu cách, dấu nháy, gạch nối. Gõ lại tên.")
        )
    return tuple(findings)


def _is_name(name: str) -> bool:
    return all(c.isalpha() or c in " '.-’" or not c.isascii() for c in name) and not any(c in "<>|{}$" for c in name)


def check_personal_number(number: str) -> tuple[Finding, ...]:
    """Return what is wrong with a personal number: 12 ASCII digits, or none at all (Luật Căn cước Đ12)."""
    if not number or (len(number) == 12 and number.isascii() and number.isdigit()):
        return ()
    return (
        Finding("number_length", "personal_number", f"Số định danh có {len(number)} ký tự, phải đủ 12 chữ số. Gõ lại số trên căn cước.", source="Luật Căn cước Đ12"),
    )  # fmt: skip


CARD = re.compile(r"^[A-Z]{2}[1-5]\d{12}$", re.ASCII)


def check_card(number: str, facility: str, first: date, last: date | None) -> tuple[Finding, ...]:
    """Return what is wrong with a card typed by hand (QĐ 1351/QĐ-BHXH: 15 characters; facility codes have 5)."""
    findings = []
    if not CARD.match(number):
        findings.append(
            Finding("card_shape", "card_number",
                    f"Số thẻ BHYT có {len(number)} ký tự, cần đúng 15: 2 chữ, 1 số mức hưởng (1–5), 12 số. Gõ lại số thẻ.",
                    source="QĐ 1351/QĐ-BHXH")
        )  # fmt: skip
    if len(facility) != 5 or not (facility.isascii() and facility.isalnum()):
        findings.append(Finding("card_facility", "registered_facility_code", "Mã nơi đăng ký khám chữa bệnh gồm 5 ký tự. Xem trên thẻ."))
    if last is not None and last < first:
        findings.append(Finding("card_period", "valid_to", "Ngày hết hạn trước ngày bắt đầu. Xem lại thẻ."))
    return tuple(findings)


def masked_name(full_name: str) -> str:
    """Return initials and given name for public screens: ``Nguyễn Ngọc Bảo An`` -> ``N. N. BẢO AN``."""
    words = full_name.upper().split()
    if len(words) <= 2:
        return " ".join([*(f"{w[0]}." for w in words[:-1]), *words[-1:]])
    return " ".join([*(f"{w[0]}." for w in words[:-2]), *words[-2:]])


def phone_digits(texts: Sequence[str]) -> frozenset[str]:
    """Return telephone numbers as digits, the country code +84 turned into 0."""
    digits = ("".join(c for c in text if c.isascii() and c.isdigit()) for text in texts)
    return frozenset("0" + d[2:] if d.startswith("84") and len(d) == 11 else d for d in digits if len(d) >= 9)
