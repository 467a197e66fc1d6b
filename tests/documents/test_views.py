"""Showing papers to staff, and the public check: what it says, what it never says, how heavy it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from his.core import clock
from his.core.actor import Actor
from his.core.db import session, transaction
from his.core.module import registry
from his.documents import queries, service
from his.documents.models import Paper
from his.referrals.printing import sample
from tests.factories.documents import make_paper
from tests.factories.records import make_patient
from tests.factories.referrals import issued

Make = Callable[..., Actor]


def make_state(actor: Actor, state: str) -> Paper:
    day = clock.today() + timedelta(days=-1 if state == "expired" else 5)
    paper = make_paper(actor, patient=make_patient("Trần Đăng Khoa"), valid_until=day)
    if state == "cancelled":
        with transaction():
            service.cancel_paper(paper.paper_id, "Sai thông tin", actor=actor)
    elif state == "replaced":
        make_paper(actor, replaces=paper, replace_reason="Sai thông tin")
    return paper


WORDS = {
    "genuine": "Giấy thật, còn giá trị", "expired": "Giấy thật, đã hết giá trị", "cancelled": "Giấy này đã bị hủy",
    "replaced": "Giấy này đã được thay",
}  # fmt: skip


@pytest.mark.parametrize("state", list(WORDS))
def test_the_public_page_answers_first_and_keeps_the_illness_to_itself(client: FlaskClient, actor: Make, state: str) -> None:
    paper = make_state(actor("doctor"), state)
    answer = client.get(f"/v/{paper.public_code}")
    assert answer.status_code == 200
    assert WORDS[state] in answer.text
    assert all(other not in answer.text for key, other in WORDS.items() if key != state)
    assert "T. Đ. KHOA" in answer.text
    context = sample()
    for secret in ("Trần Đăng Khoa", "TRẦN ĐĂNG KHOA", context.diagnosis, context.destination, context.clinical_signs, context.card_number, context.birth_year, "1985"):
        assert secret not in answer.text
    assert not re.search(r"\b[A-Z]\d{2}\.\d\b", answer.text)


def test_an_unknown_code_says_so_and_offers_to_type_again(client: FlaskClient) -> None:
    answer = client.get("/v/ABCD2345EFGH6789")
    assert answer.status_code == 404
    assert "Không có giấy nào mang mã này" in answer.text
    assert 'name="code"' in answer.text


def test_a_typed_code_leads_to_its_paper(client: FlaskClient, actor: Make) -> None:
    paper = make_state(actor("doctor"), "genuine")
    typed = service.footing(paper.public_code, actor("doctor")).lookup_code.lower()
    assert client.get("/v/").status_code == 200
    answer = client.get("/v/", query_string={"code": typed}, follow_redirects=True)
    assert WORDS["genuine"] in answer.text


def test_hostile_codes_are_shown_harmless(client: FlaskClient) -> None:
    answer = client.get("/v/%3Cscript%3Ealert(1)")
    assert answer.status_code == 404
    assert "<script" not in answer.text


def test_the_public_page_needs_no_script_and_is_light(client: FlaskClient, app: Flask, actor: Make) -> None:
    paper = make_state(actor("doctor"), "genuine")
    answer = client.get(f"/v/{paper.public_code}")
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    parts = set(re.findall(r'(?:href|src)="(/static/[^"?#]+)', answer.text))
    files = [Path(app.static_folder or "") / part.removeprefix("/static/") for part in parts]
    assert all(file.is_file() for file in files)
    assert len(answer.data) + sum(file.stat().st_size for file in files) < 100_000


def test_the_public_page_is_not_for_search_engines_or_caches(client: FlaskClient, actor: Make) -> None:
    answer = client.get(f"/v/{make_state(actor('doctor'), 'genuine').public_code}")
    assert "noindex" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_public_page_keeps_its_place_when_the_language_changes(client: FlaskClient, actor: Make) -> None:
    paper = make_state(actor("doctor"), "genuine")
    answer = client.post("/language/en", data={"next": f"/v/{paper.public_code}"})
    assert answer.location == f"/v/{paper.public_code}"
    assert 'lang="en"' in client.get(answer.location).text


def test_the_check_costs_one_read(client: FlaskClient, actor: Make, count_statements: Callable[[], object]) -> None:
    code = make_state(actor("doctor"), "genuine").public_code
    with count_statements() as seen:  # type: ignore[attr-defined]
        client.get(f"/v/{code}")
    assert seen.count == 1


# --- staff ----------------------------------------------------------------------------------------------------------


def test_a_paper_is_shown_as_pdf_and_the_print_is_counted(login_as: Callable[[str], FlaskClient], actor: Make) -> None:
    paper = make_paper(actor("doctor"))
    answer = login_as("doctor").get(f"/papers/{paper.paper_id}.pdf")
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("inline; filename=")
    session().expire_all()
    assert session().get(Paper, paper.paper_id).print_count == 1


@pytest.mark.parametrize("role", ["administrator", "auditor"])
def test_those_without_the_right_see_no_paper(login_as: Callable[[str], FlaskClient], actor: Make, role: str) -> None:
    paper = make_paper(actor("doctor"))
    assert login_as(role).get(f"/papers/{paper.paper_id}.pdf").status_code == 403


def test_strangers_are_sent_to_the_door(client: FlaskClient, actor: Make) -> None:
    paper = make_paper(actor("doctor"))
    assert client.get(f"/papers/{paper.paper_id}.pdf").status_code in (302, 303, 401)


def test_an_unknown_paper_is_not_found(login_as: Callable[[str], FlaskClient]) -> None:
    assert login_as("doctor").get("/papers/9999999.pdf").status_code == 404


def test_the_administrator_looks_at_every_form_with_invented_data(login_as: Callable[[str], FlaskClient]) -> None:
    browser = login_as("administrator")
    code = next(form.code for module in registry().modules for form in module.forms)
    assert browser.get(f"/papers/sample/{code}.pdf").data.startswith(b"%PDF")
    assert browser.get("/papers/sample/nothing.pdf").status_code == 404
    assert login_as("doctor").get(f"/papers/sample/{code}.pdf").status_code == 403


def test_the_papers_of_a_visit_are_listed_for_printing_again(login_as: Callable[[str], FlaskClient], actor: Make, count_statements: Callable[[], object]) -> None:
    doctor = actor("doctor")
    referral = issued(doctor, actor("head"))
    browser = login_as("doctor")
    with count_statements() as seen:  # type: ignore[attr-defined]
        page = browser.get(f"/papers/visits/{referral.visit_id}")
    assert page.status_code == 200
    assert referral.number in page.text
    assert f"/papers/{referral.paper_id}.pdf" in page.text
    assert seen.count <= 7
    assert browser.get("/papers/visits/9999999").status_code == 404
    assert login_as("auditor").get(f"/papers/visits/{referral.visit_id}").status_code == 403


def test_the_record_has_one_row_of_papers_per_visit(db_session: object, app: Flask, actor: Make) -> None:
    doctor = actor("doctor")
    referral = issued(doctor, actor("head"))
    with app.test_request_context():
        entries = queries.record_entries(referral.patient_id, [referral.visit_id], doctor)
    assert len(entries) == 1
    assert referral.number in entries[0].lines[0]
    assert queries.record_entries(referral.patient_id, [referral.visit_id], actor("auditor")) == ()


def test_each_role_opens_only_the_papers_of_its_work(login_as: Callable[[str], FlaskClient], actor: Make) -> None:
    """Who may print a receipt does not read a referral: the right goes by content (security standard §4)."""
    with transaction():
        referral = issued(actor("doctor"), actor("head"))
    assert login_as("cashier").get(f"/papers/{referral.paper_id}.pdf").status_code == 403
    assert login_as("cashier").get(f"/papers/visits/{referral.visit_id}").status_code == 404
    assert login_as("doctor").get(f"/papers/{referral.paper_id}.pdf").status_code == 200
