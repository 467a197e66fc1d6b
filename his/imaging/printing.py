"""Result sheets of imaging and functional tests (08, 11, 12/BV2 …, TT 32/2023/TT-BYT Phụ lục XXIX): request and result on one sheet."""

from __future__ import annotations

from dataclasses import dataclass

from his.core import papers
from his.core.module import FormSpec
from his.imaging.models import ImagingReport
from his.orders.models import OrderLine
from his.records.models import Visit
from his.records.printing import PatientLines, patient_lines, sample_patient

IMAGING_RESULT = "imaging_result"

# Words in the service's name -> form code, title, heading of the request, heading of the result.
FAMILIES: tuple[tuple[tuple[str, ...], tuple[str, str, str, str]], ...] = (
    (("siêu âm",), ("11/BV2", "PHIẾU SIÊU ÂM", "YÊU CẦU KIỂM TRA", "KẾT QUẢ SIÊU ÂM")),
    (("cắt lớp", "ct scanner", "ct-scanner"), ("09/BV2", "PHIẾU CHỤP CẮT LỚP VI TÍNH", "YÊU CẦU CHỤP", "KẾT QUẢ CHỤP")),
    (("cộng hưởng từ",), ("10/BV2", "PHIẾU CHỤP CỘNG HƯỞNG TỪ", "YÊU CẦU CHỤP", "KẾT QUẢ CHỤP")),
    (("x-quang", "x quang", "xquang"), ("08/BV2", "PHIẾU CHIẾU/CHỤP X-QUANG", "YÊU CẦU CHIẾU/CHỤP", "KẾT QUẢ CHIẾU/CHỤP")),
    (("điện tim", "điện tâm đồ"), ("12/BV2", "PHIẾU ĐIỆN TIM", "YÊU CẦU KIỂM TRA", "KẾT QUẢ ĐIỆN TIM")),
    (("điện não",), ("13/BV2", "PHIẾU ĐIỆN NÃO", "YÊU CẦU KIỂM TRA", "KẾT QUẢ ĐIỆN NÃO")),
    (("nội soi",), ("14/BV2", "PHIẾU NỘI SOI", "YÊU CẦU NỘI SOI", "KẾT QUẢ NỘI SOI")),
    (("hô hấp",), ("15/BV2", "PHIẾU ĐO CHỨC NĂNG HÔ HẤP", "YÊU CẦU KIỂM TRA", "KẾT QUẢ")),
)
GENERAL = ("", "PHIẾU KẾT QUẢ CẬN LÂM SÀNG", "YÊU CẦU KIỂM TRA", "KẾT QUẢ")


@dataclass(frozen=True, slots=True)
class ImagingSheet:
    """One released report. ``advice`` prints under X-ray only (LỜI DẶN CỦA BÁC SĨ CHUYÊN KHOA)."""

    patient: PatientLines
    form_code: str
    title: str
    request_heading: str
    result_heading: str
    department: str
    room: str
    order_code: str
    is_urgent: bool
    diagnosis: str
    service: str
    ordered_line: str
    orderer: str
    taken_at: str
    machine: str
    description: str
    conclusion: str
    correction: int
    correction_reason: str
    released_at: str
    released_line: str
    releaser: str


def family_of(service_name: str) -> tuple[str, str, str, str]:
    """Return form code, title and the two headings for a service, by the words of its name."""
    name = service_name.lower()
    return next((found for words, found in FAMILIES if any(word in name for word in words)), GENERAL)


def imaging_sheet(
    visit: Visit, line: OrderLine, report: ImagingReport, *, diagnosis: str = "", department: str = "", correction: int = 0
) -> ImagingSheet:
    """Return the sheet of a released report; the line comes with its order loaded."""
    code, title, request_heading, result_heading = family_of(line.service_name)
    order = line.order
    return ImagingSheet(
        patient=patient_lines(visit), form_code=code, title=title, request_heading=request_heading,
        result_heading=result_heading, department=department, room=visit.room_code, order_code=order.code,
        is_urgent=order.is_urgent, diagnosis=diagnosis or order.indication, service=line.service_name,
        ordered_line=papers.moment_line(order.ordered_at), orderer=order.ordered_by_name,
        taken_at=papers.stamp(report.taken_at or line.started_at), machine=report.machine_code or line.machine_code,
        description=report.description, conclusion=report.conclusion, correction=correction,
        correction_reason=report.change_reason, released_at=papers.stamp(report.released_at),
        released_line=papers.moment_line(report.released_at), releaser=report.released_by_name,
    )  # fmt: skip


def sample() -> ImagingSheet:
    """Return an invented chest X-ray."""
    code, title, request_heading, result_heading = family_of("Chụp X-quang ngực thẳng")
    return ImagingSheet(
        patient=sample_patient(), form_code=code, title=title, request_heading=request_heading, result_heading=result_heading,
        department="Khoa Chẩn đoán hình ảnh", room="214", order_code="CD261123-0017", is_urgent=False,
        diagnosis="J18.9 Viêm phổi, không xác định tác nhân", service="Chụp X-quang ngực thẳng [số hóa 1 phim]",
        ordered_line="08 giờ 55 phút, ngày 23 tháng 11 năm 2026", orderer="BS. Trần Minh Khôi", taken_at="09:20 23/11/2026",
        machine="XQ.1.79999.DR600",
        description="Bóng tim không to.\nMờ không đồng nhất thùy dưới phổi phải.\nGóc sườn hoành hai bên nhọn. Khung xương bình thường.",
        conclusion="Hình ảnh viêm phổi thùy dưới phải.", correction=0, correction_reason="", released_at="09:35 23/11/2026",
        released_line="09 giờ 35 phút, ngày 23 tháng 11 năm 2026", releaser="BS. Đặng Hữu Ước",
    )  # fmt: skip


FORMS = (
    FormSpec(IMAGING_RESULT, "PHIẾU KẾT QUẢ CHẨN ĐOÁN HÌNH ẢNH", "A4", "imaging/print/imaging_result.html", "2024-1", sample,
             "TT 32/2023/TT-BYT Phụ lục XXIX, 08-15/BV2", "imaging:report:read"),
)  # fmt: skip
