"""What the invented patients come with: complaint, examination, diagnosis, tests and medicines by weight.

Common complaints of a children's hospital and a few of adults. Written for the demo; no real patient stands behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

BLOOD_COUNT = "22.0121.1369"
CRP = "23.0228.1483"
GLUCOSE = "23.0075.1494"
CREATININE = "23.0051.1494"
HBA1C = "23.0083.1523"
DENGUE = "24.0183.1637"
STOOL = "24.0267.1674"
URINE = "23.0206.1596"
FERRITIN = "22.0116.1514"
CHEST_XRAY = "18.0119.0028"
BELLY_ULTRASOUND = "18.0015.0001"
HEART_ULTRASOUND = "18.0052.0004"
ECG = "02.0085.1778"
SPIROMETRY = "02.0024.1791"


@dataclass(frozen=True, slots=True)
class Dose:
    """One medicine: product, amount each time, unit, times a day, days, when, rhythm."""

    drug: str
    amount: str
    unit: str
    times: int
    days: int
    when: str = ""
    frequency: str = "daily"


Doses = Callable[[Decimal, int], tuple[Dose, ...]]  # (weight in kg, age in months) -> medicines


@dataclass(frozen=True, slots=True)
class Case:
    """One complaint from the door to the medicines."""

    code: str
    reason: str
    history: str
    findings: str
    main: str
    conclusion: str
    advice: str
    doses: Doses
    others: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    reports: Mapping[str, tuple[str, str, bool]] = field(default_factory=dict)
    fever: Decimal = Decimal("36.8")
    spo2: int = 98
    breath_extra: int = 0
    follow_up_days: int = 0
    result: str = "2"


def paracetamol(weight: Decimal) -> tuple[Dose, ...]:
    """A sachet or tablet of 10-15 mg/kg when there is fever."""
    for drug, mass, unit in (("TH0314", 500, "Viên"), ("TH0021", 250, "Gói"), ("TH0020", 150, "Gói"), ("TH0034", 80, "Gói")):
        if Decimal(mass) <= weight * 15:
            return (Dose(drug, "1", unit, 4, 3, "khi sốt từ 38,5 °C, cách 6 giờ"),)
    return ()


def azithromycin(weight: Decimal) -> tuple[Dose, ...]:
    """10 mg/kg once a day for three days."""
    if weight >= 40:
        return (Dose("TH0007", "1", "Viên", 1, 3, "sáng, trước ăn 1 giờ"),)
    return (Dose("TH0105", "1", "Gói", 1, 3, "sáng, trước ăn 1 giờ"),) if 10 <= weight <= 20 else ()


def _cold(weight: Decimal, months: int) -> tuple[Dose, ...]:
    drugs = paracetamol(weight)
    return drugs if months < 24 else (*drugs, Dose("TH0396", "1", "Lọ", 3, 5, "nhỏ mũi, không quá 5 ngày"))


def _bronchitis(weight: Decimal, months: int) -> tuple[Dose, ...]:
    if months >= 216:
        return (*azithromycin(weight), Dose("TH0138", "1", "Viên", 3, 5, "sau ăn"), Dose("TH0314", "1", "Viên", 3, 3, "khi sốt"))
    return (*azithromycin(weight), *paracetamol(weight))


def _asthma(_weight: Decimal, months: int) -> tuple[Dose, ...]:
    chewable = "TH0343" if months < 72 else "TH0344"
    return (Dose(chewable, "1", "Viên", 1, 28, "tối"), Dose("TH0339", "2", "nhát", 4, 7, "qua buồng đệm, khi khò khè"))


def _tonsillitis(weight: Decimal, _months: int) -> tuple[Dose, ...]:
    drugs = (Dose("TH0273", "1", "Gói", 3, 7, "sau ăn"),) if 9 <= weight <= 22 else (Dose("TH0115", "1", "Viên", 2, 7, "sau ăn"),)
    return (*drugs, *paracetamol(weight))


def _otitis(weight: Decimal, _months: int) -> tuple[Dose, ...]:
    drugs = (Dose("TH0019", "1", "Gói", 2, 7, "đầu bữa ăn"),) if 9 <= weight <= 22 else (Dose("TH0104", "1", "Viên", 2, 7, "đầu bữa ăn"),)
    return (*drugs, *paracetamol(weight))


def _gut(weight: Decimal, months: int) -> tuple[Dose, ...]:
    del weight
    drugs: tuple[Dose, ...] = (Dose("TH0337", "1", "Gói", 3, 3, "pha đúng 200 ml nước, uống từng ngụm"),)
    return drugs if months < 6 else (*drugs, Dose("TH0173", "1", "Gói", 2, 5, "sau ăn"))


def _rash(_weight: Decimal, months: int) -> tuple[Dose, ...]:
    return (Dose("TH0036", "1", "Viên", 1, 5, "tối"),) if months >= 72 else ()


def _fever_only(weight: Decimal, _months: int) -> tuple[Dose, ...]:
    return (*paracetamol(weight), Dose("TH0337", "1", "Gói", 2, 3, "pha đúng 200 ml nước, uống nhiều lần"))


def _pressure(_weight: Decimal, _months: int) -> tuple[Dose, ...]:
    return (Dose("TH0002", "1", "Viên", 1, 28, "sáng"),)


def _sugar(_weight: Decimal, _months: int) -> tuple[Dose, ...]:
    return (Dose("TH0255", "1", "Viên", 2, 28, "sau ăn"), Dose("TH0001", "1", "Viên", 1, 28, "tối"))


def _stomach(_weight: Decimal, _months: int) -> tuple[Dose, ...]:
    return (Dose("TH0111", "1", "Viên", 1, 14, "sáng, trước ăn 30 phút"),)


def _none(_weight: Decimal, _months: int) -> tuple[Dose, ...]:
    return ()


BLOOD = {
    "WBC": "14.8", "RBC": "4.5", "HGB": "118", "HCT": "0.36", "MCV": "86", "MCH": "28.4", "MCHC": "330", "RDW-CV": "13.1",
    "PLT": "310", "NEU%": "61", "LYM%": "30", "MONO%": "6", "EOS%": "2", "BASO%": "0.4",
}  # fmt: skip
CALM_BLOOD = {**BLOOD, "WBC": "8.2", "NEU%": "48", "LYM%": "42"}

CHILD_CASES: tuple[Case, ...] = (
    Case(
        "cold", "Sốt, chảy mũi 2 ngày", "Sốt 2 ngày cao nhất 38,6 °C, chảy mũi trong, ho ít, ăn uống được, không nôn.",
        "Tỉnh, môi hồng, họng đỏ nhẹ, phổi không ran, tim đều, bụng mềm, tai hai bên bình thường.", "J06.9",
        "Điều trị triệu chứng tại nhà.", "Uống nhiều nước, lau mát khi sốt, khám lại ngay nếu khó thở, bỏ bú, co giật.", _cold,
        fever=Decimal("38.2"),
    ),
    Case(
        "bronchitis", "Ho, khò khè 4 ngày", "Ho đàm, khò khè 4 ngày, sốt 2 ngày cao nhất 38,9 °C. Ăn uống được, nôn 1 lần sau ho.",
        "Tỉnh, môi hồng, không co lõm ngực. Phổi ran ngáy, ran ẩm hai bên, khò khè cuối thì thở ra. Tim đều. Họng đỏ nhẹ.",
        "J20.9", "Kháng sinh 3 ngày, theo dõi nhịp thở.", "Uống thuốc đủ ngày, khám lại ngay nếu thở nhanh, rút lõm ngực.",
        _bronchitis, tests=(BLOOD_COUNT, CHEST_XRAY), values=BLOOD,
        reports={CHEST_XRAY: ("Tăng đậm nhánh phế quản hai bên, không thấy đám mờ. Bóng tim không to.", "Hình ảnh viêm phế quản.", True)},
        fever=Decimal("38.4"), spo2=96, breath_extra=6, follow_up_days=3,
    ),
    Case(
        "asthma", "Tái khám hen", "Hen đã chẩn đoán, tháng này khò khè 2 lần, đáp ứng thuốc cắt cơn, ngủ được.",
        "Tỉnh, không khó thở, phổi không ran rít, nhịp tim đều, không chàm.", "J45.0", "Hen kiểm soát một phần, giữ thuốc dự phòng.",
        "Dùng thuốc dự phòng mỗi tối, súc miệng sau xịt, tránh khói thuốc.", _asthma, tests=(), spo2=98, follow_up_days=28,
    ),
    Case(
        "tonsillitis", "Sốt, đau họng 3 ngày", "Sốt 3 ngày cao nhất 39 °C, đau họng, ăn kém, không ho.",
        "Amidan hai bên sưng đỏ, có chấm mủ, hạch góc hàm nhỏ, phổi không ran.", "J03.9", "Kháng sinh 7 ngày.",
        "Uống đủ kháng sinh 7 ngày, ăn mềm, uống nhiều nước.", _tonsillitis, tests=(BLOOD_COUNT, CRP), values={**BLOOD, "CRP": "38"},
        fever=Decimal("38.9"),
    ),
    Case(
        "otitis", "Đau tai phải, sốt", "Đau tai phải 2 ngày, sốt 38,3 °C, sổ mũi tuần trước.",
        "Màng nhĩ phải đỏ, phồng, chưa thủng. Tai trái bình thường. Phổi không ran.", "H66.9", "Kháng sinh 7 ngày, khám lại.",
        "Không ngoáy tai, khám lại sau 3 ngày hoặc khi chảy mủ tai.", _otitis, fever=Decimal("38.3"), follow_up_days=3,
    ),
    Case(
        "gut", "Tiêu lỏng 2 ngày, nôn", "Tiêu lỏng 5 lần mỗi ngày, nôn 2 lần, không máu, uống được.",
        "Tỉnh, mắt không trũng, nếp véo da mất nhanh, bụng mềm, không chướng.", "A09.9", "Bù nước đường uống, theo dõi mất nước.",
        "Uống bù nước từng ngụm, ăn bình thường, khám lại khi tiêu máu, lừ đừ, tiểu ít.", _gut, tests=(STOOL,), values={"STOOLOP": "Âm tính"},
        fever=Decimal("37.4"),
    ),
    Case(
        "hfm", "Sốt, nổi bóng nước tay chân", "Sốt nhẹ 1 ngày, nổi bóng nước lòng bàn tay, bàn chân, đau miệng, ăn ít.",
        "Bóng nước lòng bàn tay, bàn chân, loét miệng nhỏ. Không giật mình, không run chi, mạch đều.", "B08.4",
        "Độ 1, theo dõi tại nhà.", "Cách ly, rửa tay, khám lại ngay khi giật mình, sốt cao, nôn nhiều.", _fever_only,
        fever=Decimal("37.9"), follow_up_days=1,
    ),
    Case(
        "dengue", "Sốt cao ngày thứ 3", "Sốt cao liên tục 3 ngày, đau đầu, không xuất huyết, uống được.",
        "Tỉnh, da sung huyết, chưa xuất huyết, gan không to, tay chân ấm, mạch rõ.", "A97.0", "Theo dõi ngoại trú, thử lại công thức máu.",
        "Uống nhiều nước, không dùng aspirin, ibuprofen; vào viện ngay khi đau bụng, nôn, chảy máu, lừ đừ.", _fever_only,
        tests=(BLOOD_COUNT, DENGUE), values={**CALM_BLOOD, "WBC": "3.4", "PLT": "128", "HCT": "0.41", "DENNS1": "Dương tính"},
        fever=Decimal("39.1"), follow_up_days=1,
    ),
    Case(
        "hives", "Nổi mẩn ngứa toàn thân", "Nổi mẩn ngứa từ tối qua sau ăn hải sản, không khó thở, không sưng môi.",
        "Mảng mày đay rải rác thân mình, không phù mặt, phổi không ran.", "L50.9", "Kháng histamin 5 ngày, tránh món nghi ngờ.",
        "Vào viện ngay nếu khó thở, sưng môi, choáng.", _rash,
    ),
    Case(
        "thalassaemia", "Da xanh, mệt", "Da xanh từ nhỏ, mệt tăng 1 tháng nay, không sốt, không xuất huyết.",
        "Da xanh, kết mạc nhạt, lách to 3 cm dưới bờ sườn, tim đều, phổi không ran.", "D56.1",
        "Cần truyền máu và theo dõi chuyên khoa huyết học.", "Khám chuyên khoa huyết học theo giấy chuyển.", _none,
        tests=(BLOOD_COUNT, FERRITIN, BELLY_ULTRASOUND),
        values={**CALM_BLOOD, "HGB": "68", "HCT": "0.21", "MCV": "62", "MCH": "19.8", "FERR": "1420"},
        reports={BELLY_ULTRASOUND: ("Gan không to. Lách 11 cm, nhu mô đồng nhất. Không dịch ổ bụng.", "Lách to.", True)},
        result="3",
    ),
)
ADULT_CASES: tuple[Case, ...] = (
    Case(
        "pressure", "Khám lại tăng huyết áp", "Tăng huyết áp nhiều năm, uống thuốc đều, thỉnh thoảng nhức đầu.",
        "Tỉnh, tim đều, phổi không ran, không phù.", "I10", "Giữ thuốc, theo dõi huyết áp tại nhà.",
        "Ăn nhạt, đo huyết áp mỗi sáng, khám lại theo hẹn.", _pressure, tests=(CREATININE, ECG), values={"CRE": "86"},
        reports={ECG: ("Nhịp xoang 76 lần/phút, trục trung gian.", "Điện tim bình thường.", False)}, follow_up_days=28,
    ),
    Case(
        "sugar", "Khám lại đái tháo đường", "Đái tháo đường 5 năm, ăn kiêng chưa đều, không tê chân.",
        "Tỉnh, chân không loét, mạch mu chân rõ.", "E11.9", "Chỉnh chế độ ăn, giữ thuốc.",
        "Đi bộ mỗi ngày, thử đường huyết mỗi tuần, khám lại theo hẹn.", _sugar, tests=(GLUCOSE, HBA1C),
        values={"GLU": "8.4", "HBA1C": "7.4"}, follow_up_days=28,
    ),
    Case(
        "adult_bronchitis", "Ho đàm 5 ngày", "Ho đàm trắng 5 ngày, sốt nhẹ, không khó thở.", "Phổi ran ngáy rải rác, tim đều.",
        "J20.9", "Điều trị ngoại trú 5 ngày.", "Uống nhiều nước, khám lại khi sốt cao, khó thở.", _bronchitis,
        tests=(BLOOD_COUNT, CHEST_XRAY), values=CALM_BLOOD,
        reports={CHEST_XRAY: ("Không thấy tổn thương nhu mô. Bóng tim bình thường.", "X-quang ngực bình thường.", False)},
        fever=Decimal("37.6"),
    ),
    Case(
        "stomach", "Đau thượng vị", "Đau thượng vị sau ăn 2 tuần, ợ chua, không sụt cân.", "Bụng mềm, ấn đau nhẹ thượng vị.",
        "K29.7", "Điều trị 2 tuần, đánh giá lại.", "Ăn đúng giờ, tránh rượu bia, cay nóng.", _stomach,
        tests=(BELLY_ULTRASOUND,),
        reports={BELLY_ULTRASOUND: ("Gan, mật, tụy, thận bình thường.", "Siêu âm bụng chưa thấy bất thường.", False)},
        follow_up_days=14,
    ),
)  # fmt: skip
BY_CODE = {case.code: case for case in (*CHILD_CASES, *ADULT_CASES)}
