"""The steps of the main journey as people do them, by keyboard."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.journeys.conftest import Person

# Each journey has a room and a doctor of its own: key on the clinic list, room.
ROOM_214, ROOM_213, ROOM_101 = ("1", "214"), ("2", "213"), ("3", "101")


def settled(page: Page) -> None:
    """Wait until the page and its parts are there."""
    page.wait_for_load_state("networkidle")


def desk_registers(clerk: Person, text: str, *, phone: str = "", guardian: tuple[str, str] | None = None, weight: str = "",
                   reason: str = "", clinic: tuple[str, str] = ROOM_214) -> str:  # fmt: skip
    """Scan a card, fill what the card does not say, choose a clinic, Enter. Returns the queue number."""
    key, room = clinic
    page = clerk.page
    clerk.scan(text)
    page.wait_for_selector("#register")
    settled(page)
    if phone:
        page.fill("#phone", phone)
    if guardian:
        page.fill("#guardian_name", guardian[0])
        page.fill("#guardian_phone", guardian[1])
    if reason:
        page.fill("#reason", reason)
    if weight:
        page.fill("#weight_kg", weight)
    page.keyboard.press("Escape")
    expect(page.locator("[data-scan-field]")).to_be_focused()
    page.keyboard.press(key)
    expect(page.locator("[data-scan-field]")).to_have_value("")  # the digit was taken as a choice
    expect(page.locator("[data-shows=number]")).to_contain_text(f"{room}-")
    page.keyboard.press("Enter")
    undo = page.wait_for_selector("form.undo")
    settled(page)
    found = re.search(rf"{room}-\d{{3}}", undo.inner_text())
    assert found, undo.inner_text()
    expect(page.locator("[data-scan-field]")).to_be_focused()
    return found.group(0)


def doctor_calls(doctor: Person, ticket: str) -> int:
    """Call the next patient and open the visit. Returns its id."""
    page = doctor.page
    doctor.go("/examination/")
    settled(page)
    page.keyboard.press("F2")
    page.wait_for_selector(f"tr.is-selected:has-text('{ticket[-3:]}')")
    settled(page)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/examination/visits/\d+"))
    settled(page)
    return int(re.search(r"/visits/(\d+)", page.url).group(1))  # type: ignore[union-attr]


def doctor_measures(doctor: Person, **signs: str) -> None:
    """Type the vital signs into the strip."""
    page = doctor.page
    page.locator("[data-toggle=strip-form]").click()
    last = ""
    for name, value in signs.items():
        last = f"#strip-{name}"
        page.fill(last, value)
    page.locator(last).press("Enter")
    expect(page.locator("#part-strip .vitals")).to_contain_text(next(iter(signs.values())))


def doctor_writes(doctor: Person, history: str, findings: str, conclusion: str, advice: str) -> None:
    """Write the note."""
    page = doctor.page
    page.keyboard.press("Alt+1")
    page.keyboard.type(history)
    page.fill("#findings", findings)
    page.keyboard.press("Alt+5")
    page.keyboard.type(conclusion)
    page.fill("#advice", advice)
    expect(page.locator("[data-draft-status]")).to_contain_text("đã lưu nháp", timeout=15_000)


def choose(page: Page, key: str, listbox: str, typed: str) -> None:
    """Type into a search box and take the first suggestion."""
    page.keyboard.press(key)
    page.keyboard.type(typed)
    page.wait_for_selector(f"{listbox} [role=option]")
    page.keyboard.press("Enter")


def doctor_diagnoses(doctor: Person, *codes: str) -> None:
    """Add diagnoses, the first one becomes the main one."""
    for code in codes:
        choose(doctor.page, "Alt+2", "#main_icd-list", code)
        doctor.page.wait_for_selector(f"#part-dx:has-text('{code.upper()}')")


def doctor_orders(doctor: Person, *services: tuple[str, str]) -> None:
    """Order services: what is typed, and what must then stand in the list."""
    for typed, name in services:
        choose(doctor.page, "Alt+3", "#service_code-list", typed)
        doctor.page.wait_for_selector(f"#orders .order-line:has-text('{name}')")


def laboratory_enters(technician: Person, patient: str, values: dict[str, str]) -> None:
    """Open the service of a patient from the list, type the values, save."""
    page = technician.page
    technician.go("/laboratory/")
    settled(page)
    page.locator("tr[data-href]", has_text=patient).first.click()
    page.wait_for_selector("#result-form")
    settled(page)
    for code, value in values.items():
        page.fill(f"#v-{code}", value)
    page.keyboard.press("F10")
    page.wait_for_selector(".state:has-text('chờ duyệt')")


def laboratory_releases(second: Person, patient: str) -> None:
    """Another person looks and releases."""
    page = second.page
    second.go("/laboratory/?step=entered")
    settled(page)
    page.locator("tr[data-href]", has_text=patient).first.click()
    page.wait_for_selector("[data-release]")
    settled(page)
    page.keyboard.press("F10")
    page.wait_for_selector(".state:has-text('đã trả')")


def imaging_reports(technician: Person, reader: Person, patient: str, description: str, conclusion: str) -> None:
    """The technician writes, a doctor reads and releases."""
    page = technician.page
    technician.go("/imaging/")
    settled(page)
    page.locator("tr[data-href]", has_text=patient).first.click()
    page.wait_for_selector("#report-form")
    settled(page)
    page.fill("#description", description)
    page.fill("#conclusion", conclusion)
    page.keyboard.press("F10")
    page.wait_for_selector(".state:has-text('chờ đọc')")
    page = reader.page
    reader.go("/imaging/?step=draft")
    settled(page)
    page.locator("tr[data-href]", has_text=patient).first.click()
    page.wait_for_selector("#report-form")
    settled(page)
    page.keyboard.press("F10")
    page.wait_for_selector(".state:has-text('đã trả')")


@dataclass(frozen=True)
class Drug:
    """A medicine as the doctor types it."""

    typed: str
    dose: str
    times: str
    days: str
    when: str = "sau ăn"


def doctor_prescribes(doctor: Person, drugs: Sequence[Drug], shows: Sequence[str] = ()) -> str:
    """Open the prescription from the doctor's page, add lines, answer cautions, sign. Returns its code."""
    page = doctor.page
    page.keyboard.press("F4")
    page.wait_for_url(re.compile(r"/prescriptions/visits/\d+"))
    settled(page)
    for number, drug in enumerate(drugs):
        page.locator("#rx-add").fill("")
        page.locator("#rx-add").press_sequentially(drug.typed)
        page.wait_for_selector("[role=option]:visible")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"tr.rxrow[data-row='{number}']")
        settled(page)
        for field, value in (("dose", drug.dose), ("times", drug.times), ("times_text", drug.when), ("days", drug.days)):
            box = page.locator(f"[name='lines-{number}-{field}']")
            box.fill(value)
            box.press("Tab")
            settled(page)
    for text in shows:
        expect(page.locator("main")).to_contain_text(text)
    for _attempt in range(8):
        kept = page.locator("details.rxkeep:not([open]) summary")
        if not kept.count():
            break
        kept.first.click()
        page.locator("details.rxkeep[open] button").first.click()
        settled(page)
    expect(page.locator("#sign-form")).to_be_visible()
    page.keyboard.press("Control+Enter")
    doctor.prove_if_asked()
    page.wait_for_selector(".state:has-text('Đã ký')")
    code = page.locator(".actionbar b.tnum").first.inner_text().strip()
    assert re.fullmatch(r"[0-9A-Za-z]{5}[0-9a-z]{7}-[CNHYTcnhyt]", code), code
    settled(page)
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile(r"/examination/visits/\d+"))
    settled(page)
    return code


