"""`chat_stream` for event loops: a stream that nobody has news for costs no thread and no database connection."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from types import TracebackType

from django.conf import settings

from furrow.core.context import current_tenant_id
from furrow.core.threads import in_thread, in_thread_later
from furrow.gateway.backlog import backlog
from furrow.gateway.chat import call_prepare, log_ended
from furrow.gateway.chat_async_http import AsyncChatExchange
from furrow.gateway.chat_events import EventReader
from furrow.gateway.chat_http import Patience
from furrow.gateway.chat_types import ChatDelta, ChatRequest, ChatUsage, Status
from furrow.gateway.connections import async_connection_to
from furrow.gateway.dialects import headers_build


def _nothing() -> None:
    return None


class OpenChat:
    """One call, as a context manager: entering commits its hold, leaving settles it, whatever happened inside.
    `before` runs in the hold's thread and may refuse the call. Runs as the current tenant.
    """

    def __init__(self, request: ChatRequest, *, before: Callable[[], None] = _nothing) -> None:
        self._call = call_prepare(request, current_tenant_id(), _exchange)
        self._before = before
        self._status: Status = "aborted"

    async def __aenter__(self) -> "OpenChat":
        await backlog.room()
        opening = asyncio.ensure_future(in_thread(self._open))
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The thread cannot be stopped: what it has committed is given back.
            await asyncio.wait({opening})
            if opening.exception() is None:
                await self._settle_later()
            raise
        return self

    def _open(self) -> None:
        self._before()
        self._call.hold()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._settle_later()

    async def _settle_later(self) -> None:
        async with backlog.settling():
            await in_thread_later(self._settle)

    def _settle(self) -> None:
        log_ended(self._call.settle(self._status))

    async def deltas(self) -> AsyncGenerator[ChatDelta, None]:
        """The answer as it is written. Closing it, or cancelling whoever reads it, stops the model."""
        call, self._status = self._call, "failed"
        reader = EventReader(splits_thoughts=call.dialect.splits_thoughts)
        headers = headers_build(call.dialect, call.paid.next_attempt())
        try:
            async with aclosing(call.exchange.events(call.body, headers)) as events:
                async for event in events:
                    for delta in call.heard(event, reader):
                        yield delta
            for delta in call.rest(reader):
                yield delta
        except (GeneratorExit, asyncio.CancelledError):
            self._status = "aborted"
            raise
        self._status = "complete"

    def usage(self) -> ChatUsage:
        """What a whole answer used, known before it is settled."""
        return self._call.ended(self._status)


def _exchange(patience: Patience) -> AsyncChatExchange:
    connection = async_connection_to(settings.CHAT_URL, settings.CHAT_API_KEY, use="chat")
    return AsyncChatExchange(connection, patience)
