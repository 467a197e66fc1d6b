"""What this module contributes."""

from __future__ import annotations

from his.core.module import Module
from his.gateways import checks

module = Module(name="gateways", checks={"insurer": checks.insurer, "national_rx": checks.national_rx})
