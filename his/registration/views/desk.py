"""The reception desk: scan, choose, register, undo, print. One request per action."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from his.audit import service as audit
from his.catalogues import queries as catalogues
from his.core import clock
from his.core.db import transaction
from his.core.errors import DomainError, RuleBroken
from his.core.forms import parse_id
from his.core.i18n import gettext as _
from his.core.once import once
from his.core.permissions import current_actor, require
from his.records import queries as records
from his.records import service as records_service
from his.records.enums import BirthPrecision, CoverageSource, GuardianKind, IdentifierType, Sex
from his.records.errors import PersonalNumberTaken
from his.records.models import Patient
from his.registration import printing, queries, service
from his.registration.enums import CheckState
from his.registration.errors import AlreadyRegistered, RoomClosed
from his.registration.forms import ChooseForm, RegisterForm, ScanForm
from his.registration.permissions import Permission
from his.registration.views import state
from his.registration.views.page import bp, duplicate_rows, keep_answer, render

# The insurer is asked again only after so long, unless the clerk asks for it.
FRESH_CHECK = timedelta(hours=4)


def _to_patient(patient_id: int) -> Any:
    return redirect(url_for("registration.desk", p=patient_id), 303)


@bp.get("/")
@require(Permission.VISIT_OPEN)
def desk() -> Any:
    """The desk: empty, with a patient (``p``), or with the form of a new one (``new``)."""
    patient_id = request.args.get("p", type=int)
    if patient_id is not None:
        audit.viewed(current_actor(), patient_id, "desk")
        return render(patient=records.loaded(patient_id), kept=state.of_patient(patient_id))
    token = request.args.get("new", "")
    if token:
        return render(is_new=True, kept=state.of_token(token))
    return render()


@bp.post("/scan")
@require(Permission.VISIT_OPEN)
def scan() -> Any:
    """Read what was scanned or typed and go where it leads. The text travels in the body, never in an address."""
    text = ScanForm().scan.data or ""
    scanned = service.recognise(text, clock.today())
    if not scanned.kind:
        state.forget()
        return render(message=scanned.message, scanned=text[:200] if text.isprintable() else "", status=422)
    found = service.find(scanned)
    if found.patient is not None:
        return _receive(found.patient, scanned)
    if found.hits:
        return render(hits=found.hits, scanned=text[:200])
    if found.message:
        token = state.keep(kind=scanned.kind, value=scanned.value, values=service.prefill(scanned).values)
        return render(message=found.message, scanned=text[:200], kept={"token": token}, status=422)
    return _welcome(scanned)


def _receive(patient: Patient, scanned: service.Scan | None, *, again: bool = False) -> Any:
    """Somebody we know: ask about the card (outside any transaction), look for a second record, show the desk."""
    actor = current_actor()
    patient = records.loaded(patient.patient_id)
    now = clock.now()
    check = queries.last_check(patient.patient_id, now - FRESH_CHECK)
    number = _number_to_ask(patient, scanned)
    is_fresh = check is not None and check.state is CheckState.VALID and (scanned is None or number in (check.asked_number, ""))
    if number and (again or not is_fresh):
        result = service.ask_insurer(number, patient.full_name, service.birth_text(patient), actor=actor)
        with transaction():
            service.keep_check(result, patient_id=patient.patient_id, scanned=scanned, actor=actor)
    found = records.likely_duplicates(
        full_name=patient.full_name, birth_on=patient.birth_on, birth_precision=patient.birth_precision.value,
        sex=patient.sex.value, phones=[patient.phone, *(g.phone for g in patient.guardians)],
        commune_code=patient.commune_code, personal_number=records.personal_number_of(patient), except_id=patient.patient_id,
    )  # fmt: skip
    state.keep(
        patient_id=patient.patient_id, kind=scanned.kind if scanned else "", duplicates=duplicate_rows(found),
        warnings=list(scanned.parsed.warnings) if scanned and scanned.parsed else [],
    )  # fmt: skip
    return _to_patient(patient.patient_id)


def _number_to_ask(patient: Patient, scanned: service.Scan | None) -> str:
    """The number the portal is asked about: the card shown, else the personal number, else the card we know."""
    if scanned is not None and scanned.kind in ("bhyt", "bhyt_card", "bhxh_number"):
        return scanned.value
    if scanned is not None and scanned.kind in ("cccd", "national_id"):
        return scanned.value
    known = next((c.card_number for c in patient.coverages), "")
    return records.personal_number_of(patient) or known


def _welcome(scanned: service.Scan) -> Any:
    """Somebody without a record: the form filled from the document, the card asked about, likely records beside it."""
    actor = current_actor()
    filled = service.prefill(scanned)
    fields = scanned.parsed.fields if scanned.parsed is not None else {}
    kept: dict[str, Any] = {
        "kind": scanned.kind, "value": scanned.value, "values": filled.values, "communes": [list(c) for c in filled.communes],
        "warnings": list(scanned.parsed.warnings) if scanned.parsed is not None else [], "old_id": fields.get("old_id") or "",
    }  # fmt: skip
    if scanned.kind in ("cccd", "bhyt"):
        result = service.ask_insurer(scanned.value, filled.values["full_name"], filled.values["birth_on"], actor=actor)
        with transaction():
            check, _card = service.keep_check(result, patient_id=None, actor=actor)
            kept["check_id"] = check.check_id
        kept.update(keep_answer(result))
    if scanned.is_document:
        form = RegisterForm(formdata=None)
        form.birth_on.process_formdata([filled.values.get("birth_on", "")])
        kept["duplicates"] = duplicate_rows(_likely(filled.values, form))
    token = state.keep(**kept)
    return redirect(url_for("registration.desk", new=token), 303)


def _likely(values: dict[str, str], form: RegisterForm) -> list[records.Duplicate]:
    if not values.get("full_name") or form.birth_on.data is None:
        return []
    return records.likely_duplicates(
        full_name=values["full_name"], birth_on=form.birth_on.data, birth_precision=form.birth_on.precision,
        sex=values.get("sex", ""), phones=[values.get("phone", ""), values.get("guardian_phone", "")],
        commune_code=values.get("commune_code", ""), personal_number=values.get("personal_number", ""),
    )  # fmt: skip


@bp.post("/choose")
@require(Permission.VISIT_OPEN)
def choose() -> Any:
    """Take a patient from the list of results."""
    return _receive(_chosen(), None)


@bp.post("/check")
@require(Permission.CARD_CHECK)
def check() -> Any:
    """Ask the insurer again about the patient at the desk."""
    return _receive(_chosen(), None, again=True)


def _chosen() -> Patient:
    return records.loaded(parse_id(ChooseForm().patient_id.data) or 0)


@bp.post("/same-person")
@require(Permission.VISIT_OPEN)
def same_person() -> Any:
    """The scanned document belongs to somebody we know: the record gets its number."""
    patient = _chosen()
    kept = state.of_token(request.form.get("state", ""))
    scanned = service.Scan(str(kept.get("kind", "")), str(kept.get("value", "")))
    try:
        with transaction():
            service.is_same_person(patient.patient_id, scanned, actor=current_actor())
            if kept.get("check_id"):
                service.adopt_check(kept["check_id"], patient.patient_id, actor=current_actor())
    except PersonalNumberTaken as error:
        return render(is_new=True, kept=kept, message=error.message, status=409)
    return _receive(patient, None)


@bp.post("/duplicates")
@require(Permission.VISIT_OPEN)
def duplicates() -> Any:
    """Tell a form being filled who may be the same person (a part of the page, fetched as the name and date are typed)."""
    form = RegisterForm()
    values = {name: str(form[name].data or "") for name in ("full_name", "sex", "phone", "guardian_phone", "commune_code", "personal_number")}
    return render_template("registration/_duplicates.html", duplicates=duplicate_rows(_likely(values, form)), kept={}, mode="new")


# --- registering --------------------------------------------------------------------------------------------------


@bp.post("/register")
@require(Permission.VISIT_OPEN)
def register() -> Any:
    """Open the visit and give the number; with "print" the slip is printed by the next page."""
    form = RegisterForm()
    actor = current_actor()
    kept = state.of_token(form.state.data or "")
    is_new = not form.patient_id.data
    if request.form.get("action") == "check" and is_new:
        return _check_new(form, kept)
    if not form.validate_on_submit() or (is_new and not form.person_is_whole()):
        return _back(form, kept, status=422)
    found: list[records.Duplicate] = []
    if is_new and not form.seen.data:
        found = [d for d in _likely(_typed(form), form) if str(d.patient_id) not in _seen(kept)]
    if found:
        form.seen.data = "1"
        return _back(
            form, kept, status=422, duplicates=duplicate_rows(found),
            notice=_("Có thể người này đã có hồ sơ. Xem khung bên trái; nếu là người khác, bấm Enter lần nữa."),
        )  # fmt: skip
    body = {k: str(v) for k, v in form.data.items() if k not in ("idempotency_key", "csrf_token", "seen")}
    try:
        with transaction():
            done = once(
                form.idempotency_key.data or "", action="registration.register", actor=actor, body=body,
                effect=lambda: _effect(form, kept),
            )  # fmt: skip
    except RuleBroken as error:
        form.take(error.findings)
        return _back(form, kept, status=422)
    except AlreadyRegistered as error:
        return _back(form, kept, status=409, message=error.message, open_visit_id=error.visit_id)
    except PersonalNumberTaken as error:
        form.personal_number.errors = [*form.personal_number.errors, error.message]
        return _back(form, kept, status=422)
    except RoomClosed as error:
        form.room_code.errors = [*form.room_code.errors, error.message]
        form.room_code.data = ""
        return _back(form, kept, status=422)
    state.forget()
    state.keep_last(
        visit_id=done["visit_id"], ticket=done["ticket"], name=done["name"], undo=not done["was_open"],
        print=request.form.get("action") != "save",
    )  # fmt: skip
    if done["was_open"]:
        flash(_("%(name)s đã có lượt khám hôm nay, số %(ticket)s. Không mở thêm lượt.", name=done["name"], ticket=done["ticket"]), "warning")
    if done["note"]:
        flash(done["note"], "warning")
    return redirect(url_for("registration.desk"), 303)


def _effect(form: RegisterForm, kept: dict[str, Any]) -> dict[str, Any]:
    actor = current_actor()
    if form.patient_id.data:
        patient = records.loaded(parse_id(form.patient_id.data) or 0)
        today = clock.today()
        check = queries.last_check(patient.patient_id, clock.day_bounds(today)[0])
        coverage = service.choose_coverage(patient.coverages, check, today)
        if coverage is None and form.wants_temporary_card.data:
            coverage = service.give_temporary_card(patient.patient_id, actor=actor)
        command = _command(form, patient.patient_id, coverage.coverage_id if coverage else None, check.check_id if check else None)
        done = service.register_visit(command, actor=actor)
    else:
        done = service.register_new(_new_patient(form, kept), _command(form, 0, None, kept.get("check_id")), actor=actor)
    return {
        "visit_id": done.visit.visit_id, "ticket": done.ticket.text, "name": records.get_visit(done.visit.visit_id).patient.full_name,
        "was_open": done.was_open, "note": done.note,
    }  # fmt: skip


def _command(form: RegisterForm, patient_id: int, coverage_id: int | None, check_id: int | None) -> service.RegisterCommand:
    weight: Decimal | None = form.weight_kg.data
    return service.RegisterCommand(
        patient_id=patient_id, room_code=form.room_code.data or "", reason=form.reason.data or "", coverage_id=coverage_id,
        route=form.route.data or "", weight_kg=weight, guardian_name=form.guardian_name.data or "",
        guardian_phone=form.guardian_phone.data or "", guardian_kind=_guardian_kind(form),
        is_emergency=bool(form.is_emergency.data), is_disabled=bool(form.is_disabled.data),
        is_pregnant=bool(form.is_pregnant.data), has_fever_39=bool(form.has_fever_39.data),
        incoming_paper_number=form.incoming_paper_number.data or "",
        incoming_facility_code=form.incoming_facility_code.data or "", incoming_signed_on=form.incoming_signed_on.data,
        incoming_is_one_year=bool(form.incoming_is_one_year.data), paper_follows=bool(form.paper_follows.data),
        check_id=check_id,
    )  # fmt: skip


def _guardian_kind(form: RegisterForm) -> str:
    kind = form.guardian_kind.data or ""
    return kind if kind in tuple(GuardianKind) else GuardianKind.COMPANION.value


def _typed(form: RegisterForm) -> dict[str, str]:
    names = ("full_name", "sex", "phone", "guardian_phone", "commune_code", "personal_number")
    return {name: str(form[name].data or "") for name in names}


def _seen(kept: dict[str, Any]) -> set[str]:
    return {str(row["patient_id"]) for row in kept.get("duplicates", [])}


def _new_patient(form: RegisterForm, kept: dict[str, Any]) -> service.NewPatient:
    given: dict[str, str] = kept.get("values", {})
    line, place = form.address_line.data or "", form.commune_name.data or ""
    code = form.commune_code.data or ""
    commune = catalogues.commune(code) if code else None
    birth_on = form.birth_on.data or clock.today()
    same_place = line == given.get("address_line", "") and code == given.get("commune_code", "")
    others: list[tuple[IdentifierType, str]] = []
    if kept.get("kind") in ("passport", "passport_mrz"):
        others.append((IdentifierType.PASSPORT, kept["value"]))
    if kept.get("kind") == "old_id" or len(kept.get("old_id", "")) == 9:
        others.append((IdentifierType.OLD_ID, kept.get("old_id") or kept["value"]))
    if len(kept.get("old_id", "")) == 12:
        others.append((IdentifierType.CANCELLED_NUMBER, kept["old_id"]))
    if kept.get("kind") in ("bhxh_number", "bhyt") and len(kept.get("value", "")) == 10:
        others.append((IdentifierType.INSURANCE_NUMBER, kept["value"]))
    number = form.card_number.data or ""
    card = None
    if number and form.card_from.data is not None:
        card = records_service.CardData(number, form.card_facility.data or "", form.card_from.data, form.card_to.data)
    data = records_service.PatientData(
        full_name=form.full_name.data or "", birth_on=birth_on, sex=Sex(form.sex.data),
        birth_precision=BirthPrecision(form.birth_on.precision), phone=form.phone.data or "", address_line=line,
        commune_code=commune.code if commune else "", province_code=commune.province_code if commune else "",
        address_text=(given.get("address_text", "") if same_place else "") or ", ".join(p for p in (line, place) if p),
        nationality_code=given.get("nationality_code") or "VN", personal_number=form.personal_number.data or "",
        other_identifiers=tuple(others),
    )  # fmt: skip
    return service.NewPatient(
        data, card=card, card_source=CoverageSource.CARD_QR if kept.get("kind") == "bhyt" else CoverageSource.TYPED,
        wants_temporary_card=bool(form.wants_temporary_card.data),
    )  # fmt: skip


def _check_new(form: RegisterForm, kept: dict[str, Any]) -> Any:
    """Ask about the card of a person being typed in; what was typed stays."""
    actor = current_actor()
    number = form.card_number.data or form.personal_number.data or ""
    if not (number and form.full_name.data and form.birth_on.data):
        return _back(form, kept, status=422, message=_("Nhập họ tên, ngày sinh và số thẻ (hoặc số định danh) rồi tra thẻ."))
    result = service.ask_insurer(number, form.full_name.data, form.birth_on._value(), actor=actor)  # noqa: SLF001 - the text as typed
    with transaction():
        row, _card = service.keep_check(result, patient_id=None, actor=actor)
    kept = {k: v for k, v in kept.items() if k not in ("token", "check", "card")}
    kept.update(keep_answer(result), check_id=row.check_id)
    form.state.data = state.keep(**kept)
    return _back(form, {**kept, "token": form.state.data}, status=200)


def _back(form: RegisterForm, kept: dict[str, Any], *, status: int, **more: Any) -> Any:
    if form.patient_id.data:
        patient_id = parse_id(form.patient_id.data) or 0
        return render(patient=records.loaded(patient_id), form=form, kept=state.of_patient(patient_id), status=status, **more)
    if "duplicates" not in more and not kept.get("duplicates"):
        more["duplicates"] = duplicate_rows(_likely(_typed(form), form))
    return render(is_new=True, form=form, kept=kept, status=status, **more)


@bp.post("/visits/<int:visit_id>/undo")
@require(Permission.VISIT_OPEN)
def undo(visit_id: int) -> Any:
    """Take a registration back; the patient stays at the desk to be registered anew."""
    try:
        with transaction():
            visit = service.undo_registration(visit_id, actor=current_actor())
            patient_id = visit.patient_id
    except DomainError as error:
        flash(error.message, "error")
        return redirect(url_for("registration.desk"), 303)
    state.no_undo()
    flash(_("Đã hoàn tác: lượt khám và số thứ tự đã hủy, tiền khám đã bỏ."), "success")
    return _to_patient(patient_id)


@bp.get("/visits/<int:visit_id>/slip")
@require(Permission.VISIT_OPEN, Permission.QUEUE_CALL)
def slip(visit_id: int) -> Any:
    """Lead to the stored slip of a visit (``form=ticket``: the queue ticket); made on first demand, the same bytes after."""
    form_code = printing.QUEUE_TICKET if request.args.get("form") == "ticket" else printing.EXAM_SLIP
    with transaction():
        paper = service.issue_slip(visit_id, form_code, actor=current_actor())
    return redirect(url_for("documents.show", paper_id=paper.paper_id))


@bp.get("/board")
@require(Permission.VISIT_OPEN)
def board() -> Any:
    """Send the clinic list when a queue has changed since ``version``; else nothing (one keyed read)."""
    today = clock.today()
    version = queries.board_version(today)
    if request.args.get("version", type=int) == version:
        return Response(status=204)
    response = make_response(
        render_template(
            "registration/_clinics.html", board=queries.clinic_board(today), full_room=service.FULL_ROOM,
            suggested_code="", suggested_why="", last_room="", room=None,
            mode="empty" if request.args.get("idle") else "patient",
        )
    )
    response.headers["X-Version"] = str(version)
    return response
