"""Figures of metering for Prometheus, read from the database when asked. Labels never name a tenant."""

from django.db import connection
from prometheus_client import Gauge

from furrow.core.context import unscoped
from furrow.metering.models import Reconciliation

_holds = Gauge("furrow_metering_holds_open", "Holds that wait for their call to end")
_oldest = Gauge("furrow_metering_hold_oldest_seconds", "Age of the oldest open hold")
_unsettled = Gauge(
    "furrow_metering_unsettled", "Open holds past their time, which the sweep will end"
)
_held = Gauge("furrow_metering_held", "Money set aside by open holds", ["currency"])
_spend = Gauge("furrow_metering_spend", "Money charged since the beginning", ["currency"])
_due = Gauge("furrow_metering_hours_due", "Events whose hour is not summed up yet")
_missing = Gauge("furrow_metering_receipts_missing", "Receipts that never came", ["source"])
_alarms = Gauge("furrow_metering_alarms_open", "Alarms nobody has acknowledged", ["kind"])
_tokens = Gauge(
    "furrow_metering_difference_tokens", "Receipts less events, at the last comparison", ["source"]
)
_money = Gauge(
    "furrow_metering_difference_money",
    "Balances beside ledger and holds, at the last comparison",
    ["source"],
)
_clean = Gauge(
    "furrow_metering_is_clean", "1 when the last comparison found no difference", ["source"]
)

_NOW = """
SELECT count(*), coalesce(extract(epoch FROM statement_timestamp() - min(started_at)), 0),
       count(*) FILTER (WHERE expires_at < statement_timestamp())
  FROM metering_hold WHERE state = 'open'
"""
_BY_LABEL = (
    (_held, "SELECT currency, sum(amount) FROM metering_hold WHERE state = 'open' GROUP BY 1"),
    (_spend, "SELECT currency, sum(charged) FROM metering_usagehour GROUP BY 1"),
    (_missing, "SELECT name, missing - missing_known FROM metering_receiptsource"),
    (_alarms, "SELECT kind, count(*) FROM metering_alarm WHERE acknowledged_at IS NULL GROUP BY 1"),
)


def metrics_observe() -> None:
    """Brings the gauges up to date."""
    with unscoped("show the operator the figures of metering"), connection.cursor() as cursor:
        cursor.execute(_NOW)
        holds, oldest, unsettled = cursor.fetchone()
        _holds.set(holds)
        _oldest.set(oldest)
        _unsettled.set(unsettled)
        cursor.execute("SELECT count(*) FROM metering_rollupdue")
        _due.set(cursor.fetchone()[0])
        for gauge, sql in _BY_LABEL:
            gauge.clear()
            cursor.execute(sql)
            for label, value in cursor.fetchall():
                gauge.labels(label).set(value)
        latest = Reconciliation.objects.order_by("source", "-created_at").distinct("source")
        for row in latest:
            _tokens.labels(row.source).set(row.receipt_tokens - row.event_tokens)
            _money.labels(row.source).set(row.balance_difference + row.held_difference)
            _clean.labels(row.source).set(row.is_clean)
