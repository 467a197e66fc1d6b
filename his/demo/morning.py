"""This morning at the demo hospital: patients in every state, up to the present minute.

Times are counted back from now, so that the queues look alive whenever the hospital is loaded; after midnight the
morning shrinks to fit into the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from his.core import clock
from his.demo.cases import BY_CODE
from his.demo.journey import MINUTES, House, Plan, Stage, live, step
from his.demo.people import person
from his.examination import queries as exam_queries
from his.examination import service as examination
from his.referrals import service as referrals
from his.referrals.enums import ReferralReason

LENGTH = 150  # minutes before now at which the first patient comes


@dataclass(frozen=True, slots=True)
class Entry:
    """One patient of the morning: minutes before now at the door, room, complaint, how far."""

    name: str
    ago: int
    room: str
    case: str
    stage: Stage
    reason: str = ""
    weight: str = ""
    temperature: str = ""
    absent: bool = False
    paper: str = ""


# In the order of arrival. Room 214 is the one drawn in the screens.
TODAY: tuple[Entry, ...] = (
    Entry("Lê Gia Phúc", 148, "214", "bronchitis", Stage.DISPENSED),
    Entry("Võ Bảo Khôi", 146, "101", "tonsillitis", Stage.DISPENSED),
    Entry("Đỗ Bảo Tùng", 143, "102", "cold", Stage.DISPENSED),
    Entry("Hồ Minh Nhi", 141, "213", "asthma", Stage.DISPENSED),
    Entry("Trần Đăng Khoa", 139, "213", "thalassaemia", Stage.RESULTED, "Da xanh, mệt", "16.8"),
    Entry("Đỗ Gia Long", 137, "216", "gut", Stage.DISPENSED),
    Entry("Dương Minh Vy", 134, "218", "pressure", Stage.DISPENSED),
    Entry("Phạm Bảo Hưng", 131, "101", "otitis", Stage.PAID),
    Entry("Lê Đức Khang", 128, "218", "pressure", Stage.PAID),
    Entry("Lý Ngọc Vy", 126, "103", "tonsillitis", Stage.PAID),
    Entry("Hồ Thị Lan", 122, "216", "stomach", Stage.CONCLUDED),
    Entry("Ngô Quốc Nam", 119, "214", "bronchitis", Stage.CONCLUDED, paper="000482/2026/PCCSKBCB"),
    Entry("Bùi Phương Uyên", 116, "101", "hfm", Stage.CONCLUDED),
    Entry("Huỳnh Gia Bách", 114, "218", "thalassaemia", Stage.RESULTED, "Mệt, da xanh", paper="000977/2026/PCCSKBCB"),
    Entry("Đặng Thị Mai", 112, "218", "sugar", Stage.CONCLUDED),
    Entry("Phùng Nhật Minh", 108, "102", "cold", Stage.CONCLUDED, "Sốt, chảy mũi"),
    Entry("Lê Hoài Trâm", 104, "103", "tonsillitis", Stage.SIGNED),
    Entry("Võ Hoàng Phúc", 100, "102", "otitis", Stage.DRAFTED),
    Entry("Bùi Phương Thảo", 97, "103", "dengue", Stage.RESULTED),
    Entry("Đỗ Quang Huy", 94, "214", "bronchitis", Stage.RESULTED, "Đọc kết quả X-quang", "21.5", "36.9"),
    Entry("Lý Hoàng Tùng", 90, "101", "dengue", Stage.ENTERED),
    Entry("Lê Thị Hương", 86, "214", "bronchitis", Stage.ENTERED),
    Entry("Hoàng Hoài Mai", 82, "218", "sugar", Stage.SAMPLED),
    Entry("Võ Minh Khôi", 78, "216", "stomach", Stage.SAMPLED),
    Entry("Đỗ Minh Lan", 74, "102", "tonsillitis", Stage.ORDERED),
    Entry("Phan Bảo Duy", 71, "214", "bronchitis", Stage.ORDERED),
    Entry("Phạm Minh Đức", 66, "101", "cold", Stage.CALLED, "Sốt, ho"),
    Entry("Trần Bảo Vy", 63, "218", "pressure", Stage.CALLED),
    Entry("Triệu Minh Quân", 60, "102", "hives", Stage.IN_EXAM),
    Entry("Cao Phương Linh", 57, "103", "hfm", Stage.WAITING),
    Entry("Quách Tuấn Kiệt", 55, "214", "cold", Stage.CALLED, absent=True),
    Entry("Nguyễn Ngọc Bảo An", 52, "214", "bronchitis", Stage.IN_EXAM, "Ho, khò khè 4 ngày", "14.2", "38.4"),
    Entry("Kiều Anh Thư", 50, "101", "cold", Stage.WAITING),
    Entry("Lâm Hải Yến", 47, "214", "asthma", Stage.WAITING, "Tái khám hen", "17.0", "36.7"),
    Entry("Vũ Đình Phong", 44, "214", "bronchitis", Stage.WAITING, "Ho đêm kéo dài", "24.3", "36.8"),
    Entry("Châu Mỹ Tâm", 41, "214", "cold", Stage.WAITING, "Sốt ngày 2, ho", "11.1", "39.1"),
    Entry("Hồ Khánh Vy", 39, "216", "gut", Stage.WAITING, "Tiêu lỏng 2 ngày"),
    Entry("Hà Tuệ Lâm", 36, "214", "bronchitis", Stage.WAITING, "Ho có đàm 5 ngày", "13.4", "37.2"),
    Entry("Ngô Thiên Phúc", 34, "213", "cold", Stage.WAITING, "Ho, sổ mũi"),
    Entry("Nguyễn Thành Đạt", 31, "214", "bronchitis", Stage.WAITING, "Tái khám sau viêm phổi", "31.2", "36.5"),
    Entry("Tạ Nhã Uyên", 29, "213", "cold", Stage.WAITING, "Ho, sốt nhẹ"),
    Entry("Lương Gia Bảo", 27, "101", "hfm", Stage.WAITING, "Nổi bóng nước tay chân"),
    Entry("Mạc Quốc Thịnh", 25, "102", "tonsillitis", Stage.WAITING, "Đau họng, sốt"),
    Entry("Trần Gia Hưng", 22, "214", "bronchitis", Stage.WAITING, "Ho, khò khè 3 ngày", "9.8", "37.9"),
    Entry("Âu Dương Khả Hân", 20, "301", "otitis", Stage.WAITING, "Đau tai"),
    Entry("Vương Bảo Ngọc", 18, "101", "cold", Stage.WAITING, "Sổ mũi, quấy"),
    Entry("Lại Thùy Dương", 15, "305", "hives", Stage.WAITING, "Nổi mẩn ngứa"),
    Entry("Nghiêm Đức Anh", 13, "301", "otitis", Stage.WAITING, "Đau tai, sốt"),
    Entry("Huỳnh Thị Châu", 11, "218", "pressure", Stage.WAITING, "Khám lại huyết áp"),
    Entry("Đinh Hoàng Long", 9, "216", "gut", Stage.WAITING, "Nôn, tiêu lỏng"),
    Entry("Phạm Thị Châu", 7, "102", "cold", Stage.WAITING, "Sốt"),
    Entry("Bùi Ngọc Thảo", 5, "103", "hives", Stage.WAITING, "Ngứa hai tay"),
    Entry("Võ Hoàng Hưng", 3, "305", "hives", Stage.WAITING, "Ngứa toàn thân"),
)
DESTINATION = "79923"
VITALS_NEED = 12  # minutes after arrival before the nurse has measured


def load(house: House) -> int:
    """Let the morning happen; returns the number of visits. A patient who is here already is left alone."""
    now = clock.now()
    since_midnight = (now - clock.day_bounds(clock.local(now).date())[0]).total_seconds() / 60
    scale = min(1.0, max(since_midnight - 2, 1) / LENGTH)
    count = 0
    for entry in TODAY:
        arrives = now - timedelta(minutes=entry.ago * scale)
        needed = MINUTES[entry.stage] + 3
        pace = min(1.0, entry.ago * scale / needed) if entry.stage > Stage.WAITING else scale
        plan = Plan(
            person(entry.name), arrives, entry.room, BY_CODE[entry.case], entry.stage, entry.reason,
            pace=pace, weight=Decimal(entry.weight) if entry.weight else None,
            temperature=Decimal(entry.temperature) if entry.temperature else None, is_absent=entry.absent,
            with_vitals=entry.stage > Stage.WAITING or entry.ago > VITALS_NEED, paper_number=entry.paper,
            route="CHUYEN" if entry.paper else "",
        )  # fmt: skip
        visit_id = live(plan, house)
        if visit_id is None:
            continue
        count += 1
        if entry.case == "thalassaemia":
            _refer(plan, house, visit_id, now, issued=entry.room == "213")
        if entry.name == "Nguyễn Ngọc Bảo An":
            _draft(plan, house, visit_id)
    return count


def _draft(plan: Plan, house: House, visit_id: int) -> None:
    """The doctor is still typing: a draft newer than the saved note."""
    note = exam_queries.note_of(visit_id)
    if note is None:
        return
    with step(plan.moment(MINUTES[Stage.IN_EXAM] + 4)):
        examination.save_draft(
            visit_id, {"history": note.history, "findings": f"{note.findings} Tai hai bên bình thường."}, 7,
            actor=house.act("bacsi"),
        )  # fmt: skip


def _refer(plan: Plan, house: House, visit_id: int, now: datetime, *, issued: bool) -> None:
    """A referral written and signed by the doctor; the head of department issues it (or will)."""
    doctor = house.doctor_of(plan.room)
    signed = min(plan.moment(MINUTES[Stage.RESULTED] + 10), now - timedelta(minutes=2))
    with step(signed):
        actor = house.signing(doctor)
        referral = referrals.draft(visit_id, actor=actor)
        referrals.save(
            referral.referral_id,
            referrals.ReferralData(
                destination_code=DESTINATION, reason=ReferralReason.BEYOND_CAPACITY, is_one_year=True,
                clinical_signs=referral.clinical_signs, course=referral.course, results_summary=referral.results_summary,
                procedures="Không", treatment_done="Acid folic 5 mg", condition=referral.condition,
                plan="Truyền máu, theo dõi chuyên khoa huyết học.", transport="Tự túc, gia đình đưa đi", result_code="3",
            ),
            None, actor=actor,
        )  # fmt: skip
        referrals.sign(referral.referral_id, actor=actor)
        number = referral.referral_id
    if not issued:
        return
    with step(min(signed + timedelta(minutes=6), now - timedelta(minutes=1))):
        referrals.issue(number, actor=house.signing("truongkhoa"))
