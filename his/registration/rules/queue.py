"""Who is called first, and how long it will take.

Priority: emergencies, children under 6, people of 75 and more, disabled, pregnant (Luật KCB 15/2023 Đ3 k2; Luật NCT).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# So many waiting patients fill a clinic: the load bar's end; two thirds of it is "busy".
FULL_ROOM = 24


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


def is_busy(waiting: int) -> bool:
    """Tell whether a clinic is so full that another one should be proposed."""
    return waiting >= FULL_ROOM * 2 // 3


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """A clinic as the suggestion sees it."""

    code: str
    waiting: int
    is_open: bool


def suggest_room(rooms: Sequence[RoomFacts], *, last_room: str = "") -> tuple[str, str]:
    """Return (room code, reason): the clinic of the last visit unless it is busy, else the shortest queue.

    ("", "") when no clinic is open.
    """
    open_rooms = [room for room in rooms if room.is_open]
    if not open_rooms:
        return "", ""
    last = next((room for room in open_rooms if room.code == last_room), None)
    if last is not None and not is_busy(last.waiting):
        return last.code, "lần trước"
    shortest = min(open_rooms, key=lambda room: room.waiting)
    return shortest.code, "ít người chờ nhất"
