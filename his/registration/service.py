"""Use cases of the desk and the queues."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from his.audit import service as audit
from his.billing import queries as billing_queries
from his.billing import service as billing
from his.billing.enums import ItemKind
from his.catalogues import queries as catalogues
from his.core import clock
from his.core.actor import Actor
from his.core.config import current
from his.core.db import session
from his.core.errors import GatewayError, InvalidState, NotFound
from his.core.i18n import date_text
from his.core.sequences import next_number
from his.gateways import clients
from his.gateways.insurer import CardAnswer, CardQuestion
from his.records import queries as records_queries
from his.records import service as records
from his.records.enums import CoverageSource
from his.records.models import Coverage, Patient, Visit
from his.registration import queries, rules
from his.registration.enums import ACTION_DETAILS, Action, CheckState, TicketState
from his.registration.errors import AlreadyRegistered, RoomClosed
from his.registration.models import CardCheck, QueueState, QueueTicket

audit.register_actions(Action, ACTION_DETAILS)

UNDO_WINDOW = timedelta(minutes=10)
parse_identity = rules.parse_identity
looks_garbled = rules.looks_garbled
ERRORS, WARNINGS = rules.ERRORS, rules.WARNINGS


@dataclass(frozen=True, slots=True)
class RegisterCommand:
    """What the desk decided. ``route`` is a fact, not a code: the rules decide the subject code."""

    patient_id: int
    room_code: str
    reason: str
    coverage_id: int | None = None
    route: str = "KHONG_BHYT"
    weight_kg: Decimal | None = None
    guardian_name: str = ""
    guardian_phone: str = ""
    is_emergency: bool = False
    is_disabled: bool = False
    is_pregnant: bool = False
    has_fever_39: bool = False
    incoming_paper_number: str = ""
    incoming_facility_code: str = ""
    incoming_signed_on: date | None = None
    incoming_is_one_year: bool = False


@dataclass(frozen=True, slots=True)
class Registered:
    """The outcome at the desk."""

    visit: Visit
    ticket: QueueTicket
    was_open: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What the right column of the desk shows before printing."""

    subject: billing.SubjectDecision
    rate: str
    price: Decimal
    fund: Decimal
    payable: Decimal
    exam_name: str


def subject_for(patient: Patient, coverage: Coverage | None, route: str, on: date) -> billing.SubjectDecision:
    """Decide the subject code of a visit about to be opened."""
    settings = current()
    return billing.decide_subject(
        billing.SubjectFacts(
            on=on, level=settings.facility_level, points=settings.facility_points, old_tier=settings.facility_old_tier,
            visit_type="01", route=route if coverage is not None else "KHONG_BHYT",
            living_area=coverage.living_area if coverage else "", age_years=(on - patient.birth_on).days // 365,
        )
    )  # fmt: skip


def route_of(coverage: Coverage | None, *, is_emergency: bool = False, has_transfer: bool = False, has_slip: bool = False) -> str:
    """Propose the route from the card and the papers shown (QĐ 3276: the first that fits)."""
    if coverage is None:
        return "KHONG_BHYT"
    if coverage.registered_facility_code == current().facility_code:
        return "DKBD"
    if has_transfer:
        return "CHUYEN"
    if has_slip:
        return "HEN"
    return "CAP_CUU" if is_emergency else "TU_DEN"


def preview(patient: Patient, coverage: Coverage | None, route: str, service_code: str, on: date) -> Preview:
    """Return the expected split of the examination fee (§ desk right column)."""
    subject = subject_for(patient, coverage, route, on)
    exam = catalogues.service(service_code, on)
    rate = billing.exam_rate(billing_queries.exam_count(patient.patient_id, on) + 1)
    result = billing.split_benefit(
        [
            billing.BillLine(
                "exam", exam.cost_group, Decimal(1), exam.hospital_price, exam.insurance_price, rate, exam.insurance_rate
            )
        ],
        billing.BenefitContext(on=on, card=coverage.card_number if coverage else "", subject=subject),
    )
    return Preview(subject, result.rate, result.total, result.fund, result.payable, exam.name)


