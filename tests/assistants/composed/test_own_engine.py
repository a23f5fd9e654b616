"""The whole path on the platform's own engine: random weights write nonsense, which must be caught."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from furrow.core.context import tenant_tx
from furrow.gateway.connections import connections_close
from furrow.metering.models.usage import UsageEvent
from tests.conversations.chats import WRITES, chat_with, orchard_assistant

pytest.importorskip("torch")
ROOT = Path(__file__).resolve().parents[3]
KEY = "key-of-the-composed-test"
# What the engine stammers: sentences with figures that stand in no document.
PHRASES = [f"第{n}号运费是{n}元。" for n in range(300, 900)]
PHRASES += [f" Box {n} ripens in {n} hours." for n in range(300, 900)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from tests.inference.server.tiny_checkpoint import checkpoint_save  # noqa: PLC0415  needs torch

    folder = tmp_path_factory.mktemp("engine")
    (folder / "key").write_text(KEY)
    checkpoint = checkpoint_save(folder / "tiny", context=16_384, phrases=PHRASES)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "inference", "serve", "--port", "0", "--threads", "1"),
            *("--embedding-model", "none", "--model", str(checkpoint)),
            *("--model-name", "tiny", "--kv-gib", "0.05", "--api-key-file", str(folder / "key")),
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


@pytest.fixture
def chat(cast: Any, embedding_server: Any, engine: str, settings: Any) -> Iterator[Any]:
    connections_close()
    settings.CHAT_URL = f"{engine}/v1"
    settings.CHAT_MODEL, settings.CHAT_API_KEY, settings.CHAT_DIALECT = "tiny", KEY, "own"
    yield chat_with(cast.tenant.id, orchard_assistant(cast.tenant.id, **WRITES))
    connections_close()


@pytest.mark.parametrize("question", ["到北京的运费多少", "How can I ripen kiwis faster?"])
@pytest.mark.slow
def test_nonsense_is_caught_quotes_answer_and_every_token_is_metered(chat, question):
    turn = chat.ask(question)
    composed = next(step for step in turn.trace if step["rung"] == "composed")
    assert turn.rung == "quoted"
    assert (composed["outcome"], composed["reason"]) == ("passed", "not_supported")
    assert composed["kept"] == 0
    assert "number_not_in_passage" in {kept["reason"] for kept in composed["kept_back"]}
    with tenant_tx(chat.tenant_id):
        events = list(UsageEvent.objects.filter(turn_id=str(turn.id), hold__kind="chat"))
    assert [event.status for event in events] in (["complete"], ["aborted"])
    assert turn.usage["output"] == sum(event.out for event in events) > 0
    assert turn.cost_amount > 0
