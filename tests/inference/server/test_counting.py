"""Clients that leave whenever they like, over real sockets: every token is in one receipt."""

import asyncio
import random
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn

from inference.engine.request import Counts
from tests.inference.server.crowd import SHARED, crowd, plans


@pytest.fixture
def served(start_chat) -> Iterator[tuple[Any, str]]:
    """The chat server behind uvicorn, and its address."""
    chat = start_chat(blocks=160, sequences=6, step_tokens=48, guesses=2, guess_below=3)
    config = uvicorn.Config(
        chat.client.app, port=0, log_config=None, access_log=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        threading.Event().wait(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield chat, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def wait_for(condition) -> None:
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("the condition never came true")


def all_receipts(chat) -> list[dict[str, Any]]:
    return chat.client.get("/receipts", params={"limit": 1000}).json()["receipts"]


@pytest.mark.slow
def test_receipts_are_exact_whenever_clients_leave(served) -> None:
    chat, address = served
    model = chat.service.chat
    taken: list[str] = []
    submit = model.engine.submit

    def remembered(request: Any) -> None:
        taken.append(request.request_id)
        submit(request)

    model.engine.submit = remembered
    stayed = asyncio.run(crowd(address, plans(random.Random(3))))
    wait_for(lambda: chat.service.is_idle and model.backlog.requests == 0)

    receipts = {receipt["request_id"]: receipt for receipt in all_receipts(chat)}
    assert len(receipts) == len(all_receipts(chat)) == len(taken)
    assert set(receipts) == set(taken)
    assert [r["seq"] for r in receipts.values()] == list(range(1, len(taken) + 1))
    reasons = [r["finish_reason"] for r in receipts.values()]
    assert reasons.count("cancelled") >= 10
    assert len(stayed) >= 80
    for name, usage in stayed.items():
        receipt = receipts[name]
        assert usage["prompt_cache_hit_tokens"] == receipt["in_hit"]
        assert usage["prompt_cache_miss_tokens"] == receipt["in_miss"]
        assert usage["completion_tokens"] == receipt["out"] + receipt["reasoning"]
    total = Counts()
    for receipt in receipts.values():
        total.add(
            Counts(
                in_hit=receipt["in_hit"],
                in_miss=receipt["in_miss"],
                out=receipt["out"] + receipt["reasoning"],
                reasoning=receipt["reasoning"],
                busy_us=receipt["busy_us"],
            )
        )
    assert total == model.engine.counts
    pool = chat.scheduler.pool
    pool.check_integrity()
    assert pool.used == 0
    assert not chat.scheduler.has_work


def test_a_disconnect_ends_the_work_within_a_step(served) -> None:
    chat, address = served
    chat.model.gate.clear()
    body = {
        "model": "fake",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 300,
        "ignore_eos": True,
    }
    for is_stream in (True, False):
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(
                f"{address}/v1/chat/completions",
                json=body | {"stream": is_stream},
                timeout=httpx.Timeout(10, read=0.2),
            )
    commands = chat.service.chat.engine._commands
    wait_for(lambda: len(commands) >= 3)
    chat.model.gate.set()
    wait_for(lambda: len(all_receipts(chat)) == 2)
    # The first was in the step that the disconnect fell into, the second never began.
    assert [receipt["out"] for receipt in all_receipts(chat)] == [1, 0]
    assert chat.scheduler.pool.used == 0


def test_a_repeated_prompt_hits_for_its_tenant_only(served) -> None:
    chat, address = served
    body = {
        "model": "fake",
        "messages": [{"role": "user", "content": SHARED * 2}],
        "max_tokens": 1,
    }

    def cached(tenant: str) -> int:
        answer = httpx.post(
            f"{address}/v1/chat/completions", json=body, headers={"X-Tenant": tenant}, timeout=30
        )
        return answer.json()["usage"]["prompt_tokens_details"]["cached_tokens"]

    assert [cached("a"), cached("b")] == [0, 0]
    assert cached("a") == (len(SHARED * 2) + len("user: \nassistant:") - 1) // 4 * 4
    assert [receipt["in_hit"] for receipt in all_receipts(chat)] == [0, 0, cached("b")]
