"""What may be seen of the hospital's figures."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    DASHBOARD_READ = "dashboards:dashboard:read"
