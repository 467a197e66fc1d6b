"""Pure decisions at the door: password policy, waiting times, and which role may do what."""

from __future__ import annotations

import re
from collections.abc import Iterable

ROLE_NAMES: dict[str, tuple[str, str]] = {
    "clerk": ("Tiếp đón", "Front-desk clerk"),
    "nurse": ("Điều dưỡng", "Nurse"),
    "doctor": ("Bác sĩ", "Doctor"),
    "head": ("Trưởng khoa", "Head of department"),
    "pharmacist": ("Dược sĩ", "Pharmacist"),
    "cashier": ("Thu ngân", "Cashier"),
    "lab_tech": ("Kỹ thuật viên xét nghiệm", "Laboratory technician"),
    "imaging_tech": ("Kỹ thuật viên hình ảnh", "Imaging technician"),
    "insurance_clerk": ("Nhân viên BHYT", "Insurance clerk"),
    "records_officer": ("Phòng hồ sơ", "Records officer"),
    "manager": ("Quản lý", "Manager"),
    "auditor": ("Kiểm soát nhật ký", "Auditor"),
    "administrator": ("Quản trị hệ thống", "Administrator"),
}

_DOCTOR = (
    "records:patient:find", "records:patient:read", "records:visit:read", "records:allergy:write",
    "registration:queue:read", "registration:queue:call", "registration:card:check",
    "examination:worklist:read", "examination:note:read", "examination:note:write", "examination:vitals:write",
    "examination:visit:conclude", "orders:order:read", "orders:order:place", "orders:order:cancel",
    "laboratory:result:read", "laboratory:result:release", "imaging:report:read", "imaging:report:release",
    "imaging:report:write", "imaging:worklist:read",
    "prescriptions:prescription:read", "prescriptions:prescription:draft", "prescriptions:prescription:sign",
    "prescriptions:prescription:void", "prescriptions:alert:override", "stock:stock:read", "billing:price:read",
    "documents:paper:read", "documents:paper:print", "referrals:referral:read", "referrals:referral:write",
    "referrals:referral:sign", "catalogues:catalogue:search",
)  # fmt: skip

# Security standard §4, one row per role. A deviation needs a record (ADR).
ROLE_PERMISSIONS: dict[str, tuple[str, ...]] = {
    "clerk": (
        "records:patient:find", "records:patient:write", "registration:visit:open", "registration:visit:cancel",
        "registration:queue:read", "registration:queue:call", "registration:card:check", "billing:price:read",
        "documents:paper:print", "catalogues:catalogue:search",
    ),
    "nurse": (
        "records:patient:find", "records:patient:read", "records:visit:read", "records:allergy:write",
        "registration:queue:read", "registration:queue:call", "registration:card:check",
        "examination:worklist:read", "examination:note:read", "examination:vitals:write", "orders:order:read",
        "laboratory:result:read", "imaging:report:read", "prescriptions:prescription:read",
        "documents:paper:print", "documents:paper:read", "catalogues:catalogue:search",
    ),
    "doctor": _DOCTOR,
    "head": (*_DOCTOR, "referrals:referral:issue", "dashboards:dashboard:read"),
    "pharmacist": (
        "records:patient:find", "registration:queue:read", "registration:queue:call",
        "prescriptions:prescription:read", "pharmacy:prescription:read", "pharmacy:dispense:write",
        "pharmacy:dispense:void", "stock:stock:read", "stock:stock:receive", "stock:stock:correct",
        "documents:paper:print", "catalogues:catalogue:search", "catalogues:catalogue:read",
    ),
    "cashier": (
        "records:patient:find", "registration:queue:read", "registration:queue:call", "registration:card:check",
        "billing:bill:read", "billing:payment:take", "billing:price:read", "billing:payment:void",
        "documents:paper:print", "catalogues:catalogue:search",
    ),
    "lab_tech": (
        "records:patient:find", "registration:queue:read", "registration:queue:call", "laboratory:worklist:read",
        "laboratory:result:enter", "laboratory:result:release", "laboratory:result:read", "orders:order:read",
        "documents:paper:print", "catalogues:catalogue:search",
    ),
    "imaging_tech": (
        "records:patient:find", "registration:queue:read", "registration:queue:call", "imaging:worklist:read",
        "imaging:report:write", "imaging:report:read", "orders:order:read", "documents:paper:print",
        "catalogues:catalogue:search",
    ),
    "insurance_clerk": (
        "records:patient:find", "registration:card:check", "insurance:claim:read", "insurance:claim:build",
        "insurance:claim:submit", "insurance:claim:export", "insurance:card:check", "billing:bill:read",
        "documents:paper:print", "documents:paper:read", "catalogues:catalogue:search", "catalogues:catalogue:read",
        "dashboards:dashboard:read",
    ),
    "records_officer": (
        "records:patient:find", "records:patient:read", "records:patient:write", "records:patient:merge",
        "records:visit:read", "examination:note:read", "laboratory:result:read", "imaging:report:read",
        "prescriptions:prescription:read", "referrals:referral:read", "documents:paper:read", "documents:paper:print",
        "dashboards:dashboard:read", "catalogues:catalogue:search",
    ),
    "manager": (
        "dashboards:dashboard:read", "catalogues:catalogue:read", "referrals:referral:read", "referrals:referral:issue",
        "documents:paper:read", "documents:paper:print",
    ),
    "auditor": ("audit:event:read",),
    "administrator": (
        "identity:user:read", "identity:user:write", "identity:session:end", "catalogues:catalogue:read",
        "catalogues:catalogue:search", "catalogues:catalogue:import",
    ),
}  # fmt: skip
# SOD-6, SOD-7: an administrator holds no clinical, cash or auditor role; an auditor holds no other role.
EXCLUSIVE = ("administrator", "auditor")

