"""The invariants of metering, and the failures of others that they rule out. Which test holds which promise stands
in `docs/money.md`.
"""

import hashlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from furrow.core.context import tenant_tx
from furrow.core.errors import AppError
from furrow.gateway.dialects import DIALECTS
from furrow.gateway.usage import Seen, usage_count
from furrow.metering.attribution import Attribution
from furrow.metering.balances import balances_drift, rebuild
from furrow.metering.counts import Counts, UsageInvalid
from furrow.metering.credit import adjustment_post
from furrow.metering.errors import BudgetExceeded
from furrow.metering.holds import Bounds, hold_open, void
from furrow.metering.models import Balance, Hold, LedgerLine, UsageEvent
from furrow.metering.money import tokens_cost
from furrow.metering.settlement import correct, settle
from furrow.metering.sweep import sweep_expired
from furrow.tenants.services import SYSTEM, api_key_create, tenant_create
from tests.fixtures_chat import openai_usage
from tests.metering.conftest import Payer

SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
TOKENS = st.integers(0, 3000)
COUNTS = st.builds(Counts, TOKENS, TOKENS, TOKENS, TOKENS)


class Machine(RuleBasedStateMachine):
    """A tenant with two small budgets, and everything that can happen to its calls, in any order."""

    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.payer = Payer(tenant_create(name="Machine").id)
        self.payer.budget("0.2")
        self.payer.budget("0.05", "visitor", "*", period="day")
        self.ended: dict[str, str] = {}

    @rule(target=holds, prompt=TOKENS, answer=TOKENS, visitor=st.sampled_from(["", "v", "w"]))
    def hold(self, prompt, answer, visitor):
        try:
            return self.payer.hold(prompt, answer, attribution=Attribution(visitor_id=visitor))
        except BudgetExceeded:
            return None

    @rule(hold=holds, counts=COUNTS, attempt=st.integers(1, 2), status=st.sampled_from(["complete", "aborted", "failed"]))  # fmt: skip
    def settle(self, hold, counts, attempt, status):
        assume(hold is not None)
        with self.payer.tx():
            settle(request_id=hold.request_id, counts=counts, attempt=attempt, status=status)

    @rule(hold=holds, counts=COUNTS)
    def correct(self, hold, counts):
        assume(hold is not None)
        with self.payer.tx():
            if UsageEvent.objects.filter(source_id=hold.request_id, attempt=1).exists():
                correct(request_id=hold.request_id, counts=counts)

    @rule(hold=holds)
    def void(self, hold):
        assume(hold is not None)
        with self.payer.tx():
            void(request_id=hold.request_id)

    @rule(hold=consumes(holds))
    def expire(self, hold):
        assume(hold is not None)
        with self.payer.tx():
            past = hold.started_at - timedelta(hours=1)
            Hold.objects.filter(id=hold.id, state="open").update(expires_at=past)
        sweep_expired()
        with self.payer.tx():
            assert Hold.objects.get(id=hold.id).state != "open"

    @rule(amount=st.decimals("0.000001", "0.01", places=6))
    def credit(self, amount):
        with self.payer.tx():
            adjustment_post(actor=SYSTEM, amount=-amount, note="goodwill")

    @invariant()
    def sums_agree(self):
        self.payer.check()

    @invariant()
    def each_request_is_charged_once(self):
        with self.payer.tx():
            paid: dict[str, set[int]] = {}
            for event in UsageEvent.objects.exclude(charged=0):
                paid.setdefault(event.source_id, set()).add(event.attempt)
            assert all(len(attempts) == 1 for attempts in paid.values())

    @invariant()
    def holds_end_once(self):
        with self.payer.tx():
            for request_id, state in Hold.objects.exclude(state="open").values_list(
                "request_id", "state"
            ):
                assert self.ended.setdefault(request_id, state) == state


@pytest.mark.parametrize("examples", [4, pytest.param(15, marks=pytest.mark.slow)])
def test_i2_i3_i4_i5_hold_after_every_step(db, examples):
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples, stateful_step_count=20, deadline=None, suppress_health_check=SLOW
        ),
    )


CLIENTS = 256
CAP = Decimal("1.2")
UNIT = Decimal("0.002000000004")


