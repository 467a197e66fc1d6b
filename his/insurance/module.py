"""What this module contributes."""

from __future__ import annotations

from his.core.i18n import lazy_gettext as _l
from his.core.module import MenuItem, Module, Schedule
from his.insurance import tasks
from his.insurance.cli import cli
from his.insurance.permissions import Permission
from his.insurance.queries import SEND_KIND
from his.insurance.views import bp

module = Module(
    name="insurance",
    blueprints=(bp,),
    permissions=tuple(Permission),
    menu=(MenuItem(_l("Giám định"), "insurance.workbench", "checklist", Permission.CLAIM_READ, order=49),),
    schedules=(
        Schedule(tasks.BUILD_TASK, 60),
        Schedule(tasks.FOLLOW_TASK, 30),
        Schedule(tasks.RESUME_TASK, 30),
    ),
    cli=(cli,),
    outbox={SEND_KIND: tasks.deliver_claim},
    tasks="his.insurance.tasks",
)
