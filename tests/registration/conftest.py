"""A portal that answers what a test tells it, and never the network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from his.gateways.base import Unavailable
from his.gateways.insurer import CardAnswer, CardQuestion, read_answer
from his.registration.service import cards


@dataclass
class Portal:
    """Stands for the insurer's client; ``answer`` is the JSON body, None means that nobody answers."""

    answer: dict[str, Any] | None = None
    asked: list[CardQuestion] = field(default_factory=list)

    def check_card(self, question: CardQuestion) -> CardAnswer:
        self.asked.append(question)
        if self.answer is None:
            raise Unavailable("ConnectError")
        return read_answer(self.answer)

    def says(self, code: str = "000", card: str = "GD4797900000002", facility: str = "79999", **more: Any) -> None:
        self.answer = {
            "maKetQua": code, "ghiChu": "như vậy", "maThe": card, "maDKBD": facility, "gtTheTu": "01/01/2026",
            "gtTheDen": "31/12/2099", "maKV": "", "ngayDu5Nam": "", **more,
        }  # fmt: skip


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Portal:
    fake = Portal()
    monkeypatch.setattr(cards.clients, "insurer", lambda **_: fake)
    return fake
