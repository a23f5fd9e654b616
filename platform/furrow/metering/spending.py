"""What the owner's pages say about money. From hours only, each in one query. Inside `tenant_tx`."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection

from furrow.core.context import current_tenant_id
from furrow.metering.balances import account_read
from furrow.metering.errors import PriceUnknown
from furrow.metering.models.prices import ANY_MODEL
from furrow.metering.money import ZERO, exact, tokens_cost
from furrow.metering.prices import prices_now
from furrow.metering.selectors import day_span

# What an answer is taken to need where the model has not written one yet.
TYPICAL_IN, TYPICAL_OUT = 1500, 200


@dataclass(frozen=True)
class Spending:
    """`span` is what was asked for; the rest does not depend on it. `written` is what chats with assistants
    cost in the span, `saved` what cached beginnings of prompts saved in it.
    """

    currency: str
    today: Decimal
    month: Decimal
    last_month: Decimal
    span: Decimal
    written: Decimal
    saved: Decimal
    calls: int
    computed_at: datetime | None


_SPENDING = """
SELECT coalesce(sum(charged) FILTER (WHERE hour >= %(today)s), 0),
       coalesce(sum(charged) FILTER (WHERE hour >= %(month)s), 0),
       coalesce(sum(charged) FILTER (WHERE hour >= %(last_month)s AND hour < %(month)s), 0),
       coalesce(sum(charged) FILTER (WHERE hour >= %(since)s AND hour < %(until)s), 0),
       coalesce(sum(charged) FILTER (WHERE hour >= %(since)s AND hour < %(until)s AND kind = 'chat'
                                       AND assistant_id <> ''), 0),
       coalesce(sum(saved) FILTER (WHERE hour >= %(since)s AND hour < %(until)s), 0),
       coalesce(sum(calls) FILTER (WHERE hour >= %(since)s AND hour < %(until)s), 0)::bigint,
       max(computed_at)
  FROM metering_usagehour
 WHERE tenant_id = %(tenant)s AND currency = %(currency)s
   AND hour >= least(%(last_month)s, %(since)s)
"""


def spending(*, since: date, until: date, today: date) -> Spending:
    """Both days of the span included, in the installation's time zone."""
    currency = account_read().currency
    with connection.cursor() as cursor:
        values = span_values(currency=currency, since=since, until=until, today=today)
        cursor.execute(_SPENDING, values)
        return Spending(currency, *cursor.fetchone())


def span_values(*, currency: str, since: date, until: date, today: date) -> dict[str, Any]:
    """The parameters of queries that ask for a span, today, this month and the last."""
    begin, end = day_span(since, until)
    month = today.replace(day=1)
    last_month = (month - timedelta(days=1)).replace(day=1)
    return {
        "tenant": current_tenant_id(),
        "currency": currency,
        "since": begin,
        "until": end,
        "today": day_span(today, today)[0],
        "month": day_span(month, month)[0],
        "last_month": day_span(last_month, last_month)[0],
    }


def typical_answer_cost(currency: str) -> Decimal | None:
    """What an answer of usual length costs at today's prices; None when the model has no price."""
    try:
        prices = prices_now(
            model=settings.CHAT_MODEL or ANY_MODEL, kind="chat", currency=currency
        ).buckets
    except PriceUnknown:
        return None
    return exact(
        tokens_cost(TYPICAL_IN, prices["in_miss"].per_million)
        + tokens_cost(TYPICAL_OUT, prices["out"].per_million)
    )


def month_forecast(spent: Decimal, today: date) -> Decimal | None:
    """The whole month at the pace of its days so far; None before there is a pace to speak of."""
    days = today.day
    length = ((today.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)).day
    return None if days < 3 or spent == ZERO else exact(spent / days * length)


def days_left(amount: Decimal, spent: Spending, today: date) -> int | None:
    """For how many days an amount lasts at the pace of this month, or of the last while this one is too young to
    say; None without a pace.
    """
    pace = spent.month / today.day if today.day >= 3 else spent.last_month / 30
    return int(amount / pace) if pace > 0 else None
