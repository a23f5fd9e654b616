"""Settlement and correction: once, exact, and in the tenant's favour where an engine misbehaves."""

import random
from contextlib import contextmanager
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import Error, IntegrityError, connection, transaction

from furrow.core.errors import NotFound
from furrow.core.extensions import extensions
from furrow.metering.attribution import Attribution
from furrow.metering.counts import Counts
from furrow.metering.credit import adjustment_post, credit_add, entry_reverse, prepaid_set
from furrow.metering.errors import BudgetExceeded
from furrow.metering.holds import void
from furrow.metering.models import BudgetNotice, Hold, LedgerLine, UsageEvent
from furrow.metering.prices import price_set
from furrow.metering.settlement import Status, correct, free_event, settle
from furrow.tenants.services import SYSTEM


def corrected(payer, hold, *buckets, **options):
    with payer.tx():
        return correct(request_id=hold.request_id, counts=Counts(*buckets), **options)


def net(payer):
    return sum((event.charged for event in payer.events()), Decimal(0))


def test_four_buckets_are_paid_each_at_its_price(payer):
    event = payer.spend(1000, 100, 10, 1)
    assert event.cost == Decimal("0.0005") + Decimal("0.0002") + Decimal("0.00008") + Decimal(
        "0.000008"
    )
    assert payer.sum_of("receivable") == event.cost == -payer.sum_of("revenue")


def test_embedding_has_one_price(payer):
    event = payer.spend(500, 500, 0, 0, kind="embedding")
    assert event.cost == Decimal("0.0001")


def test_settling_again_changes_nothing(payer):
    hold = payer.hold()
    first = payer.settle(hold, 0, 10, 10, 0)
    again = payer.settle(hold, 0, 999, 999, 0)
    assert again.id == first.id
    assert len(payer.events()) == 1
    payer.check()


def test_zero_usage_is_zero_and_not_missing(payer):
    event = payer.settle(payer.hold(), 0, 0, 0, 0)
    assert (event.cost, event.basis) == (0, "reported")
    with payer.tx():
        assert LedgerLine.objects.count() == 0
    assert payer.balance().held == 0


def test_more_than_was_held_is_ours(payer):
    hold = payer.hold(1000, 0)
    event = payer.settle(hold, 0, 5000, 0, 0)
    assert event.charged == hold.amount
    assert event.absorbed == event.cost - hold.amount > 0
    assert payer.sum_of("absorbed") == event.absorbed
    payer.check()


def test_second_attempt_is_ours(payer):
    hold = payer.hold()
    paid = payer.settle(hold, 0, 100, 10, 0, attempt=2)
    late = payer.settle(hold, 0, 100, 0, 0, attempt=1)
    assert (paid.absorbed, late.charged, late.status) == (0, 0, Status.FAILED)
    payer.check()


def test_failed_attempt_is_ours_and_ends_no_hold(payer):
    hold = payer.hold()
    failed = payer.settle(hold, 0, 100, 0, 0, attempt=1, status=Status.FAILED)
    paid = payer.settle(hold, 0, 100, 10, 0, attempt=2)
    assert failed.charged == 0 < paid.charged
    payer.check()


def test_work_after_the_hold_was_voided_is_ours(payer):
    hold = payer.hold()
    with payer.tx():
        void(request_id=hold.request_id)
    event = payer.settle(hold, 0, 100, 10, 0)
    assert (event.charged, event.absorbed) == (0, event.cost)
    with payer.tx():
        assert Hold.objects.get(id=hold.id).state == Hold.State.VOIDED
    payer.check()


def test_unknown_request_cannot_be_settled(payer, other_payer):
    hold = other_payer.hold()
    with pytest.raises(NotFound):
        payer.settle(hold, 0, 1, 1, 0)


class TestCorrection:
    @pytest.fixture
    def hold(self, payer):
        hold = payer.hold()
        payer.settle(hold, 0, 800, 200, 0, basis="estimated")
        return hold

    @pytest.mark.parametrize(
        "truth", [(0, 1000, 50, 0), (900, 100, 0, 20), (0, 0, 0, 0), (0, 800, 900, 0)]
    )
    def test_net_is_the_truth(self, payer, hold, truth):
        corrected(payer, hold, *truth)
        events = payer.events()
        for n, bucket in enumerate(("in_hit", "in_miss", "out", "reasoning")):
            assert sum(getattr(event, bucket) for event in events) == truth[n]
        assert sum(event.cost for event in events) == settle_alone(truth)
        payer.check()

    def test_same_truth_twice_is_one_correction(self, payer, hold):
        assert corrected(payer, hold, 0, 700, 100, 0) is not None
        assert corrected(payer, hold, 0, 700, 100, 0) is None
        assert corrected(payer, hold, 0, 700, 101, 0).revision == 1
        assert len(payer.events()) == 3
        payer.check()

    def test_increase_beyond_the_budget_is_ours(self, payer, hold):
        payer.budget("0.004")
        event = corrected(payer, hold, 0, 100_000, 0, 0)
        assert event.absorbed > 0
        assert net(payer) == Decimal("0.004")
        payer.check()

    def test_mistyped_price_is_put_right(self, payer):
        price_set(model="m", kind="out", per_million=Decimal(8000), currency="CNY")
        hold = payer.hold()
        payer.settle(hold, 0, 0, 500, 0)
        right = price_set(model="m", kind="out", per_million=Decimal(8), currency="CNY")
        prices = {**hold.prices, "out": [str(right.id), "8"]}
        corrected(payer, hold, 0, 0, 500, 0, prices=prices)
        assert net(payer) == Decimal("0.004")
        assert payer.balance().posted == Decimal("0.004")
        assert corrected(payer, hold, 0, 0, 500, 0, prices=prices) is None
        payer.check()


