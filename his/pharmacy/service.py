"""Use cases of the counter: hand out, take back."""

from __future__ import annotations

from typing import Any

from his.audit import service as audit
from his.core import clock
from his.core.actor import Actor
from his.core.db import session
from his.core.errors import InvalidState, NotAllowed, NotFound
from his.core.once import once
from his.core.sequences import next_number
from his.pharmacy import queries, rules
from his.pharmacy.enums import ACTION_DETAILS, Action
from his.pharmacy.models import Dispense, DispenseLine
from his.prescriptions import queries as rx_queries
from his.prescriptions import service as prescriptions
from his.prescriptions.enums import OVERRIDE_TEXT
from his.records import queries as records_queries
from his.records import service as records
from his.stock import service as stock

audit.register_actions(Action, ACTION_DETAILS)


def code_of(text: str) -> str:
    """Return a scanned or typed prescription code as it is kept: ``79999A1B2C3D-c`` -> ``79999a1b2c3d-C``."""
    stem, _dash, letter = text.strip().rpartition("-")
    return f"{stem[:5]}{stem[5:].lower()}-{letter.upper()}" if stem else text.strip()


def override_words() -> dict[str, str]:
    """Return the ready reasons for prescribing in spite of an alert, in words."""
    return {reason.value: words for reason, words in OVERRIDE_TEXT.items()}


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
    visit = records_queries.get_visit(prescription.visit_id)
    for problem in rules.check_dispense(queries.facts_of(prescription, visit, actor, receiver_id)):
        raise (NotAllowed if problem.code == "own_prescription" else InvalidState)(problem.message, code=problem.code)
    stamp = f"{clock.today():%y%m%d}"
    given = Dispense(
        number=f"CP-{stamp}-{next_number('dispense', stamp):04d}", prescription_id=prescription_id,
        visit_id=prescription.visit_id, by_id=actor.user_id or 0, by_name=actor.name,
        receiver_name=receiver_name.strip()[:255], receiver_id_number=receiver_id.strip()[:20],
    )  # fmt: skip
    session().add(given)
    session().flush()  # lines point to it
    # By product: the same order of locks as signing takes.
    for line in sorted(prescription.lines, key=lambda item: (item.drug_code, item.position)):
        for part in stock.issue(
            line.drug_code, line.quantity, source_kind="prescription_line", source_id=line.line_id,
            name=f"{line.inn} {line.strength}", until=prescriptions.course_end(line, clock.today()), actor=actor,
        ):  # fmt: skip
            given.lines.append(
                DispenseLine(
                    prescription_line_id=line.line_id,
                    lot_id=part.lot_id,
                    lot_number=part.lot_number,
                    expires_on=part.expires_on,
                    quantity=part.quantity,
                )
            )
    prescriptions.mark_dispensed(prescription_id)
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
    for line in sorted(prescription.lines, key=lambda item: (item.drug_code, item.position)):
        stock.take_back("prescription_line", line.line_id, reason=reason, actor=actor)
    prescriptions.mark_taken_back(prescription_id)
    audit.record(actor, Action.TAKE_BACK, subject_type="dispense", subject_id=given.dispense_id,
                 visit_id=prescription.visit_id, reason=reason, details={"number": given.number})  # fmt: skip
    return given
