"""`his registration parse`: what was expected, what came, and an exit code a script can trust."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask

FILE = Path(__file__).parent / "data" / "qr-cases.json"
CHIP = "079085900001|029900001|Trần Văn Thử|15031985|Nam|12 Đường Hoa Sen, Phường Sài Gòn, Thành phố Hồ Chí Minh|10062021"


def run(app: Flask, *args: str):
    return app.test_cli_runner().invoke(args=["registration", "parse", *args])


def test_the_given_cases_pass(app: Flask) -> None:
    result = run(app, "--cases", str(FILE))
    assert result.exit_code == 0, result.output
    count = len(json.loads(FILE.read_text("utf-8"))["cases"])
    assert f"{count} trường hợp, {count} đạt, 0 lệch." in result.output
    assert result.output.count("mong đợi:") == result.output.count("thực tế :") == count


def test_a_difference_is_shown_and_ends_with_an_error(app: Flask, tmp_path: Path) -> None:
    data = json.loads(FILE.read_text("utf-8"))
    data["cases"] = [{"id": "X-1", "input": CHIP, "expect": {"ok": False, "error": "BAD_ID"}}]
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(data), "utf-8")
    result = run(app, "--cases", str(wrong))
    assert result.exit_code == 1
    assert "LỆCH X-1" in result.output
    assert "1 lệch" in result.output


@pytest.mark.parametrize("content", ["{", "[]", '{"cases": []}', '{"reference_date": "x", "cases": []}', '{"reference_date": "2026-11-23", "cases": [1]}'])
def test_a_file_of_another_kind_is_refused_in_words(app: Flask, tmp_path: Path, content: str) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(content, "utf-8")
    result = run(app, "--cases", str(bad))
    assert result.exit_code == 1
    assert "không đúng mẫu" in result.output
    assert "Traceback" not in result.output


def test_one_text_is_read_as_the_desk_does(app: Flask) -> None:
    result = run(app, CHIP, "--on", "2026-11-23")
    assert result.exit_code == 0
    assert json.loads(result.output)["fields"]["national_id"] == "079085900001"
    refused = run(app, "079|x")
    assert refused.exit_code == 1
    assert "BAD_FIELD_COUNT" in refused.output


@pytest.mark.parametrize("args", [(), ("x", "--cases", str(FILE)), (CHIP, "--on", "yesterday")])
def test_wrong_use_is_explained(app: Flask, args: tuple[str, ...]) -> None:
    assert run(app, *args).exit_code == 2
