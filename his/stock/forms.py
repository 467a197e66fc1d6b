"""Forms of the store."""

from __future__ import annotations

from decimal import Decimal

from wtforms import HiddenField, StringField

from his.core.forms import BaseForm, DateTextField, DecimalTextField, MaxLength, NotBlank, OnceForm
from his.core.i18n import lazy_gettext as _l


class SearchForm(BaseForm):
    """Narrow the list."""

    q = StringField(_l("Tìm thuốc"), [MaxLength(200)])


class ReceiveForm(OnceForm):
    """A lot that arrived."""

    drug_code = HiddenField(validators=[NotBlank(_l("Chọn thuốc."))])
    lot_number = StringField(_l("Số lô"), [NotBlank(), MaxLength(40)])
    expires_on = DateTextField(_l("Hạn dùng"), [NotBlank()])
    quantity = DecimalTextField(_l("Số lượng"), [NotBlank()], low=Decimal("0.001"), high=Decimal(10_000_000))
    reason = StringField(_l("Chứng từ"), [MaxLength(300)])


class CorrectForm(OnceForm):
    """What was counted, and why it differs."""

    counted = DecimalTextField(_l("Đếm được"), [NotBlank()], low=Decimal(0), high=Decimal(10_000_000))
    reason = StringField(_l("Lý do"), [NotBlank(), MaxLength(300)])
