"""Invoices: a month of a tenant, frozen. What is recorded later for that month lands on the next one."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from furrow.core.context import tenant_tx, unscoped
from furrow.core.errors import Conflict, NotFound
from furrow.metering.attribution import WALLET
from furrow.metering.balances import Gate, gate_pass
from furrow.metering.models import Account, Invoice, InvoiceLine, LedgerLine
from furrow.metering.money import ZERO, amount_text, cents, exact
from furrow.metering.news import news_tell
from furrow.metering.posting import Entry, entry_post

# For receipts that come late, and then for transactions that were open at the cutoff.
GRACE = timedelta(hours=1)
SETTLING = timedelta(minutes=2)


@dataclass(frozen=True)
class _Span:
    """What an invoice covers: recorded before `cutoff` for before `end`, unless an earlier one has it."""

    start: date
    end: date
    begins: datetime
    ends: datetime
    cutoff: datetime
    earlier_end: datetime | None
    earlier_cutoff: datetime | None

    def values(self, gate: Gate) -> dict[str, Any]:
        return {
            "tenant": gate.tenant_id,
            "currency": gate.currency,
            "ends": self.ends,
            "cutoff": self.cutoff,
            "earlier_ends": self.earlier_end,
            "earlier_cutoff": self.earlier_cutoff,
            "wallet": WALLET,
        }


def invoice_close(*, month: date) -> Invoice:
    """Closes the month that `month` lies in, once; inside `tenant_tx`. Raises `Conflict` until an hour after
    its end, by the database's clock.
    """
    gate = gate_pass()
    start = month.replace(day=1)
    known: Invoice | None = Invoice.objects.filter(
        period_start=start, currency=gate.currency
    ).first()
    if known is not None:
        return known
    span = _span(gate, start)
    values = span.values(gate)
    lines = [*_usage_lines(values), *_other_lines(values)]
    total = cents(sum((line.exact for line in lines), ZERO))
    lines += _rounding(lines, total)
    for position, line in enumerate(lines, start=1):
        line.position = position
    invoice = _invoice_of(gate, span, values, total)
    invoice.digest = _digest(_document(invoice, lines))
    invoice.save(force_insert=True)
    for line in lines:
        line.invoice_id, line.tenant_id = invoice.id, gate.tenant_id
    InvoiceLine.objects.bulk_create(lines)
    _round_ledger(gate, span, invoice, lines)
    _tell(invoice)
    return invoice


def _span(gate: Gate, start: date) -> _Span:
    zone = ZoneInfo(settings.TIME_ZONE)
    end = (start + timedelta(days=32)).replace(day=1)
    ends = datetime.combine(end, time(), zone)
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        now = cursor.fetchone()[0]
    if now < ends + GRACE + SETTLING:
        raise Conflict("This month is not over yet.", code="month_open")
    earlier = Invoice.objects.filter(currency=gate.currency).order_by("-period_start").first()
    if earlier is not None and earlier.period_start > start:
        raise Conflict("A later month is closed already.", code="month_skipped")
    return _Span(
        start=start,
        end=end,
        begins=datetime.combine(start, time(), zone),
        ends=ends,
        cutoff=ends + GRACE,
        earlier_end=datetime.combine(earlier.period_end, time(), zone) if earlier else None,
        earlier_cutoff=earlier.cutoff if earlier else None,
    )


_MINE = """
 tenant_id = %(tenant)s AND currency = %(currency)s AND {at} < %(ends)s AND created_at < %(cutoff)s
 AND NOT (%(earlier_ends)s::timestamptz IS NOT NULL AND {at} < %(earlier_ends)s
          AND created_at < %(earlier_cutoff)s)
"""
_EVENTS = _MINE.format(at="started_at")
_ENTRIES = _MINE.format(at="occurred_at")

_BY_PRICE = f"""
SELECT e.kind, e.model, b.bucket, (e.prices -> b.bucket ->> 1)::numeric AS price, sum(b.tokens),
       sum(b.cost)
  FROM (SELECT * FROM metering_usageevent WHERE {_EVENTS}) e,
       LATERAL (VALUES ('in_hit', e.in_hit, e.cost_in_hit), ('in_miss', e.in_miss, e.cost_in_miss),
                       ('out', e.out, e.cost_out), ('reasoning', e.reasoning, e.cost_reasoning))
       AS b(bucket, tokens, cost)
 WHERE b.tokens <> 0 OR b.cost <> 0
 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""  # noqa: S608  fixed texts
_PAID = f"""
SELECT coalesce(sum(absorbed), 0), coalesce(sum(charged) FILTER (WHERE %(wallet)s = ANY(scopes)), 0)
  FROM metering_usageevent WHERE {_EVENTS}
"""  # noqa: S608  fixed texts
_ADJUSTED = f"""
SELECT note, sum(debit - credit) FROM metering_ledgerline
 WHERE account = 'receivable' AND reason IN ('adjustment', 'reversal') AND {_ENTRIES}
 GROUP BY txn, note, created_at ORDER BY created_at, txn
"""  # noqa: S608  fixed texts
_SOURCE = f"""
SELECT count(*), coalesce(max(book_version), 0),
       encode(sha256(coalesce(string_agg(id::text, ',' ORDER BY id), '')::bytea), 'hex')
  FROM metering_usageevent WHERE {_EVENTS}
"""  # noqa: S608  fixed texts