def register_visit(command: RegisterCommand, *, actor: Actor) -> Registered:
    """Open a visit: subject code, examination fee, queue number, all in one go.

    The same patient twice within a minute (or with a visit still open in the same clinic) gets the open visit.
    Raises `RoomClosed`, `AlreadyRegistered`.
    """
    today = clock.today()
    room = catalogues.room(command.room_code, today)
    if not room.is_open or room.kind != "clinic":
        raise RoomClosed(f"{room.name} đang đóng. Chọn phòng khám khác.")
    patient = records_queries.get_patient(command.patient_id)
    open_visit = records_queries.open_visit_of(command.patient_id, today)
    if open_visit is not None:
        ticket = queries.ticket_of_visit(open_visit.visit_id)
        recent = clock.now() - open_visit.registered_at < timedelta(minutes=1)
        if ticket is not None and (recent or open_visit.room_code == command.room_code):
            return Registered(open_visit, ticket, was_open=True)
        raise AlreadyRegistered(
            f"{patient.full_name} đang có lượt khám {open_visit.code} ở phòng {open_visit.room_code}. "
            "Chuyển phòng hoặc kết thúc lượt đó trước.",
            visit_id=open_visit.visit_id,
        )
    coverage = next((c for c in patient.coverages if c.coverage_id == command.coverage_id), None)
    subject = subject_for(patient, coverage, command.route, today)
    months = (today.year - patient.birth_on.year) * 12 + today.month - patient.birth_on.month
    weight, reason = rules.priority_of(
        rules.PriorityFacts(
            months, command.is_emergency, command.is_disabled, command.is_pregnant, command.has_fever_39
        )
    )
    shown = preview(patient, coverage, command.route, room.exam_service_code, today)
    visit = records.open_visit(
        records.VisitData(
            patient_id=patient.patient_id, room_code=room.code, department_code=room.department_code,
            coverage_id=coverage.coverage_id if coverage and subject.code != "9" else None,
            subject_code=subject.code, subject_reason=subject.reason, benefit_rate=shown.rate,
            route=command.route if coverage else "KHONG_BHYT", reason=command.reason,
            guardian_name=command.guardian_name, guardian_phone=command.guardian_phone, weight_kg=command.weight_kg,
            priority=reason or "normal", is_emergency=command.is_emergency,
            incoming_paper_kind="transfer" if command.incoming_paper_number and command.route == "CHUYEN"
            else "follow_up" if command.incoming_paper_number else "",
            incoming_paper_number=command.incoming_paper_number, incoming_facility_code=command.incoming_facility_code,
            incoming_signed_on=command.incoming_signed_on, incoming_is_one_year=command.incoming_is_one_year,
        ),
        actor=actor,
    )  # fmt: skip
    exam = catalogues.service(room.exam_service_code, today)
    billing.post_charge(
        billing.ChargeData(
            visit_id=visit.visit_id, source_kind="visit_exam", source_id=visit.visit_id, kind=ItemKind.EXAM,
            item_code=exam.code, item_name=exam.name, cost_group=exam.cost_group, unit=exam.unit, quantity=Decimal(1),
            hospital_price=exam.hospital_price, insurance_price=exam.insurance_price if coverage else Decimal(0),
            service_rate=billing.exam_rate(billing_queries.exam_count(patient.patient_id, today) + 1),
            insurance_rate=exam.insurance_rate, ordered_at=clock.now(), department_code=room.department_code,
        ),
        actor=actor,
    )  # fmt: skip
    ticket = take_number(room.code, visit.visit_id, priority=weight, reason=reason, actor=actor)
    audit.record(
        actor, Action.REGISTER, subject_type="visit", subject_id=visit.visit_id, patient_id=patient.patient_id,
        visit_id=visit.visit_id, details={"ticket": ticket.text, "subject_code": subject.code, "room": room.code},
    )  # fmt: skip
    return Registered(visit, ticket)


def undo_registration(visit_id: int, *, actor: Actor) -> Visit:
    """Take a registration back within ten minutes: visit cancelled, fee voided, number marked void."""
    visit = records_queries.visit_for_update(visit_id)
    if clock.now() - visit.registered_at > UNDO_WINDOW:
        raise InvalidState("Đã quá 10 phút, không hoàn tác được. Hủy lượt khám với lý do.")
    ticket = queries.ticket_of_visit(visit_id)
    records.cancel_visit(visit_id, "hoàn tác tại quầy", actor=actor)
    billing.void_charge("visit_exam", visit_id, "hoàn tác tại quầy", actor=actor)
    if ticket is not None:
        ticket.state = TicketState.VOID
        _changed(ticket.room_code, ticket.day)
        audit.record(actor, Action.UNDO, subject_type="ticket", subject_id=ticket.ticket_id, visit_id=visit_id,
                     patient_id=visit.patient_id, details={"ticket": ticket.text})  # fmt: skip
    return visit


# --- queue --------------------------------------------------------------------------------------------------------


def _changed(room_code: str, day: date) -> None:
    here = session()
    insert = sqlite_insert if here.get_bind().dialect.name == "sqlite" else postgres_insert
    here.execute(
        insert(QueueState)
        .values(room_code=room_code, day=day, version=1)
        .on_conflict_do_update(
            index_elements=[QueueState.room_code, QueueState.day], set_={"version": QueueState.version + 1}
        )
    )


def take_number(room_code: str, visit_id: int, *, priority: int, reason: str, actor: Actor) -> QueueTicket:
    """Give the next number of a room and day: unique, in order, without gaps (the counter row is locked, REL-20)."""
    day = clock.today()
    number = next_number(f"queue:{room_code}", day.isoformat())
    before = len(queries.waiting_tickets(room_code, day))
    minutes = rules.expected_wait_minutes(before, current().expected_minutes_per_patient)
    ticket = QueueTicket(
        room_code=room_code, day=day, number=number, visit_id=visit_id, priority=priority, priority_reason=reason,
        expected_at=clock.now() + timedelta(minutes=minutes),
    )  # fmt: skip
    session().add(ticket)
    session().flush()  # the audit entry names the row
    _changed(room_code, day)
    return ticket


