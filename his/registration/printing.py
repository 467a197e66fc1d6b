"""What the desk prints: the visit slip (PHIẾU KHÁM BỆNH) and the queue ticket."""

from __future__ import annotations

from dataclasses import dataclass

from his.catalogues.models import Room
from his.core import papers
from his.core.module import FormSpec
from his.records.models import Visit
from his.records.printing import PatientLines, patient_lines, sample_patient
from his.registration.models import QueueTicket

EXAM_SLIP = "exam_slip"
QUEUE_TICKET = "queue_ticket"


@dataclass(frozen=True, slots=True)
class ExamSlip:
    """The visit slip; vital signs and findings are written by hand or left to the electronic record."""

    patient: PatientLines
    ticket: str  # 214-043
    room: str
    place: str
    arrived: str
    expected: str
    reason: str
    incoming: str  # number of the referral or follow-up slip brought along
    allergies: str
    is_emergency: bool
    day: str


def exam_slip(visit: Visit, ticket: QueueTicket | None, room: Room | None, *, allergies: str = "") -> ExamSlip:
    """Return the slip of a visit. ``allergies`` is what is known, in words; "" prints a dash."""
    return ExamSlip(
        patient=patient_lines(visit), ticket=ticket.text if ticket else "",
        room=f"{room.code} – {room.name}" if room else visit.room_code, place=room.place if room else "",
        arrived=papers.stamp(visit.arrived_at), expected=papers.stamp(ticket.expected_at)[:5] if ticket else "",
        reason=visit.reason, incoming=visit.incoming_paper_number, allergies=allergies, is_emergency=visit.is_emergency,
        day=papers.day_line(visit.service_on),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ticket:
    """The queue ticket, 80 mm wide. The name is shortened: tickets are left lying about."""

    number: str
    room: str
    place: str
    name: str
    birth_year: str
    arrived: str
    expected: str
    is_priority: bool
    priority_reason: str
    visit_code: str


def queue_ticket(visit: Visit, ticket: QueueTicket, room: Room | None) -> Ticket:
    """Return the queue ticket of a visit."""
    return Ticket(
        number=ticket.text, room=room.name if room else ticket.room_code, place=room.place if room else "",
        name=visit.patient.full_name.upper(), birth_year=f"{visit.patient.birth_on.year:04d}",
        arrived=papers.stamp(ticket.created_at), expected=papers.stamp(ticket.expected_at)[:5],
        is_priority=ticket.priority > 0, priority_reason=ticket.priority_reason, visit_code=visit.code,
    )  # fmt: skip


def sample_slip() -> ExamSlip:
    """Return an invented slip."""
    return ExamSlip(
        patient=sample_patient(), ticket="214-043", room="214 – Hô hấp 2", place="tầng 2, phòng 214",
        arrived="08:05 23/11/2026", expected="08:42", reason="Sốt cao ngày thứ hai, ho, khò khè", incoming="",
        allergies="Amoxicilin: nổi mẩn (06/2024)", is_emergency=False, day="Ngày 23 tháng 11 năm 2026",
    )  # fmt: skip


def sample_ticket() -> Ticket:
    """Return an invented ticket."""
    return Ticket("214-043", "Hô hấp 2", "tầng 2, phòng 214", "NGUYỄN ĐỖ ƯU ẮNG", "2023", "08:05 23/11/2026", "08:42", True,
                  "Dưới 24 tháng", "79999-261123-0042")  # fmt: skip


FORMS = (
    FormSpec(EXAM_SLIP, "PHIẾU KHÁM BỆNH", "A5", "registration/print/exam_slip.html", "2026-1", sample_slip,
             "mẫu của cơ sở; TT 32/2023/TT-BYT Đ52"),
    FormSpec(QUEUE_TICKET, "SỐ THỨ TỰ", "ticket", "registration/print/queue_ticket.html", "2026-1", sample_ticket,
             "mẫu của cơ sở"),
)  # fmt: skip
