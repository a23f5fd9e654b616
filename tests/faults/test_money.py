"""Web, worker, callers and model server are killed at random moments of two hundred paid calls: the books agree.

Repeat a run with FURROW_FAULT_SEED.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import free_port
from tests.faults.client import Business
from tests.faults.conftest import _end
from tests.faults.product import ROOT, Product, until

pytest.importorskip("transformers", reason="it comes with the 'inference' extra")

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(420)]

CALLS, KILLS, CALLERS = 200, 10, 3
# A hold outlives its call by so much, and the sweep comes every five seconds.
CALL_S, GRACE_S, SWEEP_S = 8, 2, 5
SEED = int(os.environ.get("FURROW_FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


@pytest.fixture(scope="module")
def paying() -> Iterator[Product]:
    """A product with a chat model of its own, as small as one can be."""
    from tests.inference.server.tiny_checkpoint import checkpoint_save  # noqa: PLC0415  needs torch

    folder = Path(tempfile.mkdtemp(prefix="furrow-money-"))
    product = Product(
        folder,
        free_port(),
        settings={
            "FURROW_MODEL": str(checkpoint_save(folder / "tiny")),
            "CHAT_TOTAL_TIMEOUT_S": str(CALL_S),
            "CHAT_FIRST_TOKEN_TIMEOUT_S": str(CALL_S),
            "HOLD_GRACE_S": str(GRACE_S),
            "OMP_NUM_THREADS": "1",
        },
        options=("--no-demo",),
    )
    product.start()
    try:
        yield product
    finally:
        _end(product)
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Callers:
    """Processes that chat; whoever is killed is replaced."""

    product: Product
    tenant_id: str
    chance: random.Random
    running: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self) -> None:
        log = (self.product.var / "callers.log").open("ab")
        with log:
            self.running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.faults.caller", self.tenant_id, str(self.chance.randrange(10**6))],
                    cwd=ROOT,
                    env=self.product.env | {"DJANGO_SETTINGS_MODULE": "config.settings"},
                    stdout=log,
                    stderr=log,
                )
            )  # fmt: skip

    def kill_one(self) -> None:
        gone = self.running.pop(self.chance.randrange(len(self.running)))
        gone.kill()
        gone.wait()
        self.start()

    def kill_all(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()


def searches(business: Business, base_id: str, stop: threading.Event) -> None:
    """The web's paid calls: each search by meaning asks the model server for a vector."""
    n = 0
    while not stop.wait(0.15):
        n += 1
        try:
            business.http.post(
                f"/knowledge-bases/{base_id}/search",
                json={"query": f"question {n}", "limit": 3, "mode": "hybrid"},
                timeout=10,
            )
        except httpx.HTTPError:
            continue


def web_chats(product: Product, business: Business, stop: threading.Event, seed: int) -> None:
    """Chats through the API, streamed; some readers leave after a few words."""
    chance = random.Random(seed)
    body = {
        "model": product.settings["FURROW_MODEL"],
        "messages": [{"role": "user", "content": "Who pays for the return? " * 4}],
        "max_tokens": 40,
        "stream": True,
    }
    with httpx.Client(headers=business.headers, timeout=10, trust_env=False) as http:
        while not stop.wait(0.2):
            most = chance.choice((2, 5, 10_000))
            try:
                with http.stream("POST", f"{product.url}/v1/chat/completions", json=body) as answer:
                    for n, _ in enumerate(answer.iter_lines()):
                        if n == most:
                            break
            except httpx.HTTPError:
                continue


@pytest.fixture(scope="module")
def raid(paying: Product) -> dict[str, float]:
    """The calls and the kills; afterwards nobody calls any more and everything runs."""
    chance = random.Random(SEED)
    figures: dict[str, float] = {"seed": SEED}
    with Business(paying, "money") as business:
        (tenant_id,) = paying.sql("SELECT id FROM tenants_tenant WHERE slug = 'money'")[0]
        business.http.put("/budgets", json={"scope_kind": "tenant", "cap_hard": "50"})
        business.http.put("/budgets", json={"scope_kind": "visitor", "scope_id": "*", "cap_hard": "5", "period": "day"})  # fmt: skip
        desk = business.assistant()
        callers = Callers(paying, str(tenant_id), chance)
        stop = threading.Event()
        visitors = [
            threading.Thread(target=searches, args=(business, business.base_id, stop)),
            threading.Thread(target=web_chats, args=(paying, business, stop, SEED)),
        ]
        began = time.monotonic()
        try:
            for _ in range(CALLERS):
                callers.start()
            for visitor in visitors:
                visitor.start()
            readers = []
            for n in range(KILLS):
                readers += business.ask(desk, 2)
                time.sleep(chance.uniform(0.5, 3.0))
                _kill(paying, callers, ("caller", "inference", "web", "worker-chat")[n % 4])
                figures["kills"] = n + 1
                assert until(paying.is_healthy, within_s=40)
            assert until(lambda: _count(paying, "metering_hold") >= CALLS, within_s=120, every_s=1)
        finally:
            stop.set()
            callers.kill_all()
            for visitor in visitors:
                visitor.join(15)
        figures["calls"] = _count(paying, "metering_hold")
        figures["s"] = time.monotonic() - began
        figures["chats"] = paying.sql("SELECT count(*) FROM metering_hold WHERE kind = 'chat'")[0][
            0
        ]
        until(lambda: not any(r.is_alive() for r in readers), within_s=60)
    began = time.monotonic()
    assert until(lambda: _open(paying) == 0, within_s=90, every_s=0.5), _holds(paying)
    figures["last hold ended after, s"] = time.monotonic() - began
    figures["of them in the web"] = paying.sql(
        "SELECT count(*) FROM metering_hold WHERE kind = 'chat' AND attribution ->> 'channel' = 'openai'"
    )[0][0]
    assert figures["of them in the web"] > KILLS
    basis = paying.sql("SELECT basis, count(*) FROM metering_usageevent GROUP BY 1")
    return figures | {str(name): float(count) for name, count in basis}


