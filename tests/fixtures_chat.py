"""A real HTTP chat server that plays scripts: each dialect's answers, and the ways in which servers fail."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from furrow.gateway.connections import connections_close

CUT = "cut"


def chunk(**delta: Any) -> dict[str, Any]:
    finish = delta.pop("finish", None)
    return {"id": "x", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def answer(*texts: str, usage: Any = None, finish: str = "stop", **more: Any) -> list[Any]:
    """The events of a plain answer; `more` goes beside the usage."""
    return [
        chunk(role="assistant", content=""),
        *(chunk(content=text) for text in texts),
        chunk(finish=finish),
        {"id": "x", "choices": [], "usage": usage, **more},
        "[DONE]",
    ]


def openai_usage(prompt: int, completion: int, cached: Any = 0, reasoning: Any = 0) -> Any:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": None if cached is None else {"cached_tokens": cached},
        "completion_tokens_details": None if reasoning is None else {"reasoning_tokens": reasoning},
    }


@dataclass
class ChatServer:
    """`refusals` queues (status, headers, error) to give first. Then `events` are sent: an object as its JSON, a
    text or bytes as they are, a number as seconds of silence, `CUT` breaks the connection. With `whole` the one
    JSON is sent instead.
    """

    url: str = ""
    events: list[Any] = field(default_factory=list)
    # Events for the next calls, one list each; then `events` again.
    scripts: list[list[Any]] = field(default_factory=list)
    whole: Any = None
    head_delay_s: float = 0.0
    refusals: list[tuple[int, dict[str, str], Any]] = field(default_factory=list)
    receipts: Any = None
    # Whether an id may be worked for; None lets every one in.
    is_known: Any = None
    requests: list[dict[str, Any]] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [request["body"] for request in self.requests]

    async def handle(self, request: Request) -> Response:
        self.requests.append(
            {
                "body": await request.json(),
                "headers": dict(request.headers),
                "client_port": request.client.port if request.client else 0,
            }
        )
        if self.is_known is not None and not self.is_known(request.headers["x-request-id"]):
            return JSONResponse({"error": {"code": "unknown_request"}}, 403)
        if self.refusals:
            status, headers, error = self.refusals.pop(0)
            return JSONResponse({"error": error or {"message": "no"}}, status, headers)
        await asyncio.sleep(self.head_delay_s)
        if self.whole is not None:
            return JSONResponse(self.whole)
        events = self.scripts.pop(0) if self.scripts else self.events
        return StreamingResponse(self._play(events), media_type="text/event-stream")

    async def _play(self, events: list[Any]) -> AsyncIterator[bytes]:
        try:
            for event in events:
                if event == CUT:
                    # uvicorn then closes without the end of the body.
                    raise ConnectionAbortedError
                if isinstance(event, int | float):
                    await asyncio.sleep(event)
                elif isinstance(event, bytes):
                    yield event
                elif isinstance(event, str):
                    yield (
                        f"{event}\n\n".encode()
                        if event[0] == ":"
                        else f"data: {event}\n\n".encode()
                    )
                else:
                    yield b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"
        except (asyncio.CancelledError, GeneratorExit):
            self.gone.set()
            raise

    async def receipts_list(self, request: Request) -> Response:
        self.requests.append(
            {"query": dict(request.query_params), "headers": dict(request.headers)}
        )
        return JSONResponse(self.receipts)


@pytest.fixture(scope="session")
def _chat_process() -> Iterator[ChatServer]:
    fake = ChatServer()
    app = Starlette(
        routes=[
            Route("/v1/chat/completions", fake.handle, methods=["POST"]),
            Route("/receipts", fake.receipts_list),
        ]
    )
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    fake.url = f"http://127.0.0.1:{port}/v1"
    yield fake
    # Answers that still wait on purpose need not be waited for.
    server.should_exit = server.force_exit = True
    thread.join(5)


@pytest.fixture
def chat_server(_chat_process: ChatServer, settings: Any) -> Iterator[ChatServer]:
    """Up, named in the settings as our own server, with a plain answer; earlier failures are forgotten."""
    connections_close()
    fake = _chat_process
    fake.events = answer("Hello", " there", usage=openai_usage(10, 2, cached=4))
    fake.whole, fake.head_delay_s, fake.receipts, fake.is_known = None, 0.0, None, None
    fake.refusals.clear()
    fake.scripts.clear()
    fake.requests.clear()
    fake.gone.clear()
    settings.CHAT_URL = fake.url
    settings.CHAT_MODEL = "fake-chat"
    settings.CHAT_API_KEY = "chat-key"
    settings.CHAT_DIALECT = "own"
    yield fake
    connections_close()


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
