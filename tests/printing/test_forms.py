"""Every registered form: its sample renders, on its size of paper, with the legal headings in their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader

from his.core.actor import SYSTEM
from his.core.module import FormSpec, registry
from his.documents import rendering, service

MM = 72 / 25.4
SIZES = {"A4": (210, 297), "A4 landscape": (297, 210), "A5": (148, 210), "A5 landscape": (210, 148), "ticket": (80, 120)}

# Code -> pages of the sample, and headings in the order of the legal form.
FORMS: dict[str, tuple[int, tuple[str, ...]]] = {
    "exam_slip": (1, (
        "PHIẾU KHÁM BỆNH", "Họ và tên:", "Ngày sinh:", "Đối tượng:", "Số thẻ BHYT:", "Nơi đăng ký KCB ban đầu:", "Phòng khám:",
        "Lý do đến khám:", "Mạch:", "Cân nặng:", "Tiền sử dị ứng:", "Bệnh sử:", "Tiền sử bản thân, gia đình:", "Khám lâm sàng:",
        "Chẩn đoán sơ bộ:", "Chỉ định cận lâm sàng:", "Kết quả chính:", "Chẩn đoán xác định", "Xử trí:", "BÁC SĨ KHÁM BỆNH",
    )),
    "queue_ticket": (1, ("SỐ THỨ TỰ KHÁM BỆNH", "214-043", "ƯU TIÊN", "Dự kiến khám:")),
    "order_sheet": (2, ("PHIẾU CHỈ ĐỊNH CẬN LÂM SÀNG", "Thường", "Cấp cứu", "Chẩn đoán:", "Nơi thực hiện:", "Yêu cầu (tên dịch vụ)", "BÁC SĨ CHỈ ĐỊNH")),
    "lab_result": (1, (
        "PHIẾU XÉT NGHIỆM", "Loại bệnh phẩm:", "Lấy mẫu", "Chất lượng mẫu:", "Tên xét nghiệm", "Kết quả", "Đơn vị",
        "Trị số bình", "BÁC SĨ CHỈ ĐỊNH", "TRƯỞNG KHOA XÉT NGHIỆM",
    )),
    "imaging_result": (1, (
        "PHIẾU CHIẾU/CHỤP X-QUANG", "YÊU CẦU CHIẾU/CHỤP", "BÁC SĨ ĐIỀU TRỊ", "KẾT QUẢ CHIẾU/CHỤP", "KẾT LUẬN",
        "LỜI DẶN CỦA BÁC SĨ CHUYÊN KHOA", "BÁC SĨ CHUYÊN KHOA",
    )),
    "prescription": (1, (
        "Mã đơn thuốc:", "Tên đơn vị:", "Địa chỉ:", "Điện thoại:", "ĐƠN THUỐC", "Họ tên:",
        "Số định danh cá nhân/số căn cước công dân/số căn cước/số hộ chiếu của người bệnh (nếu có):", "Ngày sinh:", "Cân nặng:",
        "Giới tính:", "Mã số bảo hiểm y tế (nếu có):", "Nơi thường trú/nơi tạm trú/nơi ở hiện tại:", "Chẩn đoán:", "Thuốc điều trị:",
        "Lời dặn:", "Ngày 23 tháng 11 năm 2026", "Bác sỹ/Y sỹ khám bệnh", "(Ký, ghi rõ họ tên)", "- Khám bệnh lại xin mang theo đơn này.",
        "- Số điện thoại liên hệ:", "- Họ và tên người đưa trẻ đến khám bệnh, chữa bệnh:",
    )),
    "prescription_n": (3, ("ĐƠN THUỐC “N”", "Chẩn đoán:", "Đợt 1: Từ ngày", "Đợt 2:", "Đợt 3:", "Thuốc điều trị:", "60 (sáu mươi) viên", "người nhận thuốc:")),
    "prescription_h": (3, ("ĐƠN THUỐC “H”", "Chẩn đoán:", "Thuốc điều trị:", "người nhận thuốc:")),
    "receipt": (1, ("PHIẾU THU", "Họ tên người nộp:", "Nội dung:", "Số tiền:", "Viết bằng chữ:", "Người nộp", "Thủ quỹ", "Người lập phiếu")),
    "bill_01": (1, (
        "Mẫu số: 01/KBCB", "BẢNG KÊ CHI PHÍ KHÁM BỆNH", "I. Phần Hành chính:", *(f"({n})" for n in range(1, 21)),
        "II. Phần Chi phí khám bệnh, chữa bệnh:", "1. Khám bệnh", "3. Xét nghiệm", "8. Thuốc, dịch truyền",
        "Tổng chi phí lần khám bệnh/cả đợt điều trị:", "Quỹ BHYT thanh toán:", "Người bệnh trả:", "NGƯỜI LẬP BẢNG KÊ",
        "KẾ TOÁN VIỆN PHÍ", "XÁC NHẬN CỦA NGƯỜI BỆNH", "GIÁM ĐỊNH BHYT",
    )),
    "appointment": (1, (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "PHIẾU HẸN KHÁM LẠI", "Họ tên người bệnh:", "Sinh ngày:", "Số thẻ BHYT:",
        "Hạn sử dụng:", "Ngày khám bệnh:", "Ngày vào viện:", "Ngày ra viện:", "Chẩn đoán:", "Bệnh kèm theo:", "Hẹn khám lại vào",
        "chỉ có giá trị sử dụng 01 (một) lần", "Bác sĩ, Y sĩ khám bệnh",
    )),
    "outpatient_record": (2, (
        "MS: 15/BV1", "BỆNH ÁN NGOẠI TRÚ", "I. HÀNH CHÍNH", "II. LÝ DO VÀO VIỆN", "III. HỎI BỆNH", "IV. KHÁM BỆNH",
        "GIÁM ĐỐC CƠ SỞ KCB/TRƯỞNG KHOA", "DIỄN BIẾN BỆNH", "TỔNG KẾT BỆNH ÁN", "6. Hướng điều trị và các chế độ tiếp theo:", "BÁC SĨ ĐIỀU TRỊ",
    )),
    "referral": (1, (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "PHIẾU CHUYỂN CƠ SỞ KHÁM BỆNH, CHỮA BỆNH BẢO HIỂM Y TẾ", "Kính gửi:",
        "trân trọng giới thiệu:", "- Họ và tên người bệnh:", "Nam/Nữ:", "Năm sinh:", "- Địa chỉ:", "- Dân tộc:", "Quốc tịch:",
        "- Nghề nghiệp:", "Nơi làm việc:", "- Số thẻ bảo hiểm y tế:", "- Thời hạn sử dụng của thẻ bảo hiểm y tế đến ngày",
        "Hết thời hạn:", "Không xác định được thời hạn:", "- Đã được khám bệnh, điều trị:", "TÓM TẮT BỆNH ÁN (*)",
        "- Tóm tắt dấu hiệu lâm sàng:", "- Tóm tắt kết quả xét nghiệm, cận lâm sàng chính", "- Chẩn đoán (bệnh chính):",
        "- Phương pháp, thủ thuật đã thực hiện (nếu có):", "- Kỹ thuật, thuốc điều trị chính đã sử dụng:",
        "- Tình trạng người bệnh lúc chuyển", "- Lý do chuyển cơ sở khám bệnh, chữa bệnh:", "(1)", "a) Phù hợp", "b) Không phù hợp", "(2)",
        "- Hướng điều trị:", "- Chuyển cơ sở khám bệnh, chữa bệnh hồi:", "có giá trị trong 01 năm:", "- Phương tiện vận chuyển:",
        "người hộ tống (nếu có):", "BÁC SĨ ĐIỀU TRỊ", "ĐẠI DIỆN CƠ SỞ KHÁM BỆNH, CHỮA BỆNH", "(Ký tên, đóng dấu)", "Ghi chú:",
    )),
    "referral_dv": (1, ("PHIẾU CHUYỂN CƠ SỞ KHÁM BỆNH, CHỮA BỆNH", "- Đối tượng: Thu phí/khác", "TÓM TẮT BỆNH ÁN (*)", "Ghi chú:")),
}  # fmt: skip


def spec(app: Flask, code: str) -> FormSpec:
    with app.app_context():
        return registry().form(code)


def text_of(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages).split())


@cache
def _sample(app: Flask, code: str) -> rendering.Rendered:
    with app.app_context():
        form = registry().form(code)
        foot = service.footing("ABCD2345EFGH6789", SYSTEM)
        return rendering.render(form.template, form.sample(), form=form, foot=foot, mark="")


@pytest.fixture
def draw(app: Flask) -> Callable[..., rendering.Rendered]:
    """Render a form with a changed sample."""

    def make(code: str, **changes: Any) -> rendering.Rendered:
        with app.app_context():
            form = registry().form(code)
            return rendering.render(form.template, replace(form.sample(), **changes), form=form, foot=service.footing("ABCD2345EFGH6789", SYSTEM))

    return make


def test_every_form_of_the_house_is_tried_here(app: Flask) -> None:
    with app.app_context():
        assert {form.code for module in registry().modules for form in module.forms} == set(FORMS)


@pytest.mark.parametrize("code", list(FORMS))
def test_the_sample_has_its_size_and_pages(app: Flask, code: str) -> None:
    pages = PdfReader(BytesIO(_sample(app, code).content)).pages
    width, height = SIZES[spec(app, code).size]
    for page in pages:
        assert abs(float(page.mediabox.width) - width * MM) < 1
        assert abs(float(page.mediabox.height) - height * MM) < 1
    assert len(pages) == FORMS[code][0] == _sample(app, code).page_count


@pytest.mark.parametrize("code", list(FORMS))
def test_the_legal_headings_are_there_in_their_order(app: Flask, code: str) -> None:
    text = text_of(_sample(app, code).content)
    at = 0
    for heading in FORMS[code][1]:
        found = text.find(heading, at)
        assert found >= 0, f"{heading!r} missing after position {at}: …{text[max(0, at - 80) : at + 120]}…"
        at = found + len(heading)


@pytest.mark.parametrize("code", list(FORMS))
def test_all_fonts_are_embedded(app: Flask, code: str) -> None:
    for page in PdfReader(BytesIO(_sample(app, code).content)).pages:
        for font in page["/Resources"]["/Font"].values():
            assert "Liberation" in str(font.get_object()["/BaseFont"])


@pytest.mark.parametrize("code", [code for code in FORMS if code != "queue_ticket"])
def test_every_page_says_that_it_is_a_conversion_and_its_number(app: Flask, code: str) -> None:
    pages = PdfReader(BytesIO(_sample(app, code).content)).pages
    for number, page in enumerate(pages, 1):
        text = page.extract_text()
        assert "Bản giấy chuyển đổi từ hồ sơ bệnh án điện tử" in text
        assert "ABCD-2345-EFGH-6789" in text
        assert f"Trang {number}/{len(pages)}" in text


@pytest.mark.parametrize("code", list(FORMS))
def test_the_context_is_frozen_and_plain(app: Flask, code: str) -> None:
    def plain(value: object) -> bool:
        if is_dataclass(value):
            return bool(value.__dataclass_params__.frozen) and all(plain(getattr(value, f.name)) for f in fields(value))
        if isinstance(value, tuple):
            return all(plain(item) for item in value)
        return isinstance(value, str | bool | int)

    assert plain(spec(app, code).sample())


@pytest.mark.parametrize("code", list(FORMS))
def test_templates_have_no_style_of_their_own_and_no_flex(app: Flask, code: str) -> None:
    source, *_rest = app.jinja_env.loader.get_source(app.jinja_env, spec(app, code).template)  # type: ignore[union-attr]
    assert "style=" not in source
    assert "<style" not in source
    css = rendering.STYLES.read_text("utf-8")
    assert "flex;" not in css
    assert "grid;" not in css
    assert "table-layout: fixed" in css


# --- the referral paper ----------------------------------------------------------------------------------------------

LONG = "Trẻ mệt nhiều, da xanh, niêm nhợt, lách to 3 cm dưới bờ sườn, gan không to, tim đều, phổi trong, bụng mềm. "


@pytest.mark.parametrize("times", range(2, 26, 3))
def test_a_long_referral_ends_with_text_above_its_signatures(draw: Callable[..., rendering.Rendered], times: int) -> None:
    rendered = draw("referral", clinical_signs=LONG * times, results_summary=LONG * (times // 2))
    assert rendered.page_count <= 3
    pages = [page.extract_text() for page in PdfReader(BytesIO(rendered.content)).pages]
    signed = next(i for i, text in enumerate(pages) if "ĐẠI DIỆN CƠ SỞ KHÁM BỆNH, CHỮA BỆNH" in text)
    above = pages[signed].split("BÁC SĨ ĐIỀU TRỊ")[0]
    assert "người hộ tống" in above
    assert "(Ký tên, đóng dấu)" in pages[signed]


@pytest.mark.parametrize(
    ("reason", "crosses"), [("1", 1), ("2", 1), ("3", 0)]
)
def test_exactly_one_box_is_crossed_for_reason_one(draw: Callable[..., rendering.Rendered], reason: str, crosses: int) -> None:
    text = text_of(draw("referral", reason=reason).content)
    part = text[text.index("a) Phù hợp") : text.index("(2) Theo yêu cầu")]
    assert part.split().count("X") == crosses


def test_one_year_is_always_answered(draw: Callable[..., rendering.Rendered]) -> None:
    for answer in ("có", "không"):
        assert f"có giá trị trong 01 năm: {answer} (***)" in text_of(draw("referral", one_year=answer).content)


def test_a_reissued_paper_says_so(draw: Callable[..., rendering.Rendered]) -> None:
    assert "CẤP LẠI" not in text_of(draw("referral").content)
    assert "CẤP LẠI" in text_of(draw("referral", is_reissue=True).content)


def test_an_expired_or_open_ended_card_ticks_its_box(draw: Callable[..., rendering.Rendered]) -> None:
    expired = text_of(draw("referral", is_card_expired=True).content)
    assert "Hết thời hạn: X" in expired
    unknown = text_of(draw("referral", is_card_open_ended=True, card_until=("", "", "")).content)
    assert "Không xác định được thời hạn: X" in unknown


# --- other papers that grow -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [6, 9, 14, 22])
def test_a_long_prescription_never_splits_a_drug(draw: Callable[..., rendering.Rendered], count: int) -> None:
    from his.prescriptions.printing import DrugLine

    drugs = tuple(DrugLine(f"Thuốc số {n} (Biệt dược) 250 mg, viên nén", "10 viên", f"cách dùng của thuốc {n}.") for n in range(1, count + 1))
    pages = [page.extract_text() for page in PdfReader(BytesIO(draw("prescription", drugs=drugs).content)).pages]
    for n in range(1, count + 1):
        where = [i for i, text in enumerate(pages) if f"Thuốc số {n} " in text]
        assert where
        assert f"cách dùng của thuốc {n}." in pages[where[0]]
    assert "Bác sỹ/Y sỹ khám bệnh" in pages[-1]
    assert "cách dùng của thuốc" in pages[-1]


@pytest.mark.parametrize("count", [12, 20, 24, 40])
def test_a_long_laboratory_sheet_repeats_its_head_and_ends_with_values(draw: Callable[..., rendering.Rendered], count: int) -> None:
    from his.laboratory.printing import ResultBlock, ValueLine

    values = tuple(ValueLine(f"Chỉ số {n}", "1,0", "g/L", "0 – 2", "") for n in range(count))
    pages = [page.extract_text() for page in PdfReader(BytesIO(draw("lab_result", blocks=(ResultBlock("Tổng phân tích", "M", values, ""),)).content)).pages]
    for text in pages:
        assert "Tên xét nghiệm" in text
    assert "TRƯỞNG KHOA XÉT NGHIỆM" in pages[-1]
    assert "Chỉ số" in pages[-1]


def test_empty_sections_of_the_bill_leave_the_numbers_of_the_others() -> None:
    from his.billing.printing import sample_bill

    assert [section.heading.split(".")[0] for section in sample_bill().sections] == ["1", "3", "8"]
