"""Sending claims: frozen bytes, every outcome of the portal, nothing sent twice by a machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import update

from his.billing import service as billing
from his.core import clock, outbox
from his.core.db import session, transaction
from his.core.errors import InvalidState
from his.core.outbox import Envelope, OutboxMessage, OutboxState
from his.gateways.base import Answer, Outcome
from his.insurance import queries, service, tasks
from his.insurance.enums import ClaimState
from his.insurance.errors import ClaimBeingSent, ClaimFaulty
from his.insurance.models import ClaimFile
from his.records.models import Patient
from tests.factories import insurance as make


@dataclass
class Portal:
    """Stands for the insurer's portal."""

    answer: Answer
    files: list[bytes] = field(default_factory=list)

    def send_claim(self, facility: str, file: bytes, *, kind: str = "130") -> Answer:
        assert (facility, kind) == ("79999", "130")
        self.files.append(file)
        return self.answer


ACCEPTED = Answer(Outcome.ACCEPTED, "200", "Tiếp nhận thành công", {"maGiaoDich": "GD-000001"})
ANSWERS = {
    "accepted": (ACCEPTED, ClaimState.SENT, OutboxState.SENT),
    "refused": (Answer(Outcome.REFUSED, "205", "Thiếu XML1"), ClaimState.REFUSED, OutboxState.REFUSED),
    "unknown": (Answer(Outcome.UNKNOWN, message="ReadTimeout"), ClaimState.UNKNOWN, OutboxState.UNKNOWN),
    "away": (Answer(Outcome.UNAVAILABLE, message="ConnectError"), ClaimState.SENDING, OutboxState.READY),
}


@pytest.fixture
def staff(db_session: Any) -> make.Staff:
    return make.ready()


@pytest.fixture
def claim(staff: make.Staff) -> ClaimFile:
    return make.claim_of(staff, make.journey(staff, "child"))


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Portal:
    fake = Portal(ACCEPTED)
    monkeypatch.setattr(tasks.clients, "insurer", lambda: fake)
    return fake


def submit(claim: ClaimFile, staff: make.Staff) -> OutboxMessage:
    with transaction():
        service.submit(claim.claim_id, actor=staff.insurance)
    message = queries.message_of(claim.claim_id)
    assert message is not None
    return message


def reread(claim: ClaimFile) -> ClaimFile:
    session().expire_all()
    return queries.get_claim(claim.claim_id)


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_of_the_portal_is_kept(claim: ClaimFile, staff: make.Staff, portal: Portal, name: str) -> None:
    portal.answer, claim_state, message_state = ANSWERS[name]
    message = submit(claim, staff)
    assert reread(claim).state is ClaimState.SENDING
    assert outbox.deliver(message.message_id) is message_state
    after = reread(claim)
    assert after.state is claim_state
    assert after.answer_code == portal.answer.code
    assert portal.answer.message in after.answer
    assert after.receipt_code == ("GD-000001" if name == "accepted" else "")
    assert (after.sent_at is not None) is (name == "accepted")
    assert portal.files == [service.claim_file(after)]


def test_what_was_sent_never_changes(claim: ClaimFile, staff: make.Staff, portal: Portal) -> None:
    outbox.deliver(submit(claim, staff).message_id)
    sent = bytes(reread(claim).sent_file or b"")
    with transaction() as here:
        here.execute(update(Patient).where(Patient.code == claim.rows["XML1"][0]["MA_BN"]).values(address_text="5 Đường Mới"))
        here.expire_all()
        fresh = service.rebuild(claim.claim_id, "Sửa địa chỉ", actor=staff.insurance)
    assert fresh.version_no == 2
    old = reread(claim)
    assert old.state is ClaimState.SUPERSEDED
    assert (bytes(old.sent_file or b""), old.receipt_code) == (sent, "GD-000001")
    assert service.claim_file(old) == sent != service.claim_file(fresh)


