"""The web edge of the house: headers, CSRF, request ids, and the one error handler.

SEC-23, SEC-32, SEC-33, SEC-44: strict content policy without inline script or style, a token on every change, error
pages of our own with a reference number the user can read out, and nothing else.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

import structlog
from flask import Flask, Response, g, jsonify, render_template, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter

from his.core.db import db
from his.core.errors import Conflict, HisError, RuleBroken
from his.core.i18n import gettext as _

log = structlog.get_logger(__name__)
csrf = CSRFProtect()

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'self'; "
    "form-action 'self'"
)


class RowNumber(IntegerConverter):
    """A row number in an address: what no table can hold is simply not there."""

    regex = "[0-9]{1,15}"


def install(app: Flask) -> None:
    """Fit headers, CSRF and error handling to an application."""
    # First of all: also what the token check refuses carries its reference.
    app.before_request(_begin)
    csrf.init_app(app)
    app.url_map.converters["int"] = RowNumber
    app.after_request(_finish)
    app.register_error_handler(HisError, _his_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(StaleDataError, _stale)
    app.register_error_handler(OperationalError, _database_away)
    app.register_error_handler(PoolTimeout, _database_away)
    app.register_error_handler(OverflowError, _too_big)
    app.register_error_handler(DataError, _too_big)
    app.register_error_handler(Exception, _unknown)


def _begin() -> None:
    g.request_ref = secrets.token_hex(4).upper()
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(), microphone=()")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    headers["X-Request-Ref"] = g.get("request_ref", "")
    log.info(
        "request",
        ref=g.get("request_ref", ""),
        method=request.method,
        endpoint=request.endpoint or "",
        status=response.status_code,
        ms=round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
    )
    return response


def wants_json() -> bool:
    """Tell whether the caller asked for JSON (fetch of a script) rather than a page."""
    return request.is_json or request.accept_mimetypes.best_match(["text/html", "application/json"]) == (
        "application/json"
    )


def wants_fragment() -> bool:
    """Tell whether the caller is a part of a page (htmx)."""
    return request.headers.get("HX-Request") == "true"


def _answer(status: int, title: str, message: str, *, code: str, findings: Any = ()) -> tuple[Any, int]:
    ref = g.get("request_ref", "")
    # Whatever was half done is undone before the page is drawn.
    db.session.rollback()
    if wants_json():
        body = {"code": code, "message": message, "reference": ref}
        if findings:
            body["findings"] = [{"code": f.code, "field": f.field, "message": f.message} for f in findings]
        return jsonify(body), status
    template = "layouts/_error_fragment.html" if wants_fragment() else "layouts/error.html"
    return (
        render_template(
            template, status=status, error_title=title, error_message=message, reference=ref, findings=findings
        ),
        status,
    )


def _his_error(error: HisError) -> tuple[Any, int]:
    if error.http_status >= 500:
        return _unknown(error)
    findings = error.findings if isinstance(error, RuleBroken) else ()
    log.info("refused", ref=g.get("request_ref", ""), code=error.code, endpoint=request.endpoint or "")
    return _answer(error.http_status, _title(error.http_status), error.message, code=error.code, findings=findings)


def _title(status: int) -> str:
    return {
        400: _("Yêu cầu chưa hợp lệ"),
        403: _("Không có quyền"),
        404: _("Không tìm thấy"),
        405: _("Cách gọi không đúng"),
        409: _("Dữ liệu đã thay đổi"),
        413: _("Tệp quá lớn"),
        422: _("Chưa làm được"),
        429: _("Thử quá nhiều lần"),
        503: _("Hệ thống đang bận"),
    }.get(status, _("Có lỗi"))


def _csrf_error(_error: CSRFError) -> tuple[Any, int]:
    return _answer(
        400,
        _title(400),
        _("Trang mở đã lâu hoặc phiên đã đổi. Tải lại trang rồi làm lại, chữ đã gõ vẫn còn."),
        code="csrf",
    )


def _http_error(error: HTTPException) -> tuple[Any, int] | HTTPException:
    status = error.code or 500
    if status < 400:
        return error
    if status == 413:
        _swallow_body()
    messages = {
        400: _("Dữ liệu gửi lên không đọc được. Tải lại trang rồi làm lại."),
        403: _("Bạn không có quyền mở trang này. Báo quản trị hệ thống nếu cần."),
        404: _("Không có trang này. Kiểm tra địa chỉ hoặc về màn hình chính."),
        405: _("Trang này không nhận cách gọi đó. Về màn hình chính rồi làm lại."),
        413: _("Tệp hoặc dữ liệu quá lớn. Chia nhỏ rồi gửi lại."),
        429: _("Đã thử quá nhiều lần. Chờ ít phút rồi thử lại."),
    }
    return _answer(status, _title(status), messages.get(status, error.name), code=f"http_{status}")


def _swallow_body(at_most: int = 64 * 1024 * 1024) -> None:
    """Read what is still coming of a body that is too large: a browser cut off while sending shows no page of ours."""
    stream = request.environ["wsgi.input"]
    while at_most > 0 and (part := stream.read(min(at_most, 65536))):
        at_most -= len(part)


def _stale(_error: StaleDataError) -> tuple[Any, int]:
    return _his_error(Conflict(_("Người khác vừa sửa dữ liệu này. Tải lại để xem bản mới rồi sửa tiếp.")))


def _too_big(error: Exception) -> tuple[Any, int]:
    """A number or text that no column holds (SQLite and PostgreSQL say it differently)."""
    log.warning("too_big", ref=g.get("request_ref", ""), endpoint=request.endpoint or "", error=type(error).__name__)
    return _answer(422, _title(422), _("Có giá trị quá lớn hoặc quá dài. Kiểm tra lại số đã gõ."), code="too_big")


def _database_away(error: DBAPIError | PoolTimeout) -> tuple[Any, int]:
    log.error("database_away", ref=g.get("request_ref", ""), error=type(error).__name__)
    body, status = _answer(
        503,
        _title(503),
        _("Cơ sở dữ liệu đang bận. Chờ vài giây rồi bấm lại, chữ đã gõ vẫn còn."),
        code="database_away",
    )
    response = Response(body, status) if isinstance(body, str) else body
    response.headers["Retry-After"] = "3"
    return response, status


def _unknown(error: Exception) -> tuple[Any, int]:
    log.error("unexpected", ref=g.get("request_ref", ""), endpoint=request.endpoint or "", exc_info=error)
    return _answer(
        500,
        _("Có lỗi ngoài dự kiến"),
        _("Chưa lưu được. Làm lại một lần nữa; nếu vẫn lỗi, đọc mã dưới đây cho bộ phận công nghệ thông tin."),
        code="unexpected",
    )
