"""From the rows of a settled visit to the rows of the official tables.

Every row goes through `make_row` of the table's specification on the day the visit ended: order, notation and the
fields themselves come from the data, here is only which value stands in which field.
Source: annex of QĐ 4750/QĐ-BYT with QĐ 3176/QĐ-BYT and QĐ 1931/QĐ-BYT.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from his.billing.enums import ItemKind
from his.billing.models import Charge, SettlementLine
from his.core import clock
from his.core.i18n import money_text
from his.insurance.enums import FundTotal
from his.insurance.errors import ClaimSumsDiffer, NotClaimable
from his.insurance.queries import ClaimSource
from his.insurance.rules import ClaimDocument, ClaimSettings, VisitFacts, tables_for_visit, treatment_days
from his.insurance.rules.visits import REFERRAL_ENDS
from his.insurance.tables import TableSpec, make_row, table_specs
from his.records.enums import BirthPrecision, Sex
from his.records.models import Patient

_DRUG_GROUPS: Final = frozenset({"4", "5", "6", "7", "17"})
_SUPPLY_GROUPS: Final = frozenset({"10", "11"})
_TESTED_GROUPS: Final = frozenset({"1", "2", "3"})
_SEX: Final = {Sex.MALE: 1, Sex.FEMALE: 2, Sex.UNKNOWN: 3}
_OUTSIDE_LIST: Final = "00.0000"  # a medicine that is not on the insured list (QĐ 4750, XML2 field 3)
_FEE_FOR_SERVICE: Final = 1
_FUND, _OTHER_SOURCE = 1, 4
_FROM_ELSEWHERE: Final = ("1.3", "1.5", "7.3")
_FOLLOW_UP: Final = "1.5"
_MOST_CODES: Final = 100  # characters of XML1.MA_BENH_KT and XML3.MA_BENH; whole codes only
_MOST_OTHERS: Final = 12
_NOTHING: Final = ("", "Không", "–")
_ZERO: Final = Decimal(0)

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of the lines (đồng, two decimals)."""

    drugs: Decimal
    supplies: Decimal
    total: Decimal
    insured: Decimal
    own: Decimal
    copay: Decimal
    fund: Decimal
    other: Decimal


def build_document(source: ClaimSource, settings: ClaimSettings, made_on: date) -> ClaimDocument:
    """The claim of a settled visit as a document.

    Raises `NotClaimable` (not insured, not ended), `ClaimSumsDiffer`, `BadValue` of a field without notation.
    """
    visit, settlement = source.visit, source.settlement
    if settlement.subject_code == "9":
        raise NotClaimable("Lượt khám này không theo bảo hiểm y tế, không có hồ sơ giám định.")
    if visit.ended_at is None:
        raise NotClaimable("Lượt khám chưa kết thúc.")
    specs = table_specs(clock.local(visit.ended_at).date())
    totals = sum_lines(source)
    head = _summary(source, totals, settings)
    drug_lines = [line for line in settlement.lines if _is_drug(line.charge)]
    other_lines = [line for line in settlement.lines if not _is_drug(line.charge)]
    results = [*_results(source)]
    wanted = tables_for_visit(
        VisitFacts(
            visit_type=visit.visit_type_code,
            discharge_type=visit.discharge_code,
            has_drugs=bool(drug_lines),
            has_services=bool(other_lines),
            has_results=bool(results),
            has_progress_notes=source.note is not None,
            has_appointment=source.note is not None and source.note.follow_up_on is not None,
        )
    )
    makers: dict[str, Iterable[Values]] = {
        "XML1": [head],
        "XML2": (_drug(source, line) for line in drug_lines),
        "XML3": (_service(source, line) for line in other_lines),
        "XML4": results,
        "XML5": _progress(source),
        "XML13": _referral(source, head),
        "XML14": _appointment(source, head),
    }
    tables = {code: rows for code in wanted if (rows := _rows(specs[code], makers.get(code, ()), visit.code))}
    return ClaimDocument(facility_code=visit.facility_code, made_on=made_on, tables=tables)


