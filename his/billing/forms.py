"""Forms of the cashier."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from wtforms import Field, HiddenField, RadioField, StringField
from wtforms.widgets import TextInput

from his.billing.enums import PaymentMethod
from his.core.forms import BaseForm, MaxLength, NotBlank, OnceForm
from his.core.i18n import gettext as _
from his.core.i18n import lazy_gettext as _l
from his.core.i18n import money_text

MONEY = re.compile(r"^(\d{1,12}|\d{1,3}([. ]\d{3}){1,3})$", re.ASCII)
METHODS = (
    (PaymentMethod.CASH.value, _l("Tiền mặt")),
    (PaymentMethod.TRANSFER.value, _l("Chuyển khoản")),
    (PaymentMethod.CARD.value, _l("Thẻ ngân hàng")),
)


class MoneyField(Field):  # type: ignore[misc]
    """Whole đồng typed with or without dots between thousands: ``100000``, ``100.000``. ``data`` is Decimal or None."""

    widget = TextInput()

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return money_text(self.data, unit="")

    def process_formdata(self, valuelist: list[str]) -> None:
        text = (valuelist[0] if valuelist else "").strip()
        self.data = None
        if not text:
            return
        if not MONEY.match(text):
            raise ValueError(_("Chỉ gõ số đồng, ví dụ 100.000."))
        self.data = Decimal(re.sub(r"[. ]", "", text))


class FindForm(BaseForm):
    """The cashier's scan field."""

    q = StringField(_l("Quét phiếu hoặc gõ tên, mã"), [MaxLength(200)])


class PayForm(OnceForm):
    """Taking the money of a visit. ``expected`` is the amount the screen showed."""

    expected = HiddenField(_l("Số tiền trên màn hình"), [NotBlank()])
    method = RadioField(_l("Cách trả"), choices=METHODS, default=PaymentMethod.CASH.value)
    tendered = MoneyField(_l("Tiền khách đưa"))

    def amount(self) -> Decimal:
        """Return the amount the screen showed. Raises ValueError for anything but digits."""
        text: Any = self.expected.data or ""
        if not re.fullmatch(r"\d{1,12}", text, re.ASCII):
            raise ValueError(text)
        return Decimal(text)


class VoidForm(BaseForm):
    """Taking a settlement back."""

    reason = StringField(_l("Lý do hủy"), [NotBlank(), MaxLength(300)])
