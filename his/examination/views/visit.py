"""The doctor's page of one visit: one place for everything a plain visit needs."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from flask import abort, current_app, flash, g, jsonify, redirect, render_template, request, url_for
from jinja2.environment import TemplateModule

from his.audit import service as audit
from his.core import clock
from his.core.actor import Actor
from his.core.db import session, transaction
from his.core.errors import DomainError, Finding, RuleBroken, Severity
from his.core.i18n import age_parts, date_text, select_locale, time_text
from his.core.i18n import gettext as _
from his.core.i18n import lazy_gettext as _l
from his.core.module import VisitPanel, registry
from his.core.once import once
from his.core.permissions import current_actor, may, require
from his.documents.permissions import Permission as DocumentPermission
from his.examination import queries, service
from his.examination.enums import DiagnosisKind
from his.examination.errors import DraftElsewhere, NoteChanged
from his.examination.forms import DiagnosisForm, NoteForm, ReasonForm
from his.examination.permissions import Permission
from his.examination.views.base import bp, fragment, visit_url, wants_json
from his.examination.views.worklist import readings_of
from his.records import queries as records_queries
from his.records.enums import VisitState
from his.records.models import Visit

log = structlog.get_logger(__name__)
AREAS = ("left", "middle", "right")
# Ways of leaving that belong to the referral paper, which sets them itself (R6).
REFERRAL_CODES = ("2", "5")
DEFAULT_DISCHARGE, DEFAULT_RESULT = "1", "2"
FOLLOW_UP_DAYS = (2, 3, 5, 7, 14, 30)
FIELDS = (*service.NOTE_FIELDS, "follow_up_on")
# Short names of what may be missing, and whether it is a matter of waiting.
SHORT: Mapping[str, Any] = {
    "main_missing": _l("Chẩn đoán"), "findings_missing": _l("Khám"), "weight_missing": _l("Cân nặng"),
    "result_missing": _l("Kết quả điều trị"), "discharge_missing": _l("Cách kết thúc"), "follow_up_past": _l("Ngày hẹn"),
    "orders_open": _l("Chờ kết quả"), "rx_unsigned": _l("Đơn thuốc chưa ký"),
}  # fmt: skip
WAITING = ("orders_open",)
# Sections of the assembled record whose lines the outpatient record repeats in words.
RESULT_SECTIONS = ("laboratory", "imaging")
TREATMENT_SECTIONS = ("prescriptions",)
# Printed papers repeat what their sections tell; they are looked up in the record itself.
NOT_IN_HISTORY = ("papers",)


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of "before signing": ``tone`` ok, warn or bad; the page stays unsigned while one blocks."""

    code: str
    text: str
    href: str
    tone: str
    blocks: bool
    full: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two texts of one note: mine as typed, theirs as stored."""

    by: str
    at: str
    version: int
    rows: tuple[tuple[str, str, str, str], ...]  # field, label, stored, mine


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the doctor's page shows of its own; panels of other modules come as parts."""

    visit: Visit
    banner: Any
    readings: list[Any]
    measured_at: Any
    weight_line: Any
    note: Any
    ticket: Any
    form: NoteForm
    main: Any
    others: list[Any]
    used: list[tuple[str, str, int]]
    items: list[Item]
    can_write: bool
    can_conclude: bool
    is_open: bool
    is_checked: bool
    page_key: str
    draft_token: str
    restored_at: str
    mark: int
    discharges: list[tuple[str, str]]
    results: list[tuple[str, str]]
    follow_ups: list[tuple[str, str]]
    conflict: Conflict | None = None
    findings: Sequence[Finding] = ()
    panels: Mapping[str, list[TemplateModule]] = field(default_factory=dict)


def _choices(rows: list[tuple[str, str, str]], skip: Sequence[str] = ()) -> list[tuple[str, str]]:
    english = select_locale() == "en"
    return [(code, name_en if english and name_en else name) for code, name, name_en in rows if code not in skip]


def _visit(visit_id: int) -> tuple[Visit, Actor]:
    actor = current_actor()
    return records_queries.allowed(actor, queries.visit_page(visit_id)), actor