def _usage_lines(values: dict[str, Any]) -> list[InvoiceLine]:
    with connection.cursor() as cursor:
        cursor.execute(_BY_PRICE, values)
        rows = cursor.fetchall()
    return [
        InvoiceLine(
            kind=kind,
            model=model,
            bucket=bucket,
            per_million=price,
            tokens=int(tokens),
            exact=exact(cost),
            amount=cents(cost),
        )
        for kind, model, bucket, price, tokens, cost in rows
    ]


def _other_lines(values: dict[str, Any]) -> list[InvoiceLine]:
    """What we took on ourselves, what credit paid, and what was adjusted."""
    with connection.cursor() as cursor:
        cursor.execute(_PAID, values)
        absorbed, prepaid = cursor.fetchone()
        cursor.execute(_ADJUSTED, values)
        adjusted = cursor.fetchall()
    found = [("absorbed", "", -absorbed), ("prepaid", "", -prepaid)]
    found += [("adjustment", note, amount) for note, amount in adjusted]
    return [
        InvoiceLine(kind=kind, model=note[:160], exact=exact(amount), amount=cents(amount))
        for kind, note, amount in found
        if amount
    ]


def _rounding(lines: list[InvoiceLine], total: Decimal) -> list[InvoiceLine]:
    """The line that makes rounded lines add up to the rounded sum."""
    residue = total - sum((line.amount for line in lines), ZERO)
    whole = sum((line.exact for line in lines), ZERO)
    if not residue and total == whole:
        return []
    return [InvoiceLine(kind="rounding", exact=exact(total - whole), amount=cents(residue))]


def _invoice_of(gate: Gate, span: _Span, values: dict[str, Any], total: Decimal) -> Invoice:
    with connection.cursor() as cursor:
        cursor.execute(_SOURCE, values)
        count, book_version, digest = cursor.fetchone()
    last = Invoice.objects.order_by("-number").values_list("number", flat=True).first()
    return Invoice(
        tenant_id=gate.tenant_id,
        number=(last or 0) + 1,
        period_start=span.start,
        period_end=span.end,
        cutoff=span.cutoff,
        currency=gate.currency,
        total=total,
        book_version=book_version,
        events_count=count,
        events_digest=digest,
    )


def _round_ledger(gate: Gate, span: _Span, invoice: Invoice, lines: list[InvoiceLine]) -> None:
    """Books what rounding changed, so that the ledger owes exactly what the invoice says."""
    change = sum((line.exact for line in lines if line.kind == "rounding"), ZERO)
    if change:
        book = LedgerLine.Account
        entry = Entry("rounding", [], span.begins, note=f"invoice {invoice.number}")
        entry_post(gate, entry, [(book.RECEIVABLE, change), (book.ADJUSTMENTS, -change)])


def _tell(invoice: Invoice) -> None:
    news = {
        "tenant_id": str(invoice.tenant_id),
        "invoice_id": str(invoice.id),
        "number": invoice.number,
        "period_start": invoice.period_start.isoformat(),
        "period_end": invoice.period_end.isoformat(),
        "total": amount_text(invoice.total),
        "currency": invoice.currency,
    }
    news_tell("invoice.closed", news)


def invoice_get(invoice_id: UUID) -> Invoice:
    invoice: Invoice | None = Invoice.objects.filter(id=invoice_id).first()
    if invoice is None:
        raise NotFound("This invoice does not exist.")
    return invoice


def invoice_document(invoice: Invoice) -> str:
    """The invoice as canonical JSON, the same bytes each time; refuses one whose rows were tampered with."""
    lines = list(InvoiceLine.objects.filter(invoice=invoice).order_by("position"))
    text = _document(invoice, lines)
    if _digest(text) != invoice.digest:
        raise Conflict("This invoice is not what was closed.", code="invoice_altered")
    return text


def _document(invoice: Invoice, lines: list[InvoiceLine]) -> str:
    document = {
        "number": invoice.number,
        "period_start": invoice.period_start.isoformat(),
        "period_end": invoice.period_end.isoformat(),
        "currency": invoice.currency,
        "book_version": invoice.book_version,
        "events": {"count": invoice.events_count, "sha256": invoice.events_digest},
        "lines": [line_data(line) for line in lines],
        "total": amount_text(invoice.total),
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def line_data(line: InvoiceLine) -> dict[str, Any]:
    """A line as JSON, amounts as decimal text."""
    return {
        "position": line.position,
        "kind": line.kind,
        "model": line.model,
        "bucket": line.bucket,
        "tokens": line.tokens,
        "per_million": None if line.per_million is None else amount_text(line.per_million),
        "exact": amount_text(line.exact),
        "amount": amount_text(line.amount),
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def invoices_close_due(today: date) -> int:
    """Closes last month for every tenant that has an account; how many invoices there are then."""
    month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    with unscoped("find the accounts whose month is to be closed"):
        due = list(
            Account.objects.exclude(
                tenant_id__in=Invoice.objects.filter(period_start=month).values("tenant_id")
            ).values_list("tenant_id", flat=True)
        )
    closed = 0
    for tenant_id in due:
        with tenant_tx(tenant_id):
            closed += invoice_close(month=month) is not None
    return closed