def test_a_claim_with_errors_is_not_sent(staff: make.Staff) -> None:
    claim = make.claim_of(staff, make.journey(staff, "adult", referral=True, issue="no"))
    with pytest.raises(ClaimFaulty, match="lỗi phải sửa"), transaction():
        service.submit(claim.claim_id, actor=staff.insurance)
    assert queries.message_of(claim.claim_id) is None


def test_a_claim_on_its_way_is_neither_sent_again_nor_rebuilt(claim: ClaimFile, staff: make.Staff) -> None:
    submit(claim, staff)
    with pytest.raises(ClaimBeingSent), transaction():
        service.submit(claim.claim_id, actor=staff.insurance)
    with pytest.raises(ClaimBeingSent), transaction():
        service.rebuild(claim.claim_id, "Sửa địa chỉ", actor=staff.insurance)


def test_a_received_claim_is_not_sent_again(claim: ClaimFile, staff: make.Staff, portal: Portal) -> None:
    outbox.deliver(submit(claim, staff).message_id)
    with pytest.raises(InvalidState, match="cổng đã nhận"), transaction():
        service.submit(claim.claim_id, actor=staff.insurance)


def test_a_claim_whose_bill_was_taken_back_is_not_sent(claim: ClaimFile, staff: make.Staff) -> None:
    with transaction():
        billing.void_settlement(claim.visit_id, "Thu nhầm quầy", actor=make.make_user("cashier").as_actor())
    with pytest.raises(InvalidState, match="Phiếu thu"), transaction():
        service.submit(claim.claim_id, actor=staff.insurance)


def test_only_a_person_sends_an_unknown_outcome_again_and_with_the_same_bytes(
    claim: ClaimFile, staff: make.Staff, portal: Portal
) -> None:
    portal.answer = ANSWERS["unknown"][0]
    message = submit(claim, staff)
    outbox.deliver(message.message_id)
    assert message.message_id not in outbox.sweep()
    tasks.follow_sendings()
    assert len(portal.files) == 1
    portal.answer = ACCEPTED
    outbox.deliver(submit(claim, staff).message_id)
    assert reread(claim).state is ClaimState.SENT
    assert portal.files[0] == portal.files[1]


def test_a_sender_that_died_leaves_the_outcome_unknown(claim: ClaimFile, staff: make.Staff) -> None:
    message = submit(claim, staff)
    with transaction() as here:
        here.execute(
            update(OutboxMessage)
            .where(OutboxMessage.message_id == message.message_id)
            .values(state=OutboxState.SENDING, lease_until=clock.now() - outbox.LEASE)
        )
    outbox.sweep()
    tasks.follow_sendings()
    after = reread(claim)
    assert after.state is ClaimState.UNKNOWN
    assert after.answer


def test_a_delivery_that_comes_twice_sends_once(claim: ClaimFile, staff: make.Staff, portal: Portal) -> None:
    message = submit(claim, staff)
    outbox.deliver(message.message_id)
    outbox.deliver(message.message_id)
    envelope = Envelope(message.message_id, message.kind, dict(message.payload), 2)
    assert tasks.deliver_claim(envelope).state is OutboxState.SENT
    assert len(portal.files) == 1


def test_a_month_is_sent_whole_and_only_what_passed(staff: make.Staff, portal: Portal) -> None:
    good = [make.claim_of(staff, make.journey(staff, "child", lab=False, imaging_too=False, drugs=0)) for _ in range(3)]
    bad = make.claim_of(staff, make.journey(staff, "adult", referral=True, issue="no"))
    month = good[0].settlement_month
    with transaction():
        assert service.submit_month(month, actor=staff.insurance) == 3
    assert queries.month_counts(month).sending == 3
    tasks.queue_sendings()
    for message_id in outbox.sweep():
        outbox.deliver(message_id)
    counts = queries.month_counts(month)
    assert (counts.sent, counts.sending, counts.faulty) == (3, 0, 1)
    assert len({*portal.files}) == 3
    assert reread(bad).state is ClaimState.FAULTY
    with transaction():
        assert service.submit_month(month, actor=staff.insurance) == 0