def _kill(product: Product, callers: Callers, whom: str) -> None:
    if whom == "caller":
        callers.kill_one()
        return
    old = product.kill(whom, with_children=whom == "web")
    assert until(lambda: product.restarted(whom, old), within_s=40)


def _count(product: Product, table: str) -> int:
    return int(product.sql(f"SELECT count(*) FROM {table}")[0][0])


def _open(product: Product) -> int:
    return int(product.sql("SELECT count(*) FROM metering_hold WHERE state = 'open'")[0][0])


def _holds(product: Product) -> str:
    return str(product.sql("SELECT * FROM metering_hold WHERE state = 'open'"))


def test_i5_no_hold_outlives_its_time_and_the_sweep(
    paying: Product, raid: dict[str, float], say: dict[str, float]
) -> None:
    say |= raid
    late = paying.sql(
        "SELECT max(extract(epoch FROM closed_at - expires_at)) FROM metering_hold WHERE state <> 'open'"
    )[0][0]
    say["latest end past its time, s"] = float(late)
    # The sweep, and one round of work that the kills made wait.
    assert late <= SWEEP_S + 15
    states = dict(paying.sql("SELECT state, count(*) FROM metering_hold GROUP BY 1"))
    say["settled"], say["voided"] = states.get("settled", 0), states.get("voided", 0)
    assert sum(states.values()) >= CALLS
    assert states["settled"] > CALLS // 2


def test_counters_receipts_events_and_balances_agree(
    paying: Product, raid: dict[str, float]
) -> None:
    """I3 and the four sums, to the token; the command fails otherwise."""
    assert "balances differ by 0.00, holds by 0.00; 0 receipts missing, 0 holds overdue" in (
        paying.manage("reconcile")
    )


def test_i1_no_cap_was_overrun(paying: Product, raid: dict[str, float]) -> None:
    assert paying.sql("SELECT 1 FROM metering_balance WHERE posted + held > cap_hard") == []


def test_i2_debits_equal_credits(paying: Product, raid: dict[str, float]) -> None:
    assert _count(paying, "metering_ledgerline") > CALLS
    assert (
        paying.sql(
            "SELECT txn FROM metering_ledgerline GROUP BY txn, currency HAVING sum(debit) <> sum(credit)"
        )
        == []
    )


def test_i4_each_call_was_charged_once(paying: Product, raid: dict[str, float]) -> None:
    assert (
        paying.sql(
            "SELECT source_id FROM metering_usageevent WHERE basis <> 'corrected' AND charged > 0"
            " GROUP BY tenant_id, source_id HAVING count(*) > 1"
        )
        == []
    )
    # What was settled has its event, what was voided none that is paid.
    assert (
        paying.sql(
            "SELECT h.request_id, h.state FROM metering_hold h LEFT JOIN (SELECT hold_id, sum(charged) AS paid"
            " FROM metering_usageevent GROUP BY 1) e ON e.hold_id = h.id"
            " WHERE (h.state = 'settled' AND e.paid IS NULL) OR (h.state = 'voided' AND e.paid > 0)"
            " OR e.paid > h.amount"
        )
        == []
    )


def test_i12_hours_add_up_to_events(paying: Product, raid: dict[str, float]) -> None:
    paying.manage("reconcile")
    sums = "sum(in_hit), sum(in_miss), sum(out), sum(reasoning), sum(cost), sum(charged)"
    hours = paying.sql(f"SELECT {sums} FROM metering_usagehour")
    assert hours == paying.sql(f"SELECT {sums} FROM metering_usageevent")
    assert hours[0][1] > 0


def test_i14_every_receipt_is_paid_or_ours(paying: Product, raid: dict[str, float]) -> None:
    """No work of the server is unaccounted for, and what was estimated was put right by its receipt."""
    assert (
        paying.sql(
            "SELECT r.request_id FROM metering_receipt r JOIN metering_hold h"
            " ON h.request_id = regexp_replace(r.request_id, '\\.[0-9]+$', '')"
            " WHERE r.in_hit + r.in_miss + r.out + r.reasoning <> (SELECT coalesce(sum(e.in_hit + e.in_miss"
            " + e.out + e.reasoning), -1) FROM metering_usageevent e WHERE e.hold_id = h.id"
            " AND e.attempt = substring(r.request_id from '[0-9]+$')::int)"
        )
        == []
    )
