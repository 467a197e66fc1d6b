"""Reads of papers and signatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from his.core import clock
from his.core.db import session
from his.documents import rules
from his.documents.enums import PaperState
from his.documents.errors import PaperNotFound
from his.documents.models import Paper, Signature

CODE_LENGTH = 16


@dataclass(frozen=True, slots=True)
class PublicAnswer:
    """All that the public check tells: no diagnosis, no birth date, the name masked."""

    answer: str  # genuine, expired, replaced, cancelled, unknown
    title: str = ""
    masked_name: str = ""
    number: str = ""
    issuer: str = ""
    issued_at: datetime | None = None
    valid_until: date | None = None
    form_code: str = ""


def get(paper_id: int) -> Paper:
    """Return a paper without its bytes."""
    paper = session().get(Paper, paper_id)
    if paper is None:
        raise PaperNotFound("Không tìm thấy giấy này.")
    return paper


def current_paper(form_code: str, subject_type: str, subject_id: int) -> Paper | None:
    """Return the paper in force of a form for a subject."""
    return session().execute(
        select(Paper)
        .where(
            Paper.subject_type == subject_type,
            Paper.subject_id == subject_id,
            Paper.form_code == form_code,
            Paper.state == PaperState.ISSUED,
        )
        .order_by(Paper.paper_id.desc())
        .limit(1)
    ).scalar_one_or_none()


def papers_of_visit(visit_id: int) -> Sequence[Paper]:
    """Return all papers of a visit, oldest first."""
    return session().execute(select(Paper).where(Paper.visit_id == visit_id).order_by(Paper.paper_id)).scalars().all()


def papers_of_patient(patient_id: int, limit: int = 50) -> Sequence[Paper]:
    """Return the latest papers of a patient."""
    return session().execute(
        select(Paper).where(Paper.patient_id == patient_id).order_by(Paper.paper_id.desc()).limit(limit)
    ).scalars().all()


def by_public_code(code: str) -> Paper | None:
    """Return the paper behind a public code (typed with or without dashes)."""
    plain = rules.plain_code(code)
    if len(plain) != CODE_LENGTH:
        return None
    return session().execute(select(Paper).where(Paper.public_code == plain)).scalar_one_or_none()


def public_answer(code: str, *, title_of: dict[str, str], issuer: str) -> PublicAnswer:
    """Answer the public check of a code."""
    paper = by_public_code(code)
    if paper is None:
        return PublicAnswer("unknown")
    answer = "genuine"
    if paper.state is PaperState.REPLACED:
        answer = "replaced"
    elif paper.state is PaperState.CANCELLED:
        answer = "cancelled"
    elif paper.valid_until is not None and paper.valid_until < clock.today():
        answer = "expired"
    return PublicAnswer(
        answer,
        title=title_of.get(paper.form_code, ""),
        masked_name=paper.masked_name,
        number=paper.number,
        issuer=issuer,
        issued_at=paper.issued_at,
        valid_until=paper.valid_until,
        form_code=paper.form_code,
    )


def signatures_of(subject_type: str, subject_id: int) -> Sequence[Signature]:
    """Return the signatures under a subject, oldest first."""
    return session().execute(
        select(Signature)
        .where(Signature.subject_type == subject_type, Signature.subject_id == subject_id)
        .order_by(Signature.signature_id)
    ).scalars().all()
