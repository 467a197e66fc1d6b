"""Referrals in every state, on visits with everything a referral needs."""

from __future__ import annotations

from typing import Any

from his.catalogues.models import Facility
from his.core.actor import Actor
from his.core.db import session, transaction
from his.records.models import Coverage, Patient, Visit
from his.referrals import service
from his.referrals.enums import ReferralReason
from his.referrals.models import Referral
from tests.factories.catalogues import make_code, make_facility
from tests.factories.examination import examined
from tests.factories.records import make_child, make_coverage

HERE, DESTINATION = "79999", "79900"
FULL: dict[str, Any] = {
    "destination_code": DESTINATION, "reason": ReferralReason.BEYOND_CAPACITY,
    "clinical_signs": "Da xanh, mệt, lách to 3 cm dưới bờ sườn.", "course": "Bệnh khởi phát hai tuần trước.",
    "results_summary": "Huyết sắc tố 68 g/L.", "treatment_done": "Acid folic 5 mg", "procedures": "Không",
    "condition": "Tỉnh, mạch 96 lần/phút.", "plan": "Truyền khối hồng cầu.", "transport": "Xe cứu thương",
    "escort_name": "Lê Thị Hoa", "escort_title": "Điều dưỡng", "result_code": "3",
}  # fmt: skip


def make_places() -> None:
    """This hospital and the one patients are sent to (made once per test)."""
    if session().query(Facility).filter_by(code=DESTINATION).first() is None:
        make_facility(HERE, "Bệnh viện Nhi Bình Minh", level="cơ bản")
        make_facility(DESTINATION, "Bệnh viện Chợ Rẫy", level="chuyên sâu")
        make_code("ethnicity", "01", "Kinh")
        make_code("nationality", "VN", "Việt Nam")
        make_code("occupation", "00000", "Không có hoặc chưa có nghề nghiệp")


def data(**changes: Any) -> service.ReferralData:
    """What a doctor fills in, complete unless told otherwise."""
    return service.ReferralData(**{**FULL, **changes})


def form(**changes: str) -> dict[str, str]:
    """What the browser sends with the referral form."""
    values = {name: str(getattr(value, "value", value)) for name, value in FULL.items()}
    return {**values, "version": "", **changes}


def make_case(doctor: Actor, *, patient: Patient | None = None, insured: bool = True, **more: Any) -> Visit:
    """A child who was examined, with a diagnosis, ready to be referred."""
    make_places()
    patient = patient or make_child()
    coverage: Coverage | None = make_coverage(patient) if insured else None
    return examined(doctor, patient, coverage=coverage, **more)


def drafted(doctor: Actor, visit: Visit | None = None, **changes: Any) -> Referral:
    """A complete draft."""
    visit = visit or make_case(doctor)
    with transaction():
        referral = service.draft(visit.visit_id, actor=doctor)
        return service.save(referral.referral_id, data(**changes), None, actor=doctor)


def signed(doctor: Actor, visit: Visit | None = None, **changes: Any) -> Referral:
    """A referral the doctor signed."""
    referral = drafted(doctor, visit, **changes)
    with transaction():
        return service.sign(referral.referral_id, actor=doctor)


def issued(doctor: Actor, head: Actor, visit: Visit | None = None, **changes: Any) -> Referral:
    """A referral the facility issued, with its paper."""
    referral = signed(doctor, visit, **changes)
    with transaction():
        return service.issue(referral.referral_id, actor=head)

