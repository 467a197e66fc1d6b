"""`tools/setup.sh` says what is missing in one sentence, installs as root, and does nothing when nothing changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def machine(tmp_path: Path) -> Run:
    """A small copy of the project with a made-up machine: who I am, what apt and Python do."""
    project = tmp_path / "project"
    commands = tmp_path / "bin"
    for folder in (project / "tools", project / "requirements", project / ".venv/bin", commands):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / "tools/setup.sh", project / "tools/setup.sh")
    (project / "tools/link.py").write_text("print('linked')\n")
    for name in ("base", "dev"):
        (project / f"requirements/{name}.txt").write_text(f"# {name}\n")
    (project / ".venv/bin/python").symlink_to(sys.executable)
    # Nothing to install: the marks of both lists are there.
    base = (project / "requirements/base.txt").read_bytes()
    for name in ("base", "dev"):
        mark = hashlib.sha256(base + (project / f"requirements/{name}.txt").read_bytes()).hexdigest()
        (project / f".venv/.installed-{name}").write_text(mark)

    def script(name: str, text: str) -> None:
        path = commands / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def run(*, root: bool, missing: str = "", after_install: str = "", what: str = "run", python: str = "") -> subprocess.CompletedProcess[str]:
        script("id", f"echo {0 if root else 1000}")
        script("apt-get", f'echo "$@" >> {tmp_path}/apt.log; printf %s "{after_install}" > {tmp_path}/missing')
        (tmp_path / "missing").write_text(missing)
        (project / "tools/native.py").write_text(
            f"import pathlib, sys\ntext = pathlib.Path({str(tmp_path / 'missing')!r}).read_text()\nprint(text)\nsys.exit(bool(text))\n"
        )
        if python:
            for name in ("python3", "python3.14", "python3.13", "python3.12", "python3.11"):
                script(name, python)
        return subprocess.run(
            ["sh", str(project / "tools/setup.sh"), what], capture_output=True, text=True, timeout=60, check=False,
            env={"PATH": f"{commands}:{os.environ['PATH']}", "HOME": str(tmp_path), "HIS_TEST_CHROMIUM": "x",
                 "HIS_TEST_POSTGRES_URL": "x", "HIS_TEST_REDIS_URL": "x", "HIS_TEST_AMQP_URL": "x"},
        )  # fmt: skip

    return run


def test_nothing_missing_is_quiet_and_links(machine: Run) -> None:
    done = machine(root=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "linked\n", "")


def test_without_root_the_exact_command_is_printed(machine: Run) -> None:
    done = machine(root=False, missing="libpango-1.0-0 libharfbuzz-subset0")
    assert done.returncode == 1
    assert "sudo apt-get install -y --no-install-recommends libpango-1.0-0 libharfbuzz-subset0" in done.stderr
    assert "linked" not in done.stdout


def test_root_installs_and_goes_on(machine: Run, tmp_path: Path) -> None:
    done = machine(root=True, missing="libharfbuzz-subset0")
    assert done.returncode == 0, done.stderr
    assert "linked" in done.stdout
    assert "install -y -qq --no-install-recommends libharfbuzz-subset0" in (tmp_path / "apt.log").read_text()


def test_root_stops_when_it_is_still_missing(machine: Run) -> None:
    done = machine(root=True, missing="libharfbuzz-subset0", after_install="libharfbuzz-subset0")
    assert done.returncode == 1
    assert "libharfbuzz-subset0" in done.stderr


def test_an_old_python_is_refused_with_what_is_needed(machine: Run) -> None:
    done = machine(root=False, python='case "$1" in --version) echo "Python 3.9.2";; *) exit 1;; esac')
    assert done.returncode == 1
    assert "3.11" in done.stderr
    assert "3.9.2" in done.stderr


def test_tests_need_the_developers_packages_too(machine: Run) -> None:
    assert machine(root=False, what="test").returncode == 0
