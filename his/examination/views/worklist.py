"""The work list of a room: who waits, whose results are back, who is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, session, url_for

from his.audit import service as audit
from his.core import clock
from his.core.config import current
from his.core.db import transaction
from his.core.forms import OnceForm
from his.core.i18n import gettext as _
from his.core.once import once
from his.core.permissions import current_actor, may, require
from his.examination import queries, service
from his.examination.permissions import Permission
from his.examination.queries import WorkRow
from his.examination.service import Stage
from his.examination.views.base import bp, fragment, unchanged, visit_url, wants_json
from his.records import queries as records_queries
from his.registration import queries as registration_queries
from his.registration import service as registration
from his.registration.permissions import Permission as QueuePermission

# Tab -> the stages it shows. Who is due comes first: called, back with results, waiting.
TABS: dict[str, tuple[Stage, ...]] = {
    "waiting": (Stage.CALLING, Stage.IN_EXAM, Stage.RESULTS, Stage.WAITING),
    "tests": (Stage.TESTS,),
    "results": (Stage.RESULTS,),
    "done": (Stage.DONE,),
    "absent": (Stage.ABSENT,),
}


@dataclass(frozen=True, slots=True)
class RoomDay:
    """A room's day as the page shows it."""

    room: tuple[str, str, str]
    rooms: list[tuple[str, str, str]]
    tab: str
    counts: dict[str, int]
    rows: list[WorkRow]
    chosen: WorkRow | None
    longest: int
    ends_at: datetime
    version: str


def _room(rooms: list[tuple[str, str, str]]) -> tuple[str, str, str]:
    """Return the room in view: asked for now, chosen before, the workplace, the first one."""
    wanted = (request.args.get("room", ""), session.get("exam_room", ""), current_actor().workplace)
    by_code = {room[0]: room for room in rooms}
    found = next((by_code[code] for code in wanted if code in by_code), None)
    if request.args.get("room", "") in by_code:
        session["exam_room"] = request.args["room"]
    return found or (rooms[0] if rooms else ("", "", ""))


def _day() -> RoomDay:
    today = clock.today()
    rooms = queries.clinics(today)
    room = _room(rooms)
    version = queries.room_version(room[0], today)
    every = queries.worklist(room[0], today)
    tab = request.args.get("tab", "waiting")
    tab = tab if tab in TABS else "waiting"
    rows = [row for row in every if row.stage in TABS[tab]]
    if tab == "done":
        rows.sort(key=lambda row: row.at, reverse=True)
    wanted = request.args.get("visit", "")
    chosen = next((row for row in rows if str(row.visit_id) == wanted), rows[0] if rows else None)
    waiting = [row for row in every if row.stage in (Stage.WAITING, Stage.RESULTS)]
    return RoomDay(
        room=room, rooms=rooms, tab=tab,
        counts={name: sum(row.stage in stages for row in every) for name, stages in TABS.items()},
        rows=rows, chosen=chosen, longest=max((row.waited_minutes for row in waiting), default=0),
        ends_at=clock.now() + timedelta(minutes=len(waiting) * current().expected_minutes_per_patient), version=version,
    )  # fmt: skip


def _list_url(**more: Any) -> str:
    return url_for("examination.worklist", **{k: v for k, v in more.items() if v})


@bp.get("/")
@require(Permission.WORKLIST_READ)
def worklist() -> Any:
    """The room's day, with a quick view of the chosen patient."""
    day = _day()
    after = {"skipped": request.args.get("skipped", type=int), "slip": request.args.get("slip", type=int)}
    return render_template("examination/worklist.html", d=day, quick=_quick(day.chosen), stages=Stage, **after)


@bp.get("/rows")
@require(Permission.WORKLIST_READ)
def worklist_rows() -> Any:
    """The live part of the list; 204 when the room's day is as the page shows it."""
    known = request.args.get("version", "")
    today = clock.today()
    room = _room(queries.clinics(today))
    if known and known == queries.room_version(room[0], today):
        return unchanged(known)
    day = _day()
    return fragment(render_template("examination/_worklist.html", d=day, stages=Stage), day.version)


