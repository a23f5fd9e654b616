"""Compares what server, receipts, events and balances say. Closed windows must not differ by one token."""

import re
from dataclasses import dataclass
from decimal import Decimal

import httpx
from django.db import connection

from furrow.core.context import unscoped
from furrow.core.logs import get_logger
from furrow.metering.balances import balances_drift
from furrow.metering.models import ReceiptSource, Reconciliation
from furrow.metering.money import ZERO, amount_text
from furrow.metering.receipt_pages import OWN

log = get_logger(__name__)
_COUNTER = re.compile(r"^\w+_tokens_total\{[^}]*\} (\S+)$", re.MULTILINE)

# Tokens of our receipts (those with a hold) beside the net tokens of the events they were settled into.
_TOKENS = """
WITH ours AS (
    SELECT r.in_hit + r.in_miss + r.out + r.reasoning AS tokens, h.tenant_id, h.request_id,
           CASE WHEN r.request_id ~ '\\.[0-9]{1,4}$'
                THEN substring(r.request_id from '[0-9]+$')::int ELSE 1 END AS attempt
      FROM metering_receipt r
      JOIN metering_hold h ON h.source = r.source
       AND h.request_id = regexp_replace(r.request_id, '\\.[0-9]{1,4}$', '')
     WHERE r.source = %(source)s
)
SELECT coalesce(sum(o.tokens), 0), coalesce(sum(e.tokens), 0), count(*)
  FROM ours o LEFT JOIN LATERAL (
    SELECT sum(in_hit + in_miss + out + reasoning) AS tokens FROM metering_usageevent e
     WHERE e.tenant_id = o.tenant_id AND e.source = %(source)s AND e.source_id = o.request_id
       AND e.attempt = o.attempt) e ON true
"""
_REST = """
SELECT (SELECT count(*) FROM metering_receipt WHERE source = %(source)s),
       (SELECT coalesce(sum(in_hit + in_miss + out + reasoning), 0) FROM metering_receipt
         WHERE source = %(source)s
           AND boot_id = (SELECT boot_id FROM metering_receiptsource WHERE name = %(source)s)),
       (SELECT count(*) FROM metering_hold
         WHERE state = 'open' AND expires_at < statement_timestamp() - interval '5 minutes'),
       (SELECT count(*) FROM metering_usageevent e
         WHERE e.cost = 0 AND e.basis <> 'corrected' AND e.in_hit + e.in_miss + e.out + e.reasoning > 0
           AND EXISTS (SELECT 1 FROM metering_priceitem p
                        WHERE p.id = ANY(e.price_ids) AND p.per_million > 0)
           AND NOT EXISTS (SELECT 1 FROM metering_priceitem p
                            WHERE p.id = ANY(e.price_ids) AND p.per_million = 0))
"""


@dataclass(frozen=True)
class Report:
    """`engine_tokens` and `boot_tokens` cover the server's present run; None when it was not asked."""

    engine_tokens: int | None
    boot_tokens: int
    receipt_tokens: int
    event_tokens: int
    balance_difference: Decimal
    held_difference: Decimal
    missing_receipts: int
    foreign_receipts: int
    overdue_holds: int
    free_events: int

    @property
    def is_clean(self) -> bool:
        engine_agrees = self.engine_tokens is None or self.engine_tokens == self.boot_tokens
        return (
            engine_agrees
            and self.receipt_tokens == self.event_tokens
            and not any(
                (
                    self.balance_difference,
                    self.held_difference,
                    self.missing_receipts,
                    self.overdue_holds,
                    self.free_events,
                )
            )
        )


def reconcile(*, source: str = OWN, client: httpx.Client | None = None) -> Report:
    """Compares, keeps the result and raises the alarm in the log when anything differs. Call it after the
    receipts were pulled; with a `client` the server's own counters are compared too.
    """
    engine = None if client is None else engine_tokens(client)
    values = {"source": source}
    with unscoped("compare the sums of all tenants"), connection.cursor() as cursor:
        cursor.execute(_TOKENS, values)
        receipt_tokens, event_tokens, ours = cursor.fetchone()
        cursor.execute(_REST, values)
        receipts, boot_tokens, overdue, free = cursor.fetchone()
        drift = balances_drift()
        state = ReceiptSource.objects.filter(name=source).first()
        report = Report(
            engine_tokens=engine,
            boot_tokens=int(boot_tokens),
            receipt_tokens=int(receipt_tokens),
            event_tokens=int(event_tokens),
            balance_difference=sum((abs(row.posted) for row in drift), ZERO),
            held_difference=sum((abs(row.held) for row in drift), ZERO),
            missing_receipts=state.missing if state else 0,
            foreign_receipts=receipts - ours,
            overdue_holds=overdue,
            free_events=free,
        )
        _keep(source, report)
    if not report.is_clean:
        log.error(
            "reconciliation_differs",
            source=source,
            receipt_tokens=report.receipt_tokens,
            event_tokens=report.event_tokens,
            balance_difference=amount_text(report.balance_difference),
            missing_receipts=report.missing_receipts,
            overdue_holds=report.overdue_holds,
        )
    return report


def _keep(source: str, report: Report) -> None:
    fields = {name: value for name, value in vars(report).items() if name != "boot_tokens"}
    Reconciliation.objects.create(source=source, is_clean=report.is_clean, **fields)


def engine_tokens(client: httpx.Client) -> int | None:
    """The sum of the server's token counters since it started; None when it has none to show."""
    try:
        response = client.get("/metrics")
        response.raise_for_status()
    except httpx.HTTPError:
        return None
    found = _COUNTER.findall(response.text)
    return sum(int(Decimal(value)) for value in found) if found else None


def reconciliation_latest(source: str = OWN) -> Reconciliation | None:
    """The last comparison, for the operator's page."""
    with unscoped("show the operator the last comparison"):
        return Reconciliation.objects.filter(source=source).order_by("-created_at").first()
