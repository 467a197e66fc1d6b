"""Forms of the laboratory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wtforms import HiddenField, StringField, TextAreaField

from his.core.forms import BaseForm, MaxLength, NotBlank, clean_text
from his.core.i18n import lazy_gettext as _l

PREFIX = "v-"


class FindForm(BaseForm):
    """The scan field of the list."""

    q = StringField(_l("Quét phiếu chỉ định hoặc gõ tên, mã"), [MaxLength(200)])


class ResultForm(BaseForm):
    """Conclusion and the report of critical values; the measured values come beside it, one field per index."""

    conclusion = TextAreaField(_l("Nhận xét"), [MaxLength(1000)])
    critical_note = StringField(_l("Đã báo giá trị báo động cho ai, lúc nào"), [MaxLength(300)])
    seen = HiddenField(_l("Bản đang xem"))

    def seen_version(self) -> int:
        """Return the version of the result the screen showed; -1 (never true) for nonsense."""
        text = self.seen.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


class CorrectForm(BaseForm):
    """Replacing a released result."""

    reason = StringField(_l("Lý do thay kết quả"), [NotBlank(), MaxLength(300)])


class SeenForm(BaseForm):
    """Releasing what the screen showed."""

    seen = HiddenField(_l("Bản đang xem"))

    def seen_version(self) -> int:
        """Return the version of the result the screen showed; -1 (never true) for nonsense."""
        text = self.seen.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def typed_values(form: Any, codes: Iterable[str]) -> dict[str, str]:
    """Return the measured values typed for these indices, cleaned. ``form`` is the request's form."""
    return {code: clean_text(str(form.get(PREFIX + code, ""))) for code in codes}
