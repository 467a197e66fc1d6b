"""Every test: ``make test``. SQLite suite, PostgreSQL suite, then what starts real processes and a real browser.

``make test ARGS="sqlite"`` runs one part; parts are sqlite, postgres, processes. Further arguments go to pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.services import MissingService, Services  # noqa: E402 - the path comes first

FAST = ["-n", "2", "--dist", "loadfile", "-m", "not browser and not server"]
PROCESSES = ["-n", "0", "-m", "browser or server"]
PARTS = ("sqlite", "postgres", "processes")


def run(name: str, arguments: list[str], environment: dict[str, str]) -> tuple[str, int, float]:
    """Run pytest once."""
    print(f"== {name}", flush=True)
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, env=environment, check=False)
    return name, done.returncode, time.monotonic() - started


def main(arguments: list[str]) -> int:
    """Start the servers, run the parts, say how it went."""
    parts = [a for a in arguments if a in PARTS] or list(PARTS)
    more = [a for a in arguments if a not in PARTS]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HIS_") or k.startswith("HIS_TEST_")}
    kept.pop("HIS_TEST_DATABASE_URL", None)
    results = []
    try:
        with Services() as services:
            if "sqlite" in parts:
                results.append(run("SQLite", [*FAST, *more], kept))
            server = services.postgres() if {"postgres", "processes"} & set(parts) else ""
            on_postgres = {**kept, "HIS_TEST_POSTGRES_URL": server,
                           "HIS_TEST_DATABASE_URL": f"{server.rsplit('/', 1)[0]}/his_test"}  # fmt: skip
            if "postgres" in parts:
                results.append(run("PostgreSQL", [*FAST, *more], on_postgres))
            if "processes" in parts:
                brokers = {"HIS_TEST_REDIS_URL": services.redis(), "HIS_TEST_AMQP_URL": services.rabbitmq(),
                           "HIS_TEST_POSTGRES_URL": server}  # fmt: skip
                results.append(run("processes and browser", [*PROCESSES, *more], {**kept, **brokers}))
    except MissingService as error:
        print(f"make test: {error}", file=sys.stderr)
        return 1
    print()
    for name, code, seconds in results:
        print(f"{'ok  ' if code == 0 else 'FAIL'} {name} ({seconds:.0f} s)")
    return 0 if all(code == 0 for _name, code, _seconds in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
