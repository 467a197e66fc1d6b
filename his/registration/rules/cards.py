"""What an answer of the insurer means at the desk (CV 1923/BHXH-CNTT; insurance standard portal-api.md §2)."""

from __future__ import annotations

from dataclasses import dataclass

VALID = ("000", "001", "002", "003", "004")
# The portal or our account is at fault, not the card: care goes on, the card is asked about again (NĐ 188/2025 Đ38 k2).
FAULTS = ("054", "055", "100", "101", "205", "401", "402", "403", "500")
CHILD_WITHOUT_CARD = "130"


@dataclass(frozen=True, slots=True)
class CardVerdict:
    """``state`` is valid, invalid or unverified; ``words`` say what happened and what to do."""

    state: str
    words: str


WORDS: dict[str, str] = {
    "000": "",
    "001": "Thẻ do BHXH Bộ Quốc phòng quản lý. Xem thẻ giấy và giấy tờ tùy thân, kiểm tra hạn thẻ.",
    "002": "Thẻ do BHXH Bộ Công an quản lý. Xem thẻ giấy và giấy tờ tùy thân, kiểm tra hạn thẻ.",
    "003": "Thẻ cũ đã được thay (mã 003). Đã tự dùng thẻ mới, không cần gõ lại.",
    "004": "Thẻ cũ còn hạn và đã có thẻ mới (mã 004). Đã dùng thẻ có hạn gồm ngày khám.",
    "010": "Thẻ hết giá trị sử dụng (mã 010). Khám theo diện thu phí, hoặc quét thẻ mới nếu có.",
    "050": "Cổng không có thông tin thẻ này (mã 050). Xem lại số thẻ rồi tra lại; chưa có thẻ thì thu phí.",
    "051": "Mã thẻ không đúng (mã 051). Gõ lại số trên thẻ.",
    "052": "Mã tỉnh cấp thẻ (ký tự 4, 5) không đúng (mã 052). Gõ lại số trên thẻ.",
    "053": "Mã quyền lợi (ký tự 3) không đúng (mã 053). Thẻ có thể đã đổi: tra bằng số định danh.",
    "054": "Nhân viên tra cứu chưa đăng ký với BHXH (mã 054). Báo quản trị hệ thống; người bệnh vẫn được tiếp nhận.",
    "055": "Tên nhân viên tra cứu chưa khớp đăng ký với BHXH (mã 055). Báo quản trị hệ thống; vẫn tiếp nhận.",
    "060": "Họ tên không khớp thẻ (mã 060). So với thẻ, sửa họ tên rồi tra lại.",
    "061": "Họ tên không khớp thẻ (mã 061). So với thẻ, sửa họ tên rồi tra lại.",
    "070": "Ngày sinh không khớp thẻ (mã 070). So với thẻ, sửa ngày sinh rồi tra lại.",
    "110": "Thẻ đã thu hồi (mã 110). Khám theo diện thu phí và báo người bệnh liên hệ BHXH.",
    "120": "Thẻ đã báo giảm (mã 120). Hỏi người bệnh thẻ mới; chưa có thì thu phí.",
    "121": "Thẻ đã báo giảm do chuyển tỉnh (mã 121). Tra thẻ mới bằng số định danh.",
    "122": "Thẻ đã báo giảm do chuyển nơi khác trong tỉnh (mã 122). Tra thẻ mới bằng số định danh.",
    "123": "Thẻ đã báo giảm và tăng lại (mã 123). Tra thẻ mới bằng số định danh.",
    "124": "Đã ngừng tham gia BHYT (mã 124). Khám theo diện thu phí.",
    "130": "Trẻ em không xuất trình thẻ (mã 130). Trẻ dưới 6 tuổi: dùng số thẻ tạm TE1.",
}
DOWN = "Cổng BHYT chưa trả lời. Thẻ được ghi «chưa xác minh» và tra lại sau, cứ tiếp đón bình thường."


def verdict(code: str) -> CardVerdict:
    """Judge a portal code. "" means the portal did not answer."""
    if not code:
        return CardVerdict("unverified", DOWN)
    if code in VALID:
        return CardVerdict("valid", WORDS[code])
    if code in FAULTS:
        return CardVerdict("unverified", WORDS.get(code, f"Cổng BHYT báo lỗi (mã {code}). Thẻ được ghi «chưa xác minh», cứ tiếp đón bình thường."))
    return CardVerdict("invalid", WORDS.get(code, f"Cổng BHYT trả mã {code}. Xem lại số thẻ, họ tên, ngày sinh rồi tra lại."))


# What the check-in table (XML0) and the claim want of every insured visit, in the order people are asked.
CLAIM_FIELDS = (
    "full_name", "birth_on", "sex", "personal_number", "phone", "commune", "province", "ethnicity", "nationality",
    "occupation", "card_number", "card_facility",
)  # fmt: skip


def missing_fields(values: dict[str, str]) -> tuple[str, ...]:
    """Return which of CLAIM_FIELDS have no value yet."""
    return tuple(name for name in CLAIM_FIELDS if not values.get(name, "").strip())