def _rows(spec: TableSpec, values: Iterable[Values], key: str) -> list[dict[str, str]]:
    counted = "STT" in spec.by_name
    return [
        make_row(spec, {"MA_LK": key, **({"STT": number} if counted else {}), **row})
        for number, row in enumerate(values, start=1)
    ]


def sum_lines(source: ClaimSource) -> Totals:
    """Add the lines up and hold them against the settled bill, to the đồng. Raises `ClaimSumsDiffer`."""
    lines, settlement = source.settlement.lines, source.settlement

    def total(name: str, of: Iterable[SettlementLine] = lines) -> Decimal:
        return sum((getattr(line, name) for line in of), _ZERO)

    found = Totals(
        drugs=total("total_amount", [line for line in lines if _is_drug(line.charge)]),
        supplies=total("total_amount", [line for line in lines if line.charge.cost_group in _SUPPLY_GROUPS]),
        total=total("total_amount"),
        insured=total("insured_amount"),
        own=total("outside_amount"),
        copay=total("copay_amount"),
        fund=total("fund_amount"),
        other=total("other_amount"),
    )
    billed = {
        "T_TONGCHI_BV": (found.total, settlement.total_amount),
        "T_TONGCHI_BH": (found.insured, settlement.insured_amount),
        "T_BNTT": (found.own, settlement.outside_amount),
        "T_BNCCT": (found.copay, settlement.copay_amount),
        "T_BHTT": (found.fund, settlement.fund_amount),
        "T_NGUONKHAC": (found.other, settlement.other_amount),
    }
    for name, (lines_say, bill_says) in billed.items():
        if lines_say != bill_says:
            raise ClaimSumsDiffer(
                f"Lượt khám {source.visit.code}: {name} cộng từ các dòng là {money_text(lines_say)}, phiếu thu "
                f"{settlement.number} ghi {money_text(bill_says)}. Báo thu ngân và bộ phận công nghệ thông tin."
            )
    return found


def settlement_month(source: ClaimSource) -> date:
    """First day of the claim month: the later of the end of the visit and the settlement (NAM_QT, THANG_QT)."""
    moments = [moment for moment in (source.visit.ended_at, source.settlement.at) if moment is not None]
    return clock.local(max(moments)).date().replace(day=1)


# --- XML1 ---------------------------------------------------------------------------------------------------------


