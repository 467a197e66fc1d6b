"""Forms of orders."""

from __future__ import annotations

from wtforms import BooleanField, StringField

from his.core.forms import BaseForm, MaxLength, OnceForm
from his.core.i18n import lazy_gettext as _l


class PlaceForm(OnceForm):
    """Services to order: one code from the search, or several of a set separated by blanks."""

    service_code = StringField(_l("Dịch vụ"), [MaxLength(600)])
    text = StringField(_l("Dịch vụ"), [MaxLength(200)])
    indication = StringField(_l("Chẩn đoán sơ bộ"), [MaxLength(500)])
    is_urgent = BooleanField(_l("Cấp cứu"))

    def codes(self) -> list[str]:
        """Return the chosen codes; what was typed stands for itself when nothing was chosen."""
        return (self.service_code.data or self.text.data or "").split()


class CancelForm(BaseForm):
    """Why an order is taken back."""

    reason = StringField(_l("Lý do"), [MaxLength(300)])
