"""Finding patients, the assembled record, correcting administrative data, allergies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for

from his.audit import service as audit
from his.catalogues import queries as catalogues
from his.core import clock
from his.core.db import transaction
from his.core.errors import Finding, RuleBroken
from his.core.forms import parse_id
from his.core.i18n import gettext as _
from his.core.module import TimelineEntry, registry
from his.core.once import once
from his.core.permissions import current_actor, may, require
from his.core.web import wants_json
from his.documents import queries as documents
from his.records import queries, sections, service
from his.records.enums import BirthPrecision, GuardianKind, Sex
from his.records.errors import ChangedByAnother, PersonalNumberTaken
from his.records.forms import AllergyForm, CardForm, FindForm, PatientForm, ReasonForm
from his.records.models import Patient
from his.records.permissions import Permission

bp = Blueprint("records", __name__, url_prefix="/records", template_folder="templates")
# So many visits are read at once; older ones when the reader gets there.
CHUNK = 40


def _target(fallback: str) -> str:
    """Return the page to go back to: an own path only (SEC-24)."""
    wanted = request.values.get("next", "")
    parts = urlsplit(wanted)
    is_own = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return wanted if is_own and "\\" not in wanted and all(ord(c) > 31 for c in wanted) else fallback


@bp.get("/")
@require(Permission.PATIENT_READ)
def search() -> Any:
    """The way into the records: a search field, and the records this person opened lately."""
    actions = [a for a in registry().patient_actions() if may(a.permission)]
    hits = queries.lately_seen(current_actor().user_id or 0)
    return render_template("records/find.html", q="", hits=hits, actions=actions, lately=True)


@bp.post("/find")
@require(Permission.PATIENT_FIND)
def find() -> Any:
    """Search patients; the words travel in the body, never in an address."""
    text = FindForm().q.data or ""
    hits = queries.find(text)
    actions = [a for a in registry().patient_actions() if may(a.permission)]
    return render_template("records/find.html", q=text[:200], hits=hits, actions=actions, lately=False)


# --- the assembled record -----------------------------------------------------------------------------------------


def _year_groups(entries: list[TimelineEntry]) -> list[tuple[int, list[TimelineEntry]]]:
    groups: list[tuple[int, list[TimelineEntry]]] = []
    for entry in sorted(entries, key=lambda e: e.at, reverse=True):
        year = clock.local(entry.at).year
        if not groups or groups[-1][0] != year:
            groups.append((year, []))
        groups[-1][1].append(entry)
    return groups


def _timeline(patient_id: int, before: datetime | None, tab: str) -> dict[str, Any]:
    """Read a stretch of the record: the visits, then, for the timeline, one question to every section."""
    rows = queries.visit_rows(patient_id, CHUNK + 1, before)
    has_more = len(rows) > CHUNK
    rows = rows[:CHUNK]
    actor = current_actor()
    ids = [row.visit.visit_id for row in rows]
    # What this module itself would say of the visits is in hand already.
    entries = sections.of_visits([row.visit for row in rows])
    if ids and tab != "visits":
        others = [s for s in registry().record_sections() if s.code != sections.VISITS]
        entries += [entry for section in others for entry in section.entries(patient_id, ids, actor)]
    return {
        "groups": _year_groups(entries), "rows": rows,
        "older": rows[-1].visit.registered_at.timestamp() if has_more else None, "patient_id": patient_id,
    }  # fmt: skip


@bp.get("/patients/<int:patient_id>")
@require(Permission.PATIENT_READ)
def patient(patient_id: int) -> Any:
    """The record of a person: banner, timeline, visits; papers and the access log come beside it."""
    audit.viewed(current_actor(), patient_id, "record")
    tab = request.args.get("tab", "timeline")
    # The timeline asks every module of the house: it comes as a part of its own, right after the page.
    part: dict[str, Any] = _timeline(patient_id, None, tab) if tab == "visits" else {"patient_id": patient_id}
    newest = part["rows"] if tab == "visits" else queries.visit_rows(patient_id, 1)
    person = queries.loaded(patient_id)
    return render_template(
        "records/patient.html", patient=person, tab=tab, visit_count=newest[0].total if newest else 0,
        banner=queries.banner_of(person, None, *(queries.last_weight(patient_id) or (None, None))),
        actions=[a for a in registry().patient_actions() if may(a.permission)], **part,
    )  # fmt: skip


@bp.get("/patients/<int:patient_id>/older")
@require(Permission.PATIENT_READ)
def older(patient_id: int) -> Any:
    """A stretch of the record: the newest, or what is older than a moment (a part of the page)."""
    moment = request.args.get("before", type=float)
    before = datetime.fromtimestamp(moment, UTC) if moment is not None and 0 < moment < 4e9 else None
    tab = request.args.get("tab", "timeline")
    return render_template("records/_stretch.html", tab=tab, **_timeline(patient_id, before, tab))


def _log_words(action: str, what: str) -> str:
    """Say in a word what somebody did with a record; the module names the kind of work."""
    if action == "audit.view":
        return str({"record": _("Xem hồ sơ"), "desk": _("Tiếp đón"), "edit": _("Sửa hành chính")}.get(what, _("Xem hồ sơ")))
    words = {
        "registration": _("Tiếp đón"), "records": _("Cập nhật hồ sơ"), "examination": _("Khám bệnh"), "orders": _("Chỉ định"),
        "laboratory": _("Xét nghiệm"), "imaging": _("Chẩn đoán hình ảnh"), "prescriptions": _("Kê đơn"),
        "pharmacy": _("Cấp phát thuốc"), "billing": _("Viện phí"), "documents": _("Giấy tờ"), "referrals": _("Chuyển cơ sở"),
        "insurance": _("Giám định BHYT"),
    }  # fmt: skip
    return str(words.get(action.partition(".")[0], _("Công việc khác")))


def _access_rows(patient_id: int) -> list[dict[str, Any]]:
    """Who did or saw what, newest first: the same work of a person within a quarter of an hour is one line."""
    rows: list[dict[str, Any]] = []
    for event in queries.access_log(patient_id, 80):
        words = _log_words(event.action, str(event.details.get("what", "")))
        row = {"at": event.at, "who": event.user_name, "place": event.workplace, "words": words, "user_id": event.user_id}
        same = next((r for r in rows[-4:] if (r["user_id"], r["words"]) == (event.user_id, words)), None)
        if same is None or (same["at"] - event.at).total_seconds() > 900:
            rows.append(row)
    return rows[:30]


@bp.get("/patients/<int:patient_id>/side")
@require(Permission.PATIENT_READ)
def side(patient_id: int) -> Any:
    """Papers with their signatures, and who has looked at the record (a part of the page)."""
    papers = documents.papers_of_patient(patient_id, 30) if may("documents:paper:read") else []
    titles = {form.code: form.title for module in registry().modules for form in module.forms}
    return render_template(
        "records/_side.html", papers=papers, titles=titles, may_see_papers=may("documents:paper:read"),
        log=_access_rows(patient_id) if may("records:patient:merge") or may("audit:event:read") else None,
        patient_id=patient_id,
    )  # fmt: skip


# --- administrative data --------------------------------------------------------------------------------------------


def _choices(form: PatientForm) -> None:
    today = clock.today()
    for field, name in ((form.ethnicity_code, "ethnicity"), (form.nationality_code, "nationality"), (form.occupation_code, "occupation")):
        rows = [(row.code, row.name_vi) for row in catalogues.codes(name, today)]
        if field.data and field.data not in dict(rows):
            rows.insert(0, (field.data, field.data))
        field.choices = rows


def _form_of(person: Patient) -> PatientForm:
    guardian = next(iter(person.guardians), None)
    form = PatientForm(
        formdata=None, obj=person,
        data={
            "version": str(person.version), "sex": person.sex.value, "personal_number": queries.personal_number_of(person),
            "guardian_kind": guardian.kind.value if guardian else "mother",
            "guardian_name": guardian.full_name if guardian else "", "guardian_phone": guardian.phone if guardian else "",
            "next": request.values.get("next", ""), "commune_name": _place(person),
        },
    )  # fmt: skip
    form.sex.data = person.sex.value
    form.birth_on.precision = person.birth_precision.value
    return form


def _place(person: Patient) -> str:
    """The commune as the address line names it: what follows the house and street."""
    text, line = person.address_text, person.address_line
    return text.removeprefix(line).lstrip(", ") if person.commune_code and line and text.startswith(line) else ""


@bp.route("/patients/<int:patient_id>/edit", methods=["GET", "POST"])
@require(Permission.PATIENT_WRITE)
def edit(patient_id: int) -> Any:
    """Correct administrative data; what somebody else saved meanwhile is shown beside what was typed."""
    if request.method == "GET":
        audit.viewed(current_actor(), patient_id, "edit")
        person = queries.loaded(patient_id)
        return _edit_page(person, _form_of(person))
    form = PatientForm()
    person = queries.loaded(patient_id)
    if form.birth_on.data is None and not form.birth_on.process_errors:
        form.birth_on.process_errors = [_("Ngày sinh: chưa nhập. Chỉ biết năm thì gõ năm sinh.")]
    if not form.validate_on_submit():
        return _edit_page(person, form, status=422)
    try:
        with transaction():
            _save(patient_id, person, form)
    except ChangedByAnother:
        person = queries.loaded(patient_id)
        return _edit_page(person, form, status=409, conflicts=_conflicts(person, form))
    except RuleBroken as error:
        form.take(error.findings)
        return _edit_page(queries.loaded(patient_id), form, status=422)
    except PersonalNumberTaken as error:
        form.personal_number.errors = [*form.personal_number.errors, error.message]
        return _edit_page(queries.loaded(patient_id), form, status=422)
    flash(_("Đã lưu hồ sơ hành chính."), "success")
    return redirect(_target(url_for("records.edit", patient_id=patient_id)), 303)


def _save(patient_id: int, person: Patient, form: PatientForm) -> None:
    actor = current_actor()
    version = parse_id(form.version.data)
    service.update_patient(patient_id, _changes(person, form), -1 if version is None else version, actor=actor)
    if form.personal_number.data != queries.personal_number_of(person):
        service.set_personal_number(patient_id, form.personal_number.data or "", actor=actor)
    if form.guardian_name.data:
        service.save_guardian(
            patient_id, kind=GuardianKind(form.guardian_kind.data), full_name=form.guardian_name.data,
            phone=form.guardian_phone.data or "", actor=actor,
        )  # fmt: skip


def _changes(person: Patient, form: PatientForm) -> dict[str, Any]:
    code = form.commune_code.data or ""
    changes: dict[str, Any] = {
        "full_name": " ".join((form.full_name.data or "").split()), "birth_on": form.birth_on.data,
        "birth_precision": BirthPrecision(form.birth_on.precision), "birth_time": form.birth_time.data or "",
        "sex": Sex(form.sex.data), "phone": form.phone.data or "", "address_line": form.address_line.data or "",
        "ethnicity_code": form.ethnicity_code.data or "01", "nationality_code": form.nationality_code.data or "VN",
        "occupation_code": form.occupation_code.data or "00000", "workplace": form.workplace.data or "",
        "blood_group": form.blood_group.data or "",
    }  # fmt: skip
    if (changes["address_line"], code) != (person.address_line, person.commune_code):
        commune = catalogues.commune(code) if code else None
        if code and commune is None:
            raise RuleBroken([Finding("commune_unknown", "commune_name", _("Không có xã, phường này. Gõ lại rồi chọn một dòng."))])
        place = f"{commune.name}, {catalogues.province_name(commune.province_code)}" if commune else ""
        changes.update(
            commune_code=commune.code if commune else "", province_code=commune.province_code if commune else "",
            address_text=", ".join(part for part in (changes["address_line"], place) if part),
        )  # fmt: skip
    return changes


def _conflicts(person: Patient, form: PatientForm) -> list[tuple[str, str, str]]:
    """Return (label, saved by the other, typed here) of every field that differs now."""
    now = _form_of(person)
    names = [n for n in form._fields if n not in ("version", "next", "csrf_token", "commune_code", "commune_name")]

    def text(side_form: PatientForm, name: str) -> str:
        field: Any = side_form[name]
        return str(field._value() if hasattr(field, "_value") else field.data or "")  # noqa: SLF001 - the text as typed

    return [(str(form[n].label.text), text(now, n), text(form, n)) for n in names if text(now, n) != text(form, n)]


def _edit_page(person: Patient, form: PatientForm, *, status: int = 200, card_form: CardForm | None = None, **more: Any) -> Any:
    _choices(form)
    if not form.next.data:
        form.next.data = request.values.get("next", "")
    return render_template(
        "records/edit.html", patient=person, form=form, banner=queries.banner_of(person, None, None, None),
        card_form=card_form or CardForm(formdata=None), back=_target(""), **{"conflicts": (), **more},
    ), status  # fmt: skip


@bp.post("/patients/<int:patient_id>/cards")
@require(Permission.PATIENT_WRITE)
def add_card(patient_id: int) -> Any:
    """Keep a card typed by hand."""
    form = CardForm()
    whole = form.validate_on_submit()
    if whole:
        try:
            with transaction():
                service.type_card(
                    patient_id,
                    service.CardData(
                        form.card_number.data or "", form.registered_facility_code.data or "",
                        form.valid_from.data or clock.today(), form.valid_to.data,
                    ),
                    actor=current_actor(),
                )  # fmt: skip
        except RuleBroken as error:
            for finding in error.findings:
                field = form[finding.field]
                field.errors = [*field.errors, finding.message]
            whole = False
    if not whole:
        person = queries.loaded(patient_id)
        return _edit_page(person, _form_of(person), status=422, card_form=form)
    flash(_("Đã ghi thẻ BHYT."), "success")
    return redirect(_target(url_for("records.edit", patient_id=patient_id)), 303)


# --- allergies --------------------------------------------------------------------------------------------------------


def _done(patient_id: int, message: str) -> Any:
    if wants_json():
        return jsonify(saved=True, message=message)
    flash(message, "success")
    return redirect(_target(url_for("records.patient", patient_id=patient_id)), 303)


@bp.post("/patients/<int:patient_id>/allergies")
@require(Permission.ALLERGY_WRITE)
def add_allergy(patient_id: int) -> Any:
    """Record an allergy; the same form twice records it once."""
    form = AllergyForm()
    if not form.validate_on_submit():
        raise RuleBroken([Finding("form", str(name), str(text)) for name, texts in form.errors.items() for text in texts])
    actor = current_actor()
    values: dict[str, Any] = {
        "substance": form.substance.data or "", "reaction": form.reaction.data or "", "severity": form.severity.data or "",
        "noted_on": form.noted_on.data,
    }  # fmt: skip
    with transaction():
        once(
            form.idempotency_key.data or "", action="records.allergy.add", actor=actor, body={"patient": patient_id, **values},
            effect=lambda: {"allergy_id": service.add_allergy(patient_id, **values, actor=actor).allergy_id},
        )  # fmt: skip
    return _done(patient_id, _("Đã ghi dị ứng."))


@bp.post("/patients/<int:patient_id>/allergies/<int:allergy_id>/void")
@require(Permission.ALLERGY_WRITE)
def void_allergy(patient_id: int, allergy_id: int) -> Any:
    """Take back a wrong entry."""
    form = ReasonForm()
    with transaction():
        service.void_allergy(patient_id, allergy_id, form.reason.data or "", actor=current_actor())
    return _done(patient_id, _("Đã bỏ dị ứng ghi nhầm."))


@bp.post("/patients/<int:patient_id>/no-allergy")
@require(Permission.ALLERGY_WRITE)
def no_allergy(patient_id: int) -> Any:
    """The family was asked and knows of no allergy."""
    with transaction():
        service.state_no_known_allergies(patient_id, actor=current_actor())
    return _done(patient_id, _("Đã ghi: không có dị ứng đã biết."))

