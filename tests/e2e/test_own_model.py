"""`FURROW_MODEL=folder manage.py up`: the product with a chat model of its own, from start to Ctrl-C."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import free_port
from tests.faults.client import Business
from tests.faults.product import Product, is_alive, until

pytest.importorskip("transformers", reason="it comes with the 'inference' extra")

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

ASK = """
import json
from furrow.core.context import tenant_context, unscoped
from furrow.gateway.chat import chat
from furrow.gateway.chat_types import ChatRequest
from furrow.tenants.models import Tenant
with unscoped("look up the tenant of a test"):
    tenant = Tenant.objects.get(slug="orchard")
with tenant_context(tenant.id):
    answer = chat(ChatRequest(messages=[{"role": "user", "content": "Are there pears?"}],
                              max_tokens=300, options={"ignore_eos": True, "seed": 1}))
used = answer.usage
print(json.dumps({"id": used.request_id, "status": used.status, "basis": used.basis, "text": answer.text,
                  "in_hit": used.usage.in_hit, "in_miss": used.usage.in_miss,
                  "out": used.usage.out, "reasoning": used.usage.reasoning}))
"""


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    from tests.inference.server.tiny_checkpoint import checkpoint_save  # noqa: PLC0415 - torch

    folder = Path(tempfile.mkdtemp(prefix="furrow-model-"))
    model = checkpoint_save(folder / "models" / "tiny-chat")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FURROW_MODEL", str(model))
        running = Product(folder, free_port())
        running.start()
        try:
            yield running
        finally:
            running.stop()
            shutil.rmtree(folder, ignore_errors=True)


def own_server(product: Product) -> str:
    lines = (product.var / "runtime.env").read_text().splitlines()
    found = dict(line.split("=", 1) for line in lines)
    return found["CHAT_URL"].removesuffix("/v1")


def gauge(product: Product, name: str) -> float:
    text = httpx.get(f"{own_server(product)}/metrics").text
    lines = [line for line in text.splitlines() if line.startswith(f"furrow_inference_{name} ")]
    return float(lines[0].split()[1])


def receipt_of(product: Product, request_id: str) -> dict[str, Any] | None:
    """The receipt as it was fetched, and the settled event it agrees with."""
    rows = product.sql(
        "SELECT r.in_hit, r.in_miss, r.out, r.reasoning, r.busy_us, e.in_hit, e.in_miss, e.out,"
        " e.reasoning, e.status, h.state FROM metering_receipt r"
        " JOIN metering_usageevent e ON e.source_id = %s JOIN metering_hold h ON h.request_id = %s"
        " WHERE r.request_id = %s",
        request_id, request_id, f"{request_id}.1",
    )  # fmt: skip
    names = ("in_hit", "in_miss", "out", "reasoning")
    if not rows:
        return None
    (row,) = rows
    return {
        "receipt": dict(zip(names, row[:4], strict=True)),
        "event": dict(zip(names, row[5:9], strict=True)),
        "busy_us": row[4],
        "status": row[9],
        "hold": row[10],
    }


def test_a_chosen_model_answers_is_paid_for_and_ends_with_the_rest(product: Product) -> None:
    log = (product.var / "log" / "inference.log").read_text()
    assert "memory plan" in log
    assert "key-value cache" in log
    # Nobody has asked the chat model yet; the demo's texts may still be embedded.
    assert gauge(product, "engine_busy_us") == 0
    with Business(product, "orchard"):
        said = product.manage("shell", "--no-imports", "-c", ASK)
    answer = json.loads(said.splitlines()[-1])
    assert (answer["status"], answer["basis"]) == ("complete", "reported")
    assert answer["in_miss"] > 20
    assert answer["out"] + answer["reasoning"] > 0
    assert answer["text"]
    assert gauge(product, "engine_busy_us") > 0
    assert 0 < gauge(product, "busy_share") <= 1
    assert "pears" not in (product.var / "log" / "inference.log").read_text()

    fetched = until(lambda: receipt_of(product, answer["id"]) is not None, within_s=60)
    assert fetched, (product.var / "log" / "worker-ingest.log").read_text()[-3000:]
    found = receipt_of(product, answer["id"])
    assert found is not None
    counts = {name: answer[name] for name in ("in_hit", "in_miss", "out", "reasoning")}
    assert found["receipt"] == found["event"] == counts
    assert (found["status"], found["hold"]) == ("complete", "settled")
    assert found["busy_us"] > 0

    everything = product.everything()
    assert product.stop() < 60
    assert not [process for process in everything if is_alive(process)]
