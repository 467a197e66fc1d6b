"""What the cashier prints: the receipt (PHIẾU THU) and the bill (Mẫu số 01/KBCB, QĐ 697/QĐ-BYT 2026)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from his.billing.enums import PaymentMethod
from his.billing.models import Payment, Settlement, SettlementLine
from his.billing.queries import SECTIONS
from his.catalogues.models import Facility
from his.core import papers
from his.core.i18n import date_text, decimal_text
from his.core.module import FormSpec
from his.core.money import in_words, whole
from his.records.models import Visit
from his.records.printing import PatientLines, patient_lines, sample_patient

RECEIPT = "receipt"
BILL_01 = "bill_01"
METHOD_WORDS = {
    PaymentMethod.CASH: "Tiền mặt", PaymentMethod.TRANSFER: "Chuyển khoản", PaymentMethod.CARD: "Thẻ ngân hàng",
}  # fmt: skip
# MA_LOAI_KCB -> box and words of the title (forms standard bill-01 rule 1).
VISIT_KINDS = {"05": "02", "08": "02", "09": "03", "02": "02", "03": "03", "04": "04"}
KIND_WORDS = {"01": "KHÁM BỆNH", "02": "ĐIỀU TRỊ NGOẠI TRÚ", "03": "ĐIỀU TRỊ NỘI TRÚ", "04": "ĐIỀU TRỊ BAN NGÀY"}
SEX_CODE = {"M": "1", "F": "2", "U": "3"}


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One group of the bill and what the family pays of it."""

    name: str
    total: str
    fund: str
    own: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money taken for a visit. Amounts are whole đồng as texts."""

    patient: PatientLines
    number: str
    bill_number: str
    payer: str
    content: str
    lines: tuple[ReceiptLine, ...]
    total: str
    fund: str
    amount: str
    amount_words: str
    is_refund: bool
    method: str
    tendered: str
    change: str
    at: str
    day: str
    cashier: str


def _own(line: SettlementLine) -> Decimal:
    return line.copay_amount + line.outside_amount


def _sections(lines: Sequence[SettlementLine]) -> list[tuple[int, str, list[SettlementLine]]]:
    """Group the lines by section of Mẫu 01/KBCB; empty sections are left out, numbers stay (QĐ 697)."""
    found: dict[tuple[int, str], list[SettlementLine]] = {}
    for line in lines:
        found.setdefault(SECTIONS.get(line.charge.cost_group, (12, "Dịch vụ khác")), []).append(line)
    return [(number, name, rows) for (number, name), rows in sorted(found.items())]


def receipt(visit: Visit, settlement: Settlement, payment: Payment) -> Receipt:
    """Return the receipt of a payment; the settlement comes with lines and charges loaded. A negative payment gives back."""
    amount = whole(payment.amount)
    tendered = payment.tendered_amount
    return Receipt(
        patient=patient_lines(visit), number=payment.receipt_number, bill_number=settlement.number,
        payer=visit.guardian_name or visit.patient.full_name,
        content=f"{'Hoàn' if amount < 0 else 'Thu'} tiền khám bệnh, chữa bệnh, lượt khám {visit.code}",
        lines=tuple(
            ReceiptLine(
                f"{number}. {name}", papers.money(sum((r.total_amount for r in rows), Decimal(0))),
                papers.money(sum((r.fund_amount for r in rows), Decimal(0))),
                papers.money(sum((_own(r) for r in rows), Decimal(0))),
            )
            for number, name, rows in _sections(settlement.lines)
        ),
        total=papers.money(settlement.total_amount), fund=papers.money(settlement.fund_amount),
        amount=papers.money(abs(amount)), amount_words=in_words(abs(amount)), is_refund=amount < 0,
        method=METHOD_WORDS[payment.method], tendered=papers.money(tendered) if tendered is not None else "",
        change=papers.money(tendered - amount) if tendered is not None and tendered > amount else "",
        at=papers.stamp(payment.at), day=papers.moment_line(payment.at), cashier=payment.by_name,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of the bill: texts in the columns of Mẫu 01/KBCB."""

    name: str
    unit: str
    quantity: str
    hospital_price: str
    insurance_price: str
    service_rate: str
    total: str
    insurance_rate: str
    insured: str
    fund: str
    copay: str
    other: str
    own: str


@dataclass(frozen=True, slots=True)
class BillSection:
    """One numbered group with its sums (same columns as a line)."""

    heading: str
    lines: tuple[BillLine, ...]
    sums: BillLine


