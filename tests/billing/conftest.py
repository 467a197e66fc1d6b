"""The report of the worked benefit cases stands at the end of every run: differences are listed, not hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from his.billing.rules import cases

CASES = Path(__file__).parent / "data" / "benefit-cases.csv"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """List every case that comes out otherwise than the sheet says, derived ones too."""
    outcomes = [cases.run_case(row) for row in cases.read_cases(CASES)]
    terminalreporter.section("benefit cases")
    for kind in ("sure", "derived"):
        of_kind = [o for o in outcomes if o.confidence == kind]
        wrong = [o for o in of_kind if o.differences]
        terminalreporter.write_line(f"{kind}: {len(of_kind) - len(wrong)} of {len(of_kind)} as the sheet says")
        for outcome in wrong:
            terminalreporter.write_line(f"  {outcome.case_id}: {'; '.join(outcome.differences)}")