KEYBOARD_WALKS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "0987654321", "abcdefghijkl")
HABITS = (
    "benhvien", "bacsi", "dieuduong", "duocsi", "yte", "suckhoe", "matkhau", "password", "admin", "vietnam", "saigon",
    "hochiminh", "tphcm", "hanoi", "anhyeuem", "iloveyou", "welcome", "letmein", "nhidong", "binhminh", "bhyt",
    "khambenh", "quantri", "medisoft", "hospital", "doctor", "nurse", "khongbiet", "tinhyeu", "giadinh", "conyeu",
)  # fmt: skip


def check_roles(roles: Iterable[str]) -> str:
    """Return what is wrong with a set of roles ("" = fine): separation of duties SOD-6, SOD-7."""
    held = set(roles)
    unknown = held - set(ROLE_NAMES)
    if unknown:
        return f"Không có vai trò {', '.join(sorted(unknown))}."
    if not held:
        return "Chọn ít nhất một vai trò."
    for role in EXCLUSIVE:
        if role in held and len(held) > 1:
            return f"Vai trò {ROLE_NAMES[role][0]} không đi cùng vai trò khác."
    return ""


def check_password(password: str, *, username: str, display_name: str, hospital: str, second_factor: bool) -> str:
    """Return what is wrong with a new password in one sentence ("" = fine).

    14 characters with lower, upper, digit and sign without a second factor, 8 with one (TCVN 14423:2026 3.6/4.6);
    common words, keyboard walks, own and hospital names do not count as length.
    """
    least = 8 if second_factor else 14
    if len(password) < least:
        return f"Mật khẩu cần ít nhất {least} ký tự. Ghép vài từ không liên quan với số và dấu."
    if len(password) > 128:
        return "Mật khẩu nhiều nhất 128 ký tự."
    if not second_factor and not (
        re.search(r"[a-z]", password)
        and re.search(r"[A-Z]", password)
        and re.search(r"\d", password)
        and re.search(r"[^A-Za-z0-9]", password)
    ):
        return "Mật khẩu cần đủ chữ thường, chữ hoa, số và dấu."
    rest = password.lower()
    own = [w for w in re.split(r"\W+", f"{username} {display_name} {hospital}".lower()) if len(w) >= 3]
    for weak in (*HABITS, *own):
        rest = rest.replace(weak, "")
    rest = re.sub(r"(19|20)\d\d", "", rest)
    for walk in KEYBOARD_WALKS:
        for size in range(len(walk), 3, -1):
            for start in range(len(walk) - size + 1):
                rest = rest.replace(walk[start : start + size], "")
    if len(set(rest)) < 5:
        return "Mật khẩu dễ đoán (từ thường gặp, tên, năm, phím liền nhau). Dùng từ khác."
    return ""


def wait_seconds(failures: int, limit: int) -> int:
    """Return how long to wait after so many wrong tries: nothing up to the limit, then 30 s doubling up to 15 min."""
    if failures < limit:
        return 0
    return int(min(30 * 2 ** (failures - limit), 900))
