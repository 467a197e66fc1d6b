"""Self-tests of the paper engine."""

from __future__ import annotations

import ctypes.util
import unicodedata
from pathlib import Path

from fontTools.ttLib import TTFont

from his.documents.rendering import STATIC

FONTS = STATIC / "fonts" / "paper"
VOWELS, TONES = "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY", ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
LETTERS = frozenset(unicodedata.normalize("NFC", vowel + tone) for vowel in VOWELS for tone in TONES) | set("đĐ–“”«»·°≥≤×")


def missing_letters(font: Path) -> str:
    """Return the Vietnamese letters and signs of papers that a font file lacks."""
    with TTFont(font, lazy=True) as found:
        known = found.getBestCmap()
    return "".join(sorted(letter for letter in LETTERS if ord(letter) not in known))


def check_fonts() -> list[str]:
    """Tell what is missing for papers: packaged fonts with every Vietnamese letter, and the libraries behind printing."""
    problems = []
    fonts = sorted(FONTS.glob("*.ttf"))
    if not fonts:
        problems.append("Thiếu phông chữ giấy tờ trong his/core/static/fonts/paper.")
    for font in fonts:
        missing = missing_letters(font)
        if missing:
            problems.append(f"Phông {font.name} thiếu chữ tiếng Việt: {missing[:20]}… Chép lại phông của bản phát hành.")
    if ctypes.util.find_library("harfbuzz-subset") is None:
        problems.append("Thiếu thư viện libharfbuzz-subset0: in giấy chậm gấp bốn. Cài bằng apt-get install libharfbuzz-subset0.")
    if ctypes.util.find_library("pango-1.0") is None:
        problems.append("Thiếu thư viện libpango-1.0-0. Cài bằng apt-get install libpango-1.0-0 libpangoft2-1.0-0.")
    return problems
