"""How an answer reaches its readers: one Redis stream a turn, followed by any number of them.

The worker writes events and never waits for a reader; readers come, go and resume by event id. The stream is
a convenience, the turn's row the truth: a reader whose stream was lost or has expired gets the row's answer.
Events: `status {stage}`, `reset {}` (forget the text so far), `delta {text}`, `answer {payload}`,
`error {code, message}`, `done {}`.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis
import redis.asyncio
from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest, StreamingHttpResponse

from furrow.assistants.phrases import phrase
from furrow.conversations.models import Turn
from furrow.conversations.selectors import turn_error, turn_get, turn_payload
from furrow.core.context import release_connection, tenant_tx
from furrow.core.errors import NotFound
from furrow.core.keys import tenant_key
from furrow.core.logs import get_logger
from furrow.core.redis import async_redis, sync_redis

log = get_logger(__name__)

MAX_EVENTS = 2000
LIFETIME_S = 3600
KEEP_ALIVE_S = 15.0
# How often a silent stream is compared with the row, in case Redis lost it.
CHECK_S = 3.0
POLL_S = 1.0
FINAL = frozenset({"done", "error"})
KEEP_ALIVE = b": keep-alive\n\n"
_FINISHED = frozenset({Turn.Status.DONE, Turn.Status.FAILED})
_EVENT_ID = re.compile(r"\d{1,20}-\d{1,20}")


@dataclass(frozen=True)
class Event:
    """`attempt` tells which run of the job wrote it; a run that was taken over may still be writing."""

    id: str
    name: str
    data: str
    attempt: int

    @classmethod
    def of_entry(cls, entry_id: bytes, fields: dict[bytes, bytes]) -> "Event":
        return cls(
            entry_id.decode(),
            fields[b"event"].decode(),
            fields[b"data"].decode(),
            int(fields[b"attempt"]),
        )

    def frame(self) -> bytes:
        return f"id: {self.id}\nevent: {self.name}\ndata: {self.data}\n\n".encode()


def stream_key(tenant_id: UUID, turn_id: UUID) -> str:
    return tenant_key(tenant_id, "turn", turn_id)


def publish(
    tenant_id: UUID, turn_id: UUID, event: str, data: dict[str, Any], *, attempt: int = 1
) -> None:
    """Adds one event. A Redis that is away costs the live view, never the answer: readers find it in the row."""
    _add(tenant_id, turn_id, [(event, data)], attempt)


def publish_end(turn: Turn, *, attempt: int = 1) -> None:
    """The last events of a finished turn, at one moment: who saw half of them would find the whole in the row and
    be told the answer twice.
    """
    _add(turn.tenant_id, turn.id, _end_of(turn), attempt)


def _add(
    tenant_id: UUID, turn_id: UUID, events: list[tuple[str, dict[str, Any]]], attempt: int
) -> None:
    key = stream_key(tenant_id, turn_id)
    try:
        with sync_redis().pipeline(transaction=len(events) > 1) as pipe:
            for event, data in events:
                text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
                fields: dict[Any, Any] = {"event": event, "data": text, "attempt": attempt}
                pipe.xadd(key, fields, maxlen=MAX_EVENTS, approximate=True)
            pipe.expire(key, LIFETIME_S)
            pipe.execute()
    except redis.RedisError as error:
        log.warning("stream_write_failed", turn=str(turn_id), error=type(error).__name__)


def _end_of(turn: Turn) -> list[tuple[str, dict[str, Any]]]:
    if turn.status == Turn.Status.FAILED:
        return [("error", turn_error(turn))]
    return [("answer", turn_payload(turn)), ("done", {})]


def wait_for_turn(turn: Turn, timeout_s: float = 30.0) -> dict[str, Any]:
    """The payload once the turn is finished, or the one of its present status when time runs out. Call it with
    the tenant known but outside `tenant_tx`: the wait must hold no transaction.
    """
    deadline = time.monotonic() + timeout_s
    waiting = _Wait(turn)
    while True:
        with tenant_tx(turn.tenant_id):
            row = turn_get(turn.id)
        left = deadline - time.monotonic()
        if row.status in _FINISHED or left <= 0:
            return turn_payload(row)
        waiting.until_final(min(CHECK_S, left))


class _Wait:
    """Sleeps on the stream until its final event, so that waiting costs no queries."""

    def __init__(self, turn: Turn) -> None:
        self._key = stream_key(turn.tenant_id, turn.id)
        self._last: bytes | str = "0"

    def until_final(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        try:
            while (left := end - time.monotonic()) > 0:
                found: Any = sync_redis().xread(
                    {self._key: self._last}, block=max(1, int(left * 1000))
                )
                for entry_id, fields in found[0][1] if found else []:
                    self._last = entry_id
                    if fields[b"event"].decode() in FINAL:
                        return
        except redis.RedisError:
            time.sleep(max(0.0, min(POLL_S, end - time.monotonic())))


def sse_response(request: HttpRequest, tenant_id: UUID, turn_id: UUID) -> StreamingHttpResponse:
    """The turn as server-sent events, resumed after the request's `Last-Event-ID`. The caller has checked that
    the turn may be read.
    """
    release_connection()
    last_id = request.headers.get("Last-Event-ID", "") or request.GET.get("last_event_id", "")
    response = StreamingHttpResponse(
        follow(tenant_id, turn_id, last_id), content_type="text/event-stream"
    )
    response.headers["Cache-Control"] = "no-cache, no-transform"
    # nginx would hold the events back until the answer is complete.
    response.headers["X-Accel-Buffering"] = "no"
    return response


async def follow(tenant_id: UUID, turn_id: UUID, last_event_id: str = "") -> AsyncIterator[bytes]:
    """Frames of the turn's events after `last_event_id` (all of them when it is none of ours), until the final
    one. Costs one Redis connection, no transaction, and ends itself when the reader goes.
    """
    reader = _Reader(tenant_id, turn_id, last_event_id)
    client = async_redis()
    try:
        async for frame in reader.frames(client):
            yield frame
    finally:
        await client.aclose()


class _Reader:
    def __init__(self, tenant_id: UUID, turn_id: UUID, last_event_id: str) -> None:
        self._tenant_id, self._turn_id = tenant_id, turn_id
        self._key = stream_key(tenant_id, turn_id)
        self._last = last_event_id if _EVENT_ID.fullmatch(last_event_id) else "0"
        self._attempt = 0
        self._has_read = False
        self._spoke_at = time.monotonic()

    async def frames(self, client: redis.asyncio.Redis) -> AsyncIterator[bytes]:
        while True:
            events = await self._read(client)
            for event in events or []:
                self._last = event.id
                if event.attempt < self._attempt:
                    continue
                self._attempt = event.attempt
                self._spoke_at = time.monotonic()
                yield event.frame()
                if event.name in FINAL:
                    return
            if events:
                continue
            ending = await self._ending_from_row()
            for frame in ending:
                yield frame
            if ending:
                return
            if time.monotonic() - self._spoke_at >= KEEP_ALIVE_S:
                self._spoke_at = time.monotonic()
                yield KEEP_ALIVE

    async def _read(self, client: redis.asyncio.Redis) -> list[Event]:
        """New events; empty after a silence, so that the caller looks at the row. A first read does not wait
        when there is nothing: the stream may be gone for good.
        """
        block = int(CHECK_S * 1000) if self._has_read else None
        self._has_read = True
        try:
            found: Any = await client.xread({self._key: self._last}, count=200, block=block)
        except redis.RedisError as error:
            log.warning("stream_read_failed", turn=str(self._turn_id), error=type(error).__name__)
            await asyncio.sleep(POLL_S)
            return []
        return [Event.of_entry(*entry) for entry in found[0][1]] if found else []

    async def _ending_from_row(self) -> list[bytes]:
        turn = await sync_to_async(self._load)()
        if turn is None:
            gone = {"code": NotFound.code, "message": phrase("failed", "en")}
            return [_frame("error", gone)]
        if turn.status not in _FINISHED:
            return []
        return [_frame(name, data) for name, data in _end_of(turn)]

    def _load(self) -> Turn | None:
        try:
            with tenant_tx(self._tenant_id):
                return Turn.objects.filter(id=self._turn_id).first()
        finally:
            # Readers stay for minutes and seldom look: they keep no connection from those who work.
            if not connection.in_atomic_block:
                connection.close()


def _frame(name: str, data: dict[str, Any]) -> bytes:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata: {text}\n\n".encode()
