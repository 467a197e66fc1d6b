"""Password policy, waiting times, separation of duties, roles after the standard."""

from __future__ import annotations

import itertools

import pytest

from his.identity.rules import EXCLUSIVE, ROLE_NAMES, ROLE_PERMISSIONS, check_password, check_roles, wait_seconds

WHO = {"username": "lethuha", "display_name": "Lê Thị Thu Hà", "hospital": "Bệnh viện Nhi Bình Minh"}


@pytest.mark.parametrize("password", ["Xe-dap 7 mua ruoi!", "q8#Kp2 vZ!mM4w0", "Tram-Cau_92-khoi-Sua"])
def test_long_mixed_passwords_pass(password: str) -> None:
    assert check_password(password, second_factor=False, **WHO) == ""


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("Ngan1!", "ít nhất 14 ký tự"), ("a" * 129, "nhiều nhất 128"), ("chuthuongkhongdau7!", "chữ hoa"),
        ("CHUHOAKHONGTHUONG7!", "chữ thường"), ("Khongcosokhongco!", "số"), ("Khongcodau7777777", "dấu"),
        ("Benhvien@2026Benhvien@2026", "dễ đoán"), ("Lethuha@1990!!", "dễ đoán"), ("Password123456!", "dễ đoán"),
        ("Qwertyuiop123456!", "dễ đoán"), ("Binhminh@2026!!", "dễ đoán"), ("Aaaaaaaaaaaa1!", "dễ đoán"),
    ],
)  # fmt: skip
def test_a_weak_password_is_refused_with_the_way_out(password: str, says: str) -> None:
    assert says in check_password(password, second_factor=False, **WHO)


def test_with_a_second_factor_eight_are_enough() -> None:
    assert check_password("xe dap 7", second_factor=True, **WHO) == ""
    assert "ít nhất 8" in check_password("xe dap", second_factor=True, **WHO)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (4, 0), (5, 30), (6, 60), (7, 120), (9, 480), (10, 900), (500, 900)]
)
def test_waiting_grows_and_never_locks_for_ever(failures: int, seconds: int) -> None:
    assert wait_seconds(failures, 5) == seconds


def test_administrator_and_auditor_stand_alone() -> None:
    for first, second in itertools.permutations(ROLE_NAMES, 2):
        problem = check_roles([first, second])
        assert bool(problem) == (first in EXCLUSIVE or second in EXCLUSIVE), (first, second)


def test_roles_must_exist_and_be_chosen() -> None:
    assert "ít nhất một" in check_roles([])
    assert "wizard" in check_roles(["wizard"])


def test_every_role_has_permissions_and_two_names() -> None:
    assert set(ROLE_NAMES) == set(ROLE_PERMISSIONS)
    assert all(vi and en for vi, en in ROLE_NAMES.values())


NEVER = [
    ("administrator", ("records:", "examination:", "prescriptions:", "billing:", "pharmacy:", "laboratory:", "audit:")),
    ("auditor", ("records:", "examination:", "prescriptions:", "billing:", "identity:user:write", "catalogues:")),
    ("manager", ("records:", "examination:", "prescriptions:", "billing:")),
    ("cashier", ("examination:", "prescriptions:", "laboratory:", "pharmacy:")),
    ("clerk", ("examination:", "prescriptions:", "billing:payment", "laboratory:")),
    ("insurance_clerk", ("examination:note", "prescriptions:prescription:sign", "billing:payment")),
    ("pharmacist", ("prescriptions:prescription:sign", "prescriptions:prescription:draft", "examination:")),
    ("doctor", ("pharmacy:dispense", "billing:payment", "identity:", "audit:")),
    ("nurse", ("examination:visit:conclude", "prescriptions:prescription:sign", "orders:order:place")),
]


@pytest.mark.parametrize(("role", "prefixes"), NEVER)
def test_what_a_role_must_never_hold(role: str, prefixes: tuple[str, ...]) -> None:
    assert [p for p in ROLE_PERMISSIONS[role] if p.startswith(prefixes)] == []


def test_only_the_administrator_touches_accounts_and_only_the_auditor_reads_the_log() -> None:
    assert [r for r, ps in ROLE_PERMISSIONS.items() if any(p.startswith("identity:") for p in ps)] == ["administrator"]
    assert [r for r, ps in ROLE_PERMISSIONS.items() if "audit:event:read" in ps] == ["auditor"]
