"""Claims built from the rows of settled visits: tables, sums, versions, owners of findings."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from his.billing import service as billing
from his.billing.models import Settlement
from his.core import clock
from his.core.db import session, transaction
from his.core.errors import InvalidState, Severity
from his.examination.models import Diagnosis
from his.insurance import queries, rules, service
from his.insurance.enums import AnchorKind, ClaimState, Fixer
from his.insurance.errors import ClaimSumsDiffer, NotClaimable
from his.insurance.models import ClaimFile, ClaimFinding
from his.orders.models import OrderLine
from his.records.models import Patient, Visit
from his.referrals.models import Referral
from tests.factories import insurance as make
from tests.insurance import structure

MONEY = {
    "T_TONGCHI_BV": ("THANH_TIEN_BV", "total_amount"),
    "T_TONGCHI_BH": ("THANH_TIEN_BH", "insured_amount"),
    "T_BNTT": ("T_BNTT", "outside_amount"),
    "T_BNCCT": ("T_BNCCT", "copay_amount"),
    "T_BHTT": ("T_BHTT", "fund_amount"),
    "T_NGUONKHAC": ("T_NGUONKHAC", "other_amount"),
}


@pytest.fixture
def staff(db_session: Any) -> make.Staff:
    return make.ready()


@pytest.fixture
def adult(staff: make.Staff) -> ClaimFile:
    """Card at 80 %, laboratory, imaging, three medicines, a referral and a follow-up."""
    return make.claim_of(staff, make.journey(staff, "adult", ct=True, referral=True, dispense=True))


def errors(claim: ClaimFile) -> list[str]:
    found = queries.findings_of(claim.claim_id)
    return [f"{f.rule_id} {f.value} {f.suggestion}" for f in found if f.severity is Severity.ERROR]


def change(model: Any, key: Any, **values: Any) -> None:
    """What an intruder or an older program left: rows changed behind the services' back."""
    with transaction() as here:
        here.execute(update(model).where(key).values(**values).execution_options(synchronize_session=False))
        here.expire_all()


def again(claim: ClaimFile, staff: make.Staff, reason: str = "Kiểm tra lại") -> ClaimFile:
    with transaction():
        return service.rebuild(claim.claim_id, reason, actor=staff.insurance)


def test_a_referred_adult_at_80_percent_sends_the_seven_tables_without_an_error(adult: ClaimFile) -> None:
    assert list(adult.rows) == ["XML1", "XML2", "XML3", "XML4", "XML13", "XML14"]
    assert [len(rows) for rows in adult.rows.values()] == [1, 3, 4, 5, 1, 1]
    assert errors(adult) == []
    assert adult.state is ClaimState.PASSED
    assert {row["MUC_HUONG"] for row in (*adult.rows["XML2"], *adult.rows["XML3"])} == {"80"}
    head = adult.rows["XML1"][0]
    assert (head["MA_DOITUONG_KCB"], head["MA_LOAI_RV"], head["MA_NOI_DEN"]) == ("1.1", "2", make.DESTINATION)
    assert all(row["NGAY_TH_YL"] for row in adult.rows["XML2"])  # handed out


def test_the_written_file_has_every_official_field_in_order_by_an_independent_reading(adult: ClaimFile) -> None:
    data = service.claim_file(adult)
    assert structure.breaches(data) == []
    read = structure.tables_in(data)
    assert {code: [dict(row) for row in rows] for code, rows in adult.rows.items()} == read
    assert not rules.check_file(data, on=clock.today()).errors