def _stored_values(facts: queries.NoteFacts, visit: Visit) -> dict[str, str]:
    note = facts.note
    values = {name: getattr(note, name) if note else "" for name in service.NOTE_FIELDS}
    values["follow_up_on"] = date_text(note.follow_up_on) if note else ""
    values["discharge_code"] = visit.discharge_code or DEFAULT_DISCHARGE
    values["result_code"] = visit.result_code or DEFAULT_RESULT
    values["version"] = str(note.version) if note else "0"
    return values


def _filled_form(facts: queries.NoteFacts, visit: Visit, *, is_open: bool) -> tuple[NoteForm, str]:
    """Return the form with what is stored, or with the newer draft of this author; and when the draft was kept."""
    stored = _stored_values(facts, visit)
    typed = dict(facts.draft.fields) if facts.draft is not None and is_open else {}
    is_newer = any(str(typed[name]).strip() != stored[name].strip() for name in (*FIELDS, "discharge_code", "result_code") if name in typed)
    values = {**stored, **{k: str(v) for k, v in typed.items() if k in stored}} if is_newer else stored
    form = NoteForm(formdata=None)
    for name, value in values.items():
        if name == "follow_up_on":
            # Half-typed dates of a draft are shown as they were typed.
            form.follow_up_on.raw_data = [value] if value else None
        else:
            form[name].data = value
    return form, time_text(facts.draft.saved_at, seconds=True) if is_newer and facts.draft is not None else ""


def _items(visit: Visit, form: NoteForm, has_main: bool, others: Sequence[Finding]) -> list[Item]:
    """Say what is missing before signing, each with the part of the page that mends it."""
    months = (visit.service_on.year - visit.patient.birth_on.year) * 12 + visit.service_on.month - visit.patient.birth_on.month
    missing = service.check_conclusion(
        service.ConclusionFacts(
            has_main=has_main, has_findings=bool((form.findings.data or "").strip()), needs_weight=months < 72,
            has_weight=visit.weight_kg is not None, open_orders=0, unsigned_prescription=False,
            discharge_code=form.discharge_code.data or "", result_code=form.result_code.data or "", follow_up_on=None,
            today=clock.today(),
        )
    )  # fmt: skip
    found = {f.code: f for f in missing}
    always = ["main_missing", "findings_missing", *(["weight_missing"] if months < 72 else [])]
    fields = {"main_missing": "main_icd", "findings_missing": "findings", "weight_missing": "weight_kg"}
    items = [
        Item(code, str(SHORT[code]), fields[code], "bad" if code in found else "ok", code in found,
             found[code].message if code in found else "")
        for code in always
    ]  # fmt: skip
    items += [_item(f) for f in missing if f.code not in always]
    return items + [_item(f) for f in others]


def _item(finding: Finding) -> Item:
    blocks = finding.severity is Severity.ERROR
    tone = "warn" if finding.code in WAITING or not blocks else "bad"
    return Item(finding.code, str(SHORT.get(finding.code, finding.message)), finding.field, tone, blocks, finding.message)


