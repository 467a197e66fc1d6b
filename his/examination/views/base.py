"""The blueprint, and what the pages of this module share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, url_for

from his.core.errors import RuleBroken
from his.core.web import wants_json
from his.records import queries as records_queries
from his.records.models import Visit

bp = Blueprint("examination", __name__, url_prefix="/examination", template_folder="../templates")


def unchanged(version: str) -> Response:
    """Answer a poll when nothing changed."""
    response = make_response("", 204)
    response.headers["X-Version"] = version
    return response


def fragment(html: str, version: str = "") -> Response:
    """Answer with a part of a page and the version it shows."""
    response = make_response(html)
    if version:
        response.headers["X-Version"] = version
    return response


def findings_json(error: RuleBroken) -> list[dict[str, str]]:
    """Return findings for a script."""
    return [{"code": f.code, "field": f.field, "message": f.message} for f in error.findings]


def visit_url(visit_id: int, **more: Any) -> str:
    """Return the address of the doctor's page of a visit."""
    return url_for("examination.visit", visit_id=visit_id, **more)


def place_text(visit: Visit) -> str:
    """Return the visit's room for the top bar."""
    return visit.room_code


banner_of = records_queries.banner_of
__all__ = ["banner_of", "bp", "findings_json", "fragment", "place_text", "unchanged", "visit_url", "wants_json"]
