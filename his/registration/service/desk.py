"""Opening a visit at the desk, showing its fee beforehand, taking it back, moving it to another room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from his.audit import service as audit
from his.billing import queries as billing_queries
from his.billing import service as billing
from his.billing.enums import ItemKind
from his.catalogues import queries as catalogues
from his.catalogues.models import Room, Service
from his.core import clock
from his.core.actor import Actor
from his.core.config import current
from his.core.errors import Finding, InvalidState, RuleBroken, stop_on_errors
from his.core.i18n import age_parts
from his.documents import service as documents
from his.documents.models import Paper
from his.records import queries as records_queries
from his.records import service as records
from his.records.enums import CoverageSource, GuardianKind, VisitState
from his.records.models import Coverage, Patient, Visit
from his.registration import printing, queries, rules
from his.registration.enums import Action, TicketState
from his.registration.errors import AlreadyRegistered, RoomClosed
from his.registration.models import QueueTicket
from his.registration.service import cards, queue

UNDO_WINDOW = timedelta(minutes=10)
CHILD_MONTHS = 72


@dataclass(frozen=True, slots=True)
class RegisterCommand:
    """What the desk decided. ``route`` is what the clerk says (rules.CHOICES or a route); the rules decide what counts."""

    patient_id: int
    room_code: str
    reason: str
    coverage_id: int | None = None
    route: str = ""
    weight_kg: Decimal | None = None
    guardian_name: str = ""
    guardian_phone: str = ""
    guardian_kind: str = "companion"
    is_emergency: bool = False
    is_disabled: bool = False
    is_pregnant: bool = False
    has_fever_39: bool = False
    incoming_paper_number: str = ""
    incoming_facility_code: str = ""
    incoming_signed_on: date | None = None
    incoming_is_one_year: bool = False
    paper_follows: bool = False
    check_id: int | None = None


@dataclass(frozen=True, slots=True)
class NewPatient:
    """A person without a record, and the card that came along: typed or read ``card``, or a child's temporary one."""

    data: records.PatientData
    guardian_kind: GuardianKind = GuardianKind.COMPANION
    card: records.CardData | None = None
    card_source: CoverageSource = CoverageSource.TYPED
    wants_temporary_card: bool = False


@dataclass(frozen=True, slots=True)
class Registered:
    """The outcome at the desk."""

    visit: Visit
    ticket: QueueTicket
    was_open: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class CardFacts:
    """A card as far as it decides route and rate; kept already or only just read."""

    number: str
    facility_code: str
    living_area: str
    valid_from: date
    valid_to: date | None
    is_copay_exempt: bool = False

    @property
    def is_registered_here(self) -> bool:
        """Whether this hospital is the card's first place of care."""
        return self.facility_code == current().facility_code


@dataclass(frozen=True, slots=True)
class Fee:
    """The expected split of an examination fee (đồng)."""

    name: str
    rate: str
    price: Decimal
    fund: Decimal
    copay: Decimal
    outside: Decimal
    payable: Decimal


def card_facts(coverage: Coverage | None) -> CardFacts | None:
    """Return what decides about a kept card."""
    if coverage is None:
        return None
    return CardFacts(
        coverage.card_number, coverage.registered_facility_code, coverage.living_area, coverage.valid_from,
        coverage.valid_to, coverage.is_copay_exempt,
    )  # fmt: skip


def subject_for(birth_on: date, card: CardFacts | None, route: str, on: date) -> billing.SubjectDecision:
    """Decide the subject code of a visit about to be opened."""
    settings = current()
    return billing.decide_subject(
        billing.SubjectFacts(
            on=on, level=settings.facility_level, points=settings.facility_points, old_tier=settings.facility_old_tier,
            visit_type="01", route=route if card is not None else "KHONG_BHYT",
            living_area=card.living_area if card else "", age_years=age_parts(birth_on, on)[0],
        )
    )  # fmt: skip


