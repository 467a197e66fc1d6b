"""Pure decisions of the counter: may this prescription be handed out now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from his.core.errors import Finding

VALID_DAYS = 5  # TT 26/2025 Đ12 k9 b: within five days of the prescription, day 0 not counted
CONTROLLED = ("N", "H")


@dataclass(frozen=True, slots=True)
class DispenseFacts:
    """What decides. ``state`` is the prescription's state, ``kind`` the last letter of its code."""

    state: str
    kind: str
    signed_on: date | None
    today: date
    is_paid: bool
    is_own: bool
    receiver_id: str = ""


def last_day(signed_on: date) -> date:
    """Return the last day on which the medicines may be collected."""
    return signed_on + timedelta(days=VALID_DAYS)


def check_dispense(facts: DispenseFacts) -> Iterator[Finding]:
    """Yield what stops the hand-over, the most basic reason first.

    Sources: TT 26/2025 Đ12 k9 b (five days), PL II and III (receiver's number for N and H); separation of duties SOD-3.
    """
    if facts.state == "dispensed":
        yield Finding("already_dispensed", "", "Đơn này đã cấp thuốc.")
        return
    if facts.state != "signed" or facts.signed_on is None:
        yield Finding("not_signed", "", "Đơn chưa ký hoặc đã hủy, không cấp được.")
        return
    if facts.is_own:
        yield Finding("own_prescription", "", "Người kê đơn không tự cấp thuốc đơn của mình. Nhờ dược sĩ khác.")
    if facts.today > last_day(facts.signed_on):
        yield Finding(
            "validity_expired", "", f"Đơn ký ngày {facts.signed_on:%d/%m/%Y} đã quá {VALID_DAYS} ngày. Người bệnh cần khám lại.",
            source="TT 26/2025 Đ12 k9 b",
        )  # fmt: skip
    if not facts.is_paid:
        yield Finding("unpaid", "", "Lượt khám chưa thanh toán. Mời gia đình qua thu ngân trước.")
    if facts.kind in CONTROLLED and not facts.receiver_id.strip():
        yield Finding(
            "receiver_id_missing", "receiver_id_number", "Đơn thuốc gây nghiện, hướng thần: ghi số định danh người nhận thuốc.",
            source="TT 26/2025 PL II, III",
        )  # fmt: skip
