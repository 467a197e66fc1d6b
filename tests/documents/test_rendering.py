"""The renderer: closed to the network and to files, warm, embedded Vietnamese fonts."""

from __future__ import annotations

import socket
from io import BytesIO

import pytest
from flask import Flask
from pypdf import PdfReader

from his.documents import checks, rendering

LETTERS = "Ặ ẫ ễ ộ ử ỵ Đ ư ơ Ằ ẳ ữ ợ ỹ Ỷ ẵ ẽ"


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Any attempt to connect is noted and fails."""
    tried: list[object] = []

    def connect(_self: socket.socket, address: object) -> None:
        tried.append(address)
        raise OSError("closed")

    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/x.png",
        "https://example.org/x.css",
        "file:///etc/passwd",
        "ftp://example.org/x",
        "paper:../../css/app.css",
        "paper:../paper/LiberationSerif-Regular.ttf/../LICENSE.txt",
        "paper:missing.ttf",
        "data:text/html;base64,PGI+",
        "/etc/passwd",
    ],
)
def test_only_packaged_files_are_opened(url: str) -> None:
    with pytest.raises(ValueError):
        rendering.PackagedFetcher().fetch(url)


def test_a_packaged_font_is_served() -> None:
    response = rendering.PackagedFetcher().fetch("paper:LiberationSerif-Regular.ttf")
    assert response.read(4) == b"\x00\x01\x00\x00"


def test_hostile_html_reaches_neither_network_nor_files(app: Flask, no_sockets: list[object]) -> None:
    html = (
        '<body class="a4"><img src="http://127.0.0.1:9/a.png"><img src="file:///etc/hostname">'
        '<link rel="stylesheet" href="http://127.0.0.1:9/b.css"><object data="file:///etc/passwd"></object>'
        '<style>@import url("http://127.0.0.1:9/c.css"); p { background: url("file:///etc/passwd") }</style><p>Giấy</p></body>'
    )
    with app.app_context():
        rendered = rendering.renderer().pdf(html)
    text = PdfReader(BytesIO(rendered.content)).pages[0].extract_text()
    assert "Giấy" in text
    assert "root:" not in text
    assert no_sockets == []


def test_text_of_people_is_escaped(app: Flask) -> None:
    from his.referrals.printing import sample

    context = sample()
    object.__setattr__(context, "plan", '<img src="http://127.0.0.1:9/x.png"><b>đậm</b>')
    with app.app_context():
        page = rendering.html("referrals/print/referral.html", context, facility=app.extensions["his_settings"], form=None)
    assert "&lt;img src=" in page
    assert "<b>đậm</b>" not in page


def test_all_diacritics_come_out_in_an_embedded_font(app: Flask) -> None:
    with app.app_context():
        content = rendering.renderer().pdf(f'<body class="a4"><p>{LETTERS}</p><p><b>{LETTERS}</b> <i>{LETTERS}</i></p></body>').content
    page = PdfReader(BytesIO(content)).pages[0]
    assert page.extract_text().count(LETTERS) == 3
    fonts = page["/Resources"]["/Font"]
    names = {str(font.get_object()["/BaseFont"]) for font in fonts.values()}
    assert names
    assert all("Liberation-Serif" in name for name in names)
    for font in fonts.values():
        descendant = font.get_object()["/DescendantFonts"][0].get_object()
        descriptor = descendant["/FontDescriptor"].get_object()
        assert "/FontFile2" in descriptor or "/FontFile3" in descriptor


def test_the_renderer_is_made_once_per_process(app: Flask) -> None:
    with app.app_context():
        assert rendering.renderer() is rendering.renderer()
        rendering.warm()


def test_the_style_sheet_for_the_browser_names_only_our_own_fonts() -> None:
    css = rendering.screen_styles("/static/fonts/paper/")
    assert "http" not in css
    assert "paper:" not in css
    assert css.count("/static/fonts/paper/LiberationSerif-") == 4


def test_every_packaged_font_has_every_vietnamese_letter() -> None:
    fonts = sorted(checks.FONTS.glob("*.ttf"))
    assert len(fonts) == 4
    assert {font.name: checks.missing_letters(font) for font in fonts} == {font.name: "" for font in fonts}


def test_the_self_test_finds_nothing_here() -> None:
    assert checks.check_fonts() == []
