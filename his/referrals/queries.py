"""Reads of referrals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select

from his.catalogues import queries as catalogues
from his.catalogues.models import Facility, IcdCode, ReferralDisease
from his.core import clock
from his.core.actor import Actor
from his.core.config import current
from his.core.db import session
from his.core.errors import Finding, Severity
from his.core.i18n import date_text
from his.core.i18n import gettext as _
from his.core.module import TimelineEntry
from his.documents.models import Paper
from his.examination import queries as exam_queries
from his.examination.enums import DiagnosisKind
from his.examination.models import Diagnosis, VitalSigns
from his.identity.enums import UserState
from his.identity.models import User
from his.orders import queries as orders_queries
from his.orders.enums import OrderState
from his.orders.models import OrderLine, ServiceOrder
from his.records import queries as records_queries
from his.records.enums import VisitState
from his.records.models import Patient, Visit
from his.referrals import rules
from his.referrals.enums import ReferralReason, ReferralState
from his.referrals.errors import ReferralNotFound
from his.referrals.models import Referral

IN_FORCE = (ReferralState.DRAFT, ReferralState.SIGNED, ReferralState.ISSUED)
# Longest run of working days asked from the holiday table: ten working days around Tết fit easily.
HOLIDAY_SPAN = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class ListRow:
    """One referral of a list."""

    referral: Referral
    full_name: str
    birth_year: int
    patient_code: str
    public_code: str


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One line of "checks before signing": its code, the field that mends it, and what is wrong."""

    code: str
    field: str
    messages: tuple[str, ...]

    @property
    def is_ok(self) -> bool:
        return not self.messages


@dataclass(frozen=True, slots=True)
class Page:
    """The referral screen of a visit. ``referral`` is None before the first draft."""

    visit: Visit
    banner: records_queries.Banner
    referral: Referral | None
    paper: Paper | None
    diagnoses: tuple[Diagnosis, ...]
    signs: VitalSigns | None
    checks: tuple[CheckRow, ...]
    findings: tuple[Finding, ...]
    valid_until: date | None
    is_one_year_suggested: bool
    destination_level: str
    signer: str
    history: tuple[Referral, ...]
    recent: tuple[ListRow, ...]

    @property
    def is_draft(self) -> bool:
        return self.referral is not None and self.referral.state is ReferralState.DRAFT

    @property
    def is_ready(self) -> bool:
        return self.is_draft and not self.findings

    @property
    def may_start(self) -> bool:
        return self.referral is None and self.visit.state not in (VisitState.CLOSED, VisitState.CANCELLED)


def get(referral_id: int) -> Referral:
    """Return a referral."""
    found = session().get(Referral, referral_id)
    if found is None:
        raise ReferralNotFound("Không tìm thấy phiếu chuyển này.")
    return found


