"""The management page: the day in six figures, arrivals by hour, queues, claims. Read only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for

from his.core import clock
from his.core.permissions import PERMISSION_ATTRIBUTE, SIGNED_IN, may, require
from his.dashboards import queries, rules
from his.dashboards.permissions import Permission

bp = Blueprint("dashboards", __name__, url_prefix="/dashboard", template_folder="templates")


def _link(endpoint: str, **values: Any) -> str:
    """Return the address of a list this person may open, else ""."""
    view = current_app.view_functions.get(endpoint)
    needed = getattr(view, PERMISSION_ATTRIBUTE, ())
    if view is None or not (SIGNED_IN in needed or any(may(p) for p in needed)):
        return ""
    return url_for(endpoint, **values)


@bp.get("/")
@require(Permission.DASHBOARD_READ)
def home() -> Any:
    """Today so far, or yesterday whole, beside the same weekday a week before."""
    yesterday = request.args.get("day") == "yesterday"
    day = clock.today() - timedelta(days=1) if yesterday else clock.today()
    board = queries.board(day)
    v, w = board.visits, board.visits_before
    return render_template(
        "dashboards/home.html", b=board, yesterday=yesterday, target=queries.WAIT_TARGET,
        visits_change=rules.change(v.count, w.count), money_change=rules.change(float(board.money.taken), float(board.money_before.taken)),
        wait_change=None if v.median_wait is None or w.median_wait is None else round(v.median_wait - w.median_wait),
        chart=rules.chart(v.hours, w.hours), peak=max(v.hours.items(), key=lambda pair: pair[1]) if v.count else None,
        links={
            "visits": _link("registration.queue"), "waiting": _link("registration.queue"),
            "money": _link("billing.worklist", state="paid"), "claims": _link("insurance.workbench"),
        },
    )  # fmt: skip
