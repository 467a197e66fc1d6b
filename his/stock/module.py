"""What this module contributes."""

from __future__ import annotations

from his.core.i18n import lazy_gettext as _l
from his.core.module import MenuItem, Module
from his.stock.permissions import Permission
from his.stock.views import bp

module = Module(
    name="stock",
    blueprints=(bp,),
    permissions=tuple(Permission),
    # Doctors read stock in the prescription; the page is the store's.
    menu=(MenuItem(_l("Kho thuốc"), "stock.index", "building-hospital", Permission.STOCK_RECEIVE, order=47),),
)
