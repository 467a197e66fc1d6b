"""The real thing for tests: web server, worker, beat and stand-ins as processes on free ports."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, check: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Ask again and again until it is so; fail with the name of what did not come."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s in vain for: {what}")
        pause.wait(0.05)


class Stack:
    """One hospital on this machine. ``env`` is what each process gets."""

    def __init__(self, folder: Path, *, database_url: str = "", broker_url: str = "") -> None:
        self.folder = folder
        self.port = free_port()
        self.standin_port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        standin = f"http://127.0.0.1:{self.standin_port}"
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HIS_")}
        self.env: Mapping[str, str] = {
            **kept,
            "HIS_ENV": "development",
            "HIS_VAR_DIR": str(folder),
            "HIS_PORT": str(self.port),
            "HIS_DATABASE_URL": database_url,
            "HIS_BROKER_URL": broker_url,
            "HIS_LOG_LEVEL": "WARNING",
            "HIS_INSURER_URL": f"{standin}/insurer",
            "HIS_NATIONAL_RX_URL": f"{standin}/national-rx",
            "HIS_PUBLIC_BASE_URL": self.base,
            "HIS_ARGON2_MEMORY_KIB": "64",
            "HIS_ARGON2_TIME": "1",
            "PYTHONPATH": str(ROOT),
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def his(self, *arguments: str) -> str:
        """Run a command of the house; fail with what it printed."""
        done = subprocess.run(
            [sys.executable, "-c", "from his.app import main; main()", *arguments],
            cwd=ROOT, env=dict(self.env), capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"his {' '.join(arguments)}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, name: str, *command: str) -> None:
        """Start a process in its own group; its output goes to a file beside the database."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=dict(self.env), stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, name: str) -> None:
        """kill -9, with children."""
        process = self.running.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def start_web(self) -> None:
        """Start the web server and wait until it is ready."""
        self.start(
            "web", "-m", "gunicorn", "--workers", "2", "--threads", "4", "--timeout", "60",
            "--bind", f"127.0.0.1:{self.port}", "his.app:create_app()",
        )  # fmt: skip
        wait_for("the web server", self._ready, 60)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def start_worker(self) -> None:
        """Start worker and beat."""
        self.start(
            "worker", "-m", "celery", "--app", "his.worker:celery", "worker", "--pool", "threads", "--concurrency", "2",
            "--queues", "default,reports,papers", "--loglevel", "WARNING", "--without-gossip", "--without-mingle",
        )  # fmt: skip
        self.start(
            "beat", "-m", "celery", "--app", "his.worker:celery", "beat", "--loglevel", "WARNING",
            "--schedule", str(self.folder / "beat-schedule"),
        )  # fmt: skip

    def start_standins(self) -> None:
        """Start the stand-ins of the outside systems."""
        self.start("standin", "-m", "his.gateways.standin", "--port", str(self.standin_port))

        def answers() -> bool:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.standin_port), 1):
                return True
            return False

        wait_for("the stand-in servers", answers)

    def standin_control(self, **switches: Any) -> None:
        """Set switches of the stand-ins (``down=True``); no switches: back to normal."""
        import json

        request = urllib.request.Request(
            f"http://127.0.0.1:{self.standin_port}/control",
            data=json.dumps(switches).encode() if switches else None,
            headers={"Content-Type": "application/json"},
            method="POST" if switches else "DELETE",
        )
        with urllib.request.urlopen(request, timeout=5):
            pass

    def stop(self) -> None:
        """Stop everything."""
        for name in list(self.running):
            process = self.running[name]
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for name in list(self.running):
            process = self.running.pop(name)
            try:
                process.wait(8)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)
