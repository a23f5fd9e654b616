"""One chat call over HTTP: sent at most once, read event by event, never waited for without end."""

import json
import math
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx

from furrow.core.errors import LimitReached, UpstreamFailed
from furrow.gateway.connections import Connection
from furrow.gateway.watchdog import Watchdog

MAX_LINE_BYTES = 1024 * 1024
MAX_ANSWER_BYTES = 32 * 1024 * 1024
RETRY_WAIT_S = 0.25
MAX_RETRY_WAIT_S = 10.0

Event = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Time limits in seconds. `silence_s` is for hearing nothing at all, not even a comment."""

    first_token_s: float
    total_s: float
    next_token_s: float
    silence_s: float | None = None
    connect_s: float = 3.0
    tries: int = 3

    def timeout(self) -> httpx.Timeout:
        read_s = min(self.silence_s or math.inf, self.first_token_s)
        return httpx.Timeout(10.0, connect=self.connect_s, read=read_s)


class ChatExchange:
    """A request and the events that answer it. `may_have_run` says whether a model may have worked on it,
    `is_done` that the server has said that nothing follows."""

    def __init__(self, connection: Connection, patience: Patience) -> None:
        self.may_have_run = False
        self.is_done = False
        self._connection = connection
        self._patience = patience
        self._started = time.monotonic()

    def events(
        self, body: Event, headers: Mapping[str, str]
    ) -> Generator[Event | None, None, None]:
        """The JSON of each event, None for a sign of life. Closing the iterator ends the call at the server.

        Raises `LimitReached` and `UpstreamFailed`; tried again is only what no model can have seen.
        """
        response = self._open(body, headers)
        deadline = self._deadline(self._started + self._patience.first_token_s)
        stream = response.extensions["network_stream"]
        with closing(response), Watchdog(stream.get_extra_info("socket"), deadline) as watchdog:
            try:
                yield from self._read(response, watchdog)
            except httpx.HTTPError as error:
                if self.is_done:
                    return
                self._connection.breaker.failed()
                if watchdog.has_fired or isinstance(error, httpx.TimeoutException):
                    raise overdue() from None
                raise cut() from None
            if watchdog.has_fired and not self.is_done:
                self._connection.breaker.failed()
                raise overdue()

    def _open(self, body: Event, headers: Mapping[str, str]) -> httpx.Response:
        attempt = 0
        while True:
            attempt += 1
            self._connection.breaker.before_call()
            refusal = self._send(body, headers)
            if isinstance(refusal, httpx.Response):
                return refusal
            wait_s = RETRY_WAIT_S * 2**attempt if refusal.wait_s is None else refusal.wait_s
            is_too_late = time.monotonic() + wait_s >= self._deadline(
                self._started + self._patience.first_token_s
            )
            if attempt >= self._patience.tries or wait_s > MAX_RETRY_WAIT_S or is_too_late:
                raise refusal.error
            time.sleep(wait_s)

    def _send(self, body: Event, headers: Mapping[str, str]) -> "httpx.Response | _Refusal":
        """The answer once its head is there, or why the same request may be sent again."""
        client, breaker = self._connection.client, self._connection.breaker
        request = client.build_request(
            "POST",
            "chat/completions",
            json=body,
            headers=headers,
            timeout=self._patience.timeout(),
        )
        try:
            response = client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            breaker.failed()
            return _Refusal(unreachable())
        except httpx.TimeoutException:
            self.may_have_run = True
            breaker.failed()
            raise overdue() from None
        except httpx.HTTPError:
            self.may_have_run = True
            breaker.failed()
            raise cut() from None
        if response.status_code == 200:
            self.may_have_run = True
            return response
        try:
            return self._refused(response)
        finally:
            response.close()

    def _refused(self, response: httpx.Response) -> "_Refusal":
        """Raises what asking again would not change."""
        status, breaker = response.status_code, self._connection.breaker
        # A server that refuses or is busy is alive.
        if status >= 500 and status != 503:
            breaker.failed()
        else:
            breaker.succeeded()
        error = status_error(status, error_code(_content(response)), retry_after(response.headers))
        if status == 503 or isinstance(error, LimitReached):
            return _Refusal(error, retry_after(response.headers))
        # Another 5xx may come after work was done.
        self.may_have_run = status >= 500
        raise error

    def _read(self, response: httpx.Response, watchdog: Watchdog) -> Iterator[Event | None]:
        deadline = self._deadline(self._started + self._patience.first_token_s)
        is_first = True
        for line in _lines(response):
            data = line.removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
            if data == b"[DONE]":
                self.is_done = True
                # Read to the end, which lets the connection serve the next call, but not for long.
                watchdog.move(time.monotonic() + 1.0)
            if self.is_done or not (data or line.startswith(b":")):
                continue
            event = _parsed(data) if data else None
            if event and is_first:
                self._connection.breaker.succeeded()
                is_first = False
            # What the caller does until it comes back is no fault of the server.
            watchdog.move(self._deadline(math.inf))
            yield event
            if event:
                deadline = self._deadline(time.monotonic() + self._patience.next_token_s)
            watchdog.move(deadline)

    def _deadline(self, wanted: float) -> float:
        return min(wanted, self._started + self._patience.total_s)


@dataclass(frozen=True, slots=True)
class _Refusal:
    error: UpstreamFailed | LimitReached
    wait_s: float | None = None


def _lines(response: httpx.Response) -> Iterator[bytes]:
    """Lines as the protocol means them. httpx's own also break at characters that JSON may hold, as U+2028."""
    if "json" in response.headers.get("content-type", ""):
        # A server that does not stream answers with one object: the same as a stream of one event.
        yield b"data:" + b" ".join(b"".join(_capped(response)).splitlines())
        return
    rest = b""
    for piece in _capped(response):
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise unusable()
        yield from (line.rstrip(b"\r") for line in lines)
    if rest:
        yield rest


