"""Points of the claim standard that are not settled or differ by place: one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from his.insurance.enums import FundTotal, SignatureScope


@dataclass(frozen=True, slots=True)
class ClaimSettings:
    """Choices of the hospital for doubtful points; the defaults are the reading we think right."""

    loai_ho_so_claim: str = "130"
    """Sent as loaiHoSo with a claim (letter for QĐ 4750; the value for QĐ 3176 is not confirmed)."""
    claim_signature_scope: SignatureScope = SignatureScope.DOCUMENT
    signature_required: bool = False
    """On: an unsigned file is an error; off: a warning, because checking comes before signing."""
    xml1_t_bhtt: FundTotal = FundTotal.SUM
    zero_rate_as_outside_scope: bool = True
    """Route ratio 0: lines are PHAM_VI 2 with BH = 0 (else MUC_HUONG 0 with a co-payment)."""
    package_cap_before_rate: bool = True
    xml13_stay_list: bool = False
    """XML13 NGAY_VAO/NGAY_RA are ";" lists with one stay per facility, the last being this visit."""
    mahuyen_cu_tru_required: bool = False
    """Districts ended on 01/07/2025; the sheet of 2024 demanded the code."""
    ma_ly_do_vnt_required: bool = False
    """The ministry has not issued the list of admission reasons."""
    strict_sheet_2024: bool = False
    """HIV and TB fields the sheet of 2024 marks as always required though they cannot fit every patient."""
    noi_di_for_1_5: bool = True
    """Entry category 1.5 (follow-up slip) carries MA_NOI_DI, the own code when the slip was ours."""
    other_type_treatment_days: int = 0
    """SO_NGAY_DTRI of visit types 10-16, for which no rule was found."""
    amount_tolerance: Decimal = Decimal(0)
    """Đồng by which THANH_TIEN, the four-share balance and totals may differ."""
    share_tolerance: Decimal = Decimal("0.02")
    """Đồng by which T_BHTT, T_BNCCT and T_BNTT of a line may differ (a public checker takes 0.02)."""
