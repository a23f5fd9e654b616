"""How a review tells how far it is: a Redis stream a run, followed by any number of readers.

As with turns, the stream is a convenience and the row the truth: a reader whose stream was lost is told from the row.
Events: `stage {name, state, done, total}` and at the end `done {state, findings, ...}`, the facts of the webhook.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import redis
import redis.asyncio
from asgiref.sync import sync_to_async
from django.db import connection, transaction
from django.http import HttpRequest, StreamingHttpResponse

from apps.contracts.models import ReviewRun
from apps.contracts.reviewing.outcome import facts_of
from furrow.conversations.streams import KEEP_ALIVE, KEEP_ALIVE_S, POLL_S
from furrow.core.context import release_connection, tenant_tx
from furrow.core.errors import NotFound
from furrow.core.keys import tenant_key
from furrow.core.logs import get_logger
from furrow.core.redis import async_redis, sync_redis

log = get_logger(__name__)

MAX_EVENTS = 500
LIFETIME_S = 3600
# How often a silent stream is compared with the row.
CHECK_S = 3.0
DONE = "done"
_EVENT_ID = re.compile(r"\d{1,20}-\d{1,20}")


def stream_key(tenant_id: UUID, run_id: UUID) -> str:
    return tenant_key(tenant_id, "contract-run", run_id)


def stage_told(run: ReviewRun, name: str) -> None:
    """With the transaction. A Redis that is away costs the live view, never the review."""
    stage = stage_facts(name, run.stages.get(name, {}))
    transaction.on_commit(lambda: _publish(run.tenant_id, run.id, "stage", stage))


def end_told(run: ReviewRun) -> None:
    """With the transaction that ended it, whichever way."""
    facts = facts_of(run)
    transaction.on_commit(lambda: _publish(run.tenant_id, run.id, DONE, facts))


def stage_facts(name: str, noted: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "state": noted.get("state", "waiting"),
        "done": noted.get("done"),
        "total": noted.get("total"),
    }


def sse_response(request: HttpRequest, tenant_id: UUID, run_id: UUID) -> StreamingHttpResponse:
    """The run as server-sent events, resumed after the request's `Last-Event-ID`. The caller has checked that it may
    be read.
    """
    release_connection()
    last_id = request.headers.get("Last-Event-ID", "") or request.GET.get("last_event_id", "")
    response = StreamingHttpResponse(
        follow(tenant_id, run_id, last_id), content_type="text/event-stream"
    )
    response.headers["Cache-Control"] = "no-cache, no-transform"
    # nginx would hold the events back until the review is over.
    response.headers["X-Accel-Buffering"] = "no"
    return response


async def follow(tenant_id: UUID, run_id: UUID, last_event_id: str = "") -> AsyncIterator[bytes]:
    """Frames after `last_event_id` (all of them when it is none of ours), until the run is over."""
    reader = _Reader(tenant_id, run_id, last_event_id)
    # The view that began this stream ended inside of its tenant's transaction; now its connection can go.
    await sync_to_async(release_connection)()
    client = async_redis()
    try:
        async for frame in reader.frames(client):
            yield frame
    finally:
        await client.aclose()


def _publish(tenant_id: UUID, run_id: UUID, event: str, data: dict[str, Any]) -> None:
    key = stream_key(tenant_id, run_id)
    try:
        with sync_redis().pipeline(transaction=False) as pipe:
            fields: dict[Any, Any] = {"event": event, "data": _json(data)}
            pipe.xadd(key, fields, maxlen=MAX_EVENTS, approximate=True)
            pipe.expire(key, LIFETIME_S)
            pipe.execute()
    except redis.RedisError as error:
        log.warning("progress_not_told", run=str(run_id), error=type(error).__name__)


class _Reader:
    def __init__(self, tenant_id: UUID, run_id: UUID, last_event_id: str) -> None:
        self._tenant_id, self._run_id = tenant_id, run_id
        self._key = stream_key(tenant_id, run_id)
        self._last = last_event_id if _EVENT_ID.fullmatch(last_event_id) else "0"
        self._has_read = False
        self._spoke_at = time.monotonic()

    async def frames(self, client: redis.asyncio.Redis) -> AsyncIterator[bytes]:
        while True:
            entries = await self._read(client)
            for entry_id, fields in entries:
                self._last, name = entry_id.decode(), fields[b"event"].decode()
                self._spoke_at = time.monotonic()
                yield f"id: {self._last}\n".encode() + _framed(name, fields[b"data"])
                if name == DONE:
                    return
            if entries:
                continue
            ending = await sync_to_async(self._ending)()
            if ending:
                yield ending
                return
            if time.monotonic() - self._spoke_at >= KEEP_ALIVE_S:
                self._spoke_at = time.monotonic()
                yield KEEP_ALIVE

    async def _read(self, client: redis.asyncio.Redis) -> list[tuple[bytes, dict[bytes, bytes]]]:
        """New events; none after a silence, or at once where there never was a stream."""
        block = int(CHECK_S * 1000) if self._has_read else None
        self._has_read = True
        try:
            found: Any = await client.xread({self._key: self._last}, count=100, block=block)
        except redis.RedisError as error:
            log.warning("progress_not_read", run=str(self._run_id), error=type(error).__name__)
            await asyncio.sleep(POLL_S)
            return []
        return list(found[0][1]) if found else []

    def _ending(self) -> bytes:
        """From the row; empty while the run goes on."""
        try:
            with tenant_tx(self._tenant_id):
                run = (
                    ReviewRun.objects.filter(id=self._run_id)
                    .select_related("version__contract")
                    .defer("version__text", "version__layout")
                    .first()
                )
                if run is None:
                    return _frame("error", {"code": NotFound.code})
                return b"" if run.is_active else _frame(DONE, facts_of(run))
        finally:
            # Readers stay for minutes and seldom look: they keep no connection from those who work.
            if not connection.in_atomic_block:
                connection.close()


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _frame(name: str, data: dict[str, Any]) -> bytes:
    return _framed(name, _json(data).encode())


def _framed(name: str, data: bytes) -> bytes:
    return f"event: {name}\ndata: ".encode() + data + b"\n\n"