def _page(
    visit: Visit, actor: Actor, *, form: NoteForm | None = None, conflict: Conflict | None = None,
    findings: Sequence[Finding] = (), inline: bool = False, live: bool = False,
) -> Page:  # fmt: skip
    """Gather the page: five statements, however long the patient's history.

    What other modules find missing is asked with the live part right after (``live``), or at once for a browser without
    scripts (``inline``): the more modules, the more questions, and the page itself shall not wait for them.
    """
    facts = queries.note_facts(visit.visit_id, actor.user_id)
    signs = queries.measurements(visit.patient_id)
    mine = [s for s in signs if s.visit_id == visit.visit_id]
    diagnoses = queries.diagnosis_facts(visit.visit_id, visit.patient_id)
    discharges, results = ([], []) if live else queries.outcome_choices(visit.service_on)
    is_open = visit.state in (VisitState.OPEN, VisitState.IN_EXAM)
    weighed = next((s for s in signs if s.weight_kg is not None), None)
    tall = next((s.height_cm for s in signs if s.height_cm is not None), None)
    restored = ""
    if form is None:
        form, restored = _filled_form(facts, visit, is_open=is_open)
    main = next((d for d in diagnoses.current if d.kind is DiagnosisKind.MAIN), None)
    checks = registry().visit_findings(visit.visit_id) if is_open and (live or inline) else []
    weights = [(clock.local(s.measured_at).date(), s.weight_kg) for s in reversed(signs) if s.weight_kg is not None]
    can_write = is_open and actor.may(Permission.NOTE_WRITE)
    today = clock.today()
    return Page(
        visit=visit,
        banner=records_queries.banner_of(
            visit.patient, visit, weighed.weight_kg if weighed else None, weighed.measured_at if weighed else None, tall
        ),
        readings=readings_of(mine[0] if mine else None, (visit.service_on - visit.patient.birth_on).days),
        measured_at=mine[0].measured_at if mine else None,
        weight_line=service.weight_chart(weights, visit.patient.birth_on),
        note=facts.note, ticket=facts.ticket, form=form, main=main,
        others=[d for d in diagnoses.current if d.kind is DiagnosisKind.OTHER],
        used=[u for u in diagnoses.used if u[0] not in {d.icd_code for d in diagnoses.current}][:5],
        items=_items(visit, form, main is not None, checks) if is_open else [],
        can_write=can_write, can_conclude=is_open and actor.may(Permission.VISIT_CONCLUDE), is_open=is_open, is_checked=live or inline or not is_open,
        page_key=secrets.token_hex(12), draft_token=facts.draft.token if facts.draft is not None else "",
        restored_at=restored, mark=facts.mark,
        discharges=_choices(discharges, REFERRAL_CODES if visit.discharge_code not in REFERRAL_CODES else ()),
        results=_choices(results),
        follow_ups=[(str(n), date_text(today + timedelta(days=n))) for n in FOLLOW_UP_DAYS],
        conflict=conflict, findings=findings,
        panels={area: _panels(area, visit.visit_id, actor) for area in AREAS} if inline else {},
    )  # fmt: skip


def _panels(area: str, visit_id: int, actor: Actor) -> list[TemplateModule]:
    """Draw the panels of an area this person may read. One that fails says so in its place; the others stay."""
    return [_panel(p, visit_id, actor) for p in registry().visit_panels(area) if actor.may(p.permission)]


def _panel(panel: VisitPanel, visit_id: int, actor: Actor) -> TemplateModule:
    try:
        return _drawn(panel.template, p=panel.values(visit_id, actor))
    except Exception:  # whatever fails in a part must not take the page along (UI guide §8)
        log.exception("panel_failed", ref=g.get("request_ref", ""), panel=panel.code)
        session().rollback()
        return _drawn("examination/_failed.html", code=panel.code, reference=g.get("request_ref", ""))


def _drawn(template: str, **values: Any) -> TemplateModule:
    """Draw a template now (its faults show here) as something another template prints as it is: Jinja escaped it."""
    current_app.update_template_context(values)
    return current_app.jinja_env.get_template(template).make_module(values)


def _render(page: Page, status: int = 200) -> Any:
    months = age_parts(page.visit.patient.birth_on, page.visit.service_on)[1]
    return render_template("examination/visit.html", p=page, templates=service.note_templates(months)), status


@bp.get("/visits/<int:visit_id>")
@require(Permission.NOTE_READ)
def visit(visit_id: int) -> Any:
    """The page. ``?parts=all`` draws the panels of other modules at once, for a browser without scripts."""
    found, actor = _visit(visit_id)
    page = _page(found, actor, inline=request.args.get("parts") == "all")
    audit.viewed(actor, found.patient_id, "visit", visit_id=visit_id)
    return _render(page)


@bp.get("/visits/<int:visit_id>/version")
@require(Permission.NOTE_READ)
def visit_version(visit_id: int) -> Any:
    """The mark of the newest change, so that an open page asks for parts only when something happened."""
    found = records_queries.get_for(current_actor(), visit_id)
    return jsonify(version=str(queries.change_mark(found.patient_id)))


