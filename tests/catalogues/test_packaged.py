"""The lists shipped with the product: complete, loaded twice without change, found by search."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from his.catalogues import queries, service
from his.catalogues.models import (
    CodeItem,
    Commune,
    CommuneChange,
    Drug,
    Facility,
    Holiday,
    IcdCode,
    LabIndex,
    Province,
    Room,
    Service,
)
from his.core import search
from his.core.actor import SYSTEM
from his.core.db import db, session, transaction

# Loading takes seconds: make test keeps a file in one process.
pytestmark = pytest.mark.timeout(600)
DAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def loaded(app: Any, databases: Any) -> Iterator[Any]:
    """One database with everything packaged, for the tests of this file."""
    from sqlalchemy import create_engine

    from his.core.db import install_engine_hooks

    url = databases.create()
    engine = create_engine(url)
    with app.app_context():
        install_engine_hooks(engine, web=False)
        original = db.engines[None]
        db.engines[None] = engine
        db.session.remove()
        with transaction():
            first = service.load_packaged(actor=SYSTEM)
        yield first
        db.session.remove()
        db.engines[None] = original
        engine.dispose()
    databases.drop(url)


def count(model: Any, **where: Any) -> int:
    return int(session().execute(select(func.count()).select_from(model).filter_by(**where)).scalar_one())


def test_everything_is_there(loaded: Any) -> None:
    assert {report.catalogue for report in loaded} == set(service.PACKAGED)
    assert all(report.added > 0 for report in loaded)
    assert count(Province) == 34, "QĐ 19/2025/QĐ-TTg"
    assert count(Commune) == 3321, "QĐ 19/2025/QĐ-TTg"
    assert count(IcdCode) > 10_000
    assert count(CommuneChange) > 9_000
    assert count(Service) > 100
    assert count(Drug) > 100
    assert count(LabIndex) > 20
    assert count(Room, kind="clinic") >= 5
    assert count(Facility, code="79999") == 1
    assert count(Holiday) > 50


def test_a_second_run_changes_nothing(loaded: Any) -> None:
    with transaction():
        again = service.load_packaged(actor=SYSTEM)
    assert all(report.already_done for report in again)


@pytest.mark.parametrize(
    ("name", "at_least"),
    [("ethnicity", 54), ("nationality", 190), ("occupation", 40), ("route", 50), ("visit_type", 10), ("subject", 20),
     ("department", 40), ("cost_group", 15), ("card_group", 40), ("blood_group", 4), ("ket_qua_dtri", 4), ("ma_loai_rv", 3)],
)  # fmt: skip
def test_the_code_lists_of_the_insurer_are_there(loaded: Any, name: str, at_least: int) -> None:
    items = queries.codes(name, DAY)
    assert len(items) >= at_least
    assert all(item.code and item.name_vi for item in items)
    assert len({item.code for item in items}) == len(items)


@pytest.mark.parametrize(
    ("kind", "typed", "code"),
    [("icd", "viem phe quan cap", "J20"), ("icd", "j20.9", "J20.9"), ("drug", "paracetamol", "TH"), ("commune", "sai gon", ""),
     ("commune", "sai gom", ""), ("facility", "nhi binh minh", "79999"), ("service", "tong phan tich te bao mau", "")],
)  # fmt: skip
def test_search_finds_them(loaded: Any, kind: str, typed: str, code: str) -> None:
    hits = search.find(kind, typed)
    assert hits
    assert str(hits[0].extra["code"]).startswith(code)


def test_search_stays_within_its_statements(loaded: Any, count_statements: Any) -> None:
    with count_statements() as seen:
        assert search.find("icd", "viem phoi do vi khuam")
    assert seen.count <= 12


def test_every_row_says_where_it_came_from(loaded: Any) -> None:
    for model in (IcdCode, Service, Drug, CodeItem, Commune):
        assert (
            session().execute(select(func.count()).select_from(model).where(model.import_id.is_(None))).scalar_one()
            == 0
        )
    assert all(run.source for run in queries.imports())


def test_every_lab_index_belongs_to_a_service(loaded: Any) -> None:
    known = set(session().execute(select(Service.code)).scalars())
    assert {index.service_code for index in session().execute(select(LabIndex)).scalars()} <= known


def test_an_old_address_leads_to_the_new_commune(loaded: Any) -> None:
    found = queries.new_communes_for("Phường Bến Nghé, Quận 1, Thành phố Hồ Chí Minh")
    assert found
    assert "Sài Gòn" in found[0][0].name


def test_a_new_address_is_read(loaded: Any) -> None:
    found = queries.commune_in_text("1 Đường Bình Minh, Phường Sài Gòn, Thành phố Hồ Chí Minh")
    assert found is not None
    assert queries.commune_in_text("không có dấu phẩy") is None
    assert queries.commune_in_text("x, Phường Không Có, Tỉnh Không Có") is None