@dataclass(frozen=True, slots=True)
class Bill01:
    """The bill of a settled visit. Amounts are whole đồng; the totals are rounded once from the exact sums."""

    patient: PatientLines
    kind_code: str
    kind_words: str
    department: str
    department_code: str
    bill_number: str
    sex_code: str
    registered_facility: str
    arrived: str
    treated_from: str
    ended: str
    days: str
    discharge_code: str
    is_emergency: bool
    is_proper_level: bool
    incoming_from: str
    sent_to: str
    is_direct: bool  # thông cấp
    subject_code: str
    main_diagnosis: str
    main_code: str
    other_diagnoses: str
    other_codes: str
    five_years_on: str
    exempt_from: str
    sections: tuple[BillSection, ...]
    sums: BillLine
    total: str
    total_words: str
    fund: str
    copay: str
    own: str
    paid_by_patient: str
    other: str
    at: str
    maker: str


def _bill_line(name: str, rows: Sequence[SettlementLine], *, single: SettlementLine | None = None) -> BillLine:
    def total(attribute: str) -> str:
        return papers.money(sum((getattr(row, attribute) for row in rows), Decimal(0)))

    return BillLine(
        name=name, unit=single.charge.unit if single else "", quantity=decimal_text(single.charge.quantity) if single else "",
        hospital_price=papers.money(single.hospital_price) if single else "",
        insurance_price=papers.money(single.insurance_price) if single else "",
        service_rate=str(single.charge.service_rate) if single else "", total=total("total_amount"),
        insurance_rate=str(single.insurance_rate) if single else "", insured=total("insured_amount"), fund=total("fund_amount"),
        copay=total("copay_amount"), other=total("other_amount"), own=total("outside_amount"),
    )  # fmt: skip


def bill_01(
    visit: Visit,
    settlement: Settlement,
    *,
    facilities: dict[str, Facility] | None = None,
    department: str = "",
    diagnoses: Sequence[tuple[str, str]] = (),
) -> Bill01:
    """Return the bill of a settled visit; the settlement comes with lines and charges loaded.

    ``facilities`` names the facilities by code; ``diagnoses`` are (code, name), main first; without them the main one
    of the visit is used.
    """
    known = facilities or {}

    def facility(code: str) -> str:
        return known[code].name if code in known else code

    found = list(diagnoses) or ([(visit.main_icd, visit.main_icd_name)] if visit.main_icd else [])
    coverage = visit.coverage if visit.subject_code != "9" else None
    kind = VISIT_KINDS.get(visit.visit_type_code, "01")
    return Bill01(
        patient=patient_lines(visit), kind_code=kind, kind_words=KIND_WORDS[kind], department=department,
        department_code=visit.department_code, bill_number=settlement.number, sex_code=SEX_CODE[visit.patient.sex.value],
        registered_facility=facility(coverage.registered_facility_code) if coverage else "",
        arrived=papers.moment_line(visit.arrived_at),
        treated_from=papers.moment_line(visit.seen_at) if kind != "01" else "", ended=papers.moment_line(visit.ended_at),
        days="1" if kind == "01" else "", discharge_code=visit.discharge_code, is_emergency=visit.is_emergency,
        is_proper_level=settlement.subject_code.startswith("1") and settlement.subject_code != "9",
        incoming_from=facility(visit.incoming_facility_code), sent_to=facility(visit.destination_facility_code),
        is_direct=settlement.subject_code.startswith("3"), subject_code=settlement.subject_code,
        main_diagnosis=found[0][1] if found else "", main_code=found[0][0] if found else "",
        other_diagnoses="; ".join(name for _code, name in found[1:]), other_codes="; ".join(code for code, _name in found[1:]),
        five_years_on=date_text(coverage.five_years_on) if coverage else "",
        exempt_from=date_text(coverage.valid_from) if coverage and coverage.is_copay_exempt else "",
        sections=tuple(
            BillSection(
                f"{number}. {name}", tuple(_bill_line(row.charge.item_name, [row], single=row) for row in rows),
                _bill_line("Cộng", rows),
            )
            for number, name, rows in _sections(settlement.lines)
        ),
        sums=_bill_line("Tổng cộng", settlement.lines), total=papers.money(settlement.total_amount),
        total_words=in_words(settlement.total_amount), fund=papers.money(settlement.fund_amount),
        copay=papers.money(settlement.copay_amount), own=papers.money(settlement.outside_amount),
        paid_by_patient=papers.money(settlement.copay_amount + settlement.outside_amount),
        other=papers.money(settlement.other_amount), at=papers.moment_line(settlement.at), maker=settlement.by_name,
    )  # fmt: skip


