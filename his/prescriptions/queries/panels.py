"""What the doctor's page and the assembled record show of prescriptions; few statements, no new safety run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import joinedload

from his.core.actor import Actor
from his.core.db import session
from his.core.errors import Finding
from his.core.i18n import date_text, decimal_text
from his.core.module import TimelineEntry
from his.prescriptions import queries, rules
from his.prescriptions.enums import PrescriptionState
from his.prescriptions.models import Prescription, PrescriptionLine
from his.records.models import Visit


@dataclass(frozen=True, slots=True)
class PanelLine:
    """One medicine of the summary."""

    name: str
    strength: str
    quantity: str
    usage: str
    per_kg: str


@dataclass(frozen=True, slots=True)
class PanelRx:
    """One prescription of the visit; ``alerts`` are the open ones and the notes of the last safety run."""

    prescription: Prescription
    lines: tuple[PanelLine, ...]
    stops: tuple[Mapping[str, Any], ...]
    cautions: tuple[Mapping[str, Any], ...]
    notes: tuple[Mapping[str, Any], ...]


def visit_panel(visit_id: int, actor: Actor) -> Mapping[str, Any]:
    """Return the summary for the doctor's page (1 statement; the visit is already in the session there)."""
    visit = session().get(Visit, visit_id)
    weight = visit.weight_kg if visit is not None else None
    rows = [p for p in queries.of_visit(visit_id) if p.state in queries.IN_FORCE]
    return {
        "visit_id": visit_id, "can_edit": actor.may("prescriptions:prescription:draft"),
        "line_count": sum(len(rx.lines) for rx in rows), "prescriptions": [_summary(rx, weight) for rx in reversed(rows)],
    }  # fmt: skip


def _summary(rx: Prescription, weight: Any) -> PanelRx:
    is_draft = rx.state is PrescriptionState.DRAFT
    alerts = [a for a in rx.alerts if is_draft]
    return PanelRx(
        rx, tuple(_panel_line(line, weight) for line in rx.lines),
        tuple(a for a in alerts if a["tier"] == 1 and a["open"]), tuple(a for a in alerts if a["tier"] == 2 and a["open"]),
        tuple(a for a in alerts if a["tier"] == 3),
    )  # fmt: skip


def _panel_line(line: PrescriptionLine, weight: Any) -> PanelLine:
    mass = rules.dose_mg(queries.rx_line(line))
    each = rules.per_kg(mass, weight) if mass is not None and weight and rules.is_systemic(line.route_code) else None
    per_kg = f"{decimal_text(each)} mg/kg" if each else ""
    rhythm = f"{line.times_per_day} lần/tuần" if line.frequency == "weekly" else f"{line.times_per_day} lần/ngày"
    usage = f"{decimal_text(line.dose_amount)} {line.dose_unit} × {rhythm} × {line.days} ngày"
    name = line.inn[:1].upper() + line.inn[1:]
    return PanelLine(
        name.replace("/", " + "), line.strength, rules.quantity_text(line.quantity, line.unit), usage, per_kg
    )


def unsigned_draft(visit_id: int) -> Sequence[Finding]:
    """Tell that a draft with medicines is not signed: the visit cannot end before (1 statement)."""
    found = session().execute(
        select(Prescription.prescription_id).where(
            Prescription.visit_id == visit_id, Prescription.state == PrescriptionState.DRAFT,
            exists().where(PrescriptionLine.prescription_id == Prescription.prescription_id),
        ).limit(1)
    ).first()  # fmt: skip
    if found is None:
        return ()
    return (Finding("prescription_unsigned", "prescription", "Đơn thuốc chưa ký. Ký đơn hoặc bỏ các dòng thuốc."),)


STATE_WORDS = {
    PrescriptionState.SIGNED: ("đã ký", ""), PrescriptionState.DISPENSED: ("đã cấp thuốc", "ok"),
    PrescriptionState.SUPERSEDED: ("đã thay bằng đơn khác", "warn"), PrescriptionState.CANCELLED: ("đã hủy", "bad"),
    PrescriptionState.EXPIRED: ("hết hạn lĩnh", "warn"),
}  # fmt: skip


def record_entries(patient_id: int, visit_ids: Sequence[int], actor: Actor) -> Sequence[TimelineEntry]:
    """Return the signed prescriptions of the visits for the assembled record (1 statement)."""
    if not actor.may("prescriptions:prescription:read"):
        return ()
    rows = (
        session()
        .execute(
            select(Prescription)
            .where(
                Prescription.patient_id == patient_id,
                Prescription.visit_id.in_(visit_ids),
                Prescription.signed_at.is_not(None),
            )
            .options(joinedload(Prescription.lines))
            .order_by(Prescription.signed_at.desc())
        )
        .unique()
        .scalars()
    )
    entries = []
    for rx in rows:
        if rx.signed_at is None:
            continue
        word, tone = STATE_WORDS.get(rx.state, ("", ""))
        lines = [
            f"{p.name} {p.strength}: {p.usage}, {p.quantity}" for p in (_panel_line(line, None) for line in rx.lines)
        ]
        if rx.follow_up_on:
            lines.append(f"Hẹn khám lại {date_text(rx.follow_up_on)}")
        entries.append(
            TimelineEntry(
                rx.signed_at,
                f"Đơn thuốc {rx.code} · {word}",
                tuple(lines),
                url=f"/prescriptions/visits/{rx.visit_id}?rx={rx.prescription_id}",
                tone=tone,
                kind="prescription",
            )
        )
    return entries
