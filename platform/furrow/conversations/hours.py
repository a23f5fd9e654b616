"""Hours of questions and conversations: sums of rows, made again for every hour that a change touched.

As with hours of usage: replaced as a whole, so that doing it twice is harmless, and a process that dies leaves the
hour due. Triggers say which hours those are (`HourDue`), whoever writes.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from furrow.conversations.models import HourDue
from furrow.core.context import current_tenant_id, tenant_tx, unscoped
from furrow.core.logs import get_logger
from furrow.metering.alarms import alarms_raise
from furrow.metering.due_hours import due_hours_make
from furrow.metering.models import Alarm

log = get_logger(__name__)
ALARM_SOURCE = "conversations"

_TURNS = """
SELECT date_trunc('hour', t.created_at, 'UTC') AS hour, t.rung,
       count(*) FILTER (WHERE is_real) AS questions,
       count(*) FILTER (WHERE is_real AND is_done) AS answered,
       count(*) FILTER (WHERE is_real AND is_done AND f.id IS NULL
                          AND t.rung NOT IN ('human', 'person', 'held', '')) AS solved,
       count(*) FILTER (WHERE is_done AND (t.rung = 'composed' OR d.rung = 'composed')) AS written
  FROM conversations_turn t
  JOIN conversations_conversation c ON c.tenant_id = t.tenant_id AND c.id = t.conversation_id
  LEFT JOIN conversations_feedback f ON f.tenant_id = t.tenant_id AND f.turn_id = t.id AND f.value = -1
  LEFT JOIN conversations_draft d ON d.tenant_id = t.tenant_id AND d.turn_id = t.id,
       LATERAL (SELECT NOT c.is_test AND t.rung <> 'greeting' AS is_real, t.status = 'done' AS is_done) AS said
 WHERE t.tenant_id = %(tenant)s {within}
 GROUP BY 1, 2
"""

# Resolved: answered, without a person (none answered, let an answer pass, took over or was wished for), and
# nothing in it marked unhelpful.
_CONVERSATIONS = """
SELECT date_trunc('hour', c.created_at, 'UTC') AS hour, count(*) AS begun,
       count(*) FILTER (WHERE is_resolved) AS resolved,
       count(*) FILTER (WHERE is_resolved AND is_praised) AS confirmed
  FROM conversations_conversation c,
       LATERAL (SELECT coalesce(bool_or(t.status = 'done'
                                        AND t.rung NOT IN ('human', 'person', 'held', '', 'greeting')), false)
                   AND NOT coalesce(bool_or(t.status = 'done' AND t.rung IN ('human', 'person', 'held')), false)
                   AND NOT coalesce(bool_or(f.value = -1), false)
                   AND NOT EXISTS (SELECT 1 FROM conversations_ticket k
                                    WHERE k.tenant_id = c.tenant_id AND k.conversation_id = c.id)
                   AND NOT EXISTS (SELECT 1 FROM conversations_handoff h
                                    WHERE h.tenant_id = c.tenant_id AND h.conversation_id = c.id) AS is_resolved,
                       coalesce(bool_or(f.value = 1), false) AS is_praised
                  FROM conversations_turn t
                  LEFT JOIN conversations_feedback f ON f.tenant_id = t.tenant_id AND f.turn_id = t.id
                 WHERE t.tenant_id = c.tenant_id AND t.conversation_id = c.id) AS ended
 WHERE c.tenant_id = %(tenant)s {within} AND NOT c.is_test
 GROUP BY 1
"""

_COLUMNS = {
    "turnhour": "hour, rung, questions, answered, solved, written",
    "conversationhour": "hour, begun, resolved, confirmed",
}
_WITHIN = "AND {row}.created_at >= %(since)s AND {row}.created_at < %(until)s"
_MADE = {
    "turnhour": _TURNS.format(within=_WITHIN.format(row="t")),
    "conversationhour": _CONVERSATIONS.format(within=_WITHIN.format(row="c")),
}
# Checked so much at a time: no statement of the app may take longer than half a minute.
SLICE = timedelta(days=31)
_FIRST = """
SELECT least((SELECT min(hour) FROM conversations_turnhour WHERE tenant_id = %(tenant)s),
             (SELECT min(hour) FROM conversations_conversationhour WHERE tenant_id = %(tenant)s),
             (SELECT min(created_at) FROM conversations_turn WHERE tenant_id = %(tenant)s),
             (SELECT min(created_at) FROM conversations_conversation WHERE tenant_id = %(tenant)s))
