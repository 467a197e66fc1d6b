"""The order slip (PHIẾU CHỈ ĐỊNH CẬN LÂM SÀNG, TT 32/2023/TT-BYT Phụ lục XXIX): one page per performing room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from his.catalogues.models import Room
from his.core import papers
from his.core.module import FormSpec
from his.orders.enums import OrderState
from his.orders.models import OrderLine
from his.records.models import Visit
from his.records.printing import PatientLines, patient_lines, sample_patient

ORDER_SHEET = "order_sheet"


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One ordered service."""

    name: str
    code: str
    quantity: str
    payer: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class RoomGroup:
    """The services one room does: a page of its own, so that each room gets its slip."""

    room: str
    place: str
    lines: tuple[SheetLine, ...]


@dataclass(frozen=True, slots=True)
class OrderSheet:
    """What was ordered at one moment."""

    patient: PatientLines
    code: str
    department: str
    room: str
    diagnosis: str
    is_urgent: bool
    groups: tuple[RoomGroup, ...]
    at: str
    day: str
    doctor: str


def order_sheet(
    visit: Visit, lines: Sequence[OrderLine], rooms: Mapping[str, Room], *, diagnosis: str = "", department: str = ""
) -> OrderSheet:
    """Return the slip of ordered services (cancelled ones are left out); all lines belong to one order.

    ``diagnosis`` justifies the order; without it the words of the order are printed. Raises ValueError for no lines.
    """
    kept = [line for line in lines if line.state is not OrderState.CANCELLED]
    if not kept:
        raise ValueError("no ordered service to print")
    order = kept[0].order
    payer = "BHYT" if visit.coverage is not None and visit.subject_code != "9" else "Thu phí"
    groups: dict[str, list[SheetLine]] = {}
    for line in kept:
        groups.setdefault(line.room_code, []).append(SheetLine(line.service_name, line.service_code, "01", payer))
    return OrderSheet(
        patient=patient_lines(visit), code=order.code, department=department, room=visit.room_code,
        diagnosis=diagnosis or order.indication, is_urgent=order.is_urgent,
        groups=tuple(
            RoomGroup(rooms[code].name if code in rooms else code, rooms[code].place if code in rooms else "", tuple(rows))
            for code, rows in sorted(groups.items())
        ),
        at=papers.moment_line(order.ordered_at), day=papers.stamp(order.ordered_at), doctor=order.ordered_by_name,
    )  # fmt: skip


def sample() -> OrderSheet:
    """Return an invented slip with two rooms."""
    return OrderSheet(
        patient=sample_patient(), code="CD261123-0017", department="Khoa Khám bệnh", room="214",
        diagnosis="J18.9 Viêm phổi, không xác định tác nhân", is_urgent=False,
        groups=(
            RoomGroup("Xét nghiệm huyết học", "tầng 1, phòng 105", (
                SheetLine("Tổng phân tích tế bào máu ngoại vi (bằng máy đếm laser)", "22.0121.1369", "01", "BHYT"),
                SheetLine("Định lượng CRP hs (C-Reactive Protein high sensitivity)", "23.0050.1484", "01", "BHYT"),
            )),
            RoomGroup("X-quang", "tầng 1, phòng 112", (
                SheetLine("Chụp X-quang ngực thẳng [số hóa 1 phim]", "18.0119.0028", "01", "BHYT"),
            )),
        ),
        at="08 giờ 55 phút, ngày 23 tháng 11 năm 2026", day="08:55 23/11/2026", doctor="BS. Trần Minh Khôi",
    )  # fmt: skip


FORMS = (
    FormSpec(ORDER_SHEET, "PHIẾU CHỈ ĐỊNH CẬN LÂM SÀNG", "A5 landscape", "orders/print/order_sheet.html", "2024-1", sample,
             "TT 32/2023/TT-BYT Phụ lục XXIX", "orders:order:read"),
)  # fmt: skip
