"""Every chat call is paid: held before it is sent, settled however it ends, the same streamed and whole."""

import threading
from decimal import Decimal

import pytest
from django.db import OperationalError, transaction

from furrow.core.context import tenant_context, tenant_tx, unscoped
from furrow.core.errors import UpstreamFailed
from furrow.gateway import metered
from furrow.gateway.chat import chat, chat_stream
from furrow.gateway.chat_bounds import bounds_of
from furrow.gateway.chat_types import ChatDelta, ChatRequest, ChatUsage
from furrow.gateway.dialects import DIALECTS
from furrow.gateway.metered import OpenTransaction
from furrow.metering.attribution import attributed
from furrow.metering.balances import balances_drift
from furrow.metering.budgets import budget_set
from furrow.metering.errors import BudgetExceeded, PriceUnknown
from furrow.metering.models import Hold, UsageEvent
from furrow.metering.prices import price_end
from furrow.metering.receipt_pages import OWN_CHAT, receipts_client
from furrow.metering.receipts import receipts_pull
from furrow.tenants.services import SYSTEM
from tests import fixtures_chat
from tests.fixtures_chat import CUT, answer, chunk, openai_usage

_chat_process = fixtures_chat._chat_process
chat_server = fixtures_chat.chat_server
closed_port = fixtures_chat.closed_port

QUESTION = [{"role": "user", "content": "Who pays for the return?"}]


@pytest.fixture(autouse=True)
def tenant_id(cast):
    with tenant_context(cast.tenant.id):
        yield cast.tenant.id
    with unscoped("look whether balances agree after each test"):
        assert balances_drift() == []


def ask(**more):
    return ChatRequest(messages=QUESTION, **more)


@pytest.fixture
def rows(tenant_id):
    def read(model):
        with tenant_tx(tenant_id):
            return list(model.objects.order_by("created_at"))

    return read


@pytest.fixture
def cap(tenant_id):
    def set_to(amount, kind="tenant", scope_id=""):
        with tenant_tx(tenant_id):
            budget_set(
                actor=SYSTEM, scope_kind=kind, scope_id=scope_id, cap_hard=Decimal(str(amount))
            )

    return set_to


def receipt(request, finish_reason="cancelled", seq=1, **counts):
    moment = "2026-11-01T10:00:00+00:00"
    buckets = dict.fromkeys(("in_hit", "in_miss", "out", "reasoning"), 0) | counts
    row = {"boot_id": "b", "seq": seq, "request_id": f"{request.request_id}.1", "kind": "chat"}
    row |= buckets | {"busy_us": 7, "finish_reason": finish_reason}
    row |= {"started_at": moment, "finished_at": moment}
    return {
        "boot_id": "b",
        "last_seq": seq,
        "receipts": [row],
        "next_after": seq,
        "has_more": False,
    }


def pull():
    with receipts_client(OWN_CHAT) as client:
        return receipts_pull(client, source=OWN_CHAT)


