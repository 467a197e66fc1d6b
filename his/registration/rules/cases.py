"""Trying the parser on files of cases (format of ``qr-cases.json``)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from his.registration.rules.identity import parse_identity


class BadCaseFile(ValueError):
    """The file cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """What was expected and what came."""

    case_id: str
    expected: dict[str, Any]
    actual: dict[str, Any]

    @property
    def passed(self) -> bool:
        return self.expected == self.actual


def run_file(path: Path) -> list[CaseOutcome]:
    """Run every case of a file on its own reference date. Raises `BadCaseFile`."""
    try:
        data = json.loads(path.read_text("utf-8"))
        today = date.fromisoformat(data["reference_date"])
        return [
            CaseOutcome(str(case["id"]), case["expect"], parse_identity(case["input"], today).as_dict())
            for case in data["cases"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise BadCaseFile(f"{path.name} không đúng mẫu qr-cases.json ({type(error).__name__}: {error}). Sửa tệp rồi chạy lại.") from error
