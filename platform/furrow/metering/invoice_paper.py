"""An invoice as PDF. Drawn once and kept: what is given out later is the same file, byte for byte."""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from io import BytesIO
from itertools import groupby
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from furrow.metering.balances import gate_pass
from furrow.metering.invoice_font import font_cut
from furrow.metering.invoice_words import line_model, line_words
from furrow.metering.invoices import invoice_document
from furrow.metering.models import Invoice, InvoiceLine, InvoicePaper
from furrow.metering.money import amount_text

# Helvetica every reader has, by the standard. The characters of any other script are put into the file; where this
# machine has no font to take them from, the file names a Chinese face that its reader has to have.
LATIN, EMBEDDED, NAMED = "Helvetica", "Furrow-Invoice", "STSong-Light"
_drawing = threading.Lock()
# Whole points: nothing in this app is a binary fraction, not even a margin.
WIDTH, HEIGHT = (int(side) for side in A4)
LEFT, RIGHT, TOP, BOTTOM = 56, WIDTH - 56, HEIGHT - 64, 72
ROW = 20
_TOKENS, _PRICE = RIGHT - 150, RIGHT - 75
_INK, _MUTED, _LINE, _ACCENT = (
    HexColor(code) for code in ("#25231d", "#665f50", "#e2dac9", "#2f6b3c")
)


def invoice_pdf(invoice: Invoice) -> bytes:
    """The file. Made at the first call, in the business's language. Refuses an invoice that was tampered with."""
    invoice_document(invoice)
    kept: InvoicePaper | None = InvoicePaper.objects.filter(invoice=invoice).first()
    if kept is None:
        # Two first calls at once: the later one finds the paper of the earlier.
        gate_pass()
        kept = InvoicePaper.objects.filter(invoice=invoice).first() or _keep(invoice)
    return bytes(kept.content)


def _keep(invoice: Invoice) -> InvoicePaper:
    lines = list(InvoiceLine.objects.filter(invoice=invoice).order_by("position"))
    language = invoice.tenant.language
    with translation.override(language):
        content = draw(invoice, lines, business=invoice.tenant.name, issuer=settings.INVOICE_ISSUER)
    paper: InvoicePaper = InvoicePaper.objects.create(
        invoice=invoice,
        language=language,
        content=content,
        digest=hashlib.sha256(content).hexdigest(),
    )
    return paper


def draw(invoice: Invoice, lines: Sequence[InvoiceLine], *, business: str, issuer: str) -> bytes:
    """The same bytes for the same words, on the same machine. Drawn twice: the first time tells which characters
    a font is needed for.
    """
    pdfmetrics.registerFont(UnicodeCIDFont(NAMED))
    named, characters = _draw(invoice, lines, business, issuer, NAMED)
    font = font_cut(characters) if characters else None
    if font is None:
        return named
    with _drawing, _registered(font) as name:
        return _draw(invoice, lines, business, issuer, name)[0]


@contextmanager
def _registered(font: bytes) -> Iterator[str]:
    """The library keeps the first font of a name, and of a face, for the whole process and silently ignores a second:
    so each has names of its own, and is taken out again.
    """
    name = f"{EMBEDDED}-{hashlib.sha256(font).hexdigest()[:12]}"
    made = TTFont(name, BytesIO(font))
    made.face.name = name.encode()
    pdfmetrics.registerFont(made)
    try:
        yield name
    finally:
        pdfmetrics._fonts.pop(name, None)
        pdfmetrics._dynFaceNames.pop(made.face.name, None)


def _draw(
    invoice: Invoice, lines: Sequence[InvoiceLine], business: str, issuer: str, font: str
) -> tuple[bytes, set[str]]:
    """`invariant` leaves out the time and random ids."""
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1, pageCompression=1)
    title = _("Bill number %(number)s") % {"number": invoice.number}
    canvas.setTitle(title)
    canvas.setAuthor(issuer.partition("|")[0])
    page = _Page(canvas, font)
    page.head(title, invoice, business, issuer)
    for line in lines:
        page.row(line)
    page.total(invoice)
    page.end()
    canvas.save()
    return buffer.getvalue(), page.characters


