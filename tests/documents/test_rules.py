"""Names and codes as papers show them."""

from __future__ import annotations

import pytest

from his.documents import rules


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Trần Đăng Khoa", "T. Đ. KHOA"), ("Nguyễn Ngọc Bảo An", "N. N. B. AN"), ("Ưng", "ƯNG"), ("  Lê   Vy ", "L. VY"), ("", "")],
)
def test_the_public_name_is_initials_and_the_last_word(name: str, shown: str) -> None:
    assert rules.initials(name) == shown


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("abcd-2345-efgh-6789", "ABCD2345EFGH6789"),
        (" ABCD 2345 EFGH 6789 ", "ABCD2345EFGH6789"),
        ("ＡＢ", ""),
        ("<script>", "SCRIPT"),
        ("A" * 40, "A" * 16),
    ],
)
def test_a_typed_code_is_cleaned(typed: str, plain: str) -> None:
    assert rules.plain_code(typed) == plain


def test_a_code_is_written_in_groups_of_four() -> None:
    assert rules.grouped_code("ABCD2345EFGH6789") == "ABCD-2345-EFGH-6789"