@bp.get("/visits/<int:visit_id>/parts/<area>")
@require(Permission.NOTE_READ)
def visit_part(visit_id: int, area: str) -> Any:
    """A live part of the page: ``own`` (banner, signs, diagnoses, before signing) or the panels of an area."""
    if area == "own":
        found, actor = _visit(visit_id)
        return fragment(render_template("examination/_own.html", p=_page(found, actor, live=True)))
    if area not in AREAS:
        abort(404)
    actor = current_actor()
    found = records_queries.get_for(actor, visit_id)
    entries = _history(found, actor) if area == "left" else []
    return fragment(
        render_template(
            "examination/_area.html", area=area, panels=_panels(area, visit_id, actor), entries=entries, visit=found
        )
    )


def _history(visit: Visit, actor: Actor, limit: int = 40) -> list[Any]:
    """Return the record's rows of the last 12 visits, newest first: one statement per section."""
    visits = records_queries.visits_of(visit.patient_id, limit=12)
    ids = [v.visit_id for v in visits]
    sections = [section for section in registry().record_sections() if section.code not in NOT_IN_HISTORY]
    rows = [entry for section in sections for entry in section.entries(visit.patient_id, ids, actor)]
    rows.sort(key=lambda entry: entry.at, reverse=True)
    return rows[:limit]


@bp.get("/visits/<int:visit_id>/icd")
@require(Permission.NOTE_READ)
def find_icd(visit_id: int) -> Any:
    """Search diagnoses for this patient: codes used before come first."""
    found = records_queries.get_for(current_actor(), visit_id)
    items = []
    for hit in queries.find_icd(request.args.get("q", ""), found.patient_id):
        side = hit.bar or hit.side
        if hit.times and not hit.bar:
            side = _("đã dùng %(n)d lần", n=hit.times) + (f" · {side}" if side else "")
        items.append({"id": hit.code, "code": hit.code, "label": hit.name, "detail": side, "disabled": bool(hit.bar)})
    return jsonify(items=items)


@bp.get("/visits/<int:visit_id>/last-note")
@require(Permission.NOTE_READ)
def last_note(visit_id: int) -> Any:
    """The sections of the patient's last closed note, for copying."""
    found = records_queries.get_for(current_actor(), visit_id)
    note = queries.last_note(found.patient_id, visit_id)
    fields = {name: getattr(note, name) for name in service.NOTE_FIELDS} if note else {}
    message = _("Đã chép lần %(day)s.", day=date_text(note.closed_at)) if note else _("Chưa có lần khám trước để chép.")
    return jsonify(fields=fields, message=message)


@bp.post("/visits/<int:visit_id>/draft")
@require(Permission.NOTE_WRITE)
def save_draft(visit_id: int) -> Any:
    """Keep what is being typed; the answer says when."""
    actor = current_actor()
    data = request.get_json(silent=True) or {}
    fields, counter = data.get("fields"), data.get("counter")
    if not isinstance(fields, dict) or not isinstance(counter, int):
        abort(400)
    try:
        with transaction():
            records_queries.get_for(actor, visit_id)
            saved = service.save_draft(
                visit_id, fields, counter, page=str(data.get("page", "")), base=str(data.get("base", "")), actor=actor
            )
    except DraftElsewhere as error:
        return jsonify(
            code=error.code, message=error.message, fields=error.stored, token=error.token,
            saved_at=time_text(error.saved_at, seconds=True),
        ), 409  # fmt: skip
    return jsonify(saved_at=time_text(saved.saved_at, seconds=True), token=saved.token, stored=saved.is_stored)


@bp.post("/visits/<int:visit_id>/draft/discard")
@require(Permission.NOTE_WRITE)
def discard_draft(visit_id: int) -> Any:
    """Throw the own draft away and show what is saved."""
    actor = current_actor()
    with transaction():
        records_queries.get_for(actor, visit_id)
        service.discard_draft(visit_id, page=request.form.get("page_key", ""), actor=actor)
    return redirect(visit_url(visit_id), 303)


