"""The laboratory result sheet (PHIẾU XÉT NGHIỆM, 16/BV2 family, TT 32/2023/TT-BYT Phụ lục XXIX)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from his.core import papers
from his.core.module import FormSpec
from his.laboratory.enums import Flag
from his.laboratory.models import LabResult
from his.orders.models import OrderLine
from his.records.models import Visit
from his.records.printing import PatientLines, patient_lines, sample_patient

LAB_RESULT = "lab_result"
MARKS = {
    Flag.NORMAL: "", Flag.LOW: "L", Flag.HIGH: "H", Flag.CRITICAL_LOW: "LL", Flag.CRITICAL_HIGH: "HH", Flag.ABNORMAL: "*",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ValueLine:
    """One measured value; ``mark`` is L, H, LL, HH, * or ""."""

    name: str
    value: str
    unit: str
    range: str
    mark: str


@dataclass(frozen=True, slots=True)
class ResultBlock:
    """One service with its values."""

    service: str
    machine: str
    values: tuple[ValueLine, ...]
    conclusion: str


@dataclass(frozen=True, slots=True)
class LabSheet:
    """One or more released results of a visit."""

    patient: PatientLines
    department: str
    diagnosis: str
    order_code: str
    is_urgent: bool
    ordered_at: str
    specimen: str
    specimen_at: str
    blocks: tuple[ResultBlock, ...]
    correction: int  # 0 = first version: «Kết quả hiệu chỉnh lần n»
    correction_reason: str
    orderer: str
    performer: str
    releaser: str
    released_at: str
    released_line: str


def lab_sheet(
    visit: Visit,
    results: Sequence[tuple[OrderLine, LabResult]],
    *,
    diagnosis: str = "",
    department: str = "",
    specimen: str = "",
    correction: int = 0,
) -> LabSheet:
    """Return the sheet of released results; each line comes with its order loaded.

    ``correction`` is how many times the result was corrected (orders standard rule 7). Raises ValueError for nothing.
    """
    if not results:
        raise ValueError("no result to print")
    line, result = results[-1]
    order = line.order
    return LabSheet(
        patient=patient_lines(visit), department=department, diagnosis=diagnosis or order.indication, order_code=order.code,
        is_urgent=order.is_urgent, ordered_at=papers.stamp(order.ordered_at), specimen=specimen,
        specimen_at=papers.stamp(result.specimen_at or line.started_at),
        blocks=tuple(
            ResultBlock(
                a_line.service_name, a_result.machine_code,
                tuple(
                    ValueLine(v.index_name, v.value.replace(".", ","), v.unit, v.range_text, MARKS[v.flag])
                    for v in a_result.values
                ),
                a_result.conclusion,
            )
            for a_line, a_result in results
        ),
        correction=correction, correction_reason=result.change_reason, orderer=order.ordered_by_name,
        performer=result.entered_by_name, releaser=result.released_by_name, released_at=papers.stamp(result.released_at),
        released_line=papers.moment_line(result.released_at),
    )  # fmt: skip


def sample() -> LabSheet:
    """Return an invented blood count."""
    rows = (
        ("Số lượng bạch cầu (WBC)", "14,2", "G/L", "5,0 – 14,5", ""), ("Số lượng hồng cầu (RBC)", "4,31", "T/L", "3,9 – 5,3", ""),
        ("Huyết sắc tố (HGB)", "104", "g/L", "110 – 140", "L"), ("Hematocrit (HCT)", "0,33", "L/L", "0,34 – 0,42", "L"),
        ("Thể tích trung bình hồng cầu (MCV)", "76", "fL", "75 – 87", ""), ("Số lượng tiểu cầu (PLT)", "512", "G/L", "150 – 450", "H"),
        ("Bạch cầu trung tính (NEU)", "9,8", "G/L", "1,5 – 8,0", "H"), ("Bạch cầu lympho (LYM)", "3,1", "G/L", "1,5 – 7,0", ""),
        ("CRP", "38,4", "mg/L", "< 5", "HH"),
    )  # fmt: skip
    return LabSheet(
        patient=sample_patient(), department="Khoa Xét nghiệm", diagnosis="J18.9 Viêm phổi, không xác định tác nhân",
        order_code="CD261123-0017", is_urgent=False, ordered_at="08:55 23/11/2026", specimen="Máu toàn phần EDTA",
        specimen_at="09:10 23/11/2026",
        blocks=(
            ResultBlock("Tổng phân tích tế bào máu ngoại vi (bằng máy đếm laser)", "HH.1.79999.XN2000", tuple(ValueLine(*r) for r in rows), "Tăng bạch cầu trung tính, thiếu máu nhẹ."),
        ),
        correction=0, correction_reason="", orderer="BS. Trần Minh Khôi", performer="KTV. Phan Ngọc Ửng",
        releaser="BS. Lê Thị Thúy Ỷ", released_at="09:48 23/11/2026", released_line="09 giờ 48 phút, ngày 23 tháng 11 năm 2026",
    )  # fmt: skip


FORMS = (
    FormSpec(LAB_RESULT, "PHIẾU XÉT NGHIỆM", "A5", "laboratory/print/lab_result.html", "2024-1", sample,
             "TT 32/2023/TT-BYT Phụ lục XXIX, 16/BV2", "laboratory:result:read"),
)  # fmt: skip