def routes_for(birth_on: date, card: CardFacts | None, on: date) -> dict[str, billing.SubjectDecision]:
    """Return what each choice of the clerk would lead to: choice ("" = by the card) -> subject code with its reason.

    "CAP_CUU" stands for "" when the visit is an emergency. A paper is taken as valid here; `register_visit` judges it.
    """
    if card is None:
        return {rules.SELF_PAYING: subject_for(birth_on, None, rules.SELF_PAYING, on)}
    if card.is_registered_here:
        choices = {"": "DKBD", rules.SELF_PAYING: rules.SELF_PAYING}
    else:
        choices = {"": "TU_DEN", "CAP_CUU": "CAP_CUU", "CHUYEN": "CHUYEN", "HEN": "HEN", "CU_TRU": "CU_TRU",
                   rules.SELF_PAYING: rules.SELF_PAYING}  # fmt: skip
    return {choice: subject_for(birth_on, card, route, on) for choice, route in choices.items()}


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


def fees(
    card: CardFacts | None, subjects: Iterable[billing.SubjectDecision], exams: Iterable[Service], on: date, *, exam_count: int = 0
) -> dict[tuple[str, str], Fee]:
    """Return the expected split by (subject code, examination code): the same pure rules the cashier uses.

    ``exam_count`` is how many examinations of this day are charged already (TT 39/2024: 100, 30, 30, 30, 10 %).
    """
    rate = billing.exam_rate(exam_count + 1)
    found = {}
    for exam in exams:
        for subject in subjects:
            insured = card is not None and subject.code != "9"
            result = billing.split_benefit(
                [
                    billing.BillLine(
                        "exam", exam.cost_group, Decimal(1), exam.hospital_price,
                        exam.insurance_price if insured else Decimal(0), rate, exam.insurance_rate,
                    )
                ],
                billing.BenefitContext(
                    on=on, card=card.number if card is not None and insured else "", subject=subject,
                    is_exempt=bool(card and card.is_copay_exempt),
                ),
            )  # fmt: skip
            found[subject.code, exam.code] = Fee(
                exam.name, result.rate, result.total, result.fund, result.copay, result.outside, result.payable
            )
    return found


def _months(patient: Patient, on: date) -> int:
    return age_parts(patient.birth_on, on)[1]


def _check_guardian(patient: Patient, command: RegisterCommand, on: date) -> None:
    """A child under 6 comes with somebody (TT 26/2025 Đ6 k4); an emergency is never stopped by it (Luật KCB Đ72)."""
    if command.is_emergency or _months(patient, on) >= CHILD_MONTHS:
        return
    findings = []
    if not command.guardian_name.strip():
        findings.append(
            Finding("guardian_missing", "guardian_name",
                    "Trẻ dưới 6 tuổi cần tên người đưa trẻ đến khám. Nhập tên mẹ, cha hoặc người đi cùng.",
                    source="TT 26/2025/TT-BYT Đ6 k4")
        )  # fmt: skip
    if not records.phone_digits([command.guardian_phone]):
        findings.append(
            Finding("guardian_phone", "guardian_phone",
                    "Điện thoại người đưa trẻ: cần số gọi được, từ 9 chữ số." if command.guardian_phone
                    else "Điện thoại người đưa trẻ: chưa nhập.", source="TT 26/2025/TT-BYT Đ6 k4")
        )  # fmt: skip
    stop_on_errors(findings)


def decide_route_of(patient_id: int, coverage: Coverage | None, command: RegisterCommand, on: date) -> rules.RouteDecision:
    """Judge the papers of a command on a day; reads the days off and earlier use of the paper only when one is shown."""
    facts = rules.RouteFacts(
        on=on, has_card=coverage is not None,
        registered_here=bool(coverage and coverage.registered_facility_code == current().facility_code),
        chosen=command.route, is_emergency=command.is_emergency, paper_number=command.incoming_paper_number,
        paper_facility=command.incoming_facility_code, paper_signed_on=command.incoming_signed_on,
        paper_is_one_year=command.incoming_is_one_year, paper_follows=command.paper_follows,
    )  # fmt: skip
    if command.route != "CHUYEN" or coverage is None or command.incoming_signed_on is None:
        return rules.decide_route(facts, ())
    signed = command.incoming_signed_on
    days_off = catalogues.holidays(signed, signed + timedelta(days=60))
    used = bool(command.incoming_paper_number) and queries.paper_was_used(patient_id, command.incoming_paper_number)
    return rules.decide_route(replace(facts, paper_was_used=used), days_off)


