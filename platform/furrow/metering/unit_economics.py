"""What it costs to serve and what is left: for the operator, over all tenants. Opens its own scope."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.utils import timezone

from furrow.core.context import unscoped
from furrow.core.errors import Conflict, Invalid
from furrow.core.logs import get_logger
from furrow.metering.models import MachinePrice
from furrow.metering.money import ZERO, exact
from furrow.metering.selectors import day_span

_HOUR_US = Decimal(3_600_000_000)
_SECONDS = Decimal(3600)
log = get_logger(__name__)


@dataclass(frozen=True)
class Served:
    """What was charged for a model, or to a tenant, and what the machines' time for it cost, in one currency.
    Money that we took on ourselves is in `cost` of usage but not in `charged`.
    """

    key: str
    name: str
    charged: Decimal
    busy_hours: Decimal
    serving: Decimal
    calls: int
    tokens: int

    @property
    def margin(self) -> Decimal:
        return exact(self.charged - self.serving)

    @property
    def margin_share(self) -> Decimal | None:
        return self.margin / self.charged if self.charged else None


@dataclass(frozen=True)
class Economics:
    """`machines` is what the machines priced in this currency cost in the span, busy or not; `hours` how long
    all machines stood there, because nobody knows which of them did which work.
    """

    whole: Served
    models: list[Served]
    tenants: list[Served]
    machines: Decimal
    hours: Decimal

    @property
    def utilisation(self) -> Decimal | None:
        return self.whole.busy_hours / self.hours if self.hours else None

    @property
    def per_busy_hour(self) -> Decimal | None:
        """What an hour of work costs on average of the span."""
        return exact(self.machines / self.hours) if self.hours else None

    @property
    def idle(self) -> Decimal:
        return exact(self.machines - self.whole.serving)

    @property
    def result(self) -> Decimal:
        return exact(self.whole.charged - self.machines)


_USED = """
SELECT h.model, h.tenant_id, t.name, sum(h.charged) FILTER (WHERE h.currency = %s), sum(h.busy_us),
       sum(h.calls)::bigint, sum(h.in_hit + h.in_miss + h.out + h.reasoning)::bigint
  FROM metering_usagehour h JOIN tenants_tenant t ON t.id = h.tenant_id
 WHERE h.hour >= %s AND h.hour < %s
 GROUP BY GROUPING SETS ((h.model), (h.tenant_id, t.name), ())
"""


def economics(*, since: date, until: date, currency: str) -> Economics:
    """Both days included. Two queries, from hours. Only money of this currency is counted, on both sides, and
    the machines' time of all usage: so the pages of two currencies together show everything once.
    """
    begin, end = day_span(since, until)
    end = min(end, timezone.now())
    with unscoped("show the operator what all tenants use"), connection.cursor() as cursor:
        cursor.execute(_USED, [currency, begin, end])
        rows = cursor.fetchall()
        prices = list(MachinePrice.objects.filter(valid_from__lt=end))
    machines, hours = machine_cost(prices, begin, end, currency)
    rate = machines / hours if hours else ZERO
    found = [(row[0], row[1], _served(row, rate)) for row in rows]
    whole = next((s for model, tenant, s in found if model is None and tenant is None), None)
    return Economics(
        whole=whole or Served("", "", ZERO, ZERO, ZERO, 0, 0),
        models=_dearest(s for model, _, s in found if model is not None),
        tenants=_dearest(s for _, tenant, s in found if tenant is not None),
        machines=machines,
        hours=hours,
    )


def _served(
    row: tuple[str | None, UUID | None, str | None, Decimal, int, int, int], rate: Decimal
) -> Served:
    model, tenant_id, name, charged, busy_us, calls, tokens = row
    busy = Decimal(busy_us or 0) / _HOUR_US
    return Served(
        key=str(model if model is not None else tenant_id or ""),
        name=str(model if model is not None else name or ""),
        charged=charged or ZERO,
        busy_hours=busy,
        serving=exact(busy * rate),
        calls=calls or 0,
        tokens=tokens or 0,
    )


def _dearest(rows: Iterable[Served]) -> list[Served]:
    return sorted(rows, key=lambda row: (row.charged, row.serving), reverse=True)


def machine_cost(
    prices: Iterable[MachinePrice], begin: datetime, end: datetime, currency: str
) -> tuple[Decimal, Decimal]:
    """What the machines cost in a currency between two moments, and for how many hours all of them stood there.
    Each price holds from its moment until the machine's next.
    """
    by_machine: dict[str, list[MachinePrice]] = {}
    for price in sorted(prices, key=lambda price: price.valid_from):
        by_machine.setdefault(price.machine, []).append(price)
    cost = hours = ZERO
    for rows in by_machine.values():
        ends = [*(row.valid_from for row in rows[1:]), end]
        for row, until in zip(rows, ends, strict=True):
            stood = _hours(max(row.valid_from, begin), min(until, end))
            if row.per_hour:
                hours += stood
                cost += stood * row.per_hour if row.currency == currency else ZERO
    return exact(cost), hours


def _hours(begin: datetime, end: datetime) -> Decimal:
    seconds = Decimal(str((end - begin).total_seconds()))
    return max(seconds, ZERO) / _SECONDS


def machine_price_set(
    *, machine: str, currency: str, per_hour: Decimal, valid_from: datetime | None = None
) -> MachinePrice:
    """What an hour of a machine costs from a moment on, also a past one: it is a fact, not a promise."""
    if not machine.strip() or len(machine) > 80:
        raise Invalid("The machine needs a name.", field="machine")
    if not per_hour.is_finite() or not 0 <= per_hour < 10**9:
        raise Invalid("A price is a number from 0 on.", field="per_hour")
    begins = valid_from or timezone.now()
    with unscoped("keep what a machine costs"):
        same = MachinePrice.objects.filter(
            machine=machine.strip(), currency=currency, valid_from=begins
        )
        if same.exists():
            raise Conflict("This machine has a price from this moment on already.")
        made = MachinePrice.objects.create(
            machine=machine.strip(), currency=currency, per_hour=per_hour, valid_from=begins
        )
    log.info("machine_price_set", machine=made.machine, per_hour=str(per_hour))
    return made


def machine_prices() -> list[MachinePrice]:
    """Latest first, one query."""
    with unscoped("show the operator what the machines cost"):
        return list(MachinePrice.objects.order_by("machine", "-valid_from"))
