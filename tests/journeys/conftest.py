"""One hospital for all browser tests of a run: real processes, real browser, no patients yet.

With HIS_TEST_DATABASE_URL set it stands on PostgreSQL with Redis as broker, else on the embedded databases.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Route, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from his.demo.staff import PASSWORD, PIN
from tests.journeys.stack import Stack

CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip


REDIS = os.environ.get("HIS_TEST_REDIS_URL", "redis://127.0.0.1:6379/5")
PAPER = re.compile(r"/(slip|ticket|paper|papers|sheet|receipt|bill|appointment|record|print)\b")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here; real sockets are allowed (to this machine only, see tests/conftest.py)."""
    here = Path(__file__).parent
    for item in items:
        if here in Path(str(item.fspath)).parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.enable_socket)
            item.add_marker(pytest.mark.timeout(300))


def _postgres(name: str) -> str:
    """Make a fresh database beside the test database and return its address ("" on SQLite)."""
    url = os.environ.get("HIS_TEST_DATABASE_URL", "")
    if not url:
        return ""
    import psycopg

    server = url.replace("postgresql+psycopg://", "postgresql://").rsplit("/", 1)[0]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    return f"{url.rsplit('/', 1)[0]}/{name}"


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Web server, worker, beat and stand-ins with the demo hospital's staff and stock."""
    with tempfile.TemporaryDirectory(prefix="his-journey-") as name:
        database = _postgres("his_journey")
        hospital = Stack(Path(name), database_url=database, broker_url=REDIS if database else "")
        hospital.his("db", "upgrade")
        hospital.his("demo", "load", "--staff-only")
        hospital.start_standins()
        hospital.start_web()
        hospital.start_worker()
        try:
            yield hospital
        finally:
            hospital.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The browser driver."""
    with sync_playwright() as driver:
        yield driver


def launch(driver: Playwright, *more: str) -> Browser:
    """Start Debian's Chromium (with more flags); its absence is a failure, never a skip."""
    found = os.environ.get("HIS_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "Chromium is missing: apt-get install chromium (make test does it as root)"
    return driver.chromium.launch(executable_path=found, args=[*CHROMIUM_FLAGS, *more])


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One browser; each person gets a context of the own."""
    chromium = launch(playwright)
    yield chromium
    chromium.close()


class Person:
    """A member of the staff at a screen, working by keyboard."""

    def __init__(self, context: BrowserContext, base: str, username: str) -> None:
        self.context = context
        self.base = base
        self.username = username
        self.requests: list[str] = []
        self.strangers: list[str] = []
        self.problems: list[str] = []
        self.papers: list[bytes] = []
        self.sees_outage = False  # set by tests that kill the server: its silence is no fault of a script
        self.page: Page = context.new_page()
        self.page.on("request", self._note)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._console)
        context.route(PAPER, self._paper)

    def _paper(self, route: Route) -> None:
        """A paper goes to the hidden printing frame: keep its bytes (a headless browser has no printer)."""
        if route.request.resource_type != "document" or route.request.frame == self.page.main_frame:
            route.continue_()
            return
        answer = route.fetch()
        if answer.headers.get("content-type", "").startswith("application/pdf"):
            self.papers.append(answer.body())
        route.fulfill(status=answer.status, content_type="text/html", body="<p>paper</p>")

    def _console(self, message: Any) -> None:
        if self.sees_outage and "ERR_CONNECTION" in message.text:
            return
        if message.type == "error" and "status of 4" not in message.text:
            self.problems.append(message.text)

    def _note(self, request: Any) -> None:
        if request.url.startswith(("data:", "blob:", "about:")):
            return
        if not request.url.startswith(self.base):
            self.strangers.append(request.url)
        if request.resource_type in ("document", "fetch", "xhr"):
            self.requests.append(f"{request.method} {request.url.removeprefix(self.base)}")

    def go(self, path: str) -> Page:
        """Open a page."""
        self.page.goto(self.base + path)
        return self.page

    def sign_in(self) -> Page:
        """Sign in by keyboard."""
        page = self.go("/identity/login")
        page.locator("#username").press_sequentially(self.username)
        page.keyboard.press("Tab")
        page.locator("#password").press_sequentially(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("main#main .panel, main#main table, [data-scan-field]")
        return page

    def scan(self, text: str) -> None:
        """A scanner in keyboard mode: the text and Enter."""
        field = self.page.locator("[data-scan-field]")
        field.fill(text)
        field.press("Enter")

    def prove_if_asked(self) -> None:
        """Give the signing PIN if the dialog opens (a PIN stays proven for some minutes)."""
        field = self.page.locator("#pin-input")
        try:
            field.wait_for(state="visible", timeout=2500)
        except PlaywrightTimeout:
            return
        field.fill(PIN)
        field.press("Enter")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep whether the test itself failed: the pictures are taken only then."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call":
        item.stash[FAILED] = report.failed


FAILED = pytest.StashKey[bool]()


@pytest.fixture
def person(stack: Stack, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Person]]:
    """Return a maker of signed-in people: ``person("tiepdon")``. Nothing may leave the host, no script may fail."""
    made: list[Person] = []

    def make(username: str, *, sign_in: bool = True) -> Person:
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh"
        )
        who = Person(context, stack.base, username)
        made.append(who)
        if sign_in:
            who.sign_in()
        return who

    yield make
    strangers = [url for who in made for url in who.strangers]
    problems = [problem for who in made for problem in who.problems]
    failed = request.node.stash.get(FAILED, False)
    for number, who in enumerate(made):
        if failed:
            picture = Path(tempfile.gettempdir()) / f"{request.node.name}-{number}-{who.username}.png"
            who.page.screenshot(path=picture)
            sys.stdout.write(f"picture of {who.username} at {who.page.url}: {picture}\n")
        who.context.close()
    assert not strangers, f"requests left the host: {strangers[:5]}"
    assert not problems, f"script errors: {problems[:5]}"
