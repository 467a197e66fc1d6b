"""Imports: all rows or none, a truthful report, effective dates, the same file twice, files of every kind."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from his.audit.models import AuditEvent
from his.catalogues import queries, rules, service
from his.catalogues.enums import Action
from his.catalogues.errors import CodeNotFound, ImportRefused
from his.catalogues.models import CatalogueImport, Drug, Service
from his.core import search
from his.core.actor import SYSTEM
from his.core.db import session, transaction

HEAD = (
    "code,name,cost_group,kind,unit,hospital_price,insurance_price,insurance_rate,machine_code,price_basis,is_offered"
)
ROW1 = "XN01,Tổng phân tích tế bào máu,1,laboratory,lần,50600,50600,100,HH.1,QĐ 1,1"
ROW2 = "XN02,Định lượng glucose,1,laboratory,lần,22400,22400,100,,QĐ 1,1"
FIRST = date(2026, 1, 1)
LATER = date(2026, 7, 1)


def csv_of(*rows: str, head: str = HEAD) -> bytes:
    return "\n".join((head, *rows, "")).encode()


def xlsx_of(*rows: list[Any], head: str = HEAD) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(head.split(","))
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def load(data: bytes, name: str = "services.csv", *, on: date = FIRST, catalogue: str = "services", **more: Any) -> Any:
    with transaction():
        return service.import_catalogue(catalogue, name, data, valid_from=on, source="thử", actor=SYSTEM, **more)


def refused(data: bytes, name: str = "services.csv", **more: Any) -> list[tuple[int, str, str]]:
    with pytest.raises(ImportRefused) as caught:
        load(data, name, **more)
    assert session().execute(select(func.count()).select_from(CatalogueImport)).scalar_one() == 0
    return [(problem.row, problem.column, problem.message) for problem in caught.value.problems]


def rows(model: Any = Service) -> list[Any]:
    return list(session().execute(select(model).order_by(model.code, model.valid_from)).scalars())


@pytest.fixture(autouse=True)
def _ground(db_session: Any) -> None:
    """Every test on the rolled-back database."""


# --- good files --------------------------------------------------------------------------------------------------------


def test_a_csv_file_is_loaded_found_and_recorded() -> None:
    report = load(csv_of(ROW1, ROW2))
    assert (report.added, report.changed, report.closed, report.unchanged) == (2, 0, 0, 0)
    first = queries.service("XN01", FIRST)
    assert (first.hospital_price, first.valid_from, first.valid_to, first.is_offered) == (
        Decimal(50600),
        FIRST,
        None,
        True,
    )
    assert [hit.extra["code"] for hit in search.find("service", "glucose")] == ["XN02"]
    (event,) = session().execute(select(AuditEvent).where(AuditEvent.action == Action.IMPORT.value)).scalars()
    assert event.details["added"] == 2
    assert event.details["digest"] == report.digest


def test_a_spreadsheet_gives_the_same_rows() -> None:
    cells = ["XN01", "Tổng phân tích tế bào máu", 1, "laboratory", "lần", 50600, 50600.0, 100, "HH.1", "QĐ 1", 1]
    assert load(xlsx_of(cells), "a.xlsx").added == 1
    found = queries.service("XN01", FIRST)
    assert (found.cost_group, found.insurance_price, found.insurance_rate) == ("1", Decimal(50600), 100)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + csv_of(ROW1), csv_of(ROW1).replace(b"\n", b"\r\n"), csv_of(ROW1, "", ",,,,,,,,,,"),
        csv_of(ROW1).replace(b",", b";"), csv_of(ROW1).replace(b",", b"\t"),
        csv_of(ROW1.replace("Tổng phân tích tế bào máu", '"Tổng phân tích, ""máu"""')),
    ],
    ids=["bom", "crlf", "empty-rows", "semicolons", "tabs", "quotes"],
)  # fmt: skip
def test_files_as_spreadsheets_write_them(data: bytes) -> None:
    assert load(data).added == 1


def test_columns_may_stand_in_any_order_and_optional_ones_may_miss() -> None:
    head = "name,code,kind,cost_group,unit,insurance_rate,insurance_price,hospital_price"
    assert load(csv_of("Siêu âm,SA01,imaging,2,lần,100,43900,43900", head=head)).added == 1
    assert queries.service("SA01", FIRST).machine_code == ""


# --- effective dates ----------------------------------------------------------------------------------------------------


