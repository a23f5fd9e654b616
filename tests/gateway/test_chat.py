"""Chat calls against a real HTTP server: what is asked, what comes back, and what happens when it does not."""

import json
import logging
import threading
import time
from dataclasses import replace

import pytest

from furrow.core.context import TenantNotSet, tenant_context
from furrow.core.errors import LimitReached, UpstreamFailed
from furrow.gateway.chat import chat, chat_stream
from furrow.gateway.chat_types import ChatAnswer, ChatDelta, ChatRequest, ChatUsage, ToolCallPart
from furrow.gateway.dialects import DIALECTS
from furrow.metering.counts import Counts
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


def ask(**more) -> ChatRequest:
    return ChatRequest(messages=QUESTION, **more)


def gathered(request: ChatRequest) -> tuple[list[ChatDelta], ChatUsage]:
    *deltas, usage = chat_stream(request)
    return deltas, usage


def failed(request: ChatRequest | None = None) -> UpstreamFailed | LimitReached:
    with pytest.raises((UpstreamFailed, LimitReached)) as caught:
        list(chat_stream(request or ask()))
    return caught.value


def ended(caplog) -> dict:
    """The one line that a call leaves in the log."""
    [line] = [
        r.msg
        for r in caplog.records
        if isinstance(r.msg, dict) and r.msg.get("event") == "chat_call"
    ]
    return line


def without_id(whole: ChatAnswer) -> ChatAnswer:
    return replace(whole, usage=replace(whole.usage, request_id=""))


@pytest.fixture
def log_lines(caplog):
    caplog.set_level(logging.INFO)
    return caplog


class TestAsking:
    def test_deltas_come_in_order_and_usage_last(self, chat_server):
        request = ask()
        deltas, usage = gathered(request)
        assert [delta.text for delta in deltas] == ["Hello", " there", ""]
        assert deltas[-1].finish_reason == "stop"
        assert usage == ChatUsage(
            request_id=request.request_id,
            model="fake-chat",
            usage=Counts(in_hit=4, in_miss=6, out=2),
            basis="reported",
            status="complete",
            max_tokens=2048,
            is_shortened=False,
        )

    def test_own_server_learns_our_id_the_tenants_tag_and_its_salt(self, chat_server):
        request = ask(max_tokens=20, thinking=False, priority="batch")
        chat(request)
        [sent] = chat_server.requests
        assert sent["headers"]["x-request-id"] == f"{request.request_id}.1"
        assert sent["headers"]["authorization"] == "Bearer chat-key"
        assert len(sent["headers"]["x-tenant"]) == 16
        salt = sent["body"].pop("cache_salt")
        assert len(salt) == 64
        assert sent["body"] == {
            "model": "fake-chat",
            "messages": QUESTION,
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": 20,
            "chat_template_kwargs": {"enable_thinking": False},
            "priority": "batch",
        }

    def test_every_call_has_an_id_of_its_own(self):
        assert ask().request_id != ask().request_id

    def test_salts_tell_tenants_apart_and_are_not_their_ids(self, chat_server, settings, cast):
        own, other = cast.tenant.id, cast.other_tenant.id
        for tenant in (own, own, other):
            with tenant_context(tenant):
                chat(ask())
        settings.SECRET_KEY = "another server's"
        chat(ask())
        first, again, other, elsewhere = (body["cache_salt"] for body in chat_server.bodies)
        assert first == again
        assert len({first, other, elsewhere}) == 3
        assert own.hex not in json.dumps(chat_server.requests)

    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_caller_cannot_choose_cache_server_or_stream(self, chat_server, settings, dialect):
        settings.CHAT_DIALECT = dialect
        chat(ask())
        caches = {
            "cache_salt": "v",
            "user_id": "v",
            "user": "v",
            "cache_prompt": True,
            "id_slot": 0,
        }
        servers = dict.fromkeys(("api_base", "base_url", "request_id", "model"), "elsewhere")
        forced = {"stream": False, "stream_options": {}, "messages": [], "n": 50, "priority": 0}
        options = caches | servers | forced
        chat(ask(options=options))
        plain, tried = chat_server.bodies
        assert plain == tried

    @pytest.mark.parametrize(
        ("dialect", "field"),
        [("own", "cache_salt"), ("vllm", "cache_salt"), ("sglang", "cache_salt")]
        + [("deepseek", "user_id"), ("openai", "user")],
    )
    def test_each_dialect_keeps_tenants_apart(self, chat_server, settings, cast, dialect, field):
        settings.CHAT_DIALECT = dialect
        for tenant in (cast.tenant.id, cast.other_tenant.id):
            with tenant_context(tenant):
                chat(ask())
        first, second = (body[field] for body in chat_server.bodies)
        assert first != second

    def test_cache_without_salts_is_not_used(self, chat_server, settings):
        settings.CHAT_DIALECT = "llamacpp"
        chat(ask())
        assert chat_server.bodies[0]["cache_prompt"] is False

    def test_tag_goes_to_no_stranger(self, chat_server, settings):
        settings.CHAT_DIALECT = "vllm"
        chat(ask())
        assert "x-tenant" not in chat_server.requests[0]["headers"]

    def test_openai_wants_its_own_name_for_the_limit(self, chat_server, settings):
        settings.CHAT_DIALECT = "openai"
        chat(ask(max_tokens=7, options={"top_k": 5, "temperature": 0.5}))
        body = chat_server.bodies[0]
        assert body["max_completion_tokens"] == 7
        assert body["temperature"] == 0.5
        assert not {"max_tokens", "top_k"} & set(body)

    def test_nothing_is_asked_without_a_tenant(self, chat_server):
        with tenant_context(None), pytest.raises(TenantNotSet):
            chat_stream(ask())
        assert chat_server.requests == []

    def test_nothing_is_asked_without_a_model(self, chat_server, settings):
        settings.CHAT_MODEL = ""
        error = failed()
        assert (error.code, error.permanent) == ("chat_not_configured", True)


