"""The monthly report as PDF, in the reader's language."""

from io import BytesIO
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from furrow.dashboard.service_words import Report
from furrow.metering.paper import ACCENT, LEFT, MUTED, RIGHT, ROW, Paper, paper_drawn, shortened


def report_pdf(report: Report, *, business: str) -> bytes:
    return paper_drawn(lambda font: _draw(report, business, font))


def _draw(report: Report, business: str, font: str) -> tuple[bytes, set[str]]:
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1, pageCompression=1)
    title = _("How visitors were served")
    canvas.setTitle(title)
    page = Paper(canvas, font)
    page.text(LEFT, business, size=10, ink=MUTED)
    page.y -= 30
    page.text(LEFT, title, size=22, ink=ACCENT)
    page.y -= 22
    page.text(LEFT, date_format(report.since, "YEAR_MONTH_FORMAT"), size=12)
    page.y -= 30
    for section in report.sections:
        _section(
            page, section.title, [(line.label, line.value, line.hint) for line in section.lines]
        )
    for table in report.tables:
        _table(page, table)
    _gaps(page, report)
    page.end()
    canvas.save()
    return buffer.getvalue(), page.characters


def _heading(page: Paper, title: str) -> None:
    page.room(ROW * 3)
    page.y -= 6
    page.text(LEFT, title, size=13, ink=ACCENT)
    page.y -= 22


def _section(page: Paper, title: str, lines: list[tuple[str, str, str]]) -> None:
    _heading(page, title)
    for label, value, hint in lines:
        page.room(ROW + 12)
        page.text(LEFT, label, size=10)
        page.text(RIGHT, value, size=11, to_right=True)
        if hint:
            page.y -= 11
            page.text(LEFT, shortened(hint, 92), size=8, ink=MUTED)
        page.rule()


def _table(page: Paper, table: Any) -> None:
    _heading(page, str(table.title))
    places = [RIGHT - 110 * n for n in range(len(table.heads) - 1)][::-1]
    for row in (table.heads, *table.rows):
        page.room(ROW)
        is_head = row is table.heads
        page.text(LEFT, shortened(str(row[0]), 40), size=9 if is_head else 10)
        for place, cell in zip(places, row[1:], strict=True):
            page.text(place, str(cell), size=9 if is_head else 10, to_right=True)
        page.rule()


def _gaps(page: Paper, report: Report) -> None:
    if not report.gaps:
        return
    _heading(page, _("What the assistant could not answer"))
    for gap in report.gaps:
        page.room(ROW + 14)
        page.text(LEFT, shortened(gap.question, 78), size=10)
        page.text(RIGHT, f"{gap.asked} x", size=10, to_right=True)
        if gap.draft:
            page.y -= 12
            page.text(LEFT, shortened(" ".join(gap.draft.split()), 88), size=8, ink=MUTED)
        page.rule()
