"""A real HTTP embedding server with deterministic vectors, for any test that wants one."""

import base64
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from furrow.gateway.connections import connections_close

DIMENSIONS = 64


def vector_of(text: str, model: str = "") -> np.ndarray:
    """A bag of words as a unit vector: texts that share words lie close to each other."""
    total = np.zeros(DIMENSIONS, np.float64)
    for word in text.lower().split() or [""]:
        seed = zlib.crc32(f"{model}:{word}".encode())
        total += np.random.default_rng(seed).standard_normal(DIMENSIONS)
    return (total / np.linalg.norm(total)).astype(np.float32)


@dataclass
class EmbeddingServer:
    """`answers` queues (status, headers) to give before serving again; `requests` is what came in."""

    url: str = ""
    models: set[str] | None = None
    format: str = "base64"
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)

    @property
    def embedded(self) -> list[str]:
        return [text for request in self.requests for text in request["body"]["input"]]

    async def handle(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append({"body": body, "headers": dict(request.headers)})
        if self.answers:
            status, headers = self.answers.pop(0)
            return JSONResponse({"error": {"code": "told_to"}}, status, headers)
        if self.models is not None and body["model"] not in self.models:
            return JSONResponse({"error": {"code": "unknown_model"}}, 404)
        rows = [vector_of(text, body["model"]) for text in body["input"]]
        data = [{"index": n, "embedding": self._encoded(row)} for n, row in enumerate(rows)]
        return JSONResponse({"object": "list", "data": data[::-1], "model": body["model"]})

    def _encoded(self, row: np.ndarray) -> Any:
        if self.format == "base64":
            return base64.b64encode(row.astype("<f4").tobytes()).decode()
        return row.tolist()


@pytest.fixture(scope="session")
def _embedding_process() -> Iterator[EmbeddingServer]:
    fake = EmbeddingServer()
    app = Starlette(routes=[Route("/v1/embeddings", fake.handle, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    fake.url = f"http://127.0.0.1:{port}/v1"
    yield fake
    server.should_exit = True
    thread.join(5)


@pytest.fixture
def embedding_server(
    _embedding_process: EmbeddingServer, settings: Any
) -> Iterator[EmbeddingServer]:
    """Up, empty and named in the settings; the gateway has forgotten earlier failures."""
    connections_close()
    fake = _embedding_process
    fake.models, fake.format = None, "base64"
    fake.answers.clear()
    fake.requests.clear()
    settings.EMBEDDINGS_URL = fake.url
    settings.EMBEDDINGS_MODEL = "fake-one"
    yield fake
    connections_close()


@pytest.fixture
def no_embedding_server(settings: Any) -> Iterator[None]:
    """Nothing listens on the discard port; refused at once."""
    settings.EMBEDDINGS_URL = "http://127.0.0.1:9/v1"
    settings.EMBEDDINGS_MODEL = "fake-one"
    yield
    connections_close()
