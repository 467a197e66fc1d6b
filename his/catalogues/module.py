"""What this module contributes."""

from __future__ import annotations

from his.catalogues.cli import cli
from his.catalogues.permissions import Permission
from his.catalogues.views import bp
from his.core.i18n import lazy_gettext as _l
from his.core.module import MenuItem, Module

module = Module(
    name="catalogues",
    blueprints=(bp,),
    permissions=tuple(Permission),
    menu=(MenuItem(_l("Danh mục"), "catalogues.index", "list-details", Permission.CATALOGUE_READ, order=70),),
    cli=(cli,),
)