"""


def hour_sum_up(hour: datetime) -> None:
    """Makes one hour of the tenant again. Inside `tenant_tx`."""
    values: dict[str, Any] = {
        "tenant": current_tenant_id(), "hour": hour, "since": hour, "until": hour + timedelta(hours=1)
    }  # fmt: skip
    with connection.cursor() as cursor:
        # Two runs on one hour would both insert: the later waits for the earlier.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('talk' || %(tenant)s::text || %(hour)s::text, 0))",
            values,
        )
        # Taken away first, and only what is visible: a change that commits later leaves its own row behind.
        cursor.execute(
            "DELETE FROM conversations_hourdue WHERE tenant_id = %(tenant)s AND hour = %(hour)s",
            values,
        )
        for table, columns in _COLUMNS.items():
            cursor.execute(
                f"DELETE FROM conversations_{table} WHERE tenant_id = %(tenant)s AND hour = %(hour)s",  # noqa: S608
                values,
            )
            cursor.execute(
                f"INSERT INTO conversations_{table} (id, tenant_id, created_at, {columns})"  # noqa: S608
                f" SELECT gen_random_uuid(), %(tenant)s, statement_timestamp(), found.* FROM ({_MADE[table]}) AS found",
                values,
            )


def hours_sum_up(limit: int = 500) -> int:
    """Makes every touched hour of every tenant again, each in its own transaction; how many were made."""
    return due_hours_make(HourDue, hour_sum_up, source=ALARM_SOURCE, limit=limit)


def _difference(table: str) -> str:
    """The hours that differ from their rows, those left out that are due. One statement sees one moment."""
    kept = (
        f"SELECT {_COLUMNS[table]} FROM conversations_{table}"  # noqa: S608
        " WHERE tenant_id = %(tenant)s AND hour >= %(since)s AND hour < %(until)s"
    )
    return (
        f"WITH kept AS ({kept}), made AS ({_MADE[table]})"  # noqa: S608
        " SELECT DISTINCT hour FROM (SELECT hour FROM (TABLE kept EXCEPT TABLE made) AS a"
        " UNION ALL SELECT hour FROM (TABLE made EXCEPT TABLE kept) AS b) AS differs"
        " WHERE hour NOT IN (SELECT hour FROM conversations_hourdue WHERE tenant_id = %(tenant)s)"
    )


def hours_check() -> int:
    """How many hours of all tenants differ from the rows they were made of. Those raise an alarm for the operator
    and are made again. Reads every row: for the night.
    """
    with unscoped("find the tenants whose hours of conversations to check"):
        tenants = [row[0] for row in _rows("SELECT id FROM tenants_tenant")]
    wrong = 0
    for tenant_id in tenants:
        found = sum(_slice_check(tenant_id, since) for since in _slices(tenant_id))
        if found:
            log.error("conversation_hours_differ", tenant=str(tenant_id), hours=found)
        wrong += found
    with unscoped("tell the operator that hours of conversations differ"):
        alarms_raise(ALARM_SOURCE, {Alarm.Kind.FIGURES: wrong})
    return wrong


def _slices(tenant_id: UUID) -> Iterator[datetime]:
    with tenant_tx(tenant_id):
        first = _rows(_FIRST, {"tenant": tenant_id})[0][0]
    if first is None:
        return
    since = first.replace(minute=0, second=0, microsecond=0)
    while since <= timezone.now():
        yield since
        since += SLICE


def _slice_check(tenant_id: UUID, since: datetime) -> int:
    values = {"tenant": tenant_id, "since": since, "until": since + SLICE}
    with tenant_tx(tenant_id):
        hours = {row[0] for table in _COLUMNS for row in _rows(_difference(table), values)}
        HourDue.objects.bulk_create(HourDue(tenant_id=tenant_id, hour=hour) for hour in hours)
    return len(hours)


def _rows(sql: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
