"""Streams that end otherwise than planned, calls that are repeated, and LangChain as a client."""

import asyncio
import concurrent.futures
import contextlib
import threading
import time
from typing import Any

import httpx
import openai
import pytest

from furrow.core.context import tenant_context, tenant_tx
from furrow.gateway.chat_async import OpenChat
from furrow.gateway.chat_types import ChatRequest
from furrow.metering.models import Hold, UsageEvent
from tests.api.openai.conftest import Live
from tests.api.openai.test_chat import ASK, events_of
from tests.fixtures_chat import CUT, ChatServer, answer, chunk, openai_usage

CHAT = {"model": "fake-chat", "messages": ASK}


def leaving(live: Live, is_stream: bool) -> Any:
    """A whole answer is not waited for; of a stream the first piece is read."""
    return httpx.stream(
        "POST",
        f"{live.url}/v1/chat/completions",
        json=CHAT | {"stream": is_stream},
        headers={"Authorization": f"Bearer {live.secret}"},
        timeout=httpx.Timeout(5, read=5 if is_stream else 1.5),
    )


@pytest.mark.parametrize("is_stream", [True, False])
@pytest.mark.slow
def test_a_client_that_leaves_stops_the_model_and_pays_for_what_came(
    live: Live, chat_server: ChatServer, is_stream: bool
) -> None:
    chat_server.events = [
        chunk(role="assistant", content="Hello"),
        *([0.1, chunk(content=" x")] * 200),
    ]
    with contextlib.suppress(httpx.ReadTimeout), leaving(live, is_stream) as response:
        next(response.iter_bytes())
    assert chat_server.gone.wait(2)
    (event,) = events_of(live)
    assert (event.status, event.basis) == ("aborted", "estimated")
    assert event.out > 0


def test_a_failure_after_the_head_is_an_event_and_the_end(
    live: Live, chat_server: ChatServer
) -> None:
    chat_server.events = [chunk(role="assistant", content="Hel"), chunk(content="lo"), CUT]
    stream = live.client().chat.completions.create(stream=True, **CHAT)  # type: ignore[call-overload]
    with pytest.raises(openai.APIError, match="broke off"):
        list(stream)
    raw = live.http().post("/chat/completions", json=CHAT | {"stream": True})
    assert b'"code":"chat_cut"' in raw.content
    assert b"[DONE]" not in raw.content


def test_a_failure_before_the_head_has_its_own_status(live: Live, chat_server: ChatServer) -> None:
    chat_server.refusals = [(400, {}, {"code": "context_length_exceeded"})]
    with pytest.raises(openai.BadRequestError) as caught:
        live.client().chat.completions.create(stream=True, **CHAT)  # type: ignore[call-overload]
    assert caught.value.code == "context_length_exceeded"
    chat_server.refusals = [(503, {"Retry-After": "30"}, None)]
    busy = live.http().post("/chat/completions", json=CHAT)
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "30")
    assert [event.charged for event in events_of(live) if event.charged] == []


def test_tools_schemas_and_logprobs_pass_through(live: Live, chat_server: ChatServer) -> None:
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{"}}
    rest = {"index": 0, "function": {"arguments": "}"}}
    word = chunk(content="x")
    word["choices"][0]["logprobs"] = {
        "content": [{"token": "x", "logprob": -0.5, "bytes": [120], "top_logprobs": []}]
    }
    usage = {"id": "x", "choices": [], "usage": openai_usage(5, 3)}
    chat_server.events = [
        word, chunk(tool_calls=[call]), chunk(tool_calls=[rest]), chunk(finish="tool_calls"), usage, "[DONE]",
    ]  # fmt: skip
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    schema = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}
    asked: dict[str, Any] = CHAT | {
        "tools": [tool], "tool_choice": "auto", "response_format": schema, "logprobs": True, "top_logprobs": 2,
    }  # fmt: skip
    whole = live.client().chat.completions.create(**asked).choices[0]
    assert whole.finish_reason == "tool_calls"
    assert whole.message.tool_calls[0].function.arguments == "{}"
    assert whole.logprobs.content[0].logprob == -0.5
    sent = chat_server.bodies[0]
    assert {name: sent[name] for name in asked if name != "model"} == {
        name: value for name, value in asked.items() if name != "model"
    }
    parts = list(live.client().chat.completions.create(stream=True, **asked))
    arguments = [
        call.function.arguments for part in parts for call in part.choices[0].delta.tool_calls or []
    ]
    assert arguments == ["{", "}"]


