"""What survives when a part dies at the worst moment: nothing is doubled, nothing is lost."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright, expect
from sqlalchemy import Engine, create_engine, text

from his.demo import people
from tests.journeys import steps
from tests.journeys.conftest import Person, launch
from tests.journeys.stack import ROOT, Stack, wait_for

Maker = Callable[[str], Person]
CLAIMS = 3000


@pytest.fixture
def database(stack: Stack) -> Iterator[Engine]:
    """A connection of our own to the hospital's database, to look (and to hold locks) from outside."""
    url = stack.env["HIS_DATABASE_URL"] or f"sqlite:///{stack.folder / 'his.sqlite3'}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"timeout": 30} if "sqlite" in url else {})
    yield engine
    engine.dispose()


def _one(engine: Engine, statement: str, **values: Any) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(statement), values).scalar()


@contextmanager
def _writers_wait(engine: Engine) -> Iterator[None]:
    """Hold what a payment needs: SQLite's write lock, or writing to the payments on PostgreSQL (half-way through)."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("BEGIN IMMEDIATE"))
        else:
            connection.execute(text("BEGIN"))
            connection.execute(text("LOCK TABLE settlements, payments IN EXCLUSIVE MODE"))
        try:
            yield
        finally:
            connection.execute(text("ROLLBACK"))


def test_worker_killed_in_the_middle_of_an_export(person: Maker, stack: Stack, database: Engine) -> None:
    """kill -9 while files are written: the next worker goes on, each file is whole, none is missing or doubled."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.journeys.seed_claims", str(CLAIMS)],
        cwd=ROOT, env=dict(stack.env), capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    month = done.stdout.strip().splitlines()[-1]
    clerk = person("bhyt")
    clerk.go(f"/insurance/exports?month={month}")
    steps.settled(clerk.page)
    clerk.page.keyboard.press("F9")
    export_id = wait_for("the export", lambda: _one(database, "SELECT max(export_id) FROM claim_exports"))

    def written() -> int:
        return int(_one(database, "SELECT done_count FROM claim_exports WHERE export_id = :id", id=export_id) or 0)

    wait_for("the first files", lambda: written() > 0, 60)
    stack.kill("worker")
    stack.kill("beat")
    before = written()
    assert before < CLAIMS, "the export was too fast to be killed in the middle; raise CLAIMS"
    folder = Path(str(_one(database, "SELECT folder FROM claim_exports WHERE export_id = :id", id=export_id)))
    assert all(path.read_bytes().endswith(b"</GIAMDINHHS>") for path in folder.glob("*.xml")), "a half file in place"
    # The dead worker's lease runs out (a minute); the test does not wait for it.
    past = datetime.now(UTC) - timedelta(minutes=5)
    with database.connect() as connection:
        shown = past.replace(tzinfo=None) if database.dialect.name == "sqlite" else past
        connection.execute(text("UPDATE claim_exports SET lease_until = :past WHERE export_id = :id"), {"past": shown, "id": export_id})
    stack.start_worker()
    wait_for(
        "the end of the export",
        lambda: _one(database, "SELECT state FROM claim_exports WHERE export_id = :id", id=export_id) == "done",
        150,
    )
    files = {path.name: path.read_bytes() for path in folder.glob("*.xml")}
    total = int(_one(database, "SELECT count(*) FROM claim_files WHERE settlement_month = :m AND state <> 'superseded'", m=month))
    assert len(files) == total == written()
    assert all(content.endswith(b"</GIAMDINHHS>") for content in files.values())
    assert not list(folder.glob(".*.part"))
    clerk.page.reload()
    link = clerk.page.locator("a:has-text('Tải tệp nén')").first.get_attribute("href")
    packed = clerk.page.request.get(f"{clerk.base}{link}").body()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {n: hashlib.sha256(archive.read(n)).digest() for n in archive.namelist()} == {
            n: hashlib.sha256(c).digest() for n, c in files.items()
        }