def _capped(response: httpx.Response) -> Iterator[bytes]:
    total = 0
    for piece in response.iter_bytes():
        total += len(piece)
        if total > MAX_ANSWER_BYTES:
            raise unusable()
        yield piece


def _parsed(data: bytes) -> Event:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        raise unusable() from None
    if not isinstance(event, dict):
        raise unusable()
    return event


def _content(response: httpx.Response) -> bytes:
    try:
        return b"".join(_capped(response))
    except (httpx.HTTPError, UpstreamFailed):
        return b""


def error_code(content: bytes) -> str:
    """The `code` or `type` of an error object; its message may quote a prompt and is not read."""
    try:
        error = json.loads(content).get("error")
        return str(error.get("code") or error.get("type") or "")
    except (ValueError, AttributeError, RecursionError):
        return ""


def status_error(
    status: int, code: str, retry_after_s: float | None = None
) -> UpstreamFailed | LimitReached:
    """What a status, and the error code beside it, means for whoever asked."""
    wait: dict[str, Any] = {}
    if retry_after_s is not None:
        wait["retry_after_s"] = math.ceil(retry_after_s)
    if status == 429 and code != "insufficient_quota":
        return LimitReached("The model server has no room at the moment.", code="chat_busy", **wait)
    if status == 503:
        return UpstreamFailed(
            "The model server has no room at the moment.", code="chat_busy", **wait
        )
    if code in {"context_length_exceeded", "exceed_context_size_error"}:
        return UpstreamFailed(
            "The question and its context are too long for the model.",
            code="chat_too_long",
            permanent=True,
        )
    if status >= 500:
        return UpstreamFailed("The model server failed.", code="chat_failed")
    return UpstreamFailed(
        "The model server refused the request.",
        code="chat_refused",
        permanent=True,
        upstream_status=status,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def unreachable() -> UpstreamFailed:
    return UpstreamFailed("The model server cannot be reached.", code="chat_unavailable")


def overdue() -> UpstreamFailed:
    return UpstreamFailed("The model server took too long.", code="chat_timeout")


def cut() -> UpstreamFailed:
    return UpstreamFailed("The model server broke off its answer.", code="chat_cut")


def unusable() -> UpstreamFailed:
    return UpstreamFailed(
        "The model server gave an answer that cannot be used.", code="chat_unusable"
    )
