"""One invented patient's way through the hospital, step by step, through the use cases the screens call.

Nothing here writes a row by itself. The clock is set to the moment of each step, so that a visit of last month has
last month's prices, numbers and times.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from threading import Thread

from werkzeug.serving import make_server

from his.billing import queries as billing_queries
from his.billing import service as billing
from his.billing.enums import PaymentMethod
from his.catalogues import queries as catalogues
from his.core import clock, outbox
from his.core.actor import Actor
from his.core.config import activate, current
from his.core.db import session, transaction
from his.core.jobs import celery
from his.core.module import registry
from his.core.once import new_key
from his.demo import staff
from his.demo.cases import Case, Dose
from his.demo.people import DemoPerson
from his.examination import queries as exam_queries
from his.examination import rules as examination_rules
from his.examination import service as examination
from his.gateways.standin.app import create_app as create_standin
from his.identity import queries as identity_queries
from his.identity import service as identity
from his.identity.models import UserSession
from his.imaging import service as imaging
from his.laboratory import service as laboratory
from his.orders import service as orders
from his.orders.enums import OrderKind
from his.pharmacy import service as pharmacy
from his.prescriptions import queries as rx_queries
from his.prescriptions import service as prescriptions
from his.prescriptions.enums import OverrideReason
from his.prescriptions.models import Prescription
from his.records import queries as records_queries
from his.records import service as records
from his.records.enums import CoverageSource, GuardianKind, Sex
from his.records.models import Coverage, Patient
from his.registration import queries as registration_queries
from his.registration import service as registration
from his.registration.enums import TicketState

FATHERS = ("Văn", "Quốc", "Hữu")


class Stage(IntEnum):
    """How far a patient has come."""

    WAITING = 0
    CALLED = 1
    IN_EXAM = 2
    ORDERED = 3
    SAMPLED = 4
    ENTERED = 5
    RESULTED = 6
    DRAFTED = 7
    SIGNED = 8
    CONCLUDED = 9
    PAID = 10
    DISPENSED = 11


# Minutes after arrival at which a step is done on an ordinary morning.
MINUTES: dict[Stage, int] = {
    Stage.WAITING: 1, Stage.CALLED: 24, Stage.IN_EXAM: 26, Stage.ORDERED: 32, Stage.SAMPLED: 38, Stage.ENTERED: 52,
    Stage.RESULTED: 57, Stage.DRAFTED: 62, Stage.SIGNED: 64, Stage.CONCLUDED: 66, Stage.PAID: 74, Stage.DISPENSED: 82,
}  # fmt: skip
VITALS_AFTER = 8
TEST_STAGES = (Stage.ORDERED, Stage.SAMPLED, Stage.ENTERED, Stage.RESULTED)


@dataclass
class Plan:
    """Who comes, when, where, with what, and how far they get."""

    person: DemoPerson
    arrives_at: datetime
    room: str
    case: Case | None = None
    stage: Stage = Stage.DISPENSED
    reason: str = ""
    route: str = ""
    pace: float = 1.0
    doctor: str = ""
    weight: Decimal | None = None
    temperature: Decimal | None = None
    paper_number: str = ""
    paper_from: str | None = None  # None: the facility the card names
    is_emergency: bool = False
    is_absent: bool = False
    with_vitals: bool = True
    discharge: str = "1"

    def moment(self, minutes: float) -> datetime:
        """Return the time so many ordinary minutes after arrival."""
        return self.arrives_at + timedelta(minutes=minutes * self.pace)


@dataclass
class House:
    """The staff at work: who sits where, each signed in with a proven PIN."""

    doctors: dict[str, Actor] = field(default_factory=dict)
    people: dict[str, Actor] = field(default_factory=dict)

    def act(self, username: str) -> Actor:
        """Return a member of the staff."""
        if username not in self.people:
            self.people[username] = staff.actor(username)
        return self.people[username]

    def doctor_of(self, room: str) -> str:
        """Return the log-in of the doctor of a room."""
        return next(p.username for p in staff.STAFF if p.room == room and p.role == "doctor")

    def signing(self, username: str) -> Actor:
        """Return a person whose PIN is proven at the clock's present moment."""
        if username not in self.doctors:
            user = staff.user(username)
            token = identity.open_session(user, ip="127.0.0.1", browser="his demo load", workplace=user.default_room)
            row = identity_queries.session_by_token(identity.token_hash(token))
            if row is None:
                raise LookupError(f"{username} has no session")
            self.doctors[username] = identity.actor_of(
                user, row.permissions, ip="127.0.0.1", session_ref=str(row.session.session_id)
            )
        actor = self.doctors[username]
        if not identity.has_proof(actor):
            identity.prove(session().get_one(UserSession, int(actor.session_ref)), staff.PIN, actor=actor)
        return actor

    def go_home(self) -> None:
        """End the sessions the loading opened."""
        with transaction() as here:
            for actor in self.doctors.values():
                identity.log_out(here.get_one(UserSession, int(actor.session_ref)), actor=actor)


