"""Our vectors against those of the transformers library, computed one text at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from inference.pooling import bert
from inference.pooling.encoder import Encoder, encoder_load
from inference.pooling.folder import model_locate, model_open

TEXTS = [
    "Where is my parcel?",
    "收货后发现三个以上坏果怎么赔?",
    "The landlord shall return the deposit within thirty days, " * 3,
    "HN-2025/A3",
    "Ärger über naïve café prices — 12,50 €",
    "a",
    "果园直发 same-day shipping 🍎 " * 60,
]


@pytest.fixture(scope="module")
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
    torch.set_grad_enabled(True)


@pytest.fixture(scope="module")
def minilm(threads: None) -> Encoder:
    folder = model_locate("all-MiniLM-L6-v2")
    return encoder_load(folder, device="cpu", dtype="float32", threads=1)


def cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


@pytest.mark.slow
def test_minilm_is_the_transformers_model(minilm: Encoder) -> None:
    path = minilm.folder.path
    tokenizer = transformers.AutoTokenizer.from_pretrained(path, local_files_only=True)
    model = transformers.AutoModel.from_pretrained(path, local_files_only=True).eval()
    tokens = minilm.tokenizer.texts(TEXTS)
    assert tokens.truncated == 1
    ours = minilm.vectors(tokens.ids)
    for text, ids, row in zip(TEXTS, tokens.ids, ours, strict=True):
        inputs = tokenizer(text, return_tensors="pt", truncation=True, max_length=256)
        assert inputs["input_ids"][0].tolist() == ids
        with torch.inference_mode():
            reference = model(**inputs).last_hidden_state[0].mean(dim=0).numpy()
        assert cosine(row, reference) >= 0.9999
        assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_a_text_has_the_same_vector_in_any_company(minilm: Encoder) -> None:
    ids = minilm.tokenizer.texts(TEXTS).ids
    together = minilm.vectors(ids)
    alone = [minilm.vectors([one])[0] for one in ids]
    backwards = minilm.vectors(ids[::-1])[::-1]
    for a, b, c in zip(together, alone, backwards, strict=True):
        assert np.allclose(a, b, atol=1e-5)
        assert np.allclose(a, c, atol=1e-5)


def save(model: "transformers.PreTrainedModel", folder: Path, pooling: str = "") -> Path:
    model.save_pretrained(folder)
    words = {"[PAD]": 0, "[UNK]": 1} | {f"w{n}": n for n in range(2, 100)}
    tokenizer = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        '{"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"}'
    )
    if pooling:
        (folder / "modules.json").write_text('[{"type": "x.Pooling", "path": "pool"}]')
        (folder / "pool").mkdir()
        (folder / "pool" / "config.json").write_text(f'{{"pooling_mode": "{pooling}"}}')
    return folder


def tiny(kind: str) -> "transformers.PreTrainedModel":
    torch.manual_seed(3)
    shape = {"vocab_size": 100, "max_position_embeddings": 40, "initializer_range": 0.5}
    bert_shape = shape | {
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    if kind == "bert":
        return transformers.BertModel(
            transformers.BertConfig(**bert_shape), add_pooling_layer=False
        ).eval()
    if kind == "bert-relu":
        return transformers.BertModel(
            transformers.BertConfig(**bert_shape, hidden_act="relu")
        ).eval()
    if kind == "roberta":
        return transformers.XLMRobertaModel(
            transformers.XLMRobertaConfig(**bert_shape, pad_token_id=1)
        ).eval()
    return transformers.DistilBertModel(
        transformers.DistilBertConfig(**shape, dim=16, n_layers=2, n_heads=2, hidden_dim=32)
    ).eval()


@pytest.mark.parametrize(
    ("kind", "is_ours"),
    [("bert", True), ("roberta", True), ("bert-relu", False), ("distilbert", False)],
)
def test_other_families_agree_with_transformers(
    kind: str, is_ours: bool, tmp_path: Path, threads: None
) -> None:
    reference = tiny(kind)
    folder = model_open(save(reference, tmp_path))
    encoder = encoder_load(folder, device="cpu", dtype="float32", threads=1)
    assert isinstance(encoder.network, bert.BertEncoder) is is_ours
    batch = [[5, 6, 7], [8], [9] * 30]
    for ids, row in zip(batch, encoder.vectors(batch), strict=True):
        with torch.inference_mode():
            states = reference(input_ids=torch.tensor([ids])).last_hidden_state[0]
        assert cosine(row, states.mean(dim=0).numpy()) >= 0.9999


@pytest.mark.parametrize(("pooling", "index"), [("cls", 0), ("lasttoken", -1)])
def test_first_and_last_token_pooling(
    pooling: str, index: int, tmp_path: Path, threads: None
) -> None:
    reference = tiny("bert")
    folder = model_open(save(reference, tmp_path, pooling))
    encoder = encoder_load(folder, device="cpu", dtype="float32", threads=1)
    batch = [[5, 6, 7], [9] * 30]
    for ids, row in zip(batch, encoder.vectors(batch), strict=True):
        with torch.inference_mode():
            states = reference(input_ids=torch.tensor([ids])).last_hidden_state[0]
        assert np.allclose(row, states[index].numpy(), atol=1e-4)
