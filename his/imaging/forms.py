"""Forms of imaging."""

from __future__ import annotations

from wtforms import BooleanField, HiddenField, StringField, SubmitField, TextAreaField

from his.core.forms import BaseForm, MaxLength, NotBlank
from his.core.i18n import lazy_gettext as _l


class FindForm(BaseForm):
    """The scan field of the list."""

    q = StringField(_l("Quét phiếu chỉ định hoặc gõ tên, mã"), [MaxLength(200)])


class ReportForm(BaseForm):
    """What was seen and what it means. ``release``: the doctor releases in the same step."""

    description = TextAreaField(_l("Mô tả"), [MaxLength(8000)])
    conclusion = TextAreaField(_l("Kết luận"), [MaxLength(2000)])
    is_abnormal = BooleanField(_l("Có bất thường"))
    seen = HiddenField(_l("Bản đang xem"))
    release = SubmitField(_l("Trả kết quả"))

    def seen_version(self) -> int:
        """Return the version of the report the screen showed; -1 (never true) for nonsense."""
        text = self.seen.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


class CorrectForm(BaseForm):
    """Replacing a released report."""

    reason = StringField(_l("Lý do thay kết quả"), [NotBlank(), MaxLength(300)])
