"""Usage of other days, booked as if it had been settled then."""

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from furrow.conversations.hours import hours_sum_up
from furrow.core.context import tenant_tx
from furrow.metering.balances import gate_pass
from furrow.metering.counts import Counts
from furrow.metering.models import UsageEvent
from furrow.metering.posting import event_post
from furrow.metering.prices import prices_now
from furrow.metering.rollups import rollup_run
from furrow.metering.settlement import bucket_costs

_numbers = count(1)


def spend_at(tenant_id: UUID, at: datetime, *buckets: int, **fields: Any) -> UsageEvent:
    """`buckets` are tokens: cached, read, written, thought."""
    with tenant_tx(tenant_id):
        gate = gate_pass()
        kind = fields.get("kind", "chat")
        model = fields.get("model", "m")
        prices = prices_now(model=model, kind=kind, currency=gate.currency)
        counts = Counts(*buckets)
        costs = bucket_costs(counts, prices.as_json())
        cost = sum(costs.values(), Decimal(0))
        values: dict[str, Any] = {
            **asdict(counts), **costs, "cost": cost, "charged": cost, "absorbed": Decimal(0),
            "source": "test", "source_id": f"e{next(_numbers)}", "basis": "reported",
            "status": "complete", "kind": kind, "model": model, "currency": gate.currency,
            "scopes": ["tenant"], "prices": prices.as_json(),
            "price_ids": [price.id for price in prices.buckets.values()],
            "book_version": prices.book_version, "created_at": at, "started_at": at, "finished_at": at,
        }  # fmt: skip
        event = UsageEvent(tenant_id=tenant_id, **(values | fields))
        event.save(force_insert=True)
        event_post(gate, event)
    return event


def rolled_up() -> None:
    """Hours of usage and of conversations."""
    while rollup_run() or hours_sum_up():
        pass
