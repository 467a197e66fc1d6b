"""Reads of papers and signatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from his.core import clock
from his.core.actor import Actor
from his.core.db import session
from his.core.i18n import gettext as _
from his.core.module import TimelineEntry, registry
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


def titles() -> dict[str, str]:
    """Return the title of each form by its code."""
    return {form.code: form.title for module in registry().modules for form in module.forms}


def record_entries(patient_id: int, visit_ids: Sequence[int], actor: Actor) -> Sequence[TimelineEntry]:
    """Return one row per visit with the papers issued for it, for the assembled record (1 statement)."""
    if not (actor.may("documents:paper:read") or actor.may("documents:paper:print")):
        return ()
    rows = session().execute(
        select(Paper)
        .where(Paper.patient_id == patient_id, Paper.visit_id.in_(visit_ids), Paper.state == PaperState.ISSUED)
        .order_by(Paper.paper_id)
    ).scalars()
    by_visit: dict[int, list[Paper]] = {}
    for row in rows:
        by_visit.setdefault(row.visit_id or 0, []).append(row)
    names = titles()
    return [
        TimelineEntry(
            papers[-1].issued_at, _("Giấy tờ đã phát hành: %(n)s", n=len(papers)),
            tuple(f"{names.get(p.form_code, p.form_code).capitalize()} {p.number}".strip() for p in papers),
            url=f"/papers/visits/{visit_id}", kind="papers",
        )
        for visit_id, papers in by_visit.items()
    ]


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
