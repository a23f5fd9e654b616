"""HTTP/1.1 to a server named in the settings, for event loops that hold many streams: `internal_client` for where
a general client's work for each piece of an answer would cost more than all the rest. Never for an address from
a request.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httptools
import httpx

# Servers close a connection that rests for five seconds or more; one that is about to be closed is not used.
REST_S = 4.0
MOST_RESTING = 200
CONNECT_S = 3.0
# What may wait for a slow reader before the sender is made to wait too.
MOST_WAITING_BYTES = 1024 * 1024


class Unreachable(OSError):
    """No connection: the server has not seen the request."""


class BrokenOff(OSError):
    """The connection ended before the answer did."""


class Server:
    """Kept connections to one server."""

    def __init__(self, url: str, *, api_key: str = "") -> None:
        parts = urlsplit(url)
        self._host, self._path = parts.hostname or "", parts.path.rstrip("/")
        self._tls: ssl.SSLContext | None = None
        if parts.scheme == "https":
            self._tls = httpx.create_ssl_context()
        self._port = parts.port or (443 if self._tls else 80)
        lines = [f"Host: {parts.netloc.rpartition('@')[2]}", "Content-Type: application/json"]
        lines += ["Accept-Encoding: identity", "User-Agent: Furrow/0.1"]
        if api_key:
            lines.append(f"Authorization: Bearer {api_key}")
        self._lines = lines
        self._resting: list[tuple[float, _Connection]] = []

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> "Answer":
        """The answer once its head is there. Raises `Unreachable` or `BrokenOff`; sent once."""
        lines = [f"POST {self._path}/{path} HTTP/1.1", *self._lines]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(lines)
        if any(mark in value for value in headers.values() for mark in "\r\n"):
            raise ValueError("a header holds a line break")
        connection = self._rested() or await self._connect()
        answer = Answer(self, connection)
        try:
            connection.begin(answer, head.encode("latin-1") + b"\r\n\r\n" + body)
            await answer.head()
        except BaseException:
            answer.close()
            raise
        return answer

    def _rested(self) -> "_Connection | None":
        youngest_used = time.monotonic() - REST_S
        while self._resting:
            since, connection = self._resting.pop()
            if connection.is_open and since >= youngest_used:
                return connection
            connection.close()
        return None

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                _, connection = await loop.create_connection(
                    _Connection, self._host, self._port, ssl=self._tls
                )
        except (OSError, TimeoutError) as error:
            raise Unreachable(type(error).__name__) from None
        return connection

    def rest(self, connection: "_Connection") -> None:
        if len(self._resting) < MOST_RESTING:
            self._resting.append((time.monotonic(), connection))
        else:
            connection.close()

    async def aclose(self) -> None:
        for _, connection in self._resting:
            connection.close()
        self._resting.clear()
        # A transport is closed by the loop's next round.
        await asyncio.sleep(0)


class Answer:
    """One answer, read piece by piece. Closing it before its end closes the connection, which is how the server
    learns that nobody wants the rest.
    """

    def __init__(self, server: Server, connection: "_Connection") -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.is_complete = False
        self._server, self._connection = server, connection
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_closed = False

    async def head(self) -> None:
        while not self.status:
            await self._news()

    async def read(self) -> bytes:
        """What has come since the last time; empty at the end."""
        while not self._pieces and not self.is_complete:
            await self._news()
        content = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        if self._waiting > MOST_WAITING_BYTES:
            self._connection.resume()
        self._waiting = 0
        return content

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self.is_complete and self._connection.can_rest:
            self._connection.finish()
            self._server.rest(self._connection)
        else:
            self._connection.close()

    async def _news(self) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    # Called by the connection.

    def begun(self, status: int, headers: dict[str, str]) -> None:
        self.status, self.headers = status, headers
        self._wake()

    def came(self, content: bytes) -> None:
        self._pieces.append(content)
        self._waiting += len(content)
        if self._waiting > MOST_WAITING_BYTES:
            self._connection.pause()
        self._wake()

    def ended(self) -> None:
        self.is_complete = True
        self._wake()

    def failed(self) -> None:
        if not self.is_complete:
            self._error = BrokenOff("the connection ended")
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _Connection(asyncio.Protocol):
    """A connection that carries one answer after another; the parser calls the methods named `on_`."""

    def __init__(self) -> None:
        self.is_open = False
        self.can_rest = False
        self._transport: Any = None
        self._answer: Answer | None = None
        self._parser: Any = None
        self._headers: dict[str, str] = {}

    def begin(self, answer: Answer, request: bytes) -> None:
        self._answer, self.can_rest, self._headers = answer, False, {}
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(request)

    def finish(self) -> None:
        self._answer = None

    def close(self) -> None:
        self.is_open = False
        self._answer = None
        if self._transport is not None:
            # At once: what is not yet sent or read is of no use to anybody.
            self._transport.abort()

    def pause(self) -> None:
        self._transport.pause_reading()

    def resume(self) -> None:
        self._transport.resume_reading()

    def connection_made(self, transport: Any) -> None:
        self._transport, self.is_open = transport, True

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            # Nothing was asked: whatever this is, the connection is not in step.
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._answer is not None:
            self._answer.failed()

    def _fail(self) -> None:
        answer = self._answer
        self.close()
        if answer is not None:
            answer.failed()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._answer is not None:
            self._answer.begun(self._parser.get_status_code(), self._headers)

    def on_body(self, body: bytes) -> None:
        if self._answer is not None:
            self._answer.came(body)

    def on_message_complete(self) -> None:
        self.can_rest = self.is_open and self._parser.should_keep_alive()
        if self._answer is not None:
            self._answer.ended()