def sample_receipt() -> Receipt:
    """Return an invented receipt."""
    return Receipt(
        patient=sample_patient(), number="PT26-0001234", bill_number="TT261123-0042", payer="Đỗ Thị Ưng",
        content="Thu tiền khám bệnh, chữa bệnh, lượt khám 79999-261123-0042",
        lines=(ReceiptLine("1. Khám bệnh", "50.600", "40.480", "10.120"), ReceiptLine("3. Xét nghiệm", "102.500", "82.000", "20.500"),
               ReceiptLine("8. Thuốc, dịch truyền", "259.200", "207.360", "51.840")),
        total="412.300", fund="329.840", amount="82.460", amount_words="Tám mươi hai nghìn bốn trăm sáu mươi đồng",
        is_refund=False, method="Tiền mặt", tendered="100.000", change="17.540", at="10:40 23/11/2026",
        day="10 giờ 40 phút, ngày 23 tháng 11 năm 2026", cashier="Hồ Thị Ngọc Ẩn",
    )  # fmt: skip


def sample_bill() -> Bill01:
    """Return an invented bill of an insured visit."""
    def line(name: str, unit: str, quantity: str, price: str, total: str, fund: str, copay: str) -> BillLine:
        return BillLine(name, unit, quantity, price, price, "100", total, "100", total, fund, copay, "0", "0")

    def sums(name: str, total: str, fund: str, copay: str) -> BillLine:
        return BillLine(name, "", "", "", "", "", total, "", total, fund, copay, "0", "0")

    return Bill01(
        patient=sample_patient(), kind_code="01", kind_words=KIND_WORDS["01"], department="Khoa Khám bệnh", department_code="K01",
        bill_number="TT261123-0042", sex_code="2", registered_facility="Bệnh viện Nhi Bình Minh",
        arrived="08 giờ 05 phút, ngày 23 tháng 11 năm 2026", treated_from="", ended="10 giờ 30 phút, ngày 23 tháng 11 năm 2026",
        days="1", discharge_code="1", is_emergency=False, is_proper_level=True, incoming_from="", sent_to="", is_direct=False,
        subject_code="1.1", main_diagnosis="Viêm phổi, không xác định tác nhân", main_code="J18.9",
        other_diagnoses="Thiếu máu thiếu sắt, không xác định", other_codes="D50.9", five_years_on="01/01/2028", exempt_from="",
        sections=(
            BillSection("1. Khám bệnh", (line("Khám Nhi", "Lần", "1", "50.600", "50.600", "40.480", "10.120"),), sums("Cộng", "50.600", "40.480", "10.120")),
            BillSection("3. Xét nghiệm", (
                line("Tổng phân tích tế bào máu ngoại vi (bằng máy đếm laser)", "Lần", "1", "49.700", "49.700", "39.760", "9.940"),
                line("Định lượng CRP hs (C-Reactive Protein high sensitivity)", "Lần", "1", "52.800", "52.800", "42.240", "10.560"),
            ), sums("Cộng", "102.500", "82.000", "20.500")),
            BillSection("8. Thuốc, dịch truyền", (line("Augmentin 250 mg + 31,25 mg", "Gói", "14", "11.600", "162.400", "129.920", "32.480"),), sums("Cộng", "162.400", "129.920", "32.480")),
        ),
        sums=sums("Tổng cộng", "315.500", "252.400", "63.100"), total="315.500",
        total_words="Ba trăm mười lăm nghìn năm trăm đồng", fund="252.400", copay="63.100", own="0", paid_by_patient="63.100",
        other="0", at="10 giờ 40 phút, ngày 23 tháng 11 năm 2026", maker="Hồ Thị Ngọc Ẩn",
    )  # fmt: skip


FORMS = (
    FormSpec(RECEIPT, "PHIẾU THU", "A5", "billing/print/receipt.html", "2026-1", sample_receipt, "mẫu của cơ sở", "billing:bill:read"),
    FormSpec(BILL_01, "BẢNG KÊ CHI PHÍ KHÁM BỆNH, CHỮA BỆNH", "A4 landscape", "billing/print/bill_01.html", "2026-1", sample_bill,
             "QĐ 697/QĐ-BYT 2026, Mẫu số 01/KBCB", "billing:bill:read"),
)  # fmt: skip
