"""Measurements: the nurse's page, and the same act from the doctor's strip."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for

from his.audit import service as audit
from his.core.db import transaction
from his.core.errors import RuleBroken
from his.core.i18n import decimal_text
from his.core.i18n import gettext as _
from his.core.once import once
from his.core.permissions import current_actor, may, require
from his.examination import queries, service
from his.examination.forms import VitalsForm
from his.examination.permissions import Permission
from his.examination.views.base import bp, visit_url, wants_json
from his.examination.views.worklist import readings_of
from his.records import queries as records_queries
from his.records.enums import VisitState
from his.records.models import Visit

ORDER = ("weight_kg", "height_cm", "temperature", "pulse", "respiration", "spo2", "systolic", "diastolic")


@dataclass(frozen=True, slots=True)
class SignField:
    """One number to type, with the limits of this age."""

    name: str
    label: str
    unit: str
    low: str
    high: str
    hard_low: str
    hard_high: str

    @property
    def attrs(self) -> dict[str, str]:
        """What the script needs to judge while typing."""
        return {
            "inputmode": "decimal", "data-low": self.low.replace(",", "."), "data-high": self.high.replace(",", "."),
            "data-hard-low": self.hard_low.replace(",", "."), "data-hard-high": self.hard_high.replace(",", "."),
        }  # fmt: skip


def sign_fields(age_days: int) -> list[SignField]:
    """Return the fields in the order a nurse measures, with normal and possible ranges of this age."""
    fields = []
    for name in ORDER:
        _sign, label, unit, _decimals = service.SIGNS[name]
        normal = service.range_of(name, age_days)
        hard_low, hard_high = service.limits_of(name, age_days)
        fields.append(
            SignField(
                name, label, unit, _limit(normal.low if normal else None), _limit(normal.high if normal else None),
                decimal_text(hard_low), decimal_text(hard_high),
            )
        )  # fmt: skip
    return fields


def _limit(value: Decimal | None) -> str:
    return decimal_text(value)


def _draw(visit: Visit, form: VitalsForm, status: int = 200) -> Any:
    signs = queries.measurements(visit.patient_id, 20)
    age_days = (visit.service_on - visit.patient.birth_on).days
    weighed = next((s for s in signs if s.weight_kg is not None), None)
    banner = records_queries.banner_of(
        visit.patient, visit, weighed.weight_kg if weighed else None, weighed.measured_at if weighed else None
    )
    rows = [(s, readings_of(s, age_days), s.visit_id == visit.visit_id) for s in signs[:8]]
    is_open = visit.state in (VisitState.OPEN, VisitState.IN_EXAM)
    return render_template(
        "examination/vitals.html", visit=visit, b=banner, form=form, fields=sign_fields(age_days), rows=rows, is_open=is_open,
    ), status  # fmt: skip


@bp.route("/visits/<int:visit_id>/vitals", methods=["GET", "POST"])
@require(Permission.VITALS_WRITE)
def vitals(visit_id: int) -> Any:
    """Measure: type, see at once what is out of range for the age, save."""
    actor = current_actor()
    form = VitalsForm()
    if request.method == "POST":
        return _saved(visit_id, form)
    visit = records_queries.allowed(actor, queries.visit_page(visit_id))
    audit.viewed(actor, visit.patient_id, "vitals", visit_id=visit_id)
    return _draw(visit, form)


def _saved(visit_id: int, form: VitalsForm) -> Any:
    actor = current_actor()
    if form.validate_on_submit():
        values = form.values()
        try:
            with transaction():
                records_queries.get_for(actor, visit_id)
                result = once(
                    form.idempotency_key.data or "", action="examination.vitals", actor=actor,
                    body={"visit": visit_id, **{k: str(v) for k, v in values.items()}},
                    effect=lambda: {"vitals_id": service.record_vitals(visit_id, values, actor=actor).vitals_id},
                )  # fmt: skip
        except RuleBroken as error:
            for finding in error.findings:
                form[finding.field].errors = [*form[finding.field].errors, finding.message]
        else:
            if wants_json():
                return jsonify(ok=True, vitals_id=result["vitals_id"])
            flash(_("Đã lưu sinh hiệu."), "success")
            if may(Permission.NOTE_WRITE) and request.form.get("then") != "list":
                return redirect(visit_url(visit_id), 303)
            return redirect(url_for("examination.worklist", visit=visit_id), 303)
    if wants_json():
        findings = [{"field": name, "message": " ".join(str(m) for m in texts)} for name, texts in form.errors.items()]
        return jsonify(code="vitals", message=" ".join(f["message"] for f in findings), findings=findings), 422
    return _draw(records_queries.allowed(actor, queries.visit_page(visit_id)), form, 422)


@bp.post("/visits/<int:visit_id>/vitals/<int:vitals_id>/void")
@require(Permission.VITALS_WRITE)
def void_vitals(visit_id: int, vitals_id: int) -> Any:
    """Take a wrong set back; it stays readable in the record."""
    actor = current_actor()
    with transaction():
        records_queries.get_for(actor, visit_id)
        service.void_vitals(visit_id, vitals_id, request.form.get("reason", ""), actor=actor)
    if wants_json():
        return jsonify(ok=True)
    flash(_("Đã bỏ lần đo nhập nhầm."), "success")
    return redirect(url_for("examination.vitals", visit_id=visit_id), 303)
