"""Turning a paper's context into PDF bytes with WeasyPrint, warm and closed.

Warm: templates, parsed style sheets and the font configuration are kept between papers (a third of the time).
Closed (SEC-37): one URL fetcher that serves only packaged fonts and images by name and refuses everything else.
"""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import segno
from flask import current_app, render_template
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

PACKAGED = "paper:"
STATIC = Path(__file__).resolve().parents[1] / "core" / "static"
STYLES = Path(__file__).resolve().parent / "paper.css"
SCREEN_STYLES = """
html { background: #fff; }
body { box-sizing: border-box; width: 210mm; padding: 10mm 13mm 8mm 16mm; zoom: .76; overflow: hidden; }
body.a5 { width: 148mm; padding: 8mm 9mm 8mm 11mm; }
body.a4-landscape { width: 297mm; padding: 9mm 10mm; }
.foot { position: static; margin-top: 4mm; }
.mark { position: absolute; top: 110mm; color: #ededed; }
"""
MEDIA_TYPES = {".ttf": "font/ttf", ".woff2": "font/woff2", ".svg": "image/svg+xml", ".png": "image/png"}


class PackagedFetcher(URLFetcher):  # type: ignore[misc]
    """Serves ``paper:<file name>`` from the packaged fonts and images; refuses every other address."""

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        """Return a packaged file; raise ValueError for anything else."""
        if url.startswith("data:image/svg+xml;base64,"):
            return URLFetcherResponse(url, io.BytesIO(base64.b64decode(url.split(",", 1)[1])), {"Content-Type": "image/svg+xml"})
        if not url.startswith(PACKAGED):
            raise ValueError("papers are built from packaged files only")
        path = (STATIC / "fonts" / "paper" / url.removeprefix(PACKAGED)).resolve()
        if path.parent != (STATIC / "fonts" / "paper").resolve() or not path.is_file() or path.suffix not in MEDIA_TYPES:
            raise ValueError("no such packaged file")
        return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": MEDIA_TYPES[path.suffix]})


@dataclass(frozen=True, slots=True)
class Rendered:
    """PDF bytes and their number of pages."""

    content: bytes
    page_count: int


class Renderer:
    """The warm state of one process. One paper at a time per process: Pango is not made for threads."""

    def __init__(self) -> None:
        self.fetcher = PackagedFetcher()
        self.fonts = FontConfiguration()
        self.styles = CSS(string=STYLES.read_text("utf-8"), url_fetcher=self.fetcher, font_config=self.fonts)
        self.lock = threading.Lock()

    def pdf(self, html: str, *, title: str = "") -> Rendered:
        """Lay out HTML and return the PDF."""
        with self.lock:
            document = HTML(string=html, base_url="paper:", url_fetcher=self.fetcher).render(
                stylesheets=[self.styles], font_config=self.fonts
            )
            return Rendered(document.write_pdf(), len(document.pages))


_renderer: list[Renderer] = []
_making = threading.Lock()


def renderer() -> Renderer:
    """Return the warm renderer of this process."""
    with _making:
        if not _renderer:
            _renderer.append(Renderer())
    return _renderer[0]


def html(template: str, context: Any, **more: Any) -> str:
    """Return the HTML of a paper; ``context`` is a frozen dataclass of plain values, known to the template as ``p``."""
    return render_template(template, p=context, qr=qr_svg, **more)


def render(template: str, context: Any, **more: Any) -> Rendered:
    """Return the PDF of a paper."""
    return renderer().pdf(html(template, context, facility=current_app.extensions["his_settings"], **more))


def screen_html(template: str, context: Any, **more: Any) -> str:
    """Return the same paper as a page for the browser: the house's own style sheet, drawn by the browser."""
    return html(template, context, facility=current_app.extensions["his_settings"], screen=True, **more)


def screen_styles(font_url: str) -> str:
    """Return the paper style sheet for a browser: packaged fonts by their address, the sheet as wide as its paper."""
    return STYLES.read_text("utf-8").replace(PACKAGED, font_url) + SCREEN_STYLES


def qr_svg(text: str) -> str:
    """Return a QR code as a data address for an image (error correction M, no quiet zone: the page has margins)."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=1, xmldecl=False, svgns=True)
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode()


def warm(samples: Mapping[str, Any] | None = None) -> None:
    """Draw one small page so that the first real paper is as fast as the next."""
    del samples
    renderer().pdf("<p>Ặ ẫ ễ ộ ử ỵ Đ ư ơ</p>")
