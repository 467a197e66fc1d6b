"""Catalogue screens, and the search behind every combobox of the house."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for

from his.catalogues import queries, rules, service
from his.catalogues.errors import ImportRefused
from his.catalogues.models import Drug, IcdCode, Service
from his.catalogues.permissions import Permission
from his.core import clock, search
from his.core.db import transaction
from his.core.forms import parse_date
from his.core.i18n import gettext as _
from his.core.i18n import lazy_gettext as _l
from his.core.i18n import money_text
from his.core.permissions import current_actor, require

bp = Blueprint("catalogues", __name__, url_prefix="/catalogues", template_folder="templates")
NAMES = {
    "code_lists": _l("Danh mục mã dùng chung"), "icd10": _l("Bệnh (ICD-10)"), "provinces": _l("Tỉnh thành"),
    "communes": _l("Xã phường"), "commune_changes": _l("Xã phường cũ và mới"), "facilities": _l("Cơ sở khám bệnh, chữa bệnh"),
    "rooms": _l("Phòng"), "services": _l("Dịch vụ và giá"), "lab_indices": _l("Chỉ số xét nghiệm"), "drugs": _l("Thuốc và giá"),
    "referral_diseases": _l("Bệnh chuyển cơ sở 1 năm"),
}  # fmt: skip
KINDS = {"icd": IcdCode, "drug": Drug, "service": Service}


def _item(kind: str, hit: search.Hit) -> dict[str, Any]:
    extra = hit.extra
    item: dict[str, Any] = {"id": extra["code"], "code": extra["code"], "label": hit.label, "detail": ""}
    if kind == "icd":
        if extra["never_used"] or extra["death_only"]:
            item["detail"], item["disabled"] = (
                _("có mã chi tiết hơn") if extra["never_used"] else _("chỉ cho tử vong"),
                True,
            )
        elif extra["never_main"]:
            item["detail"] = _("chỉ kèm theo")
        elif extra["discouraged"]:
            item["detail"] = _("hạn chế làm bệnh chính")
        item["never_main"] = extra["never_main"]
    elif kind == "drug":
        item["detail"] = f"{extra['form']} · {extra['unit']} · {money_text(int(float(extra['price'])))}" + (
            "" if extra["insured"] else " · " + _("ngoài BHYT")
        )
        item.update(unit=extra["unit"], inn=extra["inn"], strength=extra["strength"])
    elif kind == "service":
        item["detail"] = money_text(int(float(extra["price"])))
        item["offered"] = extra["offered"]
    if hit.corrected:
        item["detail"] = (item["detail"] + " · " if item["detail"] else "") + _("gần giống")
    return item


@bp.get("/search/<kind>")
@require(Permission.CATALOGUE_SEARCH)
def find(kind: str) -> Any:
    """Search as you type: at most 12 results."""
    if kind not in ("icd", "drug", "service", "commune", "facility"):
        return jsonify(items=[])
    hits = search.find(kind, request.args.get("q", ""), limit=12)
    if kind == "service":
        hits = [hit for hit in hits if hit.extra["offered"]] or hits
    if kind == "icd":
        hits = sorted(hits, key=lambda hit: bool(hit.extra["never_used"]))
    return jsonify(items=[_item(kind, hit) for hit in hits])


@bp.get("/")
@require(Permission.CATALOGUE_READ)
def index() -> Any:
    """Look a code up, see its prices over time, see the imports."""
    kind = request.args.get("kind", "service")
    text = request.args.get("q", "")
    hits = search.find(kind, text, limit=50) if kind in KINDS and text else []
    code = request.args.get("code", "")
    versions = queries.history(KINDS[kind], code) if code and kind in KINDS else []
    return render_template(
        "catalogues/index.html", kind=kind, q=text, hits=hits, code=code, versions=versions, imports=queries.imports(), names=NAMES,
    )  # fmt: skip


@bp.route("/import", methods=["GET", "POST"])
@require(Permission.CATALOGUE_IMPORT)
def import_file() -> Any:
    """Import a file: first a trial run with the report, then for good."""
    problems: Any = ()
    report = None
    status = 200
    if request.method == "POST":
        upload = request.files.get("file")
        catalogue = request.form.get("catalogue", "")
        first: date | None
        try:
            first = parse_date(request.form.get("valid_from", ""))
        except ValueError:
            first = None
        if upload is None or not upload.filename or catalogue not in service.MODELS or first is None:
            flash(_("Chọn danh mục, tệp và ngày bắt đầu hiệu lực."), "error")
            status = 422
        else:
            data = upload.read()
            dry = request.form.get("mode") != "apply"
            try:
                with transaction():
                    report = service.import_catalogue(
                        catalogue, upload.filename, data, valid_from=first, source=upload.filename,
                        full=request.form.get("full") == "1", dry_run=dry, actor=current_actor(),
                    )  # fmt: skip
            except ImportRefused as error:
                problems, status = error.problems, 422
            else:
                if not dry:
                    flash(_("Đã nhập danh mục."), "success")
                    return redirect(url_for("catalogues.index"), 303)
    return render_template(
        "catalogues/import.html", catalogues=NAMES, specs=rules.SPECS, report=report, problems=problems, today=clock.today(),
    ), status  # fmt: skip