def test_a_repeated_key_gets_the_first_answer_and_costs_nothing(
    live: Live, chat_server: ChatServer
) -> None:
    http = live.http()
    for is_stream in (False, True):
        body, key = CHAT | {"stream": is_stream}, {"Idempotency-Key": f"k-{is_stream}"}
        first = http.post("/chat/completions", json=body, headers=key)
        again = http.post("/chat/completions", json=body, headers=key)
        assert first.is_success
        assert again.is_success
        assert ("Hello there" in again.text) or is_stream
        other = http.post("/chat/completions", json=CHAT | {"seed": 1}, headers=key)
        assert (other.status_code, other.json()["error"]["code"]) == (400, "idempotency_mismatch")
    assert len(chat_server.requests) == 2
    assert len(events_of(live)) == 2


@pytest.mark.slow
def test_i18_calls_of_one_key_at_once_are_one(live: Live, chat_server: ChatServer) -> None:
    chat_server.head_delay_s = 1.0

    def ask() -> int:
        with httpx.Client(headers={"Authorization": f"Bearer {live.secret}"}) as http:
            url = f"{live.url}/v1/chat/completions"
            return http.post(url, json=CHAT, headers={"Idempotency-Key": "one"}).status_code

    with concurrent.futures.ThreadPoolExecutor(5) as threads:
        together = [threads.submit(ask) for _ in range(3)]
        while not chat_server.requests:
            time.sleep(0.01)
        # One that is refused must not make way for the next.
        assert [ask(), ask(), ask()] == [409, 409, 409]
        assert sorted(future.result() for future in together) == [200, 409, 409]
    assert len(chat_server.requests) == 1


@pytest.mark.slow
def test_langchain_chats_and_streams(live: Live, chat_server: ChatServer) -> None:
    from langchain_openai import ChatOpenAI  # noqa: PLC0415  seconds, for this test alone

    with httpx.Client() as client:
        model = ChatOpenAI(
            model="fake-chat",
            base_url=f"{live.url}/v1",
            api_key=live.secret,
            stream_usage=True,
            max_retries=0,
            http_client=client,
        )
        said = model.invoke("Hello?")
        assert said.content == "Hello there"
        assert said.usage_metadata["input_token_details"]["cache_read"] == 4
        streamed = list(model.stream("Hello?"))
    assert "".join(part.text for part in streamed) == "Hello there"
    total: Any = streamed[0]
    for part in streamed[1:]:
        total += part
    assert total.usage_metadata["total_tokens"] == 12
    assert isinstance(events_of(live)[0], UsageEvent)


@pytest.mark.slow
def test_many_streams_share_few_threads(live: Live, chat_server: ChatServer) -> None:
    chat_server.events = [
        *answer("a", "b", usage=openai_usage(3, 2))[:2],
        1.0,
        *answer("b", usage=openai_usage(3, 2))[1:],
    ]
    before = threading.active_count()

    def ask(_: int) -> bool:
        with httpx.Client(headers={"Authorization": f"Bearer {live.secret}"}, timeout=20) as http:
            answered = http.post(f"{live.url}/v1/chat/completions", json=CHAT | {"stream": True})
            return b"[DONE]" in answered.content

    with concurrent.futures.ThreadPoolExecutor(40) as threads:
        running = [threads.submit(ask, n) for n in range(40)]
        most = 0
        while not all(future.done() for future in running):
            most = max(most, threading.active_count())
        assert all(future.result() for future in running)
    assert most - before - 40 <= 8


def test_a_client_that_leaves_during_the_hold_gives_it_back(
    live: Live, chat_server: ChatServer
) -> None:
    begun = threading.Event()

    def slow() -> None:
        begun.set()
        time.sleep(0.3)

    async def enter() -> None:
        with tenant_context(live.tenant.id):
            async with OpenChat(ChatRequest(messages=ASK), before=slow):
                raise AssertionError("nobody is there any more")

    async def leave() -> None:
        task = asyncio.create_task(enter())
        while not begun.is_set():
            await asyncio.sleep(0.01)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(leave())
    assert events_of(live) == []
    with tenant_tx(live.tenant.id):
        assert [hold.state for hold in Hold.objects.all()] == ["voided"]
    assert chat_server.requests == []