def _data(form: NoteForm) -> service.NoteData:
    return service.NoteData(
        follow_up_on=form.follow_up_on.data, **{name: form[name].data or "" for name in service.NOTE_FIELDS}
    )


def _version(form: NoteForm) -> int:
    """The version to save over: the one the doctor chose after seeing both texts, else the one the page opened with.

    A form without one (hand-made, broken) counts as opened on an empty note: it never overwrites what is stored unseen.
    """
    chosen = request.form.get("use_version", "")
    return int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 10 else form.number() or 0


def _refused(visit_id: int, form: NoteForm, error: DomainError | None) -> Any:
    """Show the page again with everything as typed, and what to do."""
    found, actor = _visit(visit_id)
    conflict = None
    findings: Sequence[Finding] = ()
    if isinstance(error, NoteChanged):
        labels = {name: str(form[name].label.text) for name in FIELDS}
        typed = {name: request.form.get(name, "") for name in FIELDS}
        rows = tuple(
            (name, labels[name], error.stored.get(name, ""), typed[name])
            for name in FIELDS
            if error.stored.get(name, "").strip() != typed[name].strip()
        )
        conflict = Conflict(error.by, time_text(error.saved_at), error.version, rows)
    elif isinstance(error, RuleBroken):
        findings = error.findings
    elif error is not None:
        findings = [Finding(error.code, "", error.message)]
    status = error.http_status if error is not None else 422
    if wants_json():
        return jsonify(code=error.code if error else "form", message=_sentence(form, error)), status
    return _render(_page(found, actor, form=form, conflict=conflict, findings=findings), status)


def _sentence(form: NoteForm, error: DomainError | None) -> str:
    if error is not None:
        return error.message
    return " ".join(str(text) for texts in form.errors.values() for text in texts)


@bp.post("/visits/<int:visit_id>/note")
@require(Permission.NOTE_WRITE)
def save_note(visit_id: int) -> Any:
    """Save the note and stay, or go where the doctor was heading."""
    form = NoteForm()
    if not form.validate_on_submit():
        return _refused(visit_id, form, None)
    actor = current_actor()
    try:
        with transaction():
            records_queries.get_for(actor, visit_id)
            service.save_note(visit_id, _data(form), _version(form), page=form.page_key.data or "", actor=actor)
    except DomainError as error:
        return _refused(visit_id, form, error)
    if wants_json():
        return jsonify(ok=True)
    return redirect(visit_url(visit_id), 303)


@bp.post("/visits/<int:visit_id>/pause")
@require(Permission.NOTE_WRITE)
def pause(visit_id: int) -> Any:
    """The patient waits for results: save the note, call another one."""
    form = NoteForm()
    actor = current_actor()

    def work() -> None:
        service.save_note(visit_id, _data(form), _version(form), page=form.page_key.data or "", actor=actor)

    return _leave(visit_id, form, "examination.pause", work)


@bp.post("/visits/<int:visit_id>/conclude")
@require(Permission.VISIT_CONCLUDE)
def conclude(visit_id: int) -> Any:
    """Save, sign and end the visit, then call the next patient."""
    form = NoteForm()
    actor = current_actor()

    def work() -> None:
        service.save_note(visit_id, _data(form), _version(form), page=form.page_key.data or "", actor=actor)
        service.conclude(
            visit_id,
            service.ConcludeData(
                discharge_code=form.discharge_code.data or "", result_code=form.result_code.data or "",
                findings=tuple(registry().visit_findings(visit_id)),
            ),
            sign=True,
            actor=actor,
        )  # fmt: skip

    return _leave(visit_id, form, "examination.conclude", work)