def get_for_update(referral_id: int) -> Referral:
    """Return a referral locked until the end of the transaction."""
    found = session().get(Referral, referral_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise ReferralNotFound("Không tìm thấy phiếu chuyển này.")
    return found


def of_visit(visit_id: int) -> Referral | None:
    """Return the referral in force of a visit."""
    return session().execute(
        select(Referral).where(Referral.visit_id == visit_id, Referral.state.in_(IN_FORCE)).limit(1)
    ).scalar_one_or_none()


def of_patient(patient_id: int, limit: int = 20) -> Sequence[Referral]:
    """Return the latest referrals of a patient."""
    return session().execute(
        select(Referral).where(Referral.patient_id == patient_id).order_by(Referral.referral_id.desc()).limit(limit)
    ).scalars().all()


def _rows(*where: Any, order: Any, limit: int) -> list[ListRow]:
    rows = session().execute(
        select(Referral, Patient.full_name, Patient.birth_on, Patient.code, Paper.public_code)
        .join(Patient, Patient.patient_id == Referral.patient_id)
        .outerjoin(Paper, Paper.paper_id == Referral.paper_id)
        .where(*where)
        .order_by(order)
        .limit(limit)
    )
    return [ListRow(r, name, birth.year, code, public or "") for r, name, birth, code, public in rows]


def waiting(limit: int = 100) -> list[ListRow]:
    """Return referrals the facility has still to sign, oldest first (1 statement)."""
    return _rows(Referral.state == ReferralState.SIGNED, order=Referral.doctor_signed_at, limit=limit)


def drafts(limit: int = 100) -> list[ListRow]:
    """Return drafts, newest first (1 statement)."""
    return _rows(Referral.state == ReferralState.DRAFT, order=Referral.referral_id.desc(), limit=limit)


def register(first: date, last: date, limit: int = 500) -> list[ListRow]:
    """Return the register of issued papers of a period, newest first: cancelled ones stay with their number (F-08)."""
    start = clock.day_bounds(first)[0]
    after = clock.day_bounds(last)[1]
    return _rows(
        Referral.number.is_not(None), Referral.issued_at >= start, Referral.issued_at < after,
        order=Referral.issued_at.desc(), limit=limit,
    )  # fmt: skip


def recent(limit: int = 6) -> list[ListRow]:
    """Return the latest issued referrals (1 statement)."""
    return _rows(Referral.number.is_not(None), order=Referral.issued_at.desc(), limit=limit)


def validity(signed_on: date, *, one_year: bool) -> date:
    """Return until when a paper signed on a day is valid, by the holiday table; computed, never typed."""
    if one_year:
        return rules.valid_until(signed_on, frozenset(), one_year=True)
    days_off = catalogues.holidays(signed_on, signed_on + HOLIDAY_SPAN)
    return rules.valid_until(signed_on, days_off, one_year=False)


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """What the rules must know of the visit: its diagnoses, whether the main one may be main, what is still open."""

    diagnoses: tuple[Diagnosis, ...]
    main_allowed: bool
    is_one_year: bool
    open_orders: int


def visit_facts(visit_id: int, open_orders: int | None = None) -> VisitFacts:
    """Return the facts of a visit (at most 2 statements)."""
    today = clock.today()
    listed = (
        select(ReferralDisease.disease_id)
        .where(
            func.substr(Diagnosis.icd_code, 1, func.length(ReferralDisease.icd_prefix)) == ReferralDisease.icd_prefix,
            ReferralDisease.valid_from <= today, (ReferralDisease.valid_to.is_(None)) | (ReferralDisease.valid_to >= today),
        )
        .exists()
    )  # fmt: skip
    rows = session().execute(
        select(Diagnosis, IcdCode.is_never_main, ((Diagnosis.kind == DiagnosisKind.MAIN) & listed).label("listed"))
        .outerjoin(
            IcdCode,
            (IcdCode.code == Diagnosis.icd_code) & (IcdCode.valid_from <= today)
            & ((IcdCode.valid_to.is_(None)) | (IcdCode.valid_to >= today)),
        )
        .where(Diagnosis.visit_id == visit_id)
        .order_by(Diagnosis.position)
    ).all()  # fmt: skip
    main = next((row for row in rows if row.Diagnosis.kind is DiagnosisKind.MAIN), None)
    return VisitFacts(
        tuple(row.Diagnosis for row in rows), main is not None and not main.is_never_main, bool(main and main.listed),
        orders_queries.open_count(visit_id) if open_orders is None else open_orders,
    )  # fmt: skip


def findings(referral: Referral, facts: VisitFacts | None = None) -> tuple[Finding, ...]:
    """Return what is missing before signing (2 statements without ``facts``)."""
    facts = facts or visit_facts(referral.visit_id)
    return rules.check_referral(
        rules.ReferralFacts(
            destination_code=referral.destination_code, own_code=current().facility_code, reason=referral.reason.value,
            clinical_signs=referral.clinical_signs, course=referral.course, results_summary=referral.results_summary,
            procedures=referral.procedures, treatment_done=referral.treatment_done, condition=referral.condition,
            plan=referral.plan, transport=referral.transport,
            has_main_diagnosis=any(d.kind is DiagnosisKind.MAIN for d in facts.diagnoses), main_allowed=facts.main_allowed,
            open_orders=facts.open_orders, has_result=bool(referral.result_code),
            is_commitment_signed=referral.is_commitment_signed,
        )
    )  # fmt: skip


# Lines of the check list: code, fields whose findings belong to it.
CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("destination", ("destination_code",)),
    ("reason", ("is_commitment_signed",)),
    ("diagnosis", ("main_icd",)),
    ("signs", ("clinical_signs", "course")),
    ("results", ("results_summary", "orders")),
    ("treatment", ("treatment_done", "procedures")),
    ("condition", ("condition", "plan")),
    ("leaving", ("result_code", "transport")),
)


def check_rows(found: Sequence[Finding]) -> tuple[CheckRow, ...]:
    """Return the check list with each finding at its line."""
    return tuple(
        CheckRow(
            code, next((f.field for f in found if f.field in fields), fields[0]),
            tuple(f.message for f in found if f.field in fields),
        )
        for code, fields in CHECKS
    )  # fmt: skip


def page(visit_id: int, actor: Actor) -> Page:
    """Return the referral screen of a visit (6 statements whatever the history). Raises `VisitNotFound`."""
    visit = records_queries.allowed(actor, exam_queries.visit_page(visit_id))
    signs: VitalSigns | None = next(iter(exam_queries.measurements(visit.patient_id, 1)), None)
    history = _history(visit_id)
    now = next((row for row in history if row.Referral.state in IN_FORCE), None)
    referral: Referral | None = now.Referral if now else None
    facts = visit_facts(visit_id, open_orders=now.open_orders if now else 0)
    is_draft = referral is not None and referral.state is ReferralState.DRAFT
    found = findings(referral, facts) if referral is not None and is_draft else ()
    return Page(
        visit=visit,
        banner=records_queries.banner_of(
            visit.patient, visit, signs.weight_kg if signs else None, signs.measured_at if signs else None,
            signs.height_cm if signs else None,
        ),
        referral=referral, paper=now.Paper if now else None, diagnoses=facts.diagnoses, signs=signs,
        checks=check_rows(found) if referral else (), findings=found, valid_until=_valid_until(referral),
        is_one_year_suggested=facts.is_one_year, destination_level=(now.level or "") if now else "",
        signer=(now.signer or "").strip() if now else "", history=tuple(r.Referral for r in history if r is not now),
        recent=tuple(recent()),
    )  # fmt: skip


