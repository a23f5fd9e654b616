"""What others got wrong with money, F1 to F24, each as a test that a naive way of doing it fails.

The numbers are those of `docs/money.md`, which says where the others are.
"""

import gc
import subprocess
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from furrow.core.context import tenant_context
from furrow.gateway.chat import chat
from furrow.gateway.chat_types import ChatRequest
from furrow.gateway.embeddings import embed_texts
from furrow.metering.attribution import Attribution
from furrow.metering.counts import Counts, UsageInvalid
from furrow.metering.credit import credit_add, prepaid_set
from furrow.metering.errors import BudgetExceeded
from furrow.metering.holds import Bounds, hold_open
from furrow.metering.models import Balance, LedgerLine, RollupDue, UsageEvent
from furrow.metering.prices import price_set
from furrow.metering.receipt_pages import receipts_client
from furrow.metering.receipts import receipts_pull, wire_id
from furrow.metering.rollups import rollup_run
from furrow.metering.selectors import usage_by
from furrow.metering.settlement import correct, settle
from furrow.metering.sweep import sweep_expired
from furrow.tenants.services import SYSTEM, tenant_create
from tests import fixtures_chat
from tests.fixtures_chat import answer, openai_usage
from tests.metering.conftest import Payer

_chat_process = fixtures_chat._chat_process
chat_server = fixtures_chat.chat_server

ROOT = Path(__file__).resolve().parents[2]


def ask(payer, **more):
    with tenant_context(payer.tenant_id):
        return chat(ChatRequest(messages=[{"role": "user", "content": "Hello?"}], **more))


@pytest.mark.parametrize("change", [{"cost": 0}, {"cost": 0, "charged": 0}, {"charged": 0}])
def test_f2_a_total_that_is_not_its_parts_cannot_be_stored(payer, change):
    event = payer.spend(10, 20, 30, 4)
    event.id, event.attempt = payer.tenant_id, 9
    for name, value in change.items():
        setattr(event, name, value)
    with pytest.raises(IntegrityError, match="event_cost_is"), payer.tx():
        event.save(force_insert=True)


@pytest.mark.parametrize("dialect", ["own", "openai", "vllm"])
def test_f6_a_call_about_which_nothing_is_known_still_has_its_row(
    payer, chat_server, settings, dialect
):
    settings.CHAT_DIALECT = dialect
    chat_server.events = answer("", usage=None)
    ask(payer)
    (event,) = payer.events()
    assert (event.basis, event.status) == ("estimated", "complete")
    assert event.in_miss > 0


def test_f7_a_burst_of_somebody_never_seen_stops_at_the_limit(many_connections):
    payer = Payer(tenant_create(name="Burst").id)
    # Three calls of 0.002 and their rounding fit.
    payer.budget("0.0061", "visitor", "*", period="day")
    start = threading.Barrier(24)

    def client(number: int) -> bool:
        start.wait(30)
        try:
            payer.hold(1000, 0, attribution=Attribution(visitor_id="new"), request_id=f"b{number}")
        except BudgetExceeded:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(24) as threads:
        assert sum(threads.map(client, range(24))) == 3
    payer.check()


def test_f9_a_forgotten_hold_gives_its_money_back(payer, embedding_server):
    payer.budget("0.003")
    payer.hold(1000, 0, kind="chat", ttl=timedelta(seconds=-1))
    with pytest.raises(BudgetExceeded):
        payer.hold(1000, 0)
    with receipts_client() as client:
        receipts_pull(client)
    assert sweep_expired().voided == 1
    assert payer.balance().held == 0
    payer.hold(1000, 0)
    payer.check()


