"""The rules of the house, on the whole source tree. Each failure names file, line and what to do."""

from __future__ import annotations

import pytest

from tools import house

WORDS = {"both languages complete"}


@pytest.mark.parametrize("name", sorted(house.CHECKS))
def test_house_rule(name: str) -> None:
    problems = sorted(house.CHECKS[name](house.ROOT))
    assert not problems, "\n".join(map(str, ["", *problems]))


def test_every_model_has_one_owner() -> None:
    owners = house.model_owners(house.ROOT)
    assert {"Patient", "User", "AuditEvent", "Charge"} <= set(owners)
    assert owners["Patient"] == "records"
