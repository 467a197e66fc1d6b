"""Private PostgreSQL, Redis and RabbitMQ for a test run: throw-away folders, free ports, gone afterwards.

Nothing on the machine is touched. HIS_TEST_POSTGRES_URL, HIS_TEST_REDIS_URL and HIS_TEST_AMQP_URL name servers to use
instead.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Self


class MissingService(RuntimeError):
    """A server program is not installed: the run fails, it never skips."""


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(
    what: str, answers: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float = 60
) -> None:
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text("utf-8", "replace")[-2000:]
            raise MissingService(f"{what} did not start:\n{tail}")
        pause.wait(0.1)


def _listens(port: int) -> Callable[[], bool]:
    def ask() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    return ask


def _program(*places: str, package: str) -> str:
    for place in places:
        found = shutil.which(place) or next(
            (str(p) for p in sorted(Path("/").glob(place.lstrip("/")), reverse=True)), ""
        )
        if found:
            return found
    raise MissingService(f"{places[0]} is missing. Run as root: apt-get install -y --no-install-recommends {package}")


def browser() -> str:
    """Return the browser of the tests: the one HIS_TEST_CHROMIUM names, else the machine's Chromium."""
    named = os.environ.get("HIS_TEST_CHROMIUM", "")
    return _program(*([named] if named else ["chromium", "chromium-browser"]), package="chromium")


def _user(name: str) -> dict[str, int]:
    """Servers refuse to run as root: they run as their own user then."""
    if os.getuid() != 0:
        return {}
    entry = pwd.getpwnam(name)
    return {"user": entry.pw_uid, "group": entry.pw_gid}


class Services:
    """The servers of one run. Use as a context manager."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="his-services-"))
        self.folder.chmod(0o755)
        self._running: list[tuple[subprocess.Popen[bytes], int]] = []
        self._known: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_problem: object) -> None:
        for process, how in reversed(self._running):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, how)
        for process, _how in reversed(self._running):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _own(self, name: str, user: Mapping[str, int]) -> Path:
        folder = self.folder / name
        folder.mkdir()
        if user:
            os.chown(folder, user["user"], user["group"])
        return folder

    def _start(
        self, command: list[str], log: Path, user: Mapping[str, int], environment: Mapping[str, str], how: int
    ) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=output, start_new_session=True, cwd=log.parent,
                env={**os.environ, **environment}, extra_groups=[] if user else None, **user,
            )  # fmt: skip
        self._running.append((process, how))
        return process

    def _once(self, name: str, variable: str, start: Callable[[], str]) -> str:
        if name not in self._known:
            self._known[name] = os.environ.get(variable, "") or start()
        return self._known[name]

    def postgres(self) -> str:
        """Return the address of a PostgreSQL server (its database ``postgres``), starting one when none is named."""
        return self._once("postgres", "HIS_TEST_POSTGRES_URL", self._postgres)

    def _postgres(self) -> str:
        initdb = _program("/usr/lib/postgresql/*/bin/initdb", "initdb", package="postgresql")
        user = _user("postgres")
        folder = self._own("postgres", user)
        data = folder / "data"
        subprocess.run(
            [initdb, "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd=folder, extra_groups=[] if user else None, **user,
        )  # fmt: skip
        port = free_port()
        process = self._start(
            [str(Path(initdb).with_name("postgres")), "-D", str(data), "-p", str(port), "-k", str(folder),
             "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "synchronous_commit=off",
             "-c", "full_page_writes=off", "-c", "max_connections=200", "-c", "shared_buffers=128MB"],
            folder / "log", user, {}, signal.SIGINT,
        )  # fmt: skip
        _wait("PostgreSQL", _listens(port), process, folder / "log")
        return f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"

    def redis(self) -> str:
        """Return the address of a Redis server, starting one when none is named."""
        return self._once("redis", "HIS_TEST_REDIS_URL", self._redis)

    def _redis(self) -> str:
        program = _program("redis-server", package="redis-server")
        folder = self._own("redis", {})
        port = free_port()
        process = self._start(
            [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
            folder / "log", {}, {}, signal.SIGTERM,
        )  # fmt: skip
        _wait("Redis", _listens(port), process, folder / "log")
        return f"redis://127.0.0.1:{port}/0"

    def rabbitmq(self) -> str:
        """Return the address of a RabbitMQ server, starting one when none is named."""
        return self._once("rabbitmq", "HIS_TEST_AMQP_URL", self._rabbitmq)

    def _rabbitmq(self) -> str:
        program = _program("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server", package="rabbitmq-server")
        user = _user("rabbitmq")
        folder = self._own("rabbitmq", user)
        (folder / "none.conf").write_text("", "utf-8")
        port, names, between = free_port(), free_port(), free_port()
        # Erlang would leave its name server behind as a daemon: ours ends with the run.
        self._start(
            [_program("epmd", "/usr/lib/erlang/erts-*/bin/epmd", package="erlang-base"), "-port", str(names)],
            folder / "names.log", user, {}, signal.SIGTERM,
        )  # fmt: skip
        environment = {
            "HOME": str(folder), "RABBITMQ_NODENAME": f"his{port}@localhost", "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_DIST_PORT": str(between), "ERL_EPMD_PORT": str(names),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"), "RABBITMQ_LOG_BASE": str(folder / "logs"),
            "RABBITMQ_CONFIG_FILE": str(folder / "none"), "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null", "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-setcookie his{port}",
        }  # fmt: skip
        process = self._start([program], folder / "log", user, environment, signal.SIGTERM)
        _wait("RabbitMQ", _speaks_amqp(port), process, folder / "log", 120)
        return f"amqp://guest:guest@127.0.0.1:{port}//"


def _speaks_amqp(port: int) -> Callable[[], bool]:
    """The port opens before the accounts exist: ask for a greeting."""

    def ask() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as line:
            line.sendall(b"AMQP\x00\x00\x09\x01")
            return line.recv(8)[:1] == b"\x01"
        return False

    return ask


@contextlib.contextmanager
def running() -> Iterator[Services]:
    """Servers until the end of the block."""
    with Services() as services:
        yield services
