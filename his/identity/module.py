"""What this module contributes."""

from __future__ import annotations

from his.core.i18n import lazy_gettext as _l
from his.core.module import MenuItem, Module
from his.identity.cli import cli
from his.identity.permissions import Permission
from his.identity.views import bp
from his.identity.web import install

module = Module(
    name="identity",
    blueprints=(bp,),
    permissions=tuple(Permission),
    menu=(MenuItem(_l("Tài khoản"), "identity.users", "users", Permission.USER_READ, order=80),),
    cli=(cli,),
    install=install,
)
