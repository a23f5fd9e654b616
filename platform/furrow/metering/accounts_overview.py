"""Tenants as payers, for the operator. Lists open their own scope; `account_of` runs inside `tenant_tx`."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Sum

from furrow.core.context import unscoped
from furrow.metering.attribution import WALLET
from furrow.metering.balances import account_read
from furrow.metering.credit import credit_share_told
from furrow.metering.models import Balance, Budget, LedgerLine
from furrow.metering.money import DEFAULT_CURRENCY, ZERO
from furrow.metering.selectors import day_span


@dataclass(frozen=True)
class Payer:
    """A tenant in the operator's list, in its own currency. `credit` is None where it pays afterwards."""

    tenant_id: UUID
    name: str
    slug: str
    is_suspended: bool
    is_prepaid: bool
    month: Decimal
    last_month: Decimal
    ceiling: Decimal | None
    credit: Decimal | None
    currency: str


_PAYERS = """
SELECT t.id, t.name, t.slug, t.is_suspended, coalesce(a.is_prepaid, false),
       coalesce(h.month, 0), coalesce(h.last_month, 0), g.ceiling, w.cap_hard - w.posted - w.held,
       coalesce(a.currency, %(currency)s)
  FROM tenants_tenant t
  LEFT JOIN metering_account a ON a.tenant_id = t.id
  LEFT JOIN (
    SELECT tenant_id, currency, sum(charged) FILTER (WHERE hour >= %(month)s) AS month,
           sum(charged) FILTER (WHERE hour < %(month)s) AS last_month
      FROM metering_usagehour WHERE hour >= %(last_month)s GROUP BY 1, 2
  ) h ON h.tenant_id = t.id AND h.currency = coalesce(a.currency, %(currency)s)
  LEFT JOIN metering_budget g ON g.tenant_id = t.id AND g.scope_kind = 'tenant' AND g.period = 'month'
   AND g.currency = coalesce(a.currency, %(currency)s)
  LEFT JOIN metering_balance w ON w.tenant_id = t.id AND w.scope = %(wallet)s AND a.is_prepaid
   AND w.currency = a.currency
 WHERE t.name ILIKE %(query)s OR t.slug ILIKE %(query)s
 ORDER BY coalesce(a.currency, %(currency)s) <> %(currency)s, 10, 6 DESC, t.name LIMIT %(limit)s OFFSET %(offset)s
"""


def payers(*, today: date, query: str = "", limit: int = 50, offset: int = 0) -> list[Payer]:
    """Those who spend most this month first, each currency by itself; one query."""
    month = today.replace(day=1)
    earlier = date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)
    plain = query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    values: dict[str, Any] = {
        "month": day_span(month, month)[0],
        "last_month": day_span(earlier, earlier)[0],
        "currency": DEFAULT_CURRENCY,
        "wallet": WALLET,
        "query": f"%{plain}%",
        "limit": limit,
        "offset": offset,
    }
    with unscoped("list what every tenant spends for the operator"), connection.cursor() as cursor:
        cursor.execute(_PAYERS, values)
        return [Payer(*row) for row in cursor.fetchall()]


@dataclass(frozen=True)
class Entered:
    """A top-up, an adjustment or the reversal of one, as people entered it."""

    txn: UUID
    reason: str
    note: str
    amount: Decimal
    at: Any
    is_reversed: bool


@dataclass(frozen=True)
class AccountPage:
    currency: str
    is_prepaid: bool
    paid_in: Decimal
    credit: Decimal
    owed: Decimal
    ceiling: Decimal | None
    told_at: int
    entries: list[Entered]


def account_of() -> AccountPage:
    """The tenant's account with its latest entries."""
    account = account_read()
    wallet = Balance.objects.filter(scope=WALLET, currency=account.currency).first()
    place = {"scope_kind": "tenant", "scope_id": "", "period": "month"}
    ceiling = Budget.objects.filter(**place, currency=account.currency).values_list(
        "ceiling", flat=True
    )
    return AccountPage(
        currency=account.currency,
        is_prepaid=account.is_prepaid,
        paid_in=wallet.cap_hard if wallet else ZERO,
        credit=wallet.cap_hard - wallet.posted - wallet.held if wallet else ZERO,
        owed=_owed(account.currency),
        ceiling=ceiling.first(),
        told_at=credit_share_told(wallet) if wallet else settings.LOW_CREDIT_PERCENT,
        entries=entries_by_hand(),
    )


def _owed(currency: str) -> Decimal:
    """What the ledger says is not paid yet: usage and adjustments of tenants that pay afterwards."""
    lines = LedgerLine.objects.filter(account="receivable", currency=currency)
    owed: Decimal | None = lines.aggregate(owed=Sum("debit") - Sum("credit"))["owed"]
    return owed or ZERO


def entries_by_hand(limit: int = 30) -> list[Entered]:
    """The latest first; inside `tenant_tx`."""
    rows = list(
        LedgerLine.objects.filter(reason__in=["top_up", "adjustment", "reversal"])
        .filter(account__in=["wallet", "receivable"])
        .order_by("-created_at")[:limit]
    )
    reversed_ids = {row.note.partition(":")[0] for row in rows if row.reason == "reversal"}
    return [
        Entered(
            txn=row.txn,
            reason=row.reason,
            note=row.note,
            # Seen from the tenant: credit is good, debt is not.
            amount=row.credit - row.debit if row.account == "wallet" else row.debit - row.credit,
            at=row.created_at,
            is_reversed=f"reverses {row.txn}" in reversed_ids,
        )
        for row in rows
    ]
