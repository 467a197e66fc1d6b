"""Self-tests of the paper engine."""

from __future__ import annotations

import ctypes.util

from his.documents.rendering import STATIC


def check_fonts() -> list[str]:
    """Tell what is missing for papers: packaged fonts, and the library without which printing is four times slower."""
    problems = []
    if not list((STATIC / "fonts" / "paper").glob("*.ttf")):
        problems.append("Thiếu phông chữ giấy tờ trong his/core/static/fonts/paper.")
    if ctypes.util.find_library("harfbuzz-subset") is None:
        problems.append("Thiếu thư viện libharfbuzz-subset0: in giấy chậm gấp bốn. Cài bằng apt-get install libharfbuzz-subset0.")
    if ctypes.util.find_library("pango-1.0") is None:
        problems.append("Thiếu thư viện libpango-1.0-0. Cài bằng apt-get install libpango-1.0-0 libpangoft2-1.0-0.")
    return problems
