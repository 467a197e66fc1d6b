"""Who is called first, and how long it will take.

Priority: emergencies, children under 6, people of 75 and more, disabled, pregnant (Luật KCB 15/2023 Đ3 k2; Luật NCT).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PriorityFacts:
    """What decides the place in the queue."""

    age_months: int
    is_emergency: bool = False
    is_disabled: bool = False
    is_pregnant: bool = False
    has_fever_39: bool = False


def priority_of(facts: PriorityFacts) -> tuple[int, str]:
    """Return (weight, reason): a higher weight is called first; equal weights by number."""
    if facts.is_emergency:
        return 100, "cấp cứu"
    if facts.has_fever_39:
        return 40, "sốt từ 39 °C"
    if facts.age_months < 24:
        return 30, "dưới 24 tháng"
    if facts.is_disabled:
        return 25, "khuyết tật"
    if facts.is_pregnant:
        return 25, "có thai"
    if facts.age_months >= 75 * 12:
        return 25, "từ 75 tuổi"
    if facts.age_months < 72:
        return 20, "dưới 6 tuổi"
    return 0, ""


def expected_wait_minutes(waiting_before: int, minutes_per_patient: int) -> int:
    """Return the expected wait of the next patient."""
    return max(0, waiting_before) * minutes_per_patient
