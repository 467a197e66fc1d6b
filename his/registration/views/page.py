"""The desk as one page: everything a template needs, as plain values, whatever led to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from flask import Blueprint, g, render_template

from his.billing import queries as billing
from his.catalogues import queries as catalogues
from his.core import clock
from his.core.config import current
from his.core.i18n import age_parts, date_text, money_text
from his.core.i18n import gettext as _
from his.core.i18n import lazy_gettext as _l
from his.records import queries as records
from his.records.enums import VisitState
from his.records.models import Patient
from his.registration import queries, service
from his.registration.enums import CheckState
from his.registration.forms import GUARDIAN_KINDS, ROUTES, RegisterForm
from his.registration.models import CardCheck
from his.registration.views import state

bp = Blueprint("registration", __name__, url_prefix="/registration", template_folder="../templates")
# What the clerk reads for rules.CLAIM_FIELDS.
CLAIM_FIELD_NAMES = {
    "full_name": _l("họ tên"), "birth_on": _l("ngày sinh"), "sex": _l("giới tính"), "personal_number": _l("số định danh"),
    "phone": _l("điện thoại"), "commune": _l("xã phường"), "province": _l("tỉnh thành"), "ethnicity": _l("dân tộc"),
    "nationality": _l("quốc tịch"), "occupation": _l("nghề nghiệp"), "card_number": _l("số thẻ"),
    "card_facility": _l("nơi đăng ký"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckView:
    """The insurer's answer as the card panel shows it."""

    state: str = "none"
    words: str = ""
    code: str = ""
    at: datetime | None = None
    message: str = ""


def source_words(kind: str) -> str:
    """Say where a value of the form came from."""
    words = {"cccd": _("từ căn cước"), "bhyt": _("từ thẻ BHYT"), "passport_mrz": _("từ hộ chiếu")}
    return str(words.get(kind, _("vừa gõ")))


def scanned_words(kind: str) -> str:
    """Name what was just recognised, for the end of the scan field."""
    words = {
        "cccd": _("Căn cước"), "bhyt": _("Mã thẻ BHYT"), "passport_mrz": _("Hộ chiếu"), "passport": _("Số hộ chiếu"),
        "national_id": _("Số định danh"), "old_id": _("Số chứng minh cũ"), "bhxh_number": _("Mã số BHXH"),
        "bhyt_card": _("Số thẻ BHYT"), "patient_code": _("Mã người bệnh"), "visit_code": _("Mã lượt khám"),
        "ticket": _("Số thứ tự"), "paper_code": _("Mã trên giấy"), "phone": _("Điện thoại"), "name": _("Tên"),
    }  # fmt: skip
    return str(words.get(kind, ""))


def check_view(check: CardCheck | None) -> CheckView:
    """Return a stored check for the page; the top bar says when the portal is away."""
    if check is None:
        return CheckView()
    if check.state is CheckState.UNVERIFIED:
        g.gateway_state = "down"
    return CheckView(check.state.value, service.card_verdict(check.code).words, check.code, check.at, check.message)


def _kept_view(kept: dict[str, Any]) -> CheckView:
    if not kept:
        return CheckView()
    if kept["state"] == "unverified":
        g.gateway_state = "down"
    return CheckView(
        kept["state"], service.card_verdict(kept["code"]).words, kept["code"], datetime.fromisoformat(kept["at"]), kept["message"]
    )


def _kept_card(kept: dict[str, Any]) -> service.CardFacts | None:
    if not kept:
        return None
    return service.CardFacts(
        kept["number"], kept["facility"], kept["area"], date.fromisoformat(kept["from"]),
        date.fromisoformat(kept["to"]) if kept["to"] else None,
    )  # fmt: skip


def _typed_card(form: RegisterForm, on: date) -> service.CardFacts | None:
    """The card of the new-patient form, when it is whole and valid today."""
    number, first = form.card_number.data or "", form.card_from.data
    if not service.is_card(number) or first is None or first > on or (form.card_to.data and form.card_to.data < on):
        return None
    return service.CardFacts(number, form.card_facility.data or "", "", first, form.card_to.data)