def register_visit(command: RegisterCommand, *, actor: Actor) -> Registered:
    """Open a visit: subject code, examination fee, queue number, all in one go.

    Two clerks at one patient meet at the patient's row: the second one gets the visit the first one opened (also when
    the same patient is sent to the same clinic twice). Raises `RoomClosed`, `AlreadyRegistered`, `RuleBroken` (papers,
    guardian of a child under 6; findings name the field).
    """
    today = clock.today()
    records_queries.lock_patient(command.patient_id)
    patient = records_queries.get_patient(command.patient_id)
    open_visit = records_queries.open_visit_of(command.patient_id, today)
    if open_visit is not None:
        return _open_already(open_visit, patient, command.room_code)
    room = _clinic(command.room_code, today)
    if patient.died_on is not None:
        raise InvalidState("Hồ sơ này ghi người bệnh đã mất. Kiểm tra lại hồ sơ trước khi tiếp đón.")
    _check_guardian(patient, command, today)
    coverage = next((c for c in patient.coverages if c.coverage_id == command.coverage_id), None)
    decision = decide_route_of(patient.patient_id, coverage, command, today)
    stop_on_errors(decision.findings)
    subject = subject_for(patient.birth_on, card_facts(coverage), decision.route, today)
    if subject.code == "9":
        coverage = None
    weight, why = rules.priority_of(
        rules.PriorityFacts(
            _months(patient, today), command.is_emergency, command.is_disabled, command.is_pregnant, command.has_fever_39
        )
    )
    exam = catalogues.service(room.exam_service_code, today)
    exam_count = billing_queries.exam_count(patient.patient_id, today)
    fee = fees(card_facts(coverage), [subject], [exam], today, exam_count=exam_count)[subject.code, exam.code]
    paper_kind = {"CHUYEN": "transfer", "HEN": "follow_up"}.get(decision.route, "")
    visit = records.open_visit(
        records.VisitData(
            patient_id=patient.patient_id, room_code=room.code, department_code=room.department_code,
            coverage_id=coverage.coverage_id if coverage else None, subject_code=subject.code,
            subject_reason=" ".join(part for part in (subject.reason, decision.note) if part)[:500],
            benefit_rate=fee.rate, route=decision.route, reason=command.reason.strip() or rules.DEFAULT_REASON,
            guardian_name=command.guardian_name, guardian_phone=command.guardian_phone, weight_kg=command.weight_kg,
            # Only the reason's first words fit; the whole one stands on the ticket.
            priority=why[:16] or "normal", is_emergency=command.is_emergency, incoming_paper_kind=paper_kind,
            incoming_paper_number=command.incoming_paper_number if paper_kind else "",
            incoming_facility_code=command.incoming_facility_code if paper_kind else "",
            incoming_signed_on=command.incoming_signed_on if paper_kind == "transfer" else None,
            incoming_is_one_year=command.incoming_is_one_year if paper_kind == "transfer" else False,
        ),
        actor=actor,
    )  # fmt: skip
    if command.guardian_name:
        _keep_guardian(patient, command, actor)
    _charge_exam(visit, room, exam, insured=coverage is not None, exam_count=exam_count, actor=actor)
    ticket = queue.take_number(room.code, visit.visit_id, priority=weight, reason=why, actor=actor)
    if command.check_id is not None:
        check = queries.get_check(command.check_id)
        if check is not None and check.patient_id == patient.patient_id:
            check.visit_id = visit.visit_id
    audit.record(
        actor, Action.REGISTER, subject_type="visit", subject_id=visit.visit_id, patient_id=patient.patient_id,
        visit_id=visit.visit_id, details={"ticket": ticket.text, "subject_code": subject.code, "room": room.code},
    )  # fmt: skip
    return Registered(visit, ticket, note=decision.note)


