"""Delivery to the national system: what is sent, what comes back, what is never sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from his.core import outbox
from his.core.actor import Actor
from his.core.db import session, transaction
from his.core.outbox import Envelope, OutboxMessage, OutboxState
from his.gateways.base import Answer, Outcome
from his.gateways.standin.app import _check_prescription
from his.prescriptions import queries, service, tasks
from his.prescriptions.enums import SentState
from tests.factories.prescriptions import line, make_drug, make_rx_visit, make_signed
from tests.factories.records import make_patient

pytestmark = pytest.mark.usefixtures("db_session")


class Fake:
    """Answers as told and remembers what was sent."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.sent = answer, []

    def send(self, doctor: str, message: dict[str, Any]) -> Answer:
        self.sent.append((doctor, message))
        return self.answer


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Callable[[Outcome], Fake]:
    def make(outcome: Outcome) -> Fake:
        fake = Fake(Answer(outcome, "200", "Gửi đơn thuốc thành công"))
        monkeypatch.setattr(tasks, "national_prescriptions", lambda: fake)
        return fake

    return make


@pytest.fixture
def signed(actor: Callable[..., Actor]) -> Any:
    make_drug("PRED")
    return make_signed(make_rx_visit(), line(times_text="sáng sau ăn"), actor=actor("doctor"))


def deliver(rx: Any) -> outbox.Delivery:
    return tasks.deliver(Envelope(1, service.SEND, {"prescription_id": rx.prescription_id}, 1))


@pytest.mark.parametrize(
    ("outcome", "state", "sent"),
    [(Outcome.ACCEPTED, OutboxState.SENT, SentState.SENT), (Outcome.REFUSED, OutboxState.REFUSED, SentState.REFUSED),
     (Outcome.UNKNOWN, OutboxState.UNKNOWN, SentState.UNKNOWN), (Outcome.UNAVAILABLE, OutboxState.READY, SentState.WAITING)],
)  # fmt: skip
def test_each_answer_has_its_state(
    gateway: Any, signed: Any, outcome: Outcome, state: OutboxState, sent: SentState
) -> None:
    gateway(outcome)
    assert deliver(signed).state is state
    assert queries.get(signed.prescription_id).sent_state is sent


def test_the_message_passes_the_stand_in_and_names_lower_case_kind(gateway: Any, signed: Any) -> None:
    fake = gateway(Outcome.ACCEPTED)
    deliver(signed)
    doctor, message = fake.sent[0]
    assert doctor == signed.doctor_licence
    assert _check_prescription(message) == []
    assert message["ma_don_thuoc"] == signed.code[:-1] + "c"
    assert (message["loai_don_thuoc"], message["gioi_tinh"], message["can_nang"]) == ("c", 3, 14.2)
    assert message["thong_tin_don_thuoc"][0]["so_luong"] == 9
    assert message["thong_tin_don_thuoc"][0]["cach_dung"].endswith("sáng sau ăn, 3 ngày")
    assert "Lê Thị Minh Châu" in message["thong_tin_nguoi_giam_ho"]


def test_sent_twice_calls_once(gateway: Any, signed: Any) -> None:
    fake = gateway(Outcome.ACCEPTED)
    deliver(signed)
    assert deliver(signed).state is OutboxState.SENT
    assert len(fake.sent) == 1


def test_cancelled_before_sending_is_not_sent(gateway: Any, signed: Any, actor: Any) -> None:
    fake = gateway(Outcome.ACCEPTED)
    with transaction():
        service.cancel(signed.prescription_id, "kê nhầm người bệnh", actor=actor("head"))
    assert deliver(signed).code == "skipped"
    assert fake.sent == []
    assert queries.get(signed.prescription_id).sent_state is SentState.SKIPPED


def test_an_identity_that_must_not_show_is_held(gateway: Any, actor: Callable[..., Actor]) -> None:
    fake = gateway(Outcome.ACCEPTED)
    make_drug("AMLO")
    rx = make_signed(
        make_rx_visit(make_patient(), icd="B20", weight="60"), line("AMLO", "1", days=30), actor=actor("doctor")
    )
    assert deliver(rx).state is OutboxState.REFUSED
    assert fake.sent == []
    assert queries.get(rx.prescription_id).sent_state is SentState.HELD


def test_the_outbox_carries_it_and_a_person_sends_again(gateway: Any, signed: Any, actor: Callable[..., Actor]) -> None:
    message = session().query(OutboxMessage).filter_by(kind=service.SEND).one()
    assert set(message.payload) == {"prescription_id"}
    gateway(Outcome.REFUSED)
    assert outbox.deliver(message.message_id) is OutboxState.REFUSED
    with transaction():
        service.resend(signed.prescription_id, actor=actor("doctor"))
    gateway(Outcome.ACCEPTED)
    assert outbox.deliver(message.message_id) is OutboxState.SENT
    from his.core.errors import InvalidState

    with pytest.raises(InvalidState), transaction():
        service.resend(signed.prescription_id, actor=actor("doctor"))


def test_narcotics_carry_their_period_and_adults_no_guardian() -> None:
    from datetime import datetime

    from his.prescriptions import rules

    message = rules.national_payload(
        rules.NationalPrescription(
            code="79999a7k2m9qx-N", patient_name="Trần Văn Thử", birth_on=date(1961, 3, 2), sex="M", address="Phường Mẫu",
            personal_number="079000000000", card_number="", weight_kg=None, guardian_name="Con", guardian_phone="", age_months=780,
            diagnoses=[("C34.9", "Ung thư phổi")], advice="", phone="", follow_up_on=date(2026, 12, 3),
            signed_at=datetime(2026, 11, 23, 9, 5),
            lines=[rules.NationalLine("M", "", "morphine 10mg", "Viên", Decimal(20), "Uống")], days=10,
        )
    )  # fmt: skip
    assert message["dot_dung_thuoc"] == {
        "dot": 1,
        "tu_ngay": "23/11/2026",
        "den_ngay": "02/12/2026",
        "so_thang_thuoc": 10,
    }
    assert (message["loai_don_thuoc"], message["ma_don_thuoc"], message["ngay_tai_kham"]) == (
        "n",
        "79999a7k2m9qx-n",
        10,
    )
    assert (message["gioi_tinh"], message["can_nang"], message["thong_tin_nguoi_giam_ho"]) == (2, None, "")
    assert message["ngay_gio_ke_don"] == "2026-11-23 09:05:00"