def settle_alone(truth):
    prices = (Decimal("0.5"), Decimal(2), Decimal(8), Decimal(8))
    return sum(n * p for n, p in zip(truth, prices, strict=True)) / 1_000_000


def test_answer_from_our_cache_is_an_event_of_nothing(payer):
    for _ in range(2):
        with payer.tx():
            free_event(source_id="turn-1", model="m", rung="approved", currency="CNY")
    (event,) = payer.events()
    assert (event.status, event.cost, event.rung) == ("complete", 0, "approved")


class TestThresholds:
    @pytest.fixture
    def told(self, monkeypatch):
        news = []
        monkeypatch.setitem(
            extensions.listeners, "test", lambda name, facts: news.append((name, facts))
        )
        return news

    def test_each_is_told_once(self, payer, told, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            payer.budget("0.01")
            for _ in range(9):
                payer.spend(0, 500, 0, 0)
        assert [facts["percent"] for _, facts in told] == [50, 80]
        assert told[0] == (
            "budget.threshold",
            {
                "tenant_id": str(payer.tenant_id),
                "scope": "tenant",
                "period": "month",
                "period_start": payer.balance().period_start.isoformat(),
                "percent": 50,
                "posted": "0.005",
                "cap": "0.01",
                "is_hard": True,
                "currency": "CNY",
            },
        )
        with payer.tx():
            assert BudgetNotice.objects.count() == 2

    def test_listener_that_fails_spoils_nothing(
        self, payer, monkeypatch, django_capture_on_commit_callbacks
    ):
        told = []

        def fails(name, facts):
            raise RuntimeError("the mail server is away")

        monkeypatch.setitem(extensions.listeners, "a", fails)
        monkeypatch.setitem(extensions.listeners, "b", lambda name, facts: told.append(name))
        payer.budget("0.01", thresholds=(50,))
        with django_capture_on_commit_callbacks(execute=True):
            assert payer.spend(0, 3000, 0, 0).charged > 0
        assert told == ["budget.threshold"]

    def test_soft_cap_stops_nothing(self, payer, told, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            payer.budget("1", cap_soft=Decimal("0.001"), thresholds=(100,))
            payer.spend(0, 5000, 0, 0)
            payer.spend(0, 5000, 0, 0)
        assert len(told) == 1


class TestCredit:
    @pytest.fixture
    def prepaid(self, payer):
        with payer.tx():
            prepaid_set(actor=SYSTEM, is_prepaid=True)
        return payer

    def add(self, payer, amount, reference="pay-1"):
        with payer.tx():
            return credit_add(actor=SYSTEM, amount=Decimal(amount), reference=reference)

    def test_without_credit_nothing_is_bought(self, prepaid):
        with pytest.raises(BudgetExceeded) as refused:
            prepaid.hold()
        assert refused.value.details["scope"] == "wallet"

    def test_credit_is_used_up_and_then_refuses(self, prepaid):
        self.add(prepaid, "0.01")
        prepaid.spend(0, 3000, 0, 0)
        with pytest.raises(BudgetExceeded):
            prepaid.hold(3000, 0)
        assert prepaid.sum_of("wallet") == Decimal("-0.004")
        assert prepaid.sum_of("receivable") == 0
        prepaid.check()

    def test_one_payment_counts_once(self, prepaid):
        assert self.add(prepaid, "5") == self.add(prepaid, "5")
        assert prepaid.balance("wallet", "ever").cap_hard == 5
        prepaid.check()

    def test_wrong_payment_is_reversed_by_another_entry(self, prepaid):
        txn = self.add(prepaid, "500")
        with prepaid.tx():
            entry_reverse(actor=SYSTEM, txn=txn, note="typed wrong")
        assert prepaid.sum_of("wallet") == prepaid.sum_of("cash") == 0
        assert prepaid.balance("wallet", "ever").cap_hard == 0
        with prepaid.tx(), pytest.raises(Exception, match="reversed already"):
            entry_reverse(actor=SYSTEM, txn=txn, note="again")
        prepaid.check()

    def test_adjustment_gives_room_back(self, payer):
        payer.spend(0, 5000, 0, 0)
        with payer.tx():
            adjustment_post(actor=SYSTEM, amount=Decimal("-0.004"), note="goodwill")
        assert payer.balance().posted == Decimal("0.006")
        payer.check()


@contextmanager
def refused(message):
    """What is done inside is refused by the database, and undone."""
    with pytest.raises(Error, match=message), transaction.atomic(), connection.cursor() as cursor:
        yield cursor


class TestDatabaseRefuses:
    """I16, I2, I8 and F2: raw SQL as either role."""

    TABLES = (
        "usageevent",
        "ledgerline",
        "receipt",
        "priceitem",
        "invoice",
        "invoiceline",
        "budgetnotice",
    )

    @pytest.mark.parametrize("role", ["NONE", "furrow_maintenance"])
    @pytest.mark.parametrize("table", TABLES)
    @pytest.mark.parametrize(
        "act", ["UPDATE metering_{} SET id = id", "DELETE FROM metering_{}", "TRUNCATE metering_{}"]
    )
    def test_i16_history_cannot_be_rewritten(self, payer, role, table, act):
        with payer.tx(), refused("permission denied") as cursor:
            cursor.execute(f"SET LOCAL ROLE {role}")
            cursor.execute(act.format(table))

    @pytest.mark.parametrize(
        "act",
        [
            "UPDATE metering_hold SET amount = 0",
            "DELETE FROM metering_hold",
            "DELETE FROM metering_balance",
        ],
    )
    def test_i16_only_the_state_of_a_hold_moves(self, payer, act):
        payer.hold()
        with pytest.raises(Error, match="permission denied"), payer.tx():
            connection.cursor().execute(act)

    @pytest.mark.parametrize("table", ["receipt", "receiptsource", "reconciliation"])
    def test_receipts_are_not_for_tenants(self, payer, table):
        with pytest.raises(Error, match="permission denied"), payer.tx():
            connection.cursor().execute(f"SELECT 1 FROM metering_{table}")

    def test_i2_entry_must_balance(self, payer):
        line = {
            "txn": payer.tenant_id,
            "currency": "CNY",
            "reason": "x",
            "occurred_at": "2027-01-01T00:00Z",
        }
        lines = [
            LedgerLine(tenant_id=payer.tenant_id, account="revenue", credit=1, **line),
            LedgerLine(tenant_id=payer.tenant_id, account="receivable", debit=1, **line),
        ]
        with payer.tx():
            LedgerLine.objects.bulk_create(lines)
        for wrong in (
            [{"credit": 1}],
            [{"credit": 1}, {"debit": 2}],
            [{"credit": 1}, {"debit": 1, "currency": "USD"}],
            [{"credit": 1}, {"debit": 1, "txn": uuid4()}],
        ):
            added = [
                LedgerLine(tenant_id=payer.tenant_id, account="revenue", **{**line, **change})
                for change in wrong
            ]
            with payer.tx(), refused("does not balance"):
                LedgerLine.objects.bulk_create(added)

    @pytest.mark.parametrize(
        ("change", "name"),
        [({"cost": 5}, "event_cost_is_its_parts"), ({"charged": 5}, "event_cost_is_paid"), ({"out": -1}, "event_not_negative")],
    )  # fmt: skip
    def test_event_must_add_up(self, payer, change, name):
        event = payer.spend(0, 10, 10, 0)
        event.pk, event.attempt = None, 7
        for field, value in change.items():
            setattr(event, field, value)
        event.id = payer.tenant_id
        with pytest.raises(IntegrityError, match=name), payer.tx():
            event.save(force_insert=True)

    def test_other_tenants_money_is_not_seen(self, payer, other_payer):
        payer.spend(0, 10, 10, 0)
        with other_payer.tx(), connection.cursor() as cursor:
            for table in ("hold", "usageevent", "ledgerline", "balance", "account", "rollupdue"):
                cursor.execute(f"SELECT count(*) FROM metering_{table}")
                assert cursor.fetchone()[0] == 0, table


def test_i4_any_order_and_number_of_deliveries_is_one_charge(payer):
    chance = random.Random(4)
    for _ in range(20):
        hold = payer.hold()
        deliveries = [(attempt, n) for attempt in (1, 2) for n in range(chance.randint(1, 5))]
        chance.shuffle(deliveries)
        for attempt, _ in deliveries:
            with payer.tx():
                settle(request_id=hold.request_id, counts=Counts(0, 100, 10, 0), attempt=attempt)
        with payer.tx():
            paid = UsageEvent.objects.filter(source_id=hold.request_id, charged__gt=0)
            assert paid.count() == 1
    payer.check()


def test_attribution_is_kept(payer):
    who = Attribution(
        assistant_id="a",
        api_key_id="k",
        visitor_id="v",
        channel="widget",
        rung="composed",
        turn_id="t",
    )
    event = payer.spend(0, 1, 1, 0, attribution=who)
    assert (event.assistant_id, event.api_key_id, event.channel, event.rung) == (
        "a",
        "k",
        "widget",
        "composed",
    )
    assert (event.visitor_id, event.turn_id) == ("v", "t")
    assert event.scopes == ["tenant", "assistant:a", "key:k", "visitor:v"]