def _summary(source: ClaimSource, totals: Totals, settings: ClaimSettings) -> Values:
    visit, note = source.visit, source.note
    patient, coverage, settlement = visit.patient, visit.coverage, source.settlement
    ended_at = visit.ended_at or settlement.at
    month = settlement_month(source)
    came_from = _came_from(source, settings)
    fund = totals.insured - totals.copay if settings.xml1_t_bhtt is FundTotal.FORMULA else totals.fund
    follow_up = note.follow_up_on if note is not None else None
    return {
        "MA_BN": patient.code,
        "HO_TEN": patient.full_name,
        "SO_CCCD": source.personal_number,
        "NGAY_SINH": birth(patient),
        "GIOI_TINH": _SEX[patient.sex],
        "NHOM_MAU": patient.blood_group,
        "MA_QUOCTICH": source.nationality_code,
        "MA_DANTOC": patient.ethnicity_code,
        "MA_NGHE_NGHIEP": patient.occupation_code,
        "DIA_CHI": _one_line(patient.address_text or patient.address_line),
        "MATINH_CU_TRU": patient.province_code,
        "MAXA_CU_TRU": patient.commune_code,
        "DIEN_THOAI": phone(patient.phone or source.guardian_phone),
        "MA_THE_BHYT": coverage.card_number if coverage else "",
        "MA_DKBD": coverage.registered_facility_code if coverage else "",
        "GT_THE_TU": coverage.valid_from if coverage else None,
        "GT_THE_DEN": coverage.valid_to if coverage else None,
        "LY_DO_VV": _one_line(visit.reason),
        "CHAN_DOAN_VAO": _provisional(source),
        "CHAN_DOAN_RV": _diagnosis_text(source),
        "MA_BENH_CHINH": _main_code(source),
        "MA_BENH_KT": _codes(_other_codes(source)),
        "MA_DOITUONG_KCB": settlement.subject_code,
        "MA_NOI_DI": came_from,
        "MA_NOI_DEN": visit.destination_facility_code if visit.discharge_code in REFERRAL_ENDS else "",
        "NGAY_VAO": visit.arrived_at,
        "NGAY_RA": ended_at,
        "GIAY_CHUYEN_TUYEN": visit.incoming_paper_number if came_from else "",
        "SO_NGAY_DTRI": _days(source, ended_at, settings),
        "PP_DIEU_TRI": _one_line(note.conclusion) if note else "",
        "KET_QUA_DTRI": visit.result_code,
        "MA_LOAI_RV": visit.discharge_code,
        "GHI_CHU": _one_line(note.advice) if note else "",
        "NGAY_TTOAN": settlement.at,
        "T_THUOC": totals.drugs,
        "T_VTYT": totals.supplies,
        "T_TONGCHI_BV": totals.total,
        "T_TONGCHI_BH": totals.insured,
        "T_BNTT": totals.own,
        "T_BNCCT": totals.copay,
        "T_BHTT": fund,
        "T_NGUONKHAC": totals.other,
        "T_BHTT_GDV": totals.fund,  # every line is paid by the service (MA_PTTT 1)
        "NAM_QT": month.year,
        "THANG_QT": month.month,
        "MA_LOAI_KCB": visit.visit_type_code,
        "MA_KHOA": _departments(source),
        "MA_CSKCB": visit.facility_code,
        "MA_KHUVUC": coverage.living_area if coverage else "",
        "CAN_NANG": _weight(source),
        "NAM_NAM_LIEN_TUC": coverage.five_years_on if coverage else None,
        "NGAY_TAI_KHAM": follow_up,
        "MA_HSBA": visit.code,
        "MA_TTDV": source.people.head_licence,
    }


def birth(patient: Patient) -> str:
    """NGAY_SINH, yyyymmddHHMM with zeros for what is not known."""
    day = patient.birth_on
    match patient.birth_precision:
        case BirthPrecision.YEAR:
            return f"{day:%Y}00000000"
        case BirthPrecision.MONTH:
            # A month without a day has no notation of its own: yyyy and zeros.
            return f"{day:%Y}00000000"
        case _:
            return f"{day:%Y%m%d}{patient.birth_time or '0000'}"


def phone(text: str) -> str:
    """Digits of a telephone number, at most 15."""
    return "".join(c for c in text if c.isascii() and c.isdigit())[:15]


def _one_line(text: str) -> str:
    """Free text on one line, as the portal wants it (no line ends, no blanks at the ends)."""
    return " ".join(text.split())


def _came_from(source: ClaimSource, settings: ClaimSettings) -> str:
    """MA_NOI_DI: only for those sent by a paper; self-referred and emergencies leave it empty (QĐ 3276)."""
    if source.settlement.subject_code not in _FROM_ELSEWHERE:
        return ""
    own = source.visit.facility_code if source.settlement.subject_code == _FOLLOW_UP and settings.noi_di_for_1_5 else ""
    return source.visit.incoming_facility_code or own


def _provisional(source: ClaimSource) -> str:
    """CHAN_DOAN_VAO: what the first order was placed for, else the main disease in words."""
    first = next((line.order.indication for line in source.order_lines if line.order.indication), "")
    return _one_line(first or (source.diagnoses[0].name if source.diagnoses else ""))


def _diagnosis_text(source: ClaimSource) -> str:
    return _one_line("; ".join(diagnosis.name for diagnosis in source.diagnoses))


def _main_code(source: ClaimSource) -> str:
    return next((d.icd_code for d in source.diagnoses if d.kind.value == "main"), "")


