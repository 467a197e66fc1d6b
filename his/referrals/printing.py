"""The context of the referral paper: plain values from the frozen snapshot, never models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from his.core.module import FormSpec

REFERRAL = "referral"
REFERRAL_UNINSURED = "referral_dv"


@dataclass(frozen=True, slots=True)
class Stay:
    """One "Đã được khám bệnh, điều trị tại" line."""

    place: str
    level: str
    day_from: str
    day_to: str


@dataclass(frozen=True, slots=True)
class ReferralPaper:
    """Everything Phụ lục VI of TT 01/2025 shows, as text. Dates are (day, month, year) texts."""

    is_insured: bool
    parent: str
    facility: str
    number: str
    file_number: str
    register_number: str
    destination: str
    full_name: str
    sex: str
    birth_year: str
    address: str
    ethnicity: str
    nationality: str
    occupation: str
    workplace: str
    card_number: str
    card_until: tuple[str, str, str]
    is_card_expired: bool
    is_card_open_ended: bool
    stays: tuple[Stay, ...]
    clinical_signs: str
    course: str
    results_summary: str
    diagnosis: str
    procedures: str
    procedure_start: str
    procedure_end: str
    treatment_done: str
    condition: str
    reason: str  # 1, 2, 3 as MA_LYDO_CT
    plan: str
    transfer_time: str
    one_year: str  # có / không
    transport: str
    escort: str
    signed_on: tuple[str, str, str]
    doctor: str
    authority: str
    doctor_signed_at: str = ""
    issued_at: str = ""
    is_reissue: bool = False


def paper_of(snapshot: Mapping[str, Any]) -> ReferralPaper:
    """Return the paper of a frozen snapshot."""
    values = dict(snapshot["paper"])
    values["stays"] = tuple(Stay(**stay) for stay in values["stays"])
    values["card_until"] = tuple(values["card_until"])
    values["signed_on"] = tuple(values["signed_on"])
    return ReferralPaper(**values)


def sample() -> ReferralPaper:
    """Return an invented paper for previews and tests."""
    return ReferralPaper(
        is_insured=True, parent="Sở Y tế Thành phố Hồ Chí Minh", facility="Bệnh viện Nhi Bình Minh",
        number="000123/2026/PCCSKBCB", file_number="79999-261123-0042", register_number="123",
        destination="Bệnh viện Chợ Rẫy", full_name="TRẦN VĂN THỬ", sex="Nam", birth_year="1976",
        address="12 Đường Hoa Sen, Phường Sài Gòn, Thành phố Hồ Chí Minh", ethnicity="Kinh", nationality="Việt Nam",
        occupation="Nhân viên văn phòng", workplace="–", card_number="GD4797900000002",
        card_until=("31", "12", "2027"), is_card_expired=False, is_card_open_ended=False,
        stays=(Stay("Bệnh viện Nhi Bình Minh", "cơ bản", "23/11/2026", "23/11/2026"),),
        clinical_signs="Đau ngực trái lan vai 2 giờ, vã mồ hôi. Mạch 96 lần/phút, huyết áp 150/90 mmHg, tim đều, phổi trong.",
        course="Bệnh khởi phát đột ngột khi gắng sức.",
        results_summary="Số lượng bạch cầu 11,2 G/L; huyết sắc tố 138 g/L. X-quang ngực thẳng: bóng tim to nhẹ.",
        diagnosis="I20.0 Cơn đau thắt ngực không ổn định; I10 Bệnh lý tăng huyết áp vô căn (nguyên phát)",
        procedures="Không", procedure_start="", procedure_end="", treatment_done="Acetylsalicylic acid 81 mg, amlodipin 5 mg",
        condition="Tỉnh, còn đau ngực nhẹ, huyết động ổn định.", reason="2", plan="Chụp mạch vành, can thiệp nếu cần.",
        transfer_time="10 giờ 35 phút, ngày 23 tháng 11 năm 2026", one_year="không", transport="Xe cứu thương",
        escort="Điều dưỡng Lê Thị Hoa, cử nhân điều dưỡng", signed_on=("23", "11", "2026"), doctor="BS. Trần Minh Khôi",
        authority="BS. Nguyễn Quốc Bảo", doctor_signed_at="10:35 23/11/2026", issued_at="10:41 23/11/2026",
    )  # fmt: skip


def sample_uninsured() -> ReferralPaper:
    """Return an invented paper of a patient without insurance (hospital form: no successor of the 2014 form is known)."""
    return replace(
        sample(), is_insured=False, number="000007/2026/PCCSKBCB-DV", card_number="", card_until=("", "", ""), reason="3"
    )


FORMS = (
    FormSpec(REFERRAL, "PHIẾU CHUYỂN CƠ SỞ KHÁM BỆNH, CHỮA BỆNH BẢO HIỂM Y TẾ", "A4", "referrals/print/referral.html", "2025-1",
             sample, "TT 01/2025/TT-BYT Phụ lục VI; TT 06/2026/TT-BYT Đ5 k2", "referrals:referral:read"),
    FormSpec(REFERRAL_UNINSURED, "PHIẾU CHUYỂN CƠ SỞ KHÁM BỆNH, CHỮA BỆNH", "A4", "referrals/print/referral.html", "2025-1",
             sample_uninsured, "mẫu của cơ sở theo TT 01/2025/TT-BYT Phụ lục VI", "referrals:referral:read"),
)  # fmt: skip
