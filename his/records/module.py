"""What this module contributes."""

from __future__ import annotations

from flask import url_for

from his.core.i18n import lazy_gettext as _l
from his.core.module import MenuItem, Module, PatientAction, RecordSection
from his.records import sections
from his.records.permissions import Permission
from his.records.views import bp

module = Module(
    name="records",
    blueprints=(bp,),
    permissions=tuple(Permission),
    menu=(MenuItem(_l("Hồ sơ bệnh án"), "records.search", "folder-open", Permission.PATIENT_READ, order=48),),
    record_sections=(RecordSection(sections.VISITS, _l("Lượt khám"), sections.entries, order=5),),
    patient_actions=(
        PatientAction(
            _l("Mở hồ sơ"), "folder-open", Permission.PATIENT_READ,
            lambda patient_id: url_for("records.patient", patient_id=patient_id), order=5,
        ),
        PatientAction(
            _l("Sửa hành chính"), "edit", Permission.PATIENT_WRITE,
            lambda patient_id: url_for("records.edit", patient_id=patient_id), order=80,
        ),
    ),
)  # fmt: skip
