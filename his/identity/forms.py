"""Forms of the door and of account management."""

from __future__ import annotations

from wtforms import BooleanField, PasswordField, RadioField, SelectField, SelectMultipleField, StringField

from his.core.forms import BaseForm, MaxLength, NotBlank
from his.core.i18n import lazy_gettext as _l


class LoginForm(BaseForm):
    """Name and password; nothing tells which of them was wrong."""

    username = StringField(_l("Tên đăng nhập"), [NotBlank(), MaxLength(60)])
    password = PasswordField(_l("Mật khẩu"), [NotBlank(), MaxLength(128)])
    workplace = SelectField(_l("Nơi làm việc"), choices=[], validate_choice=False)
    code = StringField(_l("Mã xác thực"), [MaxLength(10)])


class PasswordForm(BaseForm):
    """Change of the own password."""

    old = PasswordField(_l("Mật khẩu hiện tại"), [NotBlank(), MaxLength(128)])
    new = PasswordField(_l("Mật khẩu mới"), [NotBlank(), MaxLength(128)])


class PinForm(BaseForm):
    """The signing PIN."""

    password = PasswordField(_l("Mật khẩu"), [NotBlank(), MaxLength(128)])
    pin = PasswordField(_l("Mã ký 6 số"), [NotBlank(), MaxLength(6)])


class TotpForm(BaseForm):
    """The second factor."""

    password = PasswordField(_l("Mật khẩu"), [NotBlank(), MaxLength(128)])
    code = StringField(_l("Mã xác thực"), [MaxLength(10)])


class PreferencesForm(BaseForm):
    """Language and colours."""

    language = RadioField(_l("Ngôn ngữ"), choices=[("vi", "Tiếng Việt"), ("en", "English")])
    theme = RadioField(_l("Màu nền"), choices=[("light", _l("Sáng")), ("dark", _l("Tối"))])


class UserForm(BaseForm):
    """An account with its staff profile."""

    username = StringField(_l("Tên đăng nhập"), [NotBlank(), MaxLength(60)])
    display_name = StringField(_l("Họ và tên"), [NotBlank(), MaxLength(120)])
    title = StringField(_l("Chức danh"), [MaxLength(20)])
    roles = SelectMultipleField(_l("Vai trò"), validate_choice=False)
    licence_number = StringField(_l("Số giấy phép hành nghề"), [MaxLength(60)])
    insurer_code = StringField(_l("Mã nhân viên BHXH"), [MaxLength(20)])
    personal_number = StringField(_l("Số định danh"), [MaxLength(12)])
    department_code = StringField(_l("Mã khoa"), [MaxLength(20)])
    default_room = StringField(_l("Phòng làm việc"), [MaxLength(12)])
    is_authorised_signer = BooleanField(_l("Được ký thay mặt cơ sở"))
    is_active = BooleanField(_l("Đang hoạt động"), default=True)