@pytest.mark.slow
def test_i1_parallel_clients_end_within_one_unit_of_the_cap(many_connections):
    payer = Payer(tenant_create(name="Busy").id)
    payer.budget(str(CAP))
    start = threading.Barrier(CLIENTS)

    def client(number: int) -> int:
        bought = 0
        start.wait(60)
        while True:
            request_id = f"c{number}-{bought}"
            try:
                with tenant_tx(payer.tenant_id):
                    hold_open(request_id=request_id, model="m", bounds=Bounds(1000))
                    balance = Balance.objects.get(scope="tenant")
                    assert balance.posted + balance.held <= CAP
            except BudgetExceeded:
                return bought
            finally:
                connection.close()
            time.sleep(0.005)
            try:
                with tenant_tx(payer.tenant_id):
                    settle(request_id=request_id, counts=Counts(0, 1000, 0, 0))
            finally:
                connection.close()
            bought += 1

    with ThreadPoolExecutor(CLIENTS) as threads:
        bought = sum(threads.map(client, range(CLIENTS)))
    balance = payer.balance()
    # Clients that were refused gave up, so money held by the last calls may have come back after them.
    assert balance.posted == bought * Decimal("0.002")
    assert CAP - UNIT < balance.posted <= CAP
    assert balance.held == 0
    payer.check()


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(tokens=st.integers(0, 10**9), nano=st.integers(0, 10**15) | st.integers(0, 3000))
# More digits than a float has, and halves above an even and an odd unit.
@example(tokens=184_985_080, nano=925_995_900_101_635)
@example(tokens=1, nano=500)
@example(tokens=3, nano=500)
def test_i6_cost_equals_an_independent_integer_sum(db, tokens, nano):
    """In units of 1e-12: tokens at nano-prices for a million, halves to even; here and in the database."""
    whole, rest = divmod(tokens * nano, 1000)
    units = whole + (rest > 500 or (rest == 500 and whole % 2 == 1))
    expected = Decimal(units).scaleb(-12)
    price = Decimal(nano).scaleb(-9)
    assert tokens_cost(tokens, price) == expected
    with connection.cursor() as cursor:
        cursor.execute("SELECT metering_cost(%s::bigint, %s::numeric(18, 9))", [tokens, price])
        assert cursor.fetchone()[0] == expected


