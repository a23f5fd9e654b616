"""Server-sent events that stop their work when the client leaves."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.types import Receive, Scope, Send

from inference.server.errors import ApiError

KEEP_ALIVE_S = 10.0
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    # Proxies such as nginx would otherwise collect the stream.
    (b"x-accel-buffering", b"no"),
]


class EventStream:
    """An ASGI response of one `data:` line an event, comments while there is none, and `[DONE]`.

    `on_close` runs in every case, also when the client has gone. An ApiError raised by the
    events becomes an error event, because the status has already been sent.
    """

    def __init__(
        self,
        events: AsyncIterator[dict[str, Any]],
        on_close: Callable[[], None],
        *,
        keep_alive_s: float = KEEP_ALIVE_S,
    ) -> None:
        self._events = events
        self._on_close = on_close
        self._keep_alive_s = keep_alive_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        writing = asyncio.ensure_future(self._write(send))
        leaving = asyncio.ensure_future(disconnected(receive))
        try:
            await asyncio.wait({writing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                writing.result()
        finally:
            self._on_close()
            for task in (writing, leaving):
                task.cancel()
            await asyncio.gather(writing, leaving, return_exceptions=True)

    async def _write(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        try:
            async for event in self._with_pauses():
                text = ": keep-alive\n\n" if event is None else f"data: {_json(event)}\n\n"
                await _body(send, text)
            await _body(send, "data: [DONE]\n\n")
        except ApiError as error:
            await _body(send, f"data: {_json(error.body())}\n\n")
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _with_pauses(self) -> AsyncIterator[dict[str, Any] | None]:
        """The events, with None wherever none has come for a while."""
        coming: asyncio.Future[dict[str, Any] | None] | None = None
        try:
            while True:
                coming = coming or asyncio.ensure_future(anext(self._events, None))
                done, _ = await asyncio.wait({coming}, timeout=self._keep_alive_s)
                if not done:
                    yield None
                    continue
                event, coming = coming.result(), None
                if event is None:
                    return
                yield event
        finally:
            if coming is not None:
                coming.cancel()


async def disconnected(receive: Receive) -> None:
    """Returns when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


def _json(event: dict[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
