"""Pure rules of papers: how a code and a name are shown."""

from __future__ import annotations


def initials(full_name: str) -> str:
    """Return a name as the public check shows it, initials and the last word: ``Trần Đăng Khoa`` -> ``T. Đ. KHOA``."""
    words = full_name.upper().split()
    return " ".join([*(f"{word[0]}." for word in words[:-1]), *words[-1:]])


def plain_code(typed: str) -> str:
    """Return a public code as it is stored, from what a person typed: capitals, no dashes, at most 16 signs."""
    return "".join(c for c in typed.upper() if c.isascii() and c.isalnum())[:16]


def grouped_code(code: str) -> str:
    """Write a public code in groups of four: ``ABCD-2345-EFGH-6789``."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))