def _clinic(room_code: str, on: date) -> Room:
    """Return the chosen clinic. Nothing chosen, a code that is none or a closed one is said where it is chosen."""
    room = catalogues.rooms_by_code([room_code], on).get(room_code)
    if room is None or room.kind != "clinic":
        raise RoomClosed("Phòng khám: chưa chọn. Chọn một phòng đang mở trong danh sách.")
    if not room.is_open:
        raise RoomClosed(f"Phòng {room.name} đang đóng. Chọn phòng khám khác.")
    return room


def _open_already(open_visit: Visit, patient: Patient, room_code: str) -> Registered:
    ticket = queries.ticket_of_visit(open_visit.visit_id)
    recent = clock.now() - open_visit.registered_at < timedelta(minutes=1)
    if ticket is not None and (recent or open_visit.room_code == room_code):
        return Registered(open_visit, ticket, was_open=True)
    raise AlreadyRegistered(
        f"{patient.full_name} đang có lượt khám {open_visit.code} ở phòng {open_visit.room_code}. "
        "Chuyển phòng hoặc kết thúc lượt đó trước.",
        visit_id=open_visit.visit_id,
    )


def _keep_guardian(patient: Patient, command: RegisterCommand, actor: Actor) -> None:
    """Remember who brought a patient: a person known already stays as kind it is."""
    known = next((g for g in patient.guardians if g.full_name == command.guardian_name), None)
    records.save_guardian(
        patient.patient_id, kind=known.kind if known else GuardianKind(command.guardian_kind),
        full_name=command.guardian_name, phone=command.guardian_phone,
        personal_number=known.personal_number if known else "", actor=actor,
    )  # fmt: skip


def _charge_exam(visit: Visit, room: Room, exam: Service, *, insured: bool, exam_count: int, actor: Actor) -> None:
    billing.post_charge(
        billing.ChargeData(
            visit_id=visit.visit_id, source_kind="visit_exam", source_id=visit.visit_id, kind=ItemKind.EXAM,
            item_code=exam.code, item_name=exam.name, cost_group=exam.cost_group, unit=exam.unit, quantity=Decimal(1),
            hospital_price=exam.hospital_price, insurance_price=exam.insurance_price if insured else Decimal(0),
            service_rate=billing.exam_rate(exam_count + 1), insurance_rate=exam.insurance_rate, ordered_at=clock.now(),
            department_code=room.department_code,
        ),
        actor=actor,
    )  # fmt: skip


def register_new(new: NewPatient, command: RegisterCommand, *, actor: Actor) -> Registered:
    """Make the record of a person who comes for the first time and open the visit, both or nothing.

    ``command.patient_id`` is not read. Raises what `records.create_patient` and `register_visit` raise.
    """
    today = clock.today()
    months = age_parts(new.data.birth_on, today)[1]
    if months < CHILD_MONTHS and not command.is_emergency and not command.guardian_name.strip():
        # All that is wrong with the person is said at once, the guardian included.
        findings = (
            *records.check_patient(
                full_name=new.data.full_name, birth_on=new.data.birth_on, today=today, sex=new.data.sex,
                is_child_without_guardian=True,
            ),
        )  # fmt: skip
        raise RuleBroken(findings)
    patient = records.create_patient(new.data, actor=actor)
    coverage = cards.adopt_check(command.check_id, patient.patient_id, actor=actor) if command.check_id else None
    if coverage is None and new.card is not None:
        coverage = records.save_coverage(patient.patient_id, new.card, new.card_source, actor=actor)
    if coverage is None and new.wants_temporary_card and months < CHILD_MONTHS:
        coverage = cards.give_temporary_card(patient.patient_id, actor=actor)
    check = queries.get_check(command.check_id) if command.check_id else None
    chosen = cards.choose_coverage([coverage] if coverage else [], check, today)
    return register_visit(
        replace(command, patient_id=patient.patient_id, coverage_id=chosen.coverage_id if chosen else None), actor=actor
    )


