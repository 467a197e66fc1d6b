"""What can go wrong with an import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from his.core.errors import DomainError, NotFound


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """One thing wrong in a file: row as the spreadsheet counts (1 = heading), column, value, and what to do."""

    row: int
    column: str
    value: str
    message: str


class ImportRefused(DomainError):
    """Nothing was imported; every problem is named."""

    code = "import_refused"

    def __init__(self, problems: Sequence[ImportProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"Chưa nhập dòng nào: {len(self.problems)} lỗi. Sửa tệp rồi nhập lại.")


class CodeNotFound(NotFound):
    """No such code on that day."""

    code = "code_not_found"
