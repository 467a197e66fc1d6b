"""Asking the insurer about a card and keeping what was answered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from his.audit import service as audit
from his.billing import service as billing
from his.core import clock
from his.core.actor import Actor
from his.core.config import current
from his.core.db import session
from his.core.errors import GatewayError
from his.core.i18n import date_text
from his.core.sequences import next_number
from his.gateways import clients
from his.gateways.insurer import CardAnswer, CardQuestion, read_answer
from his.records import service as records
from his.records.enums import CoverageSource
from his.records.models import Coverage, Patient
from his.registration import rules
from his.registration.enums import Action, CheckState
from his.registration.models import CardCheck


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What the insurer said, or why it said nothing; plain values, made outside any transaction."""

    question: CardQuestion
    answer: CardAnswer | None
    error: str
    duration_ms: int


def ask_insurer(number: str, full_name: str, birth_text: str, *, actor: Actor) -> CheckResult:
    """Ask the portal, at most as long as the desk may wait. Never raises: care goes on when the portal is down."""
    question = CardQuestion(number, full_name, birth_text, actor.name, actor.insurer_code)
    started = time.perf_counter()
    try:
        answer = clients.insurer(desk=True).check_card(question)
    except GatewayError as error:
        return CheckResult(question, None, f"{error.code}: {error.message}"[:300], _ms(started))
    return CheckResult(question, answer, "", _ms(started))


def _ms(started: float) -> int:
    return int((time.perf_counter() - started) * 1000)


def keep_check(
    result: CheckResult, *, patient_id: int | None, scanned: rules.Scan | None = None, actor: Actor
) -> tuple[CardCheck, Coverage | None]:
    """Store the whole answer and the card it names. Returns the check and the card that counts now.

    A fault of the portal or of our account is kept as "chưa xác minh", never as a bad card (NĐ 188/2025 Đ38 k2); then
    the card as its QR tells it (``scanned``) counts for the time being.
    """
    answer = result.answer
    raw: dict[str, Any] = dict(answer.raw or {}) if answer else {}
    check = CardCheck(
        patient_id=patient_id, asked_number=result.question.number[:15], asked_name=result.question.full_name,
        asked_birth=result.question.birth[:10], by_id=actor.user_id,
        state=CheckState(rules.verdict(answer.code if answer else "").state), code=answer.code if answer else "",
        message=(answer.message if answer else "")[:500], answer=raw, error=result.error, duration_ms=result.duration_ms,
    )  # fmt: skip
    session().add(check)
    session().flush()  # the audit entry names the row
    audit.record(actor, Action.CARD_CHECK, subject_type="card_check", subject_id=check.check_id, patient_id=patient_id,
                 details={"code": check.code, "state": check.state.value})  # fmt: skip
    coverage = _save_card(check, answer, actor)
    if coverage is None and check.state is CheckState.UNVERIFIED and patient_id is not None and scanned is not None:
        coverage = _card_of_qr(scanned, patient_id, actor)
    return check, coverage


def _card_of_qr(scanned: rules.Scan, patient_id: int, actor: Actor) -> Coverage | None:
    fields = scanned.parsed.fields if scanned.kind == "bhyt" and scanned.parsed is not None else {}
    number, first, last = fields.get("card_number"), fields.get("valid_from"), fields.get("valid_to")
    if not number or not first or not billing.is_card_number(number):
        return None
    five_years = fields.get("five_years_from")
    return records.save_coverage(
        patient_id,
        records.CardData(
            number, fields.get("facility_code5") or "", date.fromisoformat(first),
            date.fromisoformat(last) if last else None, fields.get("living_area") or "",
            date.fromisoformat(five_years) if five_years else None,
        ),
        CoverageSource.CARD_QR,
        actor=actor,
    )  # fmt: skip


def adopt_check(check_id: int, patient_id: int, *, actor: Actor) -> Coverage | None:
    """Give a check made before the patient had a record to the patient, with the card it named."""
    check = session().get(CardCheck, check_id)
    if check is None or (check.patient_id not in (None, patient_id)):
        return None
    check.patient_id = patient_id
    return _save_card(check, read_answer(check.answer) if check.answer else None, actor)


def _save_card(check: CardCheck, answer: CardAnswer | None, actor: Actor) -> Coverage | None:
    if check.state is not CheckState.VALID or answer is None or check.patient_id is None or answer.valid_from is None:
        return None
    coverage = records.save_coverage(
        check.patient_id,
        records.CardData(
            answer.card_number, answer.facility_code, answer.valid_from, answer.valid_to, answer.living_area,
            answer.five_years_on,
        ),
        CoverageSource.PORTAL,
        actor=actor,
    )  # fmt: skip
    check.coverage_id = coverage.coverage_id
    return coverage


def choose_coverage(coverages: Sequence[Coverage], check: CardCheck | None, on: date) -> Coverage | None:
    """Return the card that counts on a day.

    The insurer's answer of today overrules everything; a card it refused does not count; of several valid cards the one
    with the highest rate counts (NĐ 188/2025 Đ21 k1), the newest first.
    """
    valid = [c for c in coverages if c.valid_from <= on and (c.valid_to is None or c.valid_to >= on)]
    if check is not None and check.state is CheckState.VALID:
        named = next((c for c in valid if c.coverage_id == check.coverage_id), None)
        if named is not None:
            return named
    if check is not None and check.state is CheckState.INVALID:
        asked = check.asked_number
        valid = [] if len(asked) == 12 else [c for c in valid if asked not in (c.card_number, c.card_number[5:])]
    usable = [c for c in valid if billing.is_card_number(c.card_number)]
    newest_first = sorted(usable, key=lambda c: -c.coverage_id)
    return max(newest_first, key=lambda c: billing.card_benefit(c.card_number, on).rate, default=None)


def give_temporary_card(patient_id: int, *, actor: Actor) -> Coverage:
    """Give a child under 6 without a card its temporary number: TE1 + province + ten digits (NĐ 188/2025 Đ50).

    The registered facility is the province code with 000; the card is valid on the day of the visit only.
    """
    province = current().facility_province
    number = f"TE1{province}{next_number('temporary_card', ''):010d}"
    today = clock.today()
    return records.save_coverage(
        patient_id, records.CardData(number, f"{province}000", today, today), CoverageSource.TEMPORARY, actor=actor
    )


def birth_text(patient: Patient) -> str:
    """Return a birth date as the portal wants it."""
    return date_text(patient.birth_on, patient.birth_precision.value)
