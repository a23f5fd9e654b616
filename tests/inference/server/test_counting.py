"""Clients that leave whenever they like, over real sockets: every token is in one receipt."""

import asyncio
import contextlib
import json
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn

from inference.engine.request import Counts

REQUESTS = 200
KILLED_AT_AN_END = 20
SHARED = "a long shared beginning about pears and parcels, "


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


@dataclass
class Plan:
    """What one client asks, and when it leaves: after so many events, or at the very end."""

    name: str
    body: dict[str, Any]
    tenant: str
    leaves_after: int | None = None
    leaves_at_last: bool = False
    patience_s: float = 30.0


def plans(dice: random.Random) -> list[Plan]:
    made = []
    for n in range(REQUESTS):
        text = SHARED * dice.choice([0, 1, 1]) + f"question {dice.randrange(40)}"
        body = {
            "model": "fake",
            "messages": [{"role": "user", "content": text}],
            "max_tokens": dice.randint(1, 40),
            "seed": n,
            "n": dice.choice([1, 1, 1, 2]),
            "stream": dice.random() < 0.7,
            "priority": dice.choice(["interactive", "standard", "batch"]),
            "ignore_eos": dice.random() < 0.5,
        }
        plan = Plan(f"r{n}", body, dice.choice("abc"))
        if n < KILLED_AT_AN_END:
            body["stream"] = True
            plan.leaves_after = 0 if n % 2 else None
            plan.leaves_at_last = not n % 2
        elif n % 2:
            plan.patience_s = dice.random() * 0.3
        made.append(plan)
    dice.shuffle(made)
    return made


async def act(client: httpx.AsyncClient, plan: Plan) -> dict[str, Any] | None:
    """The usage of an answer that was read to its end, else None."""
    headers = {"X-Request-Id": plan.name, "X-Tenant": plan.tenant}
    if not plan.body["stream"]:
        answer = await client.post("/v1/chat/completions", json=plan.body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()["usage"]
    body = plan.body | {"stream_options": {"include_usage": True}}
    seen = 0
    async with client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as answer:
        assert answer.status_code == 200
        if plan.leaves_after == 0:
            return None
        async for line in answer.aiter_lines():
            if not line.startswith("data: {"):
                continue
            event = json.loads(line.removeprefix("data: "))
            seen += 1
            if event["usage"]:
                return event["usage"]
            if plan.leaves_at_last and event["choices"][0]["finish_reason"]:
                return None
    raise AssertionError("the stream had no usage")


async def crowd(address: str, made: list[Plan]) -> dict[str, dict[str, Any]]:
    """All clients, two dozen at a time; the usage of those that stayed."""
    gate = asyncio.Semaphore(24)
    stayed: dict[str, dict[str, Any]] = {}
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as client:

        async def one(plan: Plan) -> None:
            async with gate:
                with contextlib.suppress(TimeoutError):
                    usage = await asyncio.wait_for(act(client, plan), plan.patience_s)
                    if usage is not None:
                        stayed[plan.name] = usage

        await asyncio.gather(*map(one, made))
    return stayed


def wait_for(condition) -> None:
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("the condition never came true")


def all_receipts(chat) -> list[dict[str, Any]]:
    return chat.client.get("/receipts", params={"limit": 1000}).json()["receipts"]


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
