"""Entries in the ledger and what follows from them: balances, thresholds, hours to compute again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction

from furrow.core.extensions import extensions
from furrow.metering.attribution import WALLET
from furrow.metering.balances import (
    ENSURE,
    GATE,
    MATCHING,
    Gate,
    Moved,
    balance_values,
    balances_ensure,
    balances_post,
    last_rows,
)
from furrow.metering.models import BudgetNotice, LedgerLine, UsageEvent
from furrow.metering.money import ZERO, amount_text

Account = LedgerLine.Account
_HUNDRED = Decimal(100)
# All but what the database fills in.
EVENT_FIELDS: dict[str, Any] = {
    str(field.column): field
    for field in UsageEvent._meta.local_concrete_fields
    if field.column != "created_at"
}
EVENT_COLUMNS = tuple(EVENT_FIELDS)


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


# The common case of a settlement as one message: nothing happens unless the hold is open and the attempt is
# new, and then everything does.
_SETTLE = f"""
{GATE};
{ENSURE};
WITH closed AS (
    UPDATE metering_hold SET state = 'settled', closed_at = statement_timestamp()
     WHERE tenant_id = %(tenant)s AND id = %(hold)s AND state = 'open' AND NOT EXISTS (
        SELECT 1 FROM metering_usageevent WHERE tenant_id = %(tenant)s AND source = %(source)s
           AND source_id = %(source_id)s AND attempt = %(attempt)s AND basis <> 'corrected')
    RETURNING amount, balance_ids
), moved AS (
    UPDATE metering_balance b
       SET posted = b.posted + CASE WHEN {MATCHING} THEN %(charged)s ELSE 0 END,
           held = b.held - CASE WHEN b.id = ANY(closed.balance_ids) THEN closed.amount ELSE 0 END
      FROM closed
     WHERE b.tenant_id = %(tenant)s AND (b.id = ANY(closed.balance_ids) OR ({MATCHING}))
    RETURNING b.id, b.scope, b.period, b.posted, b.cap_soft, b.cap_hard, b.thresholds
), event AS (
    INSERT INTO metering_usageevent ({", ".join(f'"{name}"' for name in EVENT_COLUMNS)})
    SELECT {", ".join(f"%({name})s" for name in EVENT_COLUMNS)} FROM closed
), lines AS (
    INSERT INTO metering_ledgerline (id, tenant_id, txn, account, debit, credit, currency, reason, note,
                                     event_id, scopes, occurred_at)
    SELECT gen_random_uuid(), %(tenant)s, %(txn)s, line.account, line.debit, line.credit, %(currency)s,
           'usage', '', %(id)s, %(scopes)s, %(moment)s
      FROM closed, (VALUES (%(payer)s, %(charged)s::numeric, 0::numeric),
                           ('absorbed', %(absorbed)s::numeric, 0::numeric),
                           ('revenue', 0::numeric, %(cost)s::numeric)) AS line(account, debit, credit)
     WHERE line.debit + line.credit > 0
), due AS (
    INSERT INTO metering_rollupdue (id, tenant_id, hour, created_at)
    SELECT gen_random_uuid(), %(tenant)s, date_trunc('hour', %(moment)s, 'UTC'), statement_timestamp()
      FROM closed
)
SELECT * FROM moved
"""  # noqa: S608  fixed texts


def settle_at_once(event: UsageEvent) -> bool:
    """Settles the open hold of a new event and posts it; False, and nothing done, when it was not open or the
    attempt is known.
    """
    gate = Gate(event.tenant_id, event.currency, WALLET in event.scopes)
    values: dict[str, Any] = {
        name: field.get_db_prep_save(getattr(event, field.attname), connection)
        for name, field in EVENT_FIELDS.items()
    }
    values |= balance_values(gate, event.scopes, event.started_at)
    values |= {
        "hold": event.hold_id,
        "txn": uuid4(),
        "payer": Account.WALLET if gate.is_prepaid else Account.RECEIVABLE,
    }
    moved = [Moved(*row) for row in last_rows(_SETTLE, values)]
    for balance in moved if event.charged else ():
        _thresholds(balance, event.charged)
    return bool(moved)


_LINE = """
INSERT INTO metering_ledgerline (id, tenant_id, txn, account, debit, credit, currency, reason, note,
                                 event_id, scopes, occurred_at)
VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def entry_post(gate: Gate, entry: Entry, amounts: Iterable[tuple[str, Decimal]]) -> UUID:
    """Books signed amounts (debit above 0, credit below) that add up to 0; what falls on the tenant's wallet
    or receivable is posted to its balances.
    """
    txn = uuid4()
    lines = [(account, amount) for account, amount in amounts if amount]
    rows = [
        (
            gate.tenant_id, txn, account, max(amount, ZERO), max(-amount, ZERO), gate.currency,
            entry.reason, entry.note, entry.event_id, entry.scopes, entry.occurred_at,
        )
        for account, amount in lines
    ]  # fmt: skip
    values = balance_values(gate, entry.scopes, entry.occurred_at)
    # Rows that are made now count the ledger as it stands before these lines.
    balances_ensure(values)
    with connection.cursor() as cursor:
        cursor.executemany(_LINE, rows)
    spent = sum((a for name, a in lines if name in {Account.WALLET, Account.RECEIVABLE}), ZERO)
    if spent:
        for moved in balances_post(values, amount=spent):
            _thresholds(moved, spent)
    return txn


def _thresholds(moved: Moved, spent: Decimal) -> None:
    """Notes each soft threshold passed just now, once a period, and tells who listens."""
    cap = moved.cap_soft if moved.cap_soft is not None else moved.cap_hard
    if not cap:
        return
    before = moved.posted - spent
    for percent in moved.thresholds:
        level = cap * percent / _HUNDRED
        if before < level <= moved.posted:
            notice = BudgetNotice(balance_id=moved.id, percent=percent, posted=moved.posted)
            _notice_store(notice, moved, cap)


def _notice_store(notice: BudgetNotice, moved: Moved, cap: Decimal) -> None:
    _, is_new = BudgetNotice.objects.get_or_create(
        balance_id=notice.balance_id, percent=notice.percent, defaults={"posted": notice.posted}
    )
    if not is_new:
        return
    news = {
        "scope": moved.scope,
        "period": moved.period,
        "percent": notice.percent,
        "posted": amount_text(moved.posted),
        "cap": amount_text(cap),
    }
    for listener in list(extensions.listeners.values()):
        transaction.on_commit(lambda tell=listener: tell("budget.threshold", news))  # type: ignore[misc]


# A row for each event, never shared: a run that takes rows away can only take those whose event it sees.
_TOUCH = """
INSERT INTO metering_rollupdue (id, tenant_id, hour, created_at)
SELECT gen_random_uuid(), tenant_id, date_trunc('hour', started_at, 'UTC'), statement_timestamp()
  FROM metering_usageevent WHERE tenant_id = %s AND id = %s
"""


def hour_touch(gate: Gate, event_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TOUCH, [gate.tenant_id, event_id])