@dataclass(frozen=True, slots=True)
class Quick:
    """What is known of a patient without opening the record."""

    visit: Any
    banner: Any
    signs: Any
    past: list[queries.PastVisit]


def _quick(row: WorkRow | None) -> Quick | None:
    return _quick_of(row.visit_id) if row is not None else None


def _quick_of(visit_id: int) -> Quick:
    actor = current_actor()
    visit = records_queries.allowed(actor, queries.visit_page(visit_id))
    signs = queries.measurements(visit.patient_id, 10)
    newest = next((s for s in signs if s.visit_id == visit_id), None)
    weighed = next((s for s in signs if s.weight_kg is not None), None)
    banner = records_queries.banner_of(
        visit.patient, visit, weighed.weight_kg if weighed else None, weighed.measured_at if weighed else None
    )
    age_days = (visit.service_on - visit.patient.birth_on).days
    readings = readings_of(newest, age_days)
    past = queries.past_visits(visit.patient_id, visit_id) if may("examination:note:read") else []
    return Quick(visit, banner, (newest.measured_at, readings) if newest else None, past)


def readings_of(signs: Any, age_days: int) -> list[Any]:
    """Return the measured signs judged by age, in the order of the page, with their decimals and units."""
    if signs is None:
        return []
    return [
        (name, service.read_sign(name, getattr(signs, name), age_days), service.SIGNS[name][2])
        for name in ("pulse", "temperature", "respiration", "spo2", "systolic", "diastolic", "weight_kg", "height_cm")
        if getattr(signs, name) is not None
    ]


@bp.get("/visits/<int:visit_id>/quick")
@require(Permission.WORKLIST_READ)
def quick(visit_id: int) -> Any:
    """The quick view of one patient, for the right column."""
    found = _quick_of(visit_id)
    audit.viewed(current_actor(), found.visit.patient_id, "quick", visit_id=visit_id)
    ticket = registration_queries.ticket_of_visit(visit_id)
    return render_template("examination/_quick.html", quick=found, ticket=ticket)


@bp.post("/call-next")
@require(QueuePermission.QUEUE_CALL)
def call_next() -> Any:
    """Call the next patient of the room in view; the same press twice calls once."""
    form = OnceForm()
    room = _room(queries.clinics(clock.today()))
    actor = current_actor()

    def effect() -> dict[str, Any]:
        ticket = service.call_next(room[0], actor=actor)
        return {"visit_id": ticket.visit_id} if ticket is not None else {}

    with transaction():
        result = once(
            form.idempotency_key.data or "", action="examination.call_next", actor=actor, body={"room": room[0]}, effect=effect
        )
    if not result:
        flash(_("Không còn ai chờ ở phòng này."), "info")
    return redirect(_list_url(visit=result.get("visit_id")), 303)


@bp.post("/visits/<int:visit_id>/call")
@require(QueuePermission.QUEUE_CALL)
def call(visit_id: int) -> Any:
    """Call a patient again, or out of order."""
    actor = current_actor()
    with transaction():
        ticket = registration_queries.ticket_of_visit(visit_id)
        records_queries.get_for(actor, visit_id)
        if ticket is not None:
            registration.call(ticket.ticket_id, actor=actor)
    if wants_json():
        return jsonify(ok=True)
    return redirect(_list_url(visit=visit_id), 303)


@bp.post("/visits/<int:visit_id>/absent")
@require(QueuePermission.QUEUE_CALL)
def absent(visit_id: int) -> Any:
    """The called patient is not there: the number is kept and may be called again."""
    actor = current_actor()
    with transaction():
        records_queries.get_for(actor, visit_id)
        ticket = registration_queries.ticket_of_visit(visit_id)
        if ticket is not None:
            registration.skip(ticket.ticket_id, actor=actor)
    if wants_json():
        return jsonify(ok=True)
    return redirect(url_for("examination.worklist", skipped=visit_id), 303)


@bp.post("/visits/<int:visit_id>/open")
@require(Permission.NOTE_WRITE)
def open_visit(visit_id: int) -> Any:
    """The doctor begins with a patient."""
    actor = current_actor()
    with transaction():
        records_queries.get_for(actor, visit_id)
        service.begin(visit_id, actor=actor)
    return redirect(visit_url(visit_id), 303)
