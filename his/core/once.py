"""A form posted twice acts once (REL-02).

Every state-changing form carries a one-time key. The key is stored in the same transaction as the effect; the second
arrival of the same key with the same body gets the first result, with another body it is refused.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from his.core import clock
from his.core.actor import Actor
from his.core.db import Base, session
from his.core.errors import Conflict


class RequestKey(Base):
    """A used one-time key with the result it led to (plain JSON: ids and codes only)."""

    __tablename__ = "request_keys"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(String(80))
    body_hash: Mapped[str] = mapped_column(String(64))
    result: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


def new_key() -> str:
    """Return a fresh key for a form about to be rendered."""
    return secrets.token_urlsafe(24)


def once(
    key: str, *, action: str, actor: Actor, body: Mapping[str, Any], effect: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Run ``effect`` unless this key was used already; return its result (a dict of ids and codes) either way.

    Two arrivals at the same moment meet at the primary key: the later one waits, then finds the first result.
    Raises `Conflict` when the key comes back with another body or from another user.
    """
    if not key or len(key) > 64:
        raise Conflict("Biểu mẫu đã cũ. Tải lại trang rồi làm lại.")
    body_hash = hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()
    here = session()
    marker = RequestKey(key=key, user_id=actor.user_id, action=action, body_hash=body_hash, result={})
    try:
        with here.begin_nested():
            here.add(marker)
            here.flush()  # the primary key decides who came first
    except IntegrityError:
        first = here.get(RequestKey, key, populate_existing=True)
        if first is None or (first.user_id, first.action, first.body_hash) != (actor.user_id, action, body_hash):
            raise Conflict("Biểu mẫu này đã được gửi với nội dung khác. Tải lại trang để xem kết quả.") from None
        return dict(first.result)
    marker.result = effect()
    here.flush()  # result and effect leave together
    return dict(marker.result)
