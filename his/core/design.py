"""The sample page of the design system: every component in every state (development only)."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

from flask import Blueprint, render_template

from his.core import clock
from his.core.module import TimelineEntry
from his.core.permissions import public


def create_blueprint() -> Blueprint:
    """Return the blueprint with the one page."""
    bp = Blueprint("design", __name__)

    @bp.get("/design")
    @public("sample page with invented data, not registered in production")
    def page() -> str:
        now = clock.now()
        allergy = SimpleNamespace(substance="Amoxicilin", reaction="mày đay", noted="02/2025")
        banner = SimpleNamespace(
            name="NGUYỄN HOÀNG PHƯƠNG UYÊN THẢO NGUYÊN CÔNG TẰNG", sex="Nữ", birth="14/03/2023",
            age="3 tuổi 8 tháng (44 tháng)", is_child=True,
            allergies=[allergy, SimpleNamespace(substance="Ibuprofen", reaction="khò khè", noted="11/2025"),
                       SimpleNamespace(substance="Trứng", reaction="phù môi", noted="")],
            allergy_status="recorded", weight="14,2 kg", weight_at="23/11 08:31", height="96 cm",
            coverage_until="30/09/2029", coverage_group="TE1", rate="100", code="26-041873",
            national_id="079323904417", guardian_label="Mẹ", guardian_name="Lê Thị Minh Châu",
            guardian_phone="0900 118 204",
        )  # fmt: skip
        calm = SimpleNamespace(**{**vars(banner), "allergies": [], "allergy_status": "unknown", "name": "TRẦN AN",
                                  "coverage_group": "", "coverage_until": ""})  # fmt: skip
        timeline = [
            TimelineEntry(now - timedelta(days=40 * i), f"Lượt khám {i + 1}", ("J20.9 Viêm phế quản cấp",), tone=tone)
            for i, tone in enumerate(("", "warn", "bad"))
        ]
        return render_template("layouts/design.html", banner=banner, calm=calm, timeline=timeline)

    return bp
