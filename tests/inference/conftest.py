import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from inference.config import Limits, ServeConfig
from inference.pooling.folder import ModelFolder
from inference.pooling.tokens import TextTokenizer
from inference.server.app import app_create
from inference.server.receipts import ReceiptLog
from inference.server.service import LoadedModels, ModelService

WIDTH = 8


def word_tokenizer() -> Tokenizer:
    """One token per word; words outside the vocabulary share id 1."""
    words = {"[PAD]": 0, "[UNK]": 1} | {f"w{n}": n for n in range(2, 100)}
    tokenizer = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    return tokenizer


class FakeEncoder:
    """Vectors that depend on the ids alone; `gate` holds back every batch until it is set."""

    def __init__(self, max_length: int = 16) -> None:
        self.folder = ModelFolder(
            path=Path("fake"),
            config={},
            weight_files=(),
            pooling="mean",
            normalize=True,
            max_length=max_length,
            lower_case=False,
            dimensions=(4, WIDTH),
        )
        self.tokenizer = TextTokenizer(word_tokenizer(), max_length=max_length, lower_case=False)
        self.gate = threading.Event()
        self.gate.set()
        self.started = threading.Semaphore(0)
        self.batches: list[list[list[int]]] = []
        self.fails_on: int | None = None

    def vectors(self, batch: Sequence[list[int]]) -> list[NDArray[np.float32]]:
        self.batches.append(list(batch))
        self.started.release()
        assert self.gate.wait(timeout=10)
        if self.fails_on is not None and any(self.fails_on in ids for ids in batch):
            raise RuntimeError("the network broke")
        return [fake_vector(ids) for ids in batch]


def fake_vector(ids: list[int]) -> NDArray[np.float32]:
    seed = int.from_bytes(hashlib.sha256(repr(ids).encode()).digest()[:4], "big")
    row = np.random.default_rng(seed).normal(size=WIDTH).astype(np.float32)
    return (row / np.linalg.norm(row)).astype(np.float32)


class Server:
    """A running service with a fake encoder and a client that speaks HTTP to it."""

    def __init__(self, service: ModelService, client: TestClient, encoder: FakeEncoder) -> None:
        self.service = service
        self.client = client
        self.encoder = encoder

    def embed(self, value: object, **fields: object) -> dict[str, object]:
        body = {"model": "fake", "input": value} | fields
        answer = self.client.post("/v1/embeddings", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def metric(self, name: str, **labels: str) -> float:
        value = self.service.metrics.registry.get_sample_value(f"furrow_inference_{name}", labels)
        return value or 0.0


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def start(tmp_path: Path, encoder: FakeEncoder) -> Iterator[Callable[..., Server]]:
    """Start a server: `start(limits=..., keys=..., is_loaded=...)`."""
    ends = ExitStack()

    def run(
        limits: Limits | None = None, keys: tuple[bytes, ...] = (), *, is_loaded: bool = True
    ) -> Server:
        config = ServeConfig(served_name="fake", limits=limits or Limits())
        receipts = ReceiptLog(tmp_path / "receipts.jsonl")
        loads = threading.Event()

        def load() -> LoadedModels:
            assert loads.wait(timeout=10)
            return LoadedModels(embedder=encoder)

        service = ModelService(config, receipts, load)
        ends.callback(receipts.close)
        ends.callback(service.stop, 5)
        ends.callback(loads.set)
        ends.callback(encoder.gate.set)
        client = ends.enter_context(
            TestClient(app_create(service, keys), raise_server_exceptions=False)
        )
        service.start()
        if is_loaded:
            loads.set()
            while not service.is_ready:
                threading.Event().wait(0.001)
        return Server(service, client, encoder)

    with ends:
        yield run


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    return start()
