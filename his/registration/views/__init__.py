"""Routes of the desk and of the queue."""

from __future__ import annotations

from his.registration.views import desk, queue
from his.registration.views.page import bp

__all__ = ["bp", "desk", "queue"]
