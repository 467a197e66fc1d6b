"""One search a Vietnamese keyboard loves, and no table scan behind it."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, text

from his.core import search
from his.core.db import db, session, transaction
from his.core.search import Entry, deletions, find, fold, fold_code, initials, put, remove

PEOPLE = [
    (1, "Nguyễn Ngọc Bảo An", "26-000001"),
    (2, "Nguyễn Bảo Ngọc", "26-000002"),
    (3, "Trần Văn Đức", "26-000003"),
    (4, "Trần Đức Văn", "26-000004"),
    (5, "Đặng Thị Ánh", "26-000005"),
    (6, "Lê Thị Minh Châu", "26-000006"),
]
DISEASES = [
    (1, "Viêm phế quản cấp, không xác định", "J20.9"),
    (2, "Viêm phế quản cấp do virus hợp bào hô hấp", "J20.5"),
    (3, "Viêm phổi, tác nhân không xác định", "J18.9"),
    (4, "Sốt không đặc hiệu", "R50.9"),
]


@pytest.fixture(autouse=True)
def _indexed(db_session: Any) -> None:
    with transaction():
        put("patient", [Entry(i, name, name, codes=(code, f"09000000{i:02d}")) for i, name, code in PEOPLE])
        put("icd", [Entry(i, name, name, codes=(code,)) for i, name, code in DISEASES])


def names(kind: str, text: str, **more: Any) -> list[str]:
    return [hit.label for hit in find(kind, text, **more)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("nguyen ngoc bao an", "Nguyễn Ngọc Bảo An"),
        ("Nguyễn Ngọc Bảo An", "Nguyễn Ngọc Bảo An"),
        (unicodedata.normalize("NFD", "Nguyễn Ngọc Bảo An"), "Nguyễn Ngọc Bảo An"),
        ("NGUYỄN  NGỌC   BẢO AN", "Nguyễn Ngọc Bảo An"),
        ("bao an", "Nguyễn Ngọc Bảo An"),
        ("an bao", "Nguyễn Ngọc Bảo An"),
        ("an nguyen", "Nguyễn Ngọc Bảo An"),
        ("nnba", "Nguyễn Ngọc Bảo An"),
        ("n n b a", "Nguyễn Ngọc Bảo An"),
        ("dang thi anh", "Đặng Thị Ánh"),
        ("đặng", "Đặng Thị Ánh"),
        ("dang", "Đặng Thị Ánh"),
        ("chau min", "Lê Thị Minh Châu"),
        ("26-000003", "Trần Văn Đức"),
        ("26000003", "Trần Văn Đức"),
        ("0900000006", "Lê Thị Minh Châu"),
        ("09000000 06", "Lê Thị Minh Châu"),
        ("tran van duc", "Trần Văn Đức"),
        ("tran duc van", "Trần Đức Văn"),
    ],
)
def test_people_are_found_as_they_are_typed(typed: str, first: str) -> None:
    assert names("patient", typed)[0] == first


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("J20.9", "Viêm phế quản cấp, không xác định"), ("j209", "Viêm phế quản cấp, không xác định"),
        ("j20 9", "Viêm phế quản cấp, không xác định"), ("J18", "Viêm phổi, tác nhân không xác định"),
        ("viem phe quan", "Viêm phế quản cấp, không xác định"), ("vpq", "Viêm phế quản cấp, không xác định"),
        ("hop bao", "Viêm phế quản cấp do virus hợp bào hô hấp"), ("sot", "Sốt không đặc hiệu"),
    ],
)  # fmt: skip
def test_diagnoses_are_found_by_code_words_and_initials(typed: str, first: str) -> None:
    assert first in names("icd", typed)[:2]


@pytest.mark.parametrize(
    "typed",
    ["nguyem ngoc bao an", "nguyn ngoc bao an", "nguyeen ngoc bao an", "ngueyn ngoc bao an", "nguyen ngoc boa an"],
)
def test_one_letter_wrong_missing_extra_or_swapped_is_forgiven(typed: str) -> None:
    hits = find("patient", typed)
    assert hits[0].label == "Nguyễn Ngọc Bảo An"
    assert hits[0].corrected


def test_an_exact_name_is_not_called_corrected() -> None:
    assert not any(hit.corrected for hit in find("patient", "tran van duc"))


@pytest.mark.parametrize("typed", ["", " ", "a", "%", "%%", "_", "'", "\\", "zzzzqqqq", "\x00\x00", "!!!"])
def test_too_little_or_nothing_known_finds_nothing(typed: str) -> None:
    assert find("patient", typed) == []


def test_wildcards_are_letters_like_others() -> None:
    assert find("patient", "tr%n") == []
    assert find("patient", "tr_n") == []


def test_a_kind_is_never_mixed_with_another() -> None:
    assert names("icd", "tran van duc") == []


def test_a_name_from_its_first_letter_comes_before_words_in_the_middle() -> None:
    with transaction():
        put("drug", [Entry(1, "Amoxicilin", "Amoxicilin"), Entry(2, "Acid clavulanic amoxicilin", "Acid…")])
    assert names("drug", "amoxi") == ["Amoxicilin", "Acid…"]


def test_results_are_at_most_twelve_and_never_above_fifty() -> None:
    with transaction():
        put("drug", [Entry(i, f"Thuốc số {i}", f"Thuốc số {i}") for i in range(200)])
    assert len(find("drug", "thuoc")) == 12
    assert len(find("drug", "thuoc", limit=10_000)) == 50


def test_an_indexed_thing_is_replaced_not_doubled() -> None:
    with transaction():
        put("patient", [Entry(3, "Trần Văn Mới", "Trần Văn Mới")])
    assert names("patient", "tran van moi") == ["Trần Văn Mới"]
    assert "Trần Văn Đức" not in names("patient", "tran van duc")


def test_a_removed_thing_is_not_found() -> None:
    with transaction():
        remove("patient", [1])
    assert "Nguyễn Ngọc Bảo An" not in names("patient", "nguyen ngoc bao an")


def test_ten_thousand_letters_end_at_once(count_statements: Any) -> None:
    with count_statements() as seen:
        assert find("patient", "tran " * 2500) != []
    assert seen.count <= 6


@pytest.mark.parametrize("typed", ["tran van duc", "nguyem ngok bao", "vpq", "j209", "le thi minh chau xin"])
def test_few_statements_whatever_is_typed(count_statements: Any, typed: str) -> None:
    with count_statements() as seen:
        find("patient", typed)
    assert seen.count <= 12


def _plans(action: Any) -> list[str]:
    """The plans of all statements that ``action`` runs, scans switched off where the planner would take them for tiny tables."""
    statements: list[tuple[str, Any]] = []

    def note(_c: Any, _cur: Any, statement: str, parameters: Any, _ctx: Any, _many: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH", "(SELECT")):
            statements.append((statement, parameters))

    target = db.engines[None]
    event.listen(target, "before_cursor_execute", note)
    try:
        action()
    finally:
        event.remove(target, "before_cursor_execute", note)
    connection = session().connection()
    plans = []
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL enable_seqscan = off"))
    for statement, parameters in statements:
        prefix = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        rows = connection.exec_driver_sql(f"{prefix} {statement}", parameters).all()
        plans.append("\n".join(str(row[-1]) for row in rows))
    return plans


@pytest.mark.parametrize("typed", ["tran van duc", "nguyem ngoc bao", "nnba", "26-000003", "tr"])
def test_no_table_is_scanned(typed: str) -> None:
    plans = _plans(lambda: find("patient", typed))
    assert plans
    for plan in plans:
        assert "SCAN search_" not in plan, plan
        assert "Seq Scan on search_" not in plan, plan


# --- the pure parts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_text", "folded"),
    [
        ("Trần Văn Đức", "tran van duc"),
        ("ĐẶNG", "dang"),
        ("  a  b ", "a b"),
        ("J20.9", "j20 9"),
        ("O'Brien-Lê", "o brien le"),
    ],
)
def test_folding(given_text: str, folded: str) -> None:
    assert fold(given_text) == folded


def test_codes_and_initials() -> None:
    assert fold_code("J20.9") == "j209"
    assert initials("Nguyễn Ngọc Bảo An") == "nnba"
    assert deletions("abc") == {"abc", "bc", "ac", "ab"}


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing(anything: str) -> None:
    assert fold(fold(anything)) == fold(anything)


@given(st.text(max_size=30))
def test_composed_and_decomposed_letters_fold_alike(anything: str) -> None:
    assert fold(unicodedata.normalize("NFC", anything)) == fold(unicodedata.normalize("NFD", anything))


@pytest.mark.parametrize("hostile", ["'; DROP TABLE patients; --", "\u202eabc", "a" * 10_000, "𝟙𝟚", "\ud800x"])
def test_hostile_text_is_only_text(hostile: str) -> None:
    assert isinstance(search.find("patient", hostile), list)
