"""`chat_http` for event loops: the same promises without a thread for each call. Sent at most once, read event
by event, never waited for without end.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping

import httpx
import orjson

from furrow.core.errors import LimitReached, UpstreamFailed
from furrow.gateway.chat_http import (
    MAX_ANSWER_BYTES,
    MAX_LINE_BYTES,
    MAX_RETRY_WAIT_S,
    Event,
    Patience,
    cut,
    error_code,
    overdue,
    retry_after,
    status_error,
    unreachable,
    unusable,
)
from furrow.gateway.connections import AsyncConnection

MAX_ERROR_BYTES = 64 * 1024


class AsyncChatExchange:
    """A request and the events that answer it; see `ChatExchange`, whose words mean the same here."""

    def __init__(self, connection: AsyncConnection, patience: Patience) -> None:
        self.may_have_run = False
        self.is_done = False
        self._connection = connection
        self._patience = patience
        self._started = time.monotonic()
        self._deadline = self._started + min(patience.first_token_s, patience.total_s)

    async def events(
        self, body: Event, headers: Mapping[str, str]
    ) -> AsyncGenerator[Event | None, None]:
        """The JSON of each event, None for a sign of life. Closing it, or cancelling whoever waits for it, ends
        the call at the server.
        """
        response = await self._open(orjson.dumps(body), headers)
        try:
            async for event in self._read(response):
                yield event
        except TimeoutError:
            self._connection.breaker.failed()
            raise overdue() from None
        except httpx.HTTPError:
            if self.is_done:
                return
            self._connection.breaker.failed()
            raise cut() from None
        finally:
            await response.aclose()

    async def _open(self, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        attempt = 0
        while True:
            attempt += 1
            self._connection.breaker.before_call()
            refusal = await self._send(body, headers)
            if isinstance(refusal, httpx.Response):
                return refusal
            error, wait_s = refusal
            if wait_s is None:
                wait_s = 0.25 * 2**attempt
            is_too_late = time.monotonic() + wait_s >= self._deadline
            if attempt >= self._patience.tries or wait_s > MAX_RETRY_WAIT_S or is_too_late:
                raise error
            await asyncio.sleep(wait_s)

    async def _send(
        self, body: bytes, headers: Mapping[str, str]
    ) -> "httpx.Response | tuple[UpstreamFailed | LimitReached, float | None]":
        """The answer once its head is there, or why the same request may be sent again."""
        client, breaker = self._connection.client, self._connection.breaker
        try:
            request = client.build_request(
                "POST", "chat/completions", content=body, headers=headers
            )
            async with asyncio.timeout(self._head_limit_s()):
                response = await client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            breaker.failed()
            return unreachable(), None
        except (httpx.TimeoutException, TimeoutError):
            self.may_have_run = True
            breaker.failed()
            raise overdue() from None
        except httpx.HTTPError:
            self.may_have_run = True
            breaker.failed()
            raise cut() from None
        except asyncio.CancelledError:
            self.may_have_run = True
            raise
        if response.status_code == 200:
            self.may_have_run = True
            return response
        try:
            return await self._refused(response)
        finally:
            await response.aclose()

    async def _refused(
        self, response: httpx.Response
    ) -> tuple[UpstreamFailed | LimitReached, float | None]:
        """Raises what asking again would not change."""
        status, breaker = response.status_code, self._connection.breaker
        if status >= 500 and status != 503:
            breaker.failed()
        else:
            breaker.succeeded()
        content = b""
        try:
            async with asyncio.timeout(5):
                async for piece in response.aiter_raw():
                    content += piece
                    if len(content) > MAX_ERROR_BYTES:
                        break
        except (httpx.HTTPError, TimeoutError):
            content = b""
        wait_s = retry_after(response)
        error = status_error(status, error_code(content), wait_s)
        if status == 503 or isinstance(error, LimitReached):
            return error, wait_s
        self.may_have_run = status >= 500
        raise error

    async def _read(self, response: httpx.Response) -> AsyncGenerator[Event | None, None]:
        pieces, is_first = response.aiter_raw(), True
        async for line in self._lines(pieces, "json" in response.headers.get("content-type", "")):
            data = line[5:].strip() if line.startswith(b"data:") else b""
            if data == b"[DONE]":
                self.is_done = True
                await _drain(pieces)
                return
            if not data and not line.startswith(b":"):
                continue
            event = _parsed(data) if data else None
            if event and is_first:
                self._connection.breaker.succeeded()
                is_first = False
            yield event
            if event:
                # Counted from here: what the caller did with the event is no fault of the server.
                self._deadline = time.monotonic() + self._patience.next_token_s

    async def _lines(
        self, pieces: AsyncIterator[bytes], is_whole: bool
    ) -> AsyncGenerator[bytes, None]:
        """A server that does not stream answers with one object: the same as a stream of one event."""
        rest, total = b"", 0
        while (piece := await self._piece(pieces)) is not None:
            total += len(piece)
            rest += piece
            if not is_whole:
                *lines, rest = rest.split(b"\n")
                for line in lines:
                    yield line
            if total > MAX_ANSWER_BYTES or (len(rest) > MAX_LINE_BYTES and not is_whole):
                raise unusable()
        yield b"data:" + b" ".join(rest.splitlines()) if is_whole else rest

    async def _piece(self, pieces: AsyncIterator[bytes]) -> bytes | None:
        """The next of the body, None at its end."""
        try:
            async with asyncio.timeout(self._wait_s()):
                return await anext(pieces)
        except StopAsyncIteration:
            return None

    def _head_limit_s(self) -> float:
        silence_s = self._patience.silence_s or math.inf
        return max(min(silence_s, self._deadline - time.monotonic()), 0.05)

    def _wait_s(self) -> float:
        until = min(self._deadline, self._started + self._patience.total_s)
        return max(min(self._patience.silence_s or math.inf, until - time.monotonic()), 0.0)


async def _drain(pieces: AsyncIterator[bytes]) -> None:
    """Reads to the end, which lets the connection serve the next call, but not for long."""
    try:
        async with asyncio.timeout(1.0):
            async for _ in pieces:
                pass
    except (TimeoutError, httpx.HTTPError):
        return


def _parsed(data: bytes) -> Event:
    try:
        event = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise unusable() from None
    if not isinstance(event, dict):
        raise unusable()
    return event