def test_a_new_price_closes_the_old_row_and_opens_a_new_one() -> None:
    load(csv_of(ROW1, ROW2))
    report = load(csv_of(ROW1.replace("50600,50600", "55000,52000"), ROW2), on=LATER)
    assert (report.added, report.changed, report.closed, report.unchanged) == (0, 1, 0, 1)
    old, new = [row for row in rows() if row.code == "XN01"]
    assert (old.valid_from, old.valid_to, old.hospital_price) == (FIRST, date(2026, 6, 30), Decimal(50600))
    assert (new.valid_from, new.valid_to, new.hospital_price) == (LATER, None, Decimal(55000))
    assert queries.service("XN01", date(2026, 6, 30)).hospital_price == Decimal(50600)
    assert queries.service("XN01", LATER).hospital_price == Decimal(55000)
    with pytest.raises(CodeNotFound):
        queries.service("XN01", date(2025, 12, 31))


def test_the_search_shows_the_row_in_force() -> None:
    load(csv_of(ROW1))
    load(csv_of(ROW1.replace("50600,50600", "55000,52000")), on=LATER)
    hits = search.find("service", "tong phan tich")
    assert [hit.extra["price"] for hit in hits] in (["55000"], ["55000.00"])


def test_a_full_file_closes_what_it_does_not_name() -> None:
    load(csv_of(ROW1, ROW2))
    report = load(csv_of(ROW1), on=LATER, full=True)
    assert (report.closed, report.unchanged) == (1, 1)
    assert queries.services(["XN01", "XN02"], LATER).keys() == {"XN01"}
    assert queries.services(["XN02"], date(2026, 6, 30)).keys() == {"XN02"}
    assert search.find("service", "glucose") == []


def test_a_partial_file_leaves_the_rest_alone() -> None:
    load(csv_of(ROW1, ROW2))
    assert load(csv_of(ROW2.replace("22400", "23000")), on=LATER).closed == 0
    assert queries.services(["XN01", "XN02"], LATER).keys() == {"XN01", "XN02"}


def test_a_correction_for_the_same_day_replaces_the_row() -> None:
    load(csv_of(ROW1))
    report = load(csv_of(ROW1.replace("50600,50600", "50700,50600")))
    assert (report.added, report.changed) == (0, 1)
    (only,) = rows()
    assert (only.hospital_price, only.valid_to) == (Decimal(50700), None)


def test_a_day_before_the_row_in_force_is_refused_and_named() -> None:
    load(csv_of(ROW1), on=LATER)
    with pytest.raises(ImportRefused) as caught:
        load(csv_of(ROW1.replace("50600,50600", "1,1"), ROW2), on=FIRST)
    ((number, message),) = [(p.row, p.message) for p in caught.value.problems]
    assert number == 2
    assert "01/07/2026" in message
    assert [row.hospital_price for row in rows()] == [Decimal(50600)]


# --- twice --------------------------------------------------------------------------------------------------------------


def test_the_same_file_twice_changes_nothing() -> None:
    load(csv_of(ROW1, ROW2))
    again = load(csv_of(ROW1, ROW2))
    assert again.already_done
    assert len(rows()) == 2
    assert session().execute(select(func.count()).select_from(CatalogueImport)).scalar_one() == 1


def test_the_same_rows_in_another_file_change_nothing() -> None:
    load(csv_of(ROW1, ROW2))
    report = load(csv_of(ROW2, ROW1), on=LATER)
    assert (report.added, report.changed, report.closed, report.unchanged) == (0, 0, 0, 2)
    assert len(rows()) == 2


def test_a_trial_run_tells_and_changes_nothing() -> None:
    load(csv_of(ROW1))
    report = load(csv_of(ROW1.replace("50600,50600", "55000,52000"), ROW2), on=LATER, dry_run=True)
    assert (report.added, report.changed) == (1, 1)
    session().expire_all()
    (only,) = rows()
    assert (only.hospital_price, only.valid_to) == (Decimal(50600), None)
    assert load(csv_of(ROW1.replace("50600,50600", "55000,52000"), ROW2), on=LATER).added == 1


# --- one bad cell stops everything, and is named ------------------------------------------------------------------------

