"""`his insurance try | export | check`."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from his.insurance import service
from his.insurance.rules import write_claim
from tests.factories import insurance as make
from tests.insurance.claim_samples import adult_claim, changed

CASES = Path(__file__).parents[1] / "billing" / "data" / "benefit-cases.csv"
Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask, db_session: Any) -> Run:
    runner = app.test_cli_runner()

    def call(*args: Any) -> Result:
        return runner.invoke(args=["insurance", *map(str, args)])

    return call


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_every_sure_case_agrees_and_derived_ones_are_listed(run: Run, tmp_path: Path) -> None:
    result = run("try", CASES, "--out", tmp_path / "out.csv")
    cases = rows_of(CASES)
    out = {row["id"]: row for row in rows_of(tmp_path / "out.csv")}
    assert set(out) == {row["id"] for row in cases}
    assert [row["id"] for row in cases if row["confidence"] == "sure" and out[row["id"]]["differences"]] == []
    derived = [row["id"] for row in cases if row["confidence"] == "derived"]
    line = next(line for line in result.output.splitlines() if line.startswith("Dòng suy luận"))
    assert all(case in line for case in derived)
    assert result.exit_code == (1 if any(row["differences"] for row in out.values()) else 0)


def test_a_difference_is_shown_and_fails(run: Run, tmp_path: Path) -> None:
    row = {**rows_of(CASES)[0], "insurer": "1"}
    result = run("try", write(tmp_path / "c.csv", [row]))
    assert result.exit_code == 1
    assert "LỆCH" in result.output
    assert "insurer: chờ 1, ra" in result.output


def test_empty_expectations_are_only_computed(run: Run, tmp_path: Path) -> None:
    blank = {"expected_subject_code", "expected_rate", "total_bv", "total_bh", "insurer", "copay", "outside", "other_source"}
    row = {name: "" if name in blank else value for name, value in rows_of(CASES)[0].items()}
    result = run("try", write(tmp_path / "c.csv", [row]))
    assert result.exit_code == 0
    assert "1 chỉ tính" in result.output
    assert "fund=560000" in result.output


def test_a_case_that_cannot_be_read_fails_in_words(run: Run, tmp_path: Path) -> None:
    row = {**rows_of(CASES)[0], "visit_end": "hôm qua"}
    result = run("try", write(tmp_path / "c.csv", [row]))
    assert result.exit_code == 1
    assert "không phải ngày" in result.output
    assert "Traceback" not in result.output


def test_a_file_without_the_columns_is_refused(run: Run, tmp_path: Path) -> None:
    result = run("try", write(tmp_path / "c.csv", [{"id": "1", "x": "2"}]))
    assert result.exit_code == 1
    assert "Thiếu cột" in result.output


def test_export_writes_a_month_and_the_files_pass_the_check(run: Run, tmp_path: Path) -> None:
    staff = make.ready()
    made = make.journey(staff, "adult", ct=True, referral=True)
    claim = make.claim_of(staff, made)
    make.journey(staff, "uninsured", drugs=0)
    out = tmp_path / "xuất"
    first = run("export", "--month", claim.settlement_month, "--out", out)
    assert first.exit_code == 0, first.output
    assert [path.name for path in out.iterdir()] == [f"{made.visit_code}.xml"]
    data = (out / f"{made.visit_code}.xml").read_bytes()
    assert data == service.claim_file(claim)
    assert run("export", "--month", claim.settlement_month, "--out", out).exit_code == 0
    assert (out / f"{made.visit_code}.xml").read_bytes() == data
    checked = run("check", out / f"{made.visit_code}.xml")
    assert checked.exit_code == 0, checked.output
    assert "ĐẠT: 0 lỗi" in checked.output


@pytest.mark.parametrize("month", ["2026-13", "11/2026", "2026-1", "hôm nay"])
def test_export_of_no_month_is_refused_in_words(run: Run, tmp_path: Path, month: str) -> None:
    result = run("export", "--month", month, "--out", tmp_path)
    assert result.exit_code == 1
    assert "chưa đúng" in result.output


def test_export_to_a_file_is_refused_in_words(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "x"
    target.write_text("x")
    result = run("export", "--month", "2026-11", "--out", target)
    assert result.exit_code != 0
    assert "Traceback" not in result.output


def test_check_reports_errors_of_a_foreign_file_and_fails(run: Run, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_bytes(write_claim(adult_claim()))
    bad.write_bytes(write_claim(changed(adult_claim(), "XML1", T_BHTT="1")))
    result = run("check", good, bad, "--on", "2026-11-23")
    assert result.exit_code == 1
    assert "XML1 dòng 1 T_BHTT «1»" in result.output
    assert "2 tệp:" in result.output


@pytest.mark.parametrize("content", [b"", b"\x00\x01", "không phải xml".encode(), b"<GIAMDINHHS/>", b"PK\x03\x04"])
def test_check_of_anything_else_fails_in_words(run: Run, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.xml"
    path.write_bytes(content)
    result = run("check", path)
    assert result.exit_code == 1
    assert "CÓ LỖI" in result.output
    assert "Traceback" not in result.output


def test_check_can_list_what_was_not_judged(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_bytes(write_claim(adult_claim()))
    assert "chưa kiểm" in run("check", path, "--all").output
