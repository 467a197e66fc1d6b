"""The people who work in the demo hospital. All invented; the names follow the screens they were drawn for.

One password and one signing PIN for everybody: the demo must never hold real patients, and `his demo load` refuses to
run in production (SEC-27).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from his.core.actor import SYSTEM, Actor
from his.core.config import activate, current
from his.core.i18n import LANGUAGES, select_locale
from his.identity import queries as identity_queries
from his.identity import service as identity
from his.identity.models import User

PASSWORD = "Sen-Trang-Lua-24"  # noqa: S105 - the demo's published password
PIN = "258036"


@dataclass(frozen=True, slots=True)
class Person:
    """One member of the staff. The log-in name says the role."""

    username: str
    name: str
    role: str
    title: str = ""
    room: str = ""
    department: str = "K01"
    signs: bool = False


STAFF: tuple[Person, ...] = (
    Person("tiepdon", "Lê Thị Thu Hà", "clerk", room="Q3"),
    Person("tiepdon2", "Nguyễn Thị Bích Phượng", "clerk", room="Q1"),
    Person("dieuduong", "Phan Thị Mai", "nurse", "ĐD.", "214"),
    Person("dieuduong2", "Trần Thị Cẩm Tú", "nurse", "ĐD.", "101"),
    Person("bacsi", "Trần Minh Khôi", "doctor", "BS.", "214"),
    Person("bacsi213", "Võ Thị Kim Ngân", "doctor", "BS.", "213"),
    Person("bacsi101", "Đặng Hoài Nam", "doctor", "BS.", "101"),
    Person("bacsi102", "Lý Mỹ Duyên", "doctor", "BS.", "102"),
    Person("bacsi103", "Bùi Quốc Thái", "doctor", "BS.", "103"),
    Person("bacsi301", "Hồ Ngọc Ánh", "doctor", "BS.", "301"),
    Person("bacsi216", "Nguyễn Đức Trí", "doctor", "BS.", "216"),
    Person("bacsi305", "Phan Thảo Vy", "doctor", "BS.", "305"),
    Person("bacsi218", "Trương Vĩnh Hòa", "doctor", "BS.", "218"),
    Person("bacsi220", "Mai Anh Tuấn", "doctor", "BS.", "220"),
    Person("bacsimoi", "Tăng Nhật Huy", "doctor", "BS."),
    Person("bacsihinhanh", "Dương Quang Vinh", "doctor", "BS.", "CDHA1"),
    Person("truongkhoa", "Lâm Thị Ngọc Diệp", "head", "BS.", "", signs=True),
    Person("duocsi", "Huỳnh Minh Tâm", "pharmacist", "DS.", "NT1"),
    Person("duocsi2", "Đoàn Hải Yến", "pharmacist", "DS.", "NT1"),
    Person("thungan", "Vũ Thị Thanh Thủy", "cashier", room="TN1"),
    Person("xetnghiem", "Ngô Văn Lực", "lab_tech", "KTV.", "XN1"),
    Person("xetnghiem2", "Phạm Thị Hồng Gấm", "lab_tech", "KTV.", "XN1"),
    Person("hinhanh", "Cao Thành Long", "imaging_tech", "KTV.", "CDHA1"),
    Person("bhyt", "Trịnh Như Quỳnh", "insurance_clerk"),
    Person("hoso", "Tô Thị Lan Hương", "records_officer"),
    Person("quanly", "Đoàn Thị Hoa Lý", "manager", signs=True),
    Person("nhatky", "Hà Đức Chính", "auditor"),
    Person("quantri", "Lưu Quốc Bảo", "administrator"),
)
# One account of each role, in the order of the patient's way: the list on the log-in page and in the README.
SHOWN = (
    "tiepdon", "dieuduong", "bacsi", "xetnghiem", "xetnghiem2", "hinhanh", "bacsihinhanh", "thungan", "duocsi", "truongkhoa", "bhyt", "hoso", "quanly",
    "nhatky", "quantri",
)  # fmt: skip
# What people with the same role do differently (Vietnamese, English).
DUTIES = {
    "xetnghiem": ("Xét nghiệm, nhập", "Laboratory, enters"),
    "xetnghiem2": ("Xét nghiệm, duyệt", "Laboratory, releases"),
    "hinhanh": ("Hình ảnh, ghi", "Imaging, writes"),
    "bacsihinhanh": ("Bác sĩ hình ảnh, duyệt", "Imaging doctor, releases"),
}
# A newcomer whose practice licence was never typed in: the claims of these visits do not pass the checks.
WITHOUT_LICENCE = "bacsimoi"
LICENSED = ("doctor", "head", "nurse", "pharmacist", "lab_tech", "imaging_tech")


@contextmanager
def _light_hashing() -> Iterator[None]:
    """Hash the published password cheaply; the first log-in of each person hashes it anew at full strength."""
    settings = current()
    activate(settings.model_copy(update={"argon2_memory_kib": 16, "argon2_time": 1}))
    try:
        yield
    finally:
        activate(settings)


def load() -> int:
    """Create the accounts that are not there yet; returns how many."""
    identity.seed_roles()
    created = 0
    with _light_hashing():
        for number, person in enumerate(STAFF, start=1):
            if identity_queries.user_by_name(person.username) is not None:
                continue
            identity.create_user(
                person.username, person.name, [person.role], password=PASSWORD, must_change=False, pin=PIN, actor=SYSTEM,
                title=person.title, department_code=person.department, default_room=person.room,
                licence_number="" if person.username == WITHOUT_LICENCE or person.role not in LICENSED
                else f"{number:06d}/HCM-GPHN",
                insurer_code=f"79{number:08d}", personal_number=f"0791859{number:05d}", is_authorised_signer=person.signs,
            )  # fmt: skip
            created += 1
    return created


def user(username: str) -> User:
    """Return a member of the staff."""
    found = identity_queries.user_by_name(username)
    if found is None:
        raise LookupError(f"{username} is not in the demo hospital yet")
    return found


def actor(username: str) -> Actor:
    """Return a member of the staff as the one who acts."""
    found = user(username)
    return identity.actor_of(found, identity_queries.permissions_of(found.user_id), ip="127.0.0.1")


def _label(person: Person, language: int) -> str:
    """Return the role in words, with what this person does in it where two people share one."""
    return DUTIES.get(person.username, identity.ROLE_NAMES[person.role])[language]


def logins() -> list[dict[str, str]]:
    """Return the demo log-ins by role for the log-in page; empty when this database holds no demo hospital."""
    if current().is_production or identity_queries.user_by_name(SHOWN[0]) is None:
        return []
    by_name = {person.username: person for person in STAFF}
    language = LANGUAGES.index(select_locale())
    return [
        {
            "username": name,
            "password": PASSWORD,
            "role": _label(by_name[name], language),
            "name": f"{by_name[name].title} {by_name[name].name}".strip(),
        }
        for name in SHOWN
    ]