BAD_ROWS = [
    (ROW1.replace("50600,50600", "-1,50600"), 2, "hospital_price", "Cần số không âm"),
    (ROW1.replace("50600,50600", "1e5,50600"), 2, "hospital_price", "Cần số không âm"),
    (ROW1.replace("50600,50600", "50.600.000,50600"), 2, "hospital_price", "Cần số không âm"),
    (ROW1.replace("50600,50600", "NaN,50600"), 2, "hospital_price", "Cần số không âm"),
    (ROW1.replace("50600,50600", "٥٠٦,50600"), 2, "hospital_price", "Cần số không âm"),
    (ROW1.replace(",100,", ",101,"), 2, "insurance_rate", "từ 0 đến 100"),
    (ROW1.replace(",100,", ",nhiều,"), 2, "insurance_rate", "Cần số nguyên"),
    (ROW1.replace("laboratory", "magic"), 2, "kind", "Chỉ nhận"),
    (ROW1.replace(",1,laboratory", ",1234,laboratory"), 2, "cost_group", "nhiều nhất 2"),
    (ROW1.replace("Tổng phân tích tế bào máu", ""), 2, "name", "bắt buộc"),
    (ROW1.replace("Tổng phân tích tế bào máu", "x" * 501), 2, "name", "nhiều nhất 500"),
    (ROW1.replace("XN01", ""), 2, "code", "bắt buộc"),
    (ROW1.replace("Tổng phân tích tế bào máu", "=HYPERLINK(1)"), 2, "name", "công thức"),
    (ROW1.replace("Tổng phân tích tế bào máu", "@SUM(A1)"), 2, "name", "công thức"),
    (ROW1.removesuffix("1") + "yes", 2, "is_offered", "0 hoặc 1"),
]


@pytest.mark.parametrize(("row", "number", "column", "says"), BAD_ROWS)
def test_a_bad_cell_is_named_by_row_and_column_and_nothing_is_loaded(
    row: str, number: int, column: str, says: str
) -> None:
    problems = refused(csv_of(row, ROW2))
    assert [(n, c) for n, c, _ in problems] == [(number, column)]
    assert says in problems[0][2]
    assert rows() == []


def test_rows_are_counted_as_the_spreadsheet_shows_them() -> None:
    problems = refused(csv_of(ROW1, "", ROW2.replace("22400,22400", "x,22400")))
    assert [(n, c) for n, c, _ in problems] == [(4, "hospital_price")]


def test_rows_after_an_empty_one_keep_their_number_in_later_checks_too() -> None:
    problems = refused(csv_of(ROW1, "", ROW2.replace(",100,", ",101,")))
    assert [(n, c) for n, c, _ in problems] == [(4, "insurance_rate")]


def test_every_bad_cell_is_named_at_once() -> None:
    problems = refused(
        csv_of(ROW1.replace("laboratory", "x").replace(",100,", ",y,"), ROW2.replace("22400,22400", "z,22400"))
    )
    assert [(n, c) for n, c, _ in problems] == [(2, "kind"), (2, "insurance_rate"), (3, "hospital_price")]


def test_a_code_twice_names_both_rows() -> None:
    ((number, column, message),) = refused(csv_of(ROW1, ROW2, ROW1))
    assert (number, column) == (4, "code")
    assert "dòng 2" in message


def test_missing_and_unknown_columns_are_named() -> None:
    problems = refused(csv_of("XN01,a", head="code,nam"))
    assert (1, "name") in {(n, c) for n, c, _ in problems}
    assert any("«nam» không có trong danh mục này" in message for _, _, message in problems)


def test_a_flood_of_errors_is_cut_off() -> None:
    problems = refused(csv_of(*(f"X{i},a,1,magic,lần,1,1,100,,,1" for i in range(1000))))
    assert len(problems) <= rules.MAX_PROBLEMS + 1
    assert "quá nhiều lỗi" in problems[-1][2]


def test_a_failed_import_leaves_the_old_rows_as_they_were() -> None:
    load(csv_of(ROW1, ROW2))
    with pytest.raises(ImportRefused):
        load(csv_of(ROW1.replace("50600,50600", "99,99"), ROW2.replace("laboratory", "magic")), on=LATER, full=True)
    session().expire_all()
    assert [(r.code, r.valid_to, r.hospital_price) for r in rows()] == [
        ("XN01", None, Decimal(50600)),
        ("XN02", None, Decimal(22400)),
    ]


def test_codes_must_exist_in_the_list_they_point_to() -> None:
    head = "code,name_vi,service_code,age_min_days"
    problems = refused(csv_of("HGB,Huyết sắc tố,NONE,0", head=head), "lab.csv", catalogue="lab_indices")
    assert [(n, c) for n, c, _ in problems] == [(2, "service_code")]
    assert "chưa có trong danh mục gốc" in problems[0][2]


