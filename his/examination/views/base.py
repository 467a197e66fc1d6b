"""The blueprint, and what the pages of this module share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, url_for

from his.core.web import wants_json

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


def visit_url(visit_id: int, **more: Any) -> str:
    """Return the address of the doctor's page of a visit."""
    return url_for("examination.visit", visit_id=visit_id, **more)


__all__ = ["bp", "fragment", "unchanged", "visit_url", "wants_json"]
