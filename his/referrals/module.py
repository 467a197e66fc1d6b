"""What this module contributes."""

from __future__ import annotations

from his.core.i18n import lazy_gettext as _l
from his.core.module import MenuItem, Module, RecordSection, VisitPanel
from his.referrals import printing, queries
from his.referrals.permissions import Permission
from his.referrals.views import bp

module = Module(
    name="referrals",
    blueprints=(bp,),
    permissions=tuple(Permission),
    menu=(MenuItem(_l("Chuyển cơ sở"), "referrals.worklist", "arrows-exchange", Permission.REFERRAL_READ, order=52),),
    forms=printing.FORMS,
    record_sections=(RecordSection("referrals", _l("Chuyển cơ sở"), queries.record_entries, order=60),),
    visit_panels=(
        VisitPanel("referral", "right", "referrals/_panel.html", queries.visit_panel, Permission.REFERRAL_READ, order=40),
    ),
    visit_checks=(queries.unsigned_draft,),
)