def _other_codes(source: ClaimSource) -> list[str]:
    return [d.icd_code for d in source.diagnoses if d.kind.value != "main"][:_MOST_OTHERS]


def _codes(codes: Sequence[str]) -> str:
    """Codes joined by ";": whole codes up to 100 characters, never cut inside one."""
    text = ""
    for code in codes:
        longer = f"{text};{code}" if text else code
        if len(longer) > _MOST_CODES:
            break
        text = longer
    return text


def _days(source: ClaimSource, ended_at: datetime, settings: ClaimSettings) -> int:
    visit = source.visit
    lines = source.settlement.lines
    return treatment_days(
        visit.visit_type_code,
        clock.local(visit.arrived_at).date(),
        clock.local(ended_at).date(),
        medicine_days=max((int(line.charge.details.get("days") or 0) for line in lines), default=0),
        service_days=len({clock.local(line.charge.ordered_at).date() for line in lines if not _is_drug(line.charge)}),
        other_days=settings.other_type_treatment_days,
    )


def _departments(source: ClaimSource) -> str:
    codes = [source.visit.department_code, *(line.charge.department_code for line in source.settlement.lines)]
    return ";".join(dict.fromkeys(code for code in codes if code))


def _weight(source: ClaimSource) -> Decimal | None:
    return source.visit.weight_kg or (source.vitals.weight_kg if source.vitals else None)


# --- XML2, XML3 ---------------------------------------------------------------------------------------------------


def _is_drug(charge: Charge) -> bool:
    return charge.kind is ItemKind.DRUG or charge.cost_group in _DRUG_GROUPS


def _money(line: SettlementLine) -> Values:
    """The split as the cashier took it: these very figures."""
    return {
        "PHAM_VI": line.scope_code,
        "SO_LUONG": line.charge.quantity,
        "TYLE_TT_BH": line.insurance_rate,
        "THANH_TIEN_BV": line.total_amount,
        "THANH_TIEN_BH": line.insured_amount,
        "T_NGUONKHAC_NSNN": 0,
        "T_NGUONKHAC_VTNN": 0,
        "T_NGUONKHAC_VTTN": 0,
        # The bill does not tell the sources apart: all of it is "the rest".
        "T_NGUONKHAC_CL": line.other_amount,
        "T_NGUONKHAC": line.other_amount,
        "MUC_HUONG": line.benefit_rate or "0",
        "T_BNTT": line.outside_amount,
        "T_BNCCT": line.copay_amount,
        "T_BHTT": line.fund_amount,
        "MA_PTTT": _FEE_FOR_SERVICE,
    }


def _drug(source: ClaimSource, line: SettlementLine) -> Values:
    charge = line.charge
    details: Mapping[str, Any] = charge.details
    listed = charge.insurance_price > 0
    handed = source.handed_out.get(charge.source_id) if charge.source_kind == "prescription_line" else None
    return {
        **_money(line),
        "MA_THUOC": (details.get("ingredient_code") if listed else "") or _OUTSIDE_LIST,
        "MA_NHOM": charge.cost_group,
        "TEN_THUOC": details.get("name") or charge.item_name,
        "DON_VI_TINH": charge.unit,
        "HAM_LUONG": details.get("strength", ""),
        "DUONG_DUNG": details.get("route_code", ""),
        "DANG_BAO_CHE": details.get("form", ""),
        "LIEU_DUNG": _one_line(details.get("dose_text", "")),
        "CACH_DUNG": _one_line(details.get("advice_text", "")),
        "SO_DANG_KY": str(details.get("registration_no", "")).replace(" ", ""),
        "TT_THAU": details.get("tender", ""),
        "DON_GIA": line.hospital_price,
        "MA_KHOA": charge.department_code,
        "MA_BAC_SI": charge.ordered_by_licence or source.visit.doctor_licence,
        "NGAY_YL": charge.ordered_at,
        "NGAY_TH_YL": handed.at if handed else None,
        "NGUON_CTRA": _FUND if line.insured_amount else _OTHER_SOURCE,
    }


