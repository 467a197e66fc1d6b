"""Use cases of prescribing: each promise allowed and refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from his.billing.models import Charge
from his.core import clock
from his.core.actor import Actor
from his.core.db import session, transaction
from his.core.errors import Conflict, InvalidState, NotAllowed, RuleBroken
from his.core.once import new_key
from his.core.outbox import OutboxMessage
from his.prescriptions import queries, rules, service
from his.prescriptions.enums import OverrideReason, PrescriptionKind, PrescriptionState
from his.prescriptions.errors import AlreadySigned, PrescriptionChanged, SafetyStop
from his.records.enums import VisitState
from his.records.models import Visit
from his.stock import queries as stock
from his.stock.errors import StockShort
from tests.factories.prescriptions import line, make_draft, make_drug, make_rx_visit, make_signed
from tests.factories.records import make_allergy, make_child, make_patient

Make = Callable[..., Actor]
pytestmark = pytest.mark.usefixtures("db_session")


@pytest.fixture
def doctor(actor: Make) -> Actor:
    return actor("doctor")


def test_quantity_is_computed_and_snapshot_kept(doctor: Actor) -> None:
    make_drug("AZI")
    rx = make_draft(make_rx_visit(), line("AZI", "3.5", "ml", 1, 3), line_pred(), actor=doctor)
    assert [(x.drug_code, x.quantity, x.unit) for x in rx.lines] == [
        ("AZI", Decimal(1), "Chai"),
        ("PRED", Decimal(9), "Viên"),
    ]
    assert rx.lines[0].strength == "200mg/5ml; 15ml"


def line_pred(**changes: object) -> service.LineData:
    make_drug("PRED")
    return line(**changes)  # type: ignore[arg-type]


def test_every_save_moves_the_version_even_when_only_lines_change(doctor: Actor) -> None:
    rx = make_draft(make_rx_visit(), line_pred(), actor=doctor)
    before = rx.version
    with transaction():
        service.set_lines(
            rx.prescription_id, [line_pred(days=4)], advice=rx.advice, follow_up_on=None, version=before, actor=doctor
        )
    assert queries.get(rx.prescription_id).version > before


def test_a_stale_page_does_not_overwrite(doctor: Actor) -> None:
    rx = make_draft(make_rx_visit(), line_pred(), actor=doctor)
    with pytest.raises(PrescriptionChanged), transaction():
        service.set_lines(rx.prescription_id, [], advice="", follow_up_on=None, version=rx.version - 1, actor=doctor)


@pytest.mark.parametrize(
    ("change", "field"),
    [({"code": "XXX"}, "drug-0"), ({"dose": "0"}, "dose-0"), ({"times": 0}, "times-0"), ({"times": 25}, "times-0"),
     ({"days": 0}, "days-0"), ({"quantity": Decimal(-1)}, "quantity-0")],
)  # fmt: skip
def test_impossible_lines_are_refused_at_the_field(doctor: Actor, change: dict[str, object], field: str) -> None:
    make_drug("PRED")
    with pytest.raises(RuleBroken) as caught:
        make_draft(make_rx_visit(), line(**change), actor=doctor)  # type: ignore[arg-type]
    assert [f.field for f in caught.value.findings] == [field]


def test_signing_freezes_codes_holds_charges_and_queues(doctor: Actor) -> None:
    visit = make_rx_visit()
    rx = make_draft(visit, line_pred(), actor=doctor)
    with transaction():
        signed = service.sign(rx.prescription_id, actor=doctor)
    assert signed.state is PrescriptionState.SIGNED
    assert rules.is_code(signed.code or "")
    assert (signed.code or "").startswith("79999")
    assert (signed.code or "").endswith("-C")
    assert signed.digest == service.shown_digest(signed)
    held = stock.rows(["PRED"])[0]
    assert (held.held, held.available) == (9, held.on_hand - 9)
    charge = session().execute(select(Charge).where(Charge.visit_id == visit.visit_id)).scalar_one()
    assert (charge.quantity, charge.hospital_price, charge.source_id) == (
        Decimal(9),
        Decimal(1000),
        signed.lines[0].line_id,
    )
    message = session().execute(select(OutboxMessage).where(OutboxMessage.kind == service.SEND)).scalar_one()
    assert message.payload == {"prescription_id": rx.prescription_id}
    with pytest.raises(AlreadySigned), transaction():
        service.set_lines(rx.prescription_id, [], advice="", follow_up_on=None, version=None, actor=doctor)


def test_signing_twice_with_one_key_signs_once(doctor: Actor) -> None:
    rx = make_draft(make_rx_visit(), line_pred(), actor=doctor)
    key = new_key()
    for _ in range(2):
        with transaction():
            service.sign(rx.prescription_id, actor=doctor, key=key)
    assert stock.rows(["PRED"])[0].held == 9
    assert len(session().execute(select(OutboxMessage).where(OutboxMessage.kind == service.SEND)).scalars().all()) == 1
    with pytest.raises(AlreadySigned), transaction():
        service.sign(rx.prescription_id, actor=doctor, key=new_key())


def test_only_the_prescriber_signs(doctor: Actor, actor: Make) -> None:
    rx = make_draft(make_rx_visit(), line_pred(), actor=doctor)
    with pytest.raises(NotAllowed), transaction():
        service.sign(rx.prescription_id, actor=actor("doctor"))


def test_signing_needs_the_pin(actor: Make) -> None:
    careless = actor("doctor", proved=False)
    rx = make_draft(make_rx_visit(), line_pred(), actor=careless)
    with pytest.raises(NotAllowed) as caught, transaction():
        service.sign(rx.prescription_id, actor=careless)
    assert caught.value.code == "proof_needed"


def test_what_was_not_shown_is_not_signed(doctor: Actor) -> None:
    rx = make_draft(make_rx_visit(), line_pred(), actor=doctor)
    with pytest.raises(Conflict), transaction():
        service.sign(rx.prescription_id, actor=doctor, shown="0" * 64)


def test_an_empty_draft_and_an_ended_visit_are_not_signed(doctor: Actor) -> None:
    visit = make_rx_visit()
    empty = make_draft(visit, actor=doctor)
    with pytest.raises(RuleBroken), transaction():
        service.sign(empty.prescription_id, actor=doctor)
    rx = make_draft(visit, line_pred(), actor=doctor)
    with transaction() as here:
        row = here.get_one(Visit, visit.visit_id)
        row.state, row.ended_at = VisitState.CONCLUDED, clock.now()
    with pytest.raises(InvalidState), transaction():
        service.sign(rx.prescription_id, actor=doctor)


def stopped(doctor: Actor) -> tuple[int, queries.OpenAlert]:
    """Return a draft with the official contraindicated pair azithromycin and domperidone, and that alert."""
    make_drug("AZI")
    make_drug("DOM")
    rx = make_draft(make_rx_visit(), line("AZI", "3.5", "ml", 1, 3), line("DOM", "3.5", "ml", 3, 2), actor=doctor)
    run = queries.safety_run(rx, queries.facts_for_checks(session().get_one(Visit, rx.visit_id), rx.prescription_id))
    return rx.prescription_id, next(a for a in run.stops if a.alert.rule == "drug_drug")


def test_a_stop_bars_signing_until_it_has_a_reason_of_15_characters(doctor: Actor) -> None:
    rx_id, stop = stopped(doctor)
    with pytest.raises(SafetyStop), transaction():
        service.sign(rx_id, actor=doctor)
    with pytest.raises(RuleBroken), transaction():
        service.override(rx_id, stop.alert.rule, stop.alert.key, OverrideReason.SPECIALIST, "hội chẩn", actor=doctor)
    with transaction():
        service.override(
            rx_id, stop.alert.rule, stop.alert.key, OverrideReason.SPECIALIST, "Đã hội chẩn, QTc 400 ms", actor=doctor
        )
        rx = queries.get(rx_id)
        for a in queries.safety_run(
            rx, queries.facts_for_checks(session().get_one(Visit, rx.visit_id), rx_id)
        ).cautions:
            service.override(rx_id, a.alert.rule, a.alert.key, OverrideReason.MONITORED, "", actor=doctor)
    with transaction():
        signed = service.sign(rx_id, actor=doctor)
    assert {o.reason_code for o in signed.overrides} >= {"specialist"}
    assert not [a for a in signed.alerts if a["open"]]


def test_an_answer_goes_when_its_cause_goes(doctor: Actor) -> None:
    rx_id, stop = stopped(doctor)
    with transaction():
        service.override(
            rx_id, stop.alert.rule, stop.alert.key, OverrideReason.SPECIALIST, "Đã hội chẩn, QTc 400 ms", actor=doctor
        )
        service.set_lines(
            rx_id, [line("AZI", "3.5", "ml", 1, 3)], advice="", follow_up_on=None, version=None, actor=doctor
        )
    assert queries.get(rx_id).overrides == []


def test_legal_stops_have_no_exception(doctor: Actor) -> None:
    make_drug("AMLO")
    adult = make_patient()
    rx = make_draft(make_rx_visit(adult, icd="J44.9", weight="60"), line("AMLO", "1", "viên", 1, 60), actor=doctor)
    with pytest.raises(NotAllowed), transaction():
        service.override(
            rx.prescription_id,
            "max_days",
            "amlodipine",
            OverrideReason.BENEFIT,
            "Người bệnh ở rất xa viện",
            actor=doctor,
        )


def test_allergy_recorded_in_vietnamese_stops_the_group(doctor: Actor) -> None:
    child = make_child()
    make_allergy(child, "Penicilin", "phản vệ")
    make_drug("AMOX")
    rx = make_draft(make_rx_visit(child), line("AMOX", "1", "gói", 3, 5), actor=doctor)
    assert [a["rule"] for a in rx.alerts if a["tier"] == 1] == ["allergy"]


def test_a_running_course_of_an_earlier_visit_is_checked(doctor: Actor) -> None:
    child = make_child()
    make_drug("PRED")
    make_signed(make_rx_visit(child), line(days=10), actor=doctor)
    rx = make_draft(make_rx_visit(child), line(days=3), actor=doctor)
    assert ("duplicate_therapy", 2) in {(a["rule"], a["tier"]) for a in rx.alerts}


def test_stock_short_bars_signing_and_leaves_nothing_behind(doctor: Actor) -> None:
    make_drug("PRED", stock=5)
    visit = make_rx_visit()
    rx = make_draft(visit, line(), actor=doctor)
    with pytest.raises(StockShort), transaction():
        service.sign(rx.prescription_id, actor=doctor)
    session().expire_all()
    assert queries.get(rx.prescription_id).state is PrescriptionState.DRAFT
    assert stock.rows(["PRED"])[0].held == 0
    assert session().execute(select(Charge).where(Charge.visit_id == visit.visit_id)).first() is None


def test_lots_that_expire_within_the_course_do_not_count(doctor: Actor) -> None:
    from tests.factories.stock import make_lot

    make_drug("PRED", stock=None)
    make_lot("PRED", 100, expires_on=clock.today() + timedelta(days=1))
    rx = make_draft(make_rx_visit(), line(days=3), actor=doctor)
    with pytest.raises(StockShort), transaction():
        service.sign(rx.prescription_id, actor=doctor)


def mixed(doctor: Actor) -> int:
    make_drug("MORPH")
    make_drug("AMLO")
    adult = make_patient()
    visit = make_rx_visit(adult, icd="C34.9", weight="60")
    return make_draft(
        visit, line("AMLO", "1", "viên", 1, 5), line("MORPH", "1", "viên", 2, 5), actor=doctor
    ).prescription_id


def test_a_narcotic_does_not_share_a_form(doctor: Actor) -> None:
    rx_id = mixed(doctor)
    with pytest.raises(RuleBroken) as caught, transaction():
        service.sign(rx_id, actor=doctor)
    assert caught.value.findings[0].code == "split_by_control_class"


def test_splitting_gives_each_class_its_own_code(doctor: Actor) -> None:
    rx_id = mixed(doctor)
    with transaction():
        other = service.split_controlled(rx_id, version=None, actor=doctor)
    assert [x.drug_code for x in queries.get(rx_id).lines] == ["AMLO"]
    assert [x.drug_code for x in other.lines] == ["MORPH"]
    with transaction():
        ordinary, narcotic = service.sign(rx_id, actor=doctor), service.sign(other.prescription_id, actor=doctor)
    assert (ordinary.kind, narcotic.kind) == (PrescriptionKind.BASIC, PrescriptionKind.NARCOTIC)
    assert (narcotic.code or "").endswith("-N")
    with pytest.raises(AlreadySigned), transaction():
        service.split_controlled(rx_id, version=None, actor=doctor)


def test_cancelling_gives_stock_and_charges_back(doctor: Actor) -> None:
    visit = make_rx_visit()
    rx = make_signed(visit, line_pred(), actor=doctor)
    with pytest.raises(InvalidState), transaction():
        service.cancel(rx.prescription_id, " a ", actor=doctor)
    with transaction():
        service.cancel(rx.prescription_id, "kê nhầm người bệnh", actor=doctor)
    assert queries.get(rx.prescription_id).state is PrescriptionState.CANCELLED
    assert stock.rows(["PRED"])[0].held == 0
    assert (
        session().execute(select(Charge).where(Charge.visit_id == visit.visit_id, Charge.voided_at.is_(None))).first()
        is None
    )


def test_another_doctor_does_not_cancel_but_the_head_does(doctor: Actor, actor: Make) -> None:
    rx = make_signed(make_rx_visit(), line_pred(), actor=doctor)
    with pytest.raises(NotAllowed), transaction():
        service.cancel(rx.prescription_id, "kê nhầm người bệnh", actor=actor("doctor"))
    with transaction():
        service.cancel(rx.prescription_id, "kê nhầm người bệnh", actor=actor("head"))
    assert queries.get(rx.prescription_id).state is PrescriptionState.CANCELLED


def test_replacing_opens_a_draft_with_the_same_lines_and_a_new_code(doctor: Actor) -> None:
    rx = make_signed(make_rx_visit(), line_pred(), actor=doctor)
    with transaction():
        fresh = service.replace(rx.prescription_id, "đổi liều theo cân nặng", actor=doctor)
    old = queries.get(rx.prescription_id)
    assert (old.state, fresh.supersedes_id) == (PrescriptionState.SUPERSEDED, rx.prescription_id)
    assert [(x.drug_code, x.quantity) for x in fresh.lines] == [("PRED", Decimal(9))]
    with transaction():
        assert service.sign(fresh.prescription_id, actor=doctor).code != old.code
    with pytest.raises(InvalidState), transaction():
        service.replace(rx.prescription_id, "thay lần nữa", actor=doctor)


def test_copying_takes_the_last_signed_prescription_of_an_earlier_visit(doctor: Actor) -> None:
    child = make_child()
    first = make_rx_visit(child)
    with pytest.raises(InvalidState):
        service.last_lines(first.visit_id)
    make_signed(first, line_pred(times_text="sáng sau ăn"), actor=doctor)
    again = make_rx_visit(child)
    assert [(x.drug_code, x.times_text, x.quantity) for x in service.last_lines(again.visit_id)] == [
        ("PRED", "sáng sau ăn", None)
    ]


def test_a_new_line_starts_with_a_measurable_dose_for_the_weight(doctor: Actor) -> None:
    make_drug("AMOX")
    visit = make_rx_visit()
    data = service.first_dose(visit.visit_id, "AMOX")
    assert data.dose_unit == "gói"
    assert Decimal(10) <= data.dose_amount * 250 / Decimal("14.2") <= Decimal(30)


def test_the_paper_is_issued_once(doctor: Actor) -> None:
    rx = make_draft(make_rx_visit(), line_pred(), actor=doctor)
    assert service.preview(rx.prescription_id).startswith(b"%PDF")
    with pytest.raises(InvalidState), transaction():
        service.paper(rx.prescription_id, actor=doctor)
    with transaction():
        service.sign(rx.prescription_id, actor=doctor)
    with transaction():
        one = service.paper(rx.prescription_id, actor=doctor)
        two = service.paper(rx.prescription_id, actor=doctor)
    assert one.paper_id == two.paper_id
    assert one.number == queries.get(rx.prescription_id).code
