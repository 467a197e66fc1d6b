"""Words every printed paper needs: dates, times, ages and amounts, always in Vietnamese (legal papers have one language).

A paper is the same whatever language the person at the screen reads, so nothing here goes through gettext.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from his.core import clock
from his.core.i18n import age_parts, money_text

NOTHING = "–"


def parts(day: date | None) -> tuple[str, str, str]:
    """Return day, month and year as texts with two, two and four digits; three empty texts for nothing."""
    return (f"{day.day:02d}", f"{day.month:02d}", f"{day.year:04d}") if day else ("", "", "")


def day_line(day: date | None) -> str:
    """Return ``Ngày 23 tháng 11 năm 2026``; dotted for nothing."""
    d, m, y = parts(day)
    return f"Ngày {d or '......'} tháng {m or '......'} năm {y or '..........'}"


def moment_line(at: datetime | None) -> str:
    """Return ``10 giờ 35 phút, ngày 23 tháng 11 năm 2026`` on the hospital's wall clock; "" for nothing."""
    if at is None:
        return ""
    local = clock.local(at)
    return f"{local:%H} giờ {local:%M} phút, ngày {local:%d} tháng {local:%m} năm {local:%Y}"


def stamp(at: datetime | None) -> str:
    """Return ``10:35 23/11/2026``; "" for nothing."""
    return clock.local(at).strftime("%H:%M %d/%m/%Y") if at else ""


def age(birth_on: date, on: date, precision: str = "day") -> str:
    """Return the age on a day: days under 28 days, months under 72 months, else years (TT 26/2025 Đ6 counts months)."""
    years, months, days = age_parts(birth_on, on)
    if precision == "year":
        return f"{on.year - birth_on.year} tuổi"
    if days < 28 and precision == "day":
        return f"{max(days, 0)} ngày"
    return f"{months} tháng" if months < 72 else f"{years} tuổi"


def money(amount: Decimal | int | None) -> str:
    """Return ``50.600`` in whole đồng without the unit; "" for nothing."""
    return money_text(amount, unit="")


def dash(text: str | None) -> str:
    """Return a text, or a dash: a field with nothing to say is not left empty (forms standard F-02)."""
    return text.strip() if text and text.strip() else NOTHING
