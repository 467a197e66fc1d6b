"""What the clerk reads for each error and warning of the parser: what is wrong, and what to do next."""

from __future__ import annotations

ERRORS: dict[str, str] = {
    "TOO_LONG": "Mã quét quá dài, không phải giấy tờ tùy thân. Quét lại đúng mã trên căn cước hoặc thẻ BHYT.",
    "EMPTY": "Chưa có nội dung. Quét mã hoặc gõ số định danh, số thẻ, tên.",
    "CONTROL_CHARS": "Mã có ký tự lạ ẩn bên trong. Quét lại; nếu vẫn vậy, gõ 12 số định danh.",
    "BAD_FIELD_COUNT": "Mã quét thiếu phần. Lau mã rồi quét lại, hoặc gõ 12 số định danh.",
    "UNKNOWN_FORMAT": "Không nhận ra mã này. Gõ 12 số định danh, 15 ký tự thẻ BHYT, hoặc họ tên.",
    "BAD_ID": "Số định danh phải đủ 12 chữ số. Quét lại hoặc gõ lại số trên căn cước.",
    "BAD_NAME": "Họ tên trong mã không đọc được. Kiểm tra chế độ máy quét rồi quét lại, hoặc nhập tay.",
    "BAD_DATE": "Ngày trong mã không có thật. Quét lại hoặc nhập tay theo giấy tờ.",
    "FUTURE_DATE": "Ngày trong mã ở tương lai. Kiểm tra giấy tờ và ngày giờ máy.",
    "BAD_GENDER": "Giới tính trong mã không đọc được. Quét lại hoặc nhập tay.",
    "BAD_ADDRESS": "Địa chỉ trong mã có ký tự không cho phép. Nhập địa chỉ bằng tay.",
    "BAD_HEX": "Mã thẻ BHYT bị hỏng. Quét lại hoặc gõ số thẻ.",
    "BAD_UTF8": "Chữ trong mã thẻ BHYT bị hỏng. Quét lại hoặc gõ số thẻ.",
    "BAD_CARD": "Số thẻ BHYT sai dạng: cần 15 ký tự (2 chữ, 13 số) hoặc 10 số. Gõ lại số thẻ.",
    "BAD_FACILITY": "Mã nơi đăng ký khám chữa bệnh trong thẻ sai dạng. Tra cứu thẻ trên cổng BHYT.",
    "PERIOD_INVERTED": "Hạn thẻ trong mã bị ngược. Tra cứu thẻ trên cổng BHYT.",
    "BAD_CHECK_DIGIT": "Hộ chiếu đọc sai ký tự. Quét lại hai dòng dưới cùng của trang ảnh.",
    "GARBLED": "Máy quét gõ qua bộ gõ tiếng Việt. Tắt bộ gõ hoặc đổi chế độ máy quét, rồi quét lại.",
}
WARNINGS: dict[str, str] = {
    "ADDRESS_PRE_2025": "Địa chỉ trên thẻ là địa chỉ cũ (có quận, huyện). Đã đề nghị xã phường mới, kiểm tra lại.",
    "ADDRESS_SUSPECT": "Địa chỉ bắt đầu bằng ký tự lạ. Kiểm tra lại.",
    "CARD_EXPIRED": "Thẻ BHYT đã hết hạn theo mã in. Xem kết quả tra cứu cổng.",
    "CARD_NOT_YET_VALID": "Thẻ BHYT chưa tới ngày hiệu lực.",
    "DOCUMENT_EXPIRED": "Hộ chiếu đã hết hạn. Vẫn tiếp nhận, ghi chú lại.",
    "DOB_PARTIAL": "Ngày sinh trên giấy tờ không đủ ngày tháng.",
    "EXTRA_FIELDS": "Thẻ mẫu mới có thêm thông tin, đã bỏ qua phần chưa biết.",
    "ID_GENDER_MISMATCH": "Giới tính không khớp số định danh. Hỏi lại người bệnh.",
    "ID_YEAR_MISMATCH": "Năm sinh không khớp số định danh. Hỏi lại người bệnh.",
    "MISSING_TERMINATOR": "Mã thẻ BHYT có thể bị cắt cuối. Xem kết quả tra cứu cổng.",
    "NO_ADDRESS": "Thẻ không có địa chỉ. Hỏi nơi ở hiện tại.",
}
