"""Sending claims to the insurer: the file is frozen, the outbox carries it, the answer is kept for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import update

from his.audit import service as audit
from his.core import clock, jobs, outbox
from his.core.actor import SYSTEM, Actor
from his.core.db import session
from his.core.errors import InvalidState
from his.core.outbox import OutboxState
from his.insurance import queries
from his.insurance.enums import Action, ClaimState
from his.insurance.errors import ClaimBeingSent, ClaimFaulty
from his.insurance.models import ClaimFile
from his.insurance.rules import ClaimSettings, write_claim
from his.insurance.service.build import document_of

SEND: Final = queries.SEND_KIND
QUEUE_TASK: Final = "insurance.queue_sendings"
_SENDABLE: Final = (ClaimState.PASSED, ClaimState.REFUSED, ClaimState.UNKNOWN)
_ENDS: Final = {
    OutboxState.SENT: ClaimState.SENT,
    OutboxState.REFUSED: ClaimState.REFUSED,
    OutboxState.UNKNOWN: ClaimState.UNKNOWN,
    # Certainly not received, given up after a day: it may be sent again.
    OutboxState.DEAD: ClaimState.PASSED,
}


def claim_file(claim: ClaimFile) -> bytes:
    """The file of a version: the bytes that were sent, else the bytes that would be."""
    return bytes(claim.sent_file) if claim.sent_file is not None else write_claim(document_of(claim))


def submit(claim_id: int, *, actor: Actor) -> ClaimFile:
    """Send one claim: its file is frozen now and leaves after commit.

    A claim that was refused, or whose outcome is not known, is sent again only by this decision of a person.
    Raises `ClaimFaulty`, `ClaimBeingSent`, `InvalidState` (superseded, sent, or the bill was taken back).
    """
    claim = queries.get_for_update(claim_id)
    if claim.state is ClaimState.SENDING:
        raise ClaimBeingSent("Hồ sơ này đang gửi cổng.")
    if claim.state is ClaimState.SENT:
        raise InvalidState("Hồ sơ này cổng đã nhận. Sửa gì thì lập lại hồ sơ rồi gửi bản mới.")
    if claim.state is ClaimState.SUPERSEDED:
        raise InvalidState("Bản này đã được thay. Mở bản mới nhất rồi gửi.")
    if claim.error_count or claim.state not in _SENDABLE:
        raise ClaimFaulty(f"Hồ sơ còn {claim.error_count} lỗi phải sửa. Sửa xong, kiểm tra lại rồi gửi.")
    if not queries.is_billed(claim):
        raise InvalidState("Phiếu thu của lượt khám đã hủy. Thu lại rồi lập lại hồ sơ.")
    claim.state = ClaimState.SENDING
    claim.answer_code, claim.answer = "", ""
    audit.record(
        actor, Action.SUBMIT, subject_type="claim_file", subject_id=claim_id, visit_id=claim.visit_id,
        details={"code": claim.visit_code, "version": claim.version_no, "digest": claim.digest},
    )  # fmt: skip
    _hand_over(claim, actor)
    return claim


def submit_month(month: str, *, actor: Actor) -> int:
    """Mark every claim of a month that passed as "sending"; a task freezes and queues them. Returns how many."""
    queries.month_bounds(month)
    marked = session().execute(
        update(ClaimFile)
        .where(queries.sendable(month))
        .values(state=ClaimState.SENDING, answer_code="", answer="")
        .execution_options(synchronize_session=False)
    )
    count = int(marked.rowcount)  # type: ignore[attr-defined]
    if count:
        audit.record(actor, Action.SUBMIT_MONTH, subject_type="claim_month", details={"month": month, "count": count})
        jobs.enqueue(QUEUE_TASK)
    return count


def queue_sendings(*, limit: int = 100) -> int:
    """Freeze and queue the next claims marked for sending; returns how many (0 = nothing left). Safe to run twice."""
    claim_ids: Sequence[int] = queries.to_queue(limit)
    for claim_id in claim_ids:
        claim = queries.get_for_update(claim_id)
        if claim.state is ClaimState.SENDING:
            _hand_over(claim, SYSTEM)
    return len(claim_ids)


def _hand_over(claim: ClaimFile, actor: Actor) -> None:
    """Freeze the file and put it into the outbox, in one transaction; a message that ended is opened again."""
    if claim.sent_file is None:
        claim.sent_file = write_claim(document_of(claim))
    message = outbox.put(SEND, dedup_key=f"{SEND}:{claim.claim_id}", user_id=actor.user_id, claim_id=claim.claim_id)
    if message.state in (OutboxState.REFUSED, OutboxState.UNKNOWN, OutboxState.DEAD):
        outbox.resend(message.message_id)
        jobs.enqueue(outbox.DELIVER_TASK, message_id=message.message_id)


def record_answer(
    claim_id: int, state: OutboxState, *, code: str = "", message: str = "", receipt: str = "", actor: Actor = SYSTEM
) -> ClaimFile:
    """Keep what the insurer said: received (with its receipt), refused, or not known; never overwritten by a machine."""
    claim = queries.get_for_update(claim_id)
    if claim.state is not ClaimState.SENDING:
        return claim
    if state is OutboxState.READY:  # will be tried again
        claim.answer_code, claim.answer = code[:40], message[:1000]
        return claim
    claim.state = _ENDS[state]
    claim.answer_code, claim.answer, claim.receipt_code = code[:40], message[:1000], receipt[:100]
    if state is OutboxState.SENT:
        claim.sent_at = clock.now()
    audit.record(
        actor, Action.ANSWER, subject_type="claim_file", subject_id=claim_id, visit_id=claim.visit_id,
        details={"code": claim.visit_code, "state": claim.state.value, "answer_code": code, "receipt": receipt},
    )  # fmt: skip
    return claim


def follow_sendings() -> int:
    """Let claims follow messages that ended without a word (the sender died, or gave up); returns how many."""
    lost = queries.lost_sendings()
    for claim_id, state, answer in lost:
        record_answer(claim_id, state, message=answer or "Chưa rõ cổng đã nhận hay chưa. Tra trên cổng rồi quyết định gửi lại.")
    return len(lost)


def loai_ho_so() -> str:
    """The kind of file told to the portal with a claim (portal-api: 130; not settled for QĐ 3176)."""
    return ClaimSettings().loai_ho_so_claim
