"""The claims workbench, one claim, what was sent, and month exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from flask import Blueprint, current_app, flash, jsonify, redirect, render_template, request, send_file, url_for
from werkzeug.routing import BuildError
from werkzeug.wrappers import Response

from his.audit import service as audit
from his.core import clock, jobs
from his.core.db import transaction
from his.core.errors import DomainError, Severity
from his.core.i18n import gettext as _
from his.core.permissions import PERMISSION_ATTRIBUTE, current_actor, may, require
from his.insurance import queries, rules, service, tasks
from his.insurance.enums import (
    EXPORT_LABELS,
    FIXER_LABELS,
    PLACE_LABELS,
    STATE_LABELS,
    TABLE_LABELS,
    AnchorKind,
    ClaimState,
    ExportState,
)
from his.insurance.forms import ClaimActionForm, MonthForm, RebuildForm
from his.insurance.models import ClaimExport, ClaimFile, ClaimFinding
from his.insurance.permissions import Permission
from his.insurance.queries import ClaimDetail, FindingGroup, View
from his.insurance.tables import table_specs
from his.records import queries as records
from his.registration import service as registration

bp = Blueprint("insurance", __name__, url_prefix="/insurance", template_folder="templates")
SYNC_BUILD: Final = 200
"""Claims built while the person waits; the rest of a month is left to the worker."""
WARNINGS: Final = "warning"


# --- what the pages show ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """A link to the screen where a finding is put right; ``is_mine`` when this person may open it."""

    label: Any
    url: str
    is_mine: bool


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding with its link and the role's name."""

    finding: ClaimFinding
    who: Any
    place: Place | None
    source: str


