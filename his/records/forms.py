"""Forms of the record: administrative data, a card typed by hand, allergies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wtforms import HiddenField, SelectField, StringField

from his.core.errors import Finding
from his.core.forms import BaseForm, BirthTextField, DateTextField, MaxLength, NotBlank, OnceForm
from his.core.i18n import lazy_gettext as _l

SEXES = (("M", _l("Nam")), ("F", _l("Nữ")), ("U", _l("Chưa xác định")))
GUARDIAN_KINDS = (
    ("mother", _l("Mẹ")), ("father", _l("Cha")), ("guardian", _l("Người giám hộ")), ("companion", _l("Người đi cùng")),
)  # fmt: skip
BLOOD_GROUPS = ("", "A+", "A-", "B+", "B-", "AB+", "AB-", "O+", "O-")


class FindForm(BaseForm):
    """The search in the top bar."""

    q = StringField(_l("Tìm người bệnh"))


class PatientForm(BaseForm):
    """Administrative data. ``version`` is the one the page was opened with."""

    version = HiddenField()
    next = HiddenField()
    full_name = StringField(_l("Họ và tên"), [NotBlank()])
    birth_on = BirthTextField(_l("Ngày sinh"))
    birth_time = StringField(_l("Giờ sinh (giờ phút)"), [MaxLength(4)])
    sex = SelectField(_l("Giới tính"), choices=SEXES)
    personal_number = StringField(_l("Số định danh"), filters=[lambda value: "".join((value or "").split())])
    phone = StringField(_l("Điện thoại"), [MaxLength(20)])
    address_line = StringField(_l("Số nhà, đường"), [MaxLength(500)])
    commune_code = HiddenField()
    commune_name = HiddenField()
    ethnicity_code = SelectField(_l("Dân tộc"), validate_choice=False)
    nationality_code = SelectField(_l("Quốc tịch"), validate_choice=False)
    occupation_code = SelectField(_l("Nghề nghiệp"), validate_choice=False)
    workplace = StringField(_l("Nơi làm việc"), [MaxLength(255)])
    blood_group = SelectField(_l("Nhóm máu"), choices=[(g, g or "–") for g in BLOOD_GROUPS])
    guardian_kind = SelectField(_l("Người thân"), choices=GUARDIAN_KINDS)
    guardian_name = StringField(_l("Họ tên người thân"), [MaxLength(255)])
    guardian_phone = StringField(_l("Điện thoại người thân"), [MaxLength(20)])

    def take(self, findings: Iterable[Finding]) -> None:
        """Put what the rules found at the fields they name; the rest stands in the summary."""
        for finding in findings:
            field: Any = self._fields.get(finding.field)
            if field is None:
                self.form_errors.append(finding.message)
            else:
                field.errors = [*field.errors, finding.message]


class CardForm(BaseForm):
    """A card typed by hand, when neither its code nor the insurer's portal can be read."""

    card_number = StringField(
        _l("Số thẻ BHYT"), [NotBlank()], filters=[lambda value: "".join((value or "").split()).upper()]
    )
    registered_facility_code = StringField(_l("Nơi đăng ký (mã 5 ký tự)"), [NotBlank(), MaxLength(5)])
    valid_from = DateTextField(_l("Giá trị từ"), [NotBlank()])
    valid_to = DateTextField(_l("Đến"))


class AllergyForm(OnceForm):
    """One allergy."""

    next = HiddenField()
    substance = StringField(_l("Thuốc hoặc chất"), [NotBlank(), MaxLength(200)])
    reaction = StringField(_l("Biểu hiện"), [MaxLength(200)])
    severity = SelectField(
        _l("Mức độ"), choices=(("", "–"), ("mild", _l("nhẹ")), ("moderate", _l("vừa")), ("severe", _l("nặng"))), default=""
    )
    noted_on = DateTextField(_l("Ghi nhận ngày"))


class ReasonForm(BaseForm):
    """Why an entry is taken back."""

    next = HiddenField()
    reason = StringField(_l("Lý do"), [MaxLength(300)])


