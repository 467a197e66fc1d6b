"""Self-tests of the outside systems: care goes on without them, so what they find is a warning."""

from __future__ import annotations

import httpx

from his.core.config import current
from his.core.errors import Finding, GatewayError, Severity
from his.gateways import clients
from his.gateways.base import client


def _warning(name: str, message: str) -> Finding:
    return Finding(f"{name}_check", "", message, Severity.WARNING)


def insurer() -> list[Finding]:
    """Sign in to the insurer's portal."""
    try:
        clients.insurer(desk=True).sign_in()
    except GatewayError as error:
        return [_warning("insurer", f"Cổng giám định không đăng nhập được ({error.code}). Tiếp đón vẫn làm việc, thẻ ghi chưa xác minh.")]
    return []


def national_rx() -> list[Finding]:
    """Tell whether the national prescription system answers at its address."""
    settings = current()
    try:
        with client(settings.national_rx_url, connect=settings.gateway_connect_seconds, total=settings.desk_gateway_seconds) as http:
            http.get("/")
    except httpx.HTTPError as error:
        return [_warning("national_rx", f"Hệ thống đơn thuốc quốc gia không trả lời ({type(error).__name__}). Đơn chờ gửi lại.")]
    return []
