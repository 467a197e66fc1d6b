"""Forms of the referral screen."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField
from wtforms.validators import Optional

from his.core.forms import BaseForm, MaxLength, NotBlank, OnceForm
from his.core.i18n import lazy_gettext as _l
from his.referrals.enums import ReferralReason
from his.referrals.models import Referral
from his.referrals.service import ReferralData

REASONS = (
    (ReferralReason.PROPER_LEVEL.value, _l("(1) a) Phù hợp với quy định chuyển cấp chuyên môn kỹ thuật")),
    (ReferralReason.BEYOND_CAPACITY.value, _l("(1) b) Không phù hợp với khả năng đáp ứng của cơ sở")),
    (ReferralReason.ON_REQUEST.value, _l("(2) Theo yêu cầu của người bệnh hoặc người đại diện hợp pháp")),
)
LONG = 2000


class ReferralForm(BaseForm):
    """The content of a referral; completeness is judged by the rules, so that half a draft can be saved."""

    version = HiddenField()
    destination_code = HiddenField(_l("Nơi nhận"))
    reason = RadioField(_l("Lý do chuyển"), choices=REASONS, default=ReferralReason.BEYOND_CAPACITY.value)
    is_commitment_signed = BooleanField(_l("Đã giải thích quyền lợi BHYT và có cam kết 45/BV2 người bệnh ký"))
    clinical_signs = StringField(_l("Tóm tắt dấu hiệu lâm sàng"), [MaxLength(LONG)])
    course = StringField(_l("Quá trình bệnh lý"), [MaxLength(LONG)])
    results_summary = StringField(_l("Kết quả xét nghiệm, cận lâm sàng có giá trị chẩn đoán"), [MaxLength(LONG)])
    procedures = StringField(_l("Phương pháp, thủ thuật đã thực hiện"), [MaxLength(1000)])
    treatment_done = StringField(_l("Kỹ thuật, thuốc điều trị chính đã sử dụng"), [MaxLength(LONG)])
    condition = StringField(_l("Tình trạng người bệnh lúc chuyển"), [MaxLength(1000)])
    plan = StringField(_l("Hướng điều trị"), [MaxLength(1000)])
    result_code = SelectField(_l("Kết quả điều trị"), [Optional()], validate_choice=False)
    is_one_year = BooleanField(_l("Có giá trị trong 01 năm"))
    transport = StringField(_l("Phương tiện vận chuyển"), [MaxLength(255)])
    escort_name = StringField(_l("Người hộ tống"), [MaxLength(255)])
    escort_title = StringField(_l("Chức danh, trình độ"), [MaxLength(255)])

    @classmethod
    def of(cls, referral: Referral) -> ReferralForm:
        """Return the form filled from a draft."""
        form = cls(formdata=None, obj=referral)
        form.reason.data = referral.reason.value
        return form

    def as_data(self) -> ReferralData:
        """Return what was typed."""
        names = (
            "destination_code", "clinical_signs", "course", "results_summary", "treatment_done", "condition", "plan",
            "transport", "procedures", "escort_name", "escort_title", "result_code",
        )  # fmt: skip
        values: dict[str, Any] = {name: self[name].data or "" for name in names}
        return ReferralData(
            **values, reason=ReferralReason(self.reason.data), is_one_year=bool(self.is_one_year.data),
            is_commitment_signed=bool(self.is_commitment_signed.data),
        )  # fmt: skip

    @property
    def seen_version(self) -> int | None:
        """The version the page was opened with."""
        return int(self.version.data) if (self.version.data or "").isdecimal() else None


class ReasonForm(OnceForm):
    """Cancelling or replacing a paper."""

    reason = StringField(_l("Lý do"), [NotBlank(), MaxLength(300)])
