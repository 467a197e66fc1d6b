"""Forms of the doctor's page and of the nurse's measurements."""

from __future__ import annotations

from decimal import Decimal

from wtforms import HiddenField, SelectField, StringField, TextAreaField

from his.core.forms import BaseForm, DateTextField, DecimalTextField, MaxLength, NotBlank, OnceForm
from his.core.i18n import lazy_gettext as _l

LONGEST = 20_000


class NoteForm(OnceForm):
    """The note with how the visit ends. ``version`` is the note's when the page was opened (0 = none yet)."""

    history = TextAreaField(_l("Bệnh sử"), [MaxLength(LONGEST)])
    past_history = TextAreaField(_l("Tiền sử"), [MaxLength(LONGEST)])
    findings = TextAreaField(_l("Khám"), [MaxLength(LONGEST)])
    conclusion = TextAreaField(_l("Kết luận, hướng xử trí"), [MaxLength(LONGEST)])
    advice = TextAreaField(_l("Lời dặn"), [MaxLength(LONGEST)])
    follow_up_on = DateTextField(_l("Hẹn khám lại"))
    discharge_code = SelectField(_l("Kết thúc lượt khám"), validate_choice=False)
    result_code = SelectField(_l("Kết quả điều trị"), validate_choice=False)
    version = HiddenField()
    page_key = HiddenField()

    def number(self) -> int | None:
        """Return the version the page was opened with; None when it is not a number (an old or hand-made form)."""
        text = self.version.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


class VitalsForm(OnceForm):
    """One set of measurements; limits are the rules' business because they depend on age."""

    temperature = DecimalTextField(_l("Nhiệt độ"))
    pulse = DecimalTextField(_l("Mạch"))
    respiration = DecimalTextField(_l("Nhịp thở"))
    spo2 = DecimalTextField(_l("SpO₂"))
    systolic = DecimalTextField(_l("Huyết áp tâm thu"))
    diastolic = DecimalTextField(_l("Huyết áp tâm trương"))
    weight_kg = DecimalTextField(_l("Cân nặng"))
    height_cm = DecimalTextField(_l("Chiều cao"))

    def values(self) -> dict[str, Decimal | int | None]:
        """Return the typed numbers by column."""
        names = ("temperature", "pulse", "respiration", "spo2", "systolic", "diastolic", "weight_kg", "height_cm")
        return {name: self[name].data for name in names}


class DiagnosisForm(BaseForm):
    """One step on the list of diagnoses: ``action`` is main, other, remove."""

    action = StringField()
    code = StringField(_l("Chẩn đoán"), [MaxLength(8)])


class ReasonForm(BaseForm):
    """A reason for opening a visit again."""

    reason = StringField(_l("Lý do"), [NotBlank(_l("Ghi lý do mở lại, ít nhất 5 ký tự.")), MaxLength(300)])
