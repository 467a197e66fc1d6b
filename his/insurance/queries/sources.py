"""Everything a claim is made from, read for many visits at once: no statement per visit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from his.billing import queries as billing
from his.billing.models import Settlement
from his.catalogues import queries as catalogues
from his.core import clock
from his.core.db import session
from his.documents.enums import PaperState
from his.documents.models import Paper, Signature
from his.examination import queries as examination
from his.examination.models import Diagnosis, ExamNote, VitalSigns
from his.identity.models import User
from his.imaging import queries as imaging
from his.imaging.models import ImagingReport
from his.laboratory import queries as laboratory
from his.laboratory.models import LabResult
from his.orders import queries as orders
from his.orders.models import OrderLine
from his.pharmacy.models import Dispense, DispenseLine
from his.records.enums import IdentifierType
from his.records.models import Guardian, PatientIdentifier, Visit

# SO_CCCD: the personal number, else what stands for it.
_PERSONAL = (IdentifierType.PERSONAL_NUMBER, IdentifierType.OLD_ID, IdentifierType.PASSPORT)
_REFERRAL = "referral"
_FACILITY_PLACE = "facility"


@dataclass(frozen=True, slots=True)
class SealedReferral:
    """The referral content the facility confirmed, exactly as it was confirmed: XML13 is made from nothing else."""

    content: Mapping[str, Any]
    authority_licence: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """When a medicine was handed out, and by whom."""

    at: datetime
    by_name: str


@dataclass(frozen=True, slots=True)
class People:
    """Staff by id and by practice licence, as titles and names."""

    by_id: Mapping[int, str] = field(default_factory=dict)
    by_licence: Mapping[str, str] = field(default_factory=dict)
    head_licence: str = ""


@dataclass(frozen=True, slots=True)
class ClaimSource:
    """One settled visit with all rows its claim is made from."""

    visit: Visit
    settlement: Settlement
    personal_number: str
    guardian_phone: str
    nationality_code: str
    note: ExamNote | None
    diagnoses: Sequence[Diagnosis]
    vitals: VitalSigns | None
    order_lines: Sequence[OrderLine]
    lab_results: Sequence[LabResult]
    reports: Sequence[ImagingReport]
    handed_out: Mapping[int, HandOver]
    referral: SealedReferral | None
    people: People


def claim_sources(visit_ids: Sequence[int]) -> list[ClaimSource]:
    """Return the sources of visits with a settlement in force, in the order asked (about 17 statements for any batch)."""
    ids = list(dict.fromkeys(visit_ids))
    if not ids:
        return []
    visits = {
        visit.visit_id: visit
        for visit in session()
        .execute(
            select(Visit)
            .where(Visit.visit_id.in_(ids))
            .options(joinedload(Visit.patient), joinedload(Visit.coverage))
            .execution_options(populate_existing=True)
        )
        .scalars()
    }
    settlements = billing.settlements_of(ids)
    patient_ids = {visit.patient_id for visit in visits.values()}
    numbers = _personal_numbers(patient_ids)
    phones = _guardian_phones(patient_ids)
    nationalities = nationality_codes()
    exams = examination.facts_for_claim(ids)
    order_lines = orders.lines_of_visits(ids)
    results = laboratory.released_of_visits(ids)
    reports = imaging.released_of_visits(ids)
    handed = _handed_out(ids)
    referrals = _sealed_referrals(ids)
    people = _people()
    found = []
    for visit_id in ids:
        visit, settlement = visits.get(visit_id), settlements.get(visit_id)
        if visit is None or settlement is None:
            continue
        note, diagnoses, vitals = exams[visit_id]
        found.append(
            ClaimSource(
                visit=visit,
                settlement=settlement,
                personal_number=numbers.get(visit.patient_id, ""),
                guardian_phone=visit.guardian_phone or phones.get(visit.patient_id, ""),
                nationality_code=nationalities.get(visit.patient.nationality_code, visit.patient.nationality_code),
                note=note,
                diagnoses=diagnoses,
                vitals=vitals,
                order_lines=order_lines.get(visit_id, ()),
                lab_results=results.get(visit_id, ()),
                reports=reports.get(visit_id, ()),
                handed_out=handed.get(visit_id, {}),
                referral=referrals.get(visit_id),
                people=people,
            )
        )
    return found


def nationality_codes() -> dict[str, str]:
    """Return ISO code -> MA_QUOCTICH (000 = Việt Nam in current practice; other countries by their three letters)."""
    return {
        item.code: str(item.extra.get("ma_quoctich_xml") or item.extra.get("iso3") or item.code)
        for item in catalogues.codes("nationality", clock.today())
    }


def _personal_numbers(patient_ids: set[int]) -> dict[int, str]:
    rows = (
        session()
        .execute(
            select(PatientIdentifier).where(
                PatientIdentifier.patient_id.in_(patient_ids),
                PatientIdentifier.type.in_(_PERSONAL),
                PatientIdentifier.valid_to.is_(None),
            )
        )
        .scalars()
    )
    best: dict[int, PatientIdentifier] = {}
    for row in rows:
        known = best.get(row.patient_id)
        if known is None or _PERSONAL.index(row.type) < _PERSONAL.index(known.type):
            best[row.patient_id] = row
    return {patient_id: row.value for patient_id, row in best.items()}


def _guardian_phones(patient_ids: set[int]) -> dict[int, str]:
    rows = session().execute(
        select(Guardian.patient_id, Guardian.phone)
        .where(Guardian.patient_id.in_(patient_ids), Guardian.phone != "")
        .order_by(Guardian.guardian_id.desc())
    )
    return {row.patient_id: row.phone for row in rows}


def _handed_out(visit_ids: Sequence[int]) -> dict[int, dict[int, HandOver]]:
    rows = session().execute(
        select(Dispense.visit_id, DispenseLine.prescription_line_id, Dispense.at, Dispense.by_name)
        .join(DispenseLine, DispenseLine.dispense_id == Dispense.dispense_id)
        .where(Dispense.visit_id.in_(visit_ids), Dispense.voided_at.is_(None))
    )
    found: dict[int, dict[int, HandOver]] = {}
    for row in rows:
        found.setdefault(row.visit_id, {})[row.prescription_line_id] = HandOver(row.at, row.by_name)
    return found


def _sealed_referrals(visit_ids: Sequence[int]) -> dict[int, SealedReferral]:
    """The facility's confirmation of the referral paper in force of each visit (referrals stand beside claims)."""
    rows = session().execute(
        select(Paper.visit_id, Signature)
        .join(
            Signature,
            (Signature.subject_type == Paper.subject_type) & (Signature.subject_id == Paper.subject_id),
        )
        .where(
            Paper.visit_id.in_(visit_ids),
            Paper.subject_type == _REFERRAL,
            Paper.state == PaperState.ISSUED,
            Signature.place == _FACILITY_PLACE,
        )
        .order_by(Signature.signature_id)
    )
    return {
        row.visit_id: SealedReferral(row.Signature.canonical, row.Signature.signer_licence)
        for row in rows
        if row.visit_id is not None
    }


def _people() -> People:
    rows = (
        session()
        .execute(
            select(User.user_id, User.title, User.display_name, User.licence_number, User.is_authorised_signer).order_by(
                User.user_id.desc()
            )
        )
        .all()
    )
    names = {row.user_id: f"{row.title} {row.display_name}".strip() for row in rows}
    return People(
        by_id=names,
        by_licence={row.licence_number: names[row.user_id] for row in rows if row.licence_number},
        head_licence=next((row.licence_number for row in reversed(rows) if row.is_authorised_signer), ""),
    )
