"""A tenant that pays, and short ways to hold, settle and look."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper

from furrow.core.context import tenant_tx, unscoped
from furrow.metering.attribution import Attribution
from furrow.metering.balances import balances_drift, gate_pass
from furrow.metering.budgets import budget_set
from furrow.metering.counts import Counts
from furrow.metering.holds import Bounds, hold_open
from furrow.metering.models import Balance, Hold, LedgerLine, UsageEvent
from furrow.metering.posting import event_post
from furrow.metering.prices import prices_now
from furrow.metering.settlement import bucket_costs, settle
from furrow.tenants.services import SYSTEM
from tests.emptying import rows_remove
from tests.fixtures_embeddings import (  # noqa: F401  fixtures by name
    _embedding_process,
    embedding_server,
    no_embedding_server,
)

_numbers = count(1)


@dataclass
class Payer:
    """A tenant; each step is its own transaction, as in production."""

    tenant_id: UUID

    @contextmanager
    def tx(self) -> Iterator[None]:
        with tenant_tx(self.tenant_id):
            yield

    def hold(
        self,
        in_tokens: int = 1000,
        out_tokens: int = 1000,
        *,
        request_id: str = "",
        attribution: Attribution | None = None,
        **options: Any,
    ) -> Any:
        with self.tx():
            held = hold_open(
                request_id=request_id or f"r{next(_numbers)}",
                model=options.pop("model", "m"),
                bounds=Bounds(in_tokens, out_tokens, **options.pop("bounds", {})),
                attribution=attribution or Attribution(),
                **options,
            )
            return Hold.objects.get(id=held.id)

    def settle(self, hold: Any, *buckets: int, **options: Any) -> UsageEvent:
        with self.tx():
            settled = settle(request_id=hold.request_id, counts=Counts(*buckets), **options)
            return UsageEvent.objects.get(id=settled.event_id)

    def spend(self, *buckets: int, attribution: Attribution | None = None, **options: Any) -> Any:
        prompt, answer = sum(buckets[:2]), sum(buckets[2:])
        hold = self.hold(prompt, answer, attribution=attribution, **options)
        return self.settle(hold, *buckets)

    def budget(self, cap: str, kind: str = "tenant", scope_id: str = "", **options: Any) -> Any:
        with self.tx():
            return budget_set(
                actor=SYSTEM,
                scope_kind=kind,
                scope_id=scope_id,
                cap_hard=Decimal(cap),
                **options,
            )

    def balance(self, scope: str = "tenant", period: str = "month") -> Balance:
        with self.tx():
            return Balance.objects.get(scope=scope, period=period)

    def sum_of(self, account: str) -> Decimal:
        with self.tx():
            lines = LedgerLine.objects.filter(account=account)
            return sum((line.debit - line.credit for line in lines), Decimal(0))

    def events(self) -> list[UsageEvent]:
        with self.tx():
            return list(UsageEvent.objects.order_by("created_at"))

    def check(self) -> None:
        """I1, I2, I3 and I8 on this tenant's rows."""
        with self.tx(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            cursor.execute(
                "SELECT count(*) FROM (SELECT txn FROM metering_ledgerline GROUP BY txn, currency"
                " HAVING sum(debit) <> sum(credit)) AS bad"
            )
            assert cursor.fetchone()[0] == 0
            assert balances_drift() == []
            for row in Balance.objects.exclude(cap_hard=None):
                assert row.posted + row.held <= row.cap_hard


@pytest.fixture
def many_connections(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Real commits over a pool, emptied by the owner: the app role may not truncate."""
    with django_db_blocker.unblock():
        options = connections["default"].settings_dict["OPTIONS"]
        connections["default"].close()
        options["pool"] = {"min_size": 1, "max_size": 24, "timeout": 60}
        try:
            yield
        finally:
            connections["default"].close()
            for pool in DatabaseWrapper._connection_pools.values():
                pool.close()
            DatabaseWrapper._connection_pools.clear()
            options.pop("pool")
            rows_remove()


@pytest.fixture
def payer(cast: Any) -> Payer:
    return Payer(cast.tenant.id)


@pytest.fixture
def other_payer(cast: Any) -> Payer:
    return Payer(cast.other_tenant.id)


@pytest.fixture
def rows_of() -> Callable[..., list[tuple[Any, ...]]]:
    """Raw SQL with every tenant's rows, for what only the operator may see."""

    def read(sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with unscoped("look at every tenant's rows in a test"), connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()

    return read


@pytest.fixture
def event_at(payer: Payer) -> Callable[..., UsageEvent]:
    """An event of another time, booked as if it had been settled then."""

    def make(
        started_at: datetime,
        *buckets: int,
        recorded_at: datetime | None = None,
        **fields: Any,
    ) -> UsageEvent:
        with payer.tx():
            gate = gate_pass()
            prices = prices_now(model="m", kind="chat", currency="CNY")
            counts = Counts(*buckets)
            costs = bucket_costs(counts, prices.as_json())
            cost = sum(costs.values(), Decimal(0))
            values: dict[str, Any] = {
                **counts.as_dict(),
                **costs,
                "cost": cost,
                "charged": cost,
                "absorbed": Decimal(0),
                "source": "test",
                "source_id": f"e{next(_numbers)}",
                "basis": "reported",
                "status": "complete",
                "kind": "chat",
                "model": "m",
                "currency": "CNY",
                "scopes": ["tenant"],
                "prices": prices.as_json(),
                "price_ids": [price.id for price in prices.buckets.values()],
                "book_version": prices.book_version,
                "created_at": recorded_at or started_at,
                "started_at": started_at,
                "finished_at": started_at,
            }
            event = UsageEvent(tenant_id=payer.tenant_id, **(values | fields))
            event.save(force_insert=True)
            event_post(gate, event)
            return event

    return make
