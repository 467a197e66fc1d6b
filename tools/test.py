"""Every test: ``make test``. What a person sees first, then the suite on SQLite and on PostgreSQL, then real processes.

``make test ARGS="sqlite"`` runs one part; the parts are the names in PARTS. Further arguments go to pytest. The browser,
PostgreSQL, Redis and RabbitMQ must be there: what a part needs is started before the first test, and its absence fails
the run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.services import MissingService, Services, browser  # noqa: E402 - the path comes first

# Two processes; a file stays in one of them, so its expensive ground is made once.
SUITE = ("-n", "2", "--dist", "loadfile", "-m", "not browser and not server")
ALONE = ("-n", "0")
# One hospital for all journeys of a run: its day has an order.
IN_ORDER = (*ALONE, "-p", "no:randomly", "tests/journeys")


@dataclass(frozen=True, slots=True)
class Part:
    """One run of pytest: its title, its arguments, what it needs."""

    title: str
    arguments: tuple[str, ...]
    on_postgres: bool = False
    needs: tuple[str, ...] = ()


PARTS = {
    "journeys": Part("journeys in the browser, SQLite", IN_ORDER, needs=("browser",)),
    "sqlite": Part("suite, SQLite", SUITE),
    "postgres": Part("suite, PostgreSQL", SUITE, on_postgres=True),
    "processes": Part("real processes and brokers", (*ALONE, "-m", "server"), needs=("postgres", "redis", "rabbitmq")),
    "journeys-postgres": Part(
        "child's journey and outages, PostgreSQL", (*IN_ORDER, "-k", "child or killed"), on_postgres=True,
        needs=("browser", "redis"),
    ),
}


def environment(part: Part, services: Services) -> dict[str, str]:
    """Return what the tests of a part are told: nothing of the caller's own hospital, addresses of its servers."""
    told = {k: v for k, v in os.environ.items() if not k.startswith("HIS_") or k.startswith("HIS_TEST_")}
    told.pop("HIS_TEST_DATABASE_URL", None)
    if part.on_postgres or "postgres" in part.needs:
        told["HIS_TEST_POSTGRES_URL"] = services.postgres()
    if part.on_postgres:
        told["HIS_TEST_DATABASE_URL"] = f"{services.postgres().rsplit('/', 1)[0]}/his_test"
    if "redis" in part.needs:
        told["HIS_TEST_REDIS_URL"] = services.redis()
    if "rabbitmq" in part.needs:
        told["HIS_TEST_AMQP_URL"] = services.rabbitmq()
    if "browser" in part.needs:
        told["HIS_TEST_CHROMIUM"] = browser()
    return told


def main(arguments: list[str]) -> int:
    """Start the servers, run the parts, say how it went."""
    parts = [PARTS[a] for a in arguments if a in PARTS] or list(PARTS.values())
    more = [a for a in arguments if a not in PARTS]
    results = []
    try:
        with Services() as services:
            ready = [(part, environment(part, services)) for part in parts]
            for part, told in ready:
                print(f"== {part.title}", flush=True)
                started = time.monotonic()
                done = subprocess.run(
                    [sys.executable, "-m", "pytest", *part.arguments, *more], cwd=ROOT, env=told, check=False
                )
                results.append((part.title, done.returncode, time.monotonic() - started))
    except MissingService as error:
        print(f"make test: {error}", file=sys.stderr)
        return 1
    print()
    for title, code, seconds in results:
        print(f"{'ok  ' if code == 0 else 'FAIL'} {title} ({seconds:.0f} s)")
    return 0 if all(code == 0 for _title, code, _seconds in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
