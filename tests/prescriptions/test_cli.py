"""`his prescriptions try`: nothing passes silently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from his.prescriptions.cli import cli

FILE = Path(__file__).parent / "data" / "cases.json"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["try", *arguments])


def changed(tmp_path: Path, **changes: Any) -> str:
    data = json.loads(FILE.read_text("utf-8"))
    data["cases"] = [{**data["cases"][0], **changes}]
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(data), "utf-8")
    return str(path)


def test_the_given_file_passes_and_shows_both_sides() -> None:
    result = run(str(FILE))
    assert result.exit_code == 0
    assert "mong đợi: dose_max_kg/1" in result.output
    assert "thực tế : dose_max_kg/1/paracetamol" in result.output
    assert "18 ca, 18 đúng, 0 khác, 0 có quy tắc chưa xây" in result.output


def test_a_missing_and_an_extra_alert_are_differences(tmp_path: Path) -> None:
    missing = run(changed(tmp_path, expected=[{"rule": "renal", "tier": 1, "about": ["paracetamol"]}]))
    assert missing.exit_code == 1
    assert "thiếu renal mức 1" in missing.output
    assert "thừa dose_max_kg mức 1" in missing.output


def test_a_wrong_tier_or_limit_is_a_difference(tmp_path: Path) -> None:
    assert (
        run(changed(tmp_path, expected=[{"rule": "dose_max_kg", "tier": 2, "about": ["paracetamol"]}])).exit_code == 1
    )
    wrong = [{"rule": "dose_max_kg", "tier": 1, "about": ["paracetamol"], "limit": 5}]
    assert run(changed(tmp_path, expected=wrong)).exit_code == 1


def test_a_rule_that_is_not_built_is_named_and_not_passed(tmp_path: Path) -> None:
    expected = [
        {"rule": "dose_max_kg", "tier": 1, "about": ["paracetamol"]},
        {"rule": "stock_short", "tier": 1, "about": ["paracetamol"]},
    ]
    result = run(changed(tmp_path, expected=expected))
    assert result.exit_code == 2
    assert "chưa xây: stock_short" in result.output
    assert "0 đúng" in result.output


@pytest.mark.parametrize("text", ["", "[]", "{}", "không phải json", '{"cases": 3}'])
def test_a_file_of_another_shape_is_refused_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text, "utf-8")
    result = run(str(path))
    assert result.exit_code == 1
    assert "không đúng mẫu cases.json" in result.output


def test_a_case_that_cannot_be_read_is_counted_as_different(tmp_path: Path) -> None:
    result = run(changed(tmp_path, patient={}))
    assert result.exit_code == 1
    assert "cần age_months" in result.output