# --- files of the wrong kind --------------------------------------------------------------------------------------------


def bomb(*sizes: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for number, size in enumerate(sizes):
            packed.writestr(f"xl/worksheets/sheet{number}.xml", b"0" * size)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", b""), ("a.csv", b"\x00\x01\x02\x03"), ("a.csv", "Tổng phân tích".encode("utf-16")),
        ("a.csv", b"\xff\xfe\xfa"), ("a.csv", csv_of(ROW1).decode().encode("cp1258", "replace")), ("a.pdf", b"%PDF-1.7"),
        ("a.xlsx", b"not a spreadsheet"), ("a.xlsx", b"PK\x03\x04broken"), ("a.xls", b"\xd0\xcf\x11\xe0"),
        ("a.exe", b"MZ"), ("a", b"x"), ("a.csv", b"\n\n\n"), ("a.csv", HEAD.encode()), ("a.xlsx", b"x" * (31 * 1024 * 1024)), ("a.csv", csv_of(ROW1 + "x" * 200_000)),
    ],
    ids=["empty", "binary", "utf16", "latin", "cp1258", "pdf", "text-xlsx", "broken-zip", "xls", "exe", "nameless",
         "blank-lines", "heading-only", "too-big", "huge-cell"],
)  # fmt: skip
def test_a_file_of_the_wrong_kind_is_refused_in_a_sentence(name: str, data: bytes) -> None:
    ((_row, _column, message),) = refused(data, name)
    assert message.endswith(".")


@pytest.mark.parametrize("sizes", [(2_000_000,), (600_000, 600_000), (1,) * 1001], ids=["one", "sum", "parts"])
def test_a_packed_bomb_is_refused_before_it_is_unpacked(
    monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, ...]
) -> None:
    monkeypatch.setattr(service, "MAX_UNPACKED", 1_000_000)
    monkeypatch.setattr(service, "load_workbook", None)
    ((_row, _column, message),) = refused(bomb(*sizes), "bomb.xlsx")
    assert "bung ra quá lớn" in message


def test_a_packed_csv_bomb_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_UNPACKED", 1_000_000)
    ((_row, _column, message),) = refused(gzip.compress(b"a" * 2_000_000), "a.csv.gz")
    assert "bung ra quá lớn" in message


def test_formulas_of_a_spreadsheet_are_not_run() -> None:
    cells = ["XN01", '=CONCATENATE("a","b")', 1, "laboratory", "lần", 50600, 50600, 100, "", "", 1]
    problems = refused(xlsx_of(cells), "a.xlsx")
    assert [(n, c) for n, c, _ in problems] == [(2, "name")]


# --- other catalogues ---------------------------------------------------------------------------------------------------


def test_signed_ranges_and_extra_columns() -> None:
    load(csv_of(ROW1))
    head = "code,name_vi,service_code,age_min_days,male_low,male_high"
    assert load(csv_of("BE,Kiềm dư,XN01,0,-2,2.5", head=head), "l.csv", catalogue="lab_indices").added == 1
    (index,) = queries.lab_indices(["XN01"], FIRST)["XN01"]
    assert (index.male_low, index.male_high) == (Decimal(-2), Decimal("2.5"))
    items = csv_of(
        "route,1.01,Uống,Oral,short=PO|group=1", "route,2.10,Tiêm,,", head="list_name,code,name_vi,name_en,extra"
    )
    assert load(items, "c.csv", catalogue="code_lists").added == 2
    assert queries.codes("route", FIRST)[0].extra == {"short": "PO", "group": "1"}


def test_drugs_are_found_by_ingredient_brand_and_code() -> None:
    head = "code,inn,ingredient_vi,brand,strength,form,route_code,unit,control_class,price,insurance_price,insurance_rate,cost_group"
    row = "TH01,Paracetamol,Paracetamol,Hapacol,150 mg,gói bột,1.01,Gói,normal,2800,2800,100,4"
    assert load(csv_of(row, head=head), "d.csv", catalogue="drugs").added == 1
    for typed in ("paracetamol", "hapacol", "th01", "hapacol 150", "paracetmol"):
        assert [hit.extra["code"] for hit in search.find("drug", typed)] == ["TH01"], typed
    assert rows(Drug)[0].price == Decimal(2800)