@settings(max_examples=15, deadline=None, suppress_health_check=SLOW)
@given(counts=COUNTS)
def test_i6_event_is_its_buckets_at_the_prices_of_its_start(payer, counts):
    hold = payer.hold(counts.prompt, counts.completion)
    event = payer.settle(hold, *counts.buckets)
    nano = {
        "in_hit": 500_000_000,
        "in_miss": 2_000_000_000,
        "out": 8_000_000_000,
        "reasoning": 8_000_000_000,
    }
    parts = [tokens * nano[name] // 1000 for name, tokens in counts.as_dict().items()]
    assert event.cost == Decimal(sum(parts)).scaleb(-12)
    assert event.charged == event.cost


@settings(max_examples=10, deadline=None, suppress_health_check=SLOW)
@given(counts=COUNTS, kind=st.sampled_from(["chat", "embedding", "rerank"]))
def test_i7_usage_and_receipt_of_the_same_tokens_cost_the_same(payer, counts, kind):
    said = openai_usage(counts.prompt, counts.completion, counts.in_hit, counts.reasoning)
    read = usage_count(DIALECTS["own"].read_usage, {"usage": said}, Seen()).usage
    costs = set()
    for used in (read, counts):
        hold = payer.hold(counts.prompt, counts.completion, kind=kind)
        costs.add(payer.settle(hold, *used.buckets).cost)
    assert len(costs) == 1


class TestI8:
    """With every server's way of counting: `tests/gateway/test_usage.py`."""

    def test_i8_cached_tokens_are_not_counted_twice(self):
        """One server counts what was cached inside its prompt, another beside it."""
        inside = {"usage": openai_usage(100, 7, cached=90)}
        beside = {"timings": {"cache_n": 90, "prompt_n": 10, "predicted_n": 7}}
        for dialect, message in (("own", inside), ("llamacpp", beside)):
            read = usage_count(DIALECTS[dialect].read_usage, message, Seen())
            assert read.usage == Counts(90, 10, 7, 0)

    def test_i8_zero_is_not_missing(self):
        for message, expected in (
            ({"usage": openai_usage(0, 0)}, (Counts(), "reported")),
            ({"usage": {"prompt_tokens": None}}, (Counts(0, 9), "estimated")),
            ({}, (Counts(0, 9), "estimated")),
        ):
            read = usage_count(DIALECTS["own"].read_usage, message, Seen(prompt=9))
            assert (read.usage, read.basis) == expected

    @pytest.mark.parametrize("wrong", [-1, True, 1.0, "1", None, 10**9 + 1])
    def test_i8_buckets_cannot_be_built_wrong(self, wrong):
        with pytest.raises(UsageInvalid):
            Counts(0, wrong)


def test_i11_corrections_leave_history_as_it_was(payer):
    hold = payer.hold()
    payer.settle(hold, 0, 900, 100, 0, basis="estimated")

    def digest(first: int) -> str:
        with payer.tx(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT string_agg(t::text, '|' ORDER BY created_at, id) FROM (SELECT * FROM"
                " metering_usageevent WHERE basis <> 'corrected') t"
            )
            events = cursor.fetchone()[0]
            cursor.execute(
                "SELECT string_agg(t::text, '|' ORDER BY id) FROM (SELECT * FROM metering_ledgerline"
                " WHERE reason <> 'correction') t"
            )
            return hashlib.sha256(f"{events}{cursor.fetchone()[0]}".encode()).hexdigest()

    before = digest(0)
    with payer.tx():
        correct(request_id=hold.request_id, counts=Counts(900, 0, 90, 5))
    assert digest(0) == before
    assert [sum(getattr(e, b) for e in payer.events()) for b in ("in_hit", "in_miss", "out")] == [900, 0, 90]  # fmt: skip


@pytest.mark.parametrize(
    "skew", [timedelta(minutes=-10), timedelta(minutes=10), timedelta(days=-40)]
)
def test_i17_a_workers_clock_changes_no_price_and_no_period(payer, monkeypatch, skew):
    right = payer.spend(0, 100, 10, 0)
    real, clock = timezone.now, time.time
    monkeypatch.setattr(timezone, "now", lambda: real() + skew)
    monkeypatch.setattr(time, "time", lambda: clock() + skew.total_seconds())
    wrong = payer.spend(0, 100, 10, 0)
    assert abs(wrong.started_at - right.started_at) < timedelta(minutes=1)
    assert wrong.cost == right.cost
    with payer.tx():
        assert Balance.objects.count() == 1


def test_f5_an_empty_request_id_is_refused(payer):
    hold = payer.hold()
    with pytest.raises(IntegrityError, match="hold_named"), payer.tx():
        hold_open(request_id="", model="m", bounds=Bounds(1))
    assert hold.request_id


def test_f10_rebuilding_twice_changes_nothing(payer):
    payer.spend(0, 100, 10, 0)
    payer.hold()
    before = payer.balance()
    with payer.tx():
        assert rebuild() == rebuild() == 0
    after = payer.balance()
    assert (after.posted, after.held) == (before.posted, before.held)


@pytest.mark.parametrize(
    "table", ["usageevent", "ledgerline", "rollupdue", "balance", "hold", "budgetnotice"]
)
def test_f11_failure_at_any_write_of_a_settlement_loses_nothing(many_connections, table):
    payer = Payer(tenant_create(name="Unlucky").id)
    payer.budget("0.001")
    hold = payer.hold(100, 50)
    with broken_writes(f"metering_{table}"), pytest.raises(DatabaseError, match="stopped here"):
        payer.settle(hold, 0, 100, 50, 0)
    assert payer.events() == []
    payer.check()
    assert payer.settle(hold, 0, 100, 50, 0).charged > 0
    payer.check()


@contextmanager
def broken_writes(table: str) -> Iterator[None]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION break_it() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'the machine stopped here'; END $$;"
            f"CREATE TRIGGER break_it BEFORE INSERT OR UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION break_it()"
        )
        try:
            yield
        finally:
            cursor.execute(f"DROP TRIGGER break_it ON {table}; DROP FUNCTION break_it()")


def test_f17_the_same_event_cannot_be_stored_twice(payer):
    event = payer.spend(0, 100, 10, 0)
    event.id = payer.tenant_id
    with pytest.raises(IntegrityError, match="event_once"), payer.tx():
        event.save(force_insert=True)


def test_strangers_gate_shows_nothing(payer, other_payer):
    payer.spend(0, 100, 10, 0)
    with other_payer.tx():
        assert balances_drift() == []
        assert LedgerLine.objects.count() == 0
        with pytest.raises(AppError):
            settle(request_id="r1", counts=Counts())


def test_i18_one_key_at_once_from_everywhere_is_one_execution(many_connections):
    tenant = tenant_create(name="Twice")
    with tenant_tx(tenant.id):
        _, secret = api_key_create(
            actor=SYSTEM, name="k", scopes=["usage:write", "knowledge:write"]
        )
    start = threading.Barrier(8)

    def client(number: int) -> tuple[int, str]:
        start.wait(30)
        try:
            answer = Client().post(
                "/api/v1/knowledge-bases",
                {"name": "one" if number < 6 else "another"},
                content_type="application/json",
                headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "k1"},
            )
            return answer.status_code, answer.content.decode()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(client, range(8)))
    with tenant_tx(tenant.id), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM knowledge_knowledgebase")
        assert cursor.fetchone()[0] == 1
    done = {body for status, body in answers if status == 201}
    assert len(done) == 1
    assert {status for status, _ in answers} <= {201, 409, 422}
    # Whose body won is chance; the other one is told so, or to wait.
    assert any(status in {409, 422} for status, _ in answers)
