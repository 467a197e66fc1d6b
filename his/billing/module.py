"""What this module contributes."""

from __future__ import annotations

from his.billing import printing
from his.billing.permissions import Permission
from his.billing.views import bp
from his.core.i18n import lazy_gettext as _l
from his.core.module import MenuItem, Module

module = Module(
    name="billing",
    blueprints=(bp,),
    permissions=tuple(Permission),
    menu=(MenuItem(_l("Thu ngân"), "billing.worklist", "cash", Permission.PAYMENT_TAKE, order=40),),
    forms=printing.FORMS,
)
