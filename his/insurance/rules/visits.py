"""Which tables a visit sends, and how many days it counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

INPATIENT_TYPES: Final = frozenset({"03", "04", "09"})
"""Types that count as in-patient care: admission data are demanded, sick-leave papers are not issued."""
LONG_DISEASE_TYPES: Final = frozenset({"02", "05", "07", "08"})
PROGRESS_TYPES: Final = frozenset({"02", "03", "04", "05", "06", "08", "09"})
SUMMARY_TYPES: Final = frozenset({"03", "04", "06"})
REFERRAL_ENDS: Final = frozenset({"2", "5"})
ABSCONDED: Final = "3"

_ZERO_DAYS: Final = frozenset({"01", "07", "09"})
_CALENDAR_DAYS: Final = frozenset({"02", "03", "04", "06"})


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """What decides which tables go: codes of the visit, and which data or papers exist.

    ``visit_type`` is MA_LOAI_KCB, ``discharge_type`` MA_LOAI_RV.
    """

    visit_type: str
    insured: bool = True
    discharge_type: str = "1"
    has_drugs: bool = False
    has_services: bool = False
    has_results: bool = False
    has_progress_notes: bool = False
    has_hiv_care: bool = False
    has_discharge_paper: bool = False
    has_record_summary: bool = False
    has_births: bool = False
    has_pregnancy_leave: bool = False
    has_sick_leave: bool = False
    has_appointment: bool = False
    has_tb_care: bool = False


def tables_for_visit(facts: VisitFacts) -> tuple[str, ...]:
    """Codes of the tables of the claim, ascending. Source: annex of QĐ 4750/QĐ-BYT, "when sent" of each table."""
    kind = facts.visit_type
    referred = facts.insured and facts.discharge_type in REFERRAL_ENDS
    wanted = {
        "XML1": True,
        "XML2": facts.has_drugs,
        "XML3": facts.has_services,
        "XML4": facts.has_results,
        "XML5": facts.has_progress_notes,
        "XML6": facts.has_hiv_care,
        "XML7": facts.has_discharge_paper,
        "XML8": facts.has_record_summary,
        "XML9": facts.has_births,
        "XML10": facts.has_pregnancy_leave,
        "XML11": facts.has_sick_leave,
        "XML13": referred,
        "XML14": facts.has_appointment,
        "XML15": facts.has_tb_care,
    }
    return tuple(
        table
        for table, present in wanted.items()
        if present and sends_table(table, kind, discharge_type=facts.discharge_type)
    )


def sends_table(table: str, visit_type: str, *, discharge_type: str = "1") -> bool:
    """Whether a visit of this type may send the table at all."""
    match table:
        case "XML3":
            return visit_type != "07"
        case "XML4":
            return visit_type not in ("05", "07")
        case "XML5":
            return visit_type in PROGRESS_TYPES
        case "XML7":
            return visit_type in INPATIENT_TYPES and discharge_type != ABSCONDED
        case "XML8":
            return visit_type in SUMMARY_TYPES
        case "XML11":
            return visit_type not in INPATIENT_TYPES
        case "XML13":
            return discharge_type in REFERRAL_ENDS
        case _:
            return True


def treatment_days(
    visit_type: str,
    arrived_on: date,
    ended_on: date,
    *,
    medicine_days: int = 0,
    service_days: int = 0,
    other_days: int = 0,
) -> int:
    """SO_NGAY_DTRI by visit type.

    Source: annex of QĐ 4750/QĐ-BYT: 0 for 01, 07, 09; calendar days, both ends counted, for 02, 03, 04, 06;
    days of medicine for 05; days with a service for 08; no rule for 10-16 (``other_days``, a setting).
    """
    if visit_type in _ZERO_DAYS:
        return 0
    if visit_type in _CALENDAR_DAYS:
        return (ended_on - arrived_on).days + 1
    if visit_type == "05":
        return medicine_days
    if visit_type == "08":
        return service_days
    return other_days
