"""Invoices: frozen when they are closed."""

from django.db import models

from furrow.core.models import TenantForeignKey
from furrow.metering.models.base import MoneyModel, amount_field


class Invoice(MoneyModel):
    """`cutoff` is the last moment at which an event of the period could still be recorded for this invoice;
    later ones land on the next. `digest` is that of the document, `events_digest` of what it was made from.
    """

    number = models.PositiveIntegerField()
    period_start = models.DateField()
    period_end = models.DateField()
    cutoff = models.DateTimeField()
    currency = models.CharField(max_length=3)
    total = amount_field()
    book_version = models.PositiveIntegerField()
    events_count = models.BigIntegerField()
    events_digest = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="invoice_number_once"),
            models.UniqueConstraint(
                fields=["tenant", "currency", "period_start"], name="invoice_period_once"
            ),
        ]

    def __str__(self) -> str:
        return f"invoice {self.number}"


class InvoicePaper(MoneyModel):
    """The PDF as it was first given out. Kept, because drawing it again with a later version of this software,
    another name of the business or another issuer would give other bytes.
    """

    invoice = TenantForeignKey(Invoice, models.PROTECT, related_name="papers")
    language = models.CharField(max_length=10)
    content = models.BinaryField()
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "invoice"], name="invoice_paper_once"),
        ]

    def __str__(self) -> str:
        return f"paper of {self.invoice_id}"


class InvoiceLine(MoneyModel):
    """`exact` at twelve decimals, `amount` rounded once to what can be paid."""

    invoice = TenantForeignKey(Invoice, models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    model = models.CharField(max_length=160, blank=True)
    bucket = models.CharField(max_length=10, blank=True)
    tokens = models.BigIntegerField(default=0)
    per_million = models.DecimalField(max_digits=18, decimal_places=9, null=True)
    exact = amount_field()
    amount = amount_field()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "invoice", "position"], name="invoice_line_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"
