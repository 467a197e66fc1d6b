"""What may be done with catalogues."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """Permissions of this module."""

    CATALOGUE_IMPORT = "catalogues:catalogue:import"
    CATALOGUE_READ = "catalogues:catalogue:read"
    CATALOGUE_SEARCH = "catalogues:catalogue:search"
