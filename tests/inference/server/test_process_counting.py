"""Two hundred clients against a real process, of which many leave, and a kill in their midst."""

import asyncio
import json
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.inference.server.crowd import KILLED_AT_AN_END, REQUESTS, SHARED, Plan, crowd, plans
from tests.inference.server.process import Process
from tests.inference.server.tiny_checkpoint import checkpoint_save

pytestmark = pytest.mark.slow

# 65 blocks: enough for one longest context, so that the crowd is preempted and evicted.
OPTIONS = ("--embedding-model", "none", "--kv-gib", "0.0005", "--speculative-tokens", "2")
COUNTED = ("in_hit", "in_miss", "out", "reasoning", "busy_us")


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[[], Process]]:
    model = checkpoint_save(tmp_path / "tiny-chat")
    started: list[Process] = []

    def run() -> Process:
        started.append(Process(["--model", str(model), *OPTIONS], tmp_path))
        return started[-1].until_ready()

    yield run
    for process in started:
        process.end()


def receipts_of(process: Process) -> list[dict[str, Any]]:
    """All of them, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["seq"] if found else 0
        query = {"after": after, "limit": 70}
        page = httpx.get(f"{process.address}/receipts", params=query).json()
        found += page["receipts"]
        if not page["has_more"]:
            return found


def metric(process: Process, name: str) -> float:
    lines = httpx.get(f"{process.address}/metrics").text.splitlines()
    return next(
        float(line.split()[-1]) for line in lines if line.startswith(f"furrow_inference_{name} ")
    )


def until_idle(process: Process) -> None:
    for _ in range(1200):
        if not any(metric(process, f"{what}_sequences") for what in ("running", "waiting")):
            return
        threading.Event().wait(0.05)
    raise AssertionError("the server never came to rest")


def usage_of(process: Process, tenant: str, **fields: Any) -> dict[str, Any]:
    body = {"model": "tiny-chat", "messages": [{"role": "user", "content": SHARED * 2}]} | fields
    answer = httpx.post(
        f"{process.address}/v1/chat/completions", json=body, headers={"X-Tenant": tenant}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["usage"]


def agrees(usage: dict[str, Any], receipt: dict[str, Any]) -> bool:
    completion = receipt["out"] + receipt["reasoning"]
    return (
        usage["prompt_tokens_details"]["cached_tokens"] == receipt["in_hit"]
        and usage["prompt_tokens"] == receipt["in_hit"] + receipt["in_miss"]
        and usage["completion_tokens"] == completion
        and usage["completion_tokens_details"]["reasoning_tokens"] == receipt["reasoning"]
    )


def check_accounts(process: Process, made: list[Plan], stayed: dict[str, Any]) -> None:
    """Each request that reached the engine left one receipt, and they add up to its counters."""
    receipts = receipts_of(process)
    by_id = {receipt["request_id"]: receipt for receipt in receipts}
    assert len(by_id) == len(receipts)
    assert [receipt["seq"] for receipt in receipts] == list(range(1, len(receipts) + 1))
    assert set(stayed) <= set(by_id) <= {plan.name for plan in made}
    assert all(agrees(usage, by_id[name]) for name, usage in stayed.items())
    reasons = Counter(receipt["finish_reason"] for receipt in receipts)
    assert set(reasons) <= {"stop", "length", "cancelled"}
    # Who left before the first event was cut short, who left at the last one was served whole.
    early = [plan.name for plan in made if plan.leaves_after == 0]
    late = [plan.name for plan in made if plan.leaves_at_last]
    assert len(early) == len(late) == KILLED_AT_AN_END // 2
    assert all(by_id[name]["finish_reason"] != "cancelled" for name in late)
    assert sum(by_id[n]["finish_reason"] == "cancelled" for n in early if n in by_id) >= 10
    for part in COUNTED:
        total = sum(receipt[part] for receipt in receipts)
        if part == "out":
            # The engine counts thoughts among what was sampled, a receipt beside it.
            total += sum(receipt["reasoning"] for receipt in receipts)
        assert metric(process, f"engine_{part}") == total, part


def check_blocks(process: Process) -> None:
    """No block is lost: nothing holds one, and a context that needs nearly all still runs."""
    assert metric(process, "cache_blocks_used") == 0
    assert metric(process, "cache_blocks") == 65
    body = {"model": "tiny-chat", "prompt": [7] * 1000, "max_tokens": 24, "ignore_eos": True}
    answer = httpx.post(f"{process.address}/v1/completions", json=body, timeout=60).json()
    assert answer["usage"]["total_tokens"] == 1024
    assert metric(process, "cache_blocks_used") == 0


def test_receipts_of_a_real_process_are_exact(launch: Callable[[], Process]) -> None:
    process = launch()
    made = plans(random.Random(11), "tiny-chat")
    assert len(made) == REQUESTS
    stayed = asyncio.run(crowd(process.address, made))
    until_idle(process)
    assert len(stayed) >= 80
    check_accounts(process, made, stayed)
    check_blocks(process)
    # 1,000 tokens of another tenant went through since, so nothing of these is cached yet.
    cached = [
        usage_of(process, tenant, max_tokens=2)["prompt_tokens_details"]["cached_tokens"]
        for tenant in ("new-a", "new-b", "new-a")
    ]
    assert cached[:2] == [0, 0]
    assert cached[2] >= 96


def test_a_kill_among_many_clients_loses_no_answered_request(
    launch: Callable[[], Process],
) -> None:
    first = launch()
    made = plans(random.Random(12), "tiny-chat")

    async def doomed() -> dict[str, Any]:
        asking = asyncio.ensure_future(crowd(first.address, made, may_die=True))
        while not asking.done() and len(await asyncio.to_thread(receipts_of, first)) < 40:
            await asyncio.sleep(0.05)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(10)
        return await asking

    stayed = asyncio.run(doomed())
    written = first.receipts.read_bytes()
    with first.receipts.open("ab") as file:
        # What a crash inside a write leaves behind.
        file.write(b'{"boot_id":"x","seq":')
    second = launch()
    assert second.receipts.read_bytes() == written
    before = receipts_of(second)
    assert 40 <= len(before) < REQUESTS
    by_id = {receipt["request_id"]: receipt for receipt in before}
    # The receipt comes before the answer, so whoever read an answer is in the file.
    assert set(stayed) <= set(by_id)
    assert all(agrees(usage, by_id[name]) for name, usage in stayed.items())
    for _ in range(2):
        usage_of(second, "a", max_tokens=2)
    found = [json.loads(line) for line in second.receipts.read_text().splitlines()]
    assert [receipt["seq"] for receipt in found] == list(range(1, len(before) + 3))
    boots = [receipt["boot_id"] for receipt in found]
    assert len(set(boots[:-2])) == len(set(boots[-2:])) == 1
    assert boots[0] != boots[-1]
    assert metric(second, "engine_in_miss") == sum(receipt["in_miss"] for receipt in found[-2:])