class TestPaid:
    def test_what_the_server_counted_is_paid(self, chat_server, rows):
        with attributed(assistant_id="a", channel="widget"):
            stream = chat_stream(request := ask())
        *_, ended = stream
        (event,) = rows(UsageEvent)
        assert (event.in_hit, event.in_miss, event.out) == (4, 6, 2)
        assert (event.basis, event.status, event.source) == ("reported", "complete", OWN_CHAT)
        assert event.cost == event.charged == Decimal("0.00003")
        assert (event.source_id, event.assistant_id) == (request.request_id, "a")
        assert isinstance(ended, ChatUsage)
        assert [hold.state for hold in rows(Hold)] == ["settled"]

    def test_i15_hold_is_there_before_the_server_is_asked(self, chat_server, rows, monkeypatch):
        """The double refuses ids it was not told of; here they are told when the hold's transaction has ended."""
        known = set()
        real = metered.hold_open

        def noting(**options):
            hold = real(**options)
            known.add(f"{hold.request_id}.1")
            return hold

        monkeypatch.setattr(metered, "hold_open", noting)
        monkeypatch.setattr(chat_server, "is_known", known.__contains__)
        stream = chat_stream(ask())
        assert rows(Hold) == []
        next(stream)
        assert [hold.state for hold in rows(Hold)] == ["open"]
        stream.close()
        known.clear()
        monkeypatch.setattr(metered, "hold_open", real)
        with pytest.raises(UpstreamFailed):
            chat(ask())

    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_i7_streamed_and_whole_cost_the_same(self, chat_server, settings, rows, dialect):
        settings.CHAT_DIALECT = dialect
        counts = {"usage": openai_usage(100, 50, 64, 20)}
        chat_server.events = answer("One", usage=counts["usage"])
        chat(ask())
        choice = {"index": 0, "message": {"content": "One"}, "finish_reason": "stop"}
        chat_server.whole = {"choices": [choice], **counts}
        chat(ask())
        streamed, whole = rows(UsageEvent)
        assert streamed.cost == whole.cost == Decimal("0.000504")
        assert streamed.basis == whole.basis == "reported"

    def test_f1_streamed_call_without_usage_is_never_free(self, chat_server, settings, rows):
        settings.CHAT_DIALECT = "openai"
        chat_server.events = answer("Hello there", usage=None)
        chat(ask())
        (event,) = rows(UsageEvent)
        assert (event.basis, event.source) == ("estimated", "openai")
        assert event.in_miss > 0
        assert event.out > 0
        assert event.cost > 0

    def test_f4_zero_is_not_replaced_by_an_estimate(self, chat_server, rows):
        chat_server.events = answer("Hello there", usage=openai_usage(0, 0))
        chat(ask())
        (event,) = rows(UsageEvent)
        assert (event.cost, event.basis) == (0, "reported")

    def test_several_calls_of_one_turn_are_several_events(self, chat_server, rows):
        with attributed(turn_id="t"):
            for _ in range(3):
                chat(ask())
        assert len({event.source_id for event in rows(UsageEvent)}) == 3


class TestLimits:
    def test_without_budget_the_server_is_not_asked(self, chat_server, rows, cap):
        cap(0)
        with pytest.raises(BudgetExceeded):
            chat(ask())
        assert chat_server.requests == []
        assert rows(Hold) == rows(UsageEvent) == []

    def test_f8_without_a_price_the_server_is_not_asked(self, chat_server, rows):
        price_end(model="*", kind="out", currency="CNY")
        with pytest.raises(PriceUnknown):
            chat(ask())
        assert chat_server.requests == []

    def test_little_budget_shortens_the_request_itself(self, chat_server, rows, cap):
        bounds = bounds_of({"messages": QUESTION}, 500)
        cap(Decimal(bounds.in_tokens * 2 + 100 * 8) / 1_000_000)
        usage = chat(ask(max_tokens=500)).usage
        sent = chat_server.bodies[0]["max_tokens"]
        assert 90 < sent < 100
        assert (usage.max_tokens, usage.is_shortened) == (sent, True)
        (hold,) = rows(Hold)
        assert hold.amount <= Decimal(bounds.in_tokens * 2 + 100 * 8) / 1_000_000

    def test_budget_that_buys_no_answer_refuses(self, chat_server, cap):
        bounds = bounds_of({"messages": QUESTION}, 500)
        cap(Decimal(bounds.in_tokens * 2 + 10 * 8) / 1_000_000)
        with pytest.raises(BudgetExceeded):
            chat(ask(max_tokens=500))
        assert chat_server.requests == []

    @pytest.mark.parametrize("wanted", [None, 10**9, 600])
    def test_length_is_held_to_the_installations_limit(self, chat_server, settings, wanted):
        settings.CHAT_MAX_TOKENS = 512
        chat(ask(max_tokens=wanted, options={"n": 1000}))
        assert chat_server.bodies[0]["max_tokens"] == 512
        assert "n" not in chat_server.bodies[0]

    def test_known_context_leaves_room_for_the_prompt(self, settings):
        settings.CHAT_CONTEXT_TOKENS = 1000
        long = {"messages": [{"role": "user", "content": "word " * 400}]}
        bounds = bounds_of(long, None)
        assert 100 < bounds.out_tokens < 500
        assert bounds.in_tokens == 1000

    @pytest.mark.parametrize("text", ["a" * 50, "退货运费谁付" * 20, "😀" * 30, "\ud800"])
    def test_bound_is_never_below_a_byte_for_each_token(self, text):
        body = {"messages": [{"role": "user", "content": text}]}
        assert bounds_of(body, 1).in_tokens >= len(text.encode(errors="replace"))

    def test_model_is_never_called_inside_a_transaction(self, chat_server, rows):
        with transaction.atomic(), pytest.raises(OpenTransaction):
            chat(ask())
        assert chat_server.requests == []


