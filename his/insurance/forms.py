"""Forms of the claims screens."""

from __future__ import annotations

from wtforms import HiddenField, StringField

from his.core.forms import MaxLength, NotBlank, OnceForm
from his.core.i18n import lazy_gettext as _l


class RebuildForm(OnceForm):
    """Build a claim again: why."""

    reason = StringField(
        _l("Lý do lập lại"), [NotBlank(_l("Lý do lập lại: chưa nhập. Ghi đã sửa gì.")), MaxLength(300)]
    )
    back = HiddenField()


class ClaimActionForm(OnceForm):
    """A decision about one claim (send, check the card)."""

    back = HiddenField()


class MonthForm(OnceForm):
    """A decision about a month (build, send, export)."""

    month = StringField(_l("Tháng"), [NotBlank(_l("Tháng: chưa chọn.")), MaxLength(7)])
