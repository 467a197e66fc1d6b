"""Whole journeys by service calls: from the desk to a settled bill (and on), for claims, benches and journeys.

``small_catalogue()`` puts a few real rows of the packaged catalogues into the database, ``make_staff()`` the people,
``journey(staff, …)`` walks one patient through the house.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any
from unittest.mock import patch

from sqlalchemy import insert, select, text

from his.billing import queries as billing_queries
from his.billing import service as billing
from his.billing.enums import PaymentMethod
from his.catalogues import rules as catalogue_rules
from his.catalogues import service as catalogues
from his.catalogues.models import Facility
from his.core import clock
from his.core.actor import Actor
from his.core.db import session, transaction
from his.documents import rendering
from his.examination import service as examination
from his.imaging import service as imaging
from his.insurance import service as insurance
from his.insurance.models import ClaimFile
from his.laboratory import service as laboratory
from his.orders import service as orders
from his.pharmacy import service as pharmacy
from his.prescriptions import queries as rx_queries
from his.prescriptions import service as prescriptions
from his.prescriptions.enums import OverrideReason
from his.records import queries as records_queries
from his.records import service as records
from his.records.enums import CoverageSource, GuardianKind, Sex
from his.referrals import service as referrals
from his.referrals.enums import ReferralReason
from his.registration import service as registration
from his.stock import service as stock
from tests.factories.identity import make_user

_counter = itertools.count(1)

BLOOD_COUNT, CHEST_XRAY, CHEST_CT = "22.0121.1369", "18.0119.0028", "18.0191.0040"
PARACETAMOL, AMOXICILLIN, BROMHEXINE, PARACETAMOL_CHILD = "TH0314", "TH0115", "TH0175", "TH0021"
OUTSIDE_LIST = "TH0329"  # omeprazole, not on the insured list
DESTINATION = "79900"
KEPT: dict[str, tuple[str, set[str]]] = {
    "code_lists": ("list_name", {"nationality", "ethnicity", "occupation", "route", "ma_loai_rv", "ket_qua_dtri", "department"}),
    "icd10": ("code", {"J18.9", "J20.9", "J21.9", "I10", "E11.9", "A09.9", "B97.4"}),
    "provinces": ("code", {"79", "01"}),
    "communes": ("code", {"26740"}),
    "facilities": ("code", {"79999", DESTINATION, "79901"}),
    "rooms": ("code", {"101", "214", "XN1", "CDHA1", "TN1", "NT1"}),
    "services": ("code", {"KB01", "KB03", BLOOD_COUNT, CHEST_XRAY, CHEST_CT}),
    "lab_indices": ("service_code", {BLOOD_COUNT}),
    "drugs": ("code", {PARACETAMOL, AMOXICILLIN, BROMHEXINE, PARACETAMOL_CHILD, OUTSIDE_LIST}),
}


@cache
def _rows(name: str) -> tuple[dict[str, Any], ...]:
    folder = files("his.catalogues") / "data"
    packed = folder / f"{name}.csv.gz"
    data = gzip.decompress(packed.read_bytes()) if packed.is_file() else (folder / f"{name}.csv").read_bytes()
    reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    header = next(reader)
    column, wanted = KEPT[name]
    place = header.index(column)
    values, problems = catalogue_rules.read_rows(
        catalogue_rules.SPECS[name], header, [row for row in reader if row[place] in wanted]
    )
    assert not problems, problems[:3]
    return tuple(row for _number, row in values)


def small_catalogue() -> None:
    """Put a few real rows of each catalogue into the database, once."""
    if session().execute(select(Facility.facility_id).where(Facility.code == DESTINATION)).first() is not None:
        return
    with transaction() as here:
        for name in KEPT:
            model = catalogues.MODELS[name]
            first = catalogues.PACKAGED[name][0]
            rows = [catalogues._defaults(model, {**row, "valid_from": first, "valid_to": None, "import_id": None}) for row in _rows(name)]
            here.execute(insert(model), rows)


@dataclass(frozen=True)
class Staff:
    """One person per role."""

    clerk: Actor
    nurse: Actor
    doctor: Actor
    head: Actor
    lab: Actor
    imaging: Actor
    cashier: Actor
    pharmacist: Actor
    insurance: Actor


def make_staff() -> Staff:
    """The people of a journey, with proven PINs."""
    return Staff(
        clerk=make_user("clerk").as_actor(), nurse=make_user("nurse").as_actor(), doctor=make_user("doctor").as_actor(),
        head=make_user("head").as_actor(), lab=make_user("lab_tech").as_actor(), imaging=make_user("imaging_tech").as_actor(), cashier=make_user("cashier").as_actor(),
        pharmacist=make_user("pharmacist").as_actor(), insurance=make_user("insurance_clerk").as_actor(),
    )  # fmt: skip


def ready() -> Staff:
    """Catalogue, stock and people."""
    small_catalogue()
    staff = make_staff()
    with transaction():
        for code in KEPT["drugs"][1]:
            stock.receive(
                drug_code=code, lot_number=f"L{next(_counter):04d}", expires_on=clock.today() + timedelta(days=400),
                quantity=Decimal(1_000_000), actor=staff.pharmacist,
            )  # fmt: skip
    return staff


@dataclass(frozen=True)
class Journey:
    """What a journey left behind."""

    visit_id: int
    visit_code: str
    patient_id: int
    prescription_id: int | None
    referral_id: int | None
    settlement_id: int | None


PEOPLE: dict[str, dict[str, Any]] = {
    "adult": {"card": "GD4", "birth": date(1980, 3, 5), "sex": Sex.MALE, "weight": Decimal("58.5"), "icd": "J18.9", "others": ("I10",)},
    "child": {"card": "TE1", "birth": None, "sex": Sex.FEMALE, "weight": Decimal("14.2"), "icd": "J20.9", "others": ()},
    "uninsured": {"card": "", "birth": date(1990, 7, 1), "sex": Sex.FEMALE, "weight": Decimal(52), "icd": "A09.9", "others": ()},
}


def make_person(kind: str, staff: Staff) -> tuple[Any, Any]:
    """A patient with address, number, and (unless uninsured) a card registered here."""
    number = next(_counter)
    about = PEOPLE[kind]
    today = clock.today()
    patient = records.create_patient(
        records.PatientData(
            full_name=f"Trần Thị Ví Dụ {'ABCDEGHIKLMN'[number % 12]}", birth_on=about["birth"] or today - timedelta(days=44 * 30),
            sex=about["sex"], phone=f"09{number:08d}", commune_code="26740", province_code="79",
            address_text="12 Đường Hoa Sen, Phường Sài Gòn, Thành phố Hồ Chí Minh", personal_number=f"079{number:09d}",
        ),
        actor=staff.clerk,
    )  # fmt: skip
    if kind == "child":
        records.save_guardian(
            patient.patient_id, kind=GuardianKind.MOTHER, full_name="Lê Thị Minh Châu", phone="0900000111", actor=staff.clerk
        )
    records.state_no_known_allergies(patient.patient_id, actor=staff.nurse)
    if not about["card"]:
        return patient, None
    coverage = records.save_coverage(
        patient.patient_id,
        records.CardData(
            f"{about['card']}79{number:010d}", "79999", today.replace(month=1, day=1), today.replace(month=12, day=31)
        ),
        CoverageSource.PORTAL,
        actor=staff.clerk,
    )  # fmt: skip
    return patient, coverage


def drug_lines(kind: str, count: int) -> list[prescriptions.LineData]:
    """Medicines that pass the safety checks for these people."""
    if kind == "child":
        return [prescriptions.LineData(PARACETAMOL_CHILD, Decimal("0.8"), "Gói", 3, 3, "khi sốt", quantity=Decimal(9))][:count]
    return [
        prescriptions.LineData(PARACETAMOL, Decimal(1), "Viên", 3, 5, "sau ăn"),
        prescriptions.LineData(AMOXICILLIN, Decimal(1), "Viên", 3, 7, "sau ăn"),
        prescriptions.LineData(BROMHEXINE, Decimal(1), "Ống", 3, 5, "sau ăn"),
        prescriptions.LineData(OUTSIDE_LIST, Decimal(1), "Viên", 1, 7, "trước ăn"),
    ][:count]


def journey(
    staff: Staff,
    kind: str = "adult",
    *,
    lab: bool = True,
    imaging_too: bool = True,
    ct: bool = False,
    drugs: int = 3,
    referral: bool = False,
    issue: str = "plain",
    follow_up_days: int | None = 5,
    settle: bool = True,
    dispense: bool = False,
    main_icd: str = "",
) -> Journey:
    """Walk one patient through the house.

    ``ct`` adds a dear test, so that the bill passes 15 % of the base salary and the card's own rate counts. ``issue``: how the facility's paper of a referral is made: ``pdf`` (really rendered), ``plain`` (a stand-in for the
    bytes, fast), ``no`` (signed by the doctor only).
    """
    with transaction():
        about = PEOPLE[kind]
        patient, coverage = make_person(kind, staff)
        registered = registration.register_visit(
            registration.RegisterCommand(
                patient_id=patient.patient_id, room_code="101", reason="Ho, sốt 3 ngày",
                coverage_id=coverage.coverage_id if coverage else None, route=registration.route_of(coverage),
                guardian_name="Lê Thị Minh Châu" if kind == "child" else "",
                guardian_phone="0900000111" if kind == "child" else "",
            ),
            actor=staff.clerk,
        )  # fmt: skip
        visit_id, code = registered.visit.visit_id, registered.visit.code
        examination.record_vitals(
            visit_id, {"temperature": Decimal("38.4"), "pulse": 96, "weight_kg": about["weight"]}, actor=staff.nurse
        )
        examination.begin(visit_id, actor=staff.doctor)
        examination.save_note(
            visit_id,
            examination.NoteData(
                history="Ho đàm, sốt 3 ngày.", findings="Phổi ran nổ đáy phải.", conclusion="Kháng sinh, theo dõi.",
                advice="Uống nhiều nước.",
                follow_up_on=clock.today() + timedelta(days=follow_up_days) if follow_up_days else None,
            ),
            None,
            actor=staff.doctor,
        )  # fmt: skip
        examination.set_diagnoses(visit_id, main_icd or about["icd"], about["others"], actor=staff.doctor)
        _tests(staff, visit_id, lab=lab, imaging_too=imaging_too, ct=ct)
        prescription_id = _prescribe(staff, visit_id, kind, drugs) if drugs else None
        referral_id = _refer(staff, visit_id, issue=issue) if referral else None
        if not referral:
            examination.conclude(visit_id, examination.ConcludeData("1", "2"), actor=staff.doctor)
        settlement_id = pay(staff, visit_id) if settle else None
        if dispense and settle and prescription_id is not None:
            pharmacy.dispense(prescription_id, receiver_name="Người nhà", key=f"d{visit_id}", actor=staff.pharmacist)
    return Journey(visit_id, code, patient.patient_id, prescription_id, referral_id, settlement_id)


def pay(staff: Staff, visit_id: int, key: str = "") -> int:
    """Settle the bill of a concluded visit."""
    bill = billing_queries.bill_of(records_queries.get_visit(visit_id))
    settled = billing.settle(
        visit_id, method=PaymentMethod.CASH, tendered=bill.payable, key=key or f"k{visit_id}-{next(_counter)}",
        expected=bill.payable, actor=staff.cashier,
    )  # fmt: skip
    return settled.settlement_id


def _tests(staff: Staff, visit_id: int, *, lab: bool, imaging_too: bool, ct: bool) -> None:
    wanted = [*([BLOOD_COUNT] if lab else []), *([CHEST_XRAY] if imaging_too else []), *([CHEST_CT] if ct else [])]
    if not wanted:
        return
    order = orders.place(visit_id, wanted, indication="Theo dõi viêm phổi", actor=staff.doctor)
    for line in order.lines:
        if line.service_code == BLOOD_COUNT:
            result = laboratory.enter(
                line.line_id, {"WBC": "12.4", "RBC": "4.7", "HGB": "132"}, actor=staff.lab
            )
            laboratory.release(result.result_id, actor=staff.doctor)
        else:
            report = imaging.write_report(
                line.line_id, description="Đám mờ đáy phổi phải.", conclusion="Viêm phổi phải.", is_abnormal=True,
                actor=staff.imaging,
            )  # fmt: skip
            imaging.release(report.report_id, actor=staff.doctor)


def _prescribe(staff: Staff, visit_id: int, kind: str, count: int) -> int:
    draft = prescriptions.draft_for(visit_id, actor=staff.doctor)
    prescriptions.set_lines(
        draft.prescription_id, drug_lines(kind, count), advice="Uống đủ ngày.", follow_up_on=None, version=None,
        actor=staff.doctor,
    )  # fmt: skip
    visit = records_queries.get_visit(visit_id)
    run = rx_queries.safety_run(rx_queries.get(draft.prescription_id), rx_queries.facts_for_checks(visit, draft.prescription_id))
    for alert in (*run.stops, *run.cautions):
        prescriptions.override(
            draft.prescription_id, alert.alert.rule, alert.alert.key, OverrideReason.MONITORED,
            "Theo dõi sát, đã giải thích cho gia đình.", actor=staff.doctor,
        )  # fmt: skip
    prescriptions.sign(draft.prescription_id, actor=staff.doctor)
    return draft.prescription_id


_END: dict[str, Any] = {"result_code": "3"} if "result_code" in referrals.ReferralData.__dataclass_fields__ else {}


def _refer(staff: Staff, visit_id: int, *, issue: str) -> int:
    draft = referrals.draft(visit_id, actor=staff.doctor)
    referrals.save(
        draft.referral_id,
        referrals.ReferralData(
            destination_code=DESTINATION, reason=ReferralReason.BEYOND_CAPACITY, clinical_signs="Ho đàm, sốt 38,5 °C.",
            course="Sốt 3 ngày, ho tăng.", results_summary="Bạch cầu 12,4 G/L.", treatment_done="Kháng sinh uống.",
            condition="Tỉnh, mạch 96 lần/phút.", plan="Điều trị nội trú.", transport="Xe cứu thương",
            procedures="Không", **_END, escort_name="Nguyễn Văn Hộ Tống", escort_title="Điều dưỡng",
        ),
        None,
        actor=staff.doctor,
    )  # fmt: skip
    referrals.sign(draft.referral_id, actor=staff.doctor)
    if issue == "pdf":
        referrals.issue(draft.referral_id, actor=staff.head)
    elif issue == "plain":
        with patch.object(rendering, "render", _plain_pdf):
            referrals.issue(draft.referral_id, actor=staff.head)
    return draft.referral_id


def _plain_pdf(_template: str, _context: Any, **_more: Any) -> rendering.Rendered:
    """Stand for the renderer: any bytes will do where nobody looks at the paper."""
    return rendering.Rendered(b"%PDF-1.7 stand-in", 1)


def claim_of(staff: Staff, made: Journey) -> ClaimFile:
    """Build the claim of a journey."""
    with transaction():
        return insurance.build_claim(made.visit_id, actor=staff.insurance)


def many_claims(like: ClaimFile, count: int) -> None:
    """Copy a claim many times over, each on a visit and bill of its own (fast: for counting statements and exports)."""
    from his.billing.models import Settlement
    from his.records.models import Visit

    def columns(model: Any, row: Any, **changes: Any) -> dict[str, Any]:
        key = next(iter(model.__table__.primary_key)).name
        return {c.name: getattr(row, c.key) for c in model.__table__.columns if c.name != key} | changes

    with transaction() as here:
        visit, bill = here.get_one(Visit, like.visit_id), here.get_one(Settlement, like.settlement_id)
        stamp = next(_counter)
        codes = [f"{visit.code}-{stamp}-{n:05d}" for n in range(count)]
        here.execute(insert(Visit), [columns(Visit, visit, code=code) for code in codes])
        visits = dict(here.execute(select(Visit.code, Visit.visit_id).where(Visit.code.in_(codes) if count < 500 else Visit.code.like(f"{visit.code}-{stamp}-%"))).all())
        here.execute(insert(Settlement), [columns(Settlement, bill, visit_id=visits[code], number=f"C-{stamp}-{n}") for n, code in enumerate(codes)])
        bills = dict(here.execute(select(Settlement.visit_id, Settlement.settlement_id).where(Settlement.number.like(f"C-{stamp}-%"))).all())
        here.execute(
            insert(ClaimFile),
            [
                columns(ClaimFile, like, visit_id=visits[code], visit_code=code, settlement_id=bills[visits[code]])
                for code in codes
            ],
        )
        if count >= 500 and here.get_bind().dialect.name == "postgresql":
            # What the server does by itself once rows are committed; these never are, and old figures mislead its plans.
            here.execute(text("ANALYZE visits, settlements, claim_files"))
