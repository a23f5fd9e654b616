"""Receipts from a real HTTP server, the sweep of forgotten holds, and the comparison of all sums."""

from datetime import UTC, datetime, timedelta

import pytest

from furrow.core.context import unscoped
from furrow.core.errors import UpstreamFailed
from furrow.metering.alarms import alarms_open
from furrow.metering.balances import rebuild
from furrow.metering.models import Balance, Hold, Receipt, ReceiptSource, Reconciliation
from furrow.metering.receipt_pages import receipts_client
from furrow.metering.receipts import receipts_pull, wire_id, wire_parts
from furrow.metering.reconcile import reconcile, reconciliation_latest
from furrow.metering.sweep import sweep_expired

GONE = timedelta(seconds=-1)


@pytest.fixture
def server(embedding_server, db):
    return embedding_server


def pull():
    with receipts_client() as client:
        return receipts_pull(client)


def compare():
    with receipts_client() as client:
        return reconcile(client=client)


def embed_hold(payer, **options):
    return payer.hold(1000, 0, kind="embedding", model="fake-one", **options)


def states(payer):
    with payer.tx():
        return sorted(Hold.objects.values_list("state", flat=True))


@pytest.mark.parametrize(
    ("text", "parts"),
    [("abc.2", ("abc", 2)), ("abc", ("abc", 1)), ("a.b", ("a.b", 1)), (".7", ("", 7))],
)
def test_request_and_attempt_come_back(text, parts):
    assert wire_parts(text) == parts
    assert wire_parts(wire_id("x.y", 3)) == ("x.y", 3)


def test_open_hold_is_settled_from_its_receipt(payer, server):
    hold = embed_hold(payer)
    server.receipt_add(wire_id(hold.request_id, 1), in_miss=700)
    pulled = pull()
    assert (pulled.stored, pulled.settled, pulled.missing) == (1, 1, 0)
    (event,) = payer.events()
    assert (event.in_miss, event.basis, event.busy_us) == (700, "reported", 100)
    payer.check()
    assert compare().is_clean


def test_pulling_the_same_receipts_again_changes_nothing(payer, server):
    hold = embed_hold(payer)
    server.receipt_add(wire_id(hold.request_id, 1), in_miss=700)
    pull()
    with unscoped("make a test server forget how far it was read"):
        ReceiptSource.objects.update(cursor=0)
    again = pull()
    assert (again.stored, again.settled, again.corrected) == (0, 0, 0)
    assert len(payer.events()) == 1


def test_receipt_that_agrees_changes_nothing(payer, server):
    hold = embed_hold(payer)
    payer.settle(hold, 0, 700, 0, 0)
    server.receipt_add(wire_id(hold.request_id, 1), in_miss=700)
    assert pull().corrected == 0
    assert len(payer.events()) == 1


def test_late_receipt_corrects_an_estimate(payer, server):
    hold = embed_hold(payer)
    payer.settle(hold, 0, 500, 0, 0, basis="estimated")
    server.receipt_add(wire_id(hold.request_id, 1), in_miss=700)
    assert not compare().is_clean
    assert pull().corrected == 1
    assert sum(event.in_miss for event in payer.events()) == 700
    payer.check()
    assert compare().is_clean


@pytest.mark.parametrize("k", [0, 1, 350, 699, 700])
def test_i14_cut_stream_is_charged_up_to_the_cut(payer, server, k):
    hold = payer.hold(1000, 700)
    server.receipt_add(wire_id(hold.request_id, 1), "cancelled", in_miss=1000, out=k)
    pull()
    (event,) = payer.events()
    assert (event.status, event.in_miss, event.out, event.absorbed) == ("aborted", 1000, k, 0)
    assert states(payer) == ["settled"]


def test_failed_work_is_ours(payer, server):
    hold = embed_hold(payer)
    server.receipt_add(wire_id(hold.request_id, 1), "error", in_miss=700)
    pull()
    (event,) = payer.events()
    assert (event.charged, event.status) == (0, "failed")
    assert states(payer) == ["open"]


def test_foreign_receipts_are_counted_and_belong_to_nobody(payer, server):
    server.receipt_add("somebody-else", in_miss=5)
    assert pull().foreign == 1
    report = compare()
    assert (report.foreign_receipts, report.receipt_tokens, report.is_clean) == (1, 0, True)


def test_gap_in_the_numbers_is_seen(payer, server):
    for n in range(3):
        server.receipt_add(f"x{n}", in_miss=5)
    del server.receipts[1]
    assert pull().missing == 1
    assert not compare().is_clean