SAME = [
    ("own", {"usage": openai_usage(100, 50, 64, 20)}),
    ("openai", {"usage": openai_usage(100, 50, 64, 20)}),
    ("vllm", {"usage": openai_usage(100, 50, None, None)}),
    ("sglang", {"usage": openai_usage(100, 50, 64, None) | {"reasoning_tokens": 20}}),
    ("llamacpp", {"timings": {"cache_n": 64, "prompt_n": 36, "predicted_n": 50}}),
    (
        "deepseek",
        {
            "usage": {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "prompt_cache_hit_tokens": 64,
                "prompt_cache_miss_tokens": 36,
            }
        },
    ),
    ("own", {"usage": None}),
]


class TestAnswers:
    @pytest.mark.parametrize(("dialect", "counts"), SAME)
    def test_stream_and_whole_say_the_same(self, chat_server, settings, dialect, counts):
        settings.CHAT_DIALECT = dialect
        call = {
            "id": "c1",
            "type": "function",
            "function": {"name": "find", "arguments": '{"a":1}'},
        }
        start = {"index": 0, **call, "function": {"name": "find", "arguments": ""}}
        pieces = [{"index": 0, "function": {"arguments": part}} for part in ('{"a"', ":1}")]
        chat_server.events = [
            chunk(role="assistant", content=""),
            chunk(reasoning_content="Let me "),
            chunk(reasoning_content="see."),
            chunk(content="One "),
            chunk(content="moment."),
            *(chunk(tool_calls=[piece]) for piece in (start, *pieces)),
            chunk(finish="tool_calls"),
            {"choices": [], **counts},
            "[DONE]",
        ]
        streamed = chat(ask())
        message = {
            "role": "assistant",
            "content": "One moment.",
            "reasoning_content": "Let me see.",
            "tool_calls": [call],
        }
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
        chat_server.whole = {"id": "x", "choices": [choice], **counts}
        assert without_id(chat(ask())) == without_id(streamed)
        assert streamed.tool_calls == (ToolCallPart(0, "c1", "find", '{"a":1}'),)
        assert (streamed.text, streamed.reasoning) == ("One moment.", "Let me see.")
        assert streamed.finish_reason == "tool_calls"
        assert streamed.usage.usage.prompt > 0

    def test_usage_of_null_is_estimated_from_the_text(self, chat_server):
        chat_server.events = answer("退货运费谁付", usage=None)
        usage = chat(ask()).usage
        assert usage.basis == "estimated"
        assert usage.usage.out == 5
        assert usage.usage.in_miss > 0

    def test_impossible_usage_spoils_no_answer_and_is_logged(self, chat_server, log_lines):
        chat_server.events = answer("Hello", usage=openai_usage(10, 2, cached=11))
        result = chat(ask())
        assert (result.text, result.usage.basis) == ("Hello", "estimated")
        assert any("chat_usage_unusable" in str(record.msg) for record in log_lines.records)

    @pytest.mark.parametrize(
        ("said", "meant"),
        [("stop", "stop"), ("eos", "stop"), ("length", "length"), ("max_tokens", "length")]
        + [("function_call", "tool_calls"), ("content_filter", "content_filter"), ("new", "other")],
    )
    def test_finish_reasons_have_one_name_each(self, chat_server, said, meant):
        chat_server.events = answer("x", finish=said)
        assert chat(ask()).finish_reason == meant

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
    def test_thoughts_inside_the_text_are_taken_out(self, chat_server, settings, size):
        settings.CHAT_DIALECT = "vllm"
        text = "\n<think>\na < b, </thin\n</think>\n\nIt is <think> b."
        chat_server.events = answer(*(text[n : n + size] for n in range(0, len(text), size)))
        result = chat(ask())
        assert result.reasoning == "\na < b, </thin\n"
        assert result.text == "It is <think> b."

    @pytest.mark.parametrize("text", ["<thin", "<b>bold</b>", " <", "5 < 6"])
    def test_text_that_only_looks_like_a_thought_stays(self, chat_server, settings, text):
        settings.CHAT_DIALECT = "llamacpp"
        chat_server.events = answer(*text)
        result = chat(ask())
        assert (result.text, result.reasoning) == (text, "")

    def test_line_separators_inside_a_text_do_not_break_lines(self, chat_server):
        text = "a\u2028b\x85c\u2029d"
        chat_server.events = answer(text)
        assert chat(ask()).text == text

    def test_events_may_be_cut_anywhere(self, chat_server):
        whole = b"".join(
            b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\r\n\r\n"
            for event in answer("退货", "运费")[:-1]
        )
        chat_server.events = [whole[n : n + 5] for n in range(0, len(whole), 5)]
        assert chat(ask()).text == "退货运费"

    def test_connection_serves_the_next_call(self, chat_server):
        for _ in range(3):
            chat(ask())
        ports = {request["client_port"] for request in chat_server.requests}
        assert len(ports) == 1


