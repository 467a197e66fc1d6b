"""What this module contributes."""

from __future__ import annotations

from his.core.i18n import lazy_gettext as _l
from his.core.module import MenuItem, Module
from his.dashboards.permissions import Permission
from his.dashboards.views import bp

module = Module(
    name="dashboards",
    blueprints=(bp,),
    permissions=tuple(Permission),
    menu=(MenuItem(_l("Điều hành"), "dashboards.home", "chart-bar", Permission.DASHBOARD_READ, order=50),),
)
