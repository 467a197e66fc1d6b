"""What this module contributes."""

from __future__ import annotations

from his.core.i18n import lazy_gettext as _l
from his.core.module import Module, RecordSection
from his.documents import queries
from his.documents.checks import check_fonts
from his.documents.permissions import Permission
from his.documents.views import bp

module = Module(
    name="documents",
    blueprints=(bp,),
    permissions=tuple(Permission),
    record_sections=(RecordSection("papers", _l("Giấy tờ"), queries.record_entries, order=90),),
    checks={"fonts": check_fonts},
)