def doctor_concludes(doctor: Person, visit_id: int) -> None:
    """Sign and call the next."""
    page = doctor.page
    doctor.go(f"/examination/visits/{visit_id}")
    settled(page)
    expect(page.locator("#conclude")).not_to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Control+Enter")
    doctor.prove_if_asked()
    page.wait_for_url(lambda url: f"/visits/{visit_id}" not in url)


def cashier_takes(cashier: Person, patient: str) -> str:
    """Open the bill from the list and take the money. Returns the amount the family paid, as shown."""
    page = cashier.page
    cashier.go("/billing/")
    settled(page)
    page.locator("tr[data-href]", has_text=patient).first.click()
    page.wait_for_selector("#pay-form")
    settled(page)
    payable = page.locator("#payment .lines .total .tnum").inner_text()
    page.keyboard.press("F10")
    page.wait_for_selector("#payment .note.ok")
    return payable


def pharmacy_hands_out(pharmacist: Person, code: str, receiver: str) -> None:
    """Scan the prescription's code, hand out."""
    page = pharmacist.page
    pharmacist.go("/pharmacy/")
    settled(page)
    pharmacist.scan(code)
    page.wait_for_selector("#receiver_name")
    settled(page)
    page.fill("#receiver_name", receiver)
    page.keyboard.press("F10")
    page.wait_for_selector(".note.ok, .state:has-text('Đã cấp')")


def doctor_refers(doctor: Person, visit_id: int, destination: str) -> None:
    """Draft the referral from the record, choose where to, sign: the visit ends with it."""
    page = doctor.page
    doctor.go(f"/referrals/visits/{visit_id}")
    settled(page)
    page.keyboard.press("Enter")
    page.wait_for_selector("#ref-form")
    settled(page)
    page.locator("#destination_code").fill("")
    page.locator("#destination_code").press_sequentially(destination)
    page.wait_for_selector("#destination_code-list [role=option]")
    page.keyboard.press("Enter")
    page.fill("#transport", "Xe cứu thương")
    page.fill("#escort_name", "Lê Thị Hoa")
    page.fill("#escort_title", "Điều dưỡng")
    for name, value in (("procedures", "Không"), ("plan", "Điều trị nội trú chuyên khoa."), ("condition", "Tỉnh, mạch 96 lần/phút.")):
        page.fill(f"#{name}", value)
    page.locator("#result_code").select_option(index=3)
    page.keyboard.press("Control+Enter")
    doctor.prove_if_asked()
    page.wait_for_selector(".state:has-text('đang chờ')")


def authority_issues(head: Person, patient: str) -> str:
    """The authorised signer issues the paper. Returns its number."""
    page = head.page
    head.go("/referrals/")
    settled(page)
    page.locator("tr[data-href]", has_text=patient).first.click()
    page.wait_for_selector("[data-sheet]")
    settled(page)
    page.keyboard.press("Control+Enter")
    head.prove_if_asked()
    page.wait_for_selector(".stages li.done:has-text('Bệnh viện ký, cấp số')")
    found = re.search(r"\d+/\d{4}/[A-ZĐ-]+", page.locator(".topbar .place").inner_text())
    assert found, page.locator(".topbar .place").inner_text()
    return found.group(0)


def clerk_builds_claims(insurance: Person, patient: str) -> int:
    """Build and check the month, open the patient's claim. Returns its id."""
    page = insurance.page
    insurance.go("/insurance/")
    settled(page)
    page.keyboard.press("F2")
    row = page.locator("tr[data-href]", has_text=patient)
    row.first.wait_for()
    settled(page)
    return int(str(row.first.get_attribute("data-href")).rsplit("/", 1)[1])
