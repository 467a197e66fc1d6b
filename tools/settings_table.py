"""Write the table of settings into docs/operations.md from the Settings object: ``python tools/settings_table.py``."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Literal, get_args, get_origin

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from his.core.config import DEVELOPMENT_SECRET, PROJECT_ROOT, Settings  # noqa: E402 - the path comes first

PAGE = ROOT / "docs" / "operations.md"
BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"


def _kind(name: str) -> str:
    field = Settings.model_fields[name]
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(field.annotation))
    kinds = [kind for kind in (get_args(field.annotation) or (field.annotation,)) if kind is not type(None)]
    words = {int: "whole number", float: "number", bool: "`true`, `false`", str: "text", Path: "folder"}[kinds[0]]
    limits = {k: getattr(m, k) for m in field.metadata for k in ("ge", "gt", "le") if getattr(m, k, None) is not None}
    if limits:
        low = f"{limits['ge']}" if "ge" in limits else f">{limits['gt']}"
        words += f" {low}–{limits['le']}" if "le" in limits else f" from {low}"
    return words


def _default(name: str) -> str:
    value = Settings.model_fields[name].default
    if isinstance(value, Path):
        return f"`{value.relative_to(PROJECT_ROOT)}`"
    if value == DEVELOPMENT_SECRET:
        return "development key"
    return "" if value in ("", None) else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def table() -> str:
    """Return the table in Markdown."""
    rows = ["| Variable | May be | Default | What |", "|---|---|---|---|"]
    rows += [
        f"| `HIS_{name.upper()}` | {_kind(name)} | {_default(name)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(rows)


def page(text: str) -> str:
    """Return the page with the table of today."""
    return re.sub(f"{BEGIN}.*{END}", lambda _match: f"{BEGIN}\n{table()}\n{END}", text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
