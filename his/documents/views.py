"""Papers: showing stored bytes, and the public check behind the QR."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for

from his.audit import service as audit
from his.core import clock
from his.core.config import current
from his.core.db import transaction
from his.core.errors import NotAllowed
from his.core.module import registry
from his.core.permissions import SIGNED_IN, current_actor, may, public, require
from his.documents import queries, rendering, rules, service
from his.documents.errors import PaperNotFound
from his.documents.models import Paper
from his.documents.permissions import Permission

bp = Blueprint("documents", __name__, template_folder="templates")


def pdf_response(content: bytes, name: str, media_type: str = "application/pdf") -> Response:
    """Return a paper's bytes to be shown in the browser; scripts and outside content are shut out."""
    return Response(
        content,
        mimetype=media_type,
        headers={"Content-Disposition": f'inline; filename="{name}.pdf"', "X-Content-Type-Options": "nosniff"},
    )


def _may_open(paper: Paper) -> bool:
    """Tell whether the roles of this person reach this kind of paper (security standard §4: by content, not by medium)."""
    form = next((form for module in registry().modules for form in module.forms if form.code == paper.form_code), None)
    return form is None or not form.permission or may(form.permission)


@bp.get("/papers/<int:paper_id>.pdf")
@require(Permission.PAPER_PRINT, Permission.PAPER_READ)
def show(paper_id: int) -> Any:
    """Serve the stored bytes of an issued paper."""
    actor = current_actor()
    if not _may_open(queries.get(paper_id)):
        raise NotAllowed("Vai trò của bạn không mở được loại giấy này. Nhờ người phụ trách in giúp.")
    with transaction():
        paper, content = service.print_paper(paper_id, actor=actor)
    return pdf_response(content, f"{paper.form_code}-{paper.public_code}", paper.media_type)


@bp.get("/papers/visits/<int:visit_id>")
@require(Permission.PAPER_READ, Permission.PAPER_PRINT)
def of_visit(visit_id: int) -> Any:
    """The papers issued for a visit, to be looked at or printed again."""
    papers = [paper for paper in queries.papers_of_visit(visit_id) if _may_open(paper)]
    if not papers:
        raise PaperNotFound("Lượt khám này chưa có giấy tờ nào.")
    audit.viewed(current_actor(), papers[0].patient_id, "papers", visit_id=visit_id)
    return render_template("documents/visit.html", papers=papers, titles=queries.titles())


@bp.get("/papers/paper.css")
@require(SIGNED_IN)
def styles() -> Response:
    """The style sheet of papers for previews in the browser."""
    address = url_for("static", filename="fonts/paper/")
    return Response(rendering.screen_styles(address), mimetype="text/css", headers={"Cache-Control": "private, max-age=86400"})


@bp.get("/papers/sample/<form_code>.pdf")
@require("identity:user:read", "catalogues:catalogue:import")
def sample(form_code: str) -> Any:
    """Show a form with invented data, for checking its layout."""
    form = next((form for module in registry().modules for form in module.forms if form.code == form_code), None)
    if form is None:
        raise PaperNotFound("Không có biểu mẫu này.")
    return pdf_response(service.render(form_code, form.sample(), mark="MẪU").content, form_code)


@bp.get("/v/")
@public("people without a telephone camera type the code of a paper here")
def ask() -> Any:
    """Ask for the code printed on a paper."""
    code = rules.plain_code(request.args.get("code", ""))
    if code:
        return redirect(url_for(".verify", public_code=code))
    return render_template("documents/verify.html", answer=None, code="", now=clock.now())


@bp.get("/v/<public_code>")
@public("the check behind the QR of a paper: says only whether it is genuine, with a masked name")
def verify(public_code: str) -> Any:
    """Tell a person with a telephone whether a paper is genuine, replaced, expired or cancelled."""
    answer = queries.public_answer(public_code, title_of=queries.titles(), issuer=current().facility_name)
    code = rules.grouped_code(rules.plain_code(public_code))
    status = 200 if answer.answer != "unknown" else 404
    return render_template("documents/verify.html", answer=answer, code=code, now=clock.now()), status