@pytest.mark.parametrize("is_streamed", [True, False])
def test_f12_cached_tokens_are_paid_once_and_at_their_own_price(payer, chat_server, is_streamed):
    usage = openai_usage(100_000, 100, cached=90_000)
    if is_streamed:
        chat_server.events = answer("Hi", usage=usage)
    else:
        choice = {"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}
        chat_server.whole = {"choices": [choice], "usage": usage}
    payer.budget("1")
    with tenant_context(payer.tenant_id):
        long = "word " * 25_000
        chat(ChatRequest(messages=[{"role": "user", "content": long}], max_tokens=100))
    (event,) = payer.events()
    # 90,000 at 0.5 and 10,000 at 2 for a million; all at the full price would be 0.2.
    assert event.cost == event.charged == Decimal("0.0658")


def test_f13_prompt_is_its_two_buckets_in_every_sum(payer, chat_server):
    chat_server.events = answer("Hi", usage=openai_usage(100, 10, cached=64))
    ask(payer)
    rollup_run()
    today = payer.balance().created_at.date()
    with payer.tx():
        (row,) = usage_by(
            since=today - timedelta(days=1), until=today + timedelta(days=1), group_by="model"
        )
    assert (row.in_hit, row.in_miss, row.in_hit + row.in_miss, row.tokens) == (64, 36, 100, 110)


@pytest.mark.parametrize("wrong", [Decimal("0.5"), 0.5, "5"])
def test_f14_a_price_is_no_token_count(payer, wrong):
    with pytest.raises(UsageInvalid):
        Counts(in_hit=100, in_miss=wrong)
    event = payer.spend(1_000, 0, 0, 0)
    assert event.cost == Decimal("0.0005")


def test_f15_a_settlement_that_did_not_commit_is_not_taken_for_done(payer):
    hold = payer.hold()

    def lost() -> None:
        with payer.tx():
            settle(request_id=hold.request_id, counts=Counts(0, 100, 10, 0))
            raise ConnectionError("the node was rolled out")

    with pytest.raises(ConnectionError):
        lost()
    assert payer.settle(hold, 0, 100, 10, 0).charged > 0
    assert payer.settle(hold, 0, 100, 10, 0).id == payer.events()[0].id
    assert len(payer.events()) == 1


def test_f16_usage_of_long_ago_is_kept_and_summed_up(payer, event_at, embedding_server):
    long_ago = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
    event_at(long_ago, 0, 1000, 0, 0, recorded_at=datetime.now(UTC))
    hold = payer.hold(1000, 0, kind="embedding", model="fake-one")
    embedding_server.receipt_add(wire_id(hold.request_id, 1), in_miss=7)
    embedding_server.receipts[0] |= {"started_at": "2020-01-01T00:00:00+00:00", "finished_at": "2020-01-01T00:00:01+00:00"}  # fmt: skip
    with receipts_client() as client:
        assert receipts_pull(client).settled == 1
    rollup_run()
    with payer.tx():
        (row,) = usage_by(since=date(2026, 1, 5), until=date(2026, 1, 5), group_by="day")
        assert (row.in_miss, row.calls) == (1000, 1)
        assert UsageEvent.objects.get(source="own").in_miss == 7


def test_f18_what_was_accepted_arrives_in_the_figures(payer, embedding_server, api):
    with tenant_context(payer.tenant_id):
        embed_texts(["one two three"])
    rollup_run()
    (item,) = api.get("/api/v1/usage?group_by=kind").json()["items"]
    assert (item["key"], item["calls"], item["usage"]["input_miss"]) == ("embedding", 1, 5)
    with payer.tx():
        assert not RollupDue.objects.exists()


def test_f19_one_payment_entered_twice_at_once_counts_once(many_connections):
    payer = Payer(tenant_create(name="Credit").id)
    with payer.tx():
        prepaid_set(actor=SYSTEM, is_prepaid=True)
    start = threading.Barrier(8)

    def enter(_: int) -> str:
        start.wait(30)
        try:
            with payer.tx():
                return str(credit_add(actor=SYSTEM, amount=Decimal(5), reference="payment 1"))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(enter, range(8)))) == 1
    with payer.tx():
        assert LedgerLine.objects.filter(reason="top_up", account="wallet").count() == 1
        assert Balance.objects.get(scope="wallet").cap_hard == 5


def test_f20_two_events_of_one_instant_are_two(payer, event_at):
    moment = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
    first, second = (event_at(moment, 0, 100, 0, 0) for _ in range(2))
    assert (first.started_at, first.finished_at) == (second.started_at, second.finished_at)
    rollup_run()
    with payer.tx():
        (row,) = usage_by(since=date(2026, 3, 1), until=date(2026, 3, 1), group_by="hour")
    assert (row.calls, row.in_miss) == (2, 200)


def test_f21_a_mistyped_price_is_put_right_by_an_entry_and_blocks_nobody(payer):
    payer.budget("1")
    price_set(model="m", kind="out", per_million=Decimal(8000), currency="CNY")
    hold = payer.hold(0, 120)
    payer.settle(hold, 0, 0, 120, 0)
    assert payer.balance().posted == Decimal("0.96")
    right = price_set(model="m", kind="out", per_million=Decimal(8), currency="CNY")
    with pytest.raises(BudgetExceeded):
        payer.hold(0, 10_000)
    with payer.tx():
        correct(
            request_id=hold.request_id,
            counts=Counts(0, 0, 120, 0),
            prices={**hold.prices, "out": [str(right.id), "8"]},
        )
    assert payer.balance().posted == Decimal("0.00096")
    assert len(payer.events()) == 2
    payer.hold(0, 10_000)
    payer.check()


@pytest.mark.slow
def test_f22_a_later_call_costs_what_the_first_did(payer):
    """Neither memory nor threads nor trips grow with the number of calls."""

    def calls(first: int, count: int) -> None:
        with tenant_context(payer.tenant_id):
            for n in range(first, first + count):
                hold_open(request_id=f"s{n}", model="m", bounds=Bounds(10, 10))
                settle(request_id=f"s{n}", counts=Counts(0, 10, 10, 0))

    calls(0, 50)
    threads = threading.active_count()
    tracemalloc.start()
    try:
        calls(50, 50)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        calls(100, 250)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 50_000, f"{grown / 250:.0f} bytes a call stay"
    assert threading.active_count() == threads
    with CaptureQueriesContext(connection) as captured:
        calls(350, 1)
    assert len(captured) == 2


def test_f23_the_usage_page_reads_hours_and_never_events(payer, api):
    for _ in range(3):
        payer.spend(0, 10, 10, 0)
    rollup_run()
    for group in ("hour", "day", "assistant", "model", "channel", "key", "rung", "kind"):
        with CaptureQueriesContext(connection) as captured:
            assert api.get(f"/api/v1/usage?group_by={group}").status_code == 200
        read = [query["sql"] for query in captured if "metering_" in query["sql"]]
        assert len(read) == 1
        assert "metering_usageevent" not in read[0]
        assert "metering_usagehour" in read[0]


@pytest.mark.slow
def test_f24_the_engine_counts_and_the_proxy_does_not(payer, chat_server):
    """What streams through is weighed at most; the engine's count is paid, whatever the text looks like."""
    chat_server.events = answer(*["word "] * 200, usage=openai_usage(10, 3))
    ask(payer)
    (event,) = payer.events()
    assert (event.in_miss, event.out, event.basis) == (10, 3, "reported")
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, django; django.setup(); import furrow.gateway.chat, furrow.gateway.embeddings;"
            "print(sorted({'tiktoken', 'tokenizers', 'transformers', 'torch'} & set(sys.modules)))",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}", "DJANGO_SETTINGS_MODULE": "config.test_settings", "PATH": ""},
    )  # fmt: skip
    assert loaded.stdout.strip() == "[]"
