"""What every client of an outside system shares: time limits, no redirects, typed outcomes (SEC-42, REL-05, REL-06)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx

from his.core.errors import GatewayError


class Outcome(StrEnum):
    """What is known after a call."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"  # certainly not received: may be tried again
    UNKNOWN = "unknown"  # bytes were sent, no answer: never resent by a machine


@dataclass(frozen=True, slots=True)
class Answer:
    """A call's outcome with the code and body of the other side."""

    outcome: Outcome
    code: str = ""
    message: str = ""
    body: dict[str, Any] = field(default_factory=dict)


class Unavailable(GatewayError):
    """The other side could not be reached; nothing was received there."""

    code = "gateway_unavailable"


class Unauthorised(GatewayError):
    """The other side refuses our account; sending must stop and a person must look."""

    code = "gateway_auth"


def client(base_url: str, *, connect: float, total: float) -> httpx.Client:
    """Return an HTTP client: no redirects, TLS verified, time limits in seconds."""
    return httpx.Client(
        base_url=base_url.rstrip("/"), timeout=httpx.Timeout(total, connect=connect), follow_redirects=False
    )


def post(http: httpx.Client, path: str, **kwargs: Any) -> httpx.Response | Answer:
    """Post; return the response, or an answer when there was none."""
    try:
        return http.post(path, **kwargs)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
        return Answer(Outcome.UNAVAILABLE, message=type(error).__name__)
    except (httpx.TimeoutException, httpx.TransportError) as error:
        return Answer(Outcome.UNKNOWN, message=type(error).__name__)


def body_of(response: httpx.Response) -> dict[str, Any]:
    """Read a body leniently: JSON object, else empty (HTML error pages, empty bodies, a BOM)."""
    try:
        data = response.json()
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