class _Page:
    """Writes downwards and begins a new page when one is full."""

    def __init__(self, canvas: Canvas, font: str) -> None:
        self.canvas, self.font, self.y, self.number = canvas, font, TOP, 1
        # Those that Helvetica lacks.
        self.characters: set[str] = set()

    def head(self, title: str, invoice: Invoice, business: str, issuer: str) -> None:
        for part in [part.strip() for part in issuer.split("|") if part.strip()]:
            self.text(LEFT, part, size=10, ink=_MUTED)
            self.y -= 14
        self.y -= 26
        self.text(LEFT, title, size=22, ink=_ACCENT)
        self.y -= 30
        facts = (
            (_("For"), business),
            (_("Period"), _period(invoice)),
            (_("Closed on"), date_format(localtime(invoice.created_at), "DATE_FORMAT")),
            (_("Currency"), invoice.currency),
        )
        for name, value in facts:
            self.text(LEFT, name, size=10, ink=_MUTED)
            self.text(LEFT + 90, value, size=10)
            self.y -= 16
        self.y -= 14
        self.columns()

    def columns(self) -> None:
        self.text(LEFT, _("What for"), size=9, ink=_MUTED)
        self.text(_TOKENS, _("Tokens"), size=9, ink=_MUTED, to_right=True)
        self.text(_PRICE, _("A million"), size=9, ink=_MUTED, to_right=True)
        self.text(RIGHT, _("Amount"), size=9, ink=_MUTED, to_right=True)
        self.rule()

    def row(self, line: InvoiceLine) -> None:
        model = line_model(line)
        self.room(ROW + (11 if model else 0))
        self.text(LEFT, _shortened(line_words(line), 58), size=10)
        if line.per_million is not None:
            self.text(_TOKENS, f"{line.tokens:,}", size=10, to_right=True)
            self.text(_PRICE, amount_text(line.per_million), size=10, to_right=True)
        self.text(RIGHT, _cents(line.amount), size=10, to_right=True)
        if model:
            self.y -= 11
            self.text(LEFT, _shortened(model, 58), size=8, ink=_MUTED)
        self.rule()

    def total(self, invoice: Invoice) -> None:
        self.room(110)
        self.y -= 10
        self.text(LEFT, _("To pay"), size=13)
        self.text(RIGHT, f"{_cents(invoice.total)} {invoice.currency}", size=18, to_right=True)
        self.y -= 34
        note = _("This bill lists what was used. It does not stand in for an official tax invoice.")
        self.text(LEFT, note, size=8, ink=_MUTED)
        self.y -= 12
        self.text(LEFT, f"SHA-256 {invoice.digest}", size=7, ink=_MUTED)

    def room(self, height: int) -> None:
        if self.y - height < BOTTOM:
            self.end()
            self.canvas.showPage()
            self.y, self.number = TOP, self.number + 1
            self.columns()

    def end(self) -> None:
        self.y = BOTTOM - 30
        self.text(RIGHT, str(self.number), size=8, ink=_MUTED, to_right=True)

    def rule(self) -> None:
        self.canvas.setStrokeColor(_LINE)
        self.canvas.setLineWidth(1)
        self.canvas.line(LEFT, self.y - 6, RIGHT, self.y - 6)
        self.y -= ROW

    def text(
        self,
        x: int,
        words: str,
        *,
        size: int,
        ink: Any = _INK,
        to_right: bool = False,
    ) -> None:
        """Each run of characters in the font that has them."""
        runs = [(font, words, stringWidth(words, font, size)) for font, words in self._runs(words)]
        self.canvas.setFillColor(ink)
        left = x - sum(width for _, _, width in runs) if to_right else x
        for font, run, width in runs:
            self.canvas.setFont(font, size)
            self.canvas.drawString(left, self.y, run)
            left += width

    def _runs(self, words: str) -> Iterator[tuple[str, str]]:
        for is_latin, run in groupby(words, _is_latin):
            text = "".join(run)
            if not is_latin:
                self.characters.update(text)
            yield LATIN if is_latin else self.font, text


def _is_latin(character: str) -> bool:
    """Whether Helvetica has it."""
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _period(invoice: Invoice) -> str:
    return date_format(invoice.period_start, "YEAR_MONTH_FORMAT")


def _cents(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _shortened(words: str, most: int) -> str:
    """A Chinese character is as wide as two letters."""
    room, kept = most, 0
    for character in words:
        room -= 1 if character.isascii() else 2
        if room < 0:
            return words[:kept].rstrip() + "…"
        kept += 1
    return words
