"""Papers: the house's warm renderer beside bare WeasyPrint on the same HTML."""

from __future__ import annotations

from flask import current_app
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from bench.measure import Figure, Record, p50_p95, paired
from his.core.module import FormSpec, registry
from his.documents import rendering


def run(record: Record, codes: tuple[str, ...] = ()) -> None:
    """Measure each form's sample page."""
    forms = [form for module in registry().modules for form in module.forms if not codes or form.code in codes]
    for form in forms:
        settings = current_app.extensions["his_settings"]
        page = rendering.html(form.template, form.sample(), facility=settings, form=form, foot=None)
        sheet = rendering.STYLES.read_text("utf-8")

        def bare(page: str = page, sheet: str = sheet) -> None:
            fonts = FontConfiguration()
            fetcher = rendering.PackagedFetcher()
            HTML(string=page, base_url="paper:", url_fetcher=fetcher).render(
                stylesheets=[CSS(string=sheet, url_fetcher=fetcher, font_config=fonts)], font_config=fonts
            ).write_pdf()

        def warm_only(page: str = page) -> None:
            rendering.renderer().pdf(page)

        def with_template(form: FormSpec = form) -> None:
            rendering.render(form.template, form.sample(), form=form, foot=None)

        floor, warm, whole = (p50_p95(each) for each in paired((bare, warm_only, with_template), 15))
        record.add(Figure("paper", f"{form.code}: bare WeasyPrint, same HTML", *floor))
        record.add(Figure("paper", f"{form.code}: warm renderer", *warm, floor="bare", ratio=warm[0] / floor[0]))
        record.add(Figure("paper", f"{form.code}: template and renderer", *whole, floor="bare", ratio=whole[0] / floor[0]))
