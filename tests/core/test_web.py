"""The web edge: headers, tokens, errors with a reference number and nothing else (SEC-07, SEC-23, SEC-32, SEC-44)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, request
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.routing import IntegerConverter

from his.app import create_app
from his.core.errors import Conflict, Finding, InvalidState, NotAllowed, NotFound, RuleBroken, Severity, stop_on_errors
from his.core.permissions import public, require
from tests.conftest import Browser

FAULTS: dict[str, tuple[Exception, int, str]] = {
    "notfound": (NotFound("Không tìm thấy đơn."), 404, "Không tìm thấy đơn."),
    "notallowed": (NotAllowed("Không phải đơn của bạn."), 403, "Không phải đơn của bạn."),
    "conflict": (Conflict("Người khác vừa sửa."), 409, "Người khác vừa sửa."),
    "state": (InvalidState("Lượt khám đã đóng."), 409, "Lượt khám đã đóng."),
    "rules": (RuleBroken([Finding("x", "dose", "Vượt liều.", source="QĐ 1")]), 422, "Vượt liều."),
    "stale": (StaleDataError("UPDATE secret_table"), 409, "Người khác vừa sửa dữ liệu này."),
    "away": (OperationalError("SELECT secret_column", {}, Exception("secret host")), 503, "Cơ sở dữ liệu đang bận."),
    "bug": (ZeroDivisionError("secret detail"), 500, "Chưa lưu được."),
}


@pytest.fixture(scope="module")
def faulty(app: Flask) -> Iterator[Flask]:
    """The application with pages that fail in every way."""
    made = create_app(app.extensions["his_settings"])
    made.config["PROPAGATE_EXCEPTIONS"] = False
    made.testing = False
    made.test_client_class = Browser

    @made.route("/fail/<kind>", methods=["GET", "POST"])
    @public("test")
    def fail(kind: str) -> str:
        raise FAULTS[kind][0]

    @made.post("/upload")
    @public("test")
    def upload() -> str:
        return str(len(request.get_data()))

    @made.get("/marked")
    @require("x:y:z")
    def marked() -> str:
        return "MARKER of a patient"

    made.config["WTF_CSRF_ENABLED"] = False
    yield made
    with made.app_context():
        made.extensions["sqlalchemy"].engine.dispose()


def shown_reference(text: str) -> str:
    found = re.search(r"<b class=\"tnum strong\">([0-9A-F]{8})</b>", text)
    assert found, text
    return found[1]


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_an_error_page_says_what_to_do_and_gives_a_number(faulty: Flask, kind: str) -> None:
    _, status, message = FAULTS[kind]
    answer = faulty.test_client().get(f"/fail/{kind}")
    assert answer.status_code == status
    assert message in answer.text
    assert shown_reference(answer.text) == answer.headers["X-Request-Ref"]
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_a_script_gets_json(faulty: Flask, kind: str) -> None:
    _, status, message = FAULTS[kind]
    answer = faulty.test_client().post(f"/fail/{kind}", json={})
    assert answer.status_code == status
    assert message in answer.json["message"]
    assert answer.json["reference"] == answer.headers["X-Request-Ref"]
    assert "secret" not in answer.text


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_a_part_of_a_page_gets_a_part(faulty: Flask, kind: str) -> None:
    answer = faulty.test_client().get(f"/fail/{kind}", headers={"HX-Request": "true"})
    assert answer.status_code == FAULTS[kind][1]
    assert "<html" not in answer.text
    assert answer.headers["X-Request-Ref"] in answer.text


def test_findings_are_listed_for_page_and_script(faulty: Flask) -> None:
    client = faulty.test_client()
    assert "QĐ 1" in client.get("/fail/rules").text
    assert client.post("/fail/rules", json={}).json["findings"] == [
        {"code": "x", "field": "dose", "message": "Vượt liều."}
    ]


def test_a_busy_database_says_when_to_come_back(faulty: Flask) -> None:
    assert faulty.test_client().get("/fail/away").headers["Retry-After"] == "3"


def test_an_unknown_address(client: Any) -> None:
    answer = client.get("/no/such/page")
    assert answer.status_code == 404
    assert "Không có trang này" in answer.text


def test_a_wrong_way_of_calling(client: Any) -> None:
    answer = client.post("/healthz")
    assert answer.status_code == 405
    assert "Về màn hình chính" in answer.text


@pytest.mark.parametrize("number", ["99999999999999999999999", "-1", "1e3", "１"])
def test_a_row_number_no_table_can_hold_is_not_there(login_as: Any, number: str) -> None:
    assert login_as("administrator").get(f"/identity/users/{number}").status_code == 404


def test_too_much_data_is_refused(faulty: Flask) -> None:
    limit = faulty.config["MAX_CONTENT_LENGTH"]
    answer = faulty.test_client().post("/upload", data=b"x" * (limit + 1), content_type="application/octet-stream")
    assert answer.status_code == 413
    assert "quá lớn" in answer.text


def test_a_body_that_is_too_large_is_read_to_its_end_so_that_the_browser_shows_our_page(faulty: Flask) -> None:
    body = io.BytesIO(b"x" * (faulty.config["MAX_CONTENT_LENGTH"] + 70_000))
    answer = faulty.test_client().post("/upload", input_stream=body, content_length=len(body.getvalue()))
    assert answer.status_code == 413
    assert body.tell() == len(body.getvalue())


def test_what_the_token_check_refuses_carries_its_reference(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    answer = app.test_client().post("/identity/login", data={"username": "x"})
    assert answer.status_code == 400
    assert len(answer.headers["X-Request-Ref"]) == 8
    assert answer.headers["X-Request-Ref"] in answer.text


def test_a_refused_page_was_never_made(faulty: Flask) -> None:
    answer = faulty.test_client().get("/marked")
    assert answer.status_code == 302
    assert "MARKER" not in answer.text


# --- headers ----------------------------------------------------------------------------------------------------------

PLACES = ["/identity/login", "/healthz", "/no/such/page", "/static/css/app.css", "/", "/identity/users", "/v/ABC"]


@pytest.mark.parametrize("place", PLACES)
def test_every_answer_carries_the_headers(client: Any, place: str) -> None:
    answer = client.get(place)
    answer.close()
    headers = answer.headers
    policy = headers["Content-Security-Policy"]
    for part in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors"):
        assert part in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    if not place.startswith("/static"):
        assert headers["Cache-Control"] == "no-store"


def test_error_pages_carry_them_too(faulty: Flask) -> None:
    assert "default-src 'self'" in faulty.test_client().get("/fail/bug").headers["Content-Security-Policy"]


def test_strict_transport_on_secure_lines_only(client: Any) -> None:
    assert (
        "max-age=31536000" in client.get("/healthz", base_url="https://localhost").headers["Strict-Transport-Security"]
    )
    assert "Strict-Transport-Security" not in client.get("/healthz").headers


def test_pages_hold_no_inline_script_style_or_foreign_address(client: Any, login_as: Any) -> None:
    for text in (
        client.get("/identity/login").text,
        login_as("administrator").get("/identity/profile").text,
        client.get("/design").text,
    ):
        assert not re.search(r"<script(?![^>]*(src=|application/json))", text)
        assert not re.search(r"\sstyle=|<style|\son\w+=", text)
        assert not re.search(r"(src|href)=\"(https?:)?//", text)


# --- tokens against forged forms --------------------------------------------------------------------------------------


@pytest.fixture
def guarded(app: Flask) -> Iterator[None]:
    app.config["WTF_CSRF_ENABLED"] = True
    yield
    app.config["WTF_CSRF_ENABLED"] = False


def test_every_changing_route_refuses_a_post_without_token(guarded: None, app: Flask, login_as: Any) -> None:
    browser = login_as("administrator")
    tried = 0
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}):
            values = {
                name: 1 if isinstance(rule._converters[name], IntegerConverter) else "x" for name in rule.arguments
            }
            with app.test_request_context():
                address = app.url_for(rule.endpoint, **values)
            for kwargs in ({"data": {}}, {"json": {}}, {"data": {"csrf_token": "forged"}}):
                answer = browser.open(address, method=method, **kwargs)
                assert answer.status_code == 400, (rule.endpoint, method)
                tried += 1
    assert tried > 20


def test_the_token_of_the_page_is_taken(guarded: None, login_as: Any) -> None:
    browser = login_as("doctor")
    page = browser.get("/identity/profile").text
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert token
    assert browser.post("/identity/lock", headers={"X-CSRFToken": token[1]}).json == {"locked": True}


def test_the_token_of_another_person_is_refused(guarded: None, login_as: Any) -> None:
    token = re.search(r'name="csrf-token" content="([^"]+)"', login_as("doctor").get("/identity/profile").text)
    assert token
    answer = login_as("nurse").post("/identity/lock", headers={"X-CSRFToken": token[1]})
    assert answer.status_code == 400
    assert "Tải lại trang" in answer.text


# --- health -----------------------------------------------------------------------------------------------------------


def test_health_pages_hold_no_data(client: Any) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.json.get("status") in ("ok", "unavailable")
    assert set(answer.json) <= {"status", "problems", "checks"}


# --- findings -----------------------------------------------------------------------------------------------------------


def test_errors_stop_and_warnings_are_handed_back() -> None:
    warning = Finding("w", "x", "Lưu ý.", Severity.WARNING)
    assert stop_on_errors([warning]) == (warning,)
    with pytest.raises(RuleBroken) as caught:
        stop_on_errors([warning, Finding("e", "y", "Dừng.")])
    assert [f.code for f in caught.value.findings] == ["e"]
    assert caught.value.message == "Dừng."
