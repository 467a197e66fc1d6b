"""Month exports: one file per claim, each whole or absent; killed at any moment it goes on where it stopped."""

from __future__ import annotations

import os
import re
import secrets
import zipfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import or_, update

from his.audit import service as audit
from his.core import clock, jobs
from his.core.actor import SYSTEM, Actor
from his.core.config import current
from his.core.db import session
from his.core.errors import DomainError
from his.insurance import queries
from his.insurance.enums import Action, ExportState
from his.insurance.models import ClaimExport, ClaimFile
from his.insurance.service.submit import claim_file

EXPORT_TASK: Final = "insurance.export_month"
LEASE: Final = timedelta(seconds=60)
CHUNK: Final = 200
_UNSAFE: Final = re.compile(r"[^0-9A-Za-z._-]")
_PART: Final = ".part"
_EPOCH: Final = (2000, 1, 1, 0, 0, 0)
_MOST_PROBLEMS: Final = 500


def exports_root() -> Path:
    """Where exports asked for on the screen lie."""
    return current().var_dir / "exports"


def start_export(month: str, *, actor: Actor, folder: Path | None = None) -> ClaimExport:
    """Begin a month export, or return the one of this month and folder that is still going on.

    Without a folder the files go below the installation's own folder and are packed for download.
    """
    queries.month_bounds(month)
    if folder is not None:
        running = queries.unfinished_export(month, str(folder))
    else:
        latest = queries.latest_export(month)
        running = latest if latest and latest.state in (ExportState.WAITING, ExportState.RUNNING) else None
    if running is not None:
        return running
    export = ClaimExport(month=month, state=ExportState.WAITING, folder=str(folder or ""), by_id=actor.user_id)
    session().add(export)
    session().flush()  # its folder bears its number
    if folder is None:
        export.folder = str(new_folder(export))
        jobs.enqueue(EXPORT_TASK, export_id=export.export_id)
    audit.record(actor, Action.EXPORT_START, subject_type="claim_export", subject_id=export.export_id, details={"month": month})
    return export


def new_folder(export: ClaimExport) -> Path:
    """Return a folder nobody used: numbers come again after a restored backup, files of two exports never mix."""
    return exports_root() / f"{export.month}-{export.export_id:06d}-{secrets.token_hex(4)}"


