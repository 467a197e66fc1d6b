"""Print the Debian packages of native libraries that are missing for printing; nothing when all are there."""

from __future__ import annotations

import ctypes
import sys

# Shared library -> Debian and Ubuntu package.
LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz.so.0": "libharfbuzz0b",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
    "libfontconfig.so.1": "libfontconfig1",
}


def missing() -> list[str]:
    """Return the packages to install."""
    packages = []
    for library, package in LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            packages.append(package)
    return packages


if __name__ == "__main__":
    found = missing()
    print(" ".join(found))
    sys.exit(1 if found else 0)