@pytest.mark.parametrize(("kind", "more"), [("adult", {"ct": True}), ("adult", {"drugs": 4}), ("child", {}), ("child", {"drugs": 0, "lab": False})])
def test_sums_equal_the_settled_bill_to_the_dong(staff: make.Staff, kind: str, more: dict[str, Any]) -> None:
    made = make.journey(staff, kind, **more)
    claim = make.claim_of(staff, made)
    bill = session().get_one(Settlement, made.settlement_id)
    head = claim.rows["XML1"][0]
    lines = [*claim.rows.get("XML2", []), *claim.rows["XML3"]]
    for name, (line, column) in MONEY.items():
        assert Decimal(head[name]) == sum(Decimal(row[line]) for row in lines) == getattr(bill, column), name
    assert Decimal(head["T_THUOC"]) == sum((Decimal(r["THANH_TIEN_BV"]) for r in claim.rows.get("XML2", [])), Decimal(0))
    assert (claim.total_amount, claim.fund_amount) == (bill.total_amount, bill.fund_amount)
    assert errors(claim) == []
    assert structure.breaches(service.claim_file(claim)) == []


def test_a_child_is_paid_whole_and_weighed(staff: make.Staff) -> None:
    claim = make.claim_of(staff, make.journey(staff, "child"))
    head = claim.rows["XML1"][0]
    assert (head["T_BNCCT"], head["T_BNTT"], head["CAN_NANG"]) == ("0", "0", "14.2")
    assert {row["MUC_HUONG"] for row in claim.rows["XML3"]} == {"100"}
    assert head["MA_THE_BHYT"].startswith("TE1")
    assert list(claim.rows) == ["XML1", "XML2", "XML3", "XML4", "XML14"]


def test_an_uninsured_visit_has_no_claim(staff: make.Staff) -> None:
    made = make.journey(staff, "uninsured")
    assert made.visit_id not in queries.unbuilt_visits()
    with pytest.raises(NotClaimable), transaction():
        service.build_claim(made.visit_id, actor=staff.insurance)
    assert queries.claim_of_visit(made.visit_id) is None


def test_an_unpaid_visit_has_no_claim_yet(staff: make.Staff) -> None:
    made = make.journey(staff, "adult", settle=False)
    with pytest.raises(NotClaimable), transaction():
        service.build_claim(made.visit_id, actor=staff.insurance)


def test_a_medicine_outside_the_list_is_written_as_outside_scope(staff: make.Staff) -> None:
    claim = make.claim_of(staff, make.journey(staff, "adult", drugs=4))
    row = next(row for row in claim.rows["XML2"] if row["PHAM_VI"] == "2")
    assert (row["MA_THUOC"], row["TYLE_TT_BH"], row["THANH_TIEN_BH"], row["T_BHTT"], row["NGUON_CTRA"]) == (
        "00.0000", "0", "0", "0", "4",
    )  # fmt: skip
    assert row["T_BNTT"] == row["THANH_TIEN_BV"] != "0"
    assert errors(claim) == []


def test_the_referral_table_is_the_sealed_paper_not_what_the_record_says_now(adult: ClaimFile, staff: make.Staff) -> None:
    before = adult.rows["XML13"][0]
    assert before["HOTEN_NGUOI_HT"] == "Nguyễn Văn Hộ Tống"
    assert (before["MA_LYDO_CT"], before["MA_CSKCB_DI"], before["MA_CSKCB_DEN"]) == ("2", "79999", make.DESTINATION)
    assert before["GIAY_CHUYEN_TUYEN"].endswith("PCCSKBCB")
    change(Referral, Referral.visit_id == adult.visit_id, clinical_signs="đã sửa lén", snapshot={})
    assert again(adult, staff).rows["XML13"][0] == before


def test_a_referral_without_its_paper_is_a_finding_for_the_doctor(staff: make.Staff) -> None:
    claim = make.claim_of(staff, make.journey(staff, "adult", referral=True, issue="no"))
    found = next(f for f in queries.findings_of(claim.claim_id) if f.rule_id == "XML13-ALL-SEND")
    assert (found.owner_role, found.owner_name) == (Fixer.DOCTOR, staff.doctor.name)
    assert (found.anchor, found.anchor_id) == (AnchorKind.REFERRAL, claim.visit_id)
    assert claim.state is ClaimState.FAULTY
    assert "XML13" not in claim.rows


def test_no_appointment_no_slip(staff: make.Staff) -> None:
    claim = make.claim_of(staff, make.journey(staff, "adult", follow_up_days=None))
    assert "XML14" not in claim.rows
    assert claim.rows["XML1"][0]["NGAY_TAI_KHAM"] == ""


