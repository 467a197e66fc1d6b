"""The message to the national prescription system, built from plain values (QĐ 808, QĐ 425; national-api §3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

# Kind of the code on paper -> loai_don_thuoc on the wire (TT 26 prints capitals, TT 55 writes T, the API knows y).
WIRE_KIND = {"C": "c", "N": "n", "H": "h", "T": "y"}
# The system counts sexes in its own order: 1 not known, 2 male, 3 female.
WIRE_SEX = {"M": 2, "F": 3}
OUTPATIENT = "1"
# Diagnoses whose holder must not be recognised in a look-up (QĐ 425 Đ9 k5).
CODED_IDENTITY = ("B20", "B21", "B22", "B23", "B24", "Z21")


@dataclass(frozen=True, slots=True)
class NationalLine:
    """One medicine of the message."""

    drug_code: str
    brand: str
    name: str
    unit: str
    quantity: Decimal
    usage: str


@dataclass(frozen=True, slots=True)
class NationalPrescription:
    """A signed prescription as plain values; ``signed_at`` in Vietnam local time, ``weight_kg`` in kg."""

    code: str
    patient_name: str
    birth_on: date
    sex: str
    address: str
    personal_number: str
    card_number: str
    weight_kg: Decimal | None
    guardian_name: str
    guardian_phone: str
    age_months: int
    diagnoses: Sequence[tuple[str, str]]
    advice: str
    phone: str
    follow_up_on: date | None
    signed_at: datetime
    lines: Sequence[NationalLine]
    days: int = 1


def must_hide_identity(codes: Sequence[str]) -> bool:
    """Tell whether these diagnoses keep a prescription from being sent in plain."""
    return any(code.startswith(CODED_IDENTITY) for code in codes)


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def national_payload(rx: NationalPrescription) -> dict[str, Any]:
    """Return the body of ``gui-don-thuoc``. The code goes out in lower case with the wire's letter for its kind."""
    stem, _, letter = rx.code.rpartition("-")
    kind = WIRE_KIND[letter.upper()]
    day = rx.signed_at.date()
    guardian = ", ".join(part for part in (rx.guardian_name, rx.guardian_phone, rx.address) if part)
    is_small = rx.age_months < 72
    return {
        "loai_don_thuoc": kind,
        "ma_don_thuoc": f"{stem}-{kind}",
        "ho_ten_benh_nhan": rx.patient_name.upper(),
        "ngay_sinh_benh_nhan": f"{rx.birth_on:%d/%m/%Y}",
        "gioi_tinh": WIRE_SEX.get(rx.sex, 1),
        "dia_chi": rx.address,
        "ma_dinh_danh_cong_dan": rx.personal_number,
        "ma_so_the_bao_hiem_y_te": rx.card_number,
        "can_nang": _number(rx.weight_kg) if rx.weight_kg is not None else None,
        "thong_tin_nguoi_giam_ho": guardian if is_small else "",
        "chan_doan": [{"ma_chan_doan": code, "ten_chan_doan": name, "ket_luan": ""} for code, name in rx.diagnoses],
        "luu_y": "",
        "hinh_thuc_dieu_tri": OUTPATIENT,
        "dot_dung_thuoc": _period(day, rx.days) if kind == "n" else None,
        "thong_tin_don_thuoc": [
            {
                "ma_thuoc": line.drug_code, "biet_duoc": line.brand, "ten_thuoc": line.name, "don_vi_tinh": line.unit,
                "so_luong": _number(line.quantity), "cach_dung": line.usage,
            }
            for line in rx.lines
        ],
        "loi_dan": rx.advice,
        "so_dien_thoai_nguoi_kham_benh": rx.phone,
        "ngay_tai_kham": (rx.follow_up_on - day).days if rx.follow_up_on is not None else None,
        "ngay_gio_ke_don": f"{rx.signed_at:%Y-%m-%d %H:%M:%S}",
        "signature": "",
    }  # fmt: skip


def _period(first: date, days: int) -> dict[str, Any]:
    last = date.fromordinal(first.toordinal() + days - 1)
    return {"dot": 1, "tu_ngay": f"{first:%d/%m/%Y}", "den_ngay": f"{last:%d/%m/%Y}", "so_thang_thuoc": days}
