"""All that the owner's page of costs says of usage, in one query over the hours. Inside `tenant_tx`."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection

from furrow.core.errors import Invalid
from furrow.metering.selectors import GROUPS, group_key
from furrow.metering.spending import Spending, span_values

# Summed up by hour first: the few rows that are left are what time zones and three kinds of sums are made of.
_OVERVIEW = """
WITH hours AS (
  SELECT hour, {part} AS part, sum(charged) AS charged,
         sum(charged) FILTER (WHERE kind = 'chat' AND assistant_id <> '') AS written, sum(saved) AS saved,
         sum(calls)::bigint AS calls, sum(in_hit + in_miss + out + reasoning)::bigint AS tokens,
         max(computed_at) AS computed_at, hour >= %(since)s AND hour < %(until)s AS is_shown
    FROM metering_usagehour
   WHERE tenant_id = %(tenant)s AND currency = %(currency)s AND hour >= least(%(last_month)s, %(since)s)
   GROUP BY 1, 2
)
SELECT grouping(unit, part), unit, part,
       coalesce(sum(charged) FILTER (WHERE hour >= %(today)s), 0),
       coalesce(sum(charged) FILTER (WHERE hour >= %(month)s), 0),
       coalesce(sum(charged) FILTER (WHERE hour >= %(last_month)s AND hour < %(month)s), 0),
       coalesce(sum(charged) FILTER (WHERE is_shown), 0), coalesce(sum(written) FILTER (WHERE is_shown), 0),
       coalesce(sum(saved) FILTER (WHERE is_shown), 0),
       coalesce(sum(calls) FILTER (WHERE is_shown), 0)::bigint, max(computed_at),
       coalesce(sum(tokens) FILTER (WHERE is_shown), 0)::bigint, coalesce(bool_or(is_shown), false)
  FROM (SELECT hours.*, {unit} AS unit FROM hours) AS h
 GROUP BY GROUPING SETS ((), (unit), (part))
"""
_WHOLE, _BY_PART, _BY_UNIT = 3, 2, 1


@dataclass(frozen=True)
class Part:
    """What an hour, a day, a month, or one of a group cost in the span."""

    key: str
    charged: Decimal
    calls: int
    tokens: int


@dataclass(frozen=True)
class Overview:
    """`by_unit` has only what was used; `by_group` the dearest first."""

    spent: Spending
    by_unit: list[Part]
    by_group: list[Part]


def overview(
    *, currency: str, since: date, until: date, today: date, unit: str, group: str
) -> Overview:
    """Both days included. `unit` is hour, day or month, `group` any other grouping."""
    if unit not in GROUPS or group not in GROUPS:
        raise Invalid("This grouping does not exist.", field="group_by", known=sorted(GROUPS))
    values = {
        **span_values(currency=currency, since=since, until=until, today=today),
        "zone": settings.TIME_ZONE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_OVERVIEW.format(unit=GROUPS[unit], part=GROUPS[group]), values)
        rows = cursor.fetchall()
    whole = next(row for row in rows if row[0] == _WHOLE)
    parts = [_part(row, 2) for row in rows if row[0] == _BY_PART and row[-1]]
    return Overview(
        spent=Spending(currency, *whole[3:11]),
        by_unit=[_part(row, 1) for row in rows if row[0] == _BY_UNIT and row[-1]],
        by_group=sorted(parts, key=lambda part: part.charged, reverse=True),
    )


def _part(row: tuple[Any, ...], place: int) -> Part:
    return Part(key=group_key(row[place]), charged=row[6], calls=row[9], tokens=row[11])
