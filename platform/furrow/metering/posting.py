"""Entries in the ledger and what follows from them: balances, thresholds, hours to compute again."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from django.db import connection

from furrow.metering.attribution import WALLET
from furrow.metering.balances import (
    Gate,
    balance_values,
    balances_ensure,
    balances_post,
)
from furrow.metering.models import LedgerLine, UsageEvent
from furrow.metering.money import ZERO, amount_text
from furrow.metering.news import news_tell
from furrow.metering.trips import one_row

Account = LedgerLine.Account


@dataclass(frozen=True)
class Entry:
    """What one transaction of the ledger is about."""

    reason: str
    scopes: list[str]
    occurred_at: datetime
    note: str = ""
    event_id: UUID | None = None


def event_post(gate: Gate, event: UsageEvent) -> None:
    """Books an event and notes its hour. Behind the gate, in the event's transaction."""
    if event.cost or event.charged:
        paid_from = Account.WALLET if WALLET in event.scopes else Account.RECEIVABLE
        reason = "correction" if event.corrects_id else "usage"
        entry_post(
            gate,
            Entry(reason, event.scopes, event.started_at, event_id=event.id),
            [
                (paid_from, event.charged),
                (Account.ABSORBED, event.absorbed),
                (Account.REVENUE, -event.cost),
            ],
        )
    hour_touch(gate, event.id)


# Of one entry at once: the database looks at each statement whether it balances.
_LINES = """
INSERT INTO metering_ledgerline (id, tenant_id, txn, account, debit, credit, currency, reason, note,
                                 event_id, scopes, occurred_at)
SELECT gen_random_uuid(), %s, %s, line.account, greatest(line.amount, 0), greatest(-line.amount, 0), %s, %s, %s,
       %s, %s, %s
  FROM unnest(%s::text[], %s::numeric[]) AS line(account, amount)
"""


def entry_post(gate: Gate, entry: Entry, amounts: Iterable[tuple[str, Decimal]]) -> UUID:
    """Books signed amounts (debit above 0, credit below) that add up to 0; what falls on the tenant's wallet
    or receivable is posted to its balances.
    """
    txn = uuid4()
    lines = [(account, amount) for account, amount in amounts if amount]
    values = balance_values(gate, entry.scopes, entry.occurred_at)
    # Rows that are made now count the ledger as it stands before these lines.
    balances_ensure(values)
    with connection.cursor() as cursor:
        cursor.execute(
            _LINES,
            (
                gate.tenant_id, txn, gate.currency, entry.reason, entry.note, entry.event_id,
                entry.scopes, entry.occurred_at, [name for name, _ in lines],
                [amount for _, amount in lines],
            ),
        )  # fmt: skip
    spent = sum((a for name, a in lines if name in {Account.WALLET, Account.RECEIVABLE}), ZERO)
    if spent:
        ids = balances_post(values, amount=spent)
        if spent > 0:
            found = one_row(
                "SELECT metering_notices(%s, %s::uuid[], %s)", (gate.tenant_id, ids, spent)
            )[0]
            thresholds_tell(found or "[]")
    return txn


def thresholds_tell(notices: str) -> None:
    """Tells who listens of the soft thresholds passed just now (JSON), after the commit."""
    for notice in json.loads(notices):
        amounts = {name: amount_text(Decimal(notice[name])) for name in ("posted", "cap")}
        news_tell("budget.threshold", notice | amounts)


# A row for each event, never shared: a run that takes rows away can only take those whose event it sees.
_TOUCH = """
INSERT INTO metering_rollupdue (id, tenant_id, hour, created_at)
SELECT gen_random_uuid(), tenant_id, date_trunc('hour', started_at, 'UTC'), statement_timestamp()
  FROM metering_usageevent WHERE tenant_id = %s AND id = %s
"""


def hour_touch(gate: Gate, event_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TOUCH, [gate.tenant_id, event_id])