def test_web_server_killed_in_the_middle_of_a_payment(person: Maker, stack: Stack, database: Engine) -> None:
    """The cashier presses the button, the server dies; pressed again after the restart, the family has paid once."""
    who = people.person("Dương Minh Vy")
    clerk, doctor = person("tiepdon"), person("bacsi102")
    ticket = steps.desk_registers(clerk, people.id_card_text(who), phone="0900123123", reason="Đau đầu", clinic=("4", "102"))
    visit_id = steps.doctor_calls(doctor, ticket)
    steps.doctor_measures(doctor, pulse="80", temperature="37", systolic="120", diastolic="75", weight_kg="50")
    doctor.page.locator("button:has-text('Không dị ứng')").first.click()
    steps.settled(doctor.page)
    steps.doctor_writes(doctor, "Đau đầu 2 ngày.", "Tỉnh, không dấu thần kinh khu trú.", "Theo dõi.", "Nghỉ ngơi.")
    steps.doctor_diagnoses(doctor, "r51")
    steps.doctor_concludes(doctor, visit_id)
    cashier = person("thungan")
    clerk.sees_outage = doctor.sees_outage = cashier.sees_outage = True
    cashier.go(f"/billing/visits/{visit_id}")
    steps.settled(cashier.page)
    form = {
        name: cashier.page.locator(f"#pay-form [name={name}]").first.get_attribute("value") or ""
        for name in ("csrf_token", "idempotency_key", "expected", "method")
    }
    if form["method"] not in ("cash", "transfer", "card"):
        form["method"] = "cash"
    request = cashier.page.request
    with _writers_wait(database):
        failure: list[str] = []
        # The same browser session from a thread of its own: plain HTTP with the person's cookie.
        cookies = "; ".join(f"{c['name']}={c['value']}" for c in cashier.context.cookies())

        def press() -> None:
            post = urllib.request.Request(
                f"{stack.base}/billing/visits/{visit_id}/pay", data=urllib.parse.urlencode(form).encode(),
                headers={"Cookie": cookies, "Referer": stack.base},
            )  # fmt: skip
            try:
                urllib.request.urlopen(post, timeout=60)
                failure.append("answered")
            except (urllib.error.URLError, ConnectionError, OSError) as error:
                failure.append(type(error).__name__)

        thread = threading.Thread(target=press)
        thread.start()
        threading.Event().wait(1.0)  # the request is inside, waiting for the lock we hold
        assert not failure, failure
        stack.kill("web")
        thread.join(20)
    assert failure
    assert failure[0] != "answered"
    assert _one(database, "SELECT count(*) FROM settlements WHERE visit_id = :v", v=visit_id) == 0, "half a payment"
    stack.start_web()
    for _twice in range(2):
        answer = request.post(f"{stack.base}/billing/visits/{visit_id}/pay", form=form, headers={"Referer": stack.base})
        assert answer.status in (200, 303), answer.status
    assert _one(database, "SELECT count(*) FROM settlements WHERE visit_id = :v AND state = 'paid'", v=visit_id) == 1
    assert _one(
        database, "SELECT count(*) FROM payments p JOIN settlements s ON s.settlement_id = p.settlement_id WHERE s.visit_id = :v",
        v=visit_id,
    ) <= 1  # fmt: skip


def test_browser_killed_in_the_middle_of_a_note(person: Maker, stack: Stack, playwright: Playwright, database: Engine) -> None:
    """The doctor's browser dies while typing; opened again, the words are there."""
    clerk = person("tiepdon")
    who = people.person("Hoàng Hoài Mai")
    ticket = steps.desk_registers(clerk, people.id_card_text(who), phone="0900456456", reason="Ho", clinic=("5", "103"))
    words = "Ho khan về đêm mười ngày, không sốt, ngủ kém."
    marker = f"his-kill-{os.getpid()}"
    doomed = launch(playwright, f"--user-agent={marker}")
    context = doomed.new_context(viewport={"width": 1440, "height": 900})
    doctor = Person(context, stack.base, "bacsi103")
    doctor.sign_in()
    visit_id = steps.doctor_calls(doctor, ticket)
    doctor.page.keyboard.press("Alt+1")
    doctor.page.keyboard.type(words)

    def kept() -> bool:
        stored = _one(database, "SELECT CAST(fields AS TEXT) FROM note_drafts WHERE visit_id = :v", v=visit_id)
        return bool(stored) and words in json.loads(stored).values()

    wait_for("the draft on the server", kept, 30)
    killed = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and marker.encode() in _command(entry.name) and b"--type=" not in _command(entry.name)
    ]
    assert killed, "the browser's process was not found"
    for pid in killed:
        os.kill(pid, 9)
    again = person("bacsi103")
    again.go(f"/examination/visits/{visit_id}")
    steps.settled(again.page)
    expect(again.page.locator("#history")).to_have_value(re.compile(re.escape(words)))
    expect(again.page.locator("#restored")).to_contain_text("khôi phục")


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
