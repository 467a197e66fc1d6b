"""`his check`: does everything this installation stands on work? For people a table, for machines JSON.

A check never raises: what goes wrong inside it is what it reports. ``bad`` makes the exit code 1, ``warn`` does not.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from cryptography import x509
from flask.cli import with_appcontext
from sqlalchemy import func, select, text

from his.core import clock, jobs, migrate, outbox
from his.core.config import DEVELOPMENT_SECRET, current
from his.core.db import db, session
from his.core.errors import Finding, Severity
from his.core.module import registry
from his.core.tasks import Heartbeat

OK, WARN, BAD = "ok", "warn", "bad"
WORKER_SILENCE = timedelta(seconds=60)
OUTBOX_AGE = timedelta(minutes=15)
CLOCK_TOLERANCE = timedelta(seconds=60)  # REL-34
CERTIFICATE_WARNING = timedelta(days=30)
DISK_WARN_BYTES = 2 * 1024**3
DISK_BAD_BYTES = 200 * 1024**2


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found. ``state`` is ok, warn or bad; ``text`` a Vietnamese sentence that says what to do."""

    name: str
    title: str
    state: str
    text: str


def settings() -> tuple[str, str]:
    """Tell the kind of installation and whether its key is its own."""
    here = current()
    if here.secret_key == DEVELOPMENT_SECRET:
        return WARN, "Đang dùng khóa phát triển. Đặt HIS_SECRET_KEY riêng trước khi dùng thật."
    return OK, f"Kiểu cài đặt: {here.env}."


def database() -> tuple[str, str]:
    """Ask the database something."""
    dialect = session().get_bind().dialect.name
    version = session().execute(text("SELECT sqlite_version()" if dialect == "sqlite" else "SHOW server_version")).scalar_one()
    return OK, f"{dialect} {version} trả lời."


def migrations() -> tuple[str, str]:
    """Compare the revision of the database with the newest one."""
    found, head = migrate.current_and_head()
    if found != head:
        return BAD, f"Cơ sở dữ liệu ở phiên bản {found or 'trống'}, chương trình cần {head}. Chạy: his db upgrade"
    return OK, f"Phiên bản {found} là mới nhất."


def broker() -> tuple[str, str]:
    """Connect to the broker."""
    transport = current().broker.split(":", 1)[0]
    with jobs.celery.connection_for_write(connect_timeout=3) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0.2, timeout=4)
        connection.channel().close()  # the account may work, not only connect
    return OK, f"Hàng đợi công việc ({transport}) trả lời."


def worker() -> tuple[str, str]:
    """Tell when worker and beat were last heard of."""
    last = session().execute(select(Heartbeat.at).where(Heartbeat.name == "worker")).scalar_one_or_none()
    if last is None:
        return BAD, "Chưa từng thấy worker chạy. Khởi động worker và beat."
    age = clock.now() - last
    if age > WORKER_SILENCE:
        return BAD, f"Worker im lặng từ {clock.local(last):%H:%M:%S %d/%m/%Y}. Khởi động lại worker và beat."
    return OK, f"Worker báo nhịp {max(0, int(age.total_seconds()))} giây trước."


def messages() -> tuple[str, str]:
    """Tell how old the oldest unsent message is and how many need a person."""
    message = outbox.OutboxMessage
    oldest = session().execute(
        select(func.min(message.created_at)).where(message.state == outbox.OutboxState.READY)
    ).scalar_one_or_none()
    stuck = session().execute(
        select(func.count()).where(message.state.in_((outbox.OutboxState.UNKNOWN, outbox.OutboxState.DEAD)))
    ).scalar_one()
    if stuck:
        return WARN, f"{stuck} thông điệp gửi ra ngoài cần người xem (chưa rõ kết quả hoặc đã dừng)."
    if oldest is not None and clock.now() - oldest > OUTBOX_AGE:
        return WARN, f"Thông điệp chờ gửi lâu nhất từ {clock.local(oldest):%H:%M %d/%m/%Y}. Kiểm tra worker và cổng kết nối."
    return OK, "Không có thông điệp nào bị kẹt."


def disk() -> tuple[str, str]:
    """Tell how much room the data folder has."""
    usage = shutil.disk_usage(current().var_dir)
    words = f"Còn {usage.free / 1024**3:.1f} GiB trống trên ổ của thư mục dữ liệu."
    if usage.free < DISK_BAD_BYTES:
        return BAD, f"{words} Ghi dữ liệu sẽ bị từ chối: giải phóng chỗ ngay."
    if usage.free < DISK_WARN_BYTES:
        return WARN, f"{words} Dọn bớt hoặc mở rộng ổ."
    return OK, words


