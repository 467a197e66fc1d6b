"""From the door to the claim and the referral paper, through a real browser, by keyboard, on real processes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from decimal import Decimal

from playwright.sync_api import Browser, expect
from pypdf import PdfReader

from his.demo import people
from tests.insurance import structure
from tests.journeys import steps
from tests.journeys.conftest import Person
from tests.journeys.stack import Stack

Maker = Callable[[str], Person]


def _text(pdf: bytes) -> str:
    return " ".join("\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def _dong(shown: str) -> int:
    return int(re.sub(r"\D", "", shown) or 0)


def _money(rows: list[dict[str, str]], field: str) -> Decimal:
    return sum((Decimal(row[field] or 0) for row in rows), Decimal(0))


def test_insured_child_with_guardian_weight_and_fever(person: Maker) -> None:
    """A child under 6 pays nothing; the dose follows the weight; the paper names the guardian."""
    child = people.person("Lê Gia Phúc")
    clerk, doctor = person("tiepdon"), person("bacsi213")
    ticket = steps.desk_registers(
        clerk, people.insurance_card_text(child), guardian=("Lê Thị Thử", "0900333444"), weight="12,5", reason="Sốt, ho 2 ngày", clinic=steps.ROOM_213,
    )  # fmt: skip
    assert clerk.papers, "the slip was printed"
    assert clerk.papers[-1].startswith(b"%PDF-")
    assert ticket in _text(clerk.papers[-1])
    visit_id = steps.doctor_calls(doctor, ticket)
    expect(doctor.page.locator(".pbanner")).to_contain_text("Lê Thị Thử")
    steps.doctor_measures(doctor, temperature="39,2", pulse="124", respiration="30", spo2="97", weight_kg="12,5")
    expect(doctor.page.locator("#part-strip .warn").first).to_contain_text("Nhiệt độ ↑")
    doctor.page.locator("button:has-text('Không dị ứng')").first.click()
    steps.settled(doctor.page)
    steps.doctor_writes(doctor, "Sốt cao 2 ngày, ho ít, ăn kém.", "Họng đỏ, phổi trong.", "Viêm họng cấp, hạ sốt.", "Lau mát, uống nước.")
    steps.doctor_diagnoses(doctor, "j02.9")
    code = steps.doctor_prescribes(
        doctor, [steps.Drug("paracetamol 150", "1", "4", "3", "khi sốt từ 38,5 °C")], shows=["mg/kg"]
    )
    steps.doctor_concludes(doctor, visit_id)
    cashier = person("thungan")
    assert _dong(steps.cashier_takes(cashier, child.name)) == 0
    pharmacist = person("duocsi")
    steps.pharmacy_hands_out(pharmacist, code, "Lê Thị Thử")
    insurance = person("bhyt")
    claim_id = steps.clerk_builds_claims(insurance, child.name)
    file = insurance.page.request.get(f"{insurance.base}/insurance/claims/{claim_id}/file").body()
    tables = structure.tables_in(file)
    assert structure.breaches(file) == []
    assert tables["XML1"][0]["CAN_NANG"] == "12.5"
    assert tables["XML1"][0]["T_BNCCT"] == "0"
    assert _money(tables["XML2"] + tables["XML3"], "T_BHTT") == Decimal(tables["XML1"][0]["T_BHTT"])


def test_insured_adult_with_tests_three_drugs_and_a_referral(person: Maker, stack: Stack, browser: Browser) -> None:
    """80 %: laboratory, imaging, three drugs, referral; the sums of the claim equal the bill to the đồng."""
    who = people.person("Đỗ Minh Khôi")
    clerk, doctor = person("tiepdon"), person("bacsi")
    ticket = steps.desk_registers(clerk, people.id_card_text(who), phone="0900111222", reason="Ho, sốt 3 ngày")
    visit_id = steps.doctor_calls(doctor, ticket)
    steps.doctor_measures(
        doctor, pulse="96", temperature="38,6", respiration="22", spo2="97", systolic="128", diastolic="82", weight_kg="61"
    )
    doctor.page.locator("button:has-text('Không dị ứng')").first.click()
    steps.settled(doctor.page)
    steps.doctor_writes(
        doctor, "Ho đàm vàng, sốt 3 ngày, đau ngực phải.", "Tỉnh, phổi phải đáy ran nổ.", "Viêm phổi, chuyển điều trị.",
        "Mang theo phim và kết quả.",
    )  # fmt: skip
    steps.doctor_diagnoses(doctor, "j18.9", "i10")
    steps.doctor_orders(
        doctor, ("cong thuc mau laser", "máu ngoại vi"), ("xq nguc thang", "X-quang ngực thẳng"),
        ("clvt long nguc khong", "lồng ngực"),
    )  # fmt: skip
    steps.laboratory_enters(person("xetnghiem"), who.name, {"WBC": "12,4", "RBC": "4,7", "HGB": "132"})
    steps.laboratory_releases(person("xetnghiem2"), who.name)
    technician, reader = person("hinhanh"), person("bacsihinhanh")
    steps.imaging_reports(technician, reader, who.name, "Đám mờ đáy phổi phải.", "Viêm phổi thùy dưới phải.")
    steps.imaging_reports(technician, reader, who.name, "Đông đặc thùy dưới phải.", "Viêm phổi thùy dưới phải.")
    doctor.go(f"/examination/visits/{visit_id}")
    steps.settled(doctor.page)
    expect(doctor.page.locator("#part-right")).to_contain_text("12,4 ↑")
    code = steps.doctor_prescribes(
        doctor, [steps.Drug("paracetamol 500", "1", "3", "5"), steps.Drug("amoxicilin 500", "1", "3", "7"),
                 steps.Drug("bromhexin", "1", "3", "5")],
    )  # fmt: skip
    steps.doctor_refers(doctor, visit_id, "cho ray")
    head = person("truongkhoa")
    number = steps.authority_issues(head, who.name)

    # The paper: signed bytes, the same at every print, genuine for anybody with a telephone.
    link = head.page.locator("main a[data-print]").first.get_attribute("href")
    first = head.page.request.get(f"{head.base}{link}").body()
    assert first == head.page.request.get(f"{head.base}{link}").body(), "a reprint gives the same bytes"
    words = _text(first)
    for heading in ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "PHIẾU CHUYỂN CƠ SỞ", who.name.upper(), "Chợ Rẫy", "J18.9", number):
        assert heading in words, heading
    public = re.search(r"/v/([0-9A-Z]{16})", words.replace("-", "")) or re.search(r"((?:[0-9A-Z]{4}-){3}[0-9A-Z]{4})", words)
    assert public, words[-400:]
    phone = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = phone.new_page()
    page.goto(f"{stack.base}/v/{public.group(1).replace('-', '')}")
    expect(page.locator("main")).to_contain_text("thật, còn giá trị")
    told = page.locator("main").inner_text()
    for secret in ("J18", "Đỗ Minh Khôi", "2002"):
        assert secret not in told
    phone.close()

    cashier = person("thungan")
    payable = _dong(steps.cashier_takes(cashier, who.name))
    assert payable > 0
    steps.pharmacy_hands_out(person("duocsi"), code, who.name)
    insurance = person("bhyt")
    claim_id = steps.clerk_builds_claims(insurance, who.name)
    row = insurance.page.locator("tr[data-href]", has_text=who.name).first
    assert "lỗi" not in row.inner_text(), row.inner_text()
    file = insurance.page.request.get(f"{insurance.base}/insurance/claims/{claim_id}/file").body()
    path = stack.folder / "claim.xml"
    path.write_bytes(file)
    stack.his("insurance", "check", str(path))  # exits non-zero on an error
    assert structure.breaches(file) == []
    tables = structure.tables_in(file)
    assert list(tables) == ["XML1", "XML2", "XML3", "XML4", "XML13"]
    summary = tables["XML1"][0]
    lines = tables["XML2"] + tables["XML3"]
    assert {line["MUC_HUONG"] for line in lines} == {"80"}
    assert summary["MA_LOAI_RV"] == "2"
    assert summary["MA_NOI_DEN"] == "79900"
    for field in ("T_BHTT", "T_BNCCT", "T_BNTT"):
        assert _money(lines, field) == Decimal(summary[field]), field
    assert int((Decimal(summary["T_BNCCT"]) + Decimal(summary["T_BNTT"])).quantize(Decimal(1))) == payable
    assert tables["XML13"][0]["SO_HOSO"]
    assert tables["XML13"][0]["MA_CSKCB_DEN"] == "79900"


def test_patient_without_insurance(person: Maker) -> None:
    """No card: everything is paid by the patient, and no claim is made."""
    who = people.person("Lý Thanh Hương")
    clerk, doctor = person("tiepdon"), person("bacsi101")
    ticket = steps.desk_registers(clerk, people.id_card_text(who), phone="0900555666", reason="Đau bụng", clinic=steps.ROOM_101)
    visit_id = steps.doctor_calls(doctor, ticket)
    steps.doctor_measures(doctor, pulse="80", temperature="37", systolic="110", diastolic="70", weight_kg="52")
    doctor.page.locator("button:has-text('Không dị ứng')").first.click()
    steps.settled(doctor.page)
    steps.doctor_writes(doctor, "Đau thượng vị 1 ngày.", "Bụng mềm, ấn đau nhẹ thượng vị.", "Viêm dạ dày.", "Ăn mềm.")
    steps.doctor_diagnoses(doctor, "k29.7")
    steps.doctor_concludes(doctor, visit_id)
    cashier = person("thungan")
    paid = _dong(steps.cashier_takes(cashier, who.name))
    assert paid == 50_600
    insurance = person("bhyt")
    insurance.go("/insurance/")
    insurance.page.keyboard.press("F2")
    steps.settled(insurance.page)
    assert insurance.page.locator("tr[data-href]", has_text=who.name).count() == 0


def test_returning_patient_is_one_scan_and_one_enter(person: Maker, stack: Stack) -> None:
    """A person seen before: the scanner's text, then one Enter; two pages are asked for, the slip is printed."""
    who = people.person("Lê Đức Khang")
    clerk = person("tiepdon")
    steps.desk_registers(clerk, people.id_card_text(who), phone="0900777888", reason="Tái khám")
    clerk.page.keyboard.press("Control+z")
    clerk.page.wait_for_selector("[data-scan-field]")
    steps.settled(clerk.page)
    expect(clerk.page.locator("form.undo")).to_have_count(0)
    clerk.papers.clear()
    clerk.scan(people.id_card_text(who))
    clerk.page.wait_for_selector("#register")
    steps.settled(clerk.page)
    clerk.requests.clear()
    clerk.page.keyboard.press("Enter")
    clerk.page.wait_for_selector("form.undo")
    steps.settled(clerk.page)
    assert clerk.requests[0].startswith("POST /registration/register")
    assert len(clerk.requests) <= 3, clerk.requests  # the post, the page after it, the slip
    assert len(clerk.papers) == 1


def test_gateway_down_never_blocks(person: Maker, stack: Stack) -> None:
    """The insurer's portal is away: the patient gets the number, the card is "chưa xác minh"."""
    who = people.person("Huỳnh Gia Bách")
    stack.standin_control(down=True)
    try:
        clerk = person("tiepdon")
        steps.desk_registers(clerk, people.insurance_card_text(who), phone="0900999000", reason="Ho")
        clerk.go("/registration/")
        clerk.scan(people.insurance_card_text(who))
        clerk.page.wait_for_load_state("networkidle")
        expect(clerk.page.locator("main")).to_contain_text("hưa xác minh")
    finally:
        stack.standin_control()
