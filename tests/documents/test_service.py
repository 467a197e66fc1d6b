"""Papers as stored bytes: issued once, printed alike, damage noticed, cancelled and replaced; signatures over content."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from his.audit.models import AuditEvent
from his.core import clock
from his.core.actor import Actor
from his.core.db import session, transaction
from his.core.errors import Conflict, NotAllowed
from his.documents import queries, service
from his.documents.enums import PaperState, SignatureKind
from his.documents.errors import PaperDamaged, PaperNotFound
from his.documents.models import Paper
from tests.factories.documents import make_paper

Make = Callable[..., Actor]


@pytest.fixture
def doctor(actor: Make) -> Actor:
    return actor("doctor")


def test_a_paper_keeps_its_bytes_digest_form_and_version(doctor: Actor) -> None:
    paper = make_paper(doctor)
    assert (paper.form_code, paper.form_version, paper.page_count) == ("referral", "2025-1", 1)
    assert len(paper.digest) == 64
    assert paper.byte_count == len(paper.content)
    assert service.paper_for("referral", "sample", paper.subject_id) is paper


def test_every_print_gives_the_same_bytes_and_is_logged(doctor: Actor) -> None:
    paper = make_paper(doctor)
    prints = []
    for _ in range(3):
        with transaction():
            prints.append(service.print_paper(paper.paper_id, actor=doctor)[1])
    assert len(set(prints)) == 1
    events = session().execute(select(AuditEvent).where(AuditEvent.action == "documents.paper.print")).scalars().all()
    assert len(events) == 3
    assert queries.get(paper.paper_id).print_count == 3


def test_bytes_changed_behind_our_back_are_not_printed(doctor: Actor) -> None:
    paper = make_paper(doctor)
    with transaction():
        session().execute(update(Paper).where(Paper.paper_id == paper.paper_id).values(content=paper.content[:-1] + b"!"))
    session().expire_all()
    with pytest.raises(PaperDamaged), transaction():
        service.print_paper(paper.paper_id, actor=doctor)
    assert queries.get(paper.paper_id).print_count == 0


def test_an_unknown_paper_is_not_found(doctor: Actor) -> None:
    with pytest.raises(PaperNotFound), transaction():
        service.print_paper(9_999_999, actor=doctor)
    with pytest.raises(PaperNotFound):
        queries.get(9_999_999)


def test_public_codes_are_long_random_and_legible() -> None:
    codes = {service.new_public_code() for _ in range(500)}
    assert len(codes) == 500
    assert all(len(code) == 16 and not set(code) & set("01IOL") for code in codes)


@pytest.mark.parametrize("state", ["genuine", "expired", "cancelled", "replaced"])
def test_the_public_answer_tells_the_state_and_nothing_else(doctor: Actor, state: str) -> None:
    day = clock.today() + timedelta(days=-1 if state == "expired" else 0)
    paper = make_paper(doctor, valid_until=day)
    if state == "cancelled":
        with transaction():
            service.cancel_paper(paper.paper_id, "Sai thông tin", actor=doctor)
    elif state == "replaced":
        make_paper(doctor, replaces=paper, replace_reason="Sai thông tin")
    answer = queries.public_answer(paper.public_code, title_of={"referral": "PHIẾU"}, issuer="Bệnh viện")
    assert (answer.answer, answer.title, answer.valid_until) == (state, "PHIẾU", day)


@pytest.mark.parametrize("code", ["", "ABC", "AAAAAAAAAAAAAAAA", "' OR 1=1 --", "ẶẶẶẶẶẶẶẶẶẶẶẶẶẶẶẶ"])
def test_any_other_code_is_unknown(db_session: object, code: str) -> None:
    assert queries.public_answer(code, title_of={}, issuer="").answer == "unknown"


def test_a_code_is_found_as_it_is_printed(doctor: Actor) -> None:
    paper = make_paper(doctor)
    printed = service.footing(paper.public_code, doctor).lookup_code
    found = queries.by_public_code(printed.lower())
    assert found is not None
    assert found.paper_id == paper.paper_id


def test_a_replaced_paper_points_to_its_successor(doctor: Actor) -> None:
    old = make_paper(doctor)
    new = make_paper(doctor, replaces=old, replace_reason="Sai thông tin")
    assert (old.state, old.replaced_by_id, old.replace_reason) == (PaperState.REPLACED, new.paper_id, "Sai thông tin")
    assert queries.public_answer(new.public_code, title_of={}, issuer="").answer == "genuine"


# --- signatures -----------------------------------------------------------------------------------------------------


def sign(doctor: Actor, content: dict[str, object], **more: object) -> object:
    with transaction():
        return service.sign_content(content, place="prescriber", subject_type="x", subject_id=1, actor=doctor, **more)


def test_a_signature_keeps_who_what_and_the_digest(doctor: Actor) -> None:
    signature = sign(doctor, {"b": 2, "a": "Ắ"})
    found = queries.signatures_of("x", 1)
    assert [s.signature_id for s in found] == [signature.signature_id]
    assert (found[0].signer_name, found[0].kind, found[0].method) == (doctor.name, SignatureKind.PERSON, "internal_pin")
    assert found[0].digest == service.digest_of({"a": "Ắ", "b": 2})


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert service.digest_of({"a": 1, "b": [1, 2]}) == service.digest_of({"b": [1, 2], "a": 1})
    assert service.digest_of({"a": 1}) != service.digest_of({"a": 2})


def test_content_that_changed_after_it_was_shown_is_not_signed(doctor: Actor) -> None:
    shown = service.digest_of({"dose": "1"})
    with pytest.raises(Conflict):
        sign(doctor, {"dose": "2"}, shown_digest=shown)
    assert queries.signatures_of("x", 1) == []


def test_signing_needs_the_pin(actor: Make) -> None:
    with pytest.raises(NotAllowed):
        sign(actor("doctor", proved=False), {"a": 1})
    with pytest.raises(NotAllowed), transaction():
        service.seal_content({"a": 1}, subject_type="x", subject_id=1, actor=actor("head", proved=False))


def test_the_facility_seals_as_an_organisation(actor: Make) -> None:
    with transaction():
        seal = service.seal_content({"a": 1}, subject_type="x", subject_id=1, actor=actor("head"))
    assert (seal.kind, seal.place, seal.evidence["facility"]) == (SignatureKind.ORGANISATION, "facility", "79999")
