"""Background work of claims. Ids only; each is safe to run twice and may be killed at any moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog
from celery import shared_task

from his.core.actor import SYSTEM
from his.core.config import current
from his.core.db import session, transaction
from his.core.outbox import Delivery, Envelope, OutboxState
from his.gateways import clients
from his.gateways.base import Outcome
from his.insurance import queries, service
from his.insurance.enums import ClaimState
from his.insurance.service.build import CHUNK
from his.insurance.service.export import EXPORT_TASK
from his.insurance.service.submit import QUEUE_TASK

log = structlog.get_logger(__name__)

RESUME_TASK: Final = "insurance.resume_exports"
BUILD_TASK: Final = "insurance.build_settled"
MONTH_TASK: Final = "insurance.build_month"
FOLLOW_TASK: Final = "insurance.follow_sendings"
_OUTCOMES: Final = {
    Outcome.ACCEPTED: OutboxState.SENT,
    Outcome.REFUSED: OutboxState.REFUSED,
    Outcome.UNKNOWN: OutboxState.UNKNOWN,
    Outcome.UNAVAILABLE: OutboxState.READY,
}
_IN_WORDS: Final = {
    Outcome.UNKNOWN: "Đứt đường truyền sau khi gửi, chưa rõ cổng đã nhận ({}).",
    Outcome.UNAVAILABLE: "Không kết nối được cổng, sẽ tự gửi lại ({}).",
}
"""What the clerk reads where the portal itself said nothing."""


def build_missing(
    month: str | None = None, *, limit: int | None = None, after_batch: Callable[[], object] = bool
) -> tuple[int, dict[int, str]]:
    """Build the claims still missing, batch by batch, each in its own transaction; returns (built, problems)."""
    built, after = 0, 0
    problems: dict[int, str] = {}
    while limit is None or built + len(problems) < limit:
        with transaction():
            visits = queries.unbuilt_visits(month, limit=CHUNK, after_id=after)
            if not visits:
                break
            report = service.build_claims(visits, actor=SYSTEM)
            after_batch()
        session().expunge_all()  # memory stays flat over the month
        built += len(report.built)
        problems.update(report.problems)
        after = visits[-1]
    for visit_id, problem in problems.items():
        log.warning("claim_not_built", visit_id=visit_id, problem=problem)
    return built, problems


@shared_task(name=BUILD_TASK)
def build_settled() -> None:
    """Build the claims of visits settled a short while ago (claim data follow the end of the visit, TT 48/2017)."""
    build_missing(limit=1000)


@shared_task(name=MONTH_TASK)
def build_month(month: str, user_id: int | None = None) -> None:
    """Build what is missing in a month, and build and check every unsent claim of it again."""
    build_missing(month)
    after = 0
    while True:
        with transaction():
            visits = queries.mendable_visits(month, after, CHUNK)
            if not visits:
                break
            service.build_claims(visits, reason="Kiểm tra lại cả tháng", actor=SYSTEM)
        session().expunge_all()
        after = visits[-1]
    log.info("month_built", month=month, user_id=user_id)


@shared_task(name=EXPORT_TASK)
def export_month(export_id: int) -> None:
    """Write a month's claim files; a second worker, or a second delivery of the same task, does nothing."""
    with transaction():
        export = service.take_lease(export_id)
    if export is None:
        return
    try:
        _export(export_id)
    except OSError as error:
        with transaction():
            service.fail(export_id, f"Không ghi được tệp: {error.strerror or error}. Kiểm tra chỗ trống và quyền ghi rồi xuất lại.")


def _export(export_id: int) -> None:
    export = queries.get_export(export_id)
    month, last = export.month, export.last_claim_id
    service.sweep_parts(export)
    build_missing(month, after_batch=lambda: service.renew_lease(export_id))
    while True:
        before = last
        last, count, problems = service.write_next(export_id, before)
        if count == 0:
            break
        with transaction():
            if not service.keep_progress(export_id, before, last, count, problems):
                return
    export = queries.get_export(export_id)
    if service.is_packed(export):
        service.pack(export)
    with transaction():
        service.finish(export_id)


@shared_task(name=RESUME_TASK)
def resume_exports() -> None:
    """Go on with exports whose worker died, or whose start was lost with the broker."""
    for export_id in queries.stalled_exports():
        export_month(export_id)


@shared_task(name=QUEUE_TASK)
def queue_sendings() -> None:
    """Freeze and queue claims marked for sending, batch by batch."""
    while True:
        with transaction():
            if not service.queue_sendings():
                return
        session().expunge_all()


@shared_task(name=FOLLOW_TASK)
def follow_sendings() -> None:
    """Claims marked for sending get into the outbox, and follow messages that ended without a word."""
    queue_sendings()
    with transaction():
        service.follow_sendings()


def deliver_claim(envelope: Envelope) -> Delivery:
    """Send one frozen claim file to the insurer and keep the answer (called by the outbox)."""
    claim_id = int(envelope.payload["claim_id"])
    with transaction():
        claim = queries.get_claim(claim_id)
        state, file = claim.state, bytes(claim.sent_file or b"")
    if state is not ClaimState.SENDING or not file:
        return Delivery(OutboxState.SENT if state is ClaimState.SENT else OutboxState.REFUSED, answer="Hồ sơ không còn chờ gửi.")
    facility = current().facility_code
    answer = clients.insurer().send_claim(facility, file, kind=service.loai_ho_so())
    outcome = _OUTCOMES[answer.outcome]
    message = _IN_WORDS.get(answer.outcome, "{}").format(answer.message)
    receipt = str(answer.body.get("maGiaoDich") or "")
    with transaction():
        service.record_answer(claim_id, outcome, code=answer.code, message=message, receipt=receipt)
    return Delivery(outcome, answer.code, f"{message} {receipt}".strip())
