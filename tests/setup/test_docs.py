"""What the documents promise is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from his.demo import people, staff
from tools import settings_table

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "NOTICE", *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text("utf-8")


def test_readme_holds_the_two_commands_and_every_login() -> None:
    assert "make run" in README
    assert "make test" in README
    assert f"`{staff.PASSWORD}`" in README
    assert f"`{staff.PIN}`" in README
    for name in staff.SHOWN:
        assert f"| `{name}` |" in README, name


@pytest.mark.parametrize("card", people.trial_cards(), ids=lambda card: card.person.name)
def test_readme_shows_the_texts_to_scan(card: people.TrialCard) -> None:
    assert card.text in README
    assert card.person.name in README


def test_the_settings_table_is_the_one_of_the_code() -> None:
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    assert settings_table.page(text) == text, "run: python tools/settings_table.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_named_files_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    for name in re.findall(r"`((?:his|tools|docs|tests|migrations|requirements)/[\w/.-]+)`", text):
        assert (ROOT / name).exists(), name


def test_every_choice_has_its_page_in_full() -> None:
    pages = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        headings = re.findall(r"^## (.+)$", page.read_text("utf-8"), re.MULTILINE)
        assert headings == ["Context", "Options", "Choice", "Consequence"], page.name


def test_every_library_has_its_reason() -> None:
    reasons = (ROOT / "docs/adr/0007-dependencies.md").read_text("utf-8")
    lines = (ROOT / "requirements/base.in").read_text("utf-8").splitlines()
    for line in lines:
        name = re.split(r"[=\[<> ]", line.strip())[0]
        if name and not name.startswith(("#", "-")):
            assert name in reasons, name


def test_the_clock_is_set_by_the_demo_only() -> None:
    users = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "his").rglob("*.py")
        if "clock.at(" in path.read_text("utf-8") and "demo" not in path.parts
    ]
    assert users == []


def test_make_targets_and_ci_are_what_the_readme_says() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in ("run", "test", "check", "bench", "clean"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
