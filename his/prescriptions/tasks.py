"""Delivering signed prescriptions to the national system (run by the outbox)."""

from __future__ import annotations

from his.core.actor import SYSTEM
from his.core.db import transaction
from his.core.outbox import Delivery, Envelope, OutboxState
from his.gateways.base import Outcome
from his.gateways.clients import national_prescriptions
from his.prescriptions import service
from his.prescriptions.enums import SentState

STATES = {
    Outcome.ACCEPTED: (OutboxState.SENT, SentState.SENT),
    Outcome.REFUSED: (OutboxState.REFUSED, SentState.REFUSED),
    Outcome.UNKNOWN: (OutboxState.UNKNOWN, SentState.UNKNOWN),
    Outcome.UNAVAILABLE: (OutboxState.READY, SentState.WAITING),
}
SETTLED = {
    SentState.SENT: Delivery(OutboxState.SENT, "already", "Đã gửi trước đó."),
    SentState.SKIPPED: Delivery(OutboxState.SENT, "skipped", "Đơn đã hủy trước khi gửi, không gửi."),
    SentState.HELD: Delivery(OutboxState.REFUSED, "held", "Người bệnh cần giữ kín danh tính: không gửi tự động."),
}


def deliver(envelope: Envelope) -> Delivery:
    """Send one signed prescription; the message is built now from the signed row. Safe to run twice.

    What surely did not arrive is READY again; what may have arrived is UNKNOWN and waits for a person (REL-05, REL-06).
    """
    prescription_id = int(envelope.payload["prescription_id"])
    with transaction():
        standing = service.sending_of(prescription_id)
        if standing is not SentState.WAITING:
            service.record_sending(prescription_id, standing, actor=SYSTEM)
            return SETTLED[standing]
        doctor, message = service.national_message(prescription_id)
    answer = national_prescriptions().send(doctor, message)
    outbox_state, sent_state = STATES[answer.outcome]
    if sent_state is not SentState.WAITING:
        with transaction():
            service.record_sending(prescription_id, sent_state, actor=SYSTEM)
    return Delivery(outbox_state, answer.code, answer.message)
