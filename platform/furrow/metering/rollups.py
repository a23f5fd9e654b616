"""Hours: sums of events, made again for every hour that an event touched. Replacing them twice is harmless."""

from datetime import datetime
from typing import Any

from django.db import connection

from furrow.core.context import current_tenant_id
from furrow.metering.due_hours import due_hours_make
from furrow.metering.models import RollupDue
from furrow.metering.models.usage import DIMENSIONS

_DIMENSIONS = ", ".join(f'"{name}"' for name in DIMENSIONS)

# An hour's rows are replaced as a whole. Only deliveries count as calls, not corrections nor lost attempts.
_COMPUTE = f"""
INSERT INTO metering_usagehour (id, created_at, computed_at, tenant_id, hour, {_DIMENSIONS}, calls,
                                in_hit, in_miss, out, reasoning, busy_us, cost, charged, saved)
SELECT gen_random_uuid(), statement_timestamp(), statement_timestamp(), tenant_id, %(hour)s,
       {_DIMENSIONS}, count(*) FILTER (WHERE basis <> 'corrected' AND status <> 'failed'),
       sum(in_hit), sum(in_miss), sum(out), sum(reasoning), sum(busy_us), sum(cost), sum(charged),
       coalesce(sum(in_hit * (prices -> 'in_miss' ->> 1)::numeric / 1000000 - cost_in_hit), 0)
  FROM metering_usageevent
 WHERE tenant_id = %(tenant)s AND started_at >= %(hour)s AND started_at < %(hour)s + interval '1 hour'
 GROUP BY tenant_id, {_DIMENSIONS}
"""  # noqa: S608  fixed texts

# Beside them the tokens by the price they were charged at, for previews of other prices.
_PRICED = """
INSERT INTO metering_pricehour (id, tenant_id, hour, price_id, model, tokens, created_at)
SELECT gen_random_uuid(), e.tenant_id, %(hour)s, (e.prices -> b.bucket ->> 0)::uuid, e.model, sum(b.tokens),
       statement_timestamp()
  FROM metering_usageevent e,
       LATERAL (VALUES ('in_hit', e.in_hit), ('in_miss', e.in_miss), ('out', e.out),
                       ('reasoning', e.reasoning)) AS b(bucket, tokens)
 WHERE e.tenant_id = %(tenant)s AND e.started_at >= %(hour)s AND e.started_at < %(hour)s + interval '1 hour'
   AND b.tokens <> 0 AND e.prices ? b.bucket
 GROUP BY 2, 4, 5
"""


def rollup_hour(hour: datetime) -> None:
    """Makes one hour of the tenant again. Inside `tenant_tx`."""
    values: dict[str, Any] = {"tenant": current_tenant_id(), "hour": hour}
    with connection.cursor() as cursor:
        # Two runs on one hour would both insert: the later waits for the earlier.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%(tenant)s::text || %(hour)s::text, 0))",
            values,
        )
        # Taken away first, and only what is visible: an event that commits later leaves its own row behind.
        cursor.execute(
            "DELETE FROM metering_rollupdue WHERE tenant_id = %(tenant)s AND hour = %(hour)s",
            values,
        )
        for table, compute in (("usagehour", _COMPUTE), ("pricehour", _PRICED)):
            cursor.execute(
                f"DELETE FROM metering_{table} WHERE tenant_id = %(tenant)s AND hour = %(hour)s",  # noqa: S608
                values,
            )
            cursor.execute(compute, values)


def rollup_run(limit: int = 500) -> int:
    """Makes every touched hour of every tenant again, each in its own transaction; how many were made."""
    return due_hours_make(RollupDue, rollup_hour, source="usage", limit=limit)
