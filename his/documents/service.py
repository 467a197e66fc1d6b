"""Issuing papers as stored bytes, reprinting them, replacing them, and signing content."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from his.audit import service as audit
from his.core import clock
from his.core.actor import Actor
from his.core.config import current
from his.core.db import session
from his.core.errors import Conflict
from his.core.module import registry
from his.documents import queries, rendering, rules
from his.documents.enums import ACTION_DETAILS, Action, PaperState, SignatureKind
from his.documents.errors import PaperDamaged, PaperNotFound
from his.documents.models import Paper, Signature
from his.identity import service as identity

audit.register_actions(Action, ACTION_DETAILS)

INTERNAL_PIN = "internal_pin"
FACILITY_SEAL = "internal_facility"
qr_svg = rendering.qr_svg
initials = rules.initials


@dataclass(frozen=True, slots=True)
class Footing:
    """What stands at the foot of every page: the conversion words (Luật GDĐT 2023 Đ12; NĐ 137/2024 Đ5)."""

    words: str
    system: str
    owner: str
    lookup_code: str
    lookup_url: str
    qr: str
    converted_at: str
    converted_by: str


def new_public_code() -> str:
    """Return a random code for the public check: 16 letters and digits that cannot be mistaken for each other."""
    alphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
    return "".join(secrets.choice(alphabet) for _ in range(queries.CODE_LENGTH))


def public_url(public_code: str) -> str:
    """Return the address behind the QR of a paper."""
    return f"{current().public_base_url.rstrip('/')}/v/{public_code}"


def footing(public_code: str, actor: Actor) -> Footing:
    """Return the foot of a paper about to be issued."""
    url = public_url(public_code)
    return Footing(
        words="Bản giấy chuyển đổi từ hồ sơ bệnh án điện tử",
        system="Hệ thống thông tin bệnh viện",
        owner=current().facility_name,
        lookup_code=rules.grouped_code(public_code),
        lookup_url=url,
        qr=rendering.qr_svg(url),
        converted_at=clock.local(clock.now()).strftime("%H:%M %d/%m/%Y"),
        converted_by=actor.name,
    )


def render(form_code: str, context: Any, *, foot: Footing | None = None, mark: str = "") -> rendering.Rendered:
    """Return the PDF of a form; nothing is stored (a preview). ``mark`` is printed large and grey behind the text."""
    form = registry().form(form_code)
    return rendering.render(form.template, context, form=form, foot=foot, mark=mark)


def page(form_code: str, context: Any, *, mark: str = "") -> str:
    """Return a form as a page for the browser, before and after signing (no paper is stored)."""
    form = registry().form(form_code)
    return rendering.screen_html(form.template, context, form=form, foot=None, mark=mark)


def issue_paper(
    form_code: str,
    context: Any,
    *,
    subject_type: str,
    subject_id: int,
    patient_id: int,
    visit_id: int | None,
    actor: Actor,
    number: str = "",
    masked_name: str = "",
    valid_until: date | None = None,
    public_code: str | None = None,
    replaces: Paper | None = None,
    replace_reason: str = "",
) -> Paper:
    """Render a form once and keep the bytes with their digest; a reprint serves these very bytes.

    ``context`` is the frozen dataclass the form's template reads. With ``replaces`` the old paper stays readable and
    its public check says "replaced" (F-04).
    """
    form = registry().form(form_code)
    code = public_code or new_public_code()
    rendered = rendering.render(form.template, context, form=form, foot=footing(code, actor))
    paper = Paper(
        facility_code=current().facility_code,
        form_code=form.code,
        form_version=form.version,
        number=number,
        public_code=code,
        subject_type=subject_type,
        subject_id=subject_id,
        patient_id=patient_id,
        visit_id=visit_id,
        masked_name=masked_name,
        valid_until=valid_until,
        content=rendered.content,
        digest=hashlib.sha256(rendered.content).hexdigest(),
        byte_count=len(rendered.content),
        page_count=rendered.page_count,
        issued_by_id=actor.user_id,
    )
    session().add(paper)
    session().flush()  # the replaced paper points to the new one
    audit.record(
        actor, Action.PAPER_ISSUE, subject_type="paper", subject_id=paper.paper_id, patient_id=patient_id,
        visit_id=visit_id, details={"form": form.code, "number": number, "digest": paper.digest},
    )  # fmt: skip
    if replaces is not None:
        replaces.state = PaperState.REPLACED
        replaces.replaced_by_id = paper.paper_id
        replaces.replace_reason = replace_reason
        audit.record(
            actor, Action.PAPER_REPLACE, subject_type="paper", subject_id=replaces.paper_id,
            patient_id=patient_id, visit_id=visit_id, reason=replace_reason,
            details={"form": form.code, "number": replaces.number},
        )  # fmt: skip
    return paper


def paper_for(form_code: str, subject_type: str, subject_id: int) -> Paper | None:
    """Return the issued paper of a form for a subject, if there is one."""
    return queries.current_paper(form_code, subject_type, subject_id)


def print_paper(paper_id: int, *, actor: Actor) -> tuple[Paper, bytes]:
    """Return the stored bytes for printing and count the print (F-07: every print is logged).

    Raises `PaperNotFound`, `PaperDamaged` (bytes and digest disagree: an audit event says so).
    """
    paper = session().execute(
        select(Paper).where(Paper.paper_id == paper_id).with_for_update().execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if paper is None:
        raise PaperNotFound("Không tìm thấy giấy này.")
    content = bytes(paper.content)
    if hashlib.sha256(content).hexdigest() != paper.digest:
        raise PaperDamaged("Nội dung giấy đã bị thay đổi sau khi phát hành. Báo ngay bộ phận công nghệ thông tin.")
    paper.print_count += 1
    audit.record(
        actor, Action.PAPER_PRINT, subject_type="paper", subject_id=paper_id, patient_id=paper.patient_id,
        visit_id=paper.visit_id, details={"form": paper.form_code, "number": paper.number},
    )  # fmt: skip
    return paper, content


def cancel_paper(paper_id: int, reason: str, *, actor: Actor) -> Paper:
    """Mark an issued paper as cancelled; its number is never given again (F-08)."""
    paper = session().get(Paper, paper_id, with_for_update=True, populate_existing=True)
    if paper is None:
        raise PaperNotFound("Không tìm thấy giấy này.")
    paper.state = PaperState.CANCELLED
    paper.replace_reason = reason
    audit.record(
        actor, Action.PAPER_REPLACE, subject_type="paper", subject_id=paper_id, patient_id=paper.patient_id,
        visit_id=paper.visit_id, reason=reason, details={"form": paper.form_code, "number": paper.number},
    )  # fmt: skip
    return paper


def digest_of(canonical: Mapping[str, Any]) -> str:
    """Return the SHA-256 of content in canonical JSON (sorted keys, no blanks, UTF-8)."""
    text = json.dumps(canonical, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def sign_content(
    canonical: Mapping[str, Any],
    *,
    place: str,
    subject_type: str,
    subject_id: int,
    actor: Actor,
    shown_digest: str | None = None,
    patient_id: int | None = None,
    visit_id: int | None = None,
) -> Signature:
    """Sign content for a place of a document under the person's signing PIN (SEC-26).

    ``shown_digest`` is the digest of what the person saw; a different content is refused. The method is the
    hospital's internal confirmation (TT 13/2025 Đ3: other electronic confirmation); certificate signatures are added
    as further rows. Raises `NotAllowed` (code ``proof_needed``) when the PIN was not given in the last minutes.
    """
    identity.require_proof(actor)
    digest = digest_of(canonical)
    if shown_digest is not None and shown_digest != digest:
        raise Conflict("Nội dung đã thay đổi sau khi xem. Xem lại rồi ký.")
    plain: dict[str, Any] = json.loads(json.dumps(canonical, ensure_ascii=False, default=str))
    signature = Signature(
        kind=SignatureKind.PERSON, place=place, method=INTERNAL_PIN, subject_type=subject_type, subject_id=subject_id,
        digest=digest, canonical=plain, signer_id=actor.user_id, signer_name=actor.name,
        signer_licence=actor.licence_number, evidence={"ip": actor.ip, "session": actor.session_ref},
    )  # fmt: skip
    session().add(signature)
    session().flush()  # the audit entry names the row
    audit.record(
        actor, Action.SIGN, subject_type=subject_type, subject_id=subject_id, patient_id=patient_id,
        visit_id=visit_id, details={"place": place, "digest": digest},
    )  # fmt: skip
    return signature


def seal_content(
    canonical: Mapping[str, Any], *, subject_type: str, subject_id: int, actor: Actor, patient_id: int | None = None
) -> Signature:
    """Put the facility's confirmation under content, by an authorised signer (stands where the stamp stood, F-05)."""
    identity.require_proof(actor)
    signature = Signature(
        kind=SignatureKind.ORGANISATION, place="facility", method=FACILITY_SEAL, subject_type=subject_type,
        subject_id=subject_id, digest=digest_of(canonical),
        canonical=json.loads(json.dumps(canonical, ensure_ascii=False, default=str)),
        signer_id=actor.user_id, signer_name=actor.name, signer_licence=actor.licence_number,
        evidence={"facility": current().facility_code, "ip": actor.ip},
    )  # fmt: skip
    session().add(signature)
    session().flush()  # the audit entry names the row
    audit.record(
        actor, Action.SIGN, subject_type=subject_type, subject_id=subject_id, patient_id=patient_id,
        details={"place": "facility", "digest": signature.digest},
    )  # fmt: skip
    return signature
