"""Each kind of violation, planted into a copy of the sources, is caught by what `make check` runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import house, texts

COPIED = ("his", "tools", "pyproject.toml", "docs", "migrations")


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, without caches and fonts."""
    target = tmp_path_factory.mktemp("planted")
    for name in COPIED:
        source = house.ROOT / name
        if source.is_dir():
            shutil.copytree(
                source,
                target / name,
                ignore=shutil.ignore_patterns("__pycache__", "*.gz", "*.ttf", "*.woff2", "vendor"),
            )
        elif source.is_file():
            shutil.copy(source, target / name)
    return target


@pytest.fixture
def plant(copied: Path) -> Callable[[str, str], Path]:
    """``plant(file, text)`` appends text to a file of the copy; the file is put back after the test."""
    before: dict[Path, bytes | None] = {}

    def append(file: str, text: str) -> Path:
        path = copied / file
        if path not in before:
            before[path] = path.read_bytes() if path.is_file() else None
        with path.open("a", encoding="utf-8") as out:
            out.write(text)
        return copied

    yield append
    for path, content in before.items():
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def lint_imports(root: Path) -> str:
    done = run(root, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache")
    assert done.returncode != 0, done.stdout
    return done.stdout


def newly(check: str, root: Path, text: str) -> list[house.Problem]:
    """Problems of a check in the copy that mention a text."""
    return [problem for problem in house.CHECKS[check](root) if text in str(problem)]


# --- the five of the issue, each through the command that `make check` runs ---------------------------------------------


def test_an_upward_import_breaks_the_layers(plant: Callable[[str, str], Path]) -> None:
    root = plant("his/records/queries.py", "\nfrom his.billing import queries as _upward\n")
    said = lint_imports(root)
    assert "Modules are layered BROKEN" in said
    assert "his.records.queries -> his.billing.queries" in said


def test_a_rule_that_imports_the_session_is_not_pure(plant: Callable[[str, str], Path]) -> None:
    root = plant("his/identity/rules.py", "\nfrom his.core.db import session as _session\n")
    said = lint_imports(root)
    assert "Rules are pure BROKEN" in said
    assert "his.identity.rules -> his.core.db" in said


def test_a_view_without_permission_is_named(plant: Callable[[str, str], Path]) -> None:
    root = plant("his/audit/views.py", '\n\n@bp.get("/planted")\ndef planted() -> str:\n    return "x"\n')
    done = run(root, "tools/house.py")
    assert done.returncode == 1
    assert "view planted() has neither @require nor @public" in done.stdout


def test_a_commit_in_a_service_is_named(plant: Callable[[str, str], Path]) -> None:
    root = plant("his/records/service.py", "\n\ndef planted() -> None:\n    session().commit()\n")
    done = run(root, "tools/house.py")
    assert done.returncode == 1
    assert "his/records/service.py" in done.stdout
    assert "commit() outside core/db.py" in done.stdout


def test_an_untranslated_string_is_named(plant: Callable[[str, str], Path]) -> None:
    root = plant("his/audit/templates/audit/events.html", "<p>Chưa dịch dòng này</p>\n")
    done = run(root, "tools/house.py")
    assert done.returncode == 1
    assert "untranslated text: 'Chưa dịch dòng này'" in done.stdout


# --- the contracts of imports -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        (
            "his/records/queries.py",
            "from his.catalogues import views as _x",
            "Modules meet only at their public files BROKEN",
        ),
        ("his/records/service.py", "from flask import request as _x", "The domain does not know the web BROKEN"),
        ("his/records/models.py", "from his.records import service as _x", "Files inside a module are layered BROKEN"),
        ("his/records/service.py", "import httpx as _x", "Only gateways speak to the outside BROKEN"),
        ("his/laboratory/service.py", "from his.imaging import queries as _x", "Modules are layered BROKEN"),
    ],
)
def test_each_import_contract_bites(plant: Callable[[str, str], Path], file: str, line: str, contract: str) -> None:
    assert contract in lint_imports(plant(file, f"\n{line}\n"))


# --- the checks of tools/house.py ---------------------------------------------------------------------------------------

