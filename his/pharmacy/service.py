"""Use cases of the counter: hand out, take back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from his.audit import service as audit
from his.core import clock
from his.core.actor import Actor
from his.core.db import session
from his.core.errors import InvalidState, NotAllowed, NotFound
from his.core.once import once
from his.core.sequences import next_number
from his.pharmacy import queries
from his.pharmacy.enums import ACTION_DETAILS, Action
from his.pharmacy.models import Dispense, DispenseLine
from his.prescriptions import queries as rx_queries
from his.prescriptions import service as prescriptions
from his.prescriptions.enums import PrescriptionKind, PrescriptionState
from his.records import queries as records_queries
from his.records import service as records
from his.stock import service as stock

audit.register_actions(Action, ACTION_DETAILS)

VALID_DAYS = 5


def dispense(
    prescription_id: int, *, receiver_name: str, receiver_id_number: str = "", key: str, actor: Actor
) -> Dispense:
    """Hand out a signed and paid prescription, first expiry first; a double click hands out once.

    Sources: Luật KCB Đ63 k3; TT 26/2025 Đ12 k9 b (within 5 days). Raises `InvalidState` (not signed, unpaid, too old),
    `NotAllowed` (SOD-3: the prescriber), `StockShort`.
    """
    result = once(
        key, action="pharmacy.dispense", actor=actor, body={"prescription": prescription_id},
        effect=lambda: _dispense(prescription_id, receiver_name, receiver_id_number, actor),
    )  # fmt: skip
    found = session().get(Dispense, result["dispense_id"])
    if found is None:
        raise NotFound("Không tìm thấy phiếu cấp.")
    return found


def _dispense(prescription_id: int, receiver_name: str, receiver_id: str, actor: Actor) -> dict[str, Any]:
    prescription = rx_queries.get_for_update(prescription_id)
    if prescription.state is PrescriptionState.DISPENSED:
        raise InvalidState("Đơn này đã cấp thuốc.")
    if prescription.state is not PrescriptionState.SIGNED or prescription.signed_at is None:
        raise InvalidState("Đơn chưa ký hoặc đã hủy, không cấp được.")
    if prescription.doctor_id == actor.user_id:
        raise NotAllowed("Người kê đơn không tự cấp thuốc đơn của mình.")
    day = clock.local(prescription.signed_at).date()
    if clock.today() > day + timedelta(days=VALID_DAYS):
        raise InvalidState(f"Đơn ký ngày {day:%d/%m/%Y} đã quá {VALID_DAYS} ngày. Người bệnh cần khám lại.")
    visit = records_queries.get_visit(prescription.visit_id)
    if visit.paid_at is None:
        raise InvalidState("Lượt khám chưa thanh toán. Mời gia đình qua thu ngân trước.")
    if prescription.kind in (PrescriptionKind.NARCOTIC, PrescriptionKind.PSYCHOTROPIC) and not receiver_id.strip():
        raise InvalidState("Đơn thuốc gây nghiện, hướng thần: ghi số định danh người nhận thuốc.")
    stamp = f"{clock.today():%y%m%d}"
    given = Dispense(
        number=f"CP-{stamp}-{next_number('dispense', stamp):04d}", prescription_id=prescription_id,
        visit_id=prescription.visit_id, by_id=actor.user_id or 0, by_name=actor.name,
        receiver_name=receiver_name.strip()[:255], receiver_id_number=receiver_id.strip()[:20],
    )  # fmt: skip
    session().add(given)
    session().flush()  # lines point to it
    for line in sorted(prescription.lines, key=lambda item: item.drug_code):
        for part in stock.issue(
            line.drug_code, line.quantity, source_kind="prescription_line", source_id=line.line_id,
            name=f"{line.inn} {line.strength}", actor=actor,
        ):  # fmt: skip
            session().add(
                DispenseLine(
                    dispense_id=given.dispense_id, prescription_line_id=line.line_id, lot_id=part.lot_id,
                    lot_number=part.lot_number, expires_on=part.expires_on, quantity=part.quantity,
                )  # fmt: skip
            )
    prescriptions.mark_dispensed(prescription_id, actor=actor)
    records.mark_dispensed(prescription.visit_id, actor=actor)
    audit.record(
        actor, Action.DISPENSE, subject_type="dispense", subject_id=given.dispense_id, visit_id=prescription.visit_id,
        patient_id=prescription.patient_id, details={"number": given.number, "code": prescription.code},
    )  # fmt: skip
    session().flush()  # the caller reads it back
    return {"dispense_id": given.dispense_id}


def take_back(prescription_id: int, reason: str, *, actor: Actor) -> Dispense:
    """Take a hand-over back whole: every quantity returns to the lot it came from."""
    if len(reason.strip()) < 5:
        raise InvalidState("Ghi lý do nhận lại thuốc, ít nhất 5 ký tự.")
    prescription = rx_queries.get_for_update(prescription_id)
    given = queries.dispense_of(prescription_id)
    if given is None:
        raise InvalidState("Đơn này chưa cấp thuốc.")
    given.voided_at, given.voided_by_id, given.void_reason = clock.now(), actor.user_id, reason.strip()[:300]
    for line in prescription.lines:
        stock.take_back("prescription_line", line.line_id, reason=reason, actor=actor)
    prescriptions.mark_taken_back(prescription_id, actor=actor)
    audit.record(actor, Action.TAKE_BACK, subject_type="dispense", subject_id=given.dispense_id,
                 visit_id=prescription.visit_id, reason=reason, details={"number": given.number})  # fmt: skip
    return given