def _service(source: ClaimSource, line: SettlementLine) -> Values:
    charge = line.charge
    details: Mapping[str, Any] = charge.details
    is_supply = charge.kind is ItemKind.SUPPLY or charge.cost_group in _SUPPLY_GROUPS
    row = {
        **_money(line),
        "MA_NHOM": charge.cost_group,
        "DON_VI_TINH": charge.unit,
        "DON_GIA_BV": line.hospital_price,
        "DON_GIA_BH": line.insurance_price,
        "TYLE_TT_DV": charge.service_rate,
        "MA_KHOA": charge.department_code,
        "MA_BAC_SI": charge.ordered_by_licence or source.visit.doctor_licence,
        "MA_BENH": _codes([code for code in (_main_code(source), *_other_codes(source)) if code]),
        "NGAY_YL": charge.ordered_at,
    }
    if is_supply:
        return {
            **row,
            "MA_VAT_TU": charge.item_code,
            "TEN_VAT_TU": charge.item_name,
            "MA_DICH_VU": details.get("service_code", ""),
            "TEN_DICH_VU": details.get("service_name", ""),
            "TT_THAU": details.get("tender", ""),
        }
    row |= {"MA_DICH_VU": charge.item_code, "TEN_DICH_VU": charge.item_name}
    if charge.kind is ItemKind.EXAM:
        return row | {"NGUOI_THUC_HIEN": source.visit.doctor_licence, "NGAY_TH_YL": source.visit.seen_at}
    done = next((o for o in source.order_lines if o.line_id == charge.source_id), None)
    if charge.source_kind != "order_line" or done is None:
        return row
    machine = done.machine_code or details.get("machine_code", "")
    return row | {
        "NGUOI_THUC_HIEN": done.performer_licence,
        "NGAY_TH_YL": done.started_at,
        "NGAY_KQ": done.resulted_at,
        "MA_MAY": machine if charge.cost_group in _TESTED_GROUPS else "",
    }


# --- XML4, XML5 ---------------------------------------------------------------------------------------------------


def _results(source: ClaimSource) -> Iterable[Values]:
    """One row per measured value; words of the reader stand in a row of their own (a value needs no conclusion)."""
    results = {result.order_line_id: result for result in source.lab_results}
    reports = {report.order_line_id: report for report in source.reports}
    for line in source.order_lines:
        result, report = results.get(line.line_id), reports.get(line.line_id)
        if result is not None:
            about = {
                "MA_DICH_VU": line.service_code,
                "NGAY_KQ": result.released_at,
                "MA_BS_DOC_KQ": result.released_by_licence,
            }
            for value in result.values:
                yield about | {
                    "MA_CHI_SO": value.index_code,
                    "TEN_CHI_SO": value.index_name,
                    "GIA_TRI": value.value,
                    "DON_VI_DO": value.unit,
                }
            if result.conclusion:
                yield about | {"KET_LUAN": _one_line(result.conclusion)}
        if report is not None:
            yield {
                "MA_DICH_VU": line.service_code,
                "MO_TA": _one_line(report.description),
                "KET_LUAN": _one_line(report.conclusion),
                "NGAY_KQ": report.released_at,
                "MA_BS_DOC_KQ": report.released_by_licence,
            }


def _progress(source: ClaimSource) -> Iterable[Values]:
    """XML5: the note of the visit, with the vital signs in the notation of the annex."""
    note = source.note
    if note is None:
        return
    text = _one_line(". ".join(part for part in (note.history, note.findings, note.conclusion) if part.strip()))
    yield {
        "DIEN_BIEN_LS": f"{text} {_vital_text(source)}".strip(),
        "THOI_DIEM_DBLS": note.closed_at or note.saved_at,
        "NGUOI_THUC_HIEN": source.visit.doctor_licence,
    }


