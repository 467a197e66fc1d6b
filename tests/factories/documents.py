"""Issued papers."""

from __future__ import annotations

from datetime import date
from typing import Any

from his.core.actor import Actor
from his.core.db import transaction
from his.documents import service
from his.documents.models import Paper
from his.records.models import Patient
from his.referrals import printing
from tests.factories.records import make_patient


def make_paper(actor: Actor, *, patient: Patient | None = None, valid_until: date | None = None, **more: Any) -> Paper:
    """Issue the sample referral as a paper of a patient."""
    patient = patient or make_patient()
    with transaction():
        return service.issue_paper(
            printing.REFERRAL, printing.sample(), subject_type="sample", subject_id=patient.patient_id,
            patient_id=patient.patient_id, visit_id=None, actor=actor, number=printing.sample().number,
            masked_name=service.initials(patient.full_name), valid_until=valid_until, **more,
        )  # fmt: skip
