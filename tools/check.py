"""Static checks, all of them, and at the end which failed: ``make check``."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
TEMPLATES = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "his").glob("*/templates"))
TEXTS = [
    str(p.relative_to(ROOT))
    for p in [*sorted(ROOT.glob("docs/**/*.md")), ROOT / "README.md", ROOT / "CHANGELOG.md"]
    if p.exists()
]

# Name, command. Spelling is checked in English prose only: the product speaks Vietnamese.
CHECKS: list[tuple[str, list[str]]] = [
    ("ruff", [str(BIN / "ruff"), "check", "."]),
    ("import contracts", [str(BIN / "lint-imports")]),
    ("types", [str(BIN / "mypy")]),
    ("templates", [str(BIN / "djlint"), "--lint", "--quiet", *TEMPLATES]),
    ("spelling", [str(BIN / "codespell"), "--ignore-words-list=vai,nam", *TEXTS]),
    ("house rules", [sys.executable, "tools/house.py"]),
]


def main() -> int:
    """Run everything; print what a failing check printed."""
    failed = []
    for name, command in CHECKS:
        started = time.monotonic()
        done = subprocess.run(
            command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        mark = "ok  " if done.returncode == 0 else "FAIL"
        print(f"{mark} {name} ({time.monotonic() - started:.1f} s)", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stdout)
    if failed:
        print(f"make check: {', '.join(failed)} failed.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
