"""The past of the demo hospital: earlier visits of its patients, last month whole and this month up to yesterday.

Some visits have claims that do not pass the checks, so that the insurance clerk finds work.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from his.catalogues import queries as catalogues
from his.core import clock
from his.demo import staff
from his.demo.cases import ADULT_CASES, BY_CODE, CHILD_CASES
from his.demo.journey import House, Plan, Stage, enter_patient, live, months_between, step
from his.demo.people import DemoPerson, known_to_insurer, person
from his.records import service as records
from his.records.enums import GuardianKind, Sex

SEED = 79999
VISITS_A_DAY = 4
ROOMS = ("214", "213", "101", "102", "103", "301", "216", "305")
ROOM_OF_CASE = {"asthma": "214", "bronchitis": "213", "otitis": "301", "gut": "216", "hives": "305", "pressure": "218"}
REST_DAYS = 6
OWN = "79999"
TRIAL_ONLY = ("Võ Đức Hưng", "Vũ Minh Phúc", "Lý Thanh Hương")


@dataclass(frozen=True, slots=True)
class Earlier:
    """A visit of a named patient so many days ago."""

    name: str
    days_ago: int
    case: str
    room: str


# The histories the drawn screens show, nearest working day.
EARLIER = (
    Earlier("Nguyễn Ngọc Bảo An", 294, "asthma", "213"),
    Earlier("Nguyễn Ngọc Bảo An", 197, "bronchitis", "214"),
    Earlier("Lâm Hải Yến", 120, "asthma", "214"),
    Earlier("Nguyễn Ngọc Bảo An", 83, "bronchitis", "214"),
    Earlier("Nguyễn Gia Khôi", 75, "cold", "101"),
    Earlier("Trần Gia Hưng", 54, "cold", "213"),
    Earlier("Nguyễn Thành Đạt", 40, "adult_bronchitis", "214"),
    Earlier("Nguyễn Gia Khôi", 33, "gut", "216"),
)


def weekday_on_or_before(day: date) -> date:
    """Return the last working day not after a day."""
    holidays = catalogues.holidays(day - timedelta(days=14), day)
    while day.weekday() > 4 or day in holidays:
        day -= timedelta(days=1)
    return day


def plans(today: date) -> list[Plan]:
    """Return all visits of the past in the order of their time."""
    chance = random.Random(SEED)  # noqa: S311 - invented patients, the same each time
    made = [
        Plan(person(e.name), _morning(weekday_on_or_before(today - timedelta(days=e.days_ago)), 20), e.room, BY_CODE[e.case])
        for e in EARLIER
    ]
    first = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    holidays = catalogues.holidays(first, today)
    last_seen: dict[str, date] = {e.name: today - timedelta(days=e.days_ago) for e in EARLIER}
    people = [p for p in known_to_insurer() if p.name not in TRIAL_ONLY and p.card]
    faults = {month: iter(FAULTS) for month in (first.month, today.month)}
    day = first
    while day < today:
        if day.weekday() < 5 and day not in holidays:
            rested = [
                p for p in people
                if p.birth_on < day - timedelta(days=60) and abs((day - last_seen.get(p.name, date.min)).days) > REST_DAYS
            ]
            for place, who in enumerate(chance.sample(rested, min(VISITS_A_DAY, len(rested)))):
                last_seen[who.name] = day
                plan = _ordinary(who, day, place, chance)
                fault = next(faults[day.month], None) if place == 1 and day.day % 3 else None
                made.append(fault(plan) if fault else plan)
        day += timedelta(days=1)
    return sorted(made, key=lambda plan: plan.arrives_at)


def _morning(day: date, minutes: int) -> datetime:
    return clock.from_local(day, time(7, 0)) + timedelta(minutes=minutes)


def _ordinary(who: DemoPerson, day: date, place: int, chance: random.Random) -> Plan:
    months = months_between(who.birth_on, day)
    fitting = [c for c in CHILD_CASES if c.code != "thalassaemia"] if months < 192 else list(ADULT_CASES)
    case = chance.choice(fitting)
    return Plan(
        who, _morning(day, 15 + place * 38 + chance.randrange(20)), ROOM_OF_CASE.get(case.code, chance.choice(ROOMS)), case,
        route="" if who.registered == OWN or chance.random() < 0.3 else "CHUYEN",
        paper_number=f"{chance.randrange(1, 999):06d}/{day.year}/PCCSKBCB",
    )  # fmt: skip


# --- claims that will not pass ------------------------------------------------------------------------------------


def _odd_paper_source(plan: Plan) -> Plan:
    """Referred in from a facility that is not in the list (a warning; the desk looks again)."""
    return replace(
        plan, route="CHUYEN", paper_number=plan.paper_number or "000321/2026/PCCSKBCB", paper_from="40123"
    )


def _no_licence(plan: Plan) -> Plan:
    """A doctor whose practice licence is not in the staff profile (administrator mends it)."""
    return replace(plan, room="103", doctor=staff.WITHOUT_LICENCE)


def _vague_code(plan: Plan) -> Plan:
    """A main disease the insurer often asks about (a note of the checks)."""
    return replace(plan, case=replace(plan.case or BY_CODE["cold"], main="R53"))


def _no_address(plan: Plan) -> Plan:
    """A card the portal does not know, and a record without address (desk mends both)."""
    who = plan.person
    stranger = replace(
        who, name=f"{who.name.rsplit(' ', 1)[0]} Thiện Nhân", personal_number=f"{who.personal_number[:6]}8{who.personal_number[7:]}",
        address="", card=f"{who.card[:6]}88{who.card[8:]}", registered=OWN,
    )  # fmt: skip
    return replace(plan, person=stranger, route="", paper_number="")


FAULTS: tuple[Callable[[Plan], Plan], ...] = (
    _no_licence, _odd_paper_source, _vague_code, _no_address, _no_licence, _vague_code, _odd_paper_source, _no_address,
)  # fmt: skip


# --- patients who were entered twice ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Twin:
    """A second record of somebody, without any number: same name, birth and telephone, older address."""

    name: str
    address: str
    days_ago: int


TWINS = (
    Twin("Trần Gia Hưng", "12/3 Đường Hoa Giấy, Phường Tân Định, Thành phố Hồ Chí Minh", 300),
    Twin("Châu Mỹ Tâm", "88 Đường Hoa Cúc, Phường Bàn Cờ, Thành phố Hồ Chí Minh", 260),
    Twin("Đặng Thị Mai", "5 Đường Hoa Lài, Phường Bến Thành, Thành phố Hồ Chí Minh", 210),
)


def _twins(today: date, house: House) -> None:
    for twin in TWINS:
        who = person(twin.name)
        day = max(weekday_on_or_before(today - timedelta(days=twin.days_ago)), who.birth_on + timedelta(days=30))
        with step(_morning(day, 90)):
            commune = catalogues.commune_in_text(twin.address)
            patient = records.create_patient(
                records.PatientData(
                    full_name=who.name, birth_on=who.birth_on, sex=Sex(who.sex), phone=who.phone,
                    address_line=twin.address.split(",", maxsplit=1)[0], address_text=twin.address,
                    commune_code=commune.code if commune else "", province_code=commune.province_code if commune else "",
                ),
                actor=house.act("tiepdon2"),
            )  # fmt: skip
            if who.guardian:
                records.save_guardian(
                    patient.patient_id, kind=GuardianKind.MOTHER, full_name=who.guardian, phone=who.phone,
                    actor=house.act("tiepdon2"),
                )  # fmt: skip


def load(house: House) -> int:
    """Let the past happen; returns the number of visits."""
    today = clock.today()
    _twins(today, house)
    count = 0
    for plan in plans(today):
        if plan.person.name == "Nguyễn Ngọc Bảo An" and count == 0:
            _allergy(plan, house)
        plan.stage = Stage.DISPENSED
        count += live(plan, house) is not None
    return count


def _allergy(plan: Plan, house: House) -> None:
    """The allergy the drawn screens warn of: hives after amoxicillin in February 2025."""
    with step(plan.moment(-5)):
        patient = enter_patient(plan.person, actor=house.act("tiepdon"))
        records.add_allergy(
            patient.patient_id, substance="amoxicillin", reaction="mày đay", severity="moderate",
            noted_on=date(2025, 2, 17), actor=house.act("dieuduong"),
        )  # fmt: skip