def clocks() -> tuple[str, str]:
    """Compare the clock of this machine with the database's (REL-34: more than 60 s apart is refused)."""
    if session().get_bind().dialect.name == "sqlite":
        return OK, f"Cơ sở dữ liệu dùng đồng hồ của máy này: {clock.local(clock.now()):%H:%M:%S %d/%m/%Y}."
    theirs = session().execute(text("SELECT clock_timestamp()")).scalar_one()
    apart = abs(theirs - datetime.now(UTC))
    if apart > CLOCK_TOLERANCE:
        return BAD, f"Đồng hồ máy này lệch cơ sở dữ liệu {int(apart.total_seconds())} giây. Chỉnh giờ (NTP) trước khi dùng."
    return OK, f"Đồng hồ lệch cơ sở dữ liệu {apart.total_seconds():.1f} giây."


def certificates() -> tuple[str, str]:
    """Tell when the configured certificates expire."""
    names = [name.strip() for name in current().certificate_files.split(",") if name.strip()]
    if not names:
        return OK, "Chưa khai báo chứng thư nào để theo dõi (HIS_CERTIFICATE_FILES)."
    state, words = OK, []
    for name in names:
        try:
            found = x509.load_pem_x509_certificates(Path(name).read_bytes())
        except (OSError, ValueError):
            state = BAD
            words.append(f"{name}: không đọc được")
            continue
        ends = min(certificate.not_valid_after_utc for certificate in found)
        left = ends - clock.now()
        words.append(f"{name}: hết hạn {clock.local(ends):%d/%m/%Y}")
        if left <= timedelta(0):
            state = BAD
        elif left <= CERTIFICATE_WARNING and state == OK:
            state = WARN
    return state, "; ".join(words) + ("." if state == OK else ". Gia hạn và thay tệp.")


CHECKS: tuple[tuple[str, str, Callable[[], tuple[str, str]]], ...] = (
    ("settings", "Cấu hình", settings),
    ("database", "Cơ sở dữ liệu", database),
    ("migrations", "Phiên bản lược đồ", migrations),
    ("broker", "Hàng đợi", broker),
    ("worker", "Worker", worker),
    ("outbox", "Gửi ra ngoài", messages),
    ("disk", "Ổ đĩa", disk),
    ("clock", "Đồng hồ", clocks),
    ("certificates", "Chứng thư", certificates),
)
TITLES = {"fonts": "Phông chữ, in ấn", "insurer": "Cổng giám định BHYT", "national_rx": "Đơn thuốc quốc gia"}


def run() -> list[CheckResult]:
    """Run every check of the house and of its modules."""
    results = [_safely(name, title, check) for name, title, check in CHECKS]
    results += [
        _safely(name, TITLES.get(name, name), lambda check=check: _verdict(check()))  # type: ignore[misc]
        for module in registry().modules
        for name, check in module.checks.items()
    ]
    return results


def _verdict(problems: Sequence[str | Finding]) -> tuple[str, str]:
    """Turn what a module's check found into a state: a text is bad, a finding may be a warning only."""
    if not problems:
        return OK, "Tốt."
    words = " ".join(p.message if isinstance(p, Finding) else p for p in problems)
    only_warnings = all(isinstance(p, Finding) and p.severity is not Severity.ERROR for p in problems)
    return (WARN if only_warnings else BAD), words


def _safely(name: str, title: str, check: Callable[[], tuple[str, str]]) -> CheckResult:
    try:
        state, words = check()
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is the finding
        db.session.rollback()
        state, words = BAD, f"Không kiểm tra được ({type(error).__name__}). Xem nhật ký và cấu hình của mục này."
    return CheckResult(name, title, state, words)


@click.command("check")
@click.option("--json", "as_json", is_flag=True, help="for machines")
@with_appcontext
def cli(*, as_json: bool) -> None:
    """Test what this installation stands on; exit code 1 when something is bad."""
    results = run()
    bad = [result for result in results if result.state == BAD]
    if as_json:
        click.echo(json.dumps({"ok": not bad, "checks": [asdict(r) for r in results]}, ensure_ascii=False, indent=1))
    else:
        width = max(len(result.title) for result in results)
        marks = {OK: "tốt    ", WARN: "lưu ý  ", BAD: "HỎNG   "}
        for result in results:
            click.echo(f"{marks[result.state]} {result.title.ljust(width)}  {result.text}")
    if bad:
        raise SystemExit(1)
