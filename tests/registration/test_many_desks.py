"""Many desks at once, on real connections: no fixture rolls this back, so it cleans up after itself."""

from __future__ import annotations

import threading

from flask import Flask

from his.core.actor import SYSTEM
from his.core.db import transaction
from his.registration import service
from tests.registration.many import clean, prepare


def test_numbers_stay_unique_when_many_desks_register_at_once(app: Flask) -> None:
    """Real transactions on real connections: no number twice, none left out."""
    with app.app_context():
        ids = prepare(8)
    numbers: list[int] = []
    problems: list[BaseException] = []

    def work(patient_id: int) -> None:
        try:
            with app.app_context(), transaction():
                done = service.register_visit(service.RegisterCommand(patient_id, "991", "ho"), actor=SYSTEM)
                numbers.append(done.ticket.number)
        except BaseException as error:  # noqa: BLE001 - told to the test below
            problems.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in (*ids, *ids)]  # every patient at two desks
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert not problems
        assert sorted(set(numbers)) == list(range(1, 9))
        assert all(numbers.count(n) == 2 for n in numbers), "the second desk gets the visit of the first"
    finally:
        with app.app_context():
            clean()
