"""Finding text that people read but gettext never sees.

Vietnamese is the source language: every word on a screen stands in ``_('…')`` (templates, views) or ``_l('…')`` (forms,
menus). Printed papers are Vietnamese by law and stay out of it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, nodes

Found = tuple[str, int, str]

CATALOGUE = Path("his/core/translations/en/LC_MESSAGES/messages.po")
GETTEXT = ("_", "_l", "gettext", "lazy_gettext", "ngettext", "_n", "pgettext", "N_")
VIETNAMESE = re.compile(r"[àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ]", re.IGNORECASE)
WORD = re.compile(r"[^\W\d_]{2,}")
# Signs, units and names that read the same in both languages.
NEUTRAL = re.compile(
    r"\b(?:kg|cm|mm|mmHg|ml|mg|HIS|BHYT|ICD|Ctrl|Enter|Esc|Tab|Alt|PDF|XML|CSV|XLSX|QR|VI|EN|English|Tiếng Việt|BMI|SpO|"
    r"PgUp|PgDn|vi|en|UTF|BOM|API|URL|IP|LOINC|ATC|F\d+|Excel|utf|SHA|SpO₂|đ)\b|\b(?:QĐ|TT|NĐ|CV)[ \d][\w /-]*"
)
TEXT_ATTRIBUTES = (
    "title",
    "alt",
    "placeholder",
    "aria-label",
    "aria-description",
    "data-title",
    "label",
    "data-confirm",
)
# Python files whose words reach a screen.
SCREEN_FILES = ("views", "forms", "module", "web")


def _says_something(text: str) -> bool:
    return bool(WORD.search(NEUTRAL.sub("", text)))


class _Words(HTMLParser):
    """Collects text nodes and readable attributes of a template whose Jinja parts were blanked out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[int, str]] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style", "kbd", "code")
        for name, value in attrs:
            if (
                value
                and _says_something(value)
                and (
                    name in TEXT_ATTRIBUTES
                    or (name == "value" and tag == "input" and dict(attrs).get("type") in ("submit", "button"))
                )
            ):
                self.found.append((self.getpos()[0], value))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        before = self._silent
        self.handle_starttag(tag, attrs)
        self._silent = before

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style", "kbd", "code")

    def handle_data(self, data: str) -> None:
        if self._silent <= 0 and _says_something(data):
            self.found.append((self.getpos()[0], data.strip()))


def _blank(match: re.Match[str]) -> str:
    return " " + "\n" * match[0].count("\n")


# The class list of the page's main part is a block, not words.
_CLASSES = re.compile(r"\{% block \w+_class %\}.*?\{% endblock %\}", re.DOTALL)
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


def _strings_outside_gettext(node: nodes.Node) -> Iterator[tuple[int, str]]:
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in GETTEXT:
        for argument in node.args[1:]:
            yield from _strings_outside_gettext(argument)
        for keyword in node.kwargs:
            yield from _strings_outside_gettext(keyword)
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str) and VIETNAMESE.search(NEUTRAL.sub("", node.value)):
        yield node.lineno, node.value
    for child in node.iter_child_nodes():
        yield from _strings_outside_gettext(child)


def template_texts(text: str) -> list[tuple[int, str]]:
    """Return (line, words) of a template that are not translated."""
    environment = Environment(extensions=["jinja2.ext.do", "jinja2.ext.i18n"], autoescape=True)
    found = list(_strings_outside_gettext(environment.parse(text)))
    words = _Words()
    words.feed(_JINJA.sub(_blank, _CLASSES.sub(_blank, text)))
    words.close()
    return found + words.found


def _docstrings(tree: ast.AST) -> set[int]:
    found = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            found.add(id(body[0].value))
    return found


def python_texts(text: str) -> list[tuple[int, str]]:
    """Return (line, words) of a Python file that shows words on screens: Vietnamese outside gettext, flash() literals."""
    tree = ast.parse(text)
    silent = _docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in GETTEXT:
                silent |= {id(part) for argument in node.args[:1] for part in ast.walk(argument)}
        elif isinstance(node, ast.Raise):
            # Errors of the domain are translated where they are shown.
            silent |= {id(part) for part in ast.walk(node)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            # Stamps across papers ("BẢN NHÁP") are capitals and stay Vietnamese like the papers.
            if VIETNAMESE.search(NEUTRAL.sub("", node.value)) and not node.value.isupper():
                found.append((node.lineno, node.value))
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0] if node.args else None
            if (
                (name == "flash" or name.endswith("Field"))
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str)
                and _says_something(first.value)
                and not VIETNAMESE.search(first.value)
            ):
                found.append((first.lineno, first.value))
    return found


def script_texts(text: str) -> list[tuple[int, str]]:
    """Return (line, words) of a script that holds Vietnamese: words come from the page."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        code = re.sub(r"//.*$", "", line)
        # Letter classes that recognise Vietnamese typing are patterns, not words.
        code = re.sub(r"/(?:\\.|\[[^\]]*\]|[^/\\\n])+/[gimsuy]*", "", code)
        if VIETNAMESE.search(NEUTRAL.sub("", code)):
            found.append((number, line.strip()))
    return found


def literal_texts(root: Path) -> list[Found]:
    """Return every untranslated text of the screens as (file, line, message)."""
    found: list[Found] = []

    def add(path: Path, texts: list[tuple[int, str]]) -> None:
        name = path.relative_to(root).as_posix()
        found.extend((name, line, f"untranslated text: {' '.join(words.split())[:70]!r}") for line, words in texts)

    for path in sorted((root / "his").rglob("templates/**/*.html")):
        # Papers are Vietnamese by law; the sample page of components shows invented people.
        if "print" not in path.parts and not path.is_relative_to(root / "his/documents/templates/documents"):
            add(path, template_texts(path.read_text("utf-8")))
    for path in sorted((root / "his").rglob("*.py")):
        name = path.stem if path.parent.name not in SCREEN_FILES else path.parent.name
        if name in SCREEN_FILES:
            add(path, python_texts(path.read_text("utf-8")))
    for path in sorted((root / "his" / "core" / "static" / "js").glob("*.js")):
        add(path, script_texts(path.read_text("utf-8")))
    return found


def missing_translations(root: Path) -> list[Found]:
    """Return texts of screens that the English catalogue does not know or leaves empty."""
    from tools import translations

    path = root / CATALOGUE
    if not path.is_file():
        return [(CATALOGUE.as_posix(), 1, "the English catalogue is missing: python tools/translations.py update")]
    known = translations.read_catalogue(path)
    done = {message.id for message in known if message.id and message.string and not message.fuzzy}
    return [
        (file, line, f"no English for {str(text)[:60]!r}: python tools/translations.py update")
        for text, (file, line) in sorted(translations.extract(root).items())
        if text not in done
    ]
