"""The queue screen: who waits where, call, call again, absent, send to another room."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from his.core import clock
from his.core.db import transaction
from his.core.errors import DomainError
from his.core.i18n import gettext as _
from his.core.permissions import current_actor, require
from his.registration import queries, service
from his.registration.forms import RoomForm
from his.registration.permissions import Permission
from his.registration.views.page import bp


def _values(room_code: str) -> dict[str, Any]:
    today = clock.today()
    rooms = queries.queue_rooms(today)
    return {
        "rooms": rooms, "rows": queries.queue_screen(today, room_code), "room_code": room_code,
        "room": next((r for r in rooms if r.code == room_code), None),
        "waiting": sum(r.waiting for r in rooms), "now": clock.now(),
    }  # fmt: skip


def _room() -> str:
    return request.args.get("room", "")[:12]


@bp.get("/queue")
@require(Permission.QUEUE_READ)
def queue() -> Any:
    """The tickets of the day, of one room or of all."""
    version = queries.board_version(clock.today())
    return render_template("registration/queue.html", version=version, **_values(_room()))


@bp.get("/queue/rows")
@require(Permission.QUEUE_READ)
def queue_rows() -> Any:
    """Send the tickets again when a queue has changed since ``version``; else nothing (one keyed read)."""
    version = queries.board_version(clock.today())
    if request.args.get("version", type=int) == version:
        return Response(status=204)
    response = make_response(render_template("registration/_queue.html", **_values(_room())))
    response.headers["X-Version"] = str(version)
    return response


def _back(room_code: str) -> Any:
    return redirect(url_for("registration.queue", room=room_code or None), 303)


@bp.post("/queue/next")
@require(Permission.QUEUE_CALL)
def call_next() -> Any:
    """Call the next patient of a room."""
    room_code = RoomForm().room_code.data or ""
    with transaction():
        ticket = service.call_next(room_code, actor=current_actor())
        text = ticket.text if ticket is not None else ""
    if text:
        flash(_("Đang gọi %(ticket)s.", ticket=text), "success")
    else:
        flash(_("Phòng này không còn ai chờ."), "warning")
    return _back(_room())


@bp.post("/queue/<int:ticket_id>/call")
@require(Permission.QUEUE_CALL)
def call(ticket_id: int) -> Any:
    """Call a number, or call it again."""
    return _act(lambda: _("Đang gọi %(ticket)s.", ticket=service.call(ticket_id, actor=current_actor()).text))


@bp.post("/queue/<int:ticket_id>/skip")
@require(Permission.QUEUE_CALL)
def skip(ticket_id: int) -> Any:
    """The called patient is absent."""
    return _act(lambda: _("%(ticket)s vắng mặt, gọi lại sau.", ticket=service.skip(ticket_id, actor=current_actor()).text))


@bp.post("/queue/<int:ticket_id>/move")
@require(Permission.VISIT_OPEN)
def move(ticket_id: int) -> Any:
    """Send a waiting patient to another clinic."""
    room_code = RoomForm().room_code.data or ""
    return _act(lambda: _("Số mới: %(ticket)s.", ticket=service.change_room(ticket_id, room_code, actor=current_actor()).text))


def _act(work: Any) -> Any:
    try:
        with transaction():
            said = work()
    except DomainError as error:
        flash(error.message, "error")
    else:
        flash(said, "success")
    return _back(_room())