PYTHON = [
    ("one way to change anything", "his/records/service.py", "db.session.commit()", "commit() outside"),
    ("one clock", "his/records/service.py", "x = datetime.now()", "datetime.now()"),
    ("one clock", "his/records/queries.py", "x = date.today()", "date.today()"),
    ("no SQL from pieces", "his/records/queries.py", 'x = text(f"select {y}")', "SQL built"),
    ("no SQL from pieces", "his/records/queries.py", 'x = text("select " + y)', "SQL built"),
    ("nothing unescaped", "his/records/queries.py", "x = Markup(y)", "unescaped"),
    ("nothing left over", "his/records/queries.py", "x = 1  # " + "TODO", "left over"),
    ("nothing left over", "his/records/queries.py", "time." + "sleep(1)", "left over"),
    (
        "foreign models are read-only", "his/registration/queries.py",
        "from his.records.models import Patient as _P\nx = _P(full_name='x')", "constructs _P of records",
    ),
    (
        "foreign models are read-only", "his/registration/queries.py",
        "from his.records.models import Patient as _Q\nx = update(_Q)", "changes _Q of records",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("check", "file", "text", "said"), PYTHON)
def test_python_violation_is_caught(
    plant: Callable[[str, str], Path], copied: Path, check: str, file: str, text: str, said: str
) -> None:
    before = len(newly(check, copied, said))
    plant(file, f"\n{text}\n")
    assert len(newly(check, copied, said)) == before + 1


TEMPLATES = [
    ('<p style="color:red">x</p>', "inline style"),
    ("<style>p{}</style>", "style element"),
    ("<script>alert(1)</script>", "inline script"),
    ('<p onclick="x()">x</p>', "event attribute"),
    ('<svg fill="#B01E17"></svg>', "hex colour"),
    ("{{ x | safe }}", "unescaped text"),
    ('<a href="https://example.org/">x</a>', "address of another host"),
    ("<button>x</button>", "button without a type"),
    ('<form method="post"><input name="a"></form>', "without a CSRF token"),
]


@pytest.mark.parametrize(("text", "said"), TEMPLATES)
def test_template_violation_is_caught(plant: Callable[[str, str], Path], copied: Path, text: str, said: str) -> None:
    file = "his/audit/templates/audit/events.html"
    plant(file, f"{text}\n")
    assert [p.file for p in newly("templates", copied, said) if p.file == file] == [file]


@pytest.mark.parametrize(
    "text",
    ['<a href="#main">x</a>', '<a href="#add">x</a>', '<script type="application/json" id="i18n">{}</script>',
     '<script src="/static/js/app.js" type="module"></script>', '<button type="button">x</button>',
     '<form method="post">{{ ui.csrf() }}</form>', "{# <b style='x'> #}"],
)  # fmt: skip
def test_good_templates_pass(plant: Callable[[str, str], Path], copied: Path, text: str) -> None:
    plant("his/audit/templates/audit/events.html", f"{text}\n")
    assert not [p for p in house.template_faults(copied) if "audit" in p.file]


def test_a_dead_column_is_caught(plant: Callable[[str, str], Path], copied: Path) -> None:
    plant(
        "his/audit/models.py",
        '\n\nclass Planted(Base):\n    __tablename__ = "planted"\n    planted_unused: Mapped[int] = mapped_column()\n',
    )
    assert newly("no dead columns", copied, "Planted.planted_unused")


def test_a_file_far_past_its_aim_is_caught(plant: Callable[[str, str], Path], copied: Path) -> None:
    plant("his/audit/forms.py", '"""Too long."""\n' + "x = 1\n" * 400)
    assert newly("sizes", copied, "his/audit/forms.py")


def test_a_table_without_glossary_entry_is_caught(plant: Callable[[str, str], Path], copied: Path) -> None:
    plant("his/audit/models.py", '\n\nclass Zebra(Base):\n    __tablename__ = "zebras"\n')
    assert newly("glossary", copied, "Zebra") or not (copied / "docs/glossary.md").is_file()


# --- the finder of untranslated words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["<p>Xin chào</p>", "<p>Plain English words</p>", '<input placeholder="gõ tên">', '<img alt="Biểu đồ" src="x">',
     '<button type="submit" aria-label="Xóa">✕</button>', "{{ ui.button('Lưu nháp') }}", "{% set x = 'Người bệnh' %}",
     "{{ ui.input('a', label='Cân nặng') }}", '<input type="submit" value="Gửi đi">'],
)  # fmt: skip
def test_literal_words_in_a_template_are_found(text: str) -> None:
    assert texts.template_texts(text)


@pytest.mark.parametrize(
    "text",
    ["<p>{{ _('Xin chào') }}</p>", "<p class='muted strong'>{{ x }}</p>", "{{ ui.button(_('Lưu'), 'primary', key='F2') }}",
     "<kbd>Ctrl S</kbd>", "{# Ghi chú cho người viết #}", "<td>{{ w }} kg</td>", "<p>·</p>", "<p>{{ n }}/{{ m }} %</p>",
     "{% block main_class %}fill cols{% endblock %}", "{{ _('Chào %(name)s', name=x) }}"],
)  # fmt: skip
def test_translated_templates_pass(text: str) -> None:
    assert texts.template_texts(text) == []


@pytest.mark.parametrize(
    "text",
    ['flash("Đã lưu")', 'flash("Saved")', 'name = StringField("Họ tên")', 'name = StringField("Name")', 'x = "Đã lưu"',
     'x = f"Còn {n} lượt"', 'MenuItem("Tiếp đón", "a.b", "home", "x")'],
)  # fmt: skip
def test_literal_words_in_python_are_found(text: str) -> None:
    assert texts.python_texts(text)


@pytest.mark.parametrize(
    "text",
    ['"""Tài liệu của tệp."""', 'flash(_("Đã lưu"))', 'name = StringField(_l("Họ tên"))', 'x = "clerk"',
     'raise NotFound("Không tìm thấy.")', '_("Còn %(n)d lượt", n=3)'],
)  # fmt: skip
def test_translated_python_passes(text: str) -> None:
    assert texts.python_texts(text) == []


def test_words_in_scripts_are_found() -> None:
    assert texts.script_texts('const x = "Đã lưu";')
    assert texts.script_texts("if (/[ăâđêôơư]/i.test(k)) x(); // gõ dấu") == []
