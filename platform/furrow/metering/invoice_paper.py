"""An invoice as PDF. Drawn once and kept: what is given out later is the same file, byte for byte."""

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from furrow.metering.balances import gate_pass
from furrow.metering.invoice_words import line_model, line_words
from furrow.metering.invoices import invoice_document
from furrow.metering.models import Invoice, InvoiceLine, InvoicePaper
from furrow.metering.money import amount_text
from furrow.metering.paper import (
    ACCENT,
    LEFT,
    MUTED,
    RIGHT,
    ROW,
    Paper,
    paper_drawn,
    shortened,
)

_TOKENS, _PRICE = RIGHT - 150, RIGHT - 75


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
    return paper_drawn(lambda font: _draw(invoice, lines, business, issuer, font))


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


class _Page(Paper):
    def head(self, title: str, invoice: Invoice, business: str, issuer: str) -> None:
        for part in [part.strip() for part in issuer.split("|") if part.strip()]:
            self.text(LEFT, part, size=10, ink=MUTED)
            self.y -= 14
        self.y -= 26
        self.text(LEFT, title, size=22, ink=ACCENT)
        self.y -= 30
        facts = (
            (_("For"), business),
            (_("Period"), _period(invoice)),
            (_("Closed on"), date_format(localtime(invoice.created_at), "DATE_FORMAT")),
            (_("Currency"), invoice.currency),
        )
        for name, value in facts:
            self.text(LEFT, name, size=10, ink=MUTED)
            self.text(LEFT + 90, value, size=10)
            self.y -= 16
        self.y -= 14
        self.columns()

    def columns(self) -> None:
        self.text(LEFT, _("What for"), size=9, ink=MUTED)
        self.text(_TOKENS, _("Tokens"), size=9, ink=MUTED, to_right=True)
        self.text(_PRICE, _("A million"), size=9, ink=MUTED, to_right=True)
        self.text(RIGHT, _("Amount"), size=9, ink=MUTED, to_right=True)
        self.rule()

    def row(self, line: InvoiceLine) -> None:
        model = line_model(line)
        self.room(ROW + (11 if model else 0))
        self.text(LEFT, shortened(line_words(line), 58), size=10)
        if line.per_million is not None:
            self.text(_TOKENS, f"{line.tokens:,}", size=10, to_right=True)
            self.text(_PRICE, amount_text(line.per_million), size=10, to_right=True)
        self.text(RIGHT, _cents(line.amount), size=10, to_right=True)
        if model:
            self.y -= 11
            self.text(LEFT, shortened(model, 58), size=8, ink=MUTED)
        self.rule()

    def total(self, invoice: Invoice) -> None:
        self.room(110)
        self.y -= 10
        self.text(LEFT, _("To pay"), size=13)
        self.text(RIGHT, f"{_cents(invoice.total)} {invoice.currency}", size=18, to_right=True)
        self.y -= 34
        note = _("This bill lists what was used. It does not stand in for an official tax invoice.")
        self.text(LEFT, note, size=8, ink=MUTED)
        self.y -= 12
        self.text(LEFT, f"SHA-256 {invoice.digest}", size=7, ink=MUTED)


def _period(invoice: Invoice) -> str:
    return date_format(invoice.period_start, "YEAR_MONTH_FORMAT")


def _cents(amount: Decimal) -> str:
    return f"{amount:,.2f}"