def test_server_that_lost_its_receipts_is_noticed(payer, server):
    server.receipt_add("a", in_miss=5)
    server.receipt_add("b", in_miss=5)
    pull()
    server.receipts.clear()
    server.boot_id = "boot-2"
    server.receipt_add("c", in_miss=5)
    pulled = pull()
    assert (pulled.stored, pulled.missing) == (1, 1)


@pytest.mark.slow
def test_thousands_of_receipts_come_in_pages(payer, server):
    for n in range(1200):
        server.receipt_add(f"x{n}", in_miss=1)
    assert (pull().stored, pull().stored) == (1200, 0)


@pytest.mark.parametrize("bad", [-1, None, "5", 1.5, True, 10**13])
def test_receipt_with_impossible_counts_is_not_kept(payer, server, bad):
    server.receipt_add("x", in_miss=bad)
    with pytest.raises(UpstreamFailed):
        pull()
    with unscoped("look at receipts in a test"):
        assert Receipt.objects.count() == 0


def test_server_that_is_away_is_an_upstream_failure(payer, no_embedding_server):
    with pytest.raises(UpstreamFailed):
        pull()


class TestSweep:
    def test_expired_hold_with_a_receipt_is_settled(self, payer, server):
        hold = embed_hold(payer)
        server.receipt_add(wire_id(hold.request_id, 2), in_miss=700)
        with unscoped("keep a receipt without settling it"):
            Receipt.objects.bulk_create([Receipt(source="own", **server.receipts[0])])
        with payer.tx():
            Hold.objects.update(expires_at=hold.started_at + GONE)
        assert sweep_expired().settled == 1
        assert payer.events()[0].attempt == 2

    def test_hold_whose_server_knows_nothing_is_voided(self, payer, server):
        embed_hold(payer, ttl=GONE)
        pull()
        swept = sweep_expired()
        assert (swept.voided, swept.settled) == (1, 0)
        assert states(payer) == ["voided"]
        assert payer.balance().held == 0
        payer.check()

    def test_hold_waits_while_the_server_was_not_read(self, payer, server):
        pull()
        embed_hold(payer, ttl=timedelta(microseconds=1))
        assert sweep_expired().extended == 1
        assert states(payer) == ["open"]
        pull()
        with payer.tx():
            Hold.objects.update(expires_at=Hold.objects.get().started_at)
        assert sweep_expired().voided == 1

    def test_hold_of_a_server_without_receipts_is_voided(self, payer, db):
        embed_hold(payer, source="hosted", ttl=GONE)
        assert sweep_expired().voided == 1

    def test_live_hold_is_left_alone(self, payer, server):
        embed_hold(payer)
        swept = sweep_expired()
        assert (swept.settled, swept.voided, swept.extended) == (0, 0, 0)


class TestReconciliation:
    def test_quiet_day_is_clean_and_kept(self, payer, server):
        report = compare()
        assert report.is_clean
        assert reconciliation_latest().is_clean

    def test_tokens_the_server_counted_and_we_did_not_get(self, payer, server):
        server.receipt_add("x", in_miss=5)
        report = compare()
        assert (report.engine_tokens, report.boot_tokens, report.is_clean) == (5, 0, False)
        pull()
        assert compare().is_clean

    def test_wrong_balance_is_seen(self, payer, server):
        payer.spend(0, 10, 10, 0)
        with payer.tx():
            Balance.objects.update(posted=1)
        report = compare()
        assert report.balance_difference > 0
        with unscoped("look at comparisons in a test"):
            assert [row.is_clean for row in Reconciliation.objects.all()] == [False]

    def test_rebuild_puts_a_wrong_balance_right(self, payer, server):
        payer.hold()
        payer.spend(0, 10, 10, 0)
        with payer.tx():
            Balance.objects.update(posted=1, held=7)
            assert rebuild() == 1
        payer.check()

    def test_i9_tokens_that_cost_nothing_raise_the_alarm(self, payer, server, event_at):
        now, free = datetime.now(UTC), dict.fromkeys(("cost", "charged", "cost_out"), 0)
        event_at(now, 0, 0, 0, 0)
        assert compare().free_events == 0
        event_at(now, 0, 0, 5, 0, **free)
        assert (report := compare()).free_events == 1
        assert not report.is_clean
        assert [alarm.kind for alarm in alarms_open()] == ["free"]
