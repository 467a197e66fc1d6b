"""The base of every form: text made safe at the edge, and fields for dates, money and codes.

SEC-33, SEC-34: NFC, no control or bidirectional signs, ASCII digits only in codes, strict numbers and dates.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, StringField
from wtforms.validators import StopValidation, ValidationError
from wtforms.widgets import TextInput

from his.core.i18n import date_text, decimal_text
from his.core.i18n import gettext as _

NUMBER = re.compile(r"^\d{1,12}([.,]\d{1,3})?$", re.ASCII)
DATE = re.compile(r"^(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{2}|\d{4})$", re.ASCII)
DATE_DIGITS = re.compile(r"^\d{6}$|^\d{8}$", re.ASCII)


def clean_text(text: str) -> str:
    """Return text in NFC, trimmed, without control, zero-width and bidirectional signs (line ends stay)."""
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (c for c in composed if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    return "".join(kept).strip()


def parse_decimal(text: str) -> Decimal:
    """Read ``14,2`` or ``14.2``; raises ValueError for signs, exponents, other digits."""
    text = text.strip()
    if not NUMBER.match(text):
        raise ValueError(text)
    return Decimal(text.replace(",", "."))


def parse_id(text: str | None) -> int | None:
    """Read a row number out of an address: ASCII digits, at most 15; None for anything else."""
    return int(text) if text and re.match(r"^\d{1,15}$", text, re.ASCII) else None


def parse_date(text: str, *, century_pivot: int = 30) -> date:
    """Read ``20/09/2025``, ``20-9-25`` or the digits ``200925`` / ``20092025``; raises ValueError."""
    text = text.strip()
    if re.match(r"^\d{4}-\d{2}-\d{2}$", text, re.ASCII):
        return date.fromisoformat(text)
    if DATE_DIGITS.match(text):
        day, month, year = text[:2], text[2:4], text[4:]
    else:
        match = DATE.match(text)
        if not match:
            raise ValueError(text)
        day, month, year = match.groups()
    full = int(year)
    if len(year) == 2:
        full += 2000 if full <= century_pivot + 6 else 1900
    return date(full, int(month), int(day))


class _Words:
    """What WTForms says of itself, in our words: a choice that is not in the list is all a form of ours can meet."""

    def gettext(self, string: str) -> str:
        """Return the sentence for a message of WTForms."""
        if string in ("Not a valid choice.", "Invalid Choice: could not coerce."):
            return _("Lựa chọn không có trong danh sách. Chọn lại.")
        return string

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """Return the sentence for a counted message of WTForms."""
        return self.gettext(singular if n == 1 else plural)


class BaseForm(FlaskForm):
    """Every form of the house: cleans text before validators see it."""

    class Meta(FlaskForm.Meta):
        """Cleans strings of every field that has no filters of its own; speaks our language."""

        def get_translations(self, form: Any) -> Any:
            del form
            return _Words()

        def bind_field(self, form: Any, unbound_field: Any, options: Any) -> Any:
            filters = list(unbound_field.kwargs.get("filters", []))
            if not filters and issubclass(unbound_field.field_class, StringField):
                filters.append(lambda value: clean_text(value) if isinstance(value, str) else value)
                options = {**options, "filters": filters}
            return super().bind_field(form, unbound_field, options)


class OnceForm(BaseForm):
    """A form that carries a one-time key (REL-02)."""

    idempotency_key = HiddenField()


class DecimalTextField(Field):
    """A number typed with a comma or a point. ``data`` is Decimal or None; ``low``/``high`` are inclusive limits."""

    widget = TextInput()

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        low: Decimal | None = None,
        high: Decimal | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, validators, **kwargs)
        self.low, self.high = low, high

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return decimal_text(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        text = (valuelist[0] if valuelist else "").strip()
        if not text:
            self.data = None
            return
        try:
            self.data = parse_decimal(text)
        except ValueError:
            self.data = None
            raise ValueError(_("Chỉ gõ số không âm, ví dụ 14,2.")) from None

    def pre_validate(self, form: Any) -> None:
        if self.data is None:
            return
        if self.low is not None and self.data < self.low:
            raise ValidationError(_("Nhỏ nhất là %(low)s.", low=decimal_text(self.low)))
        if self.high is not None and self.data > self.high:
            raise ValidationError(_("Lớn nhất là %(high)s.", high=decimal_text(self.high)))


class DateTextField(Field):
    """A date typed as digits or with separators. ``data`` is a date or None."""

    widget = TextInput()

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return date_text(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        text = (valuelist[0] if valuelist else "").strip()
        if not text:
            self.data = None
            return
        try:
            self.data = parse_date(text)
        except ValueError:
            self.data = None
            raise ValueError(_("Ngày không có thật. Gõ ngày tháng năm, ví dụ 20/09/2025 hoặc 200925.")) from None


class NotBlank:
    """Required: says what is missing rather than "this field is required"."""

    field_flags = {"required": True}

    def __init__(self, message: Any = None) -> None:
        self.message = message

    def __call__(self, _form: Any, field: Any) -> None:
        if field.errors:
            raise StopValidation
        if field.data is None or (isinstance(field.data, str) and not field.data.strip()):
            raise StopValidation(
                str(self.message) if self.message else _("%(name)s: chưa nhập.", name=field.label.text)
            )


class MaxLength:
    """At most so many characters; nothing is cut silently."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.field_flags = {"maxlength": length}

    def __call__(self, _form: Any, field: Any) -> None:
        if field.data and len(field.data) > self.length:
            raise ValidationError(
                _("Dài %(now)d ký tự, nhiều nhất %(max)d. Rút ngắn rồi lưu lại.", now=len(field.data), max=self.length)
            )


class NotFuture:
    """A date that has happened."""

    def __init__(self, today: Any) -> None:
        self.today = today

    def __call__(self, _form: Any, field: Any) -> None:
        if field.data and field.data > self.today():
            raise ValidationError(_("Ngày này ở tương lai. Kiểm tra lại năm."))


class BirthTextField(Field):
    """A birth date as far as it is known: ``20/09/2025``, ``200925``, ``09/2025`` or ``2025``.

    ``data`` is a date (1 for what is unknown) or None; ``precision`` is day, month or year.
    """

    widget = TextInput()
    precision = "day"

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return date_text(self.data, self.precision)

    def process_formdata(self, valuelist: list[str]) -> None:
        text = (valuelist[0] if valuelist else "").strip()
        self.precision = "day"
        self.data = None
        if not text:
            return
        year = re.match(r"^(?:(\d{1,2})[/.\- ])?(\d{4})$", text, re.ASCII)
        try:
            if year:
                self.precision = "month" if year[1] else "year"
                self.data = date(int(year[2]), int(year[1] or 1), 1)
            else:
                self.data = parse_date(text)
        except ValueError:
            raise ValueError(_("Ngày sinh không có thật. Gõ 20/09/2025, 200925, hoặc chỉ năm sinh 2025.")) from None
