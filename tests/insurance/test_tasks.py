"""Month exports that are killed, delivered twice, taken over; claims built by the clock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from his.core import clock
from his.core.config import current
from his.core.db import session, transaction
from his.insurance import queries, service, tasks
from his.insurance.enums import ExportState
from his.insurance.models import ClaimExport, ClaimFile
from his.insurance.service import export as export_module
from tests.factories import insurance as make
from tests.insurance import structure


class Killed(BaseException):
    """The worker is gone: nothing after this line of it runs."""


@pytest.fixture
def staff(db_session: Any) -> make.Staff:
    return make.ready()


@pytest.fixture
def month(staff: make.Staff, monkeypatch: pytest.MonkeyPatch) -> str:
    """A month of 26 claims, exported five at a time."""
    claim = make.claim_of(staff, make.journey(staff, "child", imaging_too=False))
    make.many_claims(claim, 25)
    monkeypatch.setattr(export_module, "CHUNK", 5)
    return claim.settlement_month


def start(month: str, staff: make.Staff, folder: Path | None = None) -> ClaimExport:
    with transaction():
        return service.start_export(month, actor=staff.insurance, folder=folder)


def reread(export: ClaimExport) -> ClaimExport:
    session().expire_all()
    return queries.get_export(export.export_id)


def lapse(export: ClaimExport) -> None:
    """A minute later: the lease of a dead worker is over."""
    with transaction() as here:
        here.execute(
            update(ClaimExport).where(ClaimExport.export_id == export.export_id).values(lease_until=clock.now() - timedelta(seconds=1))
        )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_month_becomes_one_whole_file_per_visit(month: str, staff: make.Staff) -> None:
    export = start(month, staff)
    tasks.export_month(export.export_id)
    done = reread(export)
    assert (done.state, done.done_count, done.total_count, done.problem) == (ExportState.DONE, 26, 26, "")
    files = contents(Path(done.folder))
    codes = {claim.visit_code for claim in session().query(ClaimFile)}
    assert set(files) == {f"{code}.xml" for code in codes}
    for data in files.values():
        assert structure.breaches(data) == []
    with zipfile.ZipFile(service.archive_of(done)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files


def test_missing_claims_are_built_before_the_export(staff: make.Staff, tmp_path: Path) -> None:
    made = make.journey(staff, "child", imaging_too=False)
    make.journey(staff, "uninsured")
    export = start(f"{clock.today():%Y-%m}", staff, tmp_path)
    tasks.export_month(export.export_id)
    assert list(contents(tmp_path)) == [f"{made.visit_code}.xml"]


@pytest.mark.parametrize("when", ["before the rename", "after the rename", "before the progress is kept"])
def test_a_worker_killed_in_the_middle_leaves_no_half_file_and_the_next_goes_on(
    month: str, staff: make.Staff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    export = start(month, staff, tmp_path)
    written = 0
    real_put, real_keep = export_module.put_file, export_module.keep_progress

    def put(path: Path, content: bytes) -> None:
        nonlocal written
        written += 1
        if written == 12:
            if when == "before the rename":
                path.with_name(f".{path.name}.part").write_bytes(content[: len(content) // 2])
                raise Killed
            real_put(path, content)
            if when == "after the rename":
                raise Killed
        else:
            real_put(path, content)

    def keep(*values: Any) -> bool:
        if when == "before the progress is kept" and written >= 12:
            raise Killed
        return real_keep(*values)

    with monkeypatch.context() as patch:
        patch.setattr(export_module, "put_file", put)
        patch.setattr(service, "keep_progress", keep)
        with pytest.raises(Killed):
            tasks.export_month(export.export_id)
    stopped = reread(export)
    assert (stopped.state, stopped.done_count) == (ExportState.RUNNING, 10)
    for path in tmp_path.glob("*.xml"):
        assert structure.breaches(path.read_bytes()) == []

    tasks.export_month(export.export_id)  # the queue delivers the task again: the lease is still held
    assert reread(export).done_count == 10

    lapse(export)
    written = 100
    tasks.resume_exports()
    done = reread(export)
    assert (done.state, done.done_count) == (ExportState.DONE, 26)
    names = list(contents(tmp_path))
    assert len(names) == 26
    assert not [name for name in names if name.endswith(".part")]


def test_an_export_run_twice_gives_the_same_bytes(month: str, staff: make.Staff, tmp_path: Path) -> None:
    first, second = start(month, staff, tmp_path / "a"), start(month, staff, tmp_path / "b")
    tasks.export_month(first.export_id)
    tasks.export_month(second.export_id)
    tasks.export_month(second.export_id)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    third, fourth = start(month, staff), None
    tasks.export_month(third.export_id)
    packed = service.archive_of(reread(third)).read_bytes()
    fourth = start(month, staff)
    tasks.export_month(fourth.export_id)
    assert service.archive_of(reread(fourth)).read_bytes() == packed


def test_a_second_press_shows_the_export_that_is_going_on(month: str, staff: make.Staff) -> None:
    first = start(month, staff)
    assert start(month, staff).export_id == first.export_id
    tasks.export_month(first.export_id)
    assert start(month, staff).export_id != first.export_id


def test_a_worker_that_was_overtaken_stops(month: str, staff: make.Staff, tmp_path: Path) -> None:
    export = start(month, staff, tmp_path)
    with transaction():
        service.take_lease(export.export_id)
        assert service.keep_progress(export.export_id, 0, 7, 1, [])
        assert not service.keep_progress(export.export_id, 0, 9, 1, [])
        assert service.take_lease(export.export_id) is None


def test_a_folder_that_cannot_be_written_says_so(month: str, staff: make.Staff, tmp_path: Path) -> None:
    blocked = tmp_path / "tệp"
    blocked.write_text("đây là tệp, không phải thư mục")
    export = start(month, staff, blocked)
    tasks.export_month(export.export_id)
    done = reread(export)
    assert done.state is ExportState.FAILED
    assert "Không ghi được" in done.problem


def test_claims_of_settled_visits_build_themselves(staff: make.Staff) -> None:
    made = make.journey(staff, "child", imaging_too=False)
    tasks.build_settled()
    tasks.build_settled()
    assert len(queries.versions_of(made.visit_id)) == 1


def test_a_whole_month_is_checked_again(staff: make.Staff) -> None:
    claim = make.claim_of(staff, make.journey(staff, "child", imaging_too=False))
    with transaction() as here:
        here.execute(update(ClaimFile).where(ClaimFile.claim_id == claim.claim_id).values(error_count=9))
    tasks.build_month(claim.settlement_month)
    session().expire_all()
    assert queries.get_claim(claim.claim_id).error_count == 0


WORKER = """
import os, signal, sys
from his.app import create_app
from his.insurance import tasks
from his.insurance.service import export

