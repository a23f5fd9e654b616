"""Hold and settle pairs a second on one account, and what they add to a call: `python tests/bench/metering.py`.
With `--events 10000000` instead how fast usage is read over so many events, and whether summing up stays cheap.

Runs on a PostgreSQL of its own with every durability setting on (or on TEST_DATABASE_OWNER_URL). After the load
the invariants are checked; without them the figures would not count.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from uuid import UUID

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.test_settings")

import django  # noqa: E402  the path comes first

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

from furrow.core import security  # noqa: E402
from furrow.core.addresses import database  # noqa: E402
from furrow.core.context import tenant_context, tenant_tx, unscoped  # noqa: E402
from furrow.metering.balances import balances_drift  # noqa: E402
from furrow.metering.budgets import budget_set  # noqa: E402
from furrow.metering.counts import Counts  # noqa: E402
from furrow.metering.holds import Bounds, hold_open  # noqa: E402
from furrow.metering.rollups import rollup_run  # noqa: E402
from furrow.metering.settlement import settle  # noqa: E402
from furrow.ops import embedded  # noqa: E402
from furrow.tenants.models import Tenant  # noqa: E402
from furrow.tenants.services import SYSTEM, tenant_create  # noqa: E402
from tests.bench import usage_events  # noqa: E402

SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
NAME = "furrow_bench_metering"


def prepare(folder: Path) -> None:
    superuser = os.environ.get("TEST_DATABASE_OWNER_URL") or embedded.postgres_start(folder / "pg")
    embedded.database_ensure(superuser, NAME)
    owner = superuser.replace("/postgres?", f"/{NAME}?")
    for alias, url in (
        ("owner", owner),
        ("default", owner.replace("//postgres@", "//furrow_app@")),
    ):
        connections[alias].settings_dict.update(database(url))
    settings.DATABASE_APP_ROLE = "furrow_app"
    security.ensure_roles(connections["owner"], app_role="furrow_app")
    call_command("migrate", database="owner", verbosity=0)


def pair(tenant_id: UUID, request_id: str) -> tuple[float, float]:
    """Milliseconds of a hold and of its settlement, each a committed transaction."""
    begun = time.perf_counter()
    with tenant_context(tenant_id):
        hold_open(request_id=request_id, model="m", bounds=Bounds(1000, 500))
        held = time.perf_counter()
        settle(request_id=request_id, counts=Counts(0, 800, 200, 0))
    return (held - begun) * 1000, (time.perf_counter() - held) * 1000


def load(tenant_id: UUID, clients: int) -> list[tuple[float, float]]:
    stop = time.monotonic() + SECONDS

    def client(number: int) -> list[tuple[float, float]]:
        times = []
        try:
            while time.monotonic() < stop:
                times.append(pair(tenant_id, f"{clients}-{number}-{len(times)}"))
        finally:
            connection.close()
        return times

    with ThreadPoolExecutor(clients) as threads:
        return [pair for times in threads.map(client, range(clients)) for pair in times]


def report(clients: int, times: list[tuple[float, float]], cpu_s: float) -> None:
    both = sorted(sum(pair) for pair in times)
    hold, settled = (statistics.median(pair[n] for pair in times) for n in (0, 1))
    p95 = both[int(len(both) * 0.95)]
    print(  # noqa: T201  its purpose
        f"{clients:3} clients: {len(times) / SECONDS:6.0f} pairs/s, median hold {hold:.1f} ms,"
        f" settle {settled:.1f} ms, pair p95 {p95:.1f} ms, Python {cpu_s / len(times) * 1000:.2f} ms CPU a pair"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=0, help="measure usage over so many events")
    parser.add_argument(
        "--filled",
        action="store_true",
        help="with the events that a run before left in that database",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        redis = embedded.redis_start(Path(folder) / "redis.sock", Path(folder))
        settings.REDIS_URL = f"unix://{folder}/redis.sock"
        try:
            if options.filled:
                is_good = usage_events.measure(_filled_tenant())
            elif options.events:
                tenant = tenant_create(name="Bench")
                usage_events.prepare(tenant.id, options.events)
                is_good = usage_events.measure(tenant.id)
            else:
                is_good = pairs(tenant_create(name="Bench").id)
        finally:
            connections.close_all()
            redis.terminate()
            redis.wait(10)
    sys.exit(0 if is_good else 1)


def _filled_tenant() -> UUID:
    with unscoped("find the business that was filled"):
        return UUID(str(Tenant.objects.get(name="Bench").id))


def pairs(tenant_id: UUID) -> bool:
    with tenant_tx(tenant_id):
        budget_set(actor=SYSTEM, scope_kind="tenant", cap_hard=Decimal(100_000))
    connection.close()
    print(f"load average before: {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")  # noqa: T201
    for clients in (1, 8, 32):
        before = time.process_time()
        times = load(tenant_id, clients)
        report(clients, times, time.process_time() - before)
    rollup_run()
    with unscoped("check the sums after the load"):
        is_good = balances_drift() == []
    print(f"balances {'agree with the ledger' if is_good else 'DIFFER FROM THE LEDGER'}")  # noqa: T201
    return is_good


if __name__ == "__main__":
    main()
