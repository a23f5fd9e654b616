"""Compares what server, receipts, events and balances say. Closed windows must not differ by one token.

Every five minutes the last hours and each tenant's total are compared, which costs the same however much there
is; every night everything, balance by balance.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
from django.db import connection

from furrow.core.context import tenant_tx, unscoped
from furrow.core.logs import get_logger
from furrow.metering.alarms import alarms_raise
from furrow.metering.balances import balances_drift
from furrow.metering.models import Account, Alarm, ReceiptSource, Reconciliation
from furrow.metering.money import ZERO, amount_text
from furrow.metering.receipt_pages import OWN
from furrow.metering.reconcile_sql import DRIFT_QUICK, REST, RUN_TOKENS, TOKENS

log = get_logger(__name__)
_COUNTER = re.compile(r"^\w+_tokens_total\{[^}]*\} (\S+)$", re.MULTILINE)
# Long enough for every settlement and correction, with a receipt that comes late.
RECENT = timedelta(hours=3)


@dataclass(frozen=True)
class Report:
    """`engine_tokens` and `boot_tokens` cover the server's present run; None when it was not asked."""

    engine_tokens: int | None
    boot_tokens: int
    receipt_tokens: int
    event_tokens: int
    balance_difference: Decimal
    held_difference: Decimal
    missing_receipts: int
    foreign_receipts: int
    overdue_holds: int
    free_events: int
    is_full: bool = True

    @property
    def token_difference(self) -> int:
        return self.receipt_tokens - self.event_tokens

    @property
    def alarming(self) -> dict[str, Decimal | int]:
        """What must be 0, by the kind of alarm."""
        engine = 0 if self.engine_tokens is None else self.engine_tokens - self.boot_tokens
        return {
            Alarm.Kind.ENGINE: engine,
            Alarm.Kind.TOKENS: self.token_difference,
            Alarm.Kind.RECEIPTS: self.missing_receipts,
            Alarm.Kind.BALANCES: self.balance_difference + self.held_difference,
            Alarm.Kind.HOLDS: self.overdue_holds,
            Alarm.Kind.FREE: self.free_events,
        }

    @property
    def is_clean(self) -> bool:
        return not any(self.alarming.values())


def reconcile(
    *, source: str = OWN, client: httpx.Client | None = None, is_full: bool = True
) -> Report:
    """Compares, keeps the result and raises alarms where anything differs. Call it after the receipts were
    pulled; with a `client` the server's own counters are compared too.
    """
    engine = None if client is None else engine_tokens(client)
    balance_difference, held_difference = _drift_full() if is_full else _drift_quick()
    values = {"source": source, "since": None if is_full else RECENT}
    with unscoped("compare the sums of all tenants"):
        state = ReceiptSource.objects.filter(name=source).first()
        receipt_tokens, event_tokens, foreign = _row(TOKENS, values)
        overdue, free = _row(REST, values)
        report = Report(
            engine_tokens=engine,
            boot_tokens=0 if state is None else _run_tokens(state),
            receipt_tokens=int(receipt_tokens),
            event_tokens=int(event_tokens),
            balance_difference=balance_difference,
            held_difference=held_difference,
            missing_receipts=state.missing - state.missing_known if state else 0,
            foreign_receipts=foreign,
            overdue_holds=overdue,
            free_events=free,
            is_full=is_full,
        )
        _keep(source, report)
        alarms_raise(source, report.alarming)
    if not report.is_clean:
        log.error(
            "reconciliation_differs",
            source=source,
            receipt_tokens=report.receipt_tokens,
            event_tokens=report.event_tokens,
            balance_difference=amount_text(report.balance_difference),
            missing_receipts=report.missing_receipts,
            overdue_holds=report.overdue_holds,
        )
    return report


def _row(sql: str, values: dict[str, Any]) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row: tuple[Any, ...] = cursor.fetchone()
    return row


def _run_tokens(state: ReceiptSource) -> int:
    """The receipts' tokens of the server's present run. What was summed up once is not read again."""
    if state.summed_boot != state.boot_id:
        state.summed_boot, state.summed_seq, state.summed_tokens = state.boot_id, 0, 0
    tokens, last = _row(
        RUN_TOKENS, {"source": state.name, "boot": state.boot_id, "after": state.summed_seq}
    )
    state.summed_tokens += int(tokens)
    state.summed_seq = max(state.summed_seq, last)
    state.save(update_fields=["summed_boot", "summed_seq", "summed_tokens"])
    return int(state.summed_tokens)


def _drift_quick() -> tuple[Decimal, Decimal]:
    """What each tenant's balances say beside its hours, what is not summed up yet, and its entries."""
    with unscoped("compare the sums of all tenants"):
        posted, held = _row(DRIFT_QUICK, {})
    return posted, held


def _drift_full() -> tuple[Decimal, Decimal]:
    """Every balance beside ledger and holds, one tenant at a time."""
    with unscoped("compare the sums of all tenants"):
        tenants = list(Account.objects.values_list("tenant_id", flat=True))
    posted = held = ZERO
    for tenant_id in tenants:
        with tenant_tx(tenant_id):
            drift = balances_drift()
        posted += sum((abs(row.posted) for row in drift), ZERO)
        held += sum((abs(row.held) for row in drift), ZERO)
    return posted, held


def _keep(source: str, report: Report) -> None:
    fields = {name: value for name, value in vars(report).items() if name != "boot_tokens"}
    Reconciliation.objects.create(source=source, is_clean=report.is_clean, **fields)


def engine_tokens(client: httpx.Client) -> int | None:
    """The sum of the server's token counters since it started; None when it has none to show."""
    try:
        response = client.get("/metrics")
        response.raise_for_status()
    except httpx.HTTPError:
        return None
    found = _COUNTER.findall(response.text)
    return sum(int(Decimal(value)) for value in found) if found else None


def reconciliation_latest(source: str = OWN) -> Reconciliation | None:
    """The last comparison, for the operator's page."""
    with unscoped("show the operator the last comparison"):
        return Reconciliation.objects.filter(source=source).order_by("-created_at").first()
