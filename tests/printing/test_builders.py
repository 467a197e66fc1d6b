"""Papers built from real rows of a visit: the values on paper are the values in the house."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from his.billing import printing as billing_printing
from his.billing import queries as billing
from his.catalogues import queries as catalogues
from his.core import clock, papers
from his.core.i18n import select_locale
from his.core.money import in_words
from his.examination import printing as exam_printing
from his.examination import queries as exam
from his.imaging import printing as imaging_printing
from his.imaging import queries as imaging
from his.laboratory import printing as lab_printing
from his.laboratory import queries as laboratory
from his.orders import printing as orders_printing
from his.orders import queries as orders
from his.orders.enums import OrderKind, OrderState
from his.prescriptions import printing as rx_printing
from his.prescriptions import queries as prescriptions
from his.prescriptions.enums import PrescriptionKind
from his.records import queries as records
from his.records.printing import patient_lines
from his.registration import printing as desk_printing
from his.registration import queries as registration
from tests.factories import insurance as make


@pytest.fixture
def walked(db_session: Session) -> make.Journey:
    """An insured adult with tests, drugs, payment."""
    return make.journey(make.ready(), "adult")


@pytest.fixture
def paid(db_session: Session) -> make.Journey:
    """The same with a dear test: the family pays its part."""
    return make.journey(make.ready(), "adult", ct=True)


def visit_of(walked: make.Journey):
    return records.get_visit(walked.visit_id)


def test_the_patient_stands_on_every_paper_alike(walked: make.Journey) -> None:
    lines = patient_lines(visit_of(walked))
    assert lines.full_name == lines.full_name.upper()
    assert (lines.sex, lines.sex_mark, lines.birth, lines.age) == ("Nam", "M", "05/03/1980", f"{clock.today().year - 1980} tuổi")
    assert lines.is_insured
    assert lines.card_number.startswith("GD4")
    assert lines.weight == "58,5 kg"
    assert not lines.is_under_72_months


def test_a_child_has_months_and_who_brought_it(db_session: Session) -> None:
    walked = make.journey(make.ready(), "child", drugs=1)
    lines = patient_lines(visit_of(walked))
    assert lines.age.endswith("tháng")
    assert lines.is_under_72_months
    assert lines.guardian == "Lê Thị Minh Châu"


def test_without_insurance_no_card_is_printed(db_session: Session) -> None:
    walked = make.journey(make.ready(), "uninsured", drugs=0)
    lines = patient_lines(visit_of(walked))
    assert not lines.is_insured
    assert (lines.card_number, lines.card_until, lines.benefit_rate) == ("", "", "")


def test_papers_are_vietnamese_whatever_the_screen_speaks(walked: make.Journey, app) -> None:
    with app.test_request_context(headers={"Cookie": "his_language=en"}):
        assert select_locale() == "en"
        assert patient_lines(visit_of(walked)).age.endswith("tuổi")


def test_the_slip_has_the_number_and_the_room(walked: make.Journey) -> None:
    ticket = registration.ticket_of_visit(walked.visit_id)
    room = catalogues.room("101", clock.today())
    slip = desk_printing.exam_slip(visit_of(walked), ticket, room)
    assert slip.ticket == ticket.text
    assert slip.room == f"101 – {room.name}"
    assert desk_printing.queue_ticket(visit_of(walked), ticket, room).number == ticket.text


def test_the_order_slip_has_one_page_per_room_and_no_cancelled_service(walked: make.Journey) -> None:
    visit, lines = visit_of(walked), list(orders.lines_of(walked.visit_id))
    rooms = catalogues.rooms_by_code([line.room_code for line in lines], clock.today())
    sheet = orders_printing.order_sheet(visit, lines, rooms)
    assert len(sheet.groups) == len({line.room_code for line in lines})
    assert sorted(row.code for group in sheet.groups for row in group.lines) == sorted(line.service_code for line in lines)
    assert {row.payer for group in sheet.groups for row in group.lines} == {"BHYT"}
    assert sheet.diagnosis == "Theo dõi viêm phổi"
    lines[0].state = OrderState.CANCELLED
    try:
        left = orders_printing.order_sheet(visit, lines, rooms)
        assert lines[0].service_code not in [row.code for group in left.groups for row in group.lines]
        with pytest.raises(ValueError, match="no ordered service"):
            orders_printing.order_sheet(visit, lines[:1], rooms)
    finally:
        lines[0].state = OrderState.RESULTED


def test_the_laboratory_sheet_shows_values_marks_and_signers(walked: make.Journey) -> None:
    line = next(row for row in orders.lines_of(walked.visit_id) if row.kind is OrderKind.LABORATORY)
    result = laboratory.result_of_line(line.line_id)
    sheet = lab_printing.lab_sheet(visit_of(walked), [(line, result)], correction=1)
    values = {value.name: value for value in sheet.blocks[0].values}
    assert "12,4" in {value.value for value in values.values()}
    assert (sheet.performer, sheet.releaser) == (result.entered_by_name, result.released_by_name)
    assert sheet.correction == 1
    with pytest.raises(ValueError, match="no result"):
        lab_printing.lab_sheet(visit_of(walked), [])


def test_the_imaging_sheet_takes_the_form_of_its_service(walked: make.Journey) -> None:
    line = next(row for row in orders.lines_of(walked.visit_id) if row.kind is OrderKind.IMAGING)
    sheet = imaging_printing.imaging_sheet(visit_of(walked), line, imaging.report_of_line(line.line_id))
    assert (sheet.form_code, sheet.title) == ("08/BV2", "PHIẾU CHIẾU/CHỤP X-QUANG")
    assert sheet.conclusion == "Viêm phổi phải."


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("Siêu âm ổ bụng", "11/BV2"), ("Chụp cắt lớp vi tính lồng ngực", "09/BV2"), ("Chụp Xquang ngực thẳng", "08/BV2"),
        ("Điện tim thường", "12/BV2"), ("Nội soi tai mũi họng", "14/BV2"), ("Đo chức năng hô hấp", "15/BV2"), ("Việc khác", ""),
    ],
)  # fmt: skip
def test_each_kind_of_service_has_its_form(service: str, code: str) -> None:
    assert imaging_printing.family_of(service)[0] == code


def test_the_prescription_says_what_was_signed(walked: make.Journey) -> None:
    rx = prescriptions.get(walked.prescription_id)
    paper = rx_printing.prescription_paper(rx, visit_of(walked), exam.diagnoses_of(walked.visit_id))
    assert paper.code == rx.code
    assert (paper.letter, paper.copies) == ("", ("",))
    assert len(paper.drugs) == len(rx.lines)
    assert paper.drugs[0].quantity == "15 viên"
    assert paper.drugs[0].usage.endswith("(5 ngày)")
    assert paper.diagnosis.startswith(f"{exam.diagnoses_of(walked.visit_id)[0].name} (J18.9)")
    assert paper.signed_at


def test_a_narcotic_prescription_has_words_copies_and_its_first_period(walked: make.Journey) -> None:
    rx = prescriptions.get(walked.prescription_id)
    kind = rx.kind
    rx.kind = PrescriptionKind.NARCOTIC
    try:
        paper = rx_printing.prescription_paper(rx, visit_of(walked), exam.diagnoses_of(walked.visit_id))
    finally:
        rx.kind = kind
    assert paper.letter == "N"
    assert paper.copies == rx_printing.COPIES
    assert "15 (mười lăm) viên" in [drug.quantity for drug in paper.drugs]
    first, last = (date(int(text[6:]), int(text[3:5]), int(text[:2])) for text in paper.period)
    assert last - first == timedelta(days=max(line.days for line in rx.lines) - 1)


def test_receipt_and_bill_agree_with_the_settlement_to_the_dong(paid: make.Journey) -> None:
    visit, settled = visit_of(paid), billing.settlement_of(paid.visit_id)
    bill = billing_printing.bill_01(visit, settled)
    assert bill.total == papers.money(settled.total_amount)
    assert bill.fund == papers.money(settled.fund_amount)
    assert bill.total_words == in_words(settled.total_amount)
    numbers = [int(section.heading.split(".")[0]) for section in bill.sections]
    assert numbers == sorted(numbers)
    assert sum(len(section.lines) for section in bill.sections) == len(settled.lines)
    assert bill.sums.total == bill.total
    receipt = billing_printing.receipt(visit, settled, settled.payments[0])
    assert receipt.amount == papers.money(settled.payable_amount)
    assert receipt.number == settled.payments[0].receipt_number
    assert (receipt.is_refund, receipt.change) == (False, "")


def test_money_given_back_prints_as_a_refund(paid: make.Journey) -> None:
    settled = billing.settlement_of(paid.visit_id)
    payment = settled.payments[0]
    amount = payment.amount
    payment.amount = -amount
    try:
        receipt = billing_printing.receipt(visit_of(paid), settled, payment)
    finally:
        payment.amount = amount
    assert receipt.is_refund
    assert receipt.amount == papers.money(amount)


def test_the_appointment_and_the_record_follow_the_note(walked: make.Journey) -> None:
    visit, note = visit_of(walked), exam.note_of(walked.visit_id)
    diagnoses = exam.diagnoses_of(walked.visit_id)
    slip = exam_printing.appointment(visit, note, diagnoses)
    assert slip.on == papers.parts(note.follow_up_on)
    assert slip.number == note.follow_up_number
    assert "(J18.9)" in slip.diagnosis
    assert "(I10)" in slip.other_diagnoses
    record = exam_printing.outpatient_record(visit, note, diagnoses, exam.latest_weight(walked.patient_id))
    assert record.findings == "Phổi ran nổ đáy phải."
    assert ("Cân nặng", "58,5 kg") in record.vitals
    follow_up, note.follow_up_on = note.follow_up_on, None
    try:
        with pytest.raises(ValueError, match="no follow-up"):
            exam_printing.appointment(visit, note, diagnoses)
    finally:
        note.follow_up_on = follow_up


@pytest.mark.parametrize(
    ("birth", "on", "text"),
    [
        (date(2026, 11, 1), date(2026, 11, 23), "22 ngày"),
        (date(2026, 10, 23), date(2026, 11, 23), "1 tháng"),
        (date(2020, 11, 24), date(2026, 11, 23), "71 tháng"),
        (date(2020, 11, 23), date(2026, 11, 23), "6 tuổi"),
        (date(1985, 3, 15), date(2026, 11, 23), "41 tuổi"),
    ],
)
def test_age_on_paper(birth: date, on: date, text: str) -> None:
    assert papers.age(birth, on) == text


def test_words_of_time_and_money() -> None:
    assert papers.day_line(date(2026, 3, 5)) == "Ngày 05 tháng 03 năm 2026"
    assert papers.day_line(None).startswith("Ngày ...")
    assert papers.money(Decimal("1234567.50")) == "1.234.568"
    assert papers.dash("  ") == "–"
    assert papers.parts(None) == ("", "", "")
    assert papers.moment_line(None) == papers.stamp(None) == ""


def test_sample_contexts_can_be_changed_only_by_copy() -> None:
    from his.billing.printing import sample_receipt

    assert replace(sample_receipt(), amount="1").amount == "1"
    with pytest.raises(AttributeError):
        sample_receipt().amount = "1"  # type: ignore[misc]