def _history(visit_id: int) -> Sequence[Any]:
    """Return the referrals of a visit, newest first, with paper, level of the destination, open orders, expected signer."""
    today = clock.today()
    open_orders = (
        select(func.count())
        .select_from(OrderLine)
        .join(ServiceOrder, ServiceOrder.order_id == OrderLine.order_id)
        .where(ServiceOrder.visit_id == visit_id, OrderLine.state.in_((OrderState.ORDERED, OrderState.STARTED)))
        .scalar_subquery()
    )
    signer = (
        select(User.title + " " + User.display_name)
        .where(User.is_authorised_signer, User.state == UserState.ACTIVE)
        .order_by(User.user_id)
        .limit(1)
        .scalar_subquery()
    )
    return session().execute(
        select(Referral, Paper, Facility.level, open_orders.label("open_orders"), signer.label("signer"))
        .outerjoin(Paper, Paper.paper_id == Referral.paper_id)
        .outerjoin(
            Facility,
            (Facility.code == Referral.destination_code) & (Facility.valid_from <= today)
            & ((Facility.valid_to.is_(None)) | (Facility.valid_to >= today)),
        )
        .where(Referral.visit_id == visit_id)
        .order_by(Referral.referral_id.desc())
    ).all()  # fmt: skip


def _valid_until(referral: Referral | None) -> date | None:
    if referral is None:
        return None
    if referral.valid_until is not None:
        return referral.valid_until
    return validity(clock.today(), one_year=referral.is_one_year)


# --- what lower modules show of referrals ---------------------------------------------------------------------------

TONES = {
    ReferralState.SIGNED: "warn", ReferralState.ISSUED: "ok", ReferralState.REPLACED: "warn", ReferralState.CANCELLED: "bad",
}  # fmt: skip


def state_text(state: ReferralState) -> str:
    """Return the state in the reader's language."""
    texts: dict[ReferralState, str] = {
        ReferralState.DRAFT: _("bản nháp"), ReferralState.SIGNED: _("chờ cơ sở ký"), ReferralState.ISSUED: _("đã phát hành"),
        ReferralState.REPLACED: _("đã thay bằng phiếu khác"), ReferralState.CANCELLED: _("đã hủy"),
    }  # fmt: skip
    return texts[state]


def reason_text(reason: ReferralReason) -> str:
    """Return the reason in the reader's language."""
    texts: dict[ReferralReason, str] = {
        ReferralReason.PROPER_LEVEL: _("1a, phù hợp quy định chuyển cấp"),
        ReferralReason.BEYOND_CAPACITY: _("1b, không phù hợp khả năng đáp ứng"),
        ReferralReason.ON_REQUEST: _("2, theo yêu cầu của người bệnh"),
    }
    return texts[reason]


def visit_panel(visit_id: int, actor: Actor) -> Mapping[str, Any]:
    """Return the referral in force for the doctor's page (1 statement)."""
    return {"visit_id": visit_id, "referral": of_visit(visit_id), "may_write": actor.may("referrals:referral:write")}


def unsigned_draft(visit_id: int) -> Sequence[Finding]:
    """Tell what stands in the way of another end of the visit: a draft that would end it, a paper already out (1 statement)."""
    found = of_visit(visit_id)
    if found is None:
        return ()
    if found.state is ReferralState.DRAFT:
        return (Finding(
            "referral_unsigned", "referral", "Phiếu chuyển còn là bản nháp. Ký phiếu (phiếu kết thúc lượt khám) hoặc bỏ bản nháp."
        ),)  # fmt: skip
    return (Finding(
        "referral_in_force", "referral", "Lượt khám này có phiếu chuyển đã ký. Kết thúc cách khác thì hủy phiếu trước.",
        Severity.WARNING,
    ),)  # fmt: skip


def record_entries(patient_id: int, visit_ids: Sequence[int], actor: Actor) -> Sequence[TimelineEntry]:
    """Return the signed referrals of the visits for the assembled record (1 statement)."""
    if not actor.may("referrals:referral:read"):
        return ()
    rows = session().execute(
        select(Referral)
        .where(Referral.patient_id == patient_id, Referral.visit_id.in_(visit_ids), Referral.doctor_signed_at.is_not(None))
        .order_by(Referral.doctor_signed_at.desc())
    ).scalars()
    entries = []
    for row in rows:
        if row.doctor_signed_at is None:
            continue
        lines = [_("Đến %(place)s", place=row.destination_name), reason_text(row.reason)]
        if row.valid_until:
            lines.append(_("Có giá trị đến %(day)s", day=date_text(row.valid_until)))
        entries.append(
            TimelineEntry(
                row.doctor_signed_at, _("Phiếu chuyển %(number)s · %(state)s", number=row.number or "", state=state_text(row.state)),
                tuple(lines), url=f"/referrals/visits/{row.visit_id}", tone=TONES.get(row.state, ""), kind="referral",
            )
        )
    return entries