def _leave(visit_id: int, form: NoteForm, action: str, work: Callable[[], None]) -> Any:
    """Do the work and call the next patient in one go; pressed twice it happens once."""
    if not form.validate_on_submit():
        return _refused(visit_id, form, None)
    actor = current_actor()
    try:
        with transaction():
            found = records_queries.get_for(actor, visit_id)
            name, room = found.patient.full_name, found.room_code
            # Pressed twice it happens once; sent again with other words it must not look saved.
            body = {"visit": visit_id, **{k: str(v) for k, v in form.data.items() if k not in ("csrf_token", "idempotency_key")}}

            def effect() -> dict[str, Any]:
                work()
                ticket = service.call_next(room, actor=actor) if may("registration:queue:call") else None
                slip = bool(form.follow_up_on.data) and action == "examination.conclude"
                return {"visit_id": ticket.visit_id if ticket is not None else 0, "slip": visit_id if slip else 0}

            result = once(form.idempotency_key.data or "", action=action, actor=actor, body=body, effect=effect)
    except DomainError as error:
        return _refused(visit_id, form, error)
    if action == "examination.conclude":
        flash(_("Đã ký, kết thúc lượt khám của %(name)s.", name=name), "success")
    else:
        flash(_("Đã lưu. %(name)s đang chờ kết quả.", name=name), "success")
    return redirect(url_for("examination.worklist", visit=result["visit_id"] or None, slip=result["slip"] or None), 303)


@bp.post("/visits/<int:visit_id>/reopen")
@require(Permission.VISIT_CONCLUDE)
def reopen(visit_id: int) -> Any:
    """Open an ended visit again, with a reason; the closed note stays readable."""
    form = ReasonForm()
    actor = current_actor()
    try:
        if not form.validate_on_submit():
            raise RuleBroken([Finding("reason_missing", "reason", " ".join(form.reason.errors))])
        with transaction():
            records_queries.get_for(actor, visit_id)
            service.reopen(visit_id, form.reason.data or "", actor=actor)
    except DomainError as error:
        if error.http_status in (403, 404):
            raise
        found, _actor = _visit(visit_id)
        findings = error.findings if isinstance(error, RuleBroken) else [Finding(error.code, "reason", error.message)]
        return _render(_page(found, actor, findings=findings), 422)
    flash(_("Đã mở lại lượt khám. Bản đã ký vẫn đọc được trong hồ sơ."), "success")
    return redirect(visit_url(visit_id), 303)


@bp.get("/visits/<int:visit_id>/appointment")
@require(DocumentPermission.PAPER_PRINT)
def appointment(visit_id: int) -> Any:
    """The re-examination slip; a reprint is the same bytes."""
    actor = current_actor()
    with transaction():
        records_queries.get_for(actor, visit_id)
        paper = service.issue_appointment(visit_id, actor=actor)
    return redirect(url_for("documents.show", paper_id=paper.paper_id))


@bp.get("/visits/<int:visit_id>/record")
@require(Permission.NOTE_READ)
def record(visit_id: int) -> Any:
    """The outpatient record with what other modules know of this visit in words."""
    actor = current_actor()
    found = records_queries.get_for(actor, visit_id)
    said = {
        section.code: [line for entry in section.entries(found.patient_id, [visit_id], actor) for line in entry.lines]
        for section in registry().record_sections()
        if section.code in (*RESULT_SECTIONS, *TREATMENT_SECTIONS)
    }
    with transaction():
        paper = service.issue_record(
            visit_id, results="; ".join(text for code in RESULT_SECTIONS for text in said.get(code, ())),
            treatment="; ".join(text for code in TREATMENT_SECTIONS for text in said.get(code, ())), actor=actor,
        )  # fmt: skip
    return redirect(url_for("documents.show", paper_id=paper.paper_id))


@bp.post("/visits/<int:visit_id>/diagnoses")
@require(Permission.NOTE_WRITE)
def diagnose(visit_id: int) -> Any:
    """Take one step on the list of diagnoses; saved at once, refused with the rule in words."""
    form = DiagnosisForm()
    actor = current_actor()
    step = form.action.data or "add"
    code = form.code.data or request.form.get("text", "").strip()
    with transaction():
        records_queries.get_for(actor, visit_id)
        _rows, warnings = service.change_diagnoses(visit_id, step, code, actor=actor)
    if wants_json():
        return jsonify(ok=True, notes=[f.message for f in warnings])
    for warning in warnings:
        flash(warning.message, "warning")
    return redirect(visit_url(visit_id) + "#main_icd", 303)
