"""Reads of referrals."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from his.core.db import session
from his.referrals.enums import ReferralState
from his.referrals.errors import ReferralNotFound
from his.referrals.models import Referral

IN_FORCE = (ReferralState.DRAFT, ReferralState.SIGNED, ReferralState.ISSUED)


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


def waiting(limit: int = 100) -> Sequence[Referral]:
    """Return referrals the facility has still to sign, oldest first."""
    return session().execute(
        select(Referral).where(Referral.state == ReferralState.SIGNED).order_by(Referral.referral_id).limit(limit)
    ).scalars().all()


def recent(limit: int = 50) -> Sequence[Referral]:
    """Return the latest issued referrals (the register)."""
    return session().execute(
        select(Referral).where(Referral.number.is_not(None)).order_by(Referral.referral_id.desc()).limit(limit)
    ).scalars().all()
