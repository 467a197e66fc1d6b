"""What this module contributes."""

from __future__ import annotations

from his.core.i18n import lazy_gettext as _l
from his.core.module import MenuItem, Module
from his.pharmacy.permissions import Permission
from his.pharmacy.views import bp

module = Module(
    name="pharmacy",
    blueprints=(bp,),
    permissions=tuple(Permission),
    menu=(MenuItem(_l("Cấp thuốc"), "pharmacy.worklist", "pill", Permission.PRESCRIPTION_READ, order=45),),
)
