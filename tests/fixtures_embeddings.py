"""A real HTTP embedding server with deterministic vectors, for any test that wants one."""

import asyncio
import base64
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
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
    """`answers` queues (status, headers) to give before serving again; `requests` is what came in. Like the
    real server it keeps a receipt of each request it worked on; `is_counting` says whether answers carry the
    usage too, `losses` how many answers get lost after the work was done.
    """

    url: str = ""
    models: set[str] | None = None
    format: str = "base64"
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    receipts: list[dict[str, Any]] = field(default_factory=list)
    is_counting: bool = True
    losses: int = 0
    boot_id: str = "boot-1"
    # Called with the request id before work is done, from the server's thread.
    on_request: Any = None

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
        if self.on_request is not None:
            await asyncio.to_thread(self.on_request, request.headers["x-request-id"])
        rows = [vector_of(text, body["model"]) for text in body["input"]]
        data = [{"index": n, "embedding": self._encoded(row)} for n, row in enumerate(rows)]
        tokens = sum(len(text.split()) + 2 for text in body["input"])
        self.receipt_add(request.headers["x-request-id"], in_miss=tokens)
        if self.losses:
            self.losses -= 1
            return JSONResponse({"error": {"code": "lost"}}, 500)
        answer = {"object": "list", "data": data[::-1], "model": body["model"]}
        if self.is_counting:
            answer["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
        return JSONResponse(answer)

    def receipt_add(self, request_id: str, finish_reason: str = "stop", **counts: int) -> None:
        now = datetime.now(UTC).isoformat()
        buckets = dict.fromkeys(("in_hit", "in_miss", "out", "reasoning"), 0) | counts
        self.receipts.append(
            {
                "boot_id": self.boot_id,
                "seq": len(self.receipts) + 1,
                "request_id": request_id,
                "kind": "embedding",
                **buckets,
                "busy_us": 100,
                "finish_reason": finish_reason,
                "started_at": now,
                "finished_at": now,
            }
        )

    async def receipts_list(self, request: Request) -> Response:
        after, limit = (int(request.query_params[name]) for name in ("after", "limit"))
        found = [row for row in self.receipts if row["seq"] > after][:limit]
        last_seq = self.receipts[-1]["seq"] if self.receipts else 0
        return JSONResponse(
            {
                "boot_id": self.boot_id,
                "last_seq": last_seq,
                "receipts": found,
                "next_after": found[-1]["seq"] if found else after,
                "has_more": bool(found) and found[-1]["seq"] < last_seq,
            }
        )

    async def metrics(self, request: Request) -> Response:
        own = [row for row in self.receipts if row["boot_id"] == self.boot_id]
        lines = [
            f'inference_tokens_total{{kind="{kind}"}} {sum(row[kind] for row in own)}.0'
            for kind in ("in_hit", "in_miss", "out", "reasoning")
        ]
        return Response("\n".join(lines), media_type="text/plain")

    def _encoded(self, row: np.ndarray) -> Any:
        if self.format == "base64":
            return base64.b64encode(row.astype("<f4").tobytes()).decode()
        return row.tolist()


@pytest.fixture(scope="session")
def _embedding_process() -> Iterator[EmbeddingServer]:
    fake = EmbeddingServer()
    app = Starlette(
        routes=[
            Route("/v1/embeddings", fake.handle, methods=["POST"]),
            Route("/receipts", fake.receipts_list),
            Route("/metrics", fake.metrics),
        ]
    )
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
    fake.is_counting, fake.losses, fake.boot_id, fake.on_request = True, 0, "boot-1", None
    for kept in (fake.answers, fake.requests, fake.receipts):
        kept.clear()
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
