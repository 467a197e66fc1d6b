"""Vietnamese first: gettext set-up, formats for dates, money and ages.

Vietnamese is the source language of every message; English is a complete translation chosen by each user.
"""

from __future__ import annotations

import tempfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, g, has_request_context, request, session
from flask_babel import Babel, gettext, lazy_gettext, ngettext

from his.core import clock

__all__ = [
    "age_text",
    "date_text",
    "datetime_text",
    "decimal_text",
    "gettext",
    "lazy_gettext",
    "money_text",
    "ngettext",
    "time_text",
]

LANGUAGES = ("vi", "en")


def select_locale() -> str:
    """Return the language of this request: the user's choice, else the page's, else Vietnamese."""
    if not has_request_context():
        return "vi"
    chosen = getattr(g, "language", None) or session.get("language") or request.cookies.get("his_language")
    return chosen if chosen in LANGUAGES else "vi"


def compile_catalogues(folder: Path) -> None:
    """Write the binary catalogues (not under version control) where the texts are newer; several starters may race."""
    for source in folder.glob("*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if target.is_file() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        with source.open("rb") as file:
            catalogue = read_po(file)
        with tempfile.NamedTemporaryFile(dir=source.parent, suffix=".part", delete=False) as temporary:
            write_mo(temporary, catalogue)
        Path(temporary.name).replace(target)


def install(app: Flask) -> None:
    """Set up gettext and the template filters."""
    compile_catalogues(Path(app.root_path) / "core" / "translations")
    app.config.setdefault("BABEL_DEFAULT_LOCALE", "vi")
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", "Asia/Ho_Chi_Minh")
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", "core/translations")
    Babel(app, locale_selector=select_locale)
    app.jinja_env.add_extension("jinja2.ext.do")
    app.add_template_filter(date_text, "date")
    app.add_template_filter(time_text, "time")
    app.add_template_filter(datetime_text, "datetime")
    app.add_template_filter(money_text, "money")
    app.add_template_filter(decimal_text, "decimal")
    app.add_template_global(age_text, "age_text")


def date_text(value: date | datetime | None, precision: str = "day") -> str:
    """Return ``23/11/2026`` (``11/2026`` or ``2026`` for a partial date), or "" for nothing."""
    if value is None:
        return ""
    day = clock.local(value).date() if isinstance(value, datetime) else value
    if precision == "year":
        return f"{day.year:04d}"
    if precision == "month":
        return f"{day.month:02d}/{day.year:04d}"
    return f"{day.day:02d}/{day.month:02d}/{day.year:04d}"


def time_text(value: datetime | None, *, seconds: bool = False) -> str:
    """Return ``08:42`` (``08:42:07`` with seconds) on the hospital's wall clock."""
    if value is None:
        return ""
    return clock.local(value).strftime("%H:%M:%S" if seconds else "%H:%M")


def datetime_text(value: datetime | None) -> str:
    """Return ``23/11/2026 08:42``."""
    return f"{date_text(value)} {time_text(value)}" if value is not None else ""


def money_text(value: Decimal | int | None, unit: str = " đ") -> str:
    """Return ``50.600 đ``: whole đồng, thousands with dots; "" for nothing."""
    if value is None:
        return ""
    whole = int(Decimal(value).to_integral_value(rounding="ROUND_HALF_UP"))
    return f"{whole:,}".replace(",", ".").replace("-", "−") + unit


def decimal_text(value: Decimal | int | None) -> str:
    """Return ``14,2``: decimal comma, no trailing zeros; "" for nothing."""
    if value is None:
        return ""
    text = format(Decimal(value).normalize(), "f")
    return text.replace("-", "−").replace(".", ",")


def age_parts(birth_on: date, on: date) -> tuple[int, int, int]:
    """Return (years, months, days): completed years; completed months in all; days in all."""
    months = (on.year - birth_on.year) * 12 + on.month - birth_on.month - (on.day < birth_on.day)
    return months // 12, months, (on - birth_on).days


def age_text(birth_on: date | None, on: date | None = None, *, precision: str = "day", both: bool = False) -> str:
    """Return the age as the guide wants it: days under 28 days, months under 72 months, else years.

    ``both`` gives the banner form ``3 tuổi 8 tháng (44 tháng)``.
    """
    if birth_on is None:
        return ""
    on = on or clock.today()
    years, months, days = age_parts(birth_on, on)
    if precision == "year":
        return _count(gettext("%(n)s tuổi"), on.year - birth_on.year)
    if days < 28 and precision == "day":
        return _count(gettext("%(n)s ngày tuổi"), max(days, 0))
    if months < 72:
        if both and years:
            rest = months - years * 12
            head = _count(gettext("%(n)s tuổi"), years)
            if rest:
                head += " " + _count(gettext("%(n)s tháng"), rest)
            return f"{head} ({_count(gettext('%(n)s tháng'), months)})"
        return _count(gettext("%(n)s tháng"), months)
    return _count(gettext("%(n)s tuổi"), years)


def _count(pattern: str, number: int) -> str:
    values: dict[str, Any] = {"n": number}
    return pattern % values
