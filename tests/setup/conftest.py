"""Servers of this run's own; what starts real processes may use this machine's sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.services import Services


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked ``server`` here reach servers on this machine and need a little longer."""
    here = Path(__file__).parent
    for item in items:
        if here in Path(str(item.fspath)).parents and item.get_closest_marker("server"):
            item.add_marker(pytest.mark.enable_socket)
            item.add_marker(pytest.mark.timeout(240))


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    """PostgreSQL, Redis and RabbitMQ: those named by HIS_TEST_…_URL, or private ones."""
    with Services() as found:
        yield found
