"""What this module contributes."""

from __future__ import annotations

from his.audit.cli import cli
from his.audit.permissions import Permission
from his.audit.tasks import SEAL_TASK
from his.audit.views import bp
from his.core.i18n import lazy_gettext as _l
from his.core.module import MenuItem, Module, Schedule

module = Module(
    name="audit",
    blueprints=(bp,),
    permissions=tuple(Permission),
    menu=(MenuItem(_l("Nhật ký"), "audit.events", "history", Permission.EVENT_READ, order=90),),
    schedules=(Schedule(SEAL_TASK, 30),),
    cli=(cli,),
    tasks="his.audit.tasks",
)
