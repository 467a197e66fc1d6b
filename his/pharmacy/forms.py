"""Forms of the counter."""

from __future__ import annotations

from wtforms import StringField

from his.core.forms import BaseForm, MaxLength, NotBlank, OnceForm
from his.core.i18n import lazy_gettext as _l


class FindForm(BaseForm):
    """One field for a scan, a code or a name."""

    q = StringField(_l("Quét mã đơn hoặc gõ tên"), [MaxLength(200)])


class DispenseForm(OnceForm):
    """Who takes the medicines away."""

    receiver_name = StringField(_l("Người nhận thuốc"), [NotBlank(), MaxLength(255)])
    receiver_id_number = StringField(_l("Số định danh người nhận"), [MaxLength(20)])


class TakeBackForm(OnceForm):
    """Why a hand-over comes back."""

    reason = StringField(_l("Lý do nhận lại"), [NotBlank(), MaxLength(300)])
