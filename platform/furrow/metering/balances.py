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
from furrow.metering.money import ZERO
from furrow.metering.trips import one_row


@dataclass(frozen=True)
class Gate:
    """The tenant's account, locked until the transaction ends."""

    tenant_id: UUID
    currency: str
    is_prepaid: bool


def gate_pass() -> Gate:
    """Locks the tenant's account: what follows sees every earlier change of its money. Made on first use."""
    tenant_id = current_tenant_id()
    currency, is_prepaid = one_row("SELECT * FROM metering_gate(%s)", (tenant_id,))
    return Gate(tenant_id, currency, is_prepaid)


def account_read() -> Gate:
    """The same without the lock, for who only looks. Made on first use."""
    found = Account.objects.values_list("tenant_id", "currency", "is_prepaid").first()
    return gate_pass() if found is None else Gate(*found)


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
    names = ("tenant", "currency", "scopes", "moment", "zone")
    one_row("SELECT metering_balances(%s, %s, %s::text[], %s, %s)", tuple(values[n] for n in names))


def balances_post(values: dict[str, Any], *, amount: Decimal) -> list[UUID]:
    """Adds to what was spent, without a look at caps; the balances it counts in. Behind the gate."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE metering_balance b SET posted = posted + %(amount)s WHERE {MATCHING} RETURNING b.id",  # noqa: S608
            {**values, "amount": amount},
        )
        return [row[0] for row in cursor.fetchall()]


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


_DRIFT = """
SELECT id, posted - ledger, held - holds FROM (
  SELECT b.id, b.posted, b.held,
    metering_posted(b.tenant_id, b.currency, b.scope, b.period,
                    b.period_start::timestamp AT TIME ZONE %(zone)s, %(zone)s, NULL) AS ledger,
    (SELECT coalesce(sum(h.amount), 0) FROM metering_hold h
      WHERE h.tenant_id = b.tenant_id AND h.state = 'open' AND b.id = ANY(h.balance_ids)) AS holds
    FROM metering_balance b
) AS compared WHERE posted <> ledger OR held <> holds
"""


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
