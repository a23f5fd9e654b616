"""Many clients that ask at random and leave whenever they like, over real sockets."""

import asyncio
import contextlib
import json
import random
from dataclasses import dataclass
from typing import Any

import httpx

REQUESTS = 200
# Of these, every second one leaves before the first token, the others at the last.
KILLED_AT_AN_END = 40
SHARED = "a long shared beginning about pears and parcels, "


@dataclass
class Plan:
    """What one client asks, and when it leaves: after so many events, or at the very end."""

    name: str
    body: dict[str, Any]
    tenant: str
    leaves_after: int | None = None
    leaves_at_last: bool = False
    patience_s: float = 30.0


def plans(dice: random.Random, model: str = "fake") -> list[Plan]:
    made = []
    for n in range(REQUESTS):
        text = SHARED * dice.choice([0, 1, 1]) + f"question {dice.randrange(40)}"
        body = {
            "model": model,
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
            body |= {"stream": True, "n": 1}
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


async def crowd(
    address: str, made: list[Plan], *, may_die: bool = False
) -> dict[str, dict[str, Any]]:
    """All clients, two dozen at a time; the usage of those that stayed. With `may_die` the
    server may end among them."""
    forgiven = (TimeoutError, httpx.TransportError) if may_die else (TimeoutError,)
    gate = asyncio.Semaphore(24)
    stayed: dict[str, dict[str, Any]] = {}
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as client:

        async def one(plan: Plan) -> None:
            async with gate:
                with contextlib.suppress(*forgiven):
                    usage = await asyncio.wait_for(act(client, plan), plan.patience_s)
                    if usage is not None:
                        stayed[plan.name] = usage

        await asyncio.gather(*map(one, made))
    return stayed