def call_next(room_code: str, *, actor: Actor) -> QueueTicket | None:
    """Call the next patient of a room; two callers never call the same one. None when nobody waits."""
    day = clock.today()
    ticket = session().execute(
        select(QueueTicket)
        .where(QueueTicket.room_code == room_code, QueueTicket.day == day, QueueTicket.state == TicketState.WAITING)
        .order_by(QueueTicket.priority.desc(), QueueTicket.number)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    return _call(ticket, actor) if ticket is not None else None


def call(ticket_id: int, *, actor: Actor) -> QueueTicket:
    """Call (again) a ticket out of order."""
    ticket = session().get(QueueTicket, ticket_id, with_for_update=True, populate_existing=True)
    if ticket is None:
        raise NotFound("Không tìm thấy số này.")
    if ticket.state in (TicketState.DONE, TicketState.VOID):
        raise InvalidState("Số này đã xong hoặc đã hủy.")
    return _call(ticket, actor)


def _call(ticket: QueueTicket, actor: Actor) -> QueueTicket:
    ticket.state = TicketState.CALLED
    ticket.called_at = clock.now()
    ticket.call_count += 1
    records.mark_called(ticket.visit_id, actor=actor)
    _changed(ticket.room_code, ticket.day)
    audit.record(actor, Action.TICKET_CALL, subject_type="ticket", subject_id=ticket.ticket_id, visit_id=ticket.visit_id,
                 details={"ticket": ticket.text})  # fmt: skip
    return ticket


def skip(ticket_id: int, *, actor: Actor) -> QueueTicket:
    """The called patient is absent: the number stays and may be called again."""
    ticket = session().get(QueueTicket, ticket_id, with_for_update=True, populate_existing=True)
    if ticket is None:
        raise NotFound("Không tìm thấy số này.")
    ticket.state = TicketState.SKIPPED
    _changed(ticket.room_code, ticket.day)
    audit.record(actor, Action.TICKET_SKIP, subject_type="ticket", subject_id=ticket_id, visit_id=ticket.visit_id,
                 details={"ticket": ticket.text})  # fmt: skip
    return ticket


def finish_visit_ticket(visit_id: int, *, actor: Actor) -> None:
    """The patient leaves the room for good."""
    ticket = queries.ticket_of_visit(visit_id)
    if ticket is None or ticket.state is TicketState.DONE:
        return
    ticket.state = TicketState.DONE
    ticket.done_at = clock.now()
    _changed(ticket.room_code, ticket.day)
    audit.record(actor, Action.TICKET_DONE, subject_type="ticket", subject_id=ticket.ticket_id, visit_id=visit_id,
                 details={"ticket": ticket.text})  # fmt: skip


# --- card check ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What the insurer said, or why it said nothing; plain values, made outside any transaction."""

    question: CardQuestion
    answer: CardAnswer | None
    error: str
    duration_ms: int


def ask_insurer(number: str, full_name: str, birth_text: str, *, actor: Actor) -> CheckResult:
    """Ask the portal, at most as long as the desk may wait. Never raises: care goes on when the portal is down."""
    question = CardQuestion(number, full_name, birth_text, actor.name, actor.insurer_code)
    started = time.perf_counter()
    try:
        answer = clients.insurer(desk=True).check_card(question)
    except GatewayError as error:
        return CheckResult(question, None, f"{error.code}: {error.message}"[:300], _ms(started))
    return CheckResult(question, answer, "", _ms(started))


def _ms(started: float) -> int:
    return int((time.perf_counter() - started) * 1000)


def keep_check(result: CheckResult, *, patient_id: int | None, actor: Actor) -> tuple[CardCheck, Coverage | None]:
    """Store the whole answer and the card it names. Returns the check and the card that counts now."""
    answer = result.answer
    state = CheckState.UNVERIFIED if answer is None else CheckState.VALID if answer.is_valid else CheckState.INVALID
    raw: dict[str, Any] = dict(answer.raw or {}) if answer else {}
    check = CardCheck(
        patient_id=patient_id, asked_number=result.question.number[:15], asked_name=result.question.full_name,
        asked_birth=result.question.birth[:10], by_id=actor.user_id, state=state, code=answer.code if answer else "",
        message=(answer.message if answer else "")[:500], answer=raw, error=result.error, duration_ms=result.duration_ms,
    )  # fmt: skip
    session().add(check)
    session().flush()  # the audit entry names the row
    audit.record(actor, Action.CARD_CHECK, subject_type="card_check", subject_id=check.check_id, patient_id=patient_id,
                 details={"code": check.code, "state": state.value})  # fmt: skip
    coverage = None
    if answer is not None and answer.is_valid and patient_id is not None and answer.valid_from is not None:
        coverage = records.save_coverage(
            patient_id,
            records.CardData(
                answer.card_number, answer.facility_code, answer.valid_from, answer.valid_to, answer.living_area,
                answer.five_years_on,
            ),
            CoverageSource.PORTAL,
            actor=actor,
        )  # fmt: skip
    return check, coverage


def birth_text(patient: Patient) -> str:
    """Return a birth date as the portal wants it."""
    return date_text(patient.birth_on, patient.birth_precision.value)
