"""Put this source tree and the command ``his`` into the virtual environment that runs this file.

Does what an editable install does, without a build step (so nothing unpinned is downloaded for it).
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = """#!{python}
import sys
from his.app import main
sys.exit(main())
"""


def link() -> None:
    """Write ``his.pth`` and ``bin/his``."""
    if sys.prefix == sys.base_prefix:
        raise SystemExit("Run this with the virtual environment's Python: .venv/bin/python tools/link.py")
    Path(sysconfig.get_path("purelib"), "his.pth").write_text(f"{ROOT}\n", "utf-8")
    script = Path(sysconfig.get_path("scripts"), "his")
    script.write_text(SCRIPT.format(python=sys.executable), "utf-8")
    script.chmod(0o755)


if __name__ == "__main__":
    link()