@pytest.mark.parametrize(("visit_type", "wanted"), [("01", False), ("08", True)])
def test_progress_notes_go_only_with_the_types_that_demand_them(staff: make.Staff, visit_type: str, wanted: bool) -> None:
    made = make.journey(staff, "adult")
    change(Visit, Visit.visit_id == made.visit_id, visit_type_code=visit_type)
    claim = make.claim_of(staff, made)
    assert ("XML5" in claim.rows) is wanted
    if wanted:
        assert "CSST<M96_T38.4>" in claim.rows["XML5"][0]["DIEN_BIEN_LS"]
        assert structure.breaches(service.claim_file(claim)) == []


def test_a_bill_that_does_not_equal_its_lines_is_not_claimed(staff: make.Staff) -> None:
    made = make.journey(staff, "adult")
    change(
        Settlement, Settlement.settlement_id == made.settlement_id,
        total_amount=Settlement.total_amount + 1, fund_amount=Settlement.fund_amount + 1,
    )  # fmt: skip
    source = queries.claim_sources([made.visit_id])[0]
    with pytest.raises(ClaimSumsDiffer, match="T_TONGCHI_BV"):
        service.sum_lines(source)
    with pytest.raises(NotClaimable, match="T_TONGCHI_BV"), transaction():
        service.build_claim(made.visit_id, actor=staff.insurance)
    assert queries.claim_of_visit(made.visit_id) is None


def test_one_visit_that_cannot_be_claimed_holds_nobody_up(staff: make.Staff) -> None:
    bad, good = make.journey(staff, "child"), make.journey(staff, "child")
    change(
        Settlement, Settlement.settlement_id == bad.settlement_id,
        total_amount=Settlement.total_amount + 1, fund_amount=Settlement.fund_amount + 1,
    )  # fmt: skip
    with transaction():
        report = service.build_claims([bad.visit_id, good.visit_id], actor=staff.insurance)
    assert [claim.visit_id for claim in report.built] == [good.visit_id]
    assert list(report.problems) == [bad.visit_id]


# --- versions -----------------------------------------------------------------------------------------------------


def test_building_again_without_a_change_keeps_the_version(adult: ClaimFile, staff: make.Staff) -> None:
    assert again(adult, staff).claim_id == adult.claim_id
    assert len(queries.versions_of(adult.visit_id)) == 1


def test_a_change_makes_a_new_version_and_keeps_the_old_one_readable(adult: ClaimFile, staff: make.Staff) -> None:
    change(Patient, Patient.code == adult.rows["XML1"][0]["MA_BN"], address_text="5 Đường Mới")
    fresh = again(adult, staff, "Sửa địa chỉ người bệnh")
    new, old = queries.versions_of(adult.visit_id)
    assert (new.claim_id, new.version_no, new.change_reason) == (fresh.claim_id, 2, "Sửa địa chỉ người bệnh")
    assert (old.claim_id, old.state) == (adult.claim_id, ClaimState.SUPERSEDED)
    assert old.rows["XML1"][0]["DIA_CHI"] != new.rows["XML1"][0]["DIA_CHI"] == "5 Đường Mới"


def test_a_new_version_needs_a_reason(adult: ClaimFile, staff: make.Staff) -> None:
    with pytest.raises(InvalidState, match="lý do"), transaction():
        service.rebuild(adult.claim_id, " sửa ", actor=staff.insurance)


def test_a_bill_taken_back_and_paid_anew_makes_a_new_version(adult: ClaimFile, staff: make.Staff) -> None:
    other = make.make_user("cashier").as_actor()
    with transaction():
        billing.void_settlement(adult.visit_id, "Thu nhầm quầy", actor=other)
    assert not queries.is_billed(adult)
    assert queries.exportable_count(adult.settlement_month) == 0
    with transaction():
        make.pay(staff, adult.visit_id)
    assert list(queries.unbuilt_visits(adult.settlement_month)) == [adult.visit_id]
    with transaction():
        report = service.build_claims([adult.visit_id], actor=staff.insurance)
    assert [claim.version_no for claim in report.built] == [2]