@contextmanager
def outside_world() -> Iterator[None]:
    """Serve the stand-ins of the outside systems inside this process and keep the broker quiet.

    Cards are checked and prescriptions sent while loading, as they would have been on the day; what is left over is
    found by the sweeper of the real worker.
    """
    settings = current()
    server = make_server("127.0.0.1", 0, create_standin(), threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    activate(settings.model_copy(update={"insurer_url": f"{base}/insurer", "national_rx_url": f"{base}/national-rx"}))
    requests = logging.getLogger("werkzeug")
    level = requests.level
    requests.setLevel(logging.ERROR)
    eager = celery.conf.task_always_eager
    celery.conf.task_always_eager = True
    try:
        yield
    finally:
        celery.conf.task_always_eager = eager
        activate(settings)
        server.shutdown()
        requests.setLevel(level)


@contextmanager
def step(moment: datetime) -> Iterator[None]:
    """One unit of work at one moment."""
    with clock.at(moment), transaction():
        yield


def enter_patient(who: DemoPerson, *, actor: Actor) -> Patient:
    """Return the patient's record, opening it when there is none."""
    known = records_queries.by_identifier(who.personal_number)
    if known is not None:
        return records_queries.get_patient(known.patient_id)
    commune = catalogues.commune_in_text(who.address)
    patient = records.create_patient(
        records.PatientData(
            full_name=who.name, birth_on=who.birth_on, sex=Sex(who.sex), phone=who.phone,
            address_line=who.address.split(",", maxsplit=1)[0], commune_code=commune.code if commune else "",
            province_code=commune.province_code if commune else "", address_text=who.address,
            personal_number=who.personal_number,
        ),
        actor=actor,
    )  # fmt: skip
    if who.guardian:
        father = who.guardian.split()[1] in FATHERS
        records.save_guardian(
            patient.patient_id, kind=GuardianKind.FATHER if father else GuardianKind.MOTHER, full_name=who.guardian,
            phone=who.phone, actor=actor,
        )  # fmt: skip
    records.state_no_known_allergies(patient.patient_id, actor=actor)
    return records_queries.get_patient(patient.patient_id)


def weight_at(months: int) -> Decimal:
    """Return an ordinary weight in kg at an age in months (rule of thumb of paediatric resuscitation courses)."""
    if months < 12:
        return Decimal(months + 9) / 2
    years = Decimal(months) / 12
    if months < 72:
        return ((years + 4) * 2).quantize(Decimal("0.1"))
    return (years * 3 + 7).quantize(Decimal("0.1")) if months < 156 else Decimal(56)


def months_between(birth_on: date, on: date) -> int:
    """Return the age in completed months."""
    return (on.year - birth_on.year) * 12 + on.month - birth_on.month - (on.day < birth_on.day)


def vitals_at(case: Case | None, plan: Plan, months: int, weight: Decimal) -> dict[str, Decimal | int | None]:
    """Return plausible measurements for an age, with the fever and the breathing of the complaint."""
    days = months * 30

    def middle(sign: str) -> Decimal:
        found = examination_rules.range_of(sign, days)
        if found is None or found.low is None or found.high is None:
            return Decimal(0)
        return (found.low + found.high) / 2

    temperature = plan.temperature or (case.fever if case else Decimal("36.8"))
    fast = 12 if temperature >= 38 else 0
    signs: dict[str, Decimal | int | None] = {
        "pulse": int(middle("pulse")) + fast, "temperature": temperature,
        "respiration": int(middle("respiration")) + (case.breath_extra if case else 0),
        "spo2": case.spo2 if case else 98, "weight_kg": weight,
    }  # fmt: skip
    if months >= 36:
        signs["systolic"], signs["diastolic"] = int(middle("systolic")), int(middle("diastolic"))
    return signs


def arrive(plan: Plan, house: House) -> int | None:
    """Register a patient at the desk as the clerk does: card check, visit, number. Returns the visit."""
    clerk = house.act("tiepdon")
    who = plan.person
    with step(plan.moment(0)):
        patient = enter_patient(who, actor=clerk)
    coverage: Coverage | None = None
    if who.card:
        with clock.at(plan.moment(0.4)):
            answer = registration.ask_insurer(who.card, who.name, registration.birth_text(patient), actor=clerk)
        with step(plan.moment(0.5)):
            _, coverage = registration.keep_check(answer, patient_id=patient.patient_id, actor=clerk)
            if coverage is None and who.card_from is not None:
                coverage = records.save_coverage(
                    patient.patient_id, records.CardData(who.card, who.registered, who.card_from, who.card_to),
                    CoverageSource.TYPED, actor=clerk,
                )  # fmt: skip
    months = months_between(who.birth_on, clock.local(plan.arrives_at).date())
    with step(plan.moment(MINUTES[Stage.WAITING])):
        done = registration.register_visit(
            registration.RegisterCommand(
                patient_id=patient.patient_id, room_code=plan.room,
                reason=plan.reason or (plan.case.reason if plan.case else "Khám bệnh"),
                coverage_id=coverage.coverage_id if coverage else None,
                route=plan.route or registration.route_of(coverage, is_emergency=plan.is_emergency),
                weight_kg=plan.weight if months < 72 else None, guardian_name=who.guardian,
                guardian_phone=who.phone if who.guardian else "", is_emergency=plan.is_emergency,
                has_fever_39=bool(plan.temperature and plan.temperature >= 39),
                incoming_paper_number=plan.paper_number, incoming_facility_code=(who.registered if plan.paper_from is None else plan.paper_from) if plan.paper_number else "",
                incoming_signed_on=clock.local(plan.arrives_at).date() - timedelta(days=2) if plan.paper_number else None,
                paper_follows=plan.route == "CHUYEN" and not plan.paper_number,
            ),
            actor=clerk,
        )  # fmt: skip
        visit_id, was_open = done.visit.visit_id, done.was_open
    return None if was_open else visit_id


def live(plan: Plan, house: House) -> int | None:
    """Take one patient from the door as far as the plan says. Returns the visit (None: already here today)."""
    months = months_between(plan.person.birth_on, clock.local(plan.arrives_at).date())
    if plan.weight is None:
        plan.weight = weight_at(months)
    visit_id = arrive(plan, house)
    if visit_id is None:
        return None
    if plan.with_vitals:
        with step(plan.moment(VITALS_AFTER)):
            examination.record_vitals(visit_id, vitals_at(plan.case, plan, months, plan.weight), actor=house.act("dieuduong"))
    if plan.is_absent:
        _call(plan, house, visit_id)
        with step(plan.moment(MINUTES[Stage.CALLED] + 2)):
            ticket = registration_queries.ticket_of_visit(visit_id)
            if ticket is not None:
                registration.skip(ticket.ticket_id, actor=house.act(plan.doctor or house.doctor_of(plan.room)))
        return visit_id
    if plan.stage >= Stage.CALLED:
        _call(plan, house, visit_id)
    if plan.stage >= Stage.IN_EXAM and plan.case is not None:
        _examine(plan, plan.case, house, visit_id, months)
    return visit_id


def _call(plan: Plan, house: House, visit_id: int) -> None:
    with step(plan.moment(MINUTES[Stage.CALLED])):
        ticket = registration_queries.ticket_of_visit(visit_id)
        if ticket is not None and ticket.state is TicketState.WAITING:
            registration.call(ticket.ticket_id, actor=house.act(plan.doctor or house.doctor_of(plan.room)))


def _examine(plan: Plan, case: Case, house: House, visit_id: int, months: int) -> None:
    name = plan.doctor or house.doctor_of(plan.room)
    doctor = house.act(name)
    follow_up = clock.local(plan.arrives_at).date() + timedelta(days=case.follow_up_days) if case.follow_up_days else None
    with step(plan.moment(MINUTES[Stage.IN_EXAM])):
        examination.begin(visit_id, actor=doctor)
        examination.save_note(
            visit_id,
            examination.NoteData(
                history=case.history, findings=case.findings, conclusion=case.conclusion, advice=case.advice,
                follow_up_on=follow_up,
            ),
            None, actor=doctor,
        )  # fmt: skip
        examination.set_diagnoses(visit_id, case.main, case.others, actor=doctor)
    if plan.stage >= Stage.ORDERED and case.tests:
        _test(plan, case, house, visit_id, doctor)
    if plan.stage < Stage.DRAFTED or (plan.stage == Stage.DRAFTED and not plan.weight):
        return
    _prescribe(plan, case, house, visit_id, name, months)
    if plan.stage >= Stage.CONCLUDED:
        with step(plan.moment(MINUTES[Stage.CONCLUDED])):
            examination.conclude(
                visit_id, examination.ConcludeData(discharge_code=plan.discharge, result_code=case.result), actor=doctor
            )
    if plan.stage >= Stage.PAID:
        pay(visit_id, plan.moment(MINUTES[Stage.PAID]), house)
    if plan.stage >= Stage.DISPENSED:
        hand_out(visit_id, plan.person.guardian or plan.person.name, plan.moment(MINUTES[Stage.DISPENSED]), house)


def _test(plan: Plan, case: Case, house: House, visit_id: int, doctor: Actor) -> None:
    with step(plan.moment(MINUTES[Stage.ORDERED])):
        order = orders.place(visit_id, case.tests, indication=case.reason, actor=doctor)
        lines = [(line.line_id, line.kind, line.service_code) for line in order.lines]
    if plan.stage >= Stage.SAMPLED:
        with step(plan.moment(MINUTES[Stage.SAMPLED])):
            for line_id, kind, _code in lines:
                orders.start_line(line_id, actor=house.act("xetnghiem" if kind is OrderKind.LABORATORY else "hinhanh"))
    entered: list[tuple[OrderKind, int]] = []
    if plan.stage >= Stage.ENTERED:
        with step(plan.moment(MINUTES[Stage.ENTERED])):
            for line_id, kind, code in lines:
                if kind is OrderKind.LABORATORY:
                    result = laboratory.enter(
                        line_id, case.values, critical_note="Đã gọi báo bác sĩ điều trị.", actor=house.act("xetnghiem")
                    )
                    entered.append((kind, result.result_id))
                else:
                    words, conclusion, abnormal = case.reports[code]
                    report = imaging.write_report(
                        line_id, description=words, conclusion=conclusion, is_abnormal=abnormal, actor=house.act("hinhanh")
                    )
                    entered.append((kind, report.report_id))
    if plan.stage >= Stage.RESULTED:
        with step(plan.moment(MINUTES[Stage.RESULTED])):
            for kind, number in entered:
                if kind is OrderKind.LABORATORY:
                    laboratory.release(number, actor=house.act("xetnghiem2"))
                else:
                    imaging.release(number, actor=house.act("bacsihinhanh"))


def _prescribe(plan: Plan, case: Case, house: House, visit_id: int, name: str, months: int) -> None:
    """Write and, if the plan says so, sign. A caution is answered with a reason; a stop takes the medicine off."""
    doses = case.doses(plan.weight or Decimal(0), months)
    if not doses:
        return
    doctor = house.act(name)
    with step(plan.moment(MINUTES[Stage.DRAFTED])):
        draft = prescriptions.draft_for(visit_id, actor=doctor)
        draft = _write(draft.prescription_id, doses, case, visit_id, doctor)
        number = draft.prescription_id
        visit = records_queries.get_visit(visit_id)
        run = rx_queries.safety_run(draft, rx_queries.facts_for_checks(visit, number))
        if run.stops:
            bad = {position for alert in run.stops for position in alert.alert.lines}
            kept = tuple(dose for place, dose in enumerate(doses) if place not in bad)
            if not kept:
                prescriptions.cancel(number, "không còn thuốc phù hợp", actor=doctor)
                return
            draft = _write(number, kept, case, visit_id, doctor)
            run = rx_queries.safety_run(draft, rx_queries.facts_for_checks(visit, number))
        if plan.stage >= Stage.SIGNED:
            for alert in run.cautions:
                prescriptions.override(
                    number, alert.alert.rule, alert.alert.key, OverrideReason.MONITORED,
                    "đã dặn gia đình cách theo dõi", actor=doctor,
                )  # fmt: skip
    if plan.stage >= Stage.SIGNED:
        with step(plan.moment(MINUTES[Stage.SIGNED])):
            prescriptions.sign(number, actor=house.signing(name))
        send_waiting(plan.moment(MINUTES[Stage.SIGNED] + 0.5))


def _write(number: int, doses: tuple[Dose, ...], case: Case, visit_id: int, doctor: Actor) -> Prescription:
    note = exam_queries.note_of(visit_id)
    return prescriptions.set_lines(
        number,
        [
            prescriptions.LineData(d.drug, Decimal(d.amount), d.unit, d.times, d.days, d.when, d.frequency, None, case.main)
            for d in doses
        ],
        advice=case.advice, follow_up_on=note.follow_up_on if note else None, version=None, actor=doctor,
    )  # fmt: skip


def send_waiting(moment: datetime) -> None:
    """Send what waits for other systems at this moment, as the worker would have done."""
    if not any(prescriptions.SEND in module.outbox for module in registry().modules):
        return
    with clock.at(moment):
        for message_id in outbox.sweep():
            outbox.deliver(message_id)


def pay(visit_id: int, moment: datetime, house: House) -> None:
    """Take the money of a concluded visit."""
    with step(moment):
        bill = billing_queries.bill_of(records_queries.get_visit(visit_id))
        tendered = None if not bill.payable else (bill.payable / 50_000).to_integral_value("ROUND_CEILING") * 50_000
        billing.settle(
            visit_id, method=PaymentMethod.CASH, tendered=tendered, key=new_key(), expected=bill.payable,
            actor=house.act("thungan"),
        )  # fmt: skip


def hand_out(visit_id: int, receiver: str, moment: datetime, house: House) -> None:
    """Hand out the medicines of a paid visit, if there are any."""
    with step(moment):
        prescription = rx_queries.current_of(visit_id)
        if prescription is not None:
            pharmacy.dispense(prescription.prescription_id, receiver_name=receiver, key=new_key(), actor=house.act("duocsi"))
