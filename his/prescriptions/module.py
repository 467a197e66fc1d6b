"""What this module contributes."""

from __future__ import annotations

from his.core.i18n import lazy_gettext as _l
from his.core.module import Module, RecordSection, VisitPanel
from his.prescriptions import printing, service, tasks
from his.prescriptions.cli import cli
from his.prescriptions.permissions import Permission
from his.prescriptions.queries import panels
from his.prescriptions.views import bp

module = Module(
    name="prescriptions",
    blueprints=(bp,),
    permissions=tuple(Permission),
    forms=printing.FORMS,
    cli=(cli,),
    tasks="his.prescriptions.tasks",
    outbox={service.SEND: tasks.deliver},
    record_sections=(RecordSection("prescriptions", _l("Đơn thuốc"), panels.record_entries, order=40),),
    visit_panels=(
        VisitPanel(
            "prescription",
            "right",
            "prescriptions/_panel.html",
            panels.visit_panel,
            Permission.PRESCRIPTION_READ,
            order=30,
        ),
    ),
    visit_checks=(panels.unsigned_draft,),
)