# --- findings -----------------------------------------------------------------------------------------------------


PLANTED = [
    (Patient, lambda c: Patient.code == c.rows["XML1"][0]["MA_BN"], {"commune_code": ""}, "XML1", "MAXA_CU_TRU", Fixer.CLERK, AnchorKind.VISIT),
    (Visit, lambda c: Visit.visit_id == c.visit_id, {"reason": ""}, "XML1", "LY_DO_VV", Fixer.DOCTOR, AnchorKind.EXAM),
    (Diagnosis, lambda c: (Diagnosis.visit_id == c.visit_id) & (Diagnosis.kind == "main"), {"icd_code": "B97.4"}, "XML1", "MA_BENH_CHINH", Fixer.DOCTOR, AnchorKind.EXAM),
    (OrderLine, lambda c: OrderLine.service_code == make.BLOOD_COUNT, {"performer_licence": ""}, "XML3", "NGUOI_THUC_HIEN", Fixer.LABORATORY_TECHNICIAN, AnchorKind.RESULT),
    (OrderLine, lambda c: OrderLine.service_code == make.CHEST_XRAY, {"performer_licence": ""}, "XML3", "NGUOI_THUC_HIEN", Fixer.IMAGING_TECHNICIAN, AnchorKind.REPORT),
]  # fmt: skip


@pytest.mark.parametrize(("model", "key", "values", "table", "field", "who", "anchor"), PLANTED)
def test_a_planted_error_names_who_can_fix_it_and_where(
    adult: ClaimFile, staff: make.Staff, model: Any, key: Callable[[ClaimFile], Any], values: dict[str, Any], table: str,
    field: str, who: Fixer, anchor: AnchorKind,
) -> None:  # fmt: skip
    change(model, key(adult), **values)
    fresh = again(adult, staff)
    found = [f for f in queries.findings_of(fresh.claim_id) if f.field == field and f.severity is Severity.ERROR]
    assert found, queries.findings_of(fresh.claim_id)
    named = {Fixer.CLERK: staff.clerk, Fixer.DOCTOR: staff.doctor, Fixer.LABORATORY_TECHNICIAN: staff.lab, Fixer.IMAGING_TECHNICIAN: staff.imaging}
    first: ClaimFinding = found[0]
    assert (first.table_code, first.owner_role, first.owner_name, first.anchor) == (table, who, named[who].name, anchor)
    assert first.anchor_id is not None
    assert first.suggestion
    assert fresh.state is ClaimState.FAULTY
    assert fresh.error_count >= 1


def test_findings_go_when_the_record_is_put_right(adult: ClaimFile, staff: make.Staff) -> None:
    change(Patient, Patient.code == adult.rows["XML1"][0]["MA_BN"], commune_code="")
    faulty = again(adult, staff)
    change(Patient, Patient.code == adult.rows["XML1"][0]["MA_BN"], commune_code="26740")
    fixed = again(faulty, staff)
    assert (fixed.state, fixed.error_count, errors(fixed)) == (ClaimState.PASSED, 0, [])
    assert fixed.version_no == 3


# --- batches ------------------------------------------------------------------------------------------------------


def test_a_batch_is_read_with_the_same_statements_whatever_its_size(staff: make.Staff, count_statements: Any) -> None:
    made = [make.journey(staff, "child", dispense=True) for _ in range(9)]
    reads, writes = [], []
    for part in (made[:1], made[1:]):
        session().expire_all()
        with count_statements() as seen, transaction():
            report = service.build_claims([one.visit_id for one in part], actor=staff.insurance)
        assert len(report.built) == len(part)
        inserts = [text for text in seen.texts if text.startswith("INSERT")]
        reads.append(seen.count - len(inserts))
        writes.append(len(inserts) / len(part))
    assert reads[0] == reads[1] <= 32, reads
    assert max(writes) <= 2, writes  # the claim and its audit entry; findings go in one statement