app = create_app(part="worker")
export.CHUNK = 5
real, count = export.put_file, 0

def put(path, content):
    global count
    count += 1
    if count == int(sys.argv[2]):
        path.with_name(f".{path.name}.part").write_bytes(content[:100])
        os.kill(os.getpid(), signal.SIGKILL)
    real(path, content)

export.put_file = put
with app.app_context():
    tasks.export_month(int(sys.argv[1]))
"""


@pytest.mark.server
def test_kill_9_of_a_real_worker_loses_and_doubles_nothing(committed: Any, tmp_path: Path) -> None:
    staff = make.ready()
    claim = make.claim_of(staff, make.journey(staff, "child", imaging_too=False))
    make.many_claims(claim, 25)
    export = start(claim.settlement_month, staff, tmp_path / "out")
    script = tmp_path / "worker.py"
    script.write_text(textwrap.dedent(WORKER), "utf-8")
    environment = {
        **os.environ, "HIS_ENV": "development", "HIS_DATABASE_URL": committed.url, "HIS_VAR_DIR": str(tmp_path / "var"),
        "HIS_LOG_LEVEL": "ERROR", "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }  # fmt: skip

    def work(die_at: int) -> int:
        return subprocess.run([sys.executable, str(script), str(export.export_id), str(die_at)], env=environment, check=False, timeout=90).returncode

    assert work(13) == -signal.SIGKILL
    stopped = reread(export)
    assert (stopped.state, stopped.done_count) == (ExportState.RUNNING, 10)
    assert len(list((tmp_path / "out").glob("*.xml"))) == 12
    lapse(export)
    assert work(999) == 0
    done = reread(export)
    assert (done.state, done.done_count) == (ExportState.DONE, 26)
    names = [path.name for path in (tmp_path / "out").iterdir()]
    assert len(names) == 26
    assert all(name.endswith(".xml") and not name.startswith(".") for name in names)
    for path in (tmp_path / "out").iterdir():
        assert structure.breaches(path.read_bytes()) == []


def test_exports_lie_in_the_installation_s_own_folder(month: str, staff: make.Staff) -> None:
    export = start(month, staff)
    assert Path(export.folder).is_relative_to(current().var_dir)


def test_an_export_never_packs_files_of_another_that_bore_its_number(month: str, staff: make.Staff) -> None:
    export = start(month, staff)
    again = export_module.new_folder(export)  # its number once more, as after a restored backup
    assert again.parent == Path(export.folder).parent
    assert again != Path(export.folder)