class TestAbort:
    """Input once it was read, output up to the stop: first from what was seen, then from the receipt."""

    def cut(self, chat_server, k, total=6):
        pieces = ["word " for _ in range(total)]
        chat_server.events = [chunk(role="assistant", content="")]
        for piece in pieces:
            chat_server.events += [chunk(content=piece), 0.02]
        chat_server.events += [
            chunk(finish="stop"),
            {"choices": [], "usage": openai_usage(10, total)},
            "[DONE]",
        ]
        request = ask()
        stream = chat_stream(request)
        seen = 0
        while seen < k:
            part = next(stream)
            seen += isinstance(part, ChatDelta) and bool(part.text)
        stream.close()
        return request

    @pytest.mark.parametrize("k", [1, 3, 6])
    def test_i14_disconnect_is_charged_up_to_the_cut_and_then_to_the_receipt(
        self, chat_server, rows, k
    ):
        request = self.cut(chat_server, k)
        (event,) = rows(UsageEvent)
        assert (event.status, event.basis) == ("aborted", "estimated")
        assert k <= event.out <= 2 * k
        assert event.charged == event.cost > 0
        assert [hold.state for hold in rows(Hold)] == ["settled"]
        chat_server.receipts = receipt(request, in_miss=10, out=k + 1)
        pull()
        events = rows(UsageEvent)
        assert sum(e.in_miss for e in events) == 10
        assert sum(e.out for e in events) == k + 1
        assert sum(e.charged for e in events) == Decimal(20 + 8 * (k + 1)) / 1_000_000

    def test_i14_disconnect_before_the_first_token_is_left_to_the_receipt(self, chat_server, rows):
        chat_server.events = [": keep-alive", 5]
        request = ask()
        stream = chat_stream(request)
        next(stream)
        stream.close()
        assert [hold.state for hold in rows(Hold)] == ["open"]
        chat_server.receipts = receipt(request, in_miss=10)
        pull()
        (event,) = rows(UsageEvent)
        assert (event.status, event.basis, event.in_miss, event.out) == (
            "aborted",
            "reported",
            10,
            0,
        )
        assert [hold.state for hold in rows(Hold)] == ["settled"]

    def test_i14_disconnect_after_the_end_is_the_whole(self, chat_server, rows):
        stream = chat_stream(ask())
        while not isinstance(next(stream), ChatUsage):
            pass
        stream.close()
        (event,) = rows(UsageEvent)
        assert (event.status, event.basis, event.out) == ("complete", "reported", 2)

    def test_f3_disconnect_from_a_server_without_receipts_is_a_row(
        self, chat_server, settings, rows
    ):
        settings.CHAT_DIALECT = "vllm"
        chat_server.events = [
            chunk(content="Hello") | {"usage": openai_usage(100, 7, cached=64)},
            chunk(content=" there") | {"usage": openai_usage(100, 9, cached=64)},
            5,
        ]
        stream = chat_stream(ask())
        next(stream), next(stream)
        stream.close()
        (event,) = rows(UsageEvent)
        assert (event.in_hit, event.in_miss, event.out) == (64, 36, 9)
        assert (event.status, event.basis) == ("aborted", "estimated")

    def test_dropped_stream_is_settled_too(self, chat_server, rows):
        chat_server.events = [chunk(content="Hello"), 5]
        stream = chat_stream(ask())
        next(stream)
        del stream
        assert [event.status for event in rows(UsageEvent)] == ["aborted"]


