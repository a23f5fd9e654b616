"""Reads of usage and spending. Charts come from hours only: one query, however many events there are."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Max, QuerySet, Sum
from django.db.models.functions import Now
from django.utils import timezone

from furrow.core.context import current_tenant_id
from furrow.core.errors import Invalid, NotFound
from furrow.metering.models import Balance, Budget, Invoice, PriceItem, UsageEvent, UsageHour
from furrow.metering.models.prices import ANY_MODEL
from furrow.metering.money import amount_text

GroupBy = Literal["hour", "day", "month", "assistant", "model", "channel", "key", "rung", "kind"]
MOST_DAYS = 366
MOST_HOURS = 24 * 31

# A name of the contract beside the expression behind it; nothing a caller sends enters the SQL.
GROUPS: dict[str, str] = {
    "hour": "hour",
    "day": "(hour AT TIME ZONE %(zone)s)::date",
    "month": "date_trunc('month', hour AT TIME ZONE %(zone)s)::date",
    "assistant": "assistant_id",
    "model": "model",
    "channel": "channel",
    "key": "api_key_id",
    "rung": "rung",
    "kind": "kind",
}
_USAGE = """
SELECT {group} AS grouped, currency, sum(calls), sum(in_hit), sum(in_miss), sum(out), sum(reasoning),
       sum(charged), max(computed_at)
  FROM metering_usagehour
 WHERE tenant_id = %(tenant)s AND hour >= %(since)s AND hour < %(until)s
 GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True)
class UsageRow:
    """The sums of a group; `key` is an hour, a day, an id or a name, empty where the usage had none."""

    key: str
    currency: str
    calls: int
    in_hit: int
    in_miss: int
    out: int
    reasoning: int
    charged: Decimal
    computed_at: datetime

    @property
    def tokens(self) -> int:
        return self.in_hit + self.in_miss + self.out + self.reasoning


def usage_by(*, since: date, until: date, group_by: str = "day") -> list[UsageRow]:
    """What the tenant used from `since` to `until`, both included, in the installation's time zone."""
    if group_by not in GROUPS:
        raise Invalid("This grouping does not exist.", field="group_by", known=sorted(GROUPS))
    begin, end = day_span(since, until)
    if group_by == "hour" and (until - since).days * 24 > MOST_HOURS:
        raise Invalid("Hours are shown for a month at most.", field="to")
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "zone": settings.TIME_ZONE,
        "since": begin,
        "until": end,
    }
    with connection.cursor() as cursor:
        cursor.execute(_USAGE.format(group=GROUPS[group_by]), values)
        return [_usage_row(row) for row in cursor.fetchall()]


def _usage_row(row: tuple[Any, ...]) -> UsageRow:
    calls, in_hit, in_miss, out, reasoning = (int(number) for number in row[2:7])
    return UsageRow(
        group_key(row[0]),
        row[1],
        calls,
        in_hit,
        in_miss,
        out,
        reasoning,
        charged=row[7],
        computed_at=row[8],
    )


def group_key(value: Any) -> str:
    """An hour, day or month as ISO text; an id or a name as it is."""
    return str(value.isoformat()) if isinstance(value, date) else str(value)


def day_span(since: date, until: date) -> tuple[datetime, datetime]:
    """From the first moment of `since` to the first after `until`. Raises `Invalid` for a backward or overlong
    span.
    """
    if until < since or (until - since).days > MOST_DAYS:
        raise Invalid("Choose a span of one day to one year.", field="to")
    zone = ZoneInfo(settings.TIME_ZONE)
    begin = datetime.combine(since, time(), zone)
    return begin, datetime.combine(_shifted(until, 1), time(), zone)


def days_asked(since: date | None, until: date | None, *, days: int) -> tuple[date, date]:
    """Both days included; without `since` that many days up to `until`, without `until` up to today."""
    until = until or timezone.localdate()
    return since or _shifted(until, 1 - days), until


def _shifted(day: date, days: int) -> date:
    """Raises `Invalid` where the calendar ends."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise Invalid("Choose a span of one day to one year.", field="to") from None


def usage_computed_at() -> datetime | None:
    """Up to when the hours are known to be summed up."""
    moment: datetime | None = UsageHour.objects.aggregate(last=Max("computed_at"))["last"]
    return moment


def charged_for(*, turn_id: UUID, since: datetime) -> tuple[Decimal, str]:
    """What was charged for one turn so far, and in which currency (empty when nothing was used)."""
    row = (
        UsageEvent.objects.filter(turn_id=str(turn_id), started_at__gte=since)
        .values("currency")
        .annotate(total=Sum("charged"))
        .order_by("-total")
        .first()
    )
    return (row["total"], row["currency"]) if row else (Decimal(0), "")


COLUMNS = ("key", "currency", "calls", "in_hit", "in_miss", "out", "reasoning", "charged")
# A spreadsheet takes a cell that starts like this for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def defused(value: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value


def usage_csv(rows: Iterable[UsageRow], *, names: Mapping[str, str] | None = None) -> str:
    """The same rows as a table; numbers stay numbers, names are defused. `names` adds a column of them."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS if names is None else ("name", *COLUMNS))
    for row in rows:
        named = [] if names is None else [defused(names.get(row.key, row.key))]
        numbers = (row.calls, row.in_hit, row.in_miss, row.out, row.reasoning)
        writer.writerow(
            [*named, defused(row.key), defused(row.currency), *numbers, amount_text(row.charged)]
        )
    return text.getvalue()


def budgets_list() -> QuerySet[Any]:
    return Budget.objects.filter(is_active=True).order_by("scope_kind", "scope_id", "period")


def budget_get(budget_id: UUID, *, include_ended: bool = False) -> Budget:
    rows = Budget.objects.filter(id=budget_id)
    found: Budget | None = (rows if include_ended else rows.filter(is_active=True)).first()
    if found is None:
        raise NotFound("This budget does not exist.")
    return found


def budget_balances(budgets: Iterable[Budget]) -> dict[Any, list[Balance]]:
    """The running balances of budgets, by budget; one query."""
    found: dict[Any, list[Balance]] = {}
    rows = Balance.objects.filter(budget_id__in=[budget.id for budget in budgets])
    for row in rows.extra(
        where=[
            "period_start = metering_period_start(metering_balance.period, statement_timestamp(), %s)"
        ],
        params=[settings.TIME_ZONE],
    ).order_by("scope"):
        found.setdefault(row.budget_id, []).append(row)
    return found


def prices_list(currency: str) -> QuerySet[Any]:
    """Every price that holds now or will, soonest first."""
    return (
        PriceItem.objects.filter(currency=currency)
        .extra(
            where=[
                "NOT isempty(valid)",
                "coalesce(upper(valid), 'infinity') > statement_timestamp()",
            ]
        )
        .order_by("model", "kind", "window", "valid")
    )


def priced_models() -> list[str]:
    """Chat models the operator has set a price of their own for that holds now."""
    rows = PriceItem.objects.filter(kind=PriceItem.Kind.OUT, valid__contains=Now())
    names = rows.exclude(model=ANY_MODEL).order_by("model").values_list("model", flat=True)
    return list(names.distinct())


def price_book(currency: str) -> list[PriceItem]:
    """Every price there ever was, by what it is for, the latest first; those that never held left out."""
    rows = PriceItem.objects.filter(currency=currency).extra(where=["NOT isempty(valid)"])
    return list(rows.order_by("model", "kind", "window", "-valid"))


def invoices_list() -> QuerySet[Any]:
    return Invoice.objects.order_by("-number")
