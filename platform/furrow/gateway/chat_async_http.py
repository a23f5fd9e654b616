"""`chat_http` for event loops: the same promises without a thread for each call. Sent at most once, read event
by event, never waited for without end.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Mapping

import orjson

from furrow.core.errors import LimitReached, UpstreamFailed
from furrow.core.wire import Answer, BrokenOff, Unreachable
from furrow.gateway.chat_http import (
    MAX_ANSWER_BYTES,
    MAX_LINE_BYTES,
    MAX_RETRY_WAIT_S,
    RETRY_WAIT_S,
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
_Refusal = tuple[UpstreamFailed | LimitReached, float | None]


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
        answer = await self._open(orjson.dumps(body), headers)
        is_first = True
        try:
            async for line in self._lines(answer):
                data = line[5:].strip() if line.startswith(b"data:") else b""
                if data == b"[DONE]":
                    self.is_done = True
                    await _drain(answer)
                    return
                if not data and not line.startswith(b":"):
                    continue
                event = _parsed(data) if data else None
                if event and is_first:
                    self._connection.breaker.succeeded()
                    is_first = False
                yield event
                if event:
                    # From here: what the caller did with the event is no fault of the server.
                    self._deadline = time.monotonic() + self._patience.next_token_s
        except TimeoutError:
            self._connection.breaker.failed()
            raise overdue() from None
        except BrokenOff:
            self._connection.breaker.failed()
            raise cut() from None
        finally:
            answer.close()

    async def _open(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        attempt = 0
        while True:
            attempt += 1
            self._connection.breaker.before_call()
            refusal = await self._send(body, headers)
            if isinstance(refusal, Answer):
                return refusal
            error, wait_s = refusal
            if wait_s is None:
                wait_s = RETRY_WAIT_S * 2**attempt
            is_too_late = time.monotonic() + wait_s >= self._deadline
            if attempt >= self._patience.tries or wait_s > MAX_RETRY_WAIT_S or is_too_late:
                raise error
            await asyncio.sleep(wait_s)

    async def _send(self, body: bytes, headers: Mapping[str, str]) -> Answer | _Refusal:
        """The answer once its head is there, or why the same request may be sent again."""
        breaker = self._connection.breaker
        self.may_have_run = True
        try:
            async with asyncio.timeout(max(self._wait_s(), 0.05)):
                answer = await self._connection.server.post("chat/completions", body, headers)
        except Unreachable:
            self.may_have_run = False
            breaker.failed()
            return unreachable(), None
        except TimeoutError:
            breaker.failed()
            raise overdue() from None
        except BrokenOff:
            breaker.failed()
            raise cut() from None
        if answer.status == 200:
            return answer
        self.may_have_run = False
        try:
            return await self._refused(answer)
        finally:
            answer.close()

    async def _refused(self, answer: Answer) -> _Refusal:
        """Raises what asking again would not change."""
        status, breaker = answer.status, self._connection.breaker
        # A server that refuses or is busy is alive.
        if status >= 500 and status != 503:
            breaker.failed()
        else:
            breaker.succeeded()
        wait_s = retry_after(answer.headers)
        error = status_error(status, error_code(await _error_content(answer)), wait_s)
        if status == 503 or isinstance(error, LimitReached):
            return error, wait_s
        # Another 5xx may come after work was done.
        self.may_have_run = status >= 500
        raise error

    async def _lines(self, answer: Answer) -> AsyncGenerator[bytes, None]:
        """A server that does not stream answers with one object: the same as a stream of one event."""
        is_whole = "json" in answer.headers.get("content-type", "")
        rest, total = b"", 0
        while piece := await self._piece(answer):
            total += len(piece)
            rest += piece
            if not is_whole:
                *lines, rest = rest.split(b"\n")
                for line in lines:
                    yield line
            if total > MAX_ANSWER_BYTES or (len(rest) > MAX_LINE_BYTES and not is_whole):
                raise unusable()
        yield b"data:" + b" ".join(rest.splitlines()) if is_whole else rest

    async def _piece(self, answer: Answer) -> bytes:
        async with asyncio.timeout(self._wait_s()):
            return await answer.read()

    def _wait_s(self) -> float:
        until = min(self._deadline, self._started + self._patience.total_s)
        return max(min(self._patience.silence_s or math.inf, until - time.monotonic()), 0.0)


async def _drain(answer: Answer) -> None:
    """Reads to the end, which lets the connection serve the next call, but not for long."""
    if answer.is_complete:
        return
    try:
        async with asyncio.timeout(1.0):
            while await answer.read():
                pass
    except (TimeoutError, BrokenOff):
        return


async def _error_content(answer: Answer) -> bytes:
    content = b""
    try:
        async with asyncio.timeout(5):
            while (piece := await answer.read()) and len(content) < MAX_ERROR_BYTES:
                content += piece
    except (TimeoutError, BrokenOff):
        return b""
    return content


def _parsed(data: bytes) -> Event:
    try:
        event = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise unusable() from None
    if not isinstance(event, dict):
        raise unusable()
    return event
