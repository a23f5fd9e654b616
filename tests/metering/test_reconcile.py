"""The comparison of all sums: silent while they agree, an alarm the operator acknowledges when they do not."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, connections
from prometheus_client import generate_latest

from furrow.core.context import unscoped
from furrow.core.errors import NotFound
from furrow.metering import tasks
from furrow.metering.alarms import alarm_acknowledge, alarms_open, alarms_recent
from furrow.metering.credit import adjustment_post, credit_add, prepaid_set
from furrow.metering.metrics import metrics_observe
from furrow.metering.models import Alarm, Balance, Hold, ReceiptSource, Reconciliation
from furrow.metering.receipt_pages import receipts_client
from furrow.metering.receipts import receipts_pull, wire_id
from furrow.metering.reconcile import reconcile
from furrow.metering.rollups import rollup_run
from furrow.tenants.services import SYSTEM


@pytest.fixture
def server(embedding_server, db):
    return embedding_server


def pull():
    with receipts_client() as client:
        return receipts_pull(client)


def compare(**options):
    with receipts_client() as client:
        return reconcile(client=client, **options)


def embedded(payer, server, tokens=700):
    hold = payer.hold(1000, 0, kind="embedding", model="fake-one")
    server.receipt_add(wire_id(hold.request_id, 1), in_miss=tokens)
    return hold


def kinds():
    return sorted(alarm.kind for alarm in alarms_open())


@pytest.mark.parametrize("is_full", [False, True])
def test_busy_day_is_clean(payer, other_payer, server, is_full):
    payer.budget("1", "visitor", "*", period="day")
    embedded(payer, server)
    payer.spend(10, 20, 30, 4)
    payer.hold()
    with payer.tx():
        adjustment_post(actor=SYSTEM, amount=Decimal("-0.01"), note="goodwill")
    with other_payer.tx():
        prepaid_set(actor=SYSTEM, is_prepaid=True)
        credit_add(actor=SYSTEM, amount=Decimal(1), reference="p")
    other_payer.spend(0, 500, 0, 0)
    pull()
    assert compare(is_full=is_full).is_clean
    rollup_run()
    other_payer.spend(0, 500, 0, 0)
    report = compare(is_full=is_full)
    assert report.is_clean
    assert (report.engine_tokens, report.boot_tokens, report.event_tokens) == (700, 700, 700)
    assert alarms_open() == []


@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("rolled", [False, True])
@pytest.mark.parametrize("wrong", [{"posted": 1}, {"held": 1}, {"posted": -1, "held": 0}])
def test_wrong_balance_raises_an_alarm(payer, server, is_full, rolled, wrong):
    payer.spend(0, 10, 10, 0)
    payer.hold()
    if rolled:
        rollup_run()
    with payer.tx():
        Balance.objects.update(**wrong)
    assert not compare(is_full=is_full).is_clean
    assert kinds() == ["balances"]


@pytest.mark.parametrize("is_full", [False, True])
def test_receipt_without_its_event_raises_an_alarm(payer, server, is_full):
    hold = embedded(payer, server)
    payer.settle(hold, 0, 699, 0, 0, basis="estimated")
    with receipts_client() as client:
        from furrow.metering import receipts  # noqa: PLC0415  a receipt is kept and not settled from

        page = receipts.page_fetch(client, after=0)
        receipts._store("own", page.receipts, receipts.Pulled())
    report = compare(is_full=is_full)
    assert report.token_difference == 1
    assert "tokens" in kinds()


def test_tokens_nobody_wrote_down_raise_an_alarm(payer, server):
    embedded(payer, server)
    pull()
    assert compare().is_clean
    server.receipt_add("lost", in_miss=5)
    assert (compare().engine_tokens, kinds()) == (705, ["engine"])


def test_receipts_of_a_run_are_summed_up_once(payer, server):
    for n in range(3):
        server.receipt_add(f"x{n}", in_miss=5)
    pull()
    assert compare().boot_tokens == 15
    with unscoped("look at how far was summed up"):
        assert ReceiptSource.objects.get().summed_seq == 3
    server.receipt_add("y", in_miss=1)
    pull()
    assert compare().boot_tokens == 16
    server.boot_id = "boot-2"
    server.receipt_add("z", in_miss=2)
    pull()
    assert compare().boot_tokens == 2


def test_forgotten_hold_raises_an_alarm(payer, server):
    payer.hold()
    with payer.tx():
        Hold.objects.update(expires_at="2026-01-01T00:00Z")
    assert compare(is_full=False).overdue_holds == 1
    assert kinds() == ["holds"]


class TestAlarms:
    @pytest.fixture
    def gap(self, payer, server):
        for n in range(3):
            server.receipt_add(f"x{n}", in_miss=5)
        del server.receipts[1]
        pull()
        compare()
        (alarm,) = [alarm for alarm in alarms_open() if alarm.kind == "receipts"]
        return alarm

    def test_the_same_again_is_one_alarm(self, gap):
        compare()
        (again,) = [alarm for alarm in alarms_open() if alarm.kind == "receipts"]
        assert (again.id, again.times, again.amount) == (gap.id, 2, 1)

    def test_acknowledged_it_is_quiet_until_more_is_missing(self, gap, server):
        done = alarm_acknowledge(alarm_id=gap.id, by="operator@example.test", note="disk was full")
        assert (done.acknowledged_by, done.note) == ("operator@example.test", "disk was full")
        assert compare().is_clean
        assert alarms_open() == []
        server.receipt_add("next", in_miss=1)
        server.receipts[-1]["seq"] = 9
        pull()
        assert compare().missing_receipts == 5
        assert [alarm.amount for alarm in alarms_open() if alarm.kind == "receipts"] == [5]
        assert len(alarms_recent()) == 2

    def test_acknowledged_difference_is_no_alarm_until_it_changes(self, payer, server):
        payer.spend(0, 10, 10, 0)
        with payer.tx():
            Balance.objects.update(posted=1)
        compare()
        (alarm,) = alarms_open()
        alarm_acknowledge(alarm_id=alarm.id, by="op")
        assert not compare().is_clean
        assert alarms_open() == []
        with payer.tx():
            Balance.objects.update(posted=2)
        compare()
        assert kinds() == ["balances"]

    def test_it_is_acknowledged_once(self, gap):
        alarm_acknowledge(alarm_id=gap.id, by="op")
        with pytest.raises(NotFound):
            alarm_acknowledge(alarm_id=gap.id, by="op")

    def test_alarms_are_not_for_tenants(self, payer, gap):
        with pytest.raises(DatabaseError, match="permission denied"), payer.tx():
            list(Alarm.objects.all())


def test_tasks_compare_the_last_hours_and_at_night_everything(payer, server):
    embedded(payer, server)
    tasks.receipts_task()
    tasks.reconcile_task()
    tasks.reconcile_task(is_full=True)
    with unscoped("look at comparisons in a test"):
        rows = Reconciliation.objects.order_by("created_at").values_list("is_full", "is_clean")
        assert list(rows) == [(False, True), (True, True)]


def test_prometheus_sees_money_and_no_tenant(payer, server):
    payer.spend(0, 1000, 0, 0)
    payer.hold(1000, 0)
    rollup_run()
    compare()
    metrics_observe()
    lines = [
        ln for ln in generate_latest().decode().splitlines() if ln.startswith("furrow_metering")
    ]
    shown = dict(line.rsplit(" ", 1) for line in lines)
    assert float(shown["furrow_metering_holds_open"]) == 1
    assert float(shown['furrow_metering_spend{currency="CNY"}']) == 0.002
    assert float(shown['furrow_metering_is_clean{source="own"}']) == 1
    assert str(payer.tenant_id) not in "\n".join(lines)


def test_quick_comparison_reads_no_event_that_is_summed_up(payer, server):
    """The plan of the five minutes' comparison: hours and balances, events only of hours that are due."""
    from furrow.metering.reconcile_sql import DRIFT_QUICK  # noqa: PLC0415  only here

    for _ in range(3):
        payer.spend(0, 10, 0, 0)
    rollup_run()
    with unscoped("look at a plan"), connections["default"].cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {DRIFT_QUICK}")
        plan = [row[0] for row in cursor.fetchall()]
    (scan,) = [line for line in plan if "metering_usageevent" in line]
    assert "never executed" in scan or "rows=0" in scan
