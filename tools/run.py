"""Start the hospital on this machine: schema, demo data when the database is empty, then every process.

``make run`` calls it. The processes stand in the Procfile and are watched by honcho: when one ends, all end.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.printer import Message, Printer

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from his.core.config import Settings, load_settings  # noqa: E402 - the path comes first
from his.core.errors import SetupError  # noqa: E402

READY = "his: ready"
QUIET = ("started (pid=", "stopped (rc=", "sending SIG", "Warm shutdown", "celery beat v")


def stop(text: str, code: int = 1) -> None:
    """Say one sentence and end."""
    print(f"Dừng: {text}", file=sys.stderr)
    sys.exit(code)


def listens(port: int) -> bool:
    """Tell whether somebody listens on a local port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def only_one(settings: Settings) -> IO[str]:
    """Hold the lock of this folder; say so and leave when another start holds it."""
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    lock = (settings.var_dir / "run.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        print(f"Hệ thống đang chạy rồi ở {lock.read().strip() or 'máy này'}. Không khởi động lần hai.")
        sys.exit(0)
    lock.truncate(0)
    lock.write(f"http://127.0.0.1:{settings.port}")
    lock.flush()
    return lock


class Screen(Printer):  # type: ignore[misc]
    """What the person at the terminal sees: a welcome when pages are served, warnings, nothing else."""

    welcome = ""

    def write(self, message: Message) -> None:
        """Show a line of a process."""
        line = message.data if isinstance(message.data, str) else message.data.decode("utf-8", "replace")
        if line.strip() == READY:
            print(self.welcome, flush=True)
        elif any(mark in line for mark in QUIET) or not line.strip():
            return
        elif "received" in line and message.name == "system":
            print("\nĐang dừng…", flush=True)
        else:
            super().write(message)


def command(arguments: list[str], environment: dict[str, str]) -> str:
    """Run ``his …`` and return what it printed; leave with its message when it fails."""
    done = subprocess.run(
        [sys.executable, "-c", "from his.app import main; main()", *arguments], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, check=False,
    )  # fmt: skip
    if done.returncode:
        print(done.stdout, end="")
        stop(f"lệnh «his {' '.join(arguments)}» không xong. Đọc lời báo ở trên.", done.returncode)
    return done.stdout


def prepared_mark(settings: Settings) -> str:
    """Return what says that this very database file was brought to these migrations; "" when it cannot be known."""
    if not settings.database.startswith("sqlite:///"):
        return ""
    file = Path(settings.database.removeprefix("sqlite:///"))
    if not file.is_file() or (settings.var_dir / "demo-loading").exists():
        return ""
    digest = hashlib.sha256(f"{file}:{file.stat().st_ino}:{settings.env}".encode())
    for migration in sorted((ROOT / "migrations" / "versions").glob("*.py")):
        digest.update(migration.read_bytes())
    for source in sorted((ROOT / "his" / "demo").glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def prepare(settings: Settings, environment: dict[str, str]) -> str:
    """Bring schema and demo up to date and return the log-ins; nothing to do for a database prepared before."""
    note = settings.var_dir / "prepared"
    with suppress(OSError):
        known, _line, logins = note.read_text("utf-8").partition("\n")
        if known and known == prepared_mark(settings):
            return logins
    logins = command(["prepare"], environment)
    note.write_text(f"{prepared_mark(settings)}\n{logins}", "utf-8")
    return logins


def standin_port(settings: Settings) -> int | None:
    """Return the port to serve the stand-ins on; None when the outside systems are real or already answer."""
    address = urlsplit(settings.insurer_url)
    if settings.is_production or address.hostname not in ("127.0.0.1", "localhost") or not address.port:
        return None
    return None if listens(address.port) else address.port


def main() -> None:
    """Prepare and run."""
    try:
        settings = load_settings()
    except SetupError as error:
        stop(error.message, 2)
        raise
    lock = only_one(settings)
    if listens(settings.port):
        stop(
            f"cổng {settings.port} đang có chương trình khác dùng. Đóng chương trình đó hoặc đặt HIS_PORT là cổng khác."
        )
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
                   "PYTHONUNBUFFERED": "1",
                   # The demo may be started as root; celery says so on seven lines.
                   "PYTHONWARNINGS": "ignore:You're running the worker with superuser"}  # fmt: skip
    environment.setdefault("HIS_LOG_LEVEL", "WARNING")  # each request on a line would push the log-ins away
    environment.setdefault("HIS_PUBLIC_BASE_URL", f"http://127.0.0.1:{settings.port}")  # where the QR of a paper leads
    logins = prepare(settings, environment)
    screen = Screen(sys.stdout)
    screen.welcome = f"\nBệnh viện mở cửa tại http://127.0.0.1:{settings.port}   (Ctrl-C để dừng)\n{logins}"
    manager = Manager(screen)
    port = standin_port(settings)
    processes: dict[str, Any] = parse_procfile((ROOT / "Procfile").read_text("utf-8")).processes
    for name, line in processes.items():
        if name == "standins":
            if port is None:
                continue
            environment["HIS_STANDIN_PORT"] = str(port)
        manager.add_process(name, f"exec {line}", quiet=name == "standins", env=dict(environment), cwd=str(ROOT))
    manager.loop()
    lock.close()
    # Stopped by a person is a good end.
    sys.exit(0 if manager.returncode in (0, 130, 143) else manager.returncode)


if __name__ == "__main__":
    main()
