"""What is typed is never lost and never overwritten unseen."""

from __future__ import annotations

import pytest

from his.core.db import transaction
from his.examination import queries, service
from his.examination.errors import DraftElsewhere
from tests.factories.examination import make_visit, write_note


@pytest.fixture
def doctor(actor):
    return actor("doctor")


def save(visit, doctor, text, counter, page="page-a", base=""):
    with transaction():
        return service.save_draft(visit.visit_id, {"findings": text}, counter, page=page, base=base, actor=doctor)


def stored(visit, doctor):
    draft = queries.note_facts(visit.visit_id, doctor.user_id).draft
    return draft.fields.get("findings") if draft else None


def test_a_draft_is_kept_word_for_word(doctor):
    visit = make_visit()
    saved = save(visit, doctor, "Phổi ran ngáy  \n  hai bên", 1)
    assert saved.is_stored
    assert stored(visit, doctor) == "Phổi ran ngáy  \n  hai bên"


def test_an_older_packet_arriving_late_changes_nothing(doctor):
    visit = make_visit()
    save(visit, doctor, "Phổi ran ngáy hai bên", 3)
    late = save(visit, doctor, "Phổi ran", 2)
    assert not late.is_stored
    assert stored(visit, doctor) == "Phổi ran ngáy hai bên"


def test_the_same_packet_twice_is_one(doctor):
    visit = make_visit()
    save(visit, doctor, "Phổi ran", 1)
    again = save(visit, doctor, "Phổi ran", 1)
    assert not again.is_stored
    assert stored(visit, doctor) == "Phổi ran"


def test_a_page_that_started_from_the_stored_draft_carries_on(doctor):
    visit = make_visit()
    first = save(visit, doctor, "Phổi ran", 7, page="page-a")
    second = save(visit, doctor, "Phổi ran ngáy", 1, page="page-b", base=first.token)
    assert second.is_stored
    assert stored(visit, doctor) == "Phổi ran ngáy"


def test_another_page_is_told_instead_of_overwriting(doctor):
    visit = make_visit()
    first = save(visit, doctor, "Phổi ran", 1, page="page-a")
    save(visit, doctor, "Phổi ran ngáy", 2, page="page-a")
    with pytest.raises(DraftElsewhere) as refused:
        save(visit, doctor, "Tim đều", 1, page="page-b", base=first.token)
    assert refused.value.stored == {"findings": "Phổi ran ngáy"}
    assert "Chọn bản cần giữ" in refused.value.message
    assert stored(visit, doctor) == "Phổi ran ngáy"
    # After both texts were seen the second page goes on from what is stored.
    assert save(visit, doctor, "Tim đều", 2, page="page-b", base=refused.value.token).is_stored


def test_a_page_with_no_draft_at_first_does_not_overwrite_one_made_meanwhile(doctor):
    visit = make_visit()
    save(visit, doctor, "Phổi ran", 1, page="page-a")
    with pytest.raises(DraftElsewhere):
        save(visit, doctor, "Tim đều", 1, page="page-b", base="")


def test_a_packet_on_its_way_does_not_bring_a_saved_note_back_as_a_draft(doctor):
    visit = make_visit()
    save(visit, doctor, "Phổi ran", 1, page="page-a")
    write_note(visit, doctor, page="page-a", findings="Phổi ran ngáy")
    assert not save(visit, doctor, "Phổi ra", 2, page="page-a").is_stored
    assert queries.note_facts(visit.visit_id, doctor.user_id).draft.fields == {}
    # The next page types on without being asked anything.
    assert save(visit, doctor, "Phổi ran ngáy, khò khè", 1, page="page-b").is_stored


def test_drafts_are_the_author_s_own(doctor, actor):
    visit = make_visit()
    save(visit, doctor, "Phổi ran", 1)
    other = actor("doctor")
    assert stored(visit, other) is None
    save(visit, other, "Tim đều", 1, page="page-c")
    assert stored(visit, doctor) == "Phổi ran"


def test_a_discarded_draft_is_gone(doctor):
    visit = make_visit()
    save(visit, doctor, "Phổi ran", 1)
    with transaction():
        service.discard_draft(visit.visit_id, page="page-a", actor=doctor)
    assert stored(visit, doctor) is None


def test_a_draft_writes_no_audit_event(doctor, db_session):
    from his.audit.models import AuditEvent

    visit = make_visit()
    before = db_session.query(AuditEvent).count()
    save(visit, doctor, "Phổi ran", 1)
    assert db_session.query(AuditEvent).count() == before
