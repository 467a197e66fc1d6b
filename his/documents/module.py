"""What this module contributes."""

from __future__ import annotations

from his.core.module import Module
from his.documents.checks import check_fonts
from his.documents.permissions import Permission
from his.documents.views import bp

module = Module(
    name="documents",
    blueprints=(bp,),
    permissions=tuple(Permission),
    checks={"fonts": check_fonts},
)
