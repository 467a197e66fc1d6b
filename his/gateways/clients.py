"""The clients of this installation, made once from the settings."""

from __future__ import annotations

from functools import lru_cache

from his.core.config import Settings, current
from his.gateways.insurer import InsurerPortal
from his.gateways.national_rx import NationalPrescriptions


@lru_cache(maxsize=4)
def _insurer(url: str, username: str, password: str, connect: float, total: float) -> InsurerPortal:
    return InsurerPortal(url, username, password, connect=connect, total=total)


def insurer(*, desk: bool = False) -> InsurerPortal:
    """Return the portal client; at the desk nobody waits longer than the desk's limit."""
    settings: Settings = current()
    total = settings.desk_gateway_seconds if desk else settings.gateway_total_seconds
    connect = min(settings.gateway_connect_seconds, total)
    return _insurer(settings.insurer_url, settings.insurer_username, settings.insurer_password, connect, total)


@lru_cache(maxsize=2)
def _national(url: str, facility: str, password: str, connect: float, total: float) -> NationalPrescriptions:
    return NationalPrescriptions(url, facility, password, connect=connect, total=total)


def national_prescriptions() -> NationalPrescriptions:
    """Return the client of the national prescription system."""
    settings = current()
    return _national(
        settings.national_rx_url, settings.national_rx_username, settings.national_rx_password,
        settings.gateway_connect_seconds, settings.gateway_total_seconds,
    )  # fmt: skip
