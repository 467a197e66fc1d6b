"""Catalogue screens: looking codes up, price history, importing with a trial run, the search behind comboboxes."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from his.catalogues.models import CatalogueImport, Service
from his.core.db import session, transaction
from tests.catalogues.test_import import HEAD, ROW1, csv_of
from tests.factories.catalogues import make_drug, make_facility, make_icd, make_place, make_service


def upload(browser: Any, data: bytes, name: str = "services.csv", **fields: str) -> Any:
    values = {
        "catalogue": "services",
        "valid_from": "01/01/2026",
        "mode": "try",
        **fields,
        "file": (io.BytesIO(data), name),
    }
    return browser.post("/catalogues/import", data=values, content_type="multipart/form-data")


def count() -> int:
    return int(session().execute(select(func.count()).select_from(Service)).scalar_one())


# --- search -----------------------------------------------------------------------------------------------------------


def test_each_kind_answers_with_what_the_row_shows(login_as: Any) -> None:
    make_icd(), make_icd("I10", "Tăng huyết áp", is_never_main=True), make_icd("A00", "Bệnh tả", is_never_used=True)
    make_service(), make_drug(brand="Hapacol"), make_place(), make_facility()
    browser = login_as("doctor")

    def items(kind: str, typed: str) -> list[dict[str, Any]]:
        answer = browser.get(f"/catalogues/search/{kind}", query_string={"q": typed})
        assert answer.status_code == 200
        return list(answer.json["items"])

    assert items("icd", "viem phe quan")[0] == {
        "id": "J20.9", "code": "J20.9", "label": "Viêm phế quản cấp, không xác định", "detail": "", "never_main": False,
    }  # fmt: skip
    assert items("icd", "tang huyet ap")[0]["detail"] == "chỉ kèm theo"
    assert items("icd", "benh ta")[0]["disabled"] is True
    assert items("service", "tong phan tich")[0]["detail"] == "50.600 đ"
    assert "900 đ" in items("drug", "hapacol")[0]["detail"]
    assert items("commune", "sai gon")[0]["label"] == "Phường Sài Gòn, Thành phố Hồ Chí Minh"
    assert items("facility", "benh vien thu")[0]["code"] == "79010"
    assert "gần giống" in items("icd", "viem phe quam")[0]["detail"]


@pytest.mark.parametrize("typed", ["", "a", "%", "' OR 1=1 --", "x" * 10_000, "\x00"])
def test_odd_searches_answer_with_nothing(login_as: Any, typed: str) -> None:
    make_icd()
    answer = login_as("doctor").get("/catalogues/search/icd", query_string={"q": typed})
    assert (answer.status_code, answer.json["items"]) == (200, [])


def test_an_unknown_kind_answers_with_nothing(login_as: Any) -> None:
    assert login_as("doctor").get("/catalogues/search/patient?q=tran").json == {"items": []}


def test_search_is_for_people_who_work_with_codes(login_as: Any, client: Any) -> None:
    assert login_as("auditor").get("/catalogues/search/icd?q=sot").status_code == 403
    assert client.get("/catalogues/search/icd?q=sot").status_code == 302


def test_search_costs_few_statements(login_as: Any, count_statements: Any) -> None:
    make_icd()
    browser = login_as("doctor")
    with count_statements() as seen:
        browser.get("/catalogues/search/icd?q=viem phe quam")
    assert seen.count <= 12, seen.texts


# --- looking up -------------------------------------------------------------------------------------------------------


def test_a_code_shows_its_prices_over_time(login_as: Any) -> None:
    with transaction() as here:
        make_service("XN01", valid_to=date(2026, 6, 30))
        here.flush()
    make_service("XN01", valid_from=date(2026, 7, 1), hospital_price=Decimal(55000))
    page = login_as("administrator").get("/catalogues/?kind=service&code=XN01").text
    for shown in ("50.600", "55.000", "30/06/2026", "01/07/2026"):
        assert shown in page


@pytest.mark.parametrize(
    "query", ["", "kind=drug&q=para", "kind=nothing&q=x", "kind=icd&q=J20&code=J20.9", "code=%3Cem%3E&q=%3Cem%3E"]
)
def test_the_page_opens_for_any_question(login_as: Any, query: str) -> None:
    make_icd()
    page = login_as("administrator").get(f"/catalogues/?{query}")
    assert page.status_code == 200
    assert "<em>" not in page.text


@pytest.mark.parametrize("role", ["clerk", "doctor", "auditor"])
def test_prices_are_closed_to_others(login_as: Any, role: str) -> None:
    assert login_as(role).get("/catalogues/").status_code == 403


# --- importing --------------------------------------------------------------------------------------------------------


def test_a_trial_run_then_the_import(login_as: Any) -> None:
    browser = login_as("administrator")
    trial = upload(browser, csv_of(ROW1))
    assert trial.status_code == 200
    assert "thêm 1" in trial.text
    assert count() == 0
    done = upload(browser, csv_of(ROW1), mode="apply")
    assert done.status_code == 303
    assert count() == 1
    assert "services" in browser.get("/catalogues/").text


def test_a_bad_file_lists_every_cell_and_loads_nothing(login_as: Any) -> None:
    answer = upload(login_as("administrator"), csv_of(ROW1.replace("50600,50600", "-1,x")), mode="apply")
    assert answer.status_code == 422
    assert answer.text.count("Cần số không âm") == 2
    assert "hospital_price" in answer.text
    assert count() == 0
    assert session().execute(select(func.count()).select_from(CatalogueImport)).scalar_one() == 0


@pytest.mark.parametrize(
    "fields", [{"catalogue": "users"}, {"catalogue": ""}, {"valid_from": "31/02/2026"}, {"valid_from": ""}]
)
def test_an_incomplete_form_says_what_to_choose(login_as: Any, fields: dict[str, str]) -> None:
    answer = upload(login_as("administrator"), csv_of(ROW1), **fields)
    assert answer.status_code == 422
    assert "Chọn danh mục, tệp và ngày" in answer.text


def test_a_file_of_the_wrong_kind_is_named(login_as: Any) -> None:
    answer = upload(login_as("administrator"), b"MZ\x00", "virus.exe", mode="apply")
    assert answer.status_code == 422
    assert "Chỉ nhận tệp CSV" in answer.text


def test_hostile_text_in_a_file_is_shown_as_text(login_as: Any) -> None:
    answer = upload(login_as("administrator"), csv_of(ROW1.replace("laboratory", "<script>alert(1)</script>")))
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


@pytest.mark.parametrize("role", ["pharmacist", "insurance_clerk", "manager"])
def test_those_who_may_read_may_not_import(login_as: Any, role: str) -> None:
    browser = login_as(role)
    assert browser.get("/catalogues/").status_code == 200
    assert upload(browser, csv_of(ROW1), mode="apply").status_code == 403
    assert count() == 0


def test_the_import_page_names_all_catalogues(login_as: Any) -> None:
    page = login_as("administrator").get("/catalogues/import").text
    for name in ("services", "drugs", "icd10", "rooms"):
        assert f'value="{name}"' in page
    assert HEAD.split(",")[0]


# --- the commands -----------------------------------------------------------------------------------------------------


def test_the_command_imports_and_names_faults(app: Any, committed: Any, tmp_path: Any) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_bytes(csv_of(ROW1))
    bad.write_bytes(csv_of(ROW1.replace("laboratory", "magic")))
    run = app.test_cli_runner()
    trial = run.invoke(args=["catalogues", "import", "services", str(good), "--valid-from", "2026-01-01", "--dry-run"])
    assert (trial.exit_code, count()) == (0, 0)
    done = run.invoke(args=["catalogues", "import", "services", str(good), "--valid-from", "2026-01-01"])
    assert done.exit_code == 0
    assert "thêm 1" in done.output
    assert count() == 1
    again = run.invoke(args=["catalogues", "import", "services", str(good), "--valid-from", "2026-01-01"])
    assert "đã có, không đổi" in again.output
    refused = run.invoke(args=["catalogues", "import", "services", str(bad), "--valid-from", "2026-02-01"])
    assert refused.exit_code != 0
    assert "dòng 2, cột kind, «magic»" in refused.output
    assert count() == 1
