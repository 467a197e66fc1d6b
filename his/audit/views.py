"""The auditor's screen."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from his.audit import queries
from his.audit.permissions import Permission
from his.core import clock
from his.core.forms import parse_date, parse_id
from his.core.i18n import gettext as _
from his.core.permissions import require

bp = Blueprint("audit", __name__, url_prefix="/audit", template_folder="templates")
PAGE = 100


@bp.get("/")
@require(Permission.EVENT_READ)
def events() -> Any:
    """List events, newest first, with filters."""
    args = request.args
    day, day_error = None, ""
    if args.get("day"):
        try:
            day = parse_date(args["day"])
        except ValueError:
            day_error = _("Ngày không có thật. Gõ ngày tháng năm, ví dụ 20/09/2025 hoặc 200925.")
    since, until = clock.day_bounds(day) if day else (None, None)
    wanted = queries.EventFilter(
        patient_id=parse_id(args.get("patient_id")),
        user_id=parse_id(args.get("user_id")),
        action=args.get("action", "")[:80],
        since=since,
        until=until,
        before_id=parse_id(args.get("before")),
    )
    rows = queries.events(wanted, PAGE)
    return render_template(
        "audit/events.html", rows=rows, args=args, has_more=len(rows) == PAGE, day_error=day_error
    ), 422 if day_error else 200
