"""A reranking model of our own server in a search: a real cross-encoder, the real process, the real ledger."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from furrow.core.context import tenant_tx
from furrow.gateway.connections import connections_close
from furrow.metering.models import UsageEvent

torch = pytest.importorskip("torch", reason="it comes with the 'inference' extra")

pytestmark = pytest.mark.slow

TEXTS = {
    "w30": "w5 w6 w7",
    "w31": "w5 w20 w21",
    "w32": "w5 w40",
    "w33": "w5 w41 w42 w43",
    "w34": "w5 w58 w59",
}
QUESTION = "w5 w6"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.inference.server.tiny_checkpoint import reranker_save  # noqa: PLC0415 - torch

    return reranker_save(tmp_path_factory.mktemp("models") / "tiny-rerank")


@pytest.fixture(scope="module")
def process(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from tests.inference.server.process import Process  # noqa: PLC0415 - torch

    started = Process(["--rerank-model", str(checkpoint)], tmp_path_factory.mktemp("server"))
    yield started.until_ready()
    started.end()


@pytest.fixture
def stocked(shop: Any, process: Any, settings: Any) -> Iterator[Any]:
    for title, text in TEXTS.items():
        shop.add_text(title, text)
    shop.run_jobs()
    settings.RERANK_URL, settings.RERANK_MODEL = f"{process.address}/v1", "tiny-rerank"
    connections_close()
    yield shop
    connections_close()


def scores_by_transformers(folder: Path, hits: list[Any]) -> dict[str, float]:
    """What the same checkpoint says of each hit, without anything of ours."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415

    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    scores = {}
    for hit in hits:
        text = f"{hit.header}\n{hit.text}" if hit.header else hit.text
        inputs = tokenizer(QUESTION, text, return_tensors="pt")
        separator = inputs["input_ids"] == 3
        inputs["token_type_ids"] = (separator.cumsum(1) - separator.long() > 0).long()
        with torch.inference_mode():
            scores[hit.title] = float(torch.sigmoid(model(**inputs).logits[0, 0]))
    return scores


def test_hits_come_in_the_order_of_the_model_and_are_paid(
    stocked: Any, checkpoint: Path, process: Any, settings: Any
) -> None:
    reranked = stocked.search(QUESTION, mode="lexical")
    settings.RERANK_MODEL = ""
    plain = stocked.search(QUESTION, mode="lexical")
    expected = scores_by_transformers(checkpoint, plain.hits)
    order = [hit.title for hit in reranked.hits]
    assert order == sorted(expected, key=lambda title: -expected[title])
    assert order != [hit.title for hit in plain.hits]
    for hit in reranked.hits:
        assert hit.scores["rerank"] == pytest.approx(expected[hit.title], abs=1e-3)
    assert [hit.score for hit in reranked.hits] == sorted(
        (hit.score for hit in plain.hits), reverse=True
    )
    (receipt,) = [json.loads(line) for line in process.receipts.read_text().splitlines()]
    with tenant_tx(stocked.tenant_id):
        event = UsageEvent.objects.get(kind="rerank")
    assert (event.model, event.in_miss) == ("tiny-rerank", receipt["in_miss"])
    assert event.status == "complete"
    assert receipt["kind"] == "rerank"


def test_a_model_the_server_lacks_leaves_the_order(stocked: Any, settings: Any) -> None:
    settings.RERANK_MODEL = ""
    plain = stocked.found(QUESTION, mode="lexical")
    settings.RERANK_MODEL = "another"
    result = stocked.search(QUESTION, mode="lexical")
    assert [hit.title for hit in result.hits] == plain
    assert result.notes == ["rerank_unavailable"]


def test_a_killed_server_leaves_the_order(stocked: Any, process: Any, settings: Any) -> None:
    """Last: it ends the process of the module."""
    settings.RERANK_MODEL = ""
    plain = stocked.found(QUESTION, mode="lexical")
    settings.RERANK_MODEL = "tiny-rerank"
    process.end()
    result = stocked.search(QUESTION, mode="lexical")
    assert [hit.title for hit in result.hits] == plain
    assert result.notes == ["rerank_unavailable"]
    assert all(hit.scores.get("rerank") is None for hit in result.hits)
