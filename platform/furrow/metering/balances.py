"""Accounts and balances: the gate each change of a tenant's money passes, and the rows it is counted in."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from furrow.core.context import current_tenant_id
from furrow.metering.models import Account, Balance
from furrow.metering.money import DEFAULT_CURRENCY, ZERO

GATE = "SELECT id, currency, is_prepaid FROM metering_account WHERE tenant_id = %(tenant)s FOR NO KEY UPDATE"


@dataclass(frozen=True)
class Gate:
    """The tenant's account, locked until the transaction ends."""

    tenant_id: UUID
    currency: str
    is_prepaid: bool


def gate_pass() -> Gate:
    """Locks the tenant's account: what follows sees every earlier change of its money. Made on first use."""
    tenant_id = current_tenant_id()
    with connection.cursor() as cursor:
        cursor.execute(GATE, {"tenant": tenant_id})
        row = cursor.fetchone()
        if row is None:
            account = Account(tenant_id=tenant_id, currency=DEFAULT_CURRENCY)
            Account.objects.bulk_create([account], ignore_conflicts=True)
            cursor.execute(GATE, {"tenant": tenant_id})
            row = cursor.fetchone()
    return Gate(tenant_id, row[1], row[2])


def account_read() -> Gate:
    """The same without the lock, for what is prepared before the gate. Made on first use."""
    found = Account.objects.values_list("tenant_id", "currency", "is_prepaid").first()
    return gate_pass() if found is None else Gate(*found)


# What the ledger says a scope has spent in the period that `moment` lies in.
_POSTED = """
SELECT coalesce(sum(l.debit - l.credit), 0) FROM metering_ledgerline l
 WHERE l.tenant_id = {tenant} AND l.currency = {currency} AND l.account IN ('wallet', 'receivable')
   AND {scope} = ANY(l.scopes)
   AND metering_period_start({period}, l.occurred_at, %(zone)s) = {start}
"""

# A budget named for the scope comes before one for each of its kind; the tenant's month is always counted.
ENSURE = f"""
INSERT INTO metering_balance (id, tenant_id, scope, period, period_start, currency, posted, held,
                              cap_soft, cap_hard, thresholds, budget_id)
SELECT gen_random_uuid(), %(tenant)s, w.scope, w.period,
       metering_period_start(w.period, %(moment)s, %(zone)s), %(currency)s,
       ({
    _POSTED.format(
        tenant="%(tenant)s",
        currency="%(currency)s",
        scope="w.scope",
        period="w.period",
        start="metering_period_start(w.period, %(moment)s, %(zone)s)",
    )
}), 0, w.cap_soft, w.cap_hard, w.thresholds, w.budget_id
  FROM (
    SELECT DISTINCT ON (scope, period) * FROM (
        SELECT s.scope, g.period, g.cap_soft, g.cap_hard, g.thresholds, g.id AS budget_id,
               CASE g.scope_id WHEN '*' THEN 1 ELSE 2 END AS rank
          FROM unnest(%(scopes)s::text[]) AS s(scope)
          JOIN metering_budget g ON g.tenant_id = %(tenant)s AND g.currency = %(currency)s
           AND g.is_active AND g.scope_kind = split_part(s.scope, ':', 1)
           AND g.scope_id IN (substr(s.scope, strpos(s.scope || ':', ':') + 1), '*')
        UNION ALL
        SELECT 'tenant', 'month', NULL, NULL, '{{}}'::smallint[], NULL, 0
    ) AS found ORDER BY scope, period, rank DESC
  ) AS w
 WHERE NOT EXISTS (
    SELECT 1 FROM metering_balance b
     WHERE b.tenant_id = %(tenant)s AND b.scope = w.scope AND b.period = w.period
       AND b.currency = %(currency)s
       AND b.period_start = metering_period_start(w.period, %(moment)s, %(zone)s))
"""  # noqa: S608  fixed texts

MATCHING = """
 b.tenant_id = %(tenant)s AND b.currency = %(currency)s AND b.scope = ANY(%(scopes)s)
 AND b.period_start = metering_period_start(b.period, %(moment)s, %(zone)s)
"""


def balance_values(gate: Gate, scopes: list[str], moment: datetime) -> dict[str, Any]:
    """The parameters of `MATCHING`: the balances of these scopes at that moment."""
    return {
        "tenant": gate.tenant_id,
        "currency": gate.currency,
        "scopes": scopes,
        "moment": moment,
        "zone": settings.TIME_ZONE,
    }


def balances_ensure(values: dict[str, Any]) -> None:
    """Makes the missing rows, with what the ledger says was spent already. Behind the gate."""
    with connection.cursor() as cursor:
        cursor.execute(ENSURE, values)


def last_rows(statements: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Runs statements sent as one message; the rows of the last."""
    with connection.cursor() as cursor:
        cursor.execute(statements, values)
        while cursor.nextset():
            pass
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def last_row(statements: str, values: dict[str, Any]) -> tuple[Any, ...]:
    return last_rows(statements, values)[0]


@dataclass(frozen=True)
class Moved:
    """A balance after a posting."""

    id: UUID
    scope: str
    period: str
    posted: Decimal
    cap_soft: Decimal | None
    cap_hard: Decimal | None
    thresholds: list[int]


def balances_post(values: dict[str, Any], *, amount: Decimal) -> list[Moved]:
    """Adds to what was spent, without a look at caps. Behind the gate."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE metering_balance b SET posted = posted + %(amount)s WHERE {MATCHING}"  # noqa: S608
            " RETURNING b.id, b.scope, b.period, b.posted, b.cap_soft, b.cap_hard, b.thresholds",
            {**values, "amount": amount},
        )
        return [Moved(*row) for row in cursor.fetchall()]


def room_left(values: dict[str, Any]) -> Decimal | None:
    """The least that is left on any of the balances, None when nothing limits them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT min(b.cap_hard - b.posted - b.held) FROM metering_balance b WHERE {MATCHING}",  # noqa: S608
            values,
        )
        left: Decimal | None = cursor.fetchone()[0]
    return None if left is None else max(left, ZERO)


@dataclass(frozen=True)
class Drift:
    """How far a balance is from what ledger and holds say."""

    balance_id: UUID
    posted: Decimal
    held: Decimal


_DRIFT = f"""
SELECT id, posted - ledger, held - holds FROM (
  SELECT b.id, b.posted, b.held,
    ({
    _POSTED.format(
        tenant="b.tenant_id",
        currency="b.currency",
        scope="b.scope",
        period="b.period",
        start="b.period_start",
    )
}) AS ledger,
    (SELECT coalesce(sum(h.amount), 0) FROM metering_hold h
      WHERE h.tenant_id = b.tenant_id AND h.state = 'open' AND b.id = ANY(h.balance_ids)) AS holds
    FROM metering_balance b
) AS compared WHERE posted <> ledger OR held <> holds
"""  # noqa: S608  fixed texts


def balances_drift() -> list[Drift]:
    """The balances, of the tenant or when unscoped of all, that differ from ledger and holds: none."""
    with connection.cursor() as cursor:
        cursor.execute(_DRIFT, {"zone": settings.TIME_ZONE})
        return [Drift(*row) for row in cursor.fetchall()]


def rebuild() -> int:
    """Makes the tenant's balances again from ledger and holds; how many were wrong."""
    gate_pass()
    wrong = balances_drift()
    for drift in wrong:
        row = Balance.objects.get(id=drift.balance_id)
        row.posted -= drift.posted
        row.held -= drift.held
        row.save(update_fields=["posted", "held"])
    return len(wrong)
