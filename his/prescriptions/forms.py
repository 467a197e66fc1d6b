"""Forms of the prescription editor. One form carries the whole page; its pressed button says what to do."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from wtforms import FieldList, FormField, HiddenField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from his.core.forms import BaseForm, DateTextField, DecimalTextField, MaxLength, NotBlank, OnceForm, parse_decimal
from his.core.i18n import gettext as _
from his.core.i18n import lazy_gettext as _l
from his.prescriptions.enums import OVERRIDE_TEXT
from his.prescriptions.service import LineData

MOST = Decimal(99_999)
FREQUENCIES = (("daily", _l("mỗi ngày")), ("weekly", _l("mỗi tuần")), ("as_needed", _l("khi cần")))


class Whole:
    """A whole number."""

    def __call__(self, _form: Any, field: Any) -> None:
        if field.data is not None and field.data != int(field.data):
            raise ValidationError(_("Chỉ gõ số nguyên."))


class LineForm(BaseForm):
    """One medicine. ``computed`` is the quantity the page showed as following from the dose."""

    class Meta(BaseForm.Meta):
        """The outer form carries the token."""

        csrf = False

    drug = HiddenField(validators=[NotBlank(_l("Chọn lại thuốc."))])
    dose = DecimalTextField(_l("Mỗi lần"), [NotBlank()], low=Decimal(0), high=MOST)
    dose_unit = StringField(_l("Đơn vị"), [NotBlank(), MaxLength(24)])
    times = DecimalTextField(_l("Lần/ngày"), [NotBlank(), Whole()], low=Decimal(1), high=Decimal(24))
    frequency = SelectField(
        _l("Nhịp"), choices=[SelectChoice(value, label) for value, label in FREQUENCIES], default="daily"
    )
    times_text = StringField(_l("Lúc dùng"), [MaxLength(200)])
    days = DecimalTextField(_l("Số ngày"), [NotBlank(), Whole()], low=Decimal(1), high=Decimal(365))
    quantity = DecimalTextField(_l("Tổng"), low=Decimal(0), high=MOST)
    computed = HiddenField()

    def as_data(self) -> LineData:
        """Return the line; a quantity left as computed is computed again."""
        typed = self.quantity.data
        is_own = typed is not None and (self.quantity.raw_data or [""])[0].strip() != (self.computed.data or "").strip()
        return LineData(
            drug_code=self.drug.data, dose_amount=self.dose.data or Decimal(0), dose_unit=self.dose_unit.data,
            times_per_day=int(self.times.data or 0), days=int(self.days.data or 0), times_text=self.times_text.data or "",
            frequency=self.frequency.data or "daily", quantity=typed if is_own else None,
        )  # fmt: skip


class EditorForm(BaseForm):
    """The page: lines, advice, follow-up; ``version`` is the one the page was opened with."""

    prescription_id = HiddenField()
    version = HiddenField()
    add_drug = HiddenField()
    lines = FieldList(FormField(LineForm))
    advice = StringField(_l("Lời dặn"), [MaxLength(1000)])
    follow_up_on = DateTextField(_l("Hẹn khám lại"))

    def lines_data(self) -> list[LineData]:
        """Return the lines as typed."""
        return [entry.form.as_data() for entry in self.lines]


def with_change(lines: list[LineData], do: str) -> list[LineData]:
    """Return the lines after the pressed button; an unknown or stale button changes nothing.

    ``remove:1``, ``dose:0:3,5``, ``days:2:30``, ``times:0:3``, ``quantity:1`` (computed again), ``weekly:0``.
    """
    word, _, rest = do.partition(":")
    place, _, value = rest.partition(":")
    if not place.isdecimal() or int(place) >= len(lines):
        return lines
    position = int(place)
    line = lines[position]
    try:
        if word == "remove":
            return [*lines[:position], *lines[position + 1 :]]
        if word == "dose":
            line = replace(line, dose_amount=parse_decimal(value), quantity=None)
        elif word == "days":
            line = replace(line, days=int(value), quantity=None)
        elif word == "times":
            line = replace(line, times_per_day=int(value), quantity=None)
        elif word == "quantity":
            line = replace(line, quantity=None)
        elif word == "weekly":
            line = replace(line, frequency="weekly", times_per_day=1, quantity=None)
    except ValueError:
        return lines
    return [*lines[:position], line, *lines[position + 1 :]]


class SignForm(OnceForm):
    """Signing: the digest of what was shown comes back."""

    shown = HiddenField()


class CancelForm(OnceForm):
    """Cancelling or replacing a signed prescription."""

    reason = StringField(_l("Lý do"), [NotBlank(), MaxLength(300)])


def override_reasons() -> list[tuple[str, str]]:
    """Return the ready reasons, in their order on the digit keys."""
    words = {
        "benefit": _("Lợi ích lớn hơn nguy cơ"), "tolerated": _("Đã dùng, dung nạp tốt"), "monitored": _("Có theo dõi"),
        "short_course": _("Đợt ngắn ngày"), "specialist": _("Đã hội chẩn"), "data_wrong": _("Dữ liệu cảnh báo chưa đúng"),
    }  # fmt: skip
    return [(reason.value, words[reason.value]) for reason in OVERRIDE_TEXT]
