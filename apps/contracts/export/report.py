"""The review as a PDF for people who only read: what was found, where, why, and what was decided."""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from xml.sax.saxutils import escape

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer

from apps.contracts.laws.library import articles_of
from apps.contracts.models import Obligation, ReviewRun
from apps.contracts.reviewing.outcome import Judged
from furrow.metering.invoice_font import font_cut

# Where this machine has no font to cut from, the file names a Chinese face that its reader has to have.
_NAMED = "STSong-Light"
_INK, _MUTED, _ACCENT, _DANGER = (HexColor(c) for c in ("#25231d", "#665f50", "#2f6b3c", "#a32f22"))
_QUOTE_LENGTH = 1200
# The library keeps fonts for the whole process.
_drawing = threading.Lock()


def report_pdf(
    run: ReviewRun,
    found: Sequence[Judged],
    passed: Sequence[Judged],
    obligations: Sequence[Obligation],
) -> bytes:
    parts = list(_parts(run, found, passed, obligations))
    characters = {char for _style, words in parts for char in words} | set("0123456789-–·/ .")
    with _drawing, _font(characters) as name:
        return _drawn(parts, name, run.version.contract.title)


def _parts(
    run: ReviewRun,
    found: Sequence[Judged],
    passed: Sequence[Judged],
    obligations: Sequence[Obligation],
) -> Iterator[tuple[str, str]]:
    """(style, words), top to bottom."""
    version = run.version
    when = timezone.localtime(run.finished_at or run.created_at)
    yield "title", version.contract.title
    yield "muted", _("Review of %(day)s · version %(number)s · %(file)s") % {
        "day": date_format(when, "DATE_FORMAT"), "number": version.number, "file": version.file_name,
    }  # fmt: skip
    yield "muted", _("%(side)s · %(found)s findings · %(passed)s passed · SHA-256 %(digest)s") % {
        "side": run.get_side_display(), "found": len(found), "passed": len(passed), "digest": version.sha256[:16],
    }  # fmt: skip
    yield "head", _("Findings")
    if not found:
        yield "body", _("Nothing was found.")
    articles = articles_of(s for one in found for s in one.finding.statutes)
    for number, one in enumerate(found, 1):
        yield from _finding(number, one)
        for cited in one.finding.statutes:
            article = articles[cited["law"], cited["article"]]
            day = f" ({article.version})" if article.version else ""
            yield "law", f"{article.law} {article.article}{day} {article.text}".strip()
    if obligations:
        yield "head", _("Dates")
        for row in obligations:
            yield "body", f"{row.due_on.isoformat()} · {row.get_what_display()}"
            yield "quote", row.quote[:_QUOTE_LENGTH]
    if passed:
        yield "head", _("Passed")
        yield "body", " · ".join(one.title for one in passed)
    yield (
        "muted",
        _("Made by rules and small classifiers. It helps a lawyer and does not replace one."),
    )


def _finding(number: int, one: Judged) -> Iterator[tuple[str, str]]:
    row = one.finding
    place = " · ".join(
        part
        for part in (
            row.get_level_display(),
            row.clause,
            _("page %(page)s") % {"page": row.page} if row.page else "",
            one.decision.get_state_display() if one.decision else _("Open"),
        )
        if part
    )
    yield "item", f"{number}. {one.title}"
    yield "high" if row.level == "high" else "muted", place
    yield "body", " ".join(part for part in (one.message, one.advice) if part)
    if row.quote:
        yield "quote", row.quote[:_QUOTE_LENGTH]
    if one.suggestion:
        yield "body", _("Suggested wording: %(text)s") % {"text": one.suggestion}
    if one.decision and one.decision.comment:
        yield "body", _("Comment: %(text)s") % {"text": one.decision.comment}


def _drawn(parts: Sequence[tuple[str, str]], font: str, title: str) -> bytes:
    styles = _styles(font)
    story: list[Flowable] = []
    for style, words in parts:
        if style in {"head", "item"}:
            story.append(Spacer(1, 8))
        story.append(Paragraph(escape(words).replace("\n", "<br/>"), styles[style]))
    out = BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, title=title, leftMargin=56, rightMargin=56, topMargin=56, bottomMargin=56
    )

    def numbered(canvas: object, made: object) -> None:
        canvas.setFont(font, 8)  # type: ignore[attr-defined]
        canvas.drawRightString(A4[0] - 56, 36, str(made.page))  # type: ignore[attr-defined]

    document.build(story, onFirstPage=numbered, onLaterPages=numbered)
    return out.getvalue()


def _styles(font: str) -> dict[str, ParagraphStyle]:
    def style(name: str, size: int, ink: HexColor = _INK, indent: int = 0) -> ParagraphStyle:
        return ParagraphStyle(
            name, fontName=font, fontSize=size, leading=round(size * 1.5), textColor=ink,
            leftIndent=indent, spaceAfter=3, wordWrap="CJK",
        )  # fmt: skip

    return {
        "title": style("title", 18, _ACCENT),
        "head": style("head", 14, _ACCENT),
        "item": style("item", 11),
        "body": style("body", 10),
        "muted": style("muted", 9, _MUTED),
        "high": style("high", 9, _DANGER),
        "quote": style("quote", 10, _INK, 14),
        "law": style("law", 8, _MUTED, 14),
    }


@contextmanager
def _font(characters: set[str]) -> Iterator[str]:
    font = font_cut(characters)
    if font is None:
        pdfmetrics.registerFont(UnicodeCIDFont(_NAMED))
        yield _NAMED
        return
    name = f"Furrow-Report-{hashlib.sha256(font).hexdigest()[:12]}"
    made = TTFont(name, BytesIO(font))
    made.face.name = name.encode()
    pdfmetrics.registerFont(made)
    try:
        yield name
    finally:
        pdfmetrics._fonts.pop(name, None)
        pdfmetrics._dynFaceNames.pop(made.face.name, None)
