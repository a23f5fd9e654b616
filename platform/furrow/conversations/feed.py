"""What a visitor is told outside of answers: words of a member, who is speaking now, and the question how it was.

A reader follows its conversation by the number of the last message it has. Messages are rows, so each is told once
and in order however often the line breaks; the bell only says when to look. Events: `message` (its id is its
number), `status` and `csat.ask`, which tell the present state whenever it has changed.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import redis
import redis.asyncio
from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from furrow.conversations.bell import bell_key
from furrow.conversations.desk import owner_present, shown_name
from furrow.conversations.models import Conversation, Csat, Handoff, Message
from furrow.conversations.reply_mail import watching_mark
from furrow.core.context import release_connection, tenant_tx
from furrow.core.logs import get_logger
from furrow.core.redis import async_redis
from furrow.tenants.hours import hours_read
from furrow.tenants.presence import members_present

log = get_logger(__name__)

# The bell may be lost, so the rows are looked at this often anyway.
LOOK_S = 10.0
POLL_S = 2.0
KEEP_ALIVE = b": keep-alive\n\n"
# A session lives for 15 minutes: a reader that comes back is checked again.
LIFETIME_S = 300.0
TYPICAL_OF = 30


def status_of(conversation: Conversation) -> dict[str, Any]:
    """Who speaks, and for somebody who waits, for how long: `wait` has the place in the queue, what replies of
    late took, and when the business opens if it is closed.
    """
    owner = owner_present(conversation)
    if conversation.state == Conversation.State.CLOSED:
        return {"state": "closed", "owner": "nobody", "name": "", "wait": None}
    if owner is not None:
        return {
            "state": conversation.state,
            "owner": "person",
            "name": shown_name(owner),
            "wait": None,
        }
    if conversation.state == Conversation.State.BOT:
        return {"state": "bot", "owner": "assistant", "name": "", "wait": None}
    return {"state": conversation.state, "owner": "queue", "name": "", "wait": _wait(conversation)}


def _wait(conversation: Conversation) -> dict[str, Any]:
    now = timezone.now()
    opening = hours_read().next_opening(now)
    ahead = Conversation.objects.filter(
        state=Conversation.State.WAITING,
        is_test=False,
        waiting_since__lt=conversation.waiting_since or now,
    )
    is_open = opening is not None and opening <= now
    return {
        "place": ahead.count() + 1,
        "typical_s": typical_wait_s() if is_open else None,
        "is_open": is_open,
        "is_staffed": bool(members_present(conversation.tenant_id)),
        "opens_at": opening.isoformat() if opening and not is_open else None,
    }


def typical_wait_s() -> int | None:
    """The median of the latest first replies; None before there were three."""
    rows = Handoff.objects.filter(
        conversation__is_test=False, first_reply_at__isnull=False
    ).order_by("-created_at")
    times = sorted(
        (first - max(made, promised or made)).total_seconds()
        for made, promised, first in rows.values_list(
            "created_at", "promised_at", "first_reply_at"
        )[:TYPICAL_OF]
    )
    return max(0, round(times[len(times) // 2])) if len(times) >= 3 else None


def message_shown(message: Message) -> dict[str, Any]:
    """A member's reply as the visitor reads it."""
    return {
        "id": str(message.id),
        "number": message.number,
        "author": "staff",
        "name": message.author_name,
        "text": message.text,
        "after_turn": message.after_turn,
        "created_at": message.created_at.isoformat(),
    }


def messages_shown(conversation: Conversation, *, after: int = 0) -> list[dict[str, Any]]:
    rows = Message.objects.filter(
        conversation=conversation, kind=Message.Kind.STAFF, number__gt=after
    )
    return [message_shown(row) for row in rows.order_by("number")]


def csat_wanted(conversation: Conversation) -> bool:
    is_asked = conversation.csat_asked_at is not None
    return is_asked and not Csat.objects.filter(conversation=conversation).exists()