class TestFailures:
    def test_busy_server_is_asked_again_with_the_same_id(self, chat_server):
        chat_server.refusals = [(429, {"Retry-After": "0.2"}, None), (503, {}, None)]
        request = ask()
        started = time.monotonic()
        assert chat(request).text == "Hello there"
        assert time.monotonic() - started >= 0.2
        ids = [sent["headers"]["x-request-id"] for sent in chat_server.requests]
        assert ids == [f"{request.request_id}.1"] * 3

    def test_full_server_says_how_long_to_wait(self, chat_server, log_lines):
        chat_server.refusals = [(429, {"Retry-After": "40"}, None)]
        error = failed()
        assert isinstance(error, LimitReached)
        assert error.details["retry_after_s"] == 40
        assert len(chat_server.requests) == 1
        assert ended(log_lines)["in_miss"] == 0

    @pytest.mark.parametrize(
        ("status", "error", "code", "permanent"),
        [
            (400, {"code": "context_length_exceeded"}, "chat_too_long", True),
            (401, None, "chat_refused", True),
            (404, {"code": "model_not_found"}, "chat_refused", True),
            (429, {"code": "insufficient_quota"}, "chat_refused", True),
            (500, {"message": "secret prompt"}, "chat_failed", False),
        ],
    )
    def test_refusal_is_named_and_not_repeated(self, chat_server, status, error, code, permanent):
        chat_server.refusals = [(status, {}, error)]
        raised = failed()
        assert (raised.code, raised.permanent) == (code, permanent)
        assert "secret" not in str(raised.message)
        assert len(chat_server.requests) == 1

    def test_dead_server_is_tried_again_and_then_left_alone(self, settings, closed_port):
        settings.CHAT_URL = f"http://127.0.0.1:{closed_port}/v1"
        settings.CHAT_MODEL, settings.CHAT_DIALECT = "fake-chat", "own"
        assert [failed().code for _ in range(3)] == [
            "chat_unavailable",
            "circuit_open",
            "circuit_open",
        ]

    def test_cut_stream_keeps_what_was_used_and_is_not_repeated(self, chat_server, log_lines):
        chat_server.events = [chunk(content="Hello there, how are you"), CUT]
        assert failed().code == "chat_cut"
        assert len(chat_server.requests) == 1
        line = ended(log_lines)
        assert (line["status"], line["basis"], line["out"]) == ("failed", "estimated", 6)
        assert line["in_miss"] > 0

    def test_end_without_a_finish_is_no_answer(self, chat_server):
        chat_server.events = [chunk(content="Hello")]
        assert failed().code == "chat_cut"

    def test_running_counts_survive_a_cut(self, chat_server, settings, log_lines):
        settings.CHAT_DIALECT = "vllm"
        running = {"usage": openai_usage(100, 7, cached=64)}
        chat_server.events = [chunk(content="Hello") | running, CUT]
        failed()
        line = ended(log_lines)
        assert (line["in_hit"], line["in_miss"], line["out"]) == (64, 36, 7)
        assert (line["basis"], line["status"]) == ("estimated", "failed")

    def test_slow_first_token_ends_the_call(self, chat_server, settings):
        settings.CHAT_FIRST_TOKEN_TIMEOUT_S = 0.2
        # Comments say that the server lives; they do not make a person wait longer.
        chat_server.events = [item for _ in range(20) for item in (": keep-alive", 0.3)]
        started = time.monotonic()
        deltas = []
        with pytest.raises(UpstreamFailed) as caught:
            deltas += chat_stream(ask())
        assert caught.value.code == "chat_timeout"
        assert time.monotonic() - started < 2

    def test_silent_server_ends_the_call(self, chat_server, settings):
        settings.CHAT_FIRST_TOKEN_TIMEOUT_S = 0.2
        chat_server.head_delay_s = 3
        assert failed().code == "chat_timeout"

    def test_slow_next_token_ends_the_call(self, chat_server, monkeypatch):
        monkeypatch.setattr("furrow.gateway.chat.NEXT_TOKEN_TIMEOUT_S", 0.3)
        chat_server.events = [chunk(content="Hello"), 5, *answer("there")]
        started = time.monotonic()
        assert failed().code == "chat_timeout"
        assert time.monotonic() - started < 2

    def test_whole_call_has_an_end(self, chat_server, settings):
        settings.CHAT_TOTAL_TIMEOUT_S = 0.2
        chat_server.events = [item for _ in range(40) for item in (chunk(content="x"), 0.1)]
        started = time.monotonic()
        assert failed().code == "chat_timeout"
        assert time.monotonic() - started < 2

    @pytest.mark.slow
    def test_slow_reader_is_not_a_slow_server(self, chat_server, monkeypatch):
        monkeypatch.setattr("furrow.gateway.chat.NEXT_TOKEN_TIMEOUT_S", 0.3)
        chat_server.events = [part for event in answer(*"abcd") for part in (event, 0.2)]
        parts = []
        for part in chat_stream(ask()):
            parts.append(part)
            time.sleep(0.4)
        assert isinstance(parts[-1], ChatUsage)

    def test_waiting_is_shown_as_empty_deltas(self, chat_server):
        chat_server.events = [": keep-alive", *chat_server.events]
        deltas, _ = gathered(ask())
        assert deltas[0] == ChatDelta()

    def test_closing_the_stream_stops_the_server(self, chat_server, log_lines):
        chat_server.events = [chunk(content="Hello"), *([chunk(content="x"), 0.05] * 400)]
        stream = chat_stream(ask())
        assert next(stream).text == "Hello"
        stream.close()
        assert chat_server.gone.wait(2)
        assert ended(log_lines)["status"] == "aborted"

    @pytest.mark.parametrize(
        ("error", "kind", "code"),
        [
            (
                {"message": "m", "type": "server_error", "code": "stopped"},
                UpstreamFailed,
                "chat_failed",
            ),
            ({"message": "m", "type": "rate_limit_error"}, LimitReached, "chat_busy"),
            ({"message": "m", "code": 503}, UpstreamFailed, "chat_busy"),
            ({"type": "BadRequestError", "code": 400}, UpstreamFailed, "chat_refused"),
            ("broken", UpstreamFailed, "chat_failed"),
        ],
    )
    def test_error_in_the_stream_is_raised(self, chat_server, error, kind, code):
        chat_server.events = [chunk(content="Hello"), {"error": error}]
        raised = failed()
        assert isinstance(raised, kind)
        assert raised.code == code

    @pytest.mark.parametrize("event", ["{no json", "[1]", '{"choices": 5}', '{"choices": [5]}'])
    def test_nonsense_is_refused(self, chat_server, event):
        chat_server.events = [event, *chat_server.events]
        assert failed().code == "chat_unusable"

    def test_endless_line_is_refused(self, chat_server):
        chat_server.events = [b"data: " + b"x" * 300_000] * 5
        assert failed().code == "chat_unusable"

    def test_server_that_gave_up_gave_no_answer(self, chat_server):
        chat_server.events = answer("Hello", finish="insufficient_system_resource")
        assert failed().code == "chat_cut"

    def test_log_holds_counts_and_no_words(self, chat_server, log_lines):
        chat_server.events = answer("Confidential answer", usage=openai_usage(10, 2))
        chat(request := ask())
        line = ended(log_lines)
        assert (line["call_id"], line["in_miss"], line["out"]) == (request.request_id, 10, 2)
        everything = " ".join(str(record.msg) for record in log_lines.records)
        assert "Confidential" not in everything
        assert "return" not in everything

    def test_watchdogs_end_with_their_calls(self, chat_server):
        for _ in range(3):
            chat(ask())
        deadline = time.monotonic() + 2
        while any(t.name == "chat-watchdog" for t in threading.enumerate()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