def _fee_table(
    card: service.CardFacts | None, subjects: dict[str, Any], board: list[queries.ClinicLoad], on: date, exam_count: int
) -> dict[str, Any]:
    """The figures of the right column for every route and examination, ready to be shown without asking again."""
    exams = {c.exam.code: c.exam for c in board if c.exam is not None}
    fees = service.fees(card, {s.code: s for s in subjects.values()}.values(), exams.values(), on, exam_count=exam_count)
    table: dict[str, Any] = {}
    for choice, subject in subjects.items():
        table[choice] = {
            "code": subject.code,
            "reason": subject.reason,
            "source": subject.source,
            "fees": {
                code: {
                    "name": fee.name, "rate": f"{fee.rate.replace('.', ',')}%" if fee.rate else "–",
                    "price": money_text(fee.price), "fund": money_text(fee.fund), "copay": money_text(fee.copay),
                    "outside": money_text(fee.outside), "payable": money_text(fee.payable),
                }
                for code in exams
                if (fee := fees[subject.code, code])
            },
        }  # fmt: skip
    return table


def suggested(board: list[queries.ClinicLoad], last_room: str) -> tuple[str, str]:
    """Return the proposed clinic and why."""
    return service.suggest_room(
        [service.RoomFacts(c.room_code, c.waiting, c.is_open) for c in board], last_room=last_room
    )


def render(
    *,
    patient: Patient | None = None,
    form: RegisterForm | None = None,
    kept: dict[str, Any] | None = None,
    is_new: bool = False,
    hits: tuple[records.PatientHit, ...] = (),
    message: str = "",
    notice: str = "",
    scanned: str = "",
    duplicates: list[dict[str, Any]] | None = None,
    open_visit_id: int | None = None,
    status: int = 200,
) -> Any:
    """Draw the desk. ``form`` is given when it comes back with what was typed."""
    on = clock.today()
    kept = kept or {}
    board = queries.clinic_board(on)
    values: dict[str, Any] = {
        "mode": "patient" if patient is not None else "new" if is_new else "list" if hits else "empty",
        "board": board, "recent": queries.recent(on, 6), "hits": hits, "message": message, "notice": notice,
        "scanned": scanned, "kept": kept, "today_count": sum(int(c.next_number.rpartition("-")[2]) - 1 for c in board),
        "last": state.last(), "full_room": service.FULL_ROOM, "board_version": board[0].version if board else 0,
        "warnings": [service.WARNINGS[w] for w in kept.get("warnings", ())],
        "duplicates": kept.get("duplicates", []) if duplicates is None else duplicates,
        "scanned_words": scanned_words(kept.get("kind", "")), "print_now": state.take_print(),
    }  # fmt: skip
    if patient is not None:
        values.update(_patient_values(patient, form, board, on))
    elif is_new:
        values.update(_new_values(form, kept, board, on))
    if open_visit_id is not None:
        values["open_visit_id"] = open_visit_id
    return render_template("registration/desk.html", **values), status


def _patient_values(
    patient: Patient, form: RegisterForm | None, board: list[queries.ClinicLoad], on: date
) -> dict[str, Any]:
    check = queries.last_check(patient.patient_id, clock.day_bounds(on)[0])
    coverage = service.choose_coverage(patient.coverages, check, on)
    last = queries.last_visit(patient.patient_id)
    is_today = last is not None and last.visit.service_on == on
    exam_count = billing.exam_count(patient.patient_id, on) if is_today else 0
    card = service.card_facts(coverage)
    months = age_parts(patient.birth_on, on)[1]
    guardian = next(iter(patient.guardians), None)
    if form is None:
        form = RegisterForm(
            formdata=None,
            data={
                "patient_id": patient.patient_id, "reason": service.DEFAULT_REASON,
                "guardian_name": guardian.full_name if guardian else "", "guardian_phone": guardian.phone if guardian else "",
                "guardian_kind": guardian.kind.value if guardian else "mother",
            },
        )  # fmt: skip
    open_visit = last if is_today and last is not None and last.visit.state in (VisitState.OPEN, VisitState.IN_EXAM) else None
    view = check_view(check)
    facts = {
        "full_name": patient.full_name, "birth_on": date_text(patient.birth_on), "sex": patient.sex.value,
        "personal_number": records.personal_number_of(patient), "phone": patient.phone or (guardian.phone if guardian else ""),
        "commune": patient.commune_code, "province": patient.province_code, "ethnicity": patient.ethnicity_code,
        "nationality": patient.nationality_code, "occupation": patient.occupation_code,
        "card_number": card.number if card else "", "card_facility": card.facility_code if card else "",
    }  # fmt: skip
    return {
        "patient": patient, "age": months, "sex_text": records.SEX_TEXT[patient.sex],
        "national_id": records.personal_number_of(patient), "guardian": guardian,
        "guardian_label": dict(GUARDIAN_KINDS)[guardian.kind.value] if guardian else "",
        "last_visit": last, "open_visit": open_visit, "coverage": coverage,
        "facility_names": _facility_names({card.facility_code} if card else set(), on),
        **_visit_values(form, card, view, patient.birth_on, months, board, on, last.visit.room_code if last else "", exam_count),
        "missing": [CLAIM_FIELD_NAMES[name] for name in service.missing_fields(facts)] if card else [],
    }  # fmt: skip