def take_lease(export_id: int) -> ClaimExport | None:
    """Take an export over, if nobody works on it; None when somebody does or it is done."""
    now = clock.now()
    taken = session().execute(
        update(ClaimExport)
        .where(
            ClaimExport.export_id == export_id,
            ClaimExport.state.in_((ExportState.WAITING, ExportState.RUNNING)),
            or_(ClaimExport.lease_until.is_(None), ClaimExport.lease_until < now),
        )
        .values(state=ExportState.RUNNING, lease_until=now + LEASE)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount == 0:  # type: ignore[attr-defined]
        return None
    return renew_lease(export_id)


def renew_lease(export_id: int) -> ClaimExport:
    """Say that the export is being worked on, and how many files it will have."""
    export = queries.get_export(export_id)
    export.lease_until = clock.now() + LEASE
    export.total_count = max(queries.exportable_count(export.month), export.done_count)
    return export


def write_next(export_id: int, last_claim_id: int) -> tuple[int, int, list[str]]:
    """Write the next files of an export; changes nothing in the database.

    Returns (id of the last claim written, number of files, what could not be written). Writing the same files again
    gives the same bytes.
    """
    export = queries.get_export(export_id)
    folder = Path(export.folder)
    folder.mkdir(parents=True, exist_ok=True)
    claims = queries.exportable(export.month, last_claim_id, CHUNK)
    problems: list[str] = []
    for claim in claims:
        try:
            put_file(folder / file_name(claim.visit_code), claim_file(claim))
        except DomainError as error:
            problems.append(f"{claim.visit_code}: {error.message}")
    last = claims[-1].claim_id if claims else last_claim_id
    count = len(claims)
    session().expunge_all()  # memory stays flat over the month
    return last, count, problems


def keep_progress(export_id: int, before: int, last_claim_id: int, count: int, problems: Sequence[str]) -> bool:
    """Note how far an export came; False when another worker took it over meanwhile (then stop)."""
    moved = session().execute(
        update(ClaimExport)
        .where(
            ClaimExport.export_id == export_id,
            ClaimExport.last_claim_id == before,
            ClaimExport.state == ExportState.RUNNING,
        )
        .values(
            last_claim_id=last_claim_id, done_count=ClaimExport.done_count + count, lease_until=clock.now() + LEASE
        )
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount == 0:  # type: ignore[attr-defined]
        return False
    export = queries.get_export(export_id)
    if problems:
        export.problem = "; ".join([*filter(None, [export.problem]), *problems])[:_MOST_PROBLEMS]
    export.total_count = max(export.total_count, export.done_count)
    return True


def finish(export_id: int) -> ClaimExport:
    """The last file is written: pack the folder for download, and say so."""
    export = queries.get_export(export_id)
    if export.state is ExportState.DONE:
        return export
    export.state, export.finished_at, export.lease_until = ExportState.DONE, clock.now(), None
    export.total_count = export.done_count
    audit.record(
        SYSTEM, Action.EXPORT_DONE, subject_type="claim_export", subject_id=export_id,
        details={"month": export.month, "count": export.done_count},
    )  # fmt: skip
    return export


def fail(export_id: int, problem: str) -> ClaimExport:
    """An export cannot go on (disk full, folder not writable): a person must look and start again."""
    export = queries.get_export(export_id)
    export.state, export.problem, export.lease_until = ExportState.FAILED, problem[:_MOST_PROBLEMS], None
    return export


def file_name(visit_code: str) -> str:
    """The name of a claim's file: the visit code, safe for any disk."""
    return f"{_UNSAFE.sub('_', visit_code)}.xml"


def put_file(path: Path, content: bytes) -> None:
    """Put a file in place whole: written beside, flushed to the disk, then renamed. Never half a file."""
    part = path.with_name(f".{path.name}{_PART}")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def archive_of(export: ClaimExport) -> Path:
    """The packed export."""
    return Path(f"{export.folder}.zip")


def is_packed(export: ClaimExport) -> bool:
    """Tell whether an export is packed for download (those of the command line are not)."""
    return Path(export.folder).parent == exports_root()


def pack(export: ClaimExport) -> Path:
    """Pack the files of an export, whole or not at all; the same files give the same bytes."""
    target = archive_of(export)
    part = target.with_name(f".{target.name}{_PART}")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(Path(export.folder).glob("*.xml")):
            entry = zipfile.ZipInfo(path.name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    part.replace(target)
    return target


def sweep_parts(export: ClaimExport) -> None:
    """Remove what a killed worker left half written."""
    for part in Path(export.folder).glob(f".*{_PART}"):
        part.unlink(missing_ok=True)


def release_lease(export_id: int) -> None:
    """Let go of an export that a stopped command of ours still holds (an operator runs the command again)."""
    export = queries.get_export(export_id)
    if not is_packed(export):
        export.lease_until = None


def record_export_download(export: ClaimExport, *, actor: Actor) -> None:
    """A month of claims leaves the house with a person: said in the audit log."""
    audit.record(
        actor, Action.DOWNLOAD, subject_type="claim_export", subject_id=export.export_id, details={"month": export.month}
    )


def record_download(claim: ClaimFile, *, actor: Actor) -> None:
    """One claim file leaves the house with a person: said in the audit log."""
    audit.record(
        actor, Action.DOWNLOAD, subject_type="claim_file", subject_id=claim.claim_id, visit_id=claim.visit_id,
        details={"code": claim.visit_code},
    )  # fmt: skip
