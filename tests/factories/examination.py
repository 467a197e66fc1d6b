"""Visits in a clinic with measurements, notes and diagnoses."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from his.catalogues.models import CodeItem, IcdCode
from his.core.actor import Actor
from his.core.db import session, transaction
from his.examination import service
from his.examination.models import ExamNote, VitalSigns
from his.records.models import Patient, Visit
from tests.factories.catalogues import make_code, make_icd
from tests.factories.records import make_child
from tests.factories.registration import register

DISCHARGES = (("1", "Ra viện"), ("2", "Chuyển cơ sở"), ("4", "Xin ra viện"))
RESULTS = (("1", "Khỏi"), ("2", "Đỡ"), ("3", "Không thay đổi"))


def make_lists() -> None:
    """The small lists and diagnosis codes the doctor's page chooses from (made once per test)."""
    if session().query(CodeItem).filter_by(list_name="ma_loai_rv").first() is None:
        for code, name in DISCHARGES:
            make_code("ma_loai_rv", code, name)
        for code, name in RESULTS:
            make_code("ket_qua_dtri", code, name)
    if session().query(IcdCode).first() is None:
        make_icd("J20.9", "Viêm phế quản cấp, không phân loại")
        make_icd("J45.0", "Hen chủ yếu do dị ứng")
        make_icd("J20", "Viêm phế quản cấp", is_never_used=True)
        make_icd("B95.1", "Streptococcus nhóm B gây bệnh phân loại nơi khác", is_never_main=True)
        make_icd("B90.9", "Di chứng lao", is_discouraged_main=True)
        make_icd("R99", "Nguyên nhân tử vong không rõ", is_death_only=True)
        make_icd("O80", "Đẻ thường", sex_only="F", age_min_days=3650)


def make_visit(patient: Patient | None = None, **more: Any) -> Visit:
    """A child of 44 months registered in room 214, waiting."""
    make_lists()
    guardian = {"guardian_name": "Lê Thị Minh Châu", "guardian_phone": "0900000111"}
    return register(patient or make_child(), **{**guardian, **more}).visit


def measure(visit: Visit, actor: Actor, **values: Any) -> VitalSigns:
    """Measure a visit; 38,4 °C and 14,2 kg unless told otherwise."""
    signs = {"temperature": Decimal("38.4"), "weight_kg": Decimal("14.2"), **values}
    with transaction():
        return service.record_vitals(visit.visit_id, signs, actor=actor)


def write_note(visit: Visit, actor: Actor, *, version: int | None = None, page: str = "", **fields: Any) -> ExamNote:
    """Save a note with findings."""
    data = service.NoteData(**{"findings": "Phổi ran ngáy hai bên.", **fields})
    with transaction():
        return service.save_note(visit.visit_id, data, version, page=page, actor=actor)


def diagnose(visit: Visit, actor: Actor, main: str = "J20.9", *others: str) -> None:
    """Set the diagnoses of a visit."""
    with transaction():
        service.set_diagnoses(visit.visit_id, main, others, actor=actor)


def examined(actor: Actor, patient: Patient | None = None, *, follow_up_on: date | None = None, **more: Any) -> Visit:
    """A visit with everything a conclusion needs, not concluded yet."""
    visit = make_visit(patient, **more)
    with transaction():
        service.begin(visit.visit_id, actor=actor)
    measure(visit, actor)
    write_note(visit, actor, follow_up_on=follow_up_on)
    diagnose(visit, actor)
    return visit


def conclude(visit: Visit, actor: Actor, **data: Any) -> Visit:
    """End a visit."""
    values = {"discharge_code": "1", "result_code": "2", **data}
    with transaction():
        return service.conclude(visit.visit_id, service.ConcludeData(**values), actor=actor)


def note_form(**fields: str) -> dict[str, str]:
    """What the browser sends with the doctor's page."""
    return {
        "history": "Ho 4 ngày.", "past_history": "", "findings": "Phổi ran ngáy hai bên.", "conclusion": "", "advice": "",
        "follow_up_on": "", "discharge_code": "1", "result_code": "2", "version": "0", "page_key": "page-1",
        "idempotency_key": "key-1", **fields,
    }  # fmt: skip
