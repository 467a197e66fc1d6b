"""What this module contributes."""

from __future__ import annotations

from flask import Flask

from his.catalogues import queries
from his.catalogues.cli import cli
from his.catalogues.permissions import Permission
from his.catalogues.views import bp
from his.core.i18n import lazy_gettext as _l
from his.core.module import MenuItem, Module


def _offer_workplaces(app: Flask) -> None:
    # The sign-in page, a layer below, offers the rooms as workplaces.
    app.extensions["his_workplaces"] = queries.workplaces


module = Module(
    name="catalogues",
    blueprints=(bp,),
    permissions=tuple(Permission),
    menu=(MenuItem(_l("Danh mục"), "catalogues.index", "list-details", Permission.CATALOGUE_READ, order=70),),
    cli=(cli,),
    install=_offer_workplaces,
)
