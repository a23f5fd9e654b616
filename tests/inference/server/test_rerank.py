"""Reranking: the route with a fake, the scores with a tiny cross-encoder."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from inference.pooling.folder import UnsupportedModel, model_open
from inference.pooling.reranker import reranker_load
from tests.inference.conftest import FakeEncoder
from tests.inference.server.tiny_checkpoint import checkpoint_save, reranker_save


class FakeReranker(FakeEncoder):
    """The score of a pair is its last token id, as a share of 100."""

    def vectors(self, batch: Sequence[list[int]]) -> list[np.ndarray]:
        return [np.array([pair[-1] / 100], dtype=np.float32) for pair in batch]


@pytest.fixture
def ranked(start_chat):
    server = start_chat(reranker=FakeReranker())

    def ask(**fields: object):
        body = {"model": "ranker", "query": "w2", "documents": ["w5", "w9 w8", {"text": "w7"}]}
        return server.client.post("/v1/rerank", json=body | fields)

    ask.server = server
    return ask


def test_documents_come_best_first(ranked) -> None:
    answer = ranked(return_documents=True, top_n=2).json()
    assert [(r["index"], r["document"]["text"]) for r in answer["results"]] == [
        (1, "w9 w8"),
        (2, "w7"),
    ]
    assert answer["results"][0]["relevance_score"] == pytest.approx(0.08)
    assert answer["usage"] == {"prompt_tokens": 7, "total_tokens": 7}
    (receipt,) = ranked.server.receipts()
    assert (receipt["kind"], receipt["model"], receipt["in_miss"]) == ("rerank", "ranker", 7)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"documents": []}, "documents"),
        ({"documents": [3]}, "documents"),
        ({"documents": ["x"] * 257}, "documents"),
        ({"query": ""}, "query"),
        ({"top_n": 0}, "top_n"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_wrong_field_is_named(ranked, fields, param) -> None:
    answer = ranked(**fields)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_scores_are_those_of_transformers(tmp_path: Path) -> None:
    folder = reranker_save(tmp_path / "tiny")
    reranker = reranker_load(model_open(folder), device="cpu", dtype="float32")
    pairs = [("w5 w6", "w7"), ("w5", "w8 w9 w10 w11"), ("w20", "w21 w22")]
    got = np.array(reranker.vectors(reranker.tokenizer.pairs(pairs).ids))[:, 0]
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    inputs = transformers.AutoTokenizer.from_pretrained(folder)(
        pairs, padding=True, return_tensors="pt"
    )
    types = inputs.pop("token_type_ids", None)
    if types is None:
        separator = inputs["input_ids"] == 3
        types = ((separator.cumsum(1) - separator.long()) > 0) * inputs["attention_mask"]
    with torch.inference_mode():
        wanted = torch.sigmoid(model(**inputs, token_type_ids=types).logits[:, 0]).numpy()
    assert np.allclose(got, wanted, atol=1e-5)
    assert len(set(got.round(4))) == 3


def test_a_text_model_is_refused_as_reranker(tmp_path: Path) -> None:
    folder = checkpoint_save(tmp_path / "chat")
    with pytest.raises(UnsupportedModel, match="no cross-encoder"):
        reranker_load(model_open(folder), device="cpu", dtype="float32")