def _vital_text(source: ClaimSource) -> str:
    signs = source.vitals
    if signs is None:
        return ""
    parts = [
        f"M{signs.pulse}" if signs.pulse else "",
        f"T{signs.temperature.normalize():f}" if signs.temperature else "",
        f"HA{signs.systolic}/{signs.diastolic}" if signs.systolic else "",
        f"NT{signs.respiration}" if signs.respiration else "",
    ]
    kept = "_".join(part for part in parts if part)
    return f"CSST<{kept}>" if kept else ""


# --- XML13, XML14 -------------------------------------------------------------------------------------------------


def _copied(head: Values, *names: str) -> Values:
    return {name: head[name] for name in names}


def _referral(source: ClaimSource, head: Values) -> Iterable[Values]:
    """XML13 from the content the facility confirmed, never from what the record says now."""
    if source.referral is None:
        return
    content = source.referral.content
    paper: Mapping[str, Any] = content.get("paper", {})
    escort, _, escort_title = str(paper.get("escort", "")).partition(", ")
    treated = "; ".join(
        text for text in (_one_line(paper.get(name, "")) for name in ("treatment_done", "procedures")) if text not in _NOTHING
    )
    visit = source.visit
    before = visit.incoming_facility_code
    yield {
        **_copied(
            head, "HO_TEN", "NGAY_SINH", "GIOI_TINH", "MA_QUOCTICH", "MA_DANTOC", "MA_NGHE_NGHIEP", "DIA_CHI", "MA_THE_BHYT",
            "GT_THE_DEN", "NGAY_VAO", "NGAY_RA", "CHAN_DOAN_RV", "MA_BENH_CHINH", "MA_BENH_KT", "MA_LOAI_RV", "MA_CSKCB",
        ),
        "SO_HOSO": paper.get("file_number") or visit.code,
        "SO_CHUYENTUYEN": paper.get("register_number", ""),
        "GIAY_CHUYEN_TUYEN": paper.get("number", ""),
        "MA_CSKCB_DI": ";".join(dict.fromkeys(code for code in (before, visit.facility_code) if code)),
        "MA_CSKCB_DEN": content.get("destination_code", ""),
        "DAU_HIEU_LS": _one_line(paper.get("clinical_signs", "")),
        "QT_BENHLY": _one_line(paper.get("course", "")),
        "TOMTAT_KQ": _one_line(paper.get("results_summary", "")),
        "PP_DIEUTRI": treated,
        "TINH_TRANG_CT": _one_line(paper.get("condition", "")),
        "MA_LYDO_CT": paper.get("reason", ""),
        "HUONG_DIEU_TRI": _one_line(paper.get("plan", "")),
        "PHUONGTIEN_VC": _one_line(paper.get("transport", "")),
        "HOTEN_NGUOI_HT": "" if escort in _NOTHING else escort,
        "CHUCDANH_NGUOI_HT": escort_title,
        "MA_BAC_SI": content.get("doctor_licence", ""),
        "MA_TTDV": source.referral.authority_licence,
    }  # fmt: skip


def _appointment(source: ClaimSource, head: Values) -> Iterable[Values]:
    note = source.note
    if note is None or note.follow_up_on is None:
        return
    yield {
        **_copied(
            head, "HO_TEN", "NGAY_SINH", "GIOI_TINH", "DIA_CHI", "MA_THE_BHYT", "GT_THE_DEN", "NGAY_VAO", "NGAY_RA",
            "CHAN_DOAN_RV", "MA_BENH_CHINH", "MA_BENH_KT", "MA_DOITUONG_KCB", "MA_CSKCB",
        ),
        "SO_GIAYHEN_KL": note.follow_up_number or f"{source.visit.code}-HK",
        "NGAY_HEN_KL": note.follow_up_on,
        "MA_BAC_SI": source.visit.doctor_licence,
        "MA_TTDV": source.people.head_licence,
        "NGAY_CT": source.visit.ended_at,
    }  # fmt: skip