def feed_response(
    request: HttpRequest, tenant_id: UUID, conversation_id: UUID
) -> StreamingHttpResponse:
    """The feed as server-sent events after the request's `Last-Event-ID` or `?after=`. The caller has checked that
    the conversation may be read.
    """
    release_connection()
    after = request.headers.get("Last-Event-ID", "") or request.GET.get("after", "")
    number = int(after) if after.isascii() and after.isdigit() and len(after) < 10 else 0
    response = StreamingHttpResponse(
        feed(tenant_id, conversation_id, number), content_type="text/event-stream"
    )
    response.headers["Cache-Control"] = "no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"
    return response


async def feed(tenant_id: UUID, conversation_id: UUID, after: int = 0) -> AsyncIterator[bytes]:
    reader = _Reader(tenant_id, conversation_id, after)
    client = async_redis()
    try:
        async for frame in reader.frames(client):
            yield frame
    finally:
        await client.aclose()


@dataclass
class _News:
    messages: list[dict[str, Any]] = field(default_factory=list)
    status: dict[str, Any] = field(default_factory=dict)
    asks_csat: bool = False
    is_gone: bool = False


class _Reader:
    def __init__(self, tenant_id: UUID, conversation_id: UUID, after: int) -> None:
        self._tenant_id, self._conversation_id = tenant_id, conversation_id
        self._after = after
        self._heard = "0"
        self._told: dict[str, Any] = {}

    async def frames(self, client: redis.asyncio.Redis) -> AsyncIterator[bytes]:
        end = time.monotonic() + LIFETIME_S
        while True:
            # The bell's place first, the rows after it: what rings in between is seen next time.
            await self._place(client)
            news = await sync_to_async(self._look)()
            frames = list(self._frames_of(news))
            for frame in frames:
                yield frame
            if news.is_gone or time.monotonic() >= end:
                return
            if not frames:
                yield KEEP_ALIVE
            await self._wait(client)

    def _frames_of(self, news: _News) -> list[bytes]:
        frames = []
        for message in news.messages:
            self._after = message["number"]
            frames.append(_frame("message", message, event_id=message["number"]))
        if news.status and news.status != self._told.get("status"):
            self._told["status"] = news.status
            frames.append(_frame("status", news.status))
        if news.asks_csat and "csat" not in self._told:
            self._told["csat"] = True
            asked = {"conversation_id": str(self._conversation_id)}
            frames.append(_frame("csat.ask", asked))
        return frames

    async def _place(self, client: redis.asyncio.Redis) -> None:
        key = bell_key(self._tenant_id, self._conversation_id)
        try:
            newest: Any = await client.xrevrange(key, count=1)
        except redis.RedisError:
            self._heard = ""
            return
        self._heard = newest[0][0].decode() if newest else "0"

    async def _wait(self, client: redis.asyncio.Redis) -> None:
        key = bell_key(self._tenant_id, self._conversation_id)
        try:
            if self._heard:
                await client.xread({key: self._heard}, count=1, block=int(LOOK_S * 1000))
                return
        except redis.RedisError as error:
            log.warning("feed_deaf", error=type(error).__name__)
        await asyncio.sleep(POLL_S)

    def _look(self) -> _News:
        try:
            watching_mark(self._tenant_id, self._conversation_id)
            with tenant_tx(self._tenant_id):
                row = Conversation.objects.filter(id=self._conversation_id).first()
                if row is None:
                    return _News(is_gone=True)
                return _News(
                    messages_shown(row, after=self._after), status_of(row), csat_wanted(row)
                )
        finally:
            # Readers stay for minutes and seldom look: they keep no connection from those who work.
            if not connection.in_atomic_block:
                connection.close()


def _frame(name: str, data: dict[str, Any], *, event_id: int | None = None) -> bytes:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {name}\ndata: {text}\n\n".encode()
