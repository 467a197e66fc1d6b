"""Forms of the desk: shapes and choices; what they mean is decided by the service."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar

from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField

from his.core.errors import Finding
from his.core.forms import BaseForm, BirthTextField, DateTextField, DecimalTextField, MaxLength, OnceForm
from his.core.i18n import gettext as _
from his.core.i18n import lazy_gettext as _l
from his.registration.service import is_card

GUARDIAN_KINDS = (
    ("mother", _l("Mẹ")), ("father", _l("Cha")), ("guardian", _l("Người giám hộ")), ("companion", _l("Người đi cùng")),
)  # fmt: skip
SEXES = (("M", _l("Nam")), ("F", _l("Nữ")), ("U", _l("Chưa xác định")))
ROUTES = (
    ("", _l("Theo thẻ")), ("CHUYEN", _l("Phiếu chuyển")), ("HEN", _l("Phiếu hẹn")), ("CU_TRU", _l("Tạm trú, lưu trú")),
    ("KHONG_BHYT", _l("Thu phí")),
)  # fmt: skip


class Wanted:
    """Marks a field with the star; whether it may stay empty is decided where the whole is judged."""

    field_flags: ClassVar[dict[str, bool]] = {"required": True}

    def __call__(self, _form: Any, _field: Any) -> None:
        """Accept anything."""


class ScanForm(BaseForm):
    """The one field. Its text is read by the parser as it came: hidden signs must be seen, not washed away."""

    scan = StringField(_l("Quét mã"), filters=[lambda value: value])


class ChooseForm(BaseForm):
    """A patient picked from a list, or to be checked again."""

    patient_id = HiddenField()


class RegisterForm(OnceForm):
    """Everything the desk decides about a visit; the second half only for a person without a record."""

    patient_id = HiddenField()
    state = HiddenField()
    room_code = StringField(_l("Phòng khám"), [MaxLength(12)])
    reason = StringField(_l("Lý do đến khám"), [Wanted(), MaxLength(500)])
    weight_kg = DecimalTextField(_l("Cân nặng (kg)"), low=Decimal("0.3"), high=Decimal(300))
    guardian_kind = SelectField(_l("Là"), choices=GUARDIAN_KINDS, default="mother", validate_choice=False)
    guardian_name = StringField(_l("Người đưa trẻ đến"), [Wanted(), MaxLength(120)])
    guardian_phone = StringField(_l("Điện thoại"), [Wanted(), MaxLength(20)])
    has_fever_39 = BooleanField(_l("Sốt từ 39 °C"))
    is_disabled = BooleanField(_l("Khuyết tật"))
    is_pregnant = BooleanField(_l("Có thai"))
    is_emergency = BooleanField(_l("Cấp cứu"))
    route = RadioField(_l("Đến theo"), choices=ROUTES, default="", validate_choice=False)
    incoming_paper_number = StringField(_l("Số phiếu"), [MaxLength(50)])
    incoming_facility_code = HiddenField()
    incoming_facility_name = HiddenField()
    incoming_signed_on = DateTextField(_l("Ngày ký"))
    incoming_is_one_year = BooleanField(_l("Có giá trị 1 năm"))
    paper_follows = BooleanField(_l("Phiếu nộp sau"))

    full_name = StringField(_l("Họ và tên"), [Wanted()])
    birth_on = BirthTextField(_l("Ngày sinh"), [Wanted()])
    sex = SelectField(_l("Giới tính"), [Wanted()], choices=(("", "–"), *SEXES), validate_choice=False)
    personal_number = StringField(_l("Số định danh"))
    phone = StringField(_l("Điện thoại"), [MaxLength(20)])
    address_line = StringField(_l("Số nhà, đường"), [MaxLength(500)])
    commune_code = HiddenField()
    commune_name = HiddenField()
    card_number = StringField(_l("Số thẻ BHYT"), filters=[lambda value: "".join((value or "").split()).upper()])
    card_from = DateTextField(_l("Giá trị từ"))
    card_to = DateTextField(_l("Đến"))
    card_facility = StringField(_l("Nơi đăng ký (mã)"), [MaxLength(5)])
    wants_temporary_card = BooleanField(_l("Trẻ chưa có thẻ: dùng số thẻ tạm TE1"))
    seen = HiddenField()

    def person_is_whole(self) -> bool:
        """Tell whether the fields of a new person have the right shape; each wrong one gets its sentence.

        What the shapes mean (dates to come, names too long) is judged by the rules of the record.
        """
        number = self.personal_number.data or ""
        if number and not re.match(r"^\d{12}$", number, re.ASCII):
            self._say(self.personal_number, _("Số định danh phải đủ 12 chữ số. Gõ lại số trên căn cước; chưa có thì để trống."))
        if self.birth_on.data is None and not self.birth_on.errors:
            self._say(self.birth_on, _("Ngày sinh: chưa nhập. Chỉ biết năm thì gõ năm sinh."))
        if self.sex.data not in dict(SEXES):
            self._say(self.sex, _("Giới tính: chưa chọn."))
        if not (self.full_name.data or "").strip():
            self._say(self.full_name, _("Họ và tên: chưa nhập."))
        card = self.card_number.data or ""
        if card and not is_card(card):
            self._say(self.card_number, _("Số thẻ BHYT có %(n)d ký tự hoặc sai dạng: cần 15 (2 chữ, 13 số). Gõ lại số thẻ.", n=len(card)))
        first, last = self.card_from.data, self.card_to.data
        if card and is_card(card) and first is None:
            self._say(self.card_from, _("Giá trị từ: chưa nhập. Xem ngày trên thẻ, hoặc bấm «Tra thẻ»."))
        elif card and first and last and last < first:
            self._say(self.card_to, _("Ngày hết hạn trước ngày bắt đầu. Xem lại thẻ."))
        return not self.errors

    @staticmethod
    def _say(field: Any, sentence: str) -> None:
        field.errors = [*field.errors, sentence]

    def take(self, findings: Iterable[Finding]) -> None:
        """Put what the rules found at the fields they name; the rest stands in the summary."""
        for finding in findings:
            field = self._fields.get(finding.field)
            if field is None:
                self.form_errors.append(finding.message)
            else:
                self._say(field, finding.message)


class RoomForm(BaseForm):
    """The clinic a waiting patient is sent to."""

    room_code = StringField(_l("Phòng khám"), [MaxLength(12)])
