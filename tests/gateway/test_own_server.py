"""The gateway and our own model server, as two processes with a tiny checkpoint."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from furrow.core.context import tenant_context
from furrow.gateway.chat import chat, chat_stream
from furrow.gateway.chat_types import ChatRequest
from furrow.gateway.connections import connections_close
from furrow.metering.receipt_pages import OWN_CHAT, ReceiptRow, page_fetch, receipts_client
from furrow.metering.receipts import wire_id

pytest.importorskip("transformers", reason="it comes with the 'inference' extra")

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
KEY = "a key of at least sixteen characters"
QUESTION = "who pays for the return " * 8


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from tests.inference.server.tiny_checkpoint import checkpoint_save  # noqa: PLC0415  needs torch

    folder = tmp_path_factory.mktemp("own")
    (folder / "key").write_text(KEY)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "inference", "serve", "--port", "0", "--threads", "1"),
            *("--embedding-model", "none", "--model", str(checkpoint_save(folder / "tiny"))),
            *("--model-name", "tiny", "--kv-gib", "0.01", "--api-key-file", str(folder / "key")),
            *("--receipts-file", str(folder / "receipts.jsonl")),
        ],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        address = f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        try:
            while httpx.get(f"{address}/readyz").status_code != 200:
                assert process.poll() is None
                time.sleep(0.1)
            yield address
        finally:
            process.kill()
            process.wait()


@pytest.fixture(autouse=True)
def _settings(address, settings, cast):
    settings.CHAT_URL, settings.CHAT_MODEL, settings.CHAT_API_KEY = f"{address}/v1", "tiny", KEY
    settings.CHAT_DIALECT = "own"
    with tenant_context(cast.tenant.id):
        yield
    connections_close()


def ask(**more) -> ChatRequest:
    return ChatRequest(messages=[{"role": "user", "content": QUESTION}], **more)


def receipt_of(request: ChatRequest) -> ReceiptRow:
    deadline = time.monotonic() + 5
    with receipts_client(OWN_CHAT) as client:
        while time.monotonic() < deadline:
            for receipt in page_fetch(client, after=0).receipts:
                if receipt.request_id == wire_id(request.request_id, 1):
                    return receipt
            time.sleep(0.05)
    raise AssertionError("no receipt")


def test_every_field_is_understood_and_the_counts_are_those_of_the_receipt():
    choosing = {"temperature": 0.5, "top_p": 0.9, "top_k": 5, "min_p": 0.0, "seed": 3}
    penalties = {"presence_penalty": 0.1, "frequency_penalty": 0.1, "repetition_penalty": 1.1}
    request = ask(
        max_tokens=12,
        thinking=False,
        options=choosing | penalties,
    )
    usage = chat(request).usage
    assert (usage.basis, usage.status) == ("reported", "complete")
    receipt = receipt_of(request)
    assert receipt.counts == usage.usage
    assert receipt.kind == "chat"


def test_another_tenant_finds_nothing_in_the_cache(cast):
    own = [chat(ask(max_tokens=1)).usage.usage for _ in range(2)]
    with tenant_context(cast.other_tenant.id):
        other = chat(ask(max_tokens=1)).usage.usage
    assert own[1].in_hit > 0
    assert other.in_hit == 0


def test_closed_stream_leaves_a_receipt_of_what_was_done():
    # On a busy machine the tiny model may be done before the closing is noticed: then ask again.
    for _ in range(8):
        request = ask(max_tokens=100, options={"temperature": 1.0})
        stream = chat_stream(request)
        next(stream)
        stream.close()
        receipt = receipt_of(request)
        if receipt.finish_reason == "cancelled":
            break
    assert receipt.finish_reason == "cancelled"
    assert 0 < receipt.counts.completion < 100
