"""`make bench`: measure, print a table, write JSON. Ratios count; absolute times move with the machine.

Options: ``--quick`` (fewer people), ``--only search,screens,papers,claims``, ``--database postgresql`` (default: both
kinds where a local server answers, else SQLite alone and said so).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.measure import Record
from his.core.clock import now

ROOT = Path(__file__).resolve().parents[1]
POSTGRES = os.environ.get("HIS_BENCH_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1")
PARTS = ("papers", "search", "claims", "screens")


def _postgres(name: str) -> str:
    import psycopg

    with psycopg.connect(f"{POSTGRES.replace('+psycopg', '')}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    return f"{POSTGRES}/{name}"


def child(part: str, database: str, count: int, out: str) -> None:
    """Run one part on one database in this process (each part gets a process of its own)."""
    from bench import claims, papers, patient_search, people, screens
    from his.app import create_app
    from his.core import migrate

    app = create_app(part="worker" if part in ("search", "claims") else "web")
    record = Record()
    complaints: list[str] = []
    if part == "papers":
        with app.test_request_context():
            papers.run(record)
    else:
        with app.app_context():
            migrate.upgrade()
        if part == "search":
            with app.app_context():
                people.fill(count)
                patient_search.analyse()
                patient_search.run(record, database, count)
        elif part == "claims":
            with app.app_context():
                from his.core.db import transaction
                from his.identity.service import seed_roles

                with transaction():
                    seed_roles()
            complaints = claims.run(app, record, database)
        else:
            complaints = screens.run(app, record, database)
    Path(out).write_text(json.dumps({"figures": record.as_dicts(), "complaints": complaints}), "utf-8")


def _settings(part: str, database: str, folder: str) -> dict[str, str]:
    url = _postgres(f"his_bench_{part}") if database == "postgresql" else ""
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("HIS_")},
        "HIS_ENV": "development", "HIS_VAR_DIR": folder, "HIS_DATABASE_URL": url, "HIS_BROKER_URL": "memory://",
        "HIS_LOG_LEVEL": "ERROR", "HIS_ARGON2_MEMORY_KIB": "64", "HIS_ARGON2_TIME": "1", "PYTHONPATH": str(ROOT),
    }  # fmt: skip


def main() -> None:
    """Measure everything asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--database", default="both", choices=["both", "sqlite", "postgresql"])
    parser.add_argument("--out", default=str(ROOT / "bench" / "out" / "bench.json"))
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        part, database, count, out = arguments.child
        child(part, database, int(count), out)
        return
    count = 5_000 if arguments.quick else 100_000
    databases = ["sqlite", "postgresql"] if arguments.database == "both" else [arguments.database]
    everything: list[dict[str, object]] = []
    complaints: list[str] = []
    for part in arguments.only.split(","):
        for database in databases[:1] if part == "papers" else databases:
            print(f"\n== {part} on {database}", flush=True)
            with tempfile.TemporaryDirectory(prefix="his-bench-") as folder:
                env = _settings(part, database, folder)
                if part == "screens":
                    for command in (["db", "upgrade"], ["demo", "load"]):
                        subprocess.run([sys.executable, "-c", "from his.app import main; main()", *command],
                                       env=env, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # fmt: skip
                out = Path(folder) / "out.json"
                subprocess.run([sys.executable, "-m", "bench.run", "--child", part, database, str(count), str(out)],
                               env=env, cwd=ROOT, check=True)  # fmt: skip
                found = json.loads(out.read_text("utf-8"))
                everything += found["figures"]
                complaints += found["complaints"]
    target = Path(arguments.out)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({
        "at": now().isoformat(timespec="seconds"), "python": platform.python_version(), "cores": os.cpu_count(),
        "patients": count, "figures": everything, "complaints": complaints,
    }, ensure_ascii=False, indent=1), "utf-8")  # fmt: skip
    print(f"\nJSON: {target.relative_to(ROOT) if target.is_relative_to(ROOT) else target}")
    for complaint in complaints:
        print(f"!! {complaint}")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