def undo_registration(visit_id: int, *, actor: Actor) -> Visit:
    """Take a registration back within ten minutes: visit cancelled, fee voided, number marked void."""
    visit = records_queries.visit_for_update(visit_id)
    if visit.state is VisitState.CANCELLED:
        raise InvalidState("Lượt khám này đã được hoàn tác.")
    if clock.now() - visit.registered_at > UNDO_WINDOW:
        raise InvalidState("Đã quá 10 phút, không hoàn tác được. Hủy lượt khám với lý do.")
    ticket = queries.ticket_of_visit(visit_id)
    records.cancel_visit(visit_id, "hoàn tác tại quầy", actor=actor)
    billing.void_charge("visit_exam", visit_id, "hoàn tác tại quầy", actor=actor)
    if ticket is not None:
        ticket.state = TicketState.VOID
        queue.queue_changed(ticket.room_code, ticket.day)
        audit.record(actor, Action.UNDO, subject_type="ticket", subject_id=ticket.ticket_id, visit_id=visit_id,
                     patient_id=visit.patient_id, details={"ticket": ticket.text})  # fmt: skip
    return visit


def change_room(ticket_id: int, room_code: str, *, actor: Actor) -> QueueTicket:
    """Send a waiting patient to another clinic: new number there with the same priority, fee of that clinic.

    Raises `InvalidState` once the examination has begun, `RoomClosed`.
    """
    today = clock.today()
    ticket = queue.locked_ticket(ticket_id)
    if ticket.state in (TicketState.DONE, TicketState.VOID):
        raise InvalidState("Số này đã xong hoặc đã hủy.")
    visit = records_queries.visit_for_update(ticket.visit_id)
    if visit.state is not VisitState.OPEN:
        raise InvalidState("Bác sĩ đã bắt đầu khám, không chuyển phòng được ở đây.")
    room = _clinic(room_code, today)
    if room.code == ticket.room_code:
        return ticket
    exam = catalogues.service(room.exam_service_code, today)
    billing.void_charge("visit_exam", visit.visit_id, f"chuyển sang phòng {room.code}", actor=actor)
    exam_count = billing_queries.exam_count(visit.patient_id, today)
    _charge_exam(visit, room, exam, insured=visit.subject_code != "9", exam_count=exam_count, actor=actor)
    ticket.state = TicketState.VOID
    queue.queue_changed(ticket.room_code, ticket.day)
    records.change_visit(
        visit.visit_id, {"room_code": room.code, "department_code": room.department_code}, None, actor=actor
    )
    fresh = queue.take_number(room.code, visit.visit_id, priority=ticket.priority, reason=ticket.priority_reason, actor=actor)
    audit.record(
        actor, Action.TICKET_MOVE, subject_type="ticket", subject_id=fresh.ticket_id, visit_id=visit.visit_id,
        patient_id=visit.patient_id, details={"ticket": fresh.text, "from": ticket.text},
    )  # fmt: skip
    return fresh


def issue_slip(visit_id: int, form_code: str = printing.EXAM_SLIP, *, actor: Actor) -> Paper:
    """Return the visit slip (or the queue ticket) as a stored paper; a reprint gives the same bytes."""
    ticket = queries.ticket_of_visit(visit_id)
    visit = records_queries.get_visit(visit_id)
    if ticket is None or visit.state is VisitState.CANCELLED:
        raise InvalidState("Lượt khám này đã hủy, không in phiếu.")
    paper = documents.paper_for(form_code, "ticket", ticket.ticket_id)
    if paper is not None:
        return paper
    room = catalogues.rooms_by_code([ticket.room_code], visit.service_on).get(ticket.room_code)
    patient = records_queries.get_patient(visit.patient_id)
    allergies = "; ".join(a.substance for a in patient.allergies if a.voided_at is None)
    context = (
        printing.exam_slip(visit, ticket, room, allergies=allergies)
        if form_code == printing.EXAM_SLIP
        else printing.queue_ticket(visit, ticket, room)
    )
    return documents.issue_paper(
        form_code, context, subject_type="ticket", subject_id=ticket.ticket_id, patient_id=visit.patient_id,
        visit_id=visit_id, actor=actor, masked_name=records.masked_name(patient.full_name),
    )  # fmt: skip
