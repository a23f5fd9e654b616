"""The little HTTP that `/v1` needs, straight on ASGI: Django's request cycle costs more than the call it is for."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from furrow.api.openai.errors import bad_request, too_large

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Gone(Exception):
    """The client closed the connection; nobody reads an answer any more."""


@dataclass
class Request:
    """One call. `body` is read by `read`, with a cap that holds before anything is parsed."""

    scope: Scope
    receive: Receive
    send: Send
    request_id: str
    body: bytes = b""
    has_begun: bool = field(default=False, init=False)
    has_ended: bool = field(default=False, init=False)

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        return str(self.scope["path"])

    @cached_property
    def headers(self) -> dict[str, str]:
        """The first of each name, so that a repeated header cannot replace the one that was looked at."""
        found: dict[str, str] = {}
        for name, value in self.scope["headers"]:
            found.setdefault(name.decode("latin-1"), value.decode("latin-1"))
        return found

    async def read(self, *, most: int) -> None:
        """Reads the body. Raises `TooLarge` as soon as it is known to be above `most` bytes."""
        declared = self.headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > most:
            raise too_large(most)
        pieces: list[bytes] = []
        total, more = 0, True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Gone
            pieces.append(message.get("body", b""))
            total += len(pieces[-1])
            if total > most:
                raise too_large(most)
            more = message.get("more_body", False)
        self.body = b"".join(pieces)

    def json(self) -> dict[str, Any]:
        try:
            parsed = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise bad_request("The body is not JSON.") from None
        if not isinstance(parsed, dict):
            raise bad_request("The body must be a JSON object.")
        return parsed

    async def answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = orjson.dumps(body)
        extra = {"content-length": str(len(content)), **(headers or {})}
        await self._begin(status, b"application/json", extra)
        await self.end(content)

    async def stream(self, events: AsyncGenerator[Any, None]) -> None:
        """Sends each event as it comes; the first decides whether there is a stream at all, so that what fails
        before it is answered with its own status.
        """
        async with aclosing(events):
            async for event in events:
                if not self.has_begun:
                    # nginx would hold the events back until the answer is complete.
                    extra = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}
                    await self._begin(200, b"text/event-stream; charset=utf-8", extra)
                await self.send_event(event)
        await self.end(b"data: [DONE]\n\n")

    async def send_event(self, event: Any) -> None:
        """None is a comment, which keeps the connection open."""
        frame = b": keep-alive\n\n" if event is None else b"data: " + orjson.dumps(event) + b"\n\n"
        await self.send({"type": "http.response.body", "body": frame, "more_body": True})

    async def end(self, content: bytes = b"") -> None:
        self.has_ended = True
        await self.send({"type": "http.response.body", "body": content})

    async def _begin(self, status: int, content_type: bytes, extra: dict[str, str]) -> None:
        self.has_begun = True
        headers = [
            (b"content-type", content_type),
            (b"x-request-id", self.request_id.encode()),
            (b"x-content-type-options", b"nosniff"),
            *((name.encode(), value.encode("latin-1")) for name, value in extra.items()),
        ]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})


async def unless_gone(request: Request, work: Callable[[], Awaitable[None]]) -> None:
    """Runs `work`. When the client leaves before its answer is complete, cancels the work and waits until it
    has cleaned up; what the work does after the answer is nobody's to stop.
    """
    task = asyncio.ensure_future(work())
    gone = asyncio.ensure_future(_gone(request.receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done() and not request.has_ended:
            task.cancel()
        await task
    except asyncio.CancelledError:
        raise Gone from None
    finally:
        gone.cancel()
        task.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