@dataclass(frozen=True, slots=True)
class TableLine:
    """One official table of a claim: how many rows, what was found in it."""

    code: str
    title: Any
    row_count: int
    error_count: int
    warning_count: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One official field with its value and what was found there."""

    position: int
    name: str
    label: str
    value: str
    tone: str


def place_of(finding: ClaimFinding, detail: ClaimDetail) -> Place | None:
    """The link of a finding; None when no screen of this installation serves it."""
    patient = {"patient_id": detail.visit.patient_id}
    visit = {"visit_id": detail.visit.visit_id}
    line = {"line_id": finding.anchor_id}
    targets: dict[str, Sequence[tuple[str, dict[str, Any]]]] = {
        AnchorKind.VISIT: [("records.edit", patient), ("records.patient", patient), ("registration.desk", {})],
        AnchorKind.EXAM: [("examination.visit", visit)],
        AnchorKind.ORDER: [("examination.visit", visit)],
        AnchorKind.RESULT: [("laboratory.result", line)],
        AnchorKind.REPORT: [("imaging.report", line)],
        AnchorKind.PRESCRIPTION: [("prescriptions.edit", visit)],
        AnchorKind.PRICE: [("billing.visit", visit), ("catalogues.index", {})],
        AnchorKind.REFERRAL: [("referrals.edit", visit)],
        AnchorKind.CLAIM: [("insurance.claim", {"claim_id": detail.claim.claim_id})],
    }
    for endpoint, values in targets.get(finding.anchor, ()):
        view = current_app.view_functions.get(endpoint)
        if view is None:
            continue
        try:
            url = url_for(endpoint, **values)
        except BuildError:
            continue
        needed: tuple[str, ...] = getattr(view, PERMISSION_ATTRIBUTE, ())
        return Place(PLACE_LABELS[AnchorKind(finding.anchor)], url, any(may(permission) for permission in needed))
    return None


def shown(findings: Sequence[ClaimFinding], detail: ClaimDetail) -> list[ShownFinding]:
    """Findings as the pages show them."""
    return [
        ShownFinding(f, FIXER_LABELS.get(f.owner_role, f.owner_role), place_of(f, detail), rules.source_text(f.source))
        for f in findings
    ]


def table_lines(claim: ClaimFile, findings: Sequence[ClaimFinding]) -> list[TableLine]:
    """The official tables of a claim with their counts, ascending."""
    specs = table_specs(_layer_day(claim))
    lines = []
    for code, rows in claim.rows.items():
        own = [finding for finding in findings if finding.table_code == code]
        errors = sum(finding.severity is Severity.ERROR for finding in own)
        title = TABLE_LABELS.get(code) or specs[code].title
        lines.append(TableLine(code, title, len(rows), errors, len(own) - errors))
    return lines


def _layer_day(claim: ClaimFile) -> date:
    text = str(claim.rows["XML1"][0]["NGAY_RA"])
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def cells(claim: ClaimFile, code: str, findings: Sequence[ClaimFinding]) -> list[list[Cell]]:
    """The rows of one table: every official field in its order, as it stands in the file."""
    spec = table_specs(_layer_day(claim))[code]
    marks: dict[tuple[int | None, str], str] = {}
    for finding in findings:
        if finding.table_code == code:
            tone = "bad" if finding.severity is Severity.ERROR else "warn"
            key = (finding.row_no or 1, finding.field)
            marks[key] = "bad" if "bad" in (tone, marks.get(key)) else tone
    return [
        [
            Cell(field.position, field.name, field.label, str(row.get(field.name, "")), marks.get((number, field.name), ""))
            for field in spec.fields
        ]
        for number, row in enumerate(claim.rows[code], start=1)
    ]


def grouped(groups: Sequence[FindingGroup]) -> list[tuple[str, Any, int, list[FindingGroup]]]:
    """Groups of the left column: errors by who can fix, then all warnings: (key, title, number of claims, rules)."""
    order = list(FIXER_LABELS)
    errors = [group for group in groups if group.severity is Severity.ERROR]
    found = []
    for role in sorted({group.owner_role for group in errors}, key=lambda role: order.index(role) if role in order else 99):
        own = [group for group in errors if group.owner_role == role]
        title = _("%(who)s sửa được", who=FIXER_LABELS.get(role, role))
        found.append((role, title, sum(group.claim_count for group in own), own))
    warnings = [group for group in groups if group.severity is not Severity.ERROR]
    if warnings:
        found.append((WARNINGS, _("Cảnh báo, vẫn gửi được"), sum(g.claim_count for g in warnings), warnings))
    return found


def _month() -> str:
    month = request.values.get("month", "") or f"{clock.today():%Y-%m}"
    queries.month_bounds(month)
    return month


def _near(month: str, months: int) -> str:
    first = date.fromisoformat(f"{month}-01")
    day = first - timedelta(days=1) if months < 0 else first + timedelta(days=32)
    return f"{day:%Y-%m}"


def _page() -> int:
    text = request.args.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 6 else 1


def _back(fallback: str) -> Response:
    """Where the person came from on these screens, else ``fallback`` (own paths only, SEC-24)."""
    target = request.form.get("back", "")
    is_own = target.startswith(f"{bp.url_prefix}/") and "\\" not in target and "//" not in target
    return redirect(target if is_own and target.isprintable() else fallback, 303)


# --- workbench ----------------------------------------------------------------------------------------------------


@bp.get("/")
@require(Permission.CLAIM_READ)
def workbench() -> Any:
    """Claims of a month: what must be fixed, by whom; what passed, was sent, came back."""
    month = _month()
    counts = queries.month_counts(month)
    groups = queries.groups(month)
    view, role, rule = _chosen(counts, groups)
    group = next((g for g in groups if (g.owner_role, g.rule_id) == (role, rule)), None)
    text = request.args.get("q", "").strip()[:40]
    page = _page()
    if group is not None:
        found = queries.findings_page(month, role, rule, page)
    else:
        found = queries.claims_page(month, view, page, text)
    wanted = request.args.get("claim", "")
    ids = [row.claim_id for row in found.rows]
    chosen = int(wanted) if wanted.isascii() and wanted.isdigit() and int(wanted) in ids else next(iter(ids), None)
    detail = _detail(chosen) if chosen is not None else None
    return render_template(
        "insurance/workbench.html", month=month, previous=_near(month, -1), following=_near(month, 1), counts=counts,
        groups=grouped(groups), group=group, view=view, found=found, page=page, page_size=queries.PAGE, q=text,
        chosen=chosen, d=detail, states=STATE_LABELS, views=View, export=queries.latest_export(month),
        unbuilt=queries.unbuilt_count(month), here=request.full_path.rstrip("?"), ExportState=ExportState,
    )  # fmt: skip


def _chosen(counts: queries.MonthCounts, groups: Sequence[FindingGroup]) -> tuple[View, str, str]:
    """Which view or group the address asks for; at first the largest group of errors, else everything."""
    role, _sep, rule = request.args.get("group", "").partition(":")
    asked = request.args.get("view", "")
    if asked in {view.value for view in View}:
        return View(asked), role, rule
    if not role and counts.faulty and groups and groups[0].severity is Severity.ERROR:
        first = next(iter(grouped(groups)))[3][0]
        return View.FAULTY, first.owner_role, first.rule_id
    return (View.FAULTY if role else View.ALL), role, rule


def _detail(claim_id: int) -> dict[str, Any]:
    """Everything the right column shows of a claim; looking at it is audited."""
    detail = queries.claim_detail(claim_id)
    findings = queries.findings_of(claim_id)
    audit.viewed(current_actor(), detail.visit.patient_id, "claim", visit_id=detail.visit.visit_id)
    summary = detail.claim.rows["XML1"][0]
    return {
        "claim": detail.claim,
        "visit": detail.visit,
        "patient": detail.patient,
        "card_number": detail.card_number,
        "summary": summary,
        "findings": shown(findings, detail),
        "tables": table_lines(detail.claim, findings),
        "raw_findings": findings,
        "sex": records.SEX_TEXT[detail.patient.sex],
        "form": RebuildForm(reason=_("Đã sửa, kiểm tra lại")),
    }


@bp.get("/claims/<int:claim_id>/detail")
@require(Permission.CLAIM_READ)
def detail(claim_id: int) -> Any:
    """The right column for another row (fragment)."""
    here = request.args.get("back", "")
    return render_template("insurance/_detail.html", d=_detail(claim_id), states=STATE_LABELS, here=here)


@bp.get("/claims/<int:claim_id>")
@require(Permission.CLAIM_READ)
def claim(claim_id: int) -> Any:
    """One claim: its official tables, findings, versions, sending."""
    return _claim_page(claim_id, None)


def _claim_page(claim_id: int, form: RebuildForm | None) -> Any:
    values = _detail(claim_id)
    row: ClaimFile = values["claim"]
    code = request.args.get("table", "")
    code = code if code in row.rows else next(iter(row.rows))
    return render_template(
        "insurance/claim.html", d=values, claim=row, code=code, spec=table_specs(_layer_day(row))[code],
        rows=cells(row, code, values["raw_findings"]), versions=queries.versions_of(row.visit_id), states=STATE_LABELS,
        form=form or values["form"], message=queries.message_of(claim_id), ClaimState=ClaimState,
        here=url_for("insurance.claim", claim_id=claim_id), locked=row.state in (ClaimState.SENDING, ClaimState.SUPERSEDED),
    )  # fmt: skip


@bp.post("/claims/<int:claim_id>/rebuild")
@require(Permission.CLAIM_BUILD)
def rebuild(claim_id: int) -> Any:
    """Build the claim again from what the record says now, and check it."""
    form = RebuildForm()
    if not form.validate_on_submit():
        return _claim_page(claim_id, form), 422
    with transaction():
        fresh = service.rebuild(claim_id, form.reason.data or "", actor=current_actor())
        changed, new_id, errors, warnings = fresh.claim_id != claim_id, fresh.claim_id, fresh.error_count, fresh.warning_count
        version = fresh.version_no
    if changed:
        flash(_("Đã lập bản %(n)d: %(errors)d lỗi, %(warnings)d cảnh báo.", n=version, errors=errors, warnings=warnings), "success")
    else:
        flash(_("Dữ liệu không đổi. Đã kiểm tra lại: %(errors)d lỗi, %(warnings)d cảnh báo.", errors=errors, warnings=warnings), "success")
    return _back(url_for("insurance.claim", claim_id=new_id))


@bp.post("/claims/<int:claim_id>/submit")
@require(Permission.CLAIM_SUBMIT)
def submit(claim_id: int) -> Any:
    """Send one claim to the insurer."""
    form = ClaimActionForm()
    form.validate_on_submit()
    with transaction():
        service.submit(claim_id, actor=current_actor())
    flash(_("Đã đưa hồ sơ vào hàng gửi. Cổng trả lời sẽ hiện ở đây."), "success")
    return _back(url_for("insurance.claim", claim_id=claim_id))


@bp.post("/claims/<int:claim_id>/card-check")
@require(Permission.CARD_CHECK)
def card_check(claim_id: int) -> Any:
    """Ask the insurer about the card of this visit again; the whole answer is stored."""
    detail = queries.claim_detail(claim_id)
    patient = detail.patient
    if not detail.card_number:
        flash(_("Lượt khám này không có thẻ BHYT."), "warning")
        return _back(url_for("insurance.claim", claim_id=claim_id))
    actor = current_actor()
    result = registration.ask_insurer(detail.card_number, patient.full_name, registration.birth_text(patient), actor=actor)
    with transaction():
        check, _coverage = registration.keep_check(result, patient_id=patient.patient_id, actor=actor)
        code, message, error = check.code, check.message, check.error
    if error:
        flash(_("Cổng BHYT chưa trả lời. Thử lại sau; hồ sơ không đổi."), "warning")
    else:
        flash(_("Cổng trả lời mã %(code)s: %(message)s", code=code, message=message), "success")
    return _back(url_for("insurance.claim", claim_id=claim_id))


@bp.get("/claims/<int:claim_id>/file")
@require(Permission.CLAIM_EXPORT)
def file(claim_id: int) -> Any:
    """The claim file: the bytes that were sent, or that would be."""
    with transaction():
        row = queries.get_for_update(claim_id)
        content, name = service.claim_file(row), service.file_name(row.visit_code)
        service.record_download(row, actor=current_actor())
    return Response(
        content, mimetype="application/xml", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


# --- the month ----------------------------------------------------------------------------------------------------


@bp.post("/build")
@require(Permission.CLAIM_BUILD)
def build() -> Any:
    """Build what is missing in a month and check the unsent claims again; a large month goes on in the background."""
    month = _posted_month()
    built, problems = tasks.build_missing(month, limit=SYNC_BUILD)
    with transaction():
        jobs.enqueue(tasks.MONTH_TASK, month=month, user_id=current_actor().user_id)
    if problems:
        flash(" ".join(list(problems.values())[:3]), "error")
    flash(_("Đã lập %(n)d hồ sơ mới. Các hồ sơ chưa gửi đang được kiểm tra lại.", n=built), "success")
    return redirect(url_for("insurance.workbench", month=month), 303)


@bp.post("/submit")
@require(Permission.CLAIM_SUBMIT)
def submit_month() -> Any:
    """Send every claim of a month that passed; sending goes on when the clerk leaves."""
    month = _posted_month()
    with transaction():
        count = service.submit_month(month, actor=current_actor())
    if count:
        flash(_("Đang gửi %(n)d hồ sơ. Rời trang này vẫn gửi tiếp.", n=count), "success")
    else:
        flash(_("Không có hồ sơ nào đạt kiểm tra mà chưa gửi."), "warning")
    return redirect(url_for("insurance.workbench", month=month), 303)


def _posted_month() -> str:
    form = MonthForm()
    form.validate_on_submit()
    month = form.month.data or ""
    queries.month_bounds(month)
    return month


@bp.get("/sendings")
@require(Permission.CLAIM_READ)
def sendings() -> Any:
    """What was sent for a month and what the portal answered."""
    month = _month()
    page = _page()
    rows, total = queries.sendings(month, page)
    return render_template(
        "insurance/sendings.html", month=month, previous=_near(month, -1), following=_near(month, 1), rows=rows,
        total=total, page=page, page_size=queries.PAGE, states=STATE_LABELS, counts=queries.month_counts(month),
        ClaimState=ClaimState, here=request.full_path.rstrip("?"),
    )  # fmt: skip


# --- exports ------------------------------------------------------------------------------------------------------


@bp.get("/exports")
@require(Permission.CLAIM_EXPORT)
def exports() -> Any:
    """Month exports, newest first; the running one with its progress."""
    month = _month()
    rows = queries.exports()
    return render_template(
        "insurance/exports.html", month=month, rows=rows, labels=EXPORT_LABELS, ExportState=ExportState,
        counts=queries.month_counts(month), unbuilt=queries.unbuilt_count(month), previous=_near(month, -1),
        following=_near(month, 1), ready={row.export_id for row in rows if _is_ready(row)}, text=progress_text,
    )  # fmt: skip


def _is_ready(export: ClaimExport) -> bool:
    return export.state is ExportState.DONE and service.is_packed(export) and service.archive_of(export).is_file()


@bp.post("/exports")
@require(Permission.CLAIM_EXPORT)
def start_export() -> Any:
    """Begin to export a month; one that is going on is shown instead of begun twice."""
    month = _posted_month()
    with transaction():
        service.start_export(month, actor=current_actor())
    return redirect(url_for("insurance.exports", month=month), 303)


@bp.get("/exports/<int:export_id>/progress")
@require(Permission.CLAIM_EXPORT)
def progress(export_id: int) -> Any:
    """How far an export is (JSON); nothing when the page knows this version already."""
    export = queries.get_export(export_id)
    version = f"{export.state.value}-{export.done_count}-{export.total_count}"
    if request.args.get("version") == version:
        return "", 204
    finished = export.state in (ExportState.DONE, ExportState.FAILED)
    return jsonify(
        version=version, done=export.done_count, total=export.total_count, text=progress_text(export), finished=finished
    )


def progress_text(export: ClaimExport) -> str:
    """Words beside the progress bar, with the time that is left."""
    if export.state is ExportState.WAITING:
        return str(_("Đang chờ máy nền nhận việc"))
    if export.state is not ExportState.RUNNING:
        return str(_("%(done)d hồ sơ", done=export.done_count))
    count = {"done": export.done_count, "total": export.total_count}
    if export.lease_until is not None and export.lease_until < clock.now():
        return str(_("%(done)d / %(total)d · đang chờ chạy tiếp từ chỗ dừng", **count))
    if not export.done_count:
        return str(_("%(done)d / %(total)d · đang lập hồ sơ còn thiếu", **count))
    seconds = (clock.now() - export.started_at).total_seconds() / export.done_count
    left = seconds * max(export.total_count - export.done_count, 0)
    if left < 60:
        return str(_("%(done)d / %(total)d · còn dưới 1 phút", **count))
    return str(_("%(done)d / %(total)d · còn khoảng %(n)d phút", **count, n=round(left / 60)))


@bp.get("/exports/<int:export_id>/download")
@require(Permission.CLAIM_EXPORT)
def download(export_id: int) -> Any:
    """The packed export."""
    export = queries.get_export(export_id)
    if not _is_ready(export):
        raise DomainError(_("Lần xuất này chưa xong hoặc tệp không còn. Xuất lại tháng này."), code="export_not_ready")
    with transaction():
        service.record_export_download(export, actor=current_actor())
    path = service.archive_of(export)
    return send_file(path, mimetype="application/zip", as_attachment=True, download_name=path.name, max_age=0)
