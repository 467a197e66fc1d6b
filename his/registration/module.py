"""What this module contributes."""

from __future__ import annotations

from flask import Flask, url_for

from his.core import clock
from his.core.i18n import lazy_gettext as _l
from his.core.module import MenuItem, Module, PatientAction
from his.registration import printing, queries
from his.registration.cli import cli
from his.registration.permissions import Permission
from his.registration.views import bp


def install(app: Flask) -> None:
    """Tell the log-in page where people may work."""
    app.extensions["his_workplaces"] = lambda: queries.workplaces(clock.today())


module = Module(
    name="registration",
    blueprints=(bp,),
    permissions=tuple(Permission),
    menu=(
        MenuItem(_l("Tiếp đón"), "registration.desk", "id", Permission.VISIT_OPEN, order=10),
        MenuItem(_l("Hàng đợi"), "registration.queue", "users", Permission.QUEUE_READ, order=55),
    ),
    forms=printing.FORMS,
    cli=(cli,),
    patient_actions=(
        PatientAction(
            _l("Tiếp đón"), "id", Permission.VISIT_OPEN, lambda patient_id: url_for("registration.desk", p=patient_id), order=10
        ),
    ),
    install=install,
)