class TestFailure:
    def test_answer_broken_off_is_paid_as_far_as_it_came(self, chat_server, rows):
        chat_server.events = [chunk(content="Hello there, how are you"), CUT]
        with pytest.raises(UpstreamFailed):
            chat(ask())
        (event,) = rows(UsageEvent)
        assert (event.status, event.out, event.absorbed) == ("aborted", 6, 0)

    def test_failure_before_any_word_is_ours(self, chat_server, rows):
        chat_server.events = [{"error": {"message": "m", "type": "server_error"}}]
        with pytest.raises(UpstreamFailed):
            chat(ask())
        (event,) = rows(UsageEvent)
        assert (event.status, event.charged) == ("failed", 0)
        assert event.absorbed == event.cost > 0
        assert [hold.state for hold in rows(Hold)] == ["voided"]

    def test_late_receipt_of_a_failed_call_stays_ours(self, chat_server, rows):
        chat_server.events = [{"error": {"message": "m", "type": "server_error"}}]
        request = ask()
        with pytest.raises(UpstreamFailed):
            chat(request)
        chat_server.receipts = receipt(request, in_miss=500, out=3)
        pull()
        events = rows(UsageEvent)
        assert sum(e.in_miss for e in events) == 500
        assert sum(e.charged for e in events) == 0

    def test_call_that_never_reached_the_server_costs_nothing(self, settings, closed_port, rows):
        settings.CHAT_URL = f"http://127.0.0.1:{closed_port}/v1"
        settings.CHAT_MODEL, settings.CHAT_DIALECT = "fake-chat", "own"
        with pytest.raises(UpstreamFailed):
            chat(ask())
        assert [hold.state for hold in rows(Hold)] == ["voided"]
        assert rows(UsageEvent) == []

    def test_refused_request_costs_nothing(self, chat_server, rows):
        chat_server.refusals = [(400, {}, {"code": "context_length_exceeded"})]
        with pytest.raises(UpstreamFailed):
            chat(ask())
        assert [hold.state for hold in rows(Hold)] == ["voided"]

    def test_reader_that_raises_is_an_abort(self, chat_server, rows):
        def read():
            for _ in chat_stream(ask()):
                raise KeyError

        chat_server.events = [chunk(content="Hello"), 5]
        with pytest.raises(KeyError):
            read()
        assert [event.status for event in rows(UsageEvent)] == ["aborted"]


class TestSettlementOutlivesTheCaller:
    @pytest.fixture
    def postponed(self, monkeypatch):
        work = []
        monkeypatch.setattr(metered, "postpone", lambda again, *, request_id: work.append(again))
        return work

    def test_database_failure_spoils_no_answer_and_is_made_good(
        self, chat_server, rows, monkeypatch, postponed
    ):
        def away(**_):
            raise OperationalError("the connection is gone")

        with monkeypatch.context() as patch:
            patch.setattr(metered, "settle", away)
            assert chat(ask()).text == "Hello there"
        assert [hold.state for hold in rows(Hold)] == ["open"]
        (again,) = postponed
        for _ in range(2):
            again()
        assert [event.status for event in rows(UsageEvent)] == ["complete"]
        assert [hold.state for hold in rows(Hold)] == ["settled"]

    def test_stream_let_go_inside_a_transaction_is_settled_outside_it(
        self, chat_server, rows, postponed
    ):
        stream = chat_stream(ask())
        next(stream), next(stream)
        with transaction.atomic():
            stream.close()
        (again,) = postponed
        again()
        assert [event.status for event in rows(UsageEvent)] == ["aborted"]

    def test_postponed_work_is_tried_until_it_succeeds(self, monkeypatch):
        from furrow.gateway import postponed  # noqa: PLC0415  patched for this test

        monkeypatch.setattr(postponed, "FIRST_WAIT_S", 0.001)
        monkeypatch.setattr(postponed.connection, "close", lambda: None)
        done = threading.Event()
        outcomes = [OperationalError, OperationalError, None]

        def work():
            error = outcomes.pop(0)
            if error is not None:
                raise error
            done.set()

        postponed.postpone(work, request_id="r").join(5)
        assert done.is_set()
        assert outcomes == []

    def test_receipt_first_and_settlement_after_it_is_one_charge(self, chat_server, rows):
        stream = chat_stream(request := ask())
        next(stream), next(stream)
        chat_server.receipts = receipt(request, "stop", in_hit=4, in_miss=6, out=2)
        assert pull().settled == 1
        list(stream)
        (event,) = rows(UsageEvent)
        assert (event.in_hit, event.in_miss, event.out, event.basis) == (4, 6, 2, "reported")