def _new_values(form: RegisterForm | None, kept: dict[str, Any], board: list[queries.ClinicLoad], on: date) -> dict[str, Any]:
    given: dict[str, str] = kept.get("values", {})
    if form is None:
        form = RegisterForm(formdata=None, data={**given, "reason": service.DEFAULT_REASON, "state": kept.get("token", "")})
        for name in ("birth_on", "card_from", "card_to", "incoming_signed_on"):
            # What the card says goes through the same reader as what is typed.
            form[name].process_formdata([given.get(name, "")])
    card = _kept_card(kept.get("card", {})) or _typed_card(form, on)
    birth = form.birth_on.data
    months = age_parts(birth, on)[1] if birth is not None and birth <= on else None
    view = _kept_view(kept.get("check", {}))
    return {
        "given": given, "source": source_words(kept.get("kind", "")), "communes": kept.get("communes", []),
        "facility_names": _facility_names({card.facility_code} if card else set(), on), "card_kept": kept.get("card", {}),
        **_visit_values(form, card, view, birth or on, months, board, on, "", 0),
    }  # fmt: skip


def _visit_values(
    form: RegisterForm, card: service.CardFacts | None, check: CheckView, birth_on: date, months: int | None,
    board: list[queries.ClinicLoad], on: date, last_room: str, exam_count: int,
) -> dict[str, Any]:  # fmt: skip
    subjects = service.routes_for(birth_on, card, on)
    choice = form.route.data or ""
    if form.is_emergency.data and choice == "" and "CAP_CUU" in subjects:
        choice = "CAP_CUU"
    if choice not in subjects:
        choice = next(iter(subjects))
    code, why = suggested(board, last_room)
    room_code = form.room_code.data or code
    room = next((c for c in board if c.room_code == room_code), None)
    table = _fee_table(card, subjects, board, on, exam_count)
    weight, auto = service.priority_of(service.PriorityFacts(months if months is not None else 400))
    exam = room.exam_service_code if room else ""
    return {
        "form": form, "card": card, "check": check, "months": months, "is_child": months is not None and months < 72,
        "choice": choice, "subject": table[choice], "fee": table[choice]["fees"].get(exam), "fees": table, "room": room,
        "suggested_code": code, "suggested_why": why, "last_room": last_room, "auto_priority": auto if weight else "",
        "routes": [(c, label) for c, label in ROUTES if c in subjects], "own_facility": current().facility_code,
    }  # fmt: skip


def _facility_names(codes: set[str], on: date) -> dict[str, str]:
    own = current()
    names = {own.facility_code: own.facility_name}
    wanted = {code for code in codes if code and code not in names}
    if wanted:
        names |= {code: row.name for code, row in catalogues.facilities(wanted, on).items()}
    return names


def keep_answer(result: service.CheckResult) -> dict[str, Any]:
    """Return what the page of a person without a record must remember of an answer: the check and the card it named."""
    answer = result.answer
    verdict = service.card_verdict(answer.code if answer else "")
    kept: dict[str, Any] = {
        "check": {"state": verdict.state, "code": answer.code if answer else "", "at": clock.now().isoformat(),
                  "message": answer.message if answer else ""}
    }  # fmt: skip
    if answer is not None and verdict.state == "valid" and answer.valid_from is not None:
        kept["card"] = {
            "number": answer.card_number, "facility": answer.facility_code, "area": answer.living_area,
            "from": answer.valid_from.isoformat(), "to": answer.valid_to.isoformat() if answer.valid_to else "",
        }  # fmt: skip
    return kept


def duplicate_rows(found: list[records.Duplicate]) -> list[dict[str, Any]]:
    """Return likely duplicates as the session and the template hold them."""
    return [asdict(row) for row in found]
