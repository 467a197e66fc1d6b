"""The house rules that no ready tool knows: ``python tools/house.py [ROOT]`` (part of ``make check``).

Each check is a function of a source tree that returns `Problem`s, so a test can plant a violation in a copy and see it
caught. What needs a running application (URL map, task names, schema) is in ``tests/house``.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import texts

ROOT = Path(__file__).resolve().parents[1]

# The commit of a unit of work, and Alembic's own connection.
MAY_COMMIT = ("core/db.py", "core/migrate.py")
# The self-test compares the real clock with the database's. The stand-ins play other people's systems, which have clocks of their own.
MAY_READ_CLOCK = ("core/clock.py", "core/checks.py", "gateways/standin/")
# The application lists its modules; the demo hospital must go through the use cases like everybody.
ROUTE_METHODS = ("route", "get", "post", "put", "delete", "patch")
# Aims of the guide (section 5) by file; past twice the aim a file becomes a package.
AIMS = {
    "__init__.py": 40, "module.py": 40, "enums.py": 60, "errors.py": 30, "permissions.py": 20, "models.py": 250,
    "queries.py": 200, "rules.py": 200, "service.py": 300, "forms.py": 150, "printing.py": 120, "views.py": 250,
    "tasks.py": 80, "cli.py": 60,
}  # fmt: skip
FILE_AIM = 300
TEMPLATE_AIM = 120
LIMIT = 2.5
SMALL = 200
SHOWN = 60


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One violation: where and what to do."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


def modules(root: Path) -> list[str]:
    """Return the names of the modules."""
    return sorted(path.name for path in (root / "his").iterdir() if (path / "__init__.py").is_file())


def sources(root: Path) -> Iterator[tuple[str, ast.Module]]:
    """Yield every Python file of the product (path below ``his/``, syntax tree)."""
    for path in sorted((root / "his").rglob("*.py")):
        yield path.relative_to(root / "his").as_posix(), ast.parse(path.read_text("utf-8"), str(path))


def templates(root: Path) -> Iterator[tuple[str, str]]:
    """Yield every template (path below ``his/``, text)."""
    for path in sorted((root / "his").rglob("templates/**/*.html")):
        yield path.relative_to(root / "his").as_posix(), path.read_text("utf-8")


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


# --- one way to change anything -------------------------------------------------------------------------------------


def commits(root: Path) -> list[Problem]:
    """Only ``core/db.py`` commits: services, views and tasks work inside transaction()."""
    found = []
    for file, tree in sources(root):
        if file in MAY_COMMIT:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit":
                found.append(Problem(f"his/{file}", node.lineno, "commit() outside core/db.py: use transaction()"))
    return found


def clocks(root: Path) -> list[Problem]:
    """Only ``core/clock.py`` reads the time."""
    wrong = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "datetime.datetime.now",
             "datetime.date.today", "datetime.datetime.utcnow")  # fmt: skip
    found = []
    for file, tree in sources(root):
        if file.startswith(MAY_READ_CLOCK):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _dotted(node.func) in wrong:
                found.append(Problem(f"his/{file}", node.lineno, f"{_dotted(node.func)}(): use his.core.clock"))
    return found


def sql_texts(root: Path) -> list[Problem]:
    """SQL is never put together from pieces of text (SEC-30)."""
    found = []
    for file, tree in sources(root):
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and _dotted(node.func).split(".")[-1] in ("text", "exec_driver_sql")
                and node.args
                and isinstance(node.args[0], ast.JoinedStr | ast.BinOp)
                and any(isinstance(part, ast.FormattedValue | ast.Name) for part in ast.walk(node.args[0]))
            ):
                found.append(Problem(f"his/{file}", node.lineno, "SQL built from pieces: bind values, or name columns"))
    return found


def views_without_access(root: Path) -> list[Problem]:
    """Every route names its permission (@require) or says why it is public (@public)."""
    found = []
    for file, tree in sources(root):
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef):
                continue
            marks = [_dotted(d.func if isinstance(d, ast.Call) else d).split(".") for d in node.decorator_list]
            is_route = any(len(mark) > 1 and mark[-1] in ROUTE_METHODS and mark[0] != "client" for mark in marks)
            if is_route and not any(mark[-1] in ("require", "public") for mark in marks):
                if file.startswith("gateways/standin/"):
                    continue  # plays other people's systems
                found.append(
                    Problem(f"his/{file}", node.lineno, f"view {node.name}() has neither @require nor @public")
                )
    return found


def unmarked_markup(root: Path) -> list[Problem]:
    """Markup() and render_template_string() let text through unescaped (SEC-31)."""
    found = []
    for file, tree in sources(root):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _dotted(node.func).split(".")[-1] in ("Markup", "render_template_string"):
                found.append(Problem(f"his/{file}", node.lineno, "unescaped text: let the template escape it"))
    return found


def leftovers(root: Path) -> list[Problem]:
    """No work left lying about, no sleeping, no skipped tests."""
    marks = re.compile(
        r"\b(TODO|FIXME|NotImplementedError)\b|\btime\.sleep\(|pytest\.mark\.(skip|xfail)|pytest\.skip\("
    )
    found = []
    for folder in ("his", "tests", "bench", "migrations"):
        for path in sorted((root / folder).rglob("*.py")):
            # A stand-in may be slow on purpose; the checks name what they look for.
            if path.parent.name in ("house", "standin"):
                continue
            for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
                if marks.search(line):
                    found.append(Problem(path.relative_to(root).as_posix(), number, f"left over: {line.strip()[:80]}"))
    return found


# --- who owns which table -------------------------------------------------------------------------------------------


def model_owners(root: Path) -> dict[str, str]:
    """Return model class -> owning module, for classes with a table."""
    owners = {}
    for file, tree in sources(root):
        parts = file.split("/")
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and any(
                isinstance(item, ast.Assign) and any(_dotted(t) == "__tablename__" for t in item.targets)
                for item in node.body
            ):
                owners[node.name] = parts[0]
    return owners


def foreign_construction(root: Path) -> list[Problem]:
    """Foreign models are read-only: only the owner constructs, inserts, updates or deletes them."""
    owners = model_owners(root)
    found = []
    for file, tree in sources(root):
        here = file.split("/", maxsplit=1)[0]
        foreign: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("his."):
                there = node.module.split(".")[1]
                for alias in node.names:
                    if owners.get(alias.name) == there and there != here:
                        foreign[alias.asname or alias.name] = there
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = _dotted(node.func)
            if name in foreign:
                found.append(
                    Problem(f"his/{file}", node.lineno, f"constructs {name} of {foreign[name]}: call its service")
                )
            elif (
                name.split(".")[-1] in ("insert", "update", "delete") and node.args and _dotted(node.args[0]) in foreign
            ):
                model = _dotted(node.args[0])
                found.append(
                    Problem(f"his/{file}", node.lineno, f"changes {model} of {foreign[model]}: call its service")
                )
    return found


def dead_columns(root: Path) -> list[Problem]:
    """Columns that no form, query, paper, claim, template or service mentions."""
    columns: list[tuple[str, int, str, str]] = []
    texts_of: dict[str, str] = {}
    for path in sorted((root / "his").rglob("*")):
        if path.suffix not in (".py", ".html"):
            continue
        name = path.relative_to(root / "his").as_posix()
        is_models = path.name == "models.py" or path.parent.name == "models"
        if path.suffix == ".py" and "__tablename__" in path.read_text("utf-8"):
            tree = ast.parse(path.read_text("utf-8"))
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    columns += [
                        (name, item.lineno, node.name, item.target.id)
                        for item in node.body
                        if isinstance(item, ast.AnnAssign)
                        and isinstance(item.target, ast.Name)
                        and _dotted(
                            item.annotation.value if isinstance(item.annotation, ast.Subscript) else item.annotation
                        )
                        == "Mapped"
                        and not any(
                            isinstance(part, ast.keyword) and part.arg == "primary_key" for part in ast.walk(item)
                        )
                    ]
        if not is_models:
            texts_of[name] = path.read_text("utf-8")
    words = {word for text in texts_of.values() for word in re.findall(r"\w+", text)}
    return [
        Problem(f"his/{file}", line, f"column {model}.{column} is used by nothing")
        for file, line, model, column in columns
        if column not in words
    ]


# --- templates ------------------------------------------------------------------------------------------------------

_TEMPLATE_RULES: tuple[tuple[str, str], ...] = (
    (r"\sstyle\s*=", "inline style: use a class (strict content policy)"),
    (r"<style\b", "style element: styles live in static/css"),
    (r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", "inline script: behaviour lives in static/js"),
    (r"<[a-z][^>]*\son[a-z]+\s*=", "event attribute: behaviour lives in static/js"),
    (r"javascript:", "script address"),
    (
        r"(?<!href=[\"'])(?<![\w&/-])#(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b(?![\w-])",
        "hex colour: use a token",
    ),
    (r"\|\s*safe\b", "unescaped text (SEC-31)"),
    (r"\bautoescape\s+false", "unescaped text (SEC-31)"),
    (r"(?:src|href|action)\s*=\s*[\"']https?://", "address of another host"),
    (r"<button\b(?![^>]*\btype\s*=)", "button without a type: it would submit the form"),
)
_FORM = re.compile(r"<form\b[^>]*method\s*=\s*[\"']post[\"'][^>]*>(.*?)</form>", re.IGNORECASE | re.DOTALL)
_TOKEN = re.compile(r"ui\.csrf\(\)|ui\.once_key\(|csrf\(\)|csrf_token|hidden_tag\(")


def template_faults(root: Path) -> list[Problem]:
    """No inline style, script, event attribute or colour; buttons typed; posts carry the token."""
    found = []
    for file, text in templates(root):
        bare = re.sub(r"\{#.*?#\}", lambda match: "\n" * match[0].count("\n"), text, flags=re.DOTALL)
        for pattern, message in _TEMPLATE_RULES:
            found += [
                Problem(f"his/{file}", bare.count("\n", 0, match.start()) + 1, message)
                for match in re.finditer(pattern, bare, re.IGNORECASE)
            ]
        found += [
            Problem(f"his/{file}", bare.count("\n", 0, match.start()) + 1, "form posts without a CSRF token: ui.csrf()")
            for match in _FORM.finditer(bare)
            if not _TOKEN.search(match[1])
        ]
    return found


# --- sizes ----------------------------------------------------------------------------------------------------------


def sizes(root: Path) -> list[tuple[str, int, int]]:
    """Return (file, lines, aim) of files past their aim, longest first in proportion."""
    found = []
    for path in sorted((root / "his").rglob("*")):
        file = path.relative_to(root / "his").as_posix()
        if path.suffix == ".py":
            aim = AIMS.get(path.name, FILE_AIM) if file.count("/") == 1 and not file.startswith("core/") else FILE_AIM
        elif path.suffix == ".html" and "templates" in path.parts:
            aim = TEMPLATE_AIM
        else:
            continue
        lines = len(path.read_text("utf-8").splitlines())
        if lines > aim:
            found.append((f"his/{file}", lines, aim))
    return sorted(found, key=lambda row: -row[1] / row[2])


def too_long(root: Path) -> list[Problem]:
    """Files so far past their aim that they must become a package split by use case."""
    return [
        Problem(file, lines, f"{lines} lines, aim {aim}: split by use case into a package")
        for file, lines, aim in sizes(root)
        if lines > max(LIMIT * aim, SMALL)
    ]


# --- words ----------------------------------------------------------------------------------------------------------


def untranslated(root: Path) -> list[Problem]:
    """Text that people read but gettext never sees, and texts without an English translation."""
    return [Problem(*found) for found in (*texts.literal_texts(root), *texts.missing_translations(root))]


def glossary(root: Path) -> list[Problem]:
    """Every table's class is a term of ``docs/glossary.md``."""
    path = root / "docs" / "glossary.md"
    if not path.is_file():
        return [Problem("docs/glossary.md", 1, "the glossary is missing")]
    words = set(re.findall(r"\w+", path.read_text("utf-8")))
    return [
        Problem("docs/glossary.md", 1, f"no entry for {name} ({module}): term, Vietnamese label, source")
        for name, module in sorted(model_owners(root).items())
        if module != "core" and name not in words
    ]


CHECKS: dict[str, Callable[[Path], list[Problem]]] = {
    "one way to change anything": commits,
    "one clock": clocks,
    "no SQL from pieces": sql_texts,
    "closed unless opened": views_without_access,
    "nothing unescaped": unmarked_markup,
    "nothing left over": leftovers,
    "foreign models are read-only": foreign_construction,
    "no dead columns": dead_columns,
    "templates": template_faults,
    "sizes": too_long,
    "both languages complete": untranslated,
    "glossary": glossary,
}


def main(root: Path) -> int:
    """Run all checks; print what is wrong; return the exit code."""
    bad = 0
    for name, check in CHECKS.items():
        problems = sorted(check(root))
        bad += len(problems)
        print(f"{'ok  ' if not problems else 'FAIL'} {name}")
        for problem in problems[:SHOWN]:
            print(f"     {problem}")
        if len(problems) > SHOWN:
            print(f"     … and {len(problems) - SHOWN} more")
    over = sizes(root)
    if over:
        print("\nPast their aim (a hint, not a failure):")
        for file, lines, aim in over:
            print(f"     {lines:5d} of {aim:3d}  {file}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT))
